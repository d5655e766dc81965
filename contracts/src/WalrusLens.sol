// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Wired } from "./Wired.sol";
import { IBlobNFT } from "./interfaces/IBlobNFT.sol";
import { ICommittees } from "./interfaces/ICommittees.sol";
import { IEpochManager } from "./interfaces/IEpochManager.sol";
import { IStaking } from "./interfaces/IStaking.sol";
import { IWalrusLens } from "./interfaces/IWalrusLens.sol";
import { IWalrusSystem } from "./interfaces/IWalrusSystem.sol";
import { IWired } from "./interfaces/IWired.sol";
import { BlobRecord } from "./types/Blob.sol";
import { CommitteeInfo } from "./types/Epoch.sol";
import { NodeInfo } from "./types/Node.sol";
import { Parameters, Wiring } from "./types/Wiring.sol";

/// @dev What `StorageCapacity` and `BlobNFT` say about their sibling.
interface IOwnedBySystem {
    /// @notice The proxy of `WalrusSystem`.
    // solhint-disable-next-line func-name-mixedcase
    function SYSTEM() external view returns (address);
}

/// @title Batched reads
contract WalrusLens is IWalrusLens, Wired {
    constructor(Wiring memory w, Parameters memory p) Wired(w, p) { }

    /// @inheritdoc IWalrusLens
    function checkWiring() external view {
        bytes32 mine = keccak256(abi.encode(wiring(), parameters()));
        address[4] memory wired = [SYSTEM, STAKING, COMMITTEES, EPOCH_MANAGER];
        for (uint256 i = 0; i < wired.length; ++i) {
            if (wired[i].code.length == 0) revert WiringBroken(wired[i]);
            bytes32 theirs = keccak256(abi.encode(IWired(wired[i]).wiring(), IWired(wired[i]).parameters()));
            if (theirs != mine) revert WiringBroken(wired[i]);
        }
        address[2] memory owned = [CAPACITY, BLOBS];
        for (uint256 i = 0; i < owned.length; ++i) {
            if (owned[i].code.length == 0) revert WiringBroken(owned[i]);
            if (IOwnedBySystem(owned[i]).SYSTEM() != SYSTEM) revert WiringBroken(owned[i]);
        }
        if (WAL_TOKEN.code.length == 0) revert WiringBroken(WAL_TOKEN);
    }

    /// @inheritdoc IWalrusLens
    function overview() external view returns (Overview memory o) {
        o.wiring = wiring();
        o.parameters = parameters();
        o.clock = IEpochManager(EPOCH_MANAGER).clock();
        (o.storagePrice, o.writePrice) = IWalrusSystem(SYSTEM).prices();
        (o.totalCapacity, o.usedCapacity) = IWalrusSystem(SYSTEM).capacity();
        o.domain = ICommittees(COMMITTEES).domain();
        o.blobCount = IBlobNFT(BLOBS).count();
        o.certifiedCount = IWalrusSystem(SYSTEM).certifiedCount();
        o.nodeCount = IStaking(STAKING).nodeCount();
    }

    /// @inheritdoc IWalrusLens
    function blobs(uint256 fromTokenId, uint256 count) external view returns (BlobRecord[] memory page) {
        uint256 length = _pageLength(fromTokenId, count, IBlobNFT(BLOBS).count());
        page = new BlobRecord[](length);
        for (uint256 i = 0; i < length; ++i) {
            page[i] = IBlobNFT(BLOBS).record(fromTokenId + i);
        }
    }

    /// @inheritdoc IWalrusLens
    function nodes(uint32 fromNodeId, uint256 count) external view returns (NodeInfo[] memory page) {
        uint256 length = _pageLength(fromNodeId, count, IStaking(STAKING).nodeCount());
        page = new NodeInfo[](length);
        for (uint32 i = 0; i < length; ++i) {
            page[i] = IStaking(STAKING).node(fromNodeId + i);
        }
    }

    /// @inheritdoc IWalrusLens
    function committee(uint32 epoch) external view returns (CommitteeInfo memory) {
        return ICommittees(COMMITTEES).committee(epoch);
    }

    /// @dev How many entries a page has that starts at `from`, of ids 1 to `last`.
    function _pageLength(uint256 from, uint256 count, uint256 last) private pure returns (uint256) {
        if (from == 0 || from > last) return 0;
        uint256 rest = last - from + 1;
        return count < rest ? count : rest;
    }
}
