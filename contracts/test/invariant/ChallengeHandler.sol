// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IChallenges } from "src/interfaces/IChallenges.sol";
import { Cert } from "src/types/Cert.sol";
import { ChallengeInfo, SymbolProof } from "src/types/Challenge.sol";
import { EpochState } from "src/types/Epoch.sol";
import { ChallengeBase } from "../utils/ChallengeBase.sol";
import { TestHeader } from "../utils/TestHeader.sol";

/// @dev Users, nodes, crankers and cheaters around the challenges of a running network of ten nodes and ten shards. Each
/// action does what it can in the present state or nothing; what must never succeed is noted when it does.
contract ChallengeHandler is ChallengeBase {
    uint256 private constant MOST_TOKENS = 24;

    /// @dev What has happened that must not; empty when all is well.
    string public broken;
    /// @dev How far the runs get.
    uint256 public seeds;
    uint256 public passes;
    uint256 public rescues;
    uint256 public epochs;

    /// @dev Log, candidates and sums as they were at the selection of the epoch.
    struct Candidates {
        uint64 logStart;
        uint64 logLength;
        uint64 baseUnits;
        uint64 totalUnits;
    }

    mapping(uint32 epoch => Candidates) public fixedAt;

    function begin() external {
        _launch(10, 10);
        _fund(ALICE);
        _storeMatrix(0, false, 50);
        _storeMatrix(1, true, 50);
    }

    // ----- Users

    function store(uint256 salt) external {
        if (blobs.count() >= MOST_TOKENS) return;
        _storeMatrix(salt % 2, salt & 2 != 0, uint32(1 + (salt >> 8) % 6));
    }

    function remove(uint256 salt) external {
        uint256 tokenId = 1 + salt % blobs.count();
        vm.prank(ALICE);
        try system.deleteBlob(tokenId, ALICE) { } catch { }
    }

    // ----- Time and cranks

    function wait(uint16 time, uint8 count) external {
        vm.warp(vm.getBlockTimestamp() + time % (D / 50));
        vm.roll(vm.getBlockNumber() + count % 3);
    }

    /// @dev The next step of the epoch, whatever it is; sometimes a step is left out.
    function step(bytes32 mix, bool skip) external {
        uint32 epoch = epochManager.epoch();
        ChallengeInfo memory info = challenges.challenge(epoch);
        uint64 t0 = epochManager.clock().doneAt;
        if (epochManager.clock().state == EpochState.Done) {
            _select();
            info = challenges.challenge(epoch);
            fixedAt[epoch] = Candidates(info.logStart, info.logLength, info.baseUnits, info.totalUnits);
        } else if (skip && uint256(mix) % 4 == 0) {
            _nextEpoch();
        } else if (!info.opened && info.logLength != info.logStart) {
            _warpTo(t0 + D * 3 / 4);
            challenges.openChallenge();
        } else if (info.opened && info.seedBlock == 0 && vm.getBlockTimestamp() < t0 + D * 9 / 10) {
            _ackQuorum();
        } else if (info.seedBlock != 0 && info.seed == 0) {
            _reveal(mix);
            ++seeds;
        } else if (uint256(mix) % 6 == 0) {
            _nextEpoch();
        }
    }

    function sweep(uint8 most, bool move) external {
        uint64 before = challenges.logStart();
        bool frozen = epochManager.clock().state == EpochState.ParamsSelected;
        if (move) try challenges.compactLog(most % 8) { } catch { } else try challenges.trimLog(most % 8) { } catch { }
        if (frozen && challenges.logStart() != before) broken = "the log moved while it was frozen";
    }

    function _nextEpoch() private {
        _begin();
        ++epochs;
    }

    // ----- Nodes

    function ack(uint256 salt) external {
        uint32 nodeId = _node(salt);
        ChallengeInfo memory info = challenges.challenge(epochManager.epoch());
        vm.prank(_operator(nodeId));
        try challenges.ackChallenge(nodeId) {
            if (info.seed != 0) broken = "an acknowledgement after the seed was known";
            bool reached = info.seedBlock != 0 && vm.getBlockNumber() >= info.seedBlock;
            if (reached) broken = "an acknowledgement in the seed block or later";
        } catch { }
    }

    function pass(uint256 salt) external {
        _pass(_node(salt));
    }

    function spots(uint256 salt) external {
        _spots(_node(salt));
    }

    /// @dev Several nodes do all they have to.
    function complete(uint16 who) external {
        for (uint32 id = 1; id <= 10; ++id) {
            if (who >> id & 1 == 0) continue;
            _pass(id);
            _spots(id);
        }
    }

    function _pass(uint32 nodeId) private {
        if (challenges.challenge(epochManager.epoch()).seed == 0) return;
        Cert memory c = _certificate(_passMessage(nodeId), _members());
        try challenges.submitPass(nodeId, c) { } catch { }
    }

    function _spots(uint32 nodeId) private {
        uint32 epoch = epochManager.epoch();
        ChallengeInfo memory info = challenges.challenge(epoch);
        if (info.seed == 0 || !_isMember(epoch, nodeId)) return;
        _honest(nodeId, _spotProofs(nodeId), info.closeTime);
        if (challenges.challenge(epoch).passedWeight > info.passedWeight) ++passes;
    }

    function rescue(uint256 salt) external {
        uint32 nodeId = _node(salt);
        uint32 epoch = epochManager.epoch();
        ChallengeInfo memory info = challenges.challenge(epoch);
        if (info.seed == 0 || !_isMember(epoch, nodeId)) return;
        _honest(nodeId, _rescueProofs(nodeId, 0, info.rescueCount), info.closeTime);
        if (challenges.challenge(epoch).rescued != info.rescued) ++rescues;
    }

    /// @dev A valid answer is accepted before the closing time and never after it.
    function _honest(uint32 nodeId, SymbolProof[] memory proofs, uint64 closeTime) private {
        bool inTime = vm.getBlockTimestamp() < closeTime;
        try challenges.proveOnChain(nodeId, proofs) {
            if (!inTime) broken = "an answer counted after the closing time";
        } catch {
            if (inTime) broken = "a valid answer was refused";
        }
    }

    // ----- Cheaters

    /// @dev Everything about an answer may be off by a bit: it is refused, unless the sample was proved before.
    function forge(uint256 salt, uint16 j) external {
        uint32 nodeId = _node(salt);
        uint32 epoch = epochManager.epoch();
        ChallengeInfo memory info = challenges.challenge(epoch);
        if (info.seed == 0 || !_isMember(epoch, nodeId)) return;
        j = uint16(bound(j, 0, info.sampleCount + 1));
        SymbolProof memory proof = _proof(nodeId, j);
        if (proof.symbol.length == 0) return;
        if (salt & 1 == 0) proof.symbol[salt % proof.symbol.length] ^= 0x10;
        else if (salt & 2 == 0) proof.path1[salt % proof.path1.length] ^= bytes32(uint256(1) << (salt >> 248));
        else if (salt & 4 == 0) proof.path2[salt % proof.path2.length] ^= bytes32(uint256(1) << (salt >> 248));
        else proof.otherRoot ^= bytes32(uint256(1));
        uint256 before = challenges.proved(epoch, nodeId);
        try challenges.proveOnChain(nodeId, _one(proof)) { } catch { }
        if (challenges.proved(epoch, nodeId) != before) broken = "a forged answer was accepted";
    }

    /// @dev A certificate with too few signers, for another node, or of another seed.
    function forgePass(uint256 salt) external {
        uint32 nodeId = _node(salt);
        uint32 epoch = epochManager.epoch();
        uint256 before = challenges.challenge(epoch).certified;
        Cert memory c = salt & 1 == 0
            ? _certificate(_passMessage(nodeId), _members() & 0x3f)
            : _certificate(_passMessage(nodeId + 1), _members());
        try challenges.submitPass(nodeId, c) { } catch { }
        if (challenges.challenge(epoch).certified != before) broken = "a forged certificate was accepted";
    }

    /// @dev A seed block that is not the one.
    function forgeSeed(bytes32 mix) external {
        uint32 epoch = epochManager.epoch();
        ChallengeInfo memory info = challenges.challenge(epoch);
        if (info.seedBlock == 0 || info.seed != 0) return;
        if (vm.getBlockNumber() < info.seedBlock + 2) vm.roll(info.seedBlock + 2);
        bytes memory header = TestHeader.encode(info.seedBlock + 1, uint64(vm.getBlockTimestamp()), mix);
        vm.setBlockhash(info.seedBlock + 1, keccak256(header));
        try challenges.revealSeed(header) {
            broken = "another block gave the seed";
        } catch { }
    }

    // ----- Reading

    /// @dev Everything the invariants look at.
    function parts() external view returns (IChallenges, uint32 epoch) {
        return (challenges, epochManager.epoch());
    }

    function weightOf(uint32 epoch, uint256 set) external view returns (uint256 weight) {
        (, uint16[] memory weights) = committees.members(epoch);
        for (uint256 seat = 0; seat < weights.length; ++seat) {
            if (set >> seat & 1 == 1) weight += weights[seat];
        }
    }

    /// @dev The members that proved all the samples of a mask.
    function provedBy(uint32 epoch, uint256 mask) external view returns (uint256 set) {
        (uint32[] memory ids,) = committees.members(epoch);
        for (uint256 seat = 0; seat < ids.length; ++seat) {
            if (challenges.proved(epoch, ids[seat]) & mask == mask) set |= 1 << seat;
        }
    }

    /// @dev Checks the log against the records.
    function checkLog() external view {
        uint256 length = system.certifiedCount();
        (uint64[] memory tokens, uint64[] memory sums) = system.logEntries(0, length);
        for (uint256 i = 0; i < length; ++i) {
            uint64 before = i == 0 ? 0 : sums[i - 1];
            uint256 units = (uint256(blobs.record(tokens[i]).encodedSize) + (1 << 20) - 1) >> 20;
            assertEq(sums[i], before + units, "an entry adds the units of its blob");
        }
        uint64 start = challenges.logStart();
        for (uint256 tokenId = 1; tokenId <= blobs.count(); ++tokenId) {
            if (!system.isTokenAvailable(tokenId)) continue;
            uint256 index = blobs.record(tokenId).logIndex;
            assertGe(index, start, "no live blob lies in front of the log");
            assertEq(tokens[index], tokenId, "the record points at the entry of the token");
        }
    }

    /// @dev From here the cranks alone reach the next epoch.
    function checkLiveness() external {
        uint32 epoch = epochManager.epoch();
        if (epochManager.clock().state == EpochState.Done) _select();
        _begin();
        assertEq(epochManager.epoch(), epoch + 1);
    }

    function _node(uint256 salt) private pure returns (uint32) {
        return uint32(1 + (salt >> 128) % 10);
    }

    function _isMember(uint32 epoch, uint32 nodeId) private view returns (bool member) {
        (member,) = committees.seatOf(epoch, nodeId);
    }
}
