// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { EpochClock, Stage } from "../types/Epoch.sol";
import { IForceSynced } from "./IForceSynced.sol";
import { IWired } from "./IWired.sol";

/// @title Epoch machine
/// @notice `Sync -> Done -> ParamsSelected -> Sync` of the next epoch. Everything but `syncDone` is open to anyone.
/// `D` is the epoch duration and `t0` the time at which the state became `Done`.
interface IEpochManager is IWired, IForceSynced {
    /// @notice A new epoch began with the committee selected for it.
    /// @dev `rewards` of the ended epoch, of which `burned` were destroyed.
    event EpochStarted(uint32 indexed epoch, uint256 rewards, uint256 burned);
    /// @notice A member reported that it holds all its shards.
    event SyncDone(uint32 indexed epoch, uint32 indexed nodeId);
    /// @notice A quorum of the shards reported, or `forceSynced` was called; the state is `Done`.
    event EpochSynced(uint32 indexed epoch);

    /// @notice The call does not fit the present state (numbers of `EpochState`).
    error WrongState(uint8 state, uint8 needed);
    /// @notice The call names an epoch that is not the current one.
    error WrongEpoch(uint32 given, uint32 current);
    /// @notice It is too early.
    error TooEarly(uint64 time, uint64 earliest);
    /// @notice Fewer nodes are staked than a first committee needs.
    error TooFewNodes(uint256 nodes, uint256 needed);
    /// @notice The caller is not the node's operator.
    error NotOperator(uint32 nodeId, address caller);
    /// @notice The node is not in the committee.
    error NotMember(uint32 nodeId);
    /// @notice The node has reported for this epoch.
    error AlreadyReported(uint32 nodeId);
    /// @notice Pools of the committee of the last epoch are not settled; until `waitUntil` selection waits for them.
    error NotSettled(uint64 waitUntil);
    /// @notice The caller is neither the timelock nor the upgrade gate.
    error MayNotForce(address caller);

    /// @notice Selects the committee of the next epoch.
    /// @dev State `Done`, not before `t0 + D/2` (epoch 0: `firstStart`). All pools of the ended epoch must be settled
    /// (`NotSettled`); from `t0 + 3D/4` on, those that are not count with stake 0 instead. Verifies that `seats` is the
    /// outcome of the D'Hondt method over the candidates; reverts with an error of `Dhondt` when it is not. With fewer
    /// than `minNodes` of them the present committee stays (`seats` is then ignored), and in epoch 0 the call reverts
    /// with `TooFewNodes`.
    /// @param seats Number of shards for each entry of `Staking.candidates()`, in its order
    function selectCommittee(uint16[] calldata seats) external;

    /// @notice Starts the next epoch. State `ParamsSelected`, not before `t0 + D` (epoch 0: `firstStart`).
    function startEpoch() external;

    /// @notice Reports that the node holds all its shards of `epoch_`. Only the node's operator, once per epoch.
    /// @dev Reports after the state left `Sync` are recorded but change nothing.
    function syncDone(uint32 nodeId, uint32 epoch_) external;

    /// @notice The current epoch.
    function epoch() external view returns (uint32);

    /// @notice Epoch, state and times.
    function clock() external view returns (EpochClock memory);

    /// @notice Whether the active set must not change now: voting has ended and the selection is not in yet. In epoch
    /// 0 only once `minNodes` nodes are in the active set.
    function activeSetFrozen() external view returns (bool);

    /// @notice Epoch, whether the next committee is selected, and `activeSetFrozen`, in one call.
    function stage() external view returns (Stage memory);

    /// @notice The first epoch for which stake added now can count.
    function nextActivationEpoch() external view returns (uint32);

    /// @notice Whether the node reported "sync done" for the current epoch.
    function hasReported(uint32 nodeId) external view returns (bool);

    /// @notice Prices by the votes of the current committee: the smallest vote `v` such that members voting at most
    /// `v` hold a quorum of the shards.
    function votedPrices() external view returns (uint64 storagePrice, uint64 writePrice);

    /// @notice Total capacity in bytes selected for the next epoch; 0 unless the state is `ParamsSelected`.
    function nextCapacity() external view returns (uint64);
}
