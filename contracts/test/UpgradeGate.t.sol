// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { UpgradeGate } from "src/UpgradeGate.sol";
import { IStaking } from "src/interfaces/IStaking.sol";
import { IUpgradeGate } from "src/interfaces/IUpgradeGate.sol";
import { IWalrusSystem } from "src/interfaces/IWalrusSystem.sol";
import { Approval, Upgrade } from "src/types/Upgrade.sol";
import { GovernanceBase } from "./utils/GovernanceBase.sol";
import { WalrusSystemNext } from "./utils/WalrusSystemNext.sol";

contract UpgradeGateTest is GovernanceBase {
    bytes32 private constant ACTION = keccak256("action");
    uint256 private constant NO_LIMIT = type(uint256).max;

    Upgrade private u;

    function setUp() public {
        _launch(10, 10);
        _fund(ALICE);
        address code = address(new WalrusSystemNext(system.wiring(), system.parameters()));
        u = Upgrade(address(system), code, abi.encodeCall(WalrusSystemNext.migrate, (7)), 0);
    }

    // ----- Approval of the nodes

    function test_approve_reachesTheQuorumOnce() public {
        _approveByNodes(ACTION, 6);
        assertFalse(gate.isApproved(ACTION));
        uint64 until = uint64(block.timestamp) + 14 days;
        vm.expectEmit(address(gate));
        emit IUpgradeGate.ActionApproved(ACTION, 7, 1, 7);
        vm.expectEmit(address(gate));
        emit IUpgradeGate.QuorumReached(ACTION, until);
        vm.prank(_operator(7));
        gate.approve(7, ACTION);
        assertTrue(gate.isApproved(ACTION));
        // Later approvals of the same epoch do not prolong it.
        skip(1 days);
        vm.prank(_operator(8));
        gate.approve(8, ACTION);
        Approval memory a = gate.approval(ACTION);
        assertEq(a.weight, 8);
        assertEq(a.approvedUntil, until);
        vm.warp(until - 1);
        assertTrue(gate.isApproved(ACTION));
        vm.warp(until);
        assertFalse(gate.isApproved(ACTION));
    }

    /// Approvals of one epoch do not add to those of the next, whose committee may be another one.
    function test_approve_countsAfreshInEachEpoch() public {
        _approveByNodes(ACTION, 6);
        _nextEpoch(_equalSeats(10, 10));
        vm.prank(_operator(7));
        gate.approve(7, ACTION);
        assertEq(gate.approval(ACTION).weight, 1);
        assertFalse(gate.isApproved(ACTION));
        _approveByNodes(ACTION, 6);
        assertTrue(gate.isApproved(ACTION));
        // And it outlives the epoch in which it was given.
        _nextEpoch(_equalSeats(10, 10));
        assertTrue(gate.isApproved(ACTION));
    }

    function test_approve_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IUpgradeGate.NotNodeGovernance.selector, 1, ALICE));
        vm.prank(ALICE);
        gate.approve(1, ACTION);
        _approveByNodes(ACTION, 1);
        vm.expectRevert(abi.encodeWithSelector(IUpgradeGate.AlreadyApproved.selector, ACTION, 1));
        vm.prank(_operator(1));
        gate.approve(1, ACTION);
        _register(11);
        vm.expectRevert(abi.encodeWithSelector(IUpgradeGate.NotMember.selector, 11));
        vm.prank(_operator(11));
        gate.approve(11, ACTION);
        _deploy(_parameters(10));
        _register(1);
        vm.expectRevert(abi.encodeWithSelector(IUpgradeGate.NotMember.selector, 1));
        vm.prank(_operator(1));
        gate.approve(1, ACTION);
    }

    // ----- Upgrades

    function test_attack_upgradeWithoutEitherHalf() public {
        bytes32 id = gate.upgradeId(u);
        // Neither a stranger nor a single node, nor the nodes alone.
        _approveByNodes(id, 10);
        vm.expectRevert(abi.encodeWithSelector(IUpgradeGate.NotTimelockOrGuardian.selector, ALICE));
        vm.prank(ALICE);
        gate.execute(u);
        // Nor the token holders alone.
        u.nonce = 0;
        u.data = abi.encodeCall(WalrusSystemNext.migrate, (8));
        bytes32 other = gate.upgradeId(u);
        vm.expectRevert(abi.encodeWithSelector(IUpgradeGate.NotApprovedByNodes.selector, other));
        vm.prank(address(timelock));
        gate.execute(u);
        vm.expectRevert(abi.encodeWithSelector(IUpgradeGate.NotApprovedByNodes.selector, other));
        vm.prank(GUARDIAN);
        gate.execute(u);
    }

    /// An approved upgrade cannot be given another initialiser, and none is executed twice.
    function test_attack_upgradeWithOtherDataAndReplay() public {
        _approveByNodes(gate.upgradeId(u), 7);
        Upgrade memory changed = u;
        changed.data = abi.encodeCall(WalrusSystemNext.migrate, (666));
        bytes32 changedId = gate.upgradeId(changed);
        vm.expectRevert(abi.encodeWithSelector(IUpgradeGate.NotApprovedByNodes.selector, changedId));
        vm.prank(address(timelock));
        gate.execute(changed);
        changed.data = "";
        changedId = gate.upgradeId(changed);
        vm.expectRevert(abi.encodeWithSelector(IUpgradeGate.NotApprovedByNodes.selector, changedId));
        vm.prank(address(timelock));
        gate.execute(changed);

        vm.prank(address(timelock));
        gate.execute(u);
        assertEq(WalrusSystemNext(address(system)).migrations(), 7);
        assertEq(gate.nonceOf(address(system)), 1);
        vm.expectRevert(abi.encodeWithSelector(IUpgradeGate.WrongNonce.selector, 0, 1));
        vm.prank(address(timelock));
        gate.execute(u);
    }

    /// Two upgrades are approved; once the newer one is in, the older one cannot undo it.
    function test_attack_oldApprovalAfterANewerUpgrade() public {
        Upgrade memory older = u;
        Upgrade memory newer = Upgrade(u.proxy, address(new WalrusSystemNext(lens.wiring(), lens.parameters())), "", 0);
        _approveByNodes(gate.upgradeId(older), 7);
        _approveByNodes(gate.upgradeId(newer), 7);
        vm.startPrank(address(timelock));
        gate.execute(newer);
        vm.expectRevert(abi.encodeWithSelector(IUpgradeGate.WrongNonce.selector, 0, 1));
        gate.execute(older);
        // A nonce that lies ahead is refused as well.
        older.nonce = 2;
        vm.expectRevert(abi.encodeWithSelector(IUpgradeGate.WrongNonce.selector, 2, 1));
        gate.execute(older);
    }

    /// What was approved is the code, not the address.
    function test_attack_otherCodeAtTheApprovedAddress() public {
        _approveByNodes(gate.upgradeId(u), 7);
        vm.etch(u.implementation, address(system).code);
        bytes32 changedId = gate.upgradeId(u);
        vm.expectRevert(abi.encodeWithSelector(IUpgradeGate.NotApprovedByNodes.selector, changedId));
        vm.prank(address(timelock));
        gate.execute(u);
    }

    function test_execute_onlyWhileTheApprovalHolds() public {
        bytes32 id = gate.upgradeId(u);
        _approveByNodes(id, 7);
        skip(14 days);
        vm.expectRevert(abi.encodeWithSelector(IUpgradeGate.NotApprovedByNodes.selector, id));
        vm.prank(address(timelock));
        gate.execute(u);
    }

    // ----- The guardian

    function test_guardian_upgradesOnlyWithTheNodes() public {
        _approveByNodes(gate.upgradeId(u), 7);
        vm.expectEmit(address(gate));
        emit IUpgradeGate.Upgraded(address(system), u.implementation, gate.upgradeId(u));
        vm.prank(GUARDIAN);
        gate.execute(u);
    }

    /// The office ends at a fixed time, whatever the epochs do, and by resignation.
    function test_guardian_goes() public {
        _approveByNodes(gate.upgradeId(u), 7);
        (address who, uint64 expiry) = gate.guardian();
        assertEq(who, GUARDIAN);
        uint256 snapshot = vm.snapshotState();
        vm.expectRevert(abi.encodeWithSelector(IUpgradeGate.NotGuardian.selector, ALICE));
        vm.prank(ALICE);
        gate.renounceGuardian();
        vm.expectEmit(address(gate));
        emit IUpgradeGate.GuardianRenounced();
        vm.prank(GUARDIAN);
        gate.renounceGuardian();
        _assertGuardianPowerless();
        vm.revertToState(snapshot);
        vm.warp(expiry);
        _assertGuardianPowerless();
    }

    function test_pause_stopsSalesOnlyAndNotForLong() public {
        uint256 certified = _certifiedBlob(ALICE, keccak256("a"), true, 9);
        uint256 registered = _registerBlob(ALICE, keccak256("b"), false, 9);
        vm.prank(ALICE);
        (uint256 id,) = system.buy(1 << 20, 1, 3, NO_LIMIT, ALICE);
        uint256 position = _stake(1, 5e9);
        vm.prank(GUARDIAN);
        gate.pause();
        assertTrue(gate.isPaused());
        vm.startPrank(ALICE);
        vm.expectRevert(IWalrusSystem.SalesPaused.selector);
        system.buy(1 << 20, 1, 2, NO_LIMIT, ALICE);
        vm.expectRevert(IWalrusSystem.SalesPaused.selector);
        system.register(_args(keccak256("c"), 1 << 20, false, ALICE));
        vm.expectRevert(IWalrusSystem.SalesPaused.selector);
        system.buyAndRegister(_args(keccak256("c"), 1 << 20, false, ALICE), 2, NO_LIMIT);
        vm.stopPrank();
        wal.approve(address(staking), NO_LIMIT);
        vm.expectRevert(IStaking.StakingPaused.selector);
        staking.stake(1, 1000e9, address(this));
        // All the rest goes on: what people own, what they were promised, and the epochs.
        system.certify(registered, _certificate(_confirmation(registered), 0x3ff));
        vm.startPrank(ALICE);
        system.extend(certified, 1, NO_LIMIT);
        capacity.splitByEpoch(id, 2, 5);
        capacity.safeTransferFrom(ALICE, BOB, id, 1, "");
        system.addSubsidy(10, 1);
        system.deleteBlob(certified, ALICE);
        system.burn(registered);
        vm.stopPrank();
        staking.withdraw(position, address(this));
        _nextEpoch(_equalSeats(10, 10));
        vm.warp(block.timestamp + 14 days);
        assertFalse(gate.isPaused());
        vm.prank(ALICE);
        system.buy(1 << 20, 2, 3, NO_LIMIT, ALICE);
    }

    function test_attack_guardianPausesAgainAndAgain() public {
        uint64 start = uint64(block.timestamp);
        vm.startPrank(GUARDIAN);
        vm.expectEmit(address(gate));
        emit IUpgradeGate.Paused(start + 14 days);
        gate.pause();
        (uint64 until, uint64 next) = gate.pausedUntil();
        assertEq(until, start + 14 days);
        assertEq(next, start + 90 days);
        // Lifting a pause does not buy another one.
        vm.expectEmit(address(gate));
        emit IUpgradeGate.Unpaused();
        gate.unpause();
        assertFalse(gate.isPaused());
        vm.warp(start + 90 days - 1);
        vm.expectRevert(abi.encodeWithSelector(IUpgradeGate.PausedRecently.selector, start + 90 days));
        gate.pause();
        vm.warp(start + 90 days);
        gate.pause();
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(IUpgradeGate.NotTimelockOrGuardian.selector, ALICE));
        vm.prank(ALICE);
        gate.unpause();
        vm.prank(address(timelock));
        gate.unpause();
        assertFalse(gate.isPaused());
    }

    /// Whatever the guardian calls, no money, blob, parameter or code moves by it alone.
    function test_attack_guardianAbuse() public {
        uint256 blob = _certifiedBlob(ALICE, keccak256("a"), true, 9);
        vm.startPrank(GUARDIAN);
        vm.expectRevert();
        system.upgradeToAndCall(u.implementation, "");
        vm.expectRevert();
        params.set("challengeMode", 2, 2);
        vm.expectRevert();
        system.deleteBlob(blob, GUARDIAN);
        vm.expectRevert();
        system.advanceEpoch(1, true);
        bytes32 id = gate.forceSyncedId(1);
        vm.expectRevert(abi.encodeWithSelector(IUpgradeGate.NotApprovedByNodes.selector, id));
        gate.forceSynced();
    }

    function test_deployment_withoutAGuardian() public {
        UpgradeGate without = new UpgradeGate(lens.wiring(), lens.parameters(), address(0), type(uint64).max);
        (address who,) = without.guardian();
        assertEq(who, address(0));
        vm.expectRevert(abi.encodeWithSelector(IUpgradeGate.NotGuardian.selector, GUARDIAN));
        vm.prank(GUARDIAN);
        without.pause();
    }

    function _assertGuardianPowerless() private {
        (address who,) = gate.guardian();
        assertEq(who, address(0));
        vm.startPrank(GUARDIAN);
        vm.expectRevert(abi.encodeWithSelector(IUpgradeGate.NotGuardian.selector, GUARDIAN));
        gate.pause();
        vm.expectRevert(abi.encodeWithSelector(IUpgradeGate.NotGuardian.selector, GUARDIAN));
        gate.forceSynced();
        vm.expectRevert(abi.encodeWithSelector(IUpgradeGate.NotTimelockOrGuardian.selector, GUARDIAN));
        gate.execute(u);
        vm.stopPrank();
    }
}
