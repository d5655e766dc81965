// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { NodeInfo, NodeParams, Position } from "../types/Node.sol";
import { IWired } from "./IWired.sol";

/// @title Storage nodes and stake
/// @notice Registers storage nodes, takes stake for them and keeps the active set from which committees are selected.
/// Stake positions are ERC-721 tokens of this contract. Amounts are FROST.
interface IStaking is IWired {
    /// @notice A node was registered. Its description is in the state.
    event NodeRegistered(uint32 indexed nodeId, address operator);
    /// @notice Address, TLS key, name, votes or key of a node changed: read the state.
    event NodeUpdated(uint32 indexed nodeId);
    /// @notice Stake was added to a node.
    event Staked(uint32 indexed nodeId, uint256 indexed positionId, uint256 amount, uint32 activationEpoch);
    /// @notice The rewards of an ended epoch arrived, to be settled node by node.
    event RewardsReceived(uint32 indexed epoch, uint256 amount);

    /// @notice No node has this id.
    error UnknownNode(uint32 nodeId);
    /// @notice No stake position has this id.
    error UnknownPosition(uint256 positionId);
    /// @notice The caller is not the node's operator.
    error NotOperator(uint32 nodeId, address caller);
    /// @notice Another node uses this key.
    error KeyInUse(uint32 nodeId);
    /// @notice The length of a text or key field is out of bounds.
    error BadFieldLength(bytes32 field, uint256 length, uint256 highest);
    /// @notice The first byte of a compressed P-256 key is 2 or 3.
    error BadNetworkKey(uint8 firstByte);
    /// @notice Commission is at most 10,000 basis points.
    error CommissionTooHigh(uint16 commissionBp, uint16 highest);
    /// @notice Price votes are at most 2^48 FROST.
    error VoteTooHigh(uint64 vote, uint64 highest);
    /// @notice A position holds at least 1 WAL.
    error StakeBelowMinimum(uint256 amount, uint256 minimum);
    /// @notice Between voting end and selection the active set does not change.
    error ActiveSetFrozen();
    /// @notice The active set is full and the node's stake is not above the smallest in it.
    error ActiveSetFull(uint32 smallestNodeId, uint64 smallestStake);
    /// @notice The entry at this index is not the smallest of the active set.
    error NotSmallest(uint256 index);
    /// @notice The node is in the active set already.
    error AlreadyInActiveSet(uint32 nodeId);
    /// @notice A node without stake cannot be in the active set.
    error NoStake(uint32 nodeId);

    /// @notice Registers a node; the caller becomes its operator, commission receiver and governance account.
    /// @dev Reverts with a field error above, `KeyInUse`, or as `ICommittees.verifyPossession`.
    /// @return nodeId Counts from 1
    function registerNode(NodeParams calldata p) external returns (uint32 nodeId);

    /// @notice Stakes WAL out of the caller's allowance and mints the position to `to`.
    /// @dev The node enters the active set when there is room. Stake of epoch E counts from E + 1, or from E + 2 once
    /// the committee of E + 1 is selected. Reverts with `UnknownNode`, `StakeBelowMinimum`, `ActiveSetFrozen`.
    function stake(uint32 nodeId, uint256 amount, address to) external returns (uint256 positionId);

    /// @notice Changes the standing votes of a node. Only its operator.
    function setVotes(uint32 nodeId, uint64 storagePrice, uint64 writePrice, uint64 capacity) external;

    /// @notice Changes the key for the next committee selection. Only the operator.
    /// @param key 96 bytes as in `NodeParams`
    /// @param pop Proof of possession for the present epoch
    function setNextKey(uint32 nodeId, bytes calldata key, bytes calldata pop) external;

    /// @notice Changes how a node is reached and described. Only its operator.
    function setNodeInfo(
        uint32 nodeId,
        string calldata name,
        string calldata networkAddress,
        bytes calldata networkKey,
        string calldata metadataURI
    ) external;

    /// @notice Puts a staked node into the active set. Open to anyone.
    /// @param evictIndexHint When the set is full: index of its smallest entry, which must be smaller than the node's
    /// stake. Ignored otherwise
    function joinActiveSet(uint32 nodeId, uint256 evictIndexHint) external;

    /// @notice Takes note of the rewards of an ended epoch, which were sent before. Only `WalrusSystem`.
    function receiveRewards(uint32 epoch, uint256 amount) external;

    /// @notice All about one node. Reverts with `UnknownNode`.
    function node(uint32 nodeId) external view returns (NodeInfo memory);

    /// @notice Number of nodes ever registered, which is also the highest node id.
    function nodeCount() external view returns (uint32);

    /// @notice The node that uses a key; 0 when none does.
    function nodeOfKey(bytes calldata key) external view returns (uint32 nodeId);

    /// @notice Operator of a node; the zero address when there is no such node.
    function operatorOf(uint32 nodeId) external view returns (address);

    /// @notice The nodes a selection considers, in the order in which ties are resolved, with their stake.
    function activeSet() external view returns (uint32[] memory nodeIds, uint64[] memory stakes);

    /// @notice Number of nodes in the active set.
    function activeSetSize() external view returns (uint256);

    /// @notice Keys of the given nodes, 96 bytes each; zeros for node 0.
    function keysOf(uint32[] calldata nodeIds) external view returns (bytes memory keys);

    /// @notice Votes of the given nodes; zeros for node 0.
    function votesOf(uint32[] calldata nodeIds)
        external
        view
        returns (uint64[] memory storagePrices, uint64[] memory writePrices, uint64[] memory capacities);

    /// @notice One stake position. Reverts with `UnknownPosition`.
    function position(uint256 positionId) external view returns (Position memory);

    /// @notice Rewards received for an ended epoch.
    function rewardsOf(uint32 epoch) external view returns (uint256);
}
