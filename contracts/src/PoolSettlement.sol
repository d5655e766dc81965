// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Wired } from "./Wired.sol";
import { ICommittees } from "./interfaces/ICommittees.sol";
import { IParamRegistry } from "./interfaces/IParamRegistry.sol";
import { IStaking } from "./interfaces/IStaking.sol";
import { IWAL } from "./interfaces/IWAL.sol";
import { ActiveSet } from "./libraries/ActiveSet.sol";
import { Pools } from "./libraries/Pools.sol";
import { Rates } from "./libraries/Rates.sol";
import { StakingState } from "./libraries/StakingState.sol";
import { Settlement } from "./types/Epoch.sol";
import { Rate, SlashReason } from "./types/Node.sol";
import { ParamKeys } from "./types/Param.sol";

/// @title Settlement of stake pools
/// @notice What an ended epoch means for a pool: reward or forfeit, strike, slash and jail, then the epoch's rate, then
/// those who join and leave. In this order, so that whoever was in the pool shares the loss and asking to leave after a
/// failure does not help.
abstract contract PoolSettlement is Wired {
    using ActiveSet for StakingState.Layout;
    using Pools for StakingState.Pool;
    using Rates for Rate[];

    /// @notice Smallest stake position in FROST, and smallest stake of a node in the active set: 1 WAL.
    uint256 internal constant MIN_STAKE = 1e9;

    /// @dev A pool as of the start of `epoch`, which is the current one. Stores nothing of the pool itself.
    /// @return p The pool
    /// @return burned What the caller must burn
    function _sync(StakingState.Layout storage l, uint32 nodeId, uint32 epoch)
        internal
        returns (StakingState.Pool memory p, uint256 burned)
    {
        p = l.pools[nodeId];
        uint32 from = p.epoch;
        if (from >= epoch) return (p, 0);
        // Only the two epochs after the last settlement can have anything pending.
        for (uint32 e = from + 1; e < epoch && e <= from + 2; ++e) {
            burned += _advance(l, nodeId, p, e);
        }
        burned += _applyResult(l, nodeId, p, epoch - 1);
        burned += _advance(l, nodeId, p, epoch);
    }

    /// @dev Stores a pool and what follows from it for the active set.
    function _store(StakingState.Layout storage l, uint32 nodeId, StakingState.Pool memory p) internal {
        l.pools[nodeId] = p;
        uint16 place = l.nodes[nodeId].activePlace;
        if (place == 0) return;
        uint64 stake = p.expectedStake();
        if (!_isEligible(p, stake)) l.remove(nodeId, place);
        else if (l.activeStakes[place - 1] != stake) l.activeStakes[place - 1] = stake;
    }

    /// @dev Whether a pool may be in the active set.
    function _isEligible(StakingState.Pool memory p, uint256 stake) internal pure returns (bool) {
        return stake >= MIN_STAKE && p.jailedUntil == 0 && !p.retired;
    }

    function _burnWal(uint256 amount) internal {
        if (amount != 0) IWAL(WAL_TOKEN).burn(amount);
    }

    /// @dev Moves a pool to the start of `epoch` and records its rate when somebody joins or leaves: nobody else will
    /// ever ask for it.
    function _advance(StakingState.Layout storage l, uint32 nodeId, StakingState.Pool memory p, uint32 epoch)
        private
        returns (uint256 dust)
    {
        (uint128 balance, uint128 shares) = (p.balance, p.shares);
        bool touched;
        (touched, dust) = p.advance(epoch);
        if (touched) l.rates[nodeId].record(epoch, balance, shares);
    }

    /// @dev Reward and punishment of a pool whose node was in the committee of `ended`.
    /// @return burned Forfeits and slashes
    function _applyResult(StakingState.Layout storage l, uint32 nodeId, StakingState.Pool memory p, uint32 ended)
        private
        returns (uint256 burned)
    {
        Settlement storage s = l.settlement;
        if (ended == 0 || s.epoch != ended) return 0;
        (bool member, uint8 seat, uint16 weight) = ICommittees(COMMITTEES).standing(ended, nodeId);
        if (!member) return 0;
        s.settled |= 1 << seat;
        if (p.servedEpoch + 1 != ended || p.servedEpoch == 0) p.joinedEpoch = ended;
        p.servedEpoch = ended;

        uint256 share = uint256(s.rewards) * weight / N_SHARDS;
        s.spent += uint64(share);
        bool counts = s.result.enforced && !s.result.isVoid;
        if (counts && s.result.passed >> seat & 1 == 0) {
            burned = share + _punish(l, nodeId, p, s, seat, weight);
            if (share != 0) emit IStaking.RewardForfeited(nodeId, ended, share);
            emit IStaking.PoolSettled(nodeId, ended, 0, 0, burned - share);
        } else {
            if (counts) p.misses = 0;
            uint256 commission;
            (commission, burned) = p.credit(share);
            emit IStaking.PoolSettled(nodeId, ended, share, commission, 0);
        }
    }

    /// @dev Counts a miss of the challenge, unless the node is spared or new, and takes what the schedule says.
    function _punish(
        StakingState.Layout storage l,
        uint32 nodeId,
        StakingState.Pool memory p,
        Settlement storage s,
        uint8 seat,
        uint16 weight
    ) private returns (uint256 slashed) {
        uint32 ended = s.epoch;
        StrikeRules memory rules = _strikeRules(ended);
        if (s.result.rescued >> seat & 1 == 1 || ended < uint256(p.joinedEpoch) + rules.graceEpochs) return 0;
        if (p.misses != type(uint8).max) ++p.misses;
        if (p.misses < 2) return 0;

        uint256 penalty = rules.penaltyPerShard * weight;
        uint256 limit = p.partOf(rules.secondMissCapBp);
        if (penalty > limit) penalty = limit;
        bool strike = p.misses > 2;
        if (strike) penalty += p.partOf(rules.thirdMissBp);
        slashed = p.slash(penalty, rules.maxSlashBp);
        emit IStaking.NodeSlashed(nodeId, ended, slashed, strike ? SlashReason.Strike : SlashReason.Penalty);
        if (strike) _jail(l, nodeId, p, s, weight, ended + rules.jailEpochs);
        if (!p.retired && p.isSpent()) {
            p.retired = true;
            emit IStaking.PoolRetired(nodeId);
        }
    }

    /// @dev Leaves a node out of the coming selections, unless too much of the network would be left out at once.
    function _jail(
        StakingState.Layout storage l,
        uint32 nodeId,
        StakingState.Pool memory p,
        Settlement storage s,
        uint16 weight,
        uint32 until
    ) private {
        uint256 jailed = uint256(s.jailedWeight) + weight;
        if (jailed > (uint256(N_SHARDS) - 1) / 3) return;
        bool active = l.nodes[nodeId].activePlace != 0;
        if (active && l.activeIds.length <= MIN_NODES) return;
        s.jailedWeight = uint16(jailed);
        p.jailedUntil = until;
        emit IStaking.NodeJailed(nodeId, until);
    }

    /// @dev The tunables of the strike schedule.
    struct StrikeRules {
        uint256 graceEpochs;
        uint256 penaltyPerShard;
        uint256 secondMissCapBp;
        uint256 thirdMissBp;
        uint256 maxSlashBp;
        uint32 jailEpochs;
    }

    /// @dev The tunables in `epoch`.
    function _strikeRules(uint32 epoch) private view returns (StrikeRules memory) {
        IParamRegistry params = IParamRegistry(PARAMS);
        return StrikeRules({
            graceEpochs: params.valueAt(ParamKeys.GRACE_EPOCHS, epoch),
            penaltyPerShard: params.valueAt(ParamKeys.PENALTY_PER_SHARD, epoch),
            secondMissCapBp: params.valueAt(ParamKeys.SECOND_MISS_CAP_BP, epoch),
            thirdMissBp: params.valueAt(ParamKeys.THIRD_MISS_BP, epoch),
            maxSlashBp: params.valueAt(ParamKeys.MAX_SLASH_BP, epoch),
            jailEpochs: uint32(params.valueAt(ParamKeys.JAIL_EPOCHS, epoch))
        });
    }
}
