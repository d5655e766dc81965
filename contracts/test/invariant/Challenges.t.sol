// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { IChallenges } from "src/interfaces/IChallenges.sol";
import { ChallengeInfo } from "src/types/Challenge.sol";
import { ChallengeHandler } from "./ChallengeHandler.sol";

/// @dev What holds about challenges whatever users, nodes and cheaters do (docs/protocol/onchain.md section 2.15).
/// forge-config: default.invariant.fail-on-revert = true
/// forge-config: nightly.invariant.fail-on-revert = true
contract ChallengeInvariants is Test {
    ChallengeHandler private _handler;

    function setUp() public {
        _handler = new ChallengeHandler();
        _handler.begin();
        bytes4[] memory actions = new bytes4[](17);
        actions[0] = ChallengeHandler.store.selector;
        actions[1] = ChallengeHandler.remove.selector;
        actions[2] = ChallengeHandler.wait.selector;
        // What makes an epoch go round, more often than the rest.
        actions[3] = ChallengeHandler.step.selector;
        actions[4] = ChallengeHandler.sweep.selector;
        actions[5] = ChallengeHandler.ack.selector;
        actions[6] = ChallengeHandler.pass.selector;
        actions[7] = ChallengeHandler.spots.selector;
        actions[8] = ChallengeHandler.rescue.selector;
        actions[9] = ChallengeHandler.forge.selector;
        actions[10] = ChallengeHandler.forgePass.selector;
        actions[11] = ChallengeHandler.forgeSeed.selector;
        actions[12] = ChallengeHandler.step.selector;
        actions[13] = ChallengeHandler.step.selector;
        actions[14] = ChallengeHandler.step.selector;
        actions[15] = ChallengeHandler.complete.selector;
        actions[16] = ChallengeHandler.complete.selector;
        targetContract(address(_handler));
        targetSelector(FuzzSelector(address(_handler), actions));
    }

    function afterInvariant() public {
        _handler.checkLiveness();
    }

    /// The actions do reach what the invariants speak of: a handler that never gets there would prove nothing.
    function test_actions_reachEveryOutcome() public {
        for (uint256 i = 0; i < 4; ++i) {
            _handler.step(bytes32(uint256(1)), false);
        }
        assertEq(_handler.seeds(), 1);
        _handler.complete(0x7fe);
        assertEq(_handler.passes(), 10);
        _handler.rescue(0);
        assertEq(_handler.rescues(), 1);
        _handler.step(bytes32(uint256(6)), false);
        assertEq(_handler.epochs(), 1);
        assertEq(_handler.broken(), "");
    }

    /// No answer after the closing time, no acknowledgement with the seed known, no forgery, no move of a frozen log; and
    /// no valid answer refused.
    function invariant_nothingForbiddenHappens() public view {
        assertEq(_handler.broken(), "");
    }

    function invariant_passedAreCertifiedAndProvedBothSpotChecks() public view {
        (IChallenges challenges, uint32 epoch) = _handler.parts();
        ChallengeInfo memory info = challenges.challenge(epoch);
        uint256 proved = info.seed == 0 ? 0 : _handler.provedBy(epoch, 3);
        assertEq(info.passed, info.certified & proved);
        assertEq(info.passedWeight, _handler.weightOf(epoch, info.passed));
    }

    function invariant_rescuedProvedEveryRescueSample() public view {
        (IChallenges challenges, uint32 epoch) = _handler.parts();
        ChallengeInfo memory info = challenges.challenge(epoch);
        if (info.seed == 0) return assertEq(info.rescued, 0);
        assertEq(info.rescued, _handler.provedBy(epoch, ((1 << info.rescueCount) - 1) << 2));
    }

    function invariant_seedOnlyAfterAQuorumAcknowledged() public view {
        (IChallenges challenges, uint32 epoch) = _handler.parts();
        ChallengeInfo memory info = challenges.challenge(epoch);
        assertEq(info.ackedWeight, _handler.weightOf(epoch, info.acked));
        assertEq(info.seedBlock != 0, info.ackedWeight >= 7);
        if (info.seedBlock == 0) assertEq(info.seed, 0);
        if (info.seed == 0) assertEq(info.certified | info.passed | info.rescued, 0);
    }

    function invariant_candidatesStayAsTheyWereSelected() public view {
        (IChallenges challenges, uint32 epoch) = _handler.parts();
        for (uint32 e = epoch > 2 ? epoch - 2 : 1; e <= epoch; ++e) {
            ChallengeInfo memory info = challenges.challenge(e);
            if (info.logLength == 0) continue;
            (uint64 start, uint64 length, uint64 base, uint64 total) = _handler.fixedAt(e);
            assertEq(
                abi.encode(start, length, base, total),
                abi.encode(info.logStart, info.logLength, info.baseUnits, info.totalUnits)
            );
        }
    }

    function invariant_logHoldsEveryLiveBlob() public view {
        _handler.checkLog();
    }
}
