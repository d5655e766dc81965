// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { BlobRecord } from "../types/Blob.sol";
import { ChallengeInfo } from "../types/Challenge.sol";
import { CommitteeInfo, EpochClock } from "../types/Epoch.sol";
import { BlobView, EpochBooks, GovernanceInfo, Holding, PositionView } from "../types/Lens.sol";
import { NodeInfo, PoolInfo } from "../types/Node.sol";
import { ParamInfo } from "../types/Param.sol";
import { ReferenceView } from "../types/Reference.sol";
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
    /// @param referenceCount Highest reference id
    /// @param positionCount Highest stake position id
    /// @param paused Whether new sales, registrations and stakes are stopped
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
        uint64 referenceCount;
        uint64 positionCount;
        bool paused;
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

    /// @notice Up to `count` pools from that of `fromNodeId` on; fewer at the end.
    /// @param fromNodeId At least 1
    function pools(uint32 fromNodeId, uint256 count) external view returns (PoolInfo[] memory);

    /// @notice Up to `count` stake positions from `fromPositionId` on; fewer at the end.
    /// @param fromPositionId At least 1
    function positions(uint256 fromPositionId, uint256 count) external view returns (PositionView[] memory);

    /// @notice The committee of the previous, current or next epoch.
    function committee(uint32 epoch) external view returns (CommitteeInfo memory);

    /// @notice The challenge of an epoch. The log it draws from is in `IWalrusSystem.logEntries`.
    function challenge(uint32 epoch) external view returns (ChallengeInfo memory);

    /// @notice As `blobs`, with owner, validity of the id and its latest end.
    function blobViews(uint256 fromTokenId, uint256 count) external view returns (BlobView[] memory);

    /// @notice Up to `count` references from `fromRefId` on; fewer at the end.
    /// @param fromRefId At least 1
    function references(uint256 fromRefId, uint256 count) external view returns (ReferenceView[] memory);

    /// @notice One reference, resolved. Reverts with `UnknownReference`.
    function referenceView(uint256 refId) external view returns (ReferenceView memory);

    /// @notice Used capacity and rewards of the epochs `[E, E + maxEpochsAhead)`.
    function books() external view returns (EpochBooks[] memory);

    /// @notice All capacity an account holds that has not expired, by start and end.
    /// @dev Looks at every class that can be live: some thousands. Meant for `eth_call`. A class that starts more than
    /// `maxEpochsAhead` epochs ago, which only fusing with expired capacity makes, is not shown.
    function holdings(address owner) external view returns (Holding[] memory);

    /// @notice Bounds and values of all tunables.
    function params() external view returns (ParamInfo[] memory);

    /// @notice Where governance stands.
    function governance() external view returns (GovernanceInfo memory);
}
