// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { Pools } from "src/libraries/Pools.sol";
import { Rates } from "src/libraries/Rates.sol";
import { StakingState } from "src/libraries/StakingState.sol";
import { Rate } from "src/types/Node.sol";

/// @dev Random histories of one pool against a model in which every position has its own account, in fractions of a
/// FROST, and everybody gains and loses by the same factor.
contract PoolsTest is Test {
    using Pools for StakingState.Pool;
    using Rates for Rate;
    using Rates for Rate[];

    uint256 private constant EPOCHS = 80;
    /// Fractions of a FROST in the model.
    uint256 private constant ONE = 1e18;

    struct Stake {
        uint64 principal;
        uint32 activation;
        uint32 withdrawal;
        uint256 shares;
        uint256 value;
        bool gone;
    }

    Rate[] private _rates;
    Stake[] private _stakes;

    /// Every position gets its pro rata part, never more, and less only by rounding; the pool always covers its leavers.
    function testFuzz_advance_isProRata(uint256 seed) public {
        StakingState.Pool memory p;
        for (uint32 e = 1; e <= EPOCHS; ++e) {
            uint256 r = uint256(keccak256(abi.encode(seed, e)));
            _gainOrLose(p, r);
            _turn(p, e);
            _act(p, e, r >> 64);
        }
        // All leave, in two more epochs.
        for (uint256 i = 0; i < _stakes.length; ++i) {
            if (_stakes[i].withdrawal == 0) _leave(p, i, uint32(EPOCHS));
        }
        _turn(p, uint32(EPOCHS) + 1);
        _turn(p, uint32(EPOCHS) + 2);
        for (uint256 i = 0; i < _stakes.length; ++i) {
            assertTrue(_stakes[i].gone);
        }
        assertEq(p.balance, 0, "nothing is left behind in a pool");
        assertEq(p.shares, 0);
    }

    /// Searching finds the newest rate up to an epoch.
    function testFuzz_rateAt_findsTheNewest(uint256 seed, uint32 asked) public {
        asked = uint32(bound(asked, 0, 200));
        uint32 epoch = 0;
        uint32 expected = 0;
        for (uint256 i = 0; i < 40; ++i) {
            epoch += 1 + uint32(uint256(keccak256(abi.encode(seed, i))) % 7);
            _rates.record(epoch, 100 + epoch, 100);
            if (epoch <= asked) expected = epoch;
        }
        Rate memory found = _rates.rateAt(asked);
        if (expected == 0) {
            assertEq(found.shares, 0, "1:1 before the first");
            assertEq(found.toShares(7), 7);
            assertEq(found.toAmount(7), 7);
        } else {
            assertEq(found.epoch, expected);
            assertEq(found.amount, 100 + expected);
        }
    }

    function testFuzz_slash_isBounded(uint128 balance, uint64 commission, uint256 amount, uint16 maxBp) public pure {
        StakingState.Pool memory p;
        p.balance = uint128(bound(balance, 0, 5e18));
        p.commission = uint64(bound(commission, 0, 5e18));
        maxBp = uint16(bound(maxBp, 0, 3000));
        (uint256 b, uint256 c) = (p.balance, p.commission);
        uint256 taken = p.slash(amount, maxBp);
        assertLe(taken, b * maxBp / 10_000);
        assertLe(taken, amount);
        assertEq(b + c - taken, uint256(p.balance) + p.commission);
        assertTrue(p.balance == b || p.commission == 0, "commission first");
    }

    function test_credit_withoutStakersIsUnclaimed() public pure {
        StakingState.Pool memory p;
        p.commissionBp = 1000;
        (uint256 commission, uint256 unclaimed) = p.credit(1005);
        assertEq(commission, 100);
        assertEq(unclaimed, 905);
        assertEq(p.balance, 0);
    }

    function test_setNextCommission_zeroIsAValueToo() public pure {
        StakingState.Pool memory p;
        p.commissionBp = 1000;
        p.setNextCommission(2, 0);
        p.advance(1);
        assertEq(p.commissionBp, 1000);
        p.advance(2);
        assertEq(p.commissionBp, 0);
    }

    // ----- The model

    function _gainOrLose(StakingState.Pool memory p, uint256 r) private {
        uint256 before = p.balance;
        if (before == 0) return;
        if (r % 3 == 0) p.credit(r % 1000e9);
        if (r % 5 == 0) p.slash(p.partOf(r % 700), 3000);
        for (uint256 i = 0; i < _stakes.length; ++i) {
            Stake storage s = _stakes[i];
            if (s.gone || s.activation > p.epoch) continue;
            s.value = s.value * p.balance / before;
        }
    }

    /// @dev The start of an epoch: the rate, then joiners and leavers, then the payouts.
    function _turn(StakingState.Pool memory p, uint32 epoch) private {
        (uint128 balance, uint128 shares) = (p.balance, p.shares);
        p.advance(epoch);
        _rates.record(epoch, balance, shares);
        for (uint256 i = 0; i < _stakes.length; ++i) {
            Stake storage s = _stakes[i];
            if (s.withdrawal != epoch) continue;
            uint256 held = s.shares != 0 ? s.shares : _rates.rateAt(s.activation).toShares(s.principal);
            uint256 amount = _rates.rateAt(epoch).toAmount(held);
            assertLe(amount, p.owed, "the pool covers its leavers");
            p.owed -= uint64(amount);
            // Rounding of every join and leave moves less than a FROST's worth of shares.
            assertApproxEqAbs(amount, s.value / ONE, 2000, "pro rata");
            s.gone = true;
        }
    }

    function _act(StakingState.Pool memory p, uint32 epoch, uint256 r) private {
        if (r % 2 == 0 && !p.isSpent()) {
            uint64 principal = uint64(1e9 + (r >> 8) % 100_000e9);
            uint32 activation = epoch + 1 + uint32((r >> 4) % 2);
            p.addJoining(activation, principal);
            _stakes.push(Stake(principal, activation, 0, 0, principal * ONE, false));
        }
        if (_stakes.length != 0 && r % 3 == 0) {
            uint256 i = (r >> 16) % _stakes.length;
            if (_stakes[i].withdrawal == 0) _leave(p, i, epoch);
        }
    }

    function _leave(StakingState.Pool memory p, uint256 i, uint32 epoch) private {
        Stake storage s = _stakes[i];
        if (s.activation > epoch + 1) {
            // Not active for two more epochs: it leaves at once.
            p.removeJoining(s.activation, s.principal);
            (s.withdrawal, s.gone) = (type(uint32).max, true);
        } else if (s.activation > epoch) {
            p.passing += s.principal;
            s.withdrawal = epoch + 2;
        } else {
            s.shares = _rates.rateAt(s.activation).toShares(s.principal);
            s.withdrawal = epoch + 1 + uint32(s.shares % 2);
            p.addLeaving(s.withdrawal, s.shares);
        }
    }
}
