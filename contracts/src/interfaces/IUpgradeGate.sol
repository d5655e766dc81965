// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Approval, Upgrade } from "../types/Upgrade.sol";
import { IWired } from "./IWired.sol";

/// @title Upgrade gate
/// @notice An upgrade needs the token holders (a proposal that passed through the timelock) and a quorum of the storage
/// nodes. The guardian stands in for the token holders only, never for the nodes, and not for ever. Cannot be upgraded.
interface IUpgradeGate is IWired {
    /// @notice A node approved an action. `weight` is what approved in this epoch so far.
    event ActionApproved(bytes32 indexed actionId, uint32 indexed nodeId, uint32 epoch, uint16 weight);
    /// @notice A quorum of the shards approved; the action can be executed until `approvedUntil`.
    event QuorumReached(bytes32 indexed actionId, uint64 approvedUntil);
    /// @notice A proxy has a new implementation.
    event Upgraded(address indexed proxy, address indexed implementation, bytes32 indexed actionId);
    /// @notice The guardian stopped new sales, registrations and stakes until `until`.
    event Paused(uint64 until);
    /// @notice The guardian lifted the pause.
    event Unpaused();
    /// @notice The guardian gave up its office.
    event GuardianRenounced();

    /// @notice The caller is not the governance account of the node.
    error NotNodeGovernance(uint32 nodeId, address caller);
    /// @notice The node has no shards in the current epoch.
    error NotMember(uint32 nodeId);
    /// @notice The node approved this action in this epoch.
    error AlreadyApproved(bytes32 actionId, uint32 nodeId);
    /// @notice No quorum of the nodes approves the action, or its approval has run out.
    error NotApprovedByNodes(bytes32 actionId);
    /// @notice The proxy was upgraded since, or the nonce lies ahead.
    error WrongNonce(uint256 nonce, uint256 expected);
    /// @notice The caller is neither the timelock nor a guardian in office.
    error NotTimelockOrGuardian(address caller);
    /// @notice The caller is not a guardian in office.
    error NotGuardian(address caller);
    /// @notice The guardian may pause again only later.
    error PausedRecently(uint64 nextPauseAt);

    /// @notice Approves an action for a node. Only the node's governance account.
    /// @dev Weights are those of the current epoch and are counted afresh in each. Once a quorum approves, the approval
    /// holds for 14 days, over epoch changes. Reverts with `NotNodeGovernance`, `NotMember`, `AlreadyApproved`.
    /// @param actionId As `upgradeId` or `forceSyncedId` give it
    function approve(uint32 nodeId, bytes32 actionId) external;

    /// @notice Upgrades a proxy. The timelock, or the guardian in office; either needs the approval of the nodes.
    /// @dev Reverts with `NotTimelockOrGuardian`, `WrongNonce`, `NotApprovedByNodes`.
    function execute(Upgrade calldata u) external;

    /// @notice Ends a stuck Sync of the current epoch, see `EpochManager.forceSynced`. Only the guardian in office, with
    /// the approval of the nodes.
    function forceSynced() external;

    /// @notice Stops `buy`, `register`, `buyAndRegister` and `stake` for 14 days, at most once in 90 days. Only the
    /// guardian in office. Nothing else can be paused.
    function pause() external;

    /// @notice Lifts the pause. The guardian in office, or the timelock.
    function unpause() external;

    /// @notice Ends the guardian's office for good. Only the guardian.
    function renounceGuardian() external;

    /// @notice Identifies an upgrade:
    /// `keccak256(abi.encode(proxy, implementation, codehash of the implementation, keccak256(data), nonce))`.
    function upgradeId(Upgrade calldata u) external view returns (bytes32);

    /// @notice Identifies the ending of a stuck Sync: `keccak256(abi.encode("forceSynced", epoch))`.
    function forceSyncedId(uint32 epoch) external pure returns (bytes32);

    /// @notice What the nodes said about an action.
    function approval(bytes32 actionId) external view returns (Approval memory);

    /// @notice Whether a quorum of the nodes approves an action now.
    function isApproved(bytes32 actionId) external view returns (bool);

    /// @notice Number of upgrades of a proxy so far.
    function nonceOf(address proxy) external view returns (uint256);

    /// @notice Whether new sales, registrations and stakes are stopped.
    function isPaused() external view returns (bool);

    /// @notice Until when they are stopped, and from when on the guardian may pause again; 0 when it never did.
    function pausedUntil() external view returns (uint64 until, uint64 nextPauseAt);

    /// @notice The guardian, and the Unix time at which its office ends. The zero address when it is over.
    function guardian() external view returns (address account, uint64 expiry);
}
