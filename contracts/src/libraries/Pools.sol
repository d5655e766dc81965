// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { Rate } from "../types/Node.sol";
import { Rates } from "./Rates.sol";
import { StakingState } from "./StakingState.sol";

/// @title Arithmetic of one stake pool
/// @notice Works on a pool in memory and never reverts for reasons of data: a pool that cannot be settled would stop the
/// network. Amounts are FROST, below 2^63 as the supply is.
library Pools {
    using Rates for Rate;

    /// @notice A balance below this (0.001 WAL) belongs to nobody: the smallest position, slashed to the limit of
    /// `isSpent`, is worth more. It is the rounding that leavers left behind.
    uint256 internal constant DUST = 1e6;
    /// @notice A pool with more than this many shares per FROST is retired.
    uint256 internal constant RETIRED_SHARES = 20;

    uint256 private constant BP = 10_000;

    /// @notice Brings a pool to the start of `epoch`: pays leavers, lets joiners in, takes up a due commission. All at
    /// the rate the pool has now, which is to be recorded when `touched`.
    /// @return touched Whether anybody joined or left
    /// @return dust What is left of a pool whose last position went; it is to be burned
    function advance(StakingState.Pool memory p, uint32 epoch) internal pure returns (bool touched, uint256 dust) {
        bool odd = epoch & 1 == 1;
        p.epoch = epoch;
        uint16 bp = odd ? p.nextBpOdd : p.nextBpEven;
        if (bp != 0) p.commissionBp = bp - 1;

        uint256 joins = odd ? p.joiningOdd : p.joiningEven;
        uint256 leaves = Math.min(odd ? p.leavingOdd : p.leavingEven, p.shares);
        if (odd) (p.joiningOdd, p.leavingOdd, p.nextBpOdd) = (0, 0, 0);
        else (p.joiningEven, p.leavingEven, p.nextBpEven) = (0, 0, 0);
        if (joins == 0 && leaves == 0) return (false, 0);

        Rate memory rate = rateOf(p);
        if (p.passing != 0) {
            addLeaving(p, epoch + 1, rate.toShares(p.passing));
            p.passing = 0;
        }
        uint256 paid = rate.toAmount(leaves);
        p.owed += uint64(paid);
        uint256 balance = p.balance - paid + joins;
        p.balance = uint128(balance);
        p.shares = uint128(rate.toShares(balance));
        return (true, sweep(p));
    }

    /// @notice Empties a pool in which only rounding is left, so that the next one to join starts at 1:1 again.
    function sweep(StakingState.Pool memory p) internal pure returns (uint256 dust) {
        if (p.balance >= DUST && p.shares != 0) return 0;
        dust = p.balance;
        (p.balance, p.shares) = (0, 0);
    }

    /// @notice Credits a reward: commission to the operator, the rest to the stakers.
    /// @return commission The operator's part
    /// @return unclaimed The stakers' part when there are none; it is to be burned
    function credit(StakingState.Pool memory p, uint256 reward)
        internal
        pure
        returns (uint256 commission, uint256 unclaimed)
    {
        commission = reward * p.commissionBp / BP;
        p.commission += uint64(commission);
        if (p.shares == 0) return (commission, reward - commission);
        p.balance += uint128(reward - commission);
    }

    /// @notice Takes `amount`, at most `maxBp` of the balance: first from the commission, then from the balance.
    /// @return taken It is to be burned
    function slash(StakingState.Pool memory p, uint256 amount, uint256 maxBp) internal pure returns (uint256 taken) {
        taken = Math.min(amount, p.balance * maxBp / BP);
        uint256 fromCommission = Math.min(taken, p.commission);
        p.commission -= uint64(fromCommission);
        p.balance -= uint128(taken - fromCommission);
    }

    /// @notice Basis points of the balance, rounded up.
    function partOf(StakingState.Pool memory p, uint256 bp) internal pure returns (uint256) {
        return Math.ceilDiv(p.balance * bp, BP);
    }

    /// @notice Whether slashing took so much that the pool is to be retired.
    function isSpent(StakingState.Pool memory p) internal pure returns (bool) {
        return p.shares > RETIRED_SHARES * p.balance;
    }

    /// @notice The rate at which people join and leave now.
    function rateOf(StakingState.Pool memory p) internal pure returns (Rate memory) {
        return Rate(p.epoch, uint96(p.balance), p.shares);
    }

    /// @notice The stake a selection counts: what is active or joins, without what leaves.
    function expectedStake(StakingState.Pool memory p) internal pure returns (uint64) {
        uint256 stays = p.shares - Math.min(uint256(p.leavingEven) + p.leavingOdd, p.shares);
        return uint64(rateOf(p).toAmount(stays) + p.joiningEven + p.joiningOdd - p.passing);
    }

    /// @notice Lets `amount` join at `epoch`, one of the two coming ones.
    function addJoining(StakingState.Pool memory p, uint32 epoch, uint256 amount) internal pure {
        if (epoch & 1 == 1) p.joiningOdd = SafeCast.toUint64(p.joiningOdd + amount);
        else p.joiningEven = SafeCast.toUint64(p.joiningEven + amount);
    }

    /// @notice Takes back `amount` that was to join at `epoch`.
    function removeJoining(StakingState.Pool memory p, uint32 epoch, uint64 amount) internal pure {
        if (epoch & 1 == 1) p.joiningOdd -= amount;
        else p.joiningEven -= amount;
    }

    /// @notice Lets `shares` leave at `epoch`, one of the two coming ones.
    function addLeaving(StakingState.Pool memory p, uint32 epoch, uint256 shares) internal pure {
        if (epoch & 1 == 1) p.leavingOdd += uint128(shares);
        else p.leavingEven += uint128(shares);
    }

    /// @notice Pays `shares` out at once.
    /// @return amount What they are worth
    /// @return dust As in `sweep`
    function takeOut(StakingState.Pool memory p, uint256 shares) internal pure returns (uint256 amount, uint256 dust) {
        amount = rateOf(p).toAmount(shares);
        p.balance -= uint128(amount);
        p.shares -= uint128(shares);
        dust = sweep(p);
    }

    /// @notice A commission that takes effect with the rewards of `epoch`, one of the two coming ones.
    function setNextCommission(StakingState.Pool memory p, uint32 epoch, uint16 bp) internal pure {
        if (epoch & 1 == 1) p.nextBpOdd = bp + 1;
        else p.nextBpEven = bp + 1;
    }
}
