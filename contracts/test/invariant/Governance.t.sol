// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { GovernanceHandler } from "./GovernanceHandler.sol";

/// @dev Invariant 13 of the design: whatever nodes, timelock, guardian and strangers do in whatever order, the code changes
/// only with both halves, once for each approval's nonce, and nobody gains a right.
/// forge-config: default.invariant.fail-on-revert = true
/// forge-config: nightly.invariant.fail-on-revert = true
contract GovernanceInvariants is Test {
    GovernanceHandler private handler;

    function setUp() public {
        handler = new GovernanceHandler();
        handler.launch();
        bytes4[] memory actions = new bytes4[](12);
        actions[0] = GovernanceHandler.approve.selector;
        actions[1] = GovernanceHandler.approve.selector;
        actions[2] = GovernanceHandler.approveForAnother.selector;
        actions[3] = GovernanceHandler.execute.selector;
        actions[4] = GovernanceHandler.execute.selector;
        actions[5] = GovernanceHandler.agree.selector;
        actions[6] = GovernanceHandler.bypass.selector;
        actions[7] = GovernanceHandler.pause.selector;
        actions[8] = GovernanceHandler.unpause.selector;
        actions[9] = GovernanceHandler.renounce.selector;
        actions[10] = GovernanceHandler.wait.selector;
        actions[11] = GovernanceHandler.nextEpoch.selector;
        targetSelector(FuzzSelector(address(handler), actions));
        targetContract(address(handler));
    }

    /// The code behind the proxy is what the last upgrade with both halves named, and the nonce counts these.
    function invariant_codeChangesOnlyWithBothHalves() public view {
        assertEq(handler.current(), handler.implementation());
        assertEq(handler.nonce(), handler.upgrades());
    }

    /// Sales stand still only in a pause of the guardian, which lasts 14 days, and the next begins 90 days after it began.
    function invariant_pausesAreShortAndRare() public view {
        assertEq(handler.isPaused(), block.timestamp < handler.pausedUntil());
        if (handler.isPaused()) assertLe(block.timestamp + 76 days, handler.nextPauseAt());
    }

    function invariant_nobodyFromOutsideHoldsARole() public {
        assertFalse(handler.outsiderHasRole());
    }

    /// The actions get where upgrades happen: a handler that never does would prove nothing.
    function test_actions_reachUpgradesAndPauses() public {
        handler.agree(0);
        handler.agree(3);
        handler.wait(1);
        handler.approve(0, 1);
        handler.execute(0, 1);
        handler.pause(0);
        handler.nextEpoch();
        assertEq(handler.done("execute"), 2);
        assertEq(handler.done("pause"), 1);
        assertEq(handler.done("approve"), 21);
        assertTrue(handler.isPaused());
        invariant_codeChangesOnlyWithBothHalves();
    }
}
