// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20, SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { PoolSettlement } from "./PoolSettlement.sol";
import { Wired } from "./Wired.sol";
import { ICommittees } from "./interfaces/ICommittees.sol";
import { IEpochManager } from "./interfaces/IEpochManager.sol";
import { IStaking } from "./interfaces/IStaking.sol";
import { IUpgradeGate } from "./interfaces/IUpgradeGate.sol";
import { IWalrusSystem } from "./interfaces/IWalrusSystem.sol";
import { ActiveSet } from "./libraries/ActiveSet.sol";
import { Pools } from "./libraries/Pools.sol";
import { Positions } from "./libraries/Positions.sol";
import { StakingState } from "./libraries/StakingState.sol";
import { ChallengeResult, Settlement, Stage } from "./types/Epoch.sol";
import { Position, Role } from "./types/Node.sol";
import { Parameters, Wiring } from "./types/Wiring.sol";

/// @title Stake pools: who joins, who leaves, and when they are settled
/// @notice Part of the code of `Staking`, which delegates to it, so that it runs on the storage and at the
/// address of `Staking`. Called directly it only changes storage of its own, which nobody reads. The functions are
/// described in `IStaking`; tokens, votes and the money of `stake` and `withdraw` move in `Staking`, which also checks
/// who may dispose of a position.
contract StakingPools is PoolSettlement, ReentrancyGuardTransient {
    using ActiveSet for StakingState.Layout;
    using Pools for StakingState.Pool;
    using Positions for StakingState.Layout;
    using SafeERC20 for IERC20;

    /// @notice Highest commission in basis points.
    uint16 public constant MAX_COMMISSION_BP = 10_000;

    constructor(Wiring memory w, Parameters memory p) Wired(w, p) { }

    // ----- Positions

    /// @notice The pool's part of `IStaking.stake`.
    function stake(uint32 nodeId, uint256 amount, address) external returns (uint256 positionId) {
        if (amount < MIN_STAKE) revert IStaking.StakeBelowMinimum(amount, MIN_STAKE);
        if (IUpgradeGate(UPGRADE_GATE).isPaused()) revert IStaking.StakingPaused();
        StakingState.Layout storage l = _known(nodeId);
        Stage memory stage = _thawed();
        (StakingState.Pool memory p, uint256 burned) = _sync(l, nodeId, stage.epoch);
        if (p.retired) revert IStaking.PoolIsRetired(nodeId);
        uint32 activation = _nextVote(stage);
        p.addJoining(activation, amount);
        _store(l, nodeId, p);
        uint64 expected = p.expectedStake();
        bool enters = l.nodes[nodeId].activePlace == 0 && l.activeIds.length < MAX_COMMITTEE;
        if (enters && _isEligible(p, expected)) l.append(nodeId, expected);

        positionId = ++l.positionCount;
        l.positions[positionId] = Position(nodeId, activation, SafeCast.toUint64(amount), 0, 0);
        emit IStaking.Staked(nodeId, positionId, amount, activation);
        _burnWal(burned);
    }

    /// @notice See `IStaking.requestWithdraw`; the caller is authorised.
    function requestWithdraw(uint256 positionId) external nonReentrant {
        StakingState.Layout storage l = StakingState.get();
        Position memory q = l.positions[positionId];
        if (q.withdrawEpoch != 0) revert IStaking.AlreadyLeaving(positionId, q.withdrawEpoch);
        Stage memory stage = _thawed();
        q.withdrawEpoch = _earliestWithdrawal(q, stage);
        if (q.withdrawEpoch == 0) revert IStaking.WithdrawAtOnce(positionId);
        (StakingState.Pool memory p, uint256 burned) = _sync(l, q.nodeId, stage.epoch);
        if (q.activationEpoch > stage.epoch) {
            p.passing += q.principal;
        } else {
            q.shares = SafeCast.toUint96(l.sharesOf(q));
            p.addLeaving(q.withdrawEpoch, q.shares);
        }
        l.positions[positionId] = q;
        _store(l, q.nodeId, p);
        emit IStaking.WithdrawRequested(positionId, q.withdrawEpoch);
        _burnWal(burned);
    }

    /// @notice The pool's part of `IStaking.withdraw`; the caller is authorised.
    function withdraw(uint256 positionId, address to) external returns (uint256 amount) {
        if (to == address(0)) revert IStaking.ZeroAddress();
        StakingState.Layout storage l = StakingState.get();
        Position memory q = l.positions[positionId];
        Stage memory stage = IEpochManager(EPOCH_MANAGER).stage();
        (StakingState.Pool memory p, uint256 burned) = _sync(l, q.nodeId, stage.epoch);
        if (q.withdrawEpoch != 0) {
            if (stage.epoch < q.withdrawEpoch) {
                revert IStaking.WithdrawTooEarly(positionId, q.withdrawEpoch, stage.epoch);
            }
            amount = l.worthAtWithdrawal(q);
            // Rounding never lets the claims exceed what was set aside; if it did, the last one would bear it.
            if (amount > p.owed) amount = p.owed;
            p.owed -= uint64(amount);
        } else {
            if (stage.frozen) revert IStaking.ActiveSetFrozen();
            if (_earliestWithdrawal(q, stage) != 0) revert IStaking.WithdrawNotRequested(positionId);
            uint256 dust;
            (amount, dust) = _takeOut(l, q, p, stage.epoch);
            burned += dust;
        }
        _store(l, q.nodeId, p);
        delete l.positions[positionId];
        emit IStaking.Withdrawn(positionId, amount);
        _burnWal(burned);
    }

    /// @notice The records' part of `IStaking.splitPosition`; the caller is authorised.
    function splitPosition(uint256 positionId, uint256 amount) external returns (uint256 newPositionId) {
        StakingState.Layout storage l = StakingState.get();
        Position memory q = l.positions[positionId];
        if (amount < MIN_STAKE) revert IStaking.StakeBelowMinimum(amount, MIN_STAKE);
        uint256 rest = amount < q.principal ? q.principal - amount : 0;
        if (rest < MIN_STAKE) revert IStaking.StakeBelowMinimum(rest, MIN_STAKE);
        uint96 shares = uint96(uint256(q.shares) * amount / q.principal);
        newPositionId = ++l.positionCount;
        l.positions[newPositionId] = Position(q.nodeId, q.activationEpoch, uint64(amount), q.withdrawEpoch, shares);
        q.principal = uint64(rest);
        q.shares -= shares;
        l.positions[positionId] = q;
        emit IStaking.PositionSplit(positionId, newPositionId, amount);
    }

    /// @notice The records' part of `IStaking.joinPositions`; the caller is authorised and both have one owner.
    function joinPositions(uint256 into, uint256 from) external {
        StakingState.Layout storage l = StakingState.get();
        Position memory a = l.positions[into];
        Position memory b = l.positions[from];
        // Shares are fixed by a request after activation and unknown after one before it: these two do not mix.
        bool same = into != from && a.nodeId == b.nodeId && a.activationEpoch == b.activationEpoch
            && a.withdrawEpoch == b.withdrawEpoch && (a.shares == 0) == (b.shares == 0);
        if (!same) revert IStaking.PositionsDiffer(into, from);
        a.principal += b.principal;
        a.shares += b.shares;
        l.positions[into] = a;
        delete l.positions[from];
        emit IStaking.PositionsJoined(into, from);
    }

    // ----- Settlement and commission

    /// @notice See `IStaking.settle`.
    function settle(uint32[] calldata nodeIds) external nonReentrant {
        StakingState.Layout storage l = StakingState.get();
        uint32 epoch = IEpochManager(EPOCH_MANAGER).epoch();
        uint256 total = 0;
        for (uint256 i = 0; i < nodeIds.length; ++i) {
            uint32 nodeId = nodeIds[i];
            if (nodeId == 0 || nodeId > l.nodeCount || l.pools[nodeId].epoch >= epoch) continue;
            (StakingState.Pool memory p, uint256 burned) = _sync(l, nodeId, epoch);
            _store(l, nodeId, p);
            total += burned;
        }
        _burnWal(total);
    }

    /// @notice See `IStaking.setNextCommission`.
    function setNextCommission(uint32 nodeId, uint16 commissionBp) external nonReentrant {
        if (commissionBp > MAX_COMMISSION_BP) revert IStaking.CommissionTooHigh(commissionBp, MAX_COMMISSION_BP);
        StakingState.Layout storage l = _known(nodeId);
        _requireOperator(l, nodeId);
        uint32 epoch = IEpochManager(EPOCH_MANAGER).epoch();
        (StakingState.Pool memory p, uint256 burned) = _sync(l, nodeId, epoch);
        p.setNextCommission(epoch + 2, commissionBp);
        _store(l, nodeId, p);
        emit IStaking.CommissionChanged(nodeId, commissionBp, epoch + 2);
        _burnWal(burned);
    }

    /// @notice See `IStaking.collectCommission`.
    function collectCommission(uint32 nodeId, address to) external nonReentrant returns (uint256 amount) {
        if (to == address(0)) revert IStaking.ZeroAddress();
        StakingState.Layout storage l = _known(nodeId);
        if (l.nodes[nodeId].commissionReceiver != msg.sender) {
            revert IStaking.NotInRole(nodeId, Role.CommissionReceiver, msg.sender);
        }
        (StakingState.Pool memory p, uint256 burned) = _sync(l, nodeId, IEpochManager(EPOCH_MANAGER).epoch());
        amount = p.commission;
        p.commission = 0;
        _store(l, nodeId, p);
        emit IStaking.CommissionCollected(nodeId, to, amount);
        _burnWal(burned);
        IERC20(WAL_TOKEN).safeTransfer(to, amount);
    }

    /// @notice See `IStaking.joinActiveSet`.
    function joinActiveSet(uint32 nodeId, uint256 evictIndexHint) external nonReentrant {
        StakingState.Layout storage l = _known(nodeId);
        Stage memory stage = _thawed();
        if (l.nodes[nodeId].activePlace != 0) revert IStaking.AlreadyInActiveSet(nodeId);
        (StakingState.Pool memory p, uint256 burned) = _sync(l, nodeId, stage.epoch);
        if (p.jailedUntil != 0) {
            if (_nextVote(stage) < p.jailedUntil) revert IStaking.NodeIsJailed(nodeId, p.jailedUntil);
            _requireOperator(l, nodeId);
            p.jailedUntil = 0;
        }
        uint64 expected = p.expectedStake();
        if (p.retired) revert IStaking.PoolIsRetired(nodeId);
        if (expected < MIN_STAKE) revert IStaking.NoStake(nodeId);
        _store(l, nodeId, p);
        if (l.activeIds.length < MAX_COMMITTEE) l.append(nodeId, expected);
        else l.replaceSmallest(nodeId, expected, evictIndexHint);
        emit IStaking.NodeUpdated(nodeId);
        _burnWal(burned);
    }

    // ----- Epoch change

    /// @notice See `IStaking.recordChallengeResult`.
    function recordChallengeResult(uint32 epoch, ChallengeResult calldata result) external {
        _requireCaller(CHALLENGES);
        StakingState.Layout storage l = StakingState.get();
        bool expected = epoch != 0 && epoch + 1 == IEpochManager(EPOCH_MANAGER).epoch() && l.resultEpoch < epoch;
        if (!expected) revert IStaking.ResultNotExpected(epoch);
        l.resultEpoch = epoch;
        l.result = result;
        emit IStaking.ChallengeResultRecorded(epoch, result.enforced, result.isVoid, result.passed, result.rescued);
    }

    /// @notice See `IStaking.receiveRewards`.
    function receiveRewards(uint32 epoch, uint256 amount) external {
        _requireCaller(SYSTEM);
        StakingState.Layout storage l = StakingState.get();
        Settlement storage s = l.settlement;
        uint256 left = s.rewards - s.spent;
        bool complete = s.settled == s.members;
        l.rewards[epoch] = amount;
        _openSettlement(l, epoch, SafeCast.toUint64(amount));
        emit IStaking.RewardsReceived(epoch, amount);
        if (left == 0) return;
        if (!complete) return _burnWal(left);
        IERC20(WAL_TOKEN).safeTransfer(SYSTEM, left);
        IWalrusSystem(SYSTEM).receiveLeftover(left);
    }

    // ----- Internals

    /// @dev The settlement of an epoch that has just ended, with the members it has to reach.
    function _openSettlement(StakingState.Layout storage l, uint32 epoch, uint64 amount) private {
        Settlement storage s = l.settlement;
        (s.epoch, s.rewards, s.spent, s.jailedWeight, s.settled) = (epoch, amount, 0, 0, 0);
        // Epoch 0 had no committee.
        s.members = epoch == 0 ? 0 : ICommittees(COMMITTEES).occupiedSeats(epoch);
        if (l.resultEpoch == epoch) s.result = l.result;
        else delete s.result;
    }

    /// @dev The first epoch at which the node may go without the position; 0 when it may at once.
    function _earliestWithdrawal(Position memory q, Stage memory stage) private view returns (uint32) {
        bool awaited = stage.selected && _isMember(stage.epoch + 1, q.nodeId);
        if (q.activationEpoch > stage.epoch) {
            return awaited && q.activationEpoch == stage.epoch + 1 ? stage.epoch + 2 : 0;
        }
        if (awaited) return stage.epoch + 2;
        return _isMember(stage.epoch, q.nodeId) ? stage.epoch + 1 : 0;
    }

    /// @dev Takes a position out of a pool that can go without it.
    function _takeOut(StakingState.Layout storage l, Position memory q, StakingState.Pool memory p, uint32 epoch)
        private
        view
        returns (uint256 amount, uint256 dust)
    {
        if (q.activationEpoch <= epoch) return p.takeOut(l.sharesOf(q));
        p.removeJoining(q.activationEpoch, q.principal);
        return (q.principal, 0);
    }

    function _isMember(uint32 epoch, uint32 nodeId) private view returns (bool member) {
        if (epoch == 0) return false;
        (member,,) = ICommittees(COMMITTEES).standing(epoch, nodeId);
    }

    /// @dev The epoch whose committee the next selection is for.
    function _nextVote(Stage memory stage) private pure returns (uint32) {
        return stage.epoch + (stage.selected ? 2 : 1);
    }

    function _thawed() private view returns (Stage memory stage) {
        stage = IEpochManager(EPOCH_MANAGER).stage();
        if (stage.frozen) revert IStaking.ActiveSetFrozen();
    }

    function _known(uint32 nodeId) private view returns (StakingState.Layout storage l) {
        l = StakingState.get();
        if (l.nodes[nodeId].operator == address(0)) revert IStaking.UnknownNode(nodeId);
    }

    function _requireOperator(StakingState.Layout storage l, uint32 nodeId) private view {
        if (l.nodes[nodeId].operator != msg.sender) revert IStaking.NotOperator(nodeId, msg.sender);
    }
}
