// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IChallenges } from "src/interfaces/IChallenges.sol";
import { IWired } from "src/interfaces/IWired.sol";
import { Cert } from "src/types/Cert.sol";
import { ChallengeInfo, ChallengeMode } from "src/types/Challenge.sol";
import { ChallengeResult } from "src/types/Epoch.sol";
import { PoolInfo } from "src/types/Node.sol";
import { ParamKeys, ParamValue } from "src/types/Param.sol";
import { ChallengeBase } from "./utils/ChallengeBase.sol";

/// @dev One epoch's challenge, phase by phase, on ten nodes with one shard each.
contract ChallengesTest is ChallengeBase {
    uint32 private constant E = 1;
    uint64 private _t0;

    function setUp() public {
        _launch(10, 10);
        _fund(ALICE);
        wal.approve(address(system), type(uint256).max);
        _storeMatrix(0, false, 10);
        _storeMatrix(1, true, 10);
        _storeMatrix(0, true, 10);
        _t0 = epochManager.clock().doneAt;
    }

    // ----- Whole epochs

    function test_challenge_everybodyPasses() public {
        _challenge("mix");
        for (uint32 id = 1; id <= 10; ++id) {
            _passCompletely(id);
        }
        ChallengeInfo memory info = challenges.challenge(E);
        assertEq(info.passed, 0x3ff);
        assertEq(info.passedWeight, 10);
        assertFalse(info.closed);
        vm.expectEmit(address(challenges));
        emit IChallenges.ChallengeClosed(E, 0x3ff, 0);
        vm.warp(_t0 + D);
        epochManager.startEpoch();
        ChallengeResult memory result = challenges.result(E);
        assertTrue(result.enforced);
        assertFalse(result.isVoid);
        assertEq(result.passed, 0x3ff);
        assertTrue(challenges.challenge(E).closed);
    }

    function test_challenge_whoDoesNotAnswerFails() public {
        _challenge("mix");
        for (uint32 id = 1; id <= 7; ++id) {
            _passCompletely(id);
        }
        _submitPass(8);
        _proveSpots(9);
        _begin();
        ChallengeResult memory result = challenges.result(E);
        assertEq(result.passed, 0x7f, "certificate alone or spot checks alone are not enough");
        assertEq(result.rescued, 0);
        assertFalse(result.isVoid);
    }

    function test_challenge_orderOfCertificateAndSpotChecksIsFree() public {
        _challenge("mix");
        _proveSpots(1);
        vm.expectEmit(address(challenges));
        emit IChallenges.ChallengePassed(E, 1);
        _submitPass(1);
        _submitPass(2);
        vm.expectEmit(address(challenges));
        emit IChallenges.ChallengePassed(E, 2);
        _proveSpots(2);
        assertEq(challenges.challenge(E).passed, 3);
    }

    function test_challenge_nextEpochBeginsAnew() public {
        _challenge("mix");
        for (uint32 id = 1; id <= 10; ++id) {
            _passCompletely(id);
        }
        _begin();
        bytes32 seed = _challenge("mix");
        ChallengeInfo memory info = challenges.challenge(E + 1);
        assertEq(info.passed | info.certified | info.rescued, 0);
        assertNotEq(seed, challenges.challenge(E).seed, "the epoch is part of the seed");
        assertEq(challenges.proved(E + 1, 1), 0, "what was proved in the epoch before does not count");
        _passCompletely(1);
        assertEq(challenges.challenge(E + 1).passed, 1);
    }

    /// What `Staking` makes of it: who passed is paid, who was rescued is spared, who failed is neither.
    function test_challenge_resultsReachThePools() public {
        _challenge("mix");
        for (uint32 id = 1; id <= 10; ++id) {
            _passCompletely(id);
        }
        _begin();
        _challenge("mix");
        for (uint32 id = 1; id <= 8; ++id) {
            _passCompletely(id);
        }
        challenges.proveOnChain(9, _rescueProofs(9, 0, 16));
        system.addSubsidy(1000e9, 1);
        _settleAll();
        uint256[3] memory before = [_worth(8), _worth(9), _worth(10)];
        _begin();
        _settleAll();
        assertGt(_worth(8), before[0]);
        assertEq(_worth(9), before[1]);
        assertEq(_worth(10), before[2]);
        assertEq(staking.pool(8).misses, 0);
        assertEq(staking.pool(9).misses, 0);
        assertEq(staking.pool(10).misses, 1);
    }

    function _worth(uint32 nodeId) private view returns (uint256) {
        PoolInfo memory p = staking.pool(nodeId);
        return uint256(p.balance) + p.commission;
    }

    // ----- Void rule

    function test_void_belowAQuorumOfPasses() public {
        _challenge("mix");
        for (uint32 id = 1; id <= 6; ++id) {
            _passCompletely(id);
        }
        vm.expectEmit(address(challenges));
        emit IChallenges.ChallengeVoid(E);
        vm.warp(_t0 + D);
        epochManager.startEpoch();
        assertTrue(challenges.result(E).isVoid);
    }

    function test_void_whenNeverOpenedOrArmedOrRevealed() public {
        _select();
        uint256 snapshot = vm.snapshotState();
        _begin();
        assertTrue(challenges.result(E).isVoid, "never opened");
        vm.revertToState(snapshot);
        _open();
        _ack(1);
        _begin();
        assertTrue(challenges.result(E).isVoid, "never armed");
        vm.revertToState(snapshot);
        _open();
        _ackQuorum();
        _begin();
        assertTrue(challenges.result(E).isVoid, "never revealed");
    }

    function test_void_carriesAllRewardsUnburned() public {
        uint256 rewards = system.rewardsOf(E);
        uint256 next = system.rewardsOf(E + 1);
        uint256 supply = wal.totalSupply();
        assertGt(rewards, 0);
        _select();
        _begin();
        assertEq(wal.totalSupply(), supply);
        assertEq(system.rewardsOf(E + 1), rewards + next);
    }

    // ----- Open

    function test_openChallenge_waitsForSelectionAndTime() public {
        vm.expectRevert(abi.encodeWithSelector(IChallenges.SelectionMissing.selector, E));
        challenges.openChallenge();
        _select();
        vm.warp(_t0 + D * 3 / 4 - 1);
        vm.expectRevert(abi.encodeWithSelector(IChallenges.TooEarly.selector, _t0 + D * 3 / 4 - 1, _t0 + D * 3 / 4));
        challenges.openChallenge();
        vm.warp(_t0 + D * 3 / 4);
        vm.expectEmit(address(challenges));
        emit IChallenges.ChallengeOpened(E, 0, 3, 16);
        challenges.openChallenge();
        vm.expectRevert(abi.encodeWithSelector(IChallenges.AlreadyOpen.selector, E));
        challenges.openChallenge();
    }

    function test_openChallenge_candidatesAreThoseOfTheSelection() public {
        _select();
        _storeMatrix(0, false, 3);
        _open();
        assertEq(challenges.challenge(E).logLength, 3);
        assertEq(system.certifiedCount(), 4);
    }

    // ----- Acknowledge

    function test_ackChallenge_armsAtAQuorum() public {
        _select();
        vm.prank(_operator(1));
        vm.expectRevert(abi.encodeWithSelector(IChallenges.NotOpen.selector, E));
        challenges.ackChallenge(1);
        _open();
        for (uint32 id = 1; id <= 6; ++id) {
            _ack(id);
        }
        assertEq(challenges.challenge(E).seedBlock, 0);
        uint64 seedBlock = uint64(vm.getBlockNumber()) + SEED_DELAY;
        vm.expectEmit(address(challenges));
        emit IChallenges.ChallengeArmed(E, seedBlock);
        _ack(7);
        assertEq(challenges.challenge(E).seedBlock, seedBlock);
        _ack(8);
        ChallengeInfo memory info = challenges.challenge(E);
        assertEq(info.seedBlock, seedBlock, "later ones change nothing");
        assertEq(info.ackedWeight, 8);
        assertEq(info.acked, 0xff);
    }

    function test_ackChallenge_reverts() public {
        _register(11);
        _select();
        _open();
        vm.expectRevert(abi.encodeWithSelector(IChallenges.NotOperator.selector, 1, address(this)));
        challenges.ackChallenge(1);
        vm.prank(_operator(11));
        vm.expectRevert(abi.encodeWithSelector(IChallenges.NotMember.selector, 11));
        challenges.ackChallenge(11);
        vm.warp(_t0 + D * 9 / 10);
        vm.prank(_operator(1));
        vm.expectRevert(abi.encodeWithSelector(IChallenges.TooLate.selector, _t0 + D * 9 / 10, _t0 + D * 9 / 10));
        challenges.ackChallenge(1);
    }

    // ----- Seed

    function test_revealSeed_derivesFromTheHeader() public {
        _select();
        _open();
        _ackQuorum();
        bytes memory header = _seedHeader("mix");
        uint64 timestamp = uint64(vm.getBlockTimestamp());
        // The header stays provable for long; the closing time does not move with the call.
        vm.warp(timestamp + 1000);
        bytes32 seed = keccak256(abi.encode(bytes32("mix"), E, block.chainid, address(challenges)));
        vm.expectEmit(address(challenges));
        emit IChallenges.ChallengeSeed(E, seed, timestamp + 1 hours);
        challenges.revealSeed(header);
        vm.expectRevert(abi.encodeWithSelector(IChallenges.SeedKnown.selector, E));
        challenges.revealSeed(header);
    }

    function test_revealSeed_needsAnArmedChallenge() public {
        vm.expectRevert(abi.encodeWithSelector(IChallenges.NotArmed.selector, 0));
        challenges.revealSeed("");
        _select();
        _open();
        vm.expectRevert(abi.encodeWithSelector(IChallenges.NotArmed.selector, E));
        challenges.revealSeed("");
    }

    function test_sample_needsTheSeed() public {
        _select();
        vm.expectRevert(abi.encodeWithSelector(IChallenges.NoSeed.selector, E));
        challenges.sample(E, 0, new uint64[](1));
    }

    // ----- Pass

    function test_submitPass_reverts() public {
        Cert memory c;
        vm.expectRevert(abi.encodeWithSelector(IChallenges.NoSeed.selector, 0));
        challenges.submitPass(1, c);
        _challenge("mix");
        vm.expectRevert(abi.encodeWithSelector(IChallenges.NotMember.selector, 77));
        challenges.submitPass(77, c);
        vm.expectRevert(abi.encodeWithSelector(IChallenges.NotMember.selector, 0));
        challenges.submitPass(0, c);
        _submitPass(1);
        c = _certificate(_passMessage(1), _allSeats());
        vm.expectRevert(abi.encodeWithSelector(IChallenges.AlreadyCertified.selector, 1));
        challenges.submitPass(1, c);
    }

    function test_submitPass_countsUntilTheEpochEnds() public {
        _challenge("mix");
        _proveSpots(1);
        vm.warp(_t0 + D + 1 days);
        _submitPass(1);
        assertEq(challenges.challenge(E).passed, 1);
    }

    // ----- Rescue

    function test_rescue_sparesTheStrikeAndNothingElse() public {
        _challenge("mix");
        for (uint32 id = 1; id <= 7; ++id) {
            _passCompletely(id);
        }
        challenges.proveOnChain(8, _rescueProofs(8, 0, 9));
        assertEq(challenges.challenge(E).rescued, 0);
        assertEq(challenges.proved(E, 8), ((1 << 9) - 1) << 2);
        vm.expectEmit(address(challenges));
        emit IChallenges.ChallengeRescued(E, 8);
        challenges.proveOnChain(8, _rescueProofs(8, 9, 16));
        challenges.proveOnChain(1, _rescueProofs(1, 0, 16));
        _begin();
        ChallengeResult memory result = challenges.result(E);
        assertEq(result.passed, 0x7f, "no pass, no reward");
        assertEq(result.rescued, 0x80, "one who passed needs no rescue");
    }

    // ----- Log

    function test_log_growsWithCertificationsAndWeighsByEncodedSize() public view {
        (uint64[] memory tokens, uint64[] memory sums) = system.logEntries(0, 100);
        assertEq(tokens.length, 3);
        uint64 sum = 0;
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(tokens[i], i + 1);
            assertEq(blobs.record(i + 1).logIndex, i);
            sum += uint64((blobs.record(i + 1).encodedSize + (1 << 20) - 1) >> 20);
            assertEq(sums[i], sum);
            (uint64 token, uint64 cumulative) = system.logEntry(i);
            assertEq(token, tokens[i]);
            assertEq(cumulative, sum);
        }
    }

    function test_trimLog_passesOverDeadHeadsOnly() public {
        challenges.trimLog(10);
        assertEq(challenges.logStart(), 0);
        vm.prank(ALICE);
        system.deleteBlob(2, ALICE);
        challenges.trimLog(10);
        assertEq(challenges.logStart(), 0, "the first one is live");
        challenges.compactLog(1);
        assertEq(challenges.logStart(), 1);
        assertEq(blobs.record(1).logIndex, 3, "moved to the end");
        vm.expectEmit(address(challenges));
        emit IChallenges.LogTrimmed(2);
        challenges.trimLog(10);
    }

    function test_compactLog_leavesADenseLog() public {
        vm.prank(ALICE);
        system.deleteBlob(2, ALICE);
        challenges.compactLog(100);
        assertEq(challenges.logStart(), 3);
        assertEq(system.certifiedCount(), 5);
        _challenge("mix");
        ChallengeInfo memory info = challenges.challenge(E);
        assertEq(info.logStart, 3);
        assertEq(info.logLength, 5);
        (, uint64 base) = system.logEntry(2);
        (, uint64 end) = system.logEntry(4);
        assertEq(info.baseUnits, base);
        assertEq(info.totalUnits, end - base);
        for (uint16 j = 0; j < 18; ++j) {
            (uint256 tokenId, bool waived, uint64[] memory indexes) = _drawn(info, j);
            assertTrue(tokenId == 1 || tokenId == 3);
            assertFalse(waived);
            assertEq(challenges.sample(E, j, indexes), tokenId);
        }
        _passCompletely(4);
        assertEq(challenges.challenge(E).passed, 8);
    }

    function test_log_frozenFromSelectionToEpochChange() public {
        _select();
        vm.expectRevert(abi.encodeWithSelector(IChallenges.LogFrozen.selector, E));
        challenges.compactLog(1);
        vm.expectRevert(abi.encodeWithSelector(IChallenges.LogFrozen.selector, E));
        challenges.trimLog(1);
        _begin();
        challenges.compactLog(1);
        assertEq(challenges.logStart(), 1);
    }

    // ----- Rights

    function test_hooks_onlyBySiblings() public {
        bytes memory refused =
            abi.encodeWithSelector(IWired.NotAuthorised.selector, address(this), address(epochManager));
        vm.expectRevert(refused);
        challenges.onCommitteeSelected(E);
        vm.expectRevert(refused);
        challenges.onEpochEnd(E);
        refused = abi.encodeWithSelector(IWired.NotAuthorised.selector, address(this), address(challenges));
        vm.expectRevert(refused);
        system.relog(1);
        vm.expectRevert(refused);
        system.noteSeedBlock(E, 1);
    }
}

/// @dev Nothing to sample.
contract EmptyChallengeTest is ChallengeBase {
    function test_empty_everybodyPasses() public {
        _launch(10, 10);
        _select();
        vm.warp(epochManager.clock().doneAt + D * 3 / 4);
        vm.expectRevert(abi.encodeWithSelector(IChallenges.NothingToSample.selector, 1));
        challenges.openChallenge();
        _begin();
        ChallengeResult memory result = challenges.result(1);
        assertFalse(result.isVoid);
        assertEq(result.passed & 0x3ff, 0x3ff);
    }
}

/// @dev Challenges run, and nothing follows from them.
contract TrialChallengeTest is ChallengeBase {
    function _mode() internal pure override returns (ChallengeMode) {
        return ChallengeMode.Trial;
    }

    function test_trial_publishesButDoesNotCarry() public {
        _launch(10, 10);
        _fund(ALICE);
        _storeMatrix(0, false, 10);
        _challenge("mix");
        _passCompletely(3);
        uint256 supply = wal.totalSupply();
        _begin();
        ChallengeResult memory result = challenges.result(1);
        assertFalse(result.enforced);
        assertTrue(result.isVoid);
        assertEq(result.passed, 4);
        assertLt(wal.totalSupply(), supply, "rewards are burned and paid as ever");
        assertFalse(challenges.challenge(1).sealsReads);
    }
}

/// @dev No challenges.
contract OffChallengeTest is ChallengeBase {
    function _mode() internal pure override returns (ChallengeMode) {
        return ChallengeMode.Off;
    }

    function test_off_nothingHappens() public {
        _launch(10, 10);
        _fund(ALICE);
        _storeMatrix(0, false, 10);
        _select();
        vm.warp(epochManager.clock().doneAt + D * 3 / 4);
        vm.expectRevert(abi.encodeWithSelector(IChallenges.ChallengesAreOff.selector, 1));
        challenges.openChallenge();
        _begin();
        ChallengeResult memory result = challenges.result(1);
        assertFalse(result.enforced || result.isVoid);
        assertEq(result.passed, 0);
    }
}

/// @dev More rescue samples than a node's word has bits for.
contract ManySamplesChallengeTest is ChallengeBase {
    function _paramValues() internal pure override returns (ParamValue[] memory values) {
        values = new ParamValue[](5);
        values[0] = ParamValue(ParamKeys.VOTE_INTERVAL, 0);
        values[1] = ParamValue(ParamKeys.SEED_DELAY, SEED_DELAY);
        values[2] = ParamValue(ParamKeys.CHALLENGE_MODE, uint256(ChallengeMode.Enforced));
        values[3] = ParamValue(ParamKeys.MIN_SAMPLES, 200);
        values[4] = ParamValue(ParamKeys.RESCUE_SAMPLES, 640);
    }

    /// Beyond the word their bits would be those of another meaning: the number is cut at 128.
    function test_rescue_isCutAtAWord() public {
        _launch(10, 10);
        _fund(ALICE);
        _storeMatrix(0, false, 5);
        _select();
        ChallengeInfo memory info = challenges.challenge(1);
        assertEq(info.sampleCount, 200);
        assertEq(info.rescueCount, 128);
    }
}
