// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { BlobRecord } from "../types/Blob.sol";
import { CommitteeInfo, EpochClock } from "../types/Epoch.sol";
import { NodeInfo } from "../types/Node.sol";
import { Parameters, Wiring } from "../types/Wiring.sol";

/// @title Batched reads
/// @notice Everything a node or client rebuilds its state from, in few calls. Holds no state of its own.
interface IWalrusLens {
    /// @notice The network at a glance.
    /// @param wiring Where the contracts live
    /// @param parameters What was fixed at deployment
    /// @param clock Epoch, state and times
    /// @param storagePrice FROST per started MiB and epoch
    /// @param writePrice FROST per started MiB written
    /// @param totalCapacity Bytes offered in the current epoch
    /// @param usedCapacity Bytes sold of them
    /// @param domain Domain of signed messages
    /// @param blobCount Highest blob token id
    /// @param certifiedCount Next log index
    /// @param nodeCount Highest node id
    struct Overview {
        Wiring wiring;
        Parameters parameters;
        EpochClock clock;
        uint64 storagePrice;
        uint64 writePrice;
        uint64 totalCapacity;
        uint64 usedCapacity;
        bytes32 domain;
        uint64 blobCount;
        uint32 certifiedCount;
        uint32 nodeCount;
    }

    /// @notice Two contracts of the deployment disagree about addresses or parameters, or one has no code.
    error WiringBroken(address contract_);

    /// @notice Walks every contract and reverts with `WiringBroken` unless all of them agree.
    function checkWiring() external view;

    /// @notice The network at a glance.
    function overview() external view returns (Overview memory);

    /// @notice Up to `count` records from token `fromTokenId` on; fewer at the end. Index 0 is `fromTokenId`.
    /// @param fromTokenId At least 1
    function blobs(uint256 fromTokenId, uint256 count) external view returns (BlobRecord[] memory);

    /// @notice Up to `count` nodes from `fromNodeId` on; fewer at the end.
    /// @param fromNodeId At least 1
    function nodes(uint32 fromNodeId, uint256 count) external view returns (NodeInfo[] memory);

    /// @notice The committee of the previous, current or next epoch.
    function committee(uint32 epoch) external view returns (CommitteeInfo memory);
}
