// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAccessControl } from "@openzeppelin/contracts/access/IAccessControl.sol";
import { IERC721 } from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import { IGovernor } from "@openzeppelin/contracts/governance/IGovernor.sol";
import { Wired } from "./Wired.sol";
import { IBlobNFT } from "./interfaces/IBlobNFT.sol";
import { IBlobReferences } from "./interfaces/IBlobReferences.sol";
import { IChallenges } from "./interfaces/IChallenges.sol";
import { ICommittees } from "./interfaces/ICommittees.sol";
import { IEpochManager } from "./interfaces/IEpochManager.sol";
import { IParamRegistry } from "./interfaces/IParamRegistry.sol";
import { IStaking } from "./interfaces/IStaking.sol";
import { IStorageCapacity } from "./interfaces/IStorageCapacity.sol";
import { IUpgradeGate } from "./interfaces/IUpgradeGate.sol";
import { IWalrusLens } from "./interfaces/IWalrusLens.sol";
import { IWalrusSystem } from "./interfaces/IWalrusSystem.sol";
import { IWired } from "./interfaces/IWired.sol";
import { BlobFlags, BlobRecord } from "./types/Blob.sol";
import { ChallengeInfo } from "./types/Challenge.sol";
import { CommitteeInfo } from "./types/Epoch.sol";
import { BlobView, EpochBooks, GovernanceInfo, Holding, PositionView } from "./types/Lens.sol";
import { NodeInfo, PoolInfo } from "./types/Node.sol";
import { ParamInfo } from "./types/Param.sol";
import { ReferenceView } from "./types/Reference.sol";
import { Parameters, Wiring } from "./types/Wiring.sol";

/// @dev What the contracts that are not `Wired` say about their siblings.
interface ISiblings {
    /// @notice The proxy of `WalrusSystem`.
    // solhint-disable-next-line func-name-mixedcase
    function SYSTEM() external view returns (address);
    /// @notice `BlobNFT`.
    // solhint-disable-next-line func-name-mixedcase
    function BLOBS() external view returns (address);
    /// @notice First source of votes.
    function token() external view returns (address);
    /// @notice Second source of votes.
    // solhint-disable-next-line func-name-mixedcase
    function STAKED_VOTES() external view returns (address);
    /// @notice The executor of proposals.
    function timelock() external view returns (address);
    /// @notice Seconds from queueing to execution.
    function getMinDelay() external view returns (uint256);
}

/// @title Batched reads
contract WalrusLens is IWalrusLens, Wired {
    constructor(Wiring memory w, Parameters memory p) Wired(w, p) { }

    /// @inheritdoc IWalrusLens
    function checkWiring() external view {
        bytes32 mine = keccak256(abi.encode(wiring(), parameters()));
        address[7] memory wired = [SYSTEM, STAKING, COMMITTEES, EPOCH_MANAGER, CHALLENGES, PARAMS, UPGRADE_GATE];
        for (uint256 i = 0; i < wired.length; ++i) {
            _requireCode(wired[i]);
            bytes32 theirs = keccak256(abi.encode(IWired(wired[i]).wiring(), IWired(wired[i]).parameters()));
            _require(theirs == mine, wired[i]);
        }
        address[6] memory plain = [WAL_TOKEN, CAPACITY, BLOBS, REFERENCES, RANDOMNESS, TIMELOCK];
        for (uint256 i = 0; i < plain.length; ++i) {
            _requireCode(plain[i]);
        }
        _require(ISiblings(CAPACITY).SYSTEM() == SYSTEM, CAPACITY);
        _require(ISiblings(BLOBS).SYSTEM() == SYSTEM, BLOBS);
        _require(ISiblings(REFERENCES).SYSTEM() == SYSTEM && ISiblings(REFERENCES).BLOBS() == BLOBS, REFERENCES);
        _checkGovernance();
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
        o.referenceCount = IBlobReferences(REFERENCES).count();
        o.positionCount = IStaking(STAKING).positionCount();
        o.paused = IUpgradeGate(UPGRADE_GATE).isPaused();
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
    function pools(uint32 fromNodeId, uint256 count) external view returns (PoolInfo[] memory page) {
        uint256 length = _pageLength(fromNodeId, count, IStaking(STAKING).nodeCount());
        page = new PoolInfo[](length);
        for (uint32 i = 0; i < length; ++i) {
            page[i] = IStaking(STAKING).pool(fromNodeId + i);
        }
    }

    /// @inheritdoc IWalrusLens
    function positions(uint256 fromPositionId, uint256 count) external view returns (PositionView[] memory page) {
        uint256 length = _pageLength(fromPositionId, count, IStaking(STAKING).positionCount());
        page = new PositionView[](length);
        for (uint256 i = 0; i < length; ++i) {
            uint256 id = fromPositionId + i;
            page[i].positionId = uint64(id);
            // A position that is gone has neither.
            try IERC721(STAKING).ownerOf(id) returns (address owner) {
                page[i].owner = owner;
                page[i].position = IStaking(STAKING).position(id);
            } catch { }
        }
    }

    /// @inheritdoc IWalrusLens
    function committee(uint32 epoch) external view returns (CommitteeInfo memory) {
        return ICommittees(COMMITTEES).committee(epoch);
    }

    /// @inheritdoc IWalrusLens
    function challenge(uint32 epoch) external view returns (ChallengeInfo memory) {
        return IChallenges(CHALLENGES).challenge(epoch);
    }

    /// @inheritdoc IWalrusLens
    function blobViews(uint256 fromTokenId, uint256 count) external view returns (BlobView[] memory page) {
        uint256 length = _pageLength(fromTokenId, count, IBlobNFT(BLOBS).count());
        page = new BlobView[](length);
        for (uint256 i = 0; i < length; ++i) {
            BlobView memory v = page[i];
            v.tokenId = uint64(fromTokenId + i);
            v.record = IBlobNFT(BLOBS).record(v.tokenId);
            if (v.record.flags & (BlobFlags.BURNED | BlobFlags.DELETED) == 0) {
                v.owner = IBlobNFT(BLOBS).ownerOf(v.tokenId);
            }
            v.invalid = IWalrusSystem(SYSTEM).isInvalid(v.record.blobId);
            v.liveUntil = IWalrusSystem(SYSTEM).liveUntil(v.record.blobId);
        }
    }

    /// @inheritdoc IWalrusLens
    function references(uint256 fromRefId, uint256 count) external view returns (ReferenceView[] memory page) {
        uint256 length = _pageLength(fromRefId, count, IBlobReferences(REFERENCES).count());
        page = new ReferenceView[](length);
        for (uint256 i = 0; i < length; ++i) {
            page[i] = referenceView(fromRefId + i);
        }
    }

    /// @inheritdoc IWalrusLens
    function referenceView(uint256 refId) public view returns (ReferenceView memory v) {
        v.owner = IBlobReferences(REFERENCES).ownerOf(refId);
        v.record = IBlobReferences(REFERENCES).record(refId);
        (,,, v.endEpoch, v.available) = IBlobReferences(REFERENCES).resolve(refId);
    }

    /// @inheritdoc IWalrusLens
    function books() external view returns (EpochBooks[] memory page) {
        uint32 epoch = IWalrusSystem(SYSTEM).epoch();
        page = new EpochBooks[](MAX_EPOCHS_AHEAD);
        for (uint32 i = 0; i < page.length; ++i) {
            uint32 e = epoch + i;
            page[i] = EpochBooks(e, IWalrusSystem(SYSTEM).usedCapacity(e), IWalrusSystem(SYSTEM).rewardsOf(e));
        }
    }

    /// @inheritdoc IWalrusLens
    function holdings(address owner) external view returns (Holding[] memory found) {
        uint32 epoch = IWalrusSystem(SYSTEM).epoch();
        uint32 ahead = MAX_EPOCHS_AHEAD;
        // Nothing longer is sold than `ahead` epochs.
        uint32 first = epoch > ahead ? epoch - ahead : 0;
        found = new Holding[](uint256(ahead) * (2 * ahead + 1));
        uint256 length = 0;
        for (uint32 start = first; start < epoch + ahead; ++start) {
            for (uint32 end = (start > epoch ? start : epoch) + 1; end <= epoch + ahead; ++end) {
                uint256 id = uint256(start) << 32 | end;
                uint256 amount = IStorageCapacity(CAPACITY).balanceOf(owner, id);
                if (amount != 0) found[length++] = Holding(id, start, end, amount);
            }
        }
        assembly ("memory-safe") {
            mstore(found, length)
        }
    }

    /// @inheritdoc IWalrusLens
    function params() external view returns (ParamInfo[] memory) {
        return IParamRegistry(PARAMS).all();
    }

    /// @inheritdoc IWalrusLens
    function governance() external view returns (GovernanceInfo memory g) {
        (g.guardian, g.guardianExpiry) = IUpgradeGate(UPGRADE_GATE).guardian();
        (g.pausedUntil, g.nextPauseAt) = IUpgradeGate(UPGRADE_GATE).pausedUntil();
        IGovernor governor = IGovernor(GOVERNOR);
        (g.votingDelay, g.votingPeriod) = (governor.votingDelay(), governor.votingPeriod());
        g.timelockDelay = ISiblings(TIMELOCK).getMinDelay();
        g.proposalThreshold = governor.proposalThreshold();
        g.quorum = governor.quorum(governor.clock() - 1);
    }

    /// @dev The governor votes with WAL and staked WAL, and it alone proposes to a timelock that nobody administers from
    /// outside.
    function _checkGovernance() private view {
        _requireCode(GOVERNOR);
        ISiblings governor = ISiblings(GOVERNOR);
        bool sources = governor.token() == WAL_TOKEN && governor.STAKED_VOTES() == STAKING;
        _require(sources && governor.timelock() == TIMELOCK, GOVERNOR);
        IAccessControl timelock = IAccessControl(TIMELOCK);
        bool proposes = timelock.hasRole(keccak256("PROPOSER_ROLE"), GOVERNOR);
        _require(proposes && timelock.hasRole(bytes32(0), TIMELOCK), TIMELOCK);
    }

    function _requireCode(address contract_) private view {
        _require(contract_.code.length != 0, contract_);
    }

    function _require(bool ok, address contract_) private pure {
        if (!ok) revert WiringBroken(contract_);
    }

    /// @dev How many entries a page has that starts at `from`, of ids 1 to `last`.
    function _pageLength(uint256 from, uint256 count, uint256 last) private pure returns (uint256) {
        if (from == 0 || from > last) return 0;
        uint256 rest = last - from + 1;
        return count < rest ? count : rest;
    }
}
