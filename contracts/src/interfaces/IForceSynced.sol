// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The way out of a stuck Sync
/// @notice The part of the epoch machine that the timelock and the upgrade gate may call.
interface IForceSynced {
    /// @notice Ends Sync though no quorum reported, once Sync has lasted longer than two epoch durations.
    /// @dev Only the timelock, or the upgrade gate (on behalf of the guardian and a quorum of nodes).
    function forceSynced() external;
}
