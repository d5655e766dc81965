// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Intent } from "src/libraries/Intent.sol";
import { BlobFlags, BlobRecord } from "src/types/Blob.sol";
import { ChallengeInfo, ChallengeMode, SymbolProof } from "src/types/Challenge.sol";
import { ParamKeys, ParamValue } from "src/types/Param.sol";
import { Answer, EncodedBlobs } from "./EncodedBlobs.sol";
import { StakingBase } from "./StakingBase.sol";
import { TestHeader } from "./TestHeader.sol";

/// @dev Plays nodes in a storage challenge: they find their samples and shards by their own plain reading of the rules
/// and answer with symbols of really encoded blobs.
abstract contract ChallengeBase is StakingBase, EncodedBlobs {
    uint32 internal constant SEED_DELAY = 4;

    /// @dev Which matrix of the vectors a token was registered with, plus 1.
    mapping(uint256 tokenId => uint256) internal matrixOf;

    function _mode() internal pure virtual returns (ChallengeMode) {
        return ChallengeMode.Enforced;
    }

    function _paramValues() internal pure virtual override returns (ParamValue[] memory values) {
        values = new ParamValue[](3);
        values[0] = ParamValue(ParamKeys.VOTE_INTERVAL, 0);
        values[1] = ParamValue(ParamKeys.SEED_DELAY, SEED_DELAY);
        values[2] = ParamValue(ParamKeys.CHALLENGE_MODE, uint256(_mode()));
    }

    // ----- Blobs

    /// @dev A certified blob whose whole matrix is known.
    function _storeMatrix(uint256 matrix, bool deletable, uint32 epochs) internal returns (uint256 tokenId) {
        MatrixBlob memory b = _matrix(matrix);
        vm.prank(ALICE);
        bytes32 blobId;
        (tokenId, blobId) = system.buyAndRegister(_args(b.root, b.size, deletable, ALICE), epochs, type(uint256).max);
        assertEq(blobId, b.blobId, "the blob id that the encoder computed");
        system.certify(tokenId, _certificate(_confirmation(tokenId), _members()));
        matrixOf[tokenId] = matrix + 1;
    }

    // ----- Phases

    function _open() internal {
        vm.warp(epochManager.clock().doneAt + D * 3 / 4);
        challenges.openChallenge();
    }

    function _ack(uint32 nodeId) internal {
        vm.prank(_operator(nodeId));
        challenges.ackChallenge(nodeId);
    }

    /// @dev The members at the lowest seats, until a quorum has acknowledged.
    function _ackQuorum() internal {
        uint32 epoch = epochManager.epoch();
        (uint32[] memory ids,) = committees.members(epoch);
        uint256 acked = challenges.challenge(epoch).acked;
        for (uint256 i = 0; challenges.challenge(epoch).seedBlock == 0; ++i) {
            if (ids[i] != 0 && acked >> i & 1 == 0) _ack(ids[i]);
        }
    }

    /// @dev The header of the seed block, known to the chain as if that block had it.
    function _seedHeader(bytes32 mixHash) internal returns (bytes memory header) {
        uint64 seedBlock = challenges.challenge(epochManager.epoch()).seedBlock;
        if (vm.getBlockNumber() <= seedBlock) vm.roll(seedBlock + 1);
        header = TestHeader.encode(seedBlock, uint64(vm.getBlockTimestamp()), mixHash);
        vm.setBlockhash(seedBlock, keccak256(header));
    }

    function _reveal(bytes32 mixHash) internal returns (bytes32 seed) {
        challenges.revealSeed(_seedHeader(mixHash));
        return challenges.challenge(epochManager.epoch()).seed;
    }

    /// @dev From state `Done` to a known seed.
    function _challenge(bytes32 mixHash) internal returns (bytes32 seed) {
        _select();
        _open();
        _ackQuorum();
        return _reveal(mixHash);
    }

    /// @dev The seats that have a member.
    function _members() internal view returns (uint256) {
        return committees.occupiedSeats(epochManager.epoch());
    }

    function _passMessage(uint32 nodeId) internal view returns (bytes memory) {
        uint32 epoch = epochManager.epoch();
        return Intent.challengePassed(epoch, committees.domain(), challenges.challenge(epoch).seed, nodeId);
    }

    function _submitPass(uint32 nodeId) internal {
        challenges.submitPass(nodeId, _certificate(_passMessage(nodeId), _members()));
    }

    /// @dev Both spot checks.
    function _proveSpots(uint32 nodeId) internal {
        challenges.proveOnChain(nodeId, _spotProofs(nodeId));
    }

    function _passCompletely(uint32 nodeId) internal {
        _submitPass(nodeId);
        _proveSpots(nodeId);
    }

    // ----- What a node computes

    function _spotProofs(uint32 nodeId) internal view returns (SymbolProof[] memory proofs) {
        uint16 k = challenges.challenge(epochManager.epoch()).sampleCount;
        proofs = new SymbolProof[](2);
        proofs[0] = _proof(nodeId, k);
        proofs[1] = _proof(nodeId, k + 1);
    }

    function _rescueProofs(uint32 nodeId, uint16 from, uint16 to) internal view returns (SymbolProof[] memory proofs) {
        proofs = new SymbolProof[](to - from);
        for (uint16 j = from; j < to; ++j) {
            proofs[j - from] = _proof(nodeId, j);
        }
    }

    function _one(SymbolProof memory proof) internal pure returns (SymbolProof[] memory proofs) {
        proofs = new SymbolProof[](1);
        proofs[0] = proof;
    }

    /// @dev The answer to one sample.
    function _proof(uint32 nodeId, uint16 j) internal view returns (SymbolProof memory proof) {
        ChallengeInfo memory info = challenges.challenge(epochManager.epoch());
        proof.sample = j;
        uint256 tokenId = 0;
        bool waived = false;
        (tokenId, waived, proof.logIndexes) = _drawn(info, j);
        if (tokenId == 0 || waived) return proof;
        MatrixBlob memory b = _matrix(matrixOf[tokenId] - 1);
        (uint256 shard, uint256 index) = _asked(info, nodeId, j);
        uint256 pair = (shard + b.n - uint256(b.blobId) % b.n) % b.n;
        Answer memory a = _answer(b, pair, j == info.sampleCount + 1, index);
        (proof.symbol, proof.path1, proof.otherRoot, proof.path2) = (a.symbol, a.path1, a.otherRoot, a.path2);
    }

    /// @dev The entry of each attempt and the token accepted: a walk along the log, attempt by attempt.
    function _drawn(ChallengeInfo memory info, uint16 j)
        internal
        view
        returns (uint256 tokenId, bool waived, uint64[] memory indexes)
    {
        (uint64[] memory tokens, uint64[] memory sums) = system.logEntries(0, info.logLength);
        uint64[] memory tried = new uint64[](16);
        for (uint256 t = 0; t < 16; ++t) {
            uint256 r = uint256(keccak256(abi.encode(info.seed, uint256(j), t)));
            uint256 index = info.logStart;
            uint256 left = r % info.totalUnits;
            while (left >= sums[index] - (index == 0 ? 0 : sums[index - 1])) {
                left -= sums[index] - (index == 0 ? 0 : sums[index - 1]);
                ++index;
            }
            tried[t] = uint64(index);
            bool live = false;
            (live, waived) = _liveAtSeed(info, tokens[index], index);
            if (live) return (tokens[index], waived, _first(tried, t + 1));
        }
        return (0, false, tried);
    }

    /// @dev Whether an entry counted when the seed block began, and has gone since.
    function _liveAtSeed(ChallengeInfo memory info, uint256 tokenId, uint256 index)
        internal
        view
        returns (bool live, bool waived)
    {
        BlobRecord memory r = blobs.record(tokenId);
        bool deleted = r.flags & BlobFlags.DELETED != 0;
        bool invalid = system.isInvalid(r.blobId);
        bool deletedBefore = deleted && system.deletedAfterSeed(tokenId) != info.epoch;
        bool invalidBefore = invalid && system.invalidSince(r.blobId) < info.seedBlock;
        live = r.logIndex == index && r.endEpoch > info.epoch && !deletedBefore && !invalidBefore;
        waived = live && (deleted || invalid);
    }

    /// @dev Shard and symbol asked of a node.
    function _asked(ChallengeInfo memory info, uint32 nodeId, uint16 j)
        internal
        view
        returns (uint256 shard, uint256 index)
    {
        bytes memory map = committees.committee(info.epoch).shardMap;
        (, uint8 seat) = committees.seatOf(info.epoch, nodeId);
        uint256 weight = committees.weightOf(info.epoch, nodeId);
        uint256 wanted = uint256(keccak256(abi.encode(info.seed, uint256(nodeId), uint256(j)))) % weight;
        for (;; ++shard) {
            if (uint8(map[shard]) != seat) continue;
            if (wanted == 0) break;
            --wanted;
        }
        // `abi.encode` of four values, the last one the text "chain": its place, its length, its padded bytes.
        bytes memory text =
            abi.encodePacked(info.seed, uint256(nodeId), uint256(j), uint256(0x80), uint256(5), bytes32("chain"));
        index = uint256(keccak256(text)) % map.length;
    }

    function _first(uint64[] memory list, uint256 count) private pure returns (uint64[] memory part) {
        part = new uint64[](count);
        for (uint256 i = 0; i < count; ++i) {
            part[i] = list[i];
        }
    }
}
