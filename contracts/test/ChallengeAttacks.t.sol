// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IChallenges } from "src/interfaces/IChallenges.sol";
import { ICommittees } from "src/interfaces/ICommittees.sol";
import { IRandomness } from "src/interfaces/IRandomness.sol";
import { Intent } from "src/libraries/Intent.sol";
import { Seed } from "src/libraries/Seed.sol";
import { Cert } from "src/types/Cert.sol";
import { ChallengeInfo, SymbolProof } from "src/types/Challenge.sol";
import { ChallengeResult } from "src/types/Epoch.sol";
import { ParamKeys, ParamValue } from "src/types/Param.sol";
import { ChallengeBase } from "./utils/ChallengeBase.sol";
import { TestHeader } from "./utils/TestHeader.sol";

/// @dev What a cheating node, its friends or a stranger may try. Ten nodes with one shard each.
contract ChallengeAttacksTest is ChallengeBase {
    uint32 private constant E = 1;

    function setUp() public {
        _launch(10, 10);
        _fund(ALICE);
        _fund(BOB);
        _storeMatrix(0, false, 10);
        _storeMatrix(1, true, 10);
    }

    // ----- Time

    function test_attack_answersAfterTheClosingTime() public {
        _challenge("mix");
        uint64 closeTime = challenges.challenge(E).closeTime;
        SymbolProof[] memory one = _spotProofs(1);
        SymbolProof[] memory two = _spotProofs(2);
        vm.warp(closeTime - 1);
        challenges.proveOnChain(1, one);
        assertEq(challenges.proved(E, 1), 3);
        vm.warp(closeTime);
        vm.expectRevert(abi.encodeWithSelector(IChallenges.TooLate.selector, closeTime, closeTime));
        challenges.proveOnChain(2, two);
        vm.warp(closeTime + 1);
        SymbolProof[] memory rescue = _rescueProofs(2, 0, 1);
        vm.expectRevert(abi.encodeWithSelector(IChallenges.TooLate.selector, closeTime + 1, closeTime));
        challenges.proveOnChain(2, rescue);
    }

    /// Who holds back the seed until it is too late for answers on chain only voids the challenge: anybody can reveal.
    function test_attack_seedRevealedTooLate() public {
        _select();
        _open();
        _ackQuorum();
        bytes memory header = _seedHeader("mix");
        vm.warp(vm.getBlockTimestamp() + 2 hours);
        challenges.revealSeed(header);
        SymbolProof[] memory proofs = _spotProofs(1);
        vm.expectPartialRevert(IChallenges.TooLate.selector);
        challenges.proveOnChain(1, proofs);
        _begin();
        assertTrue(challenges.result(E).isVoid);
    }

    function test_attack_answerOfAnEndedEpoch() public {
        _challenge("mix");
        SymbolProof[] memory proofs = _spotProofs(1);
        Cert memory c = _certificate(_passMessage(1), _allSeats());
        _begin();
        vm.expectRevert(abi.encodeWithSelector(IChallenges.NoSeed.selector, 0));
        challenges.proveOnChain(1, proofs);
        vm.expectRevert(abi.encodeWithSelector(IChallenges.NoSeed.selector, 0));
        challenges.submitPass(1, c);
    }

    // ----- Log

    /// Two thirds of the log are dead. All samples still find a live blob, and the log can be made dense again.
    function test_attack_logDilution() public {
        uint256[] memory dead = new uint256[](24);
        for (uint256 i = 0; i < 24; ++i) {
            dead[i] = _storeMatrix(0, true, 3);
        }
        for (uint256 i = 0; i < 10; ++i) {
            _storeMatrix(0, false, 10);
        }
        for (uint256 i = 0; i < 24; ++i) {
            vm.prank(ALICE);
            system.deleteBlob(dead[i], ALICE);
        }
        uint256 snapshot = vm.snapshotState();
        _challenge("mix");
        ChallengeInfo memory info = challenges.challenge(E);
        for (uint16 j = 0; j < 18; ++j) {
            (uint256 tokenId,, uint64[] memory indexes) = _drawn(info, j);
            assertNotEq(tokenId, 0);
            assertEq(challenges.sample(E, j, indexes), tokenId);
        }
        _passCompletely(3);
        assertEq(challenges.challenge(E).passed, 4);

        vm.revertToState(snapshot);
        challenges.compactLog(2);
        challenges.trimLog(24);
        assertEq(challenges.logStart(), 26);
        assertEq(system.certifiedCount() - challenges.logStart(), 12, "every entry is live");
    }

    /// With nearly nothing live all attempts of a sample can miss. Then the misses are the answer, and only they.
    function test_attack_logDilution_sampleWithoutALiveEntry() public {
        uint256[] memory dead = new uint256[](40);
        for (uint256 i = 0; i < 40; ++i) {
            dead[i] = _storeMatrix(0, true, 3);
        }
        for (uint256 i = 0; i < 40; ++i) {
            vm.prank(ALICE);
            system.deleteBlob(dead[i], ALICE);
        }
        _challenge("mix");
        ChallengeInfo memory info = challenges.challenge(E);
        uint16 j = 0;
        uint256 tokenId = 1;
        uint64[] memory indexes;
        for (; tokenId != 0 && j < info.rescueCount; ++j) {
            (tokenId,, indexes) = _drawn(info, j);
        }
        --j;
        assertEq(tokenId, 0, "one of the first samples misses sixteen times");
        assertEq(challenges.sample(E, j, indexes), 0);
        SymbolProof memory proof = _proof(1, j);
        proof.symbol = hex"00";
        vm.expectRevert(abi.encodeWithSelector(IChallenges.NothingToProve.selector, j));
        challenges.proveOnChain(1, _one(proof));
        // Fifteen misses are not sixteen.
        proof = _proof(1, j);
        uint64[] memory fifteen = new uint64[](15);
        for (uint256 t = 0; t < 15; ++t) {
            fifteen[t] = proof.logIndexes[t];
        }
        proof.logIndexes = fifteen;
        vm.expectRevert(abi.encodeWithSelector(IChallenges.WrongAttempts.selector, j, 15));
        challenges.proveOnChain(1, _one(proof));
        challenges.proveOnChain(1, _one(_proof(1, j)));
        assertEq(challenges.proved(E, 1), 4 << j);
    }

    /// Blobs certified after the selection, say by friends of a cheater, are no candidates.
    function test_attack_logStuffedAfterTheSelection() public {
        _select();
        for (uint256 i = 0; i < 8; ++i) {
            _storeMatrix(0, false, 3);
        }
        _open();
        _ackQuorum();
        _reveal("mix");
        ChallengeInfo memory info = challenges.challenge(E);
        assertEq(info.logLength, 2);
        for (uint16 j = 0; j < 18; ++j) {
            (uint256 tokenId,,) = _drawn(info, j);
            assertLe(tokenId, 2);
        }
        _proveSpots(1);
        // An entry behind the candidates is never the right one.
        SymbolProof memory proof = _proof(2, 0);
        proof.logIndexes[0] = 5;
        vm.expectRevert(abi.encodeWithSelector(IChallenges.WrongLogEntry.selector, 0, 0, 5));
        challenges.proveOnChain(2, _one(proof));
    }

    function test_attack_anotherLogEntryOrAttempt() public {
        _challenge("mix");
        SymbolProof memory proof = _proof(1, 0);
        uint64 right = proof.logIndexes[0];
        proof.logIndexes[0] = 1 - right;
        vm.expectRevert(abi.encodeWithSelector(IChallenges.WrongLogEntry.selector, 0, 0, 1 - right));
        challenges.proveOnChain(1, _one(proof));
        // Going on after a live entry, to be asked for a blob one has.
        proof.logIndexes = new uint64[](2);
        proof.logIndexes[0] = right;
        vm.expectRevert(abi.encodeWithSelector(IChallenges.WrongAttempts.selector, 0, 2));
        challenges.proveOnChain(1, _one(proof));
        proof.logIndexes = new uint64[](0);
        vm.expectRevert(abi.encodeWithSelector(IChallenges.WrongAttempts.selector, 0, 0));
        challenges.proveOnChain(1, _one(proof));
        proof.logIndexes = new uint64[](17);
        proof.logIndexes[0] = right;
        vm.expectRevert(abi.encodeWithSelector(IChallenges.WrongAttempts.selector, 0, 17));
        challenges.proveOnChain(1, _one(proof));
    }

    function test_attack_challengeOnAnExpiredBlob() public {
        uint256 short = _storeMatrix(0, false, 1);
        _select();
        _begin();
        uint32 epoch = E + 1;
        assertEq(blobs.record(short).endEpoch, epoch, "its last epoch was the one before");
        _challenge("mix");
        ChallengeInfo memory info = challenges.challenge(epoch);
        assertEq(info.logLength, 3);
        bool metIt = false;
        for (uint16 j = 0; j < 18; ++j) {
            (uint256 tokenId,, uint64[] memory indexes) = _drawn(info, j);
            assertNotEq(tokenId, short);
            assertEq(challenges.sample(epoch, j, indexes), tokenId);
            if (indexes.length == 1 || metIt) continue;
            metIt = indexes[0] == 2;
            // Nobody can be asked for it.
            uint64[] memory only = new uint64[](1);
            only[0] = indexes[0];
            vm.expectRevert(abi.encodeWithSelector(IChallenges.WrongAttempts.selector, j, 1));
            challenges.sample(epoch, j, only);
        }
        assertTrue(metIt, "some sample fell on the expired blob first");
    }

    // ----- Deleting what is asked for

    /// Deleted before the seed block: the next attempt counts. In it or later: nothing is asked of anybody, and nobody
    /// is asked for something else instead.
    function test_attack_deletionOfASampledBlob() public {
        _select();
        _open();
        _ackQuorum();
        uint256 armed = vm.snapshotState();

        vm.prank(ALICE);
        system.deleteBlob(2, ALICE);
        _reveal("mix");
        _assertNoneAsksFor(2);
        _passCompletely(1);

        // In the seed block, whose proposer knows the seed.
        vm.revertToState(armed);
        vm.roll(challenges.challenge(E).seedBlock);
        vm.prank(ALICE);
        system.deleteBlob(2, ALICE);
        _reveal("mix");
        _assertSomeAreWaived();

        vm.revertToState(armed);
        _reveal("mix");
        uint16 sampled = _firstSampleOf(2);
        SymbolProof[] memory before = _one(_proof(1, sampled));
        vm.prank(ALICE);
        system.deleteBlob(2, ALICE);
        vm.expectRevert(abi.encodeWithSelector(IChallenges.NothingToProve.selector, sampled));
        challenges.proveOnChain(1, before);
        _assertSomeAreWaived();
    }

    function test_attack_invalidationOfASampledBlob() public {
        _select();
        _open();
        _ackQuorum();
        uint256 armed = vm.snapshotState();
        _invalidate(2);
        _reveal("mix");
        _assertNoneAsksFor(2);
        vm.revertToState(armed);
        _reveal("mix");
        _invalidate(2);
        _assertSomeAreWaived();
    }

    function _assertNoneAsksFor(uint256 token) private view {
        ChallengeInfo memory info = challenges.challenge(E);
        for (uint16 j = 0; j < 18; ++j) {
            (uint256 tokenId, bool waived, uint64[] memory indexes) = _drawn(info, j);
            assertNotEq(tokenId, token);
            assertFalse(waived);
            assertEq(challenges.sample(E, j, indexes), tokenId);
        }
    }

    function _assertSomeAreWaived() private {
        ChallengeInfo memory info = challenges.challenge(E);
        uint256 waivedCount = 0;
        for (uint16 j = 0; j < info.rescueCount; ++j) {
            (uint256 tokenId, bool waived, uint64[] memory indexes) = _drawn(info, j);
            if (!waived) continue;
            assertEq(tokenId, 2);
            assertEq(challenges.sample(E, j, indexes), 2);
            ++waivedCount;
        }
        assertGt(waivedCount, 0);
        // Every answer that is still owed, and every waived one, is accepted.
        challenges.proveOnChain(1, _rescueProofs(1, 0, info.rescueCount));
        _passCompletely(1);
        assertEq(challenges.challenge(E).rescued & challenges.challenge(E).passed, 1);
    }

    function _firstSampleOf(uint256 token) private view returns (uint16 j) {
        ChallengeInfo memory info = challenges.challenge(E);
        for (; j < info.rescueCount; ++j) {
            (uint256 tokenId,,) = _drawn(info, j);
            if (tokenId == token) return j;
        }
        revert("no sample falls on the token");
    }

    function _invalidate(uint256 token) private {
        bytes32 blobId = blobs.record(token).blobId;
        bytes memory message = Intent.invalidBlobId(E, committees.domain(), blobId);
        system.invalidateBlobId(blobId, _certificate(message, 0xf));
    }

    // ----- Randomness

    /// Who proposes the last `m` blocks before the seed block chooses among at most 2^m seeds. With eight of them and
    /// the full number of samples, a node that dropped a tenth of its data fails under every single one.
    function test_attack_randomnessGrindingByAProposer() public view {
        uint16 k = 640;
        uint256 tolerated = k / 100;
        uint256 fewest = k;
        for (uint256 draw = 0; draw < 256; ++draw) {
            bytes32 seed = Seed.derive(keccak256(abi.encode("skipped blocks", draw)), E, 31_337, address(1));
            uint256 missed = this.missedIn(seed, k);
            if (missed < fewest) fewest = missed;
        }
        assertGt(fewest, 4 * tolerated, "64 expected; the best of 256 draws stays far above the tolerance of 6");
    }

    /// Samples that fall into the first tenth. A call of its own, so that its memory is given back.
    function missedIn(bytes32 seed, uint16 k) external pure returns (uint256 missed) {
        for (uint16 j = 0; j < k; ++j) {
            if (Seed.point(seed, j, 0, 10_000) < 1000) ++missed;
        }
    }

    function test_attack_headerOfAnotherBlock() public {
        _select();
        _open();
        _ackQuorum();
        uint64 seedBlock = challenges.challenge(E).seedBlock;
        bytes memory header = TestHeader.encode(seedBlock, 1, "mix");
        vm.expectRevert(abi.encodeWithSelector(IRandomness.BlockUnavailable.selector, seedBlock));
        challenges.revealSeed(header);
        vm.roll(seedBlock + 2);
        bytes memory next = TestHeader.encode(seedBlock + 1, 1, "mix");
        vm.setBlockhash(seedBlock + 1, keccak256(next));
        vm.setBlockhash(seedBlock, keccak256(header));
        vm.expectRevert(IRandomness.BadRandomnessProof.selector);
        challenges.revealSeed(next);
        challenges.revealSeed(header);
    }

    /// From the seed block on an acknowledgement would promise nothing.
    function test_attack_acknowledgementWithTheSeedInHand() public {
        _select();
        _open();
        _ackQuorum();
        uint64 seedBlock = challenges.challenge(E).seedBlock;
        vm.roll(seedBlock - 1);
        _ack(8);
        vm.roll(seedBlock);
        vm.prank(_operator(9));
        vm.expectRevert(abi.encodeWithSelector(IChallenges.SeedBlockReached.selector, seedBlock));
        challenges.ackChallenge(9);
    }

    // ----- Signatures

    function test_attack_replayAcrossChains() public {
        _challenge("mix");
        Cert memory c = _certificate(_passMessage(1), _allSeats());
        vm.chainId(block.chainid + 1);
        vm.expectRevert(ICommittees.BadSignature.selector);
        challenges.submitPass(1, c);
    }

    function test_attack_replayAcrossEpochs() public {
        _challenge("mix");
        Cert memory c = _certificate(_passMessage(1), _allSeats());
        _begin();
        // Even with the same randomness.
        _challenge("mix");
        vm.expectRevert(ICommittees.BadSignature.selector);
        challenges.submitPass(1, c);
    }

    function test_attack_replayForAnotherNode() public {
        _challenge("mix");
        Cert memory c = _certificate(_passMessage(1), _allSeats());
        vm.expectRevert(ICommittees.BadSignature.selector);
        challenges.submitPass(2, c);
    }

    function test_attack_replayForAnotherSeedOrMessage() public {
        _challenge("mix");
        bytes32 domain = committees.domain();
        Cert memory c = _certificate(Intent.challengePassed(E, domain, "seed", 1), _allSeats());
        vm.expectRevert(ICommittees.BadSignature.selector);
        challenges.submitPass(1, c);
        c = _certificate(Intent.permanentConfirmation(E, domain, challenges.challenge(E).seed), _allSeats());
        vm.expectRevert(ICommittees.BadSignature.selector);
        challenges.submitPass(1, c);
    }

    function test_attack_duplicateSignersAndTooFew() public {
        _challenge("mix");
        // Six signatures, and the bitmap claims seven.
        Cert memory c = _certificate(_passMessage(1), 0x3f);
        c.signers = 0x7f;
        vm.expectRevert(ICommittees.BadSignature.selector);
        challenges.submitPass(1, c);
        c.signers = 0x3f;
        vm.expectRevert(abi.encodeWithSelector(ICommittees.NotEnoughWeight.selector, 6, 7));
        challenges.submitPass(1, c);
        c.signers = 0x7f << 4;
        vm.expectRevert(abi.encodeWithSelector(ICommittees.UnknownSigners.selector, 1 << 10));
        challenges.submitPass(1, c);
    }

    function test_attack_duplicateAcknowledgement() public {
        _select();
        _open();
        _ack(1);
        vm.prank(_operator(1));
        vm.expectRevert(abi.encodeWithSelector(IChallenges.AlreadyAcked.selector, 1));
        challenges.ackChallenge(1);
        assertEq(challenges.challenge(E).ackedWeight, 1);
    }

    // ----- Proofs

    function test_attack_wrongSymbol() public {
        _challenge("mix");
        SymbolProof[] memory proofs = _spotProofs(1);
        proofs[0].symbol[0] ^= 0x01;
        vm.expectPartialRevert(IChallenges.WrongBlob.selector);
        challenges.proveOnChain(1, proofs);
        assertEq(challenges.proved(E, 1), 0);
    }

    function test_attack_wrongProof() public {
        _challenge("mix");
        SymbolProof[] memory proofs = _spotProofs(1);
        proofs[1].path1[0] ^= bytes32(uint256(1));
        vm.expectPartialRevert(IChallenges.WrongBlob.selector);
        challenges.proveOnChain(1, proofs);
        proofs = _spotProofs(1);
        proofs[0].path2 = new bytes32[](3);
        vm.expectRevert(abi.encodeWithSelector(IChallenges.WrongPathLength.selector, 3, 4));
        challenges.proveOnChain(1, proofs);
    }

    /// The answer of another node, who has another shard.
    function test_attack_wrongShardOwner() public {
        _challenge("mix");
        SymbolProof[] memory proofs = _spotProofs(1);
        vm.expectPartialRevert(IChallenges.WrongBlob.selector);
        challenges.proveOnChain(2, proofs);
        vm.expectRevert(abi.encodeWithSelector(IChallenges.NotMember.selector, 99));
        challenges.proveOnChain(99, proofs);
    }

    /// The primary sliver in place of the secondary one.
    function test_attack_wrongAxis() public {
        _challenge("mix");
        ChallengeInfo memory info = challenges.challenge(E);
        SymbolProof[] memory proofs = _spotProofs(1);
        (proofs[0].sample, proofs[1].sample) = (proofs[1].sample, proofs[0].sample);
        vm.expectRevert();
        challenges.proveOnChain(1, proofs);
        assertEq(info.sampleCount, 16);
    }

    function test_attack_samplesThatNobodyAskedFor() public {
        _challenge("mix");
        SymbolProof memory proof = _proof(1, 0);
        proof.sample = 18;
        vm.expectRevert(abi.encodeWithSelector(IChallenges.SampleNotProvable.selector, 18));
        challenges.proveOnChain(1, _one(proof));
        // Rescue takes the first ones, not as many as one likes to choose; twice the same is once.
        SymbolProof[] memory twice = new SymbolProof[](16);
        for (uint256 i = 0; i < 16; ++i) {
            twice[i] = _proof(1, uint16(i % 2));
        }
        challenges.proveOnChain(1, twice);
        assertEq(challenges.proved(E, 1), 3 << 2);
        assertEq(challenges.challenge(E).rescued, 0);
    }

    // ----- Griefing and abuse

    /// A stranger who proves a node's sample first, or sends rubbish in its name, changes nothing for it.
    function test_attack_spotCheckGriefing() public {
        _challenge("mix");
        SymbolProof[] memory proofs = _spotProofs(1);
        SymbolProof[] memory rubbish = _spotProofs(1);
        rubbish[1].symbol[0] ^= 0x80;
        vm.startPrank(BOB);
        vm.expectPartialRevert(IChallenges.WrongBlob.selector);
        challenges.proveOnChain(1, rubbish);
        assertEq(challenges.proved(E, 1), 0, "nothing is left of a call that fails");
        challenges.proveOnChain(1, _one(proofs[0]));
        vm.stopPrank();
        challenges.proveOnChain(1, proofs);
        assertEq(challenges.proved(E, 1), 3);
        challenges.proveOnChain(1, proofs);
        // Passing over what is proved looks at nothing: neither a second proof nor a wrong one matters.
        challenges.proveOnChain(1, rubbish);
        _submitPass(1);
        assertEq(challenges.challenge(E).passed, 1);
    }

    /// Members with at most f shards can neither void a challenge that they fail nor keep it from being armed.
    function test_attack_voidAbuse_byAMinority() public {
        _select();
        _open();
        for (uint32 id = 4; id <= 10; ++id) {
            _ack(id);
        }
        _reveal("mix");
        for (uint32 id = 4; id <= 10; ++id) {
            // Nor do they sign for others.
            challenges.submitPass(id, _certificate(_passMessage(id), 0x3f8));
            _proveSpots(id);
        }
        uint256 misses = 0x7;
        _begin();
        ChallengeResult memory result = challenges.result(E);
        assertFalse(result.isVoid);
        assertEq(result.passed & misses, 0);
        assertEq(result.passed, 0x3f8);
    }

    /// Voiding takes more than f shards, and pays nobody: the rewards move on.
    function test_attack_voidAbuse_paysNobody() public {
        uint256 staked = wal.balanceOf(address(staking));
        _challenge("mix");
        for (uint32 id = 5; id <= 10; ++id) {
            _passCompletely(id);
        }
        _begin();
        ChallengeResult memory result = challenges.result(E);
        assertTrue(result.isVoid);
        assertEq(wal.balanceOf(address(staking)), staked);
    }

    /// Moving live blobs to the end over and over empties no challenge: they are candidates where they are now.
    function test_attack_relogging() public {
        for (uint256 i = 0; i < 5; ++i) {
            challenges.compactLog(2);
        }
        assertEq(challenges.logStart(), 10);
        assertEq(system.certifiedCount(), 12);
        _challenge("mix");
        ChallengeInfo memory info = challenges.challenge(E);
        assertEq(info.logStart, 10);
        assertEq(info.logLength, 12);
        _passCompletely(1);
        assertEq(challenges.challenge(E).passed, 1);
    }
}

/// @dev From how many entries on reads are interrupted.
contract SealedChallengeTest is ChallengeBase {
    function _paramValues() internal pure override returns (ParamValue[] memory values) {
        ParamValue[] memory others = super._paramValues();
        values = new ParamValue[](others.length + 1);
        for (uint256 i = 0; i < others.length; ++i) {
            values[i] = others[i];
        }
        values[others.length] = ParamValue(ParamKeys.SEAL_MIN_ENTRIES, 3);
    }

    function test_seal_needsEnoughEntries() public {
        _launch(10, 10);
        _fund(ALICE);
        _storeMatrix(0, false, 10);
        _storeMatrix(0, false, 10);
        _select();
        assertFalse(challenges.challenge(1).sealsReads);
        _begin();
        _storeMatrix(0, false, 10);
        _select();
        assertTrue(challenges.challenge(2).sealsReads);
    }
}
