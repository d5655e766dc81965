// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice An upgrade of one proxy.
/// @param proxy The proxy to upgrade
/// @param implementation Its new implementation, deployed already
/// @param data Call that the proxy makes to the new implementation in the same transaction; empty for none
/// @param nonce Number of upgrades of this proxy so far: an old approval cannot undo a newer upgrade
struct Upgrade {
    address proxy;
    address implementation;
    bytes data;
    uint256 nonce;
}

/// @notice What the nodes said about one action.
/// @param epoch Epoch in which `weight` was counted
/// @param weight Shards of the nodes that approved in that epoch
/// @param approvedUntil Unix time until which the approval of a quorum holds; 0 when there was none
struct Approval {
    uint32 epoch;
    uint16 weight;
    uint64 approvedUntil;
}
