// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IGovernor } from "@openzeppelin/contracts/governance/IGovernor.sol";
import { IEpochManager } from "src/interfaces/IEpochManager.sol";
import { IParamRegistry } from "src/interfaces/IParamRegistry.sol";
import { IUpgradeGate } from "src/interfaces/IUpgradeGate.sol";
import { EpochState } from "src/types/Epoch.sol";
import { ParamKeys } from "src/types/Param.sol";
import { Upgrade } from "src/types/Upgrade.sol";
import { BlobRecord } from "src/types/Blob.sol";
import { GovernanceBase } from "./utils/GovernanceBase.sol";
import { WalrusSystemNext } from "./utils/WalrusSystemNext.sol";

contract WalrusGovernorTest is GovernanceBase {
    uint256 private constant SUPPLY = 5e18;

    address private immutable WHALE = makeAddr("whale");

    function setUp() public {
        _launch(10, 10);
        _fund(ALICE);
    }

    // ----- Votes

    function test_settings_areThoseOfTheDesign() public view {
        assertEq(governor.votingDelay(), 1 days);
        assertEq(governor.votingPeriod(), 5 days);
        assertEq(governor.proposalThreshold(), SUPPLY / 1000);
        assertEq(governor.quorum(block.timestamp - 1), SUPPLY / 25);
        assertEq(governor.CLOCK_MODE(), "mode=timestamp");
        assertEq(governor.clock(), block.timestamp);
        assertEq(timelock.getMinDelay(), 2 days);
        assertEq(lens.governance().timelockDelay, 2 days);
        assertEq(lens.governance().quorum, SUPPLY / 25);
        assertEq(lens.governance().guardian, GUARDIAN);
    }

    /// A decision within the bounds of a parameter needs the token holders only, and goes all the way.
    function test_proposal_setsAParameter() public {
        _voter(WHALE, SUPPLY / 25);
        bytes memory data = _setMode(1, 50);
        uint256 id = _propose(WHALE, address(params), data);
        _assertState(id, IGovernor.ProposalState.Pending);
        _voteFor(WHALE, id);
        _assertState(id, IGovernor.ProposalState.Succeeded);
        assertTrue(governor.proposalNeedsQueuing(id));
        _queue(address(params), data);
        _assertState(id, IGovernor.ProposalState.Queued);
        vm.warp(governor.proposalEta(id) - 1);
        vm.expectRevert();
        this.execute(address(params), data);
        vm.warp(governor.proposalEta(id));
        _execute(address(params), data);
        _assertState(id, IGovernor.ProposalState.Executed);
        assertEq(params.valueAt(ParamKeys.CHALLENGE_MODE, 50), 1);
    }

    function test_proposal_needsThresholdAndQuorum() public {
        _voter(WHALE, SUPPLY / 25 - 1);
        _voter(BOB, SUPPLY / 1000 - 1);
        bytes memory data = _setMode(1, 50);
        vm.expectRevert(
            abi.encodeWithSelector(
                IGovernor.GovernorInsufficientProposerVotes.selector, BOB, SUPPLY / 1000 - 1, SUPPLY / 1000
            )
        );
        this.propose(BOB, address(params), data);
        uint256 id = _propose(WHALE, address(params), data);
        _voteFor(WHALE, id);
        _assertState(id, IGovernor.ProposalState.Defeated);
        vm.expectRevert();
        this.queue(address(params), data);
    }

    /// Who proposed may take it back before the vote begins, and nobody else.
    function test_proposal_isCancelledByItsProposerOnly() public {
        _voter(WHALE, SUPPLY / 10);
        bytes memory data = _setMode(1, 50);
        uint256 id = _propose(WHALE, address(params), data);
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorUnableToCancel.selector, id, BOB));
        this.cancel(BOB, address(params), data);
        this.cancel(WHALE, address(params), data);
        _assertState(id, IGovernor.ProposalState.Canceled);
    }

    /// Staked WAL votes as well, and no WAL votes twice.
    function test_votes_stakedWalCountsOnce() public {
        uint256 amount = SUPPLY / 25;
        _voter(WHALE, amount + 1e9);
        vm.startPrank(WHALE);
        wal.approve(address(staking), amount);
        uint256 position = staking.stake(1, amount, WHALE);
        skip(1);
        assertEq(governor.getVotes(WHALE, _past()), 1e9, "staked, and not delegated yet");
        staking.delegate(WHALE);
        skip(1);
        assertEq(governor.getVotes(WHALE, _past()), amount + 1e9, "once from either source");
        vm.stopPrank();
        bytes memory data = _setMode(1, 50);
        uint256 id = _propose(WHALE, address(params), data);
        vm.warp(governor.proposalSnapshot(id) + 1);
        // The position is sold after the snapshot: the vote stays with who had it.
        vm.startPrank(WHALE);
        staking.transferFrom(WHALE, BOB, position);
        assertEq(governor.castVote(id, 1), amount + 1e9);
        vm.stopPrank();
        vm.prank(BOB);
        staking.delegate(BOB);
        vm.prank(BOB);
        assertEq(governor.castVote(id, 0), 0);
        vm.warp(governor.proposalDeadline(id) + 1);
        _assertState(id, IGovernor.ProposalState.Succeeded);
        assertEq(governor.getVotes(BOB, _past()), amount, "and goes with the position from then on");
    }

    /// WAL held by `Staking` and `WalrusSystem` never votes.
    function test_votes_contractsDoNotVote() public {
        _registerBlob(ALICE, keccak256("a"), false, 50);
        skip(1);
        assertEq(governor.getVotes(address(staking), _past()), 0);
        assertEq(governor.getVotes(address(system), _past()), 0);
    }

    /// WAL bought after the snapshot does not vote.
    function test_attack_votesBorrowedAfterTheSnapshot() public {
        _voter(WHALE, SUPPLY / 1000);
        uint256 id = _propose(WHALE, address(params), _setMode(1, 50));
        vm.warp(governor.proposalSnapshot(id) + 1);
        _voter(BOB, SUPPLY / 2);
        vm.prank(BOB);
        assertEq(governor.castVote(id, 1), 0);
        vm.warp(governor.proposalDeadline(id) + 1);
        _assertState(id, IGovernor.ProposalState.Defeated);
    }

    function test_proposal_outOfBoundsFailsAtExecution() public {
        _voter(WHALE, SUPPLY / 2);
        bytes memory data = abi.encodeCall(IParamRegistry.set, (ParamKeys.MAX_SLASH_BP, 10_000, 50));
        _passUntilExecutable(WHALE, address(params), data);
        vm.expectRevert(
            abi.encodeWithSelector(IParamRegistry.ParamOutOfBounds.selector, ParamKeys.MAX_SLASH_BP, 10_000, 0, 3000)
        );
        this.execute(address(params), data);
    }

    /// Nobody but the governor can use the timelock, and nobody holds a role over it.
    function test_timelock_hasNoOutsideMaster() public {
        bytes32 proposer = timelock.PROPOSER_ROLE();
        address[5] memory others = [address(this), GUARDIAN, ALICE, address(gate), address(0)];
        for (uint256 i = 0; i < others.length; ++i) {
            assertFalse(timelock.hasRole(proposer, others[i]));
            assertFalse(timelock.hasRole(timelock.CANCELLER_ROLE(), others[i]));
            assertFalse(timelock.hasRole(timelock.DEFAULT_ADMIN_ROLE(), others[i]));
        }
        vm.expectRevert();
        timelock.schedule(address(params), 0, _setMode(1, 50), 0, 0, 2 days);
    }

    // ----- Upgrades need both halves

    /// The rehearsal: a live network, upgraded by vote and by nodes, keeps everything it had.
    function test_upgrade_ofALiveNetworkKeepsItsState() public {
        _voter(WHALE, SUPPLY / 20);
        uint256 permanent = _certifiedBlob(ALICE, keccak256("permanent"), false, 40);
        uint256 deletable = _certifiedBlob(ALICE, keccak256("deletable"), true, 40);
        vm.startPrank(ALICE);
        (uint256 id,) = system.buy(50 << 20, 3, 30, type(uint256).max, ALICE);
        system.setAttribute(permanent, "type", "text/plain");
        system.addSubsidy(1000e9, 20);
        vm.stopPrank();
        bytes32 before = _fingerprint();

        Upgrade memory u = _upgrade();
        bytes memory data = _upgradeCall(u);
        _passUntilExecutable(WHALE, address(gate), data);
        bytes32 actionId = gate.upgradeId(u);
        vm.expectRevert(abi.encodeWithSelector(IUpgradeGate.NotApprovedByNodes.selector, actionId));
        this.execute(address(gate), data);
        _approveByNodes(actionId, 7);
        _execute(address(gate), data);

        assertEq(WalrusSystemNext(address(system)).migrations(), 7, "the new code runs, initialised");
        assertEq(_fingerprint(), before, "and nothing else changed");
        vm.expectRevert(bytes4(keccak256("InvalidInitialization()")));
        WalrusSystemNext(address(system)).migrate(8);
        // Life goes on: epochs, extension, capacity, deletion, rewards.
        _nextEpoch(_equalSeats(10, 10));
        vm.startPrank(ALICE);
        system.extend(permanent, 2, type(uint256).max);
        capacity.splitByEpoch(id, 9, 1 << 20);
        uint256 rest = system.deleteBlob(deletable, ALICE);
        assertEq(rest, uint256(2) << 32 | 41);
        system.buyAndRegister(_args(keccak256("new"), 1000, false, ALICE), 2, type(uint256).max);
        lens.checkWiring();
    }

    /// Every proxy accepts an upgrade from the gate and from nobody else.
    function test_upgrade_everyProxyListensToTheGateOnly() public {
        address[5] memory proxies =
            [address(system), address(staking), address(committees), address(epochManager), address(params)];
        for (uint256 i = 0; i < proxies.length; ++i) {
            bytes32 slot = 0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc;
            address code = address(uint160(uint256(vm.load(proxies[i], slot))));
            Upgrade memory u = Upgrade(proxies[i], code, "", 0);
            vm.expectRevert();
            vm.prank(address(timelock));
            WalrusSystemNext(proxies[i]).upgradeToAndCall(code, "");
            _approveByNodes(gate.upgradeId(u), 7);
            vm.prank(GUARDIAN);
            gate.execute(u);
            assertEq(gate.nonceOf(proxies[i]), 1);
        }
    }

    // ----- Deadlocks

    /// The nodes do not answer: the token holders alone cannot change the code, only parameters.
    function test_deadlock_nodeHalfMissing() public {
        _voter(WHALE, SUPPLY / 2);
        Upgrade memory u = _upgrade();
        bytes32 actionId = gate.upgradeId(u);
        bytes memory data = _upgradeCall(u);
        uint256 id = _passUntilExecutable(WHALE, address(gate), data);
        _approveByNodes(actionId, 6);
        vm.expectRevert(abi.encodeWithSelector(IUpgradeGate.NotApprovedByNodes.selector, actionId));
        this.execute(address(gate), data);
        _assertState(id, IGovernor.ProposalState.Queued);
        // It waits: once the nodes come round, nobody need vote again.
        skip(30 days);
        vm.prank(_operator(7));
        gate.approve(7, actionId);
        _execute(address(gate), data);
    }

    /// The token holders do not turn up: the nodes get an upgrade through with the guardian, as long as there is one.
    function test_deadlock_tokenHalfMissing() public {
        _voter(WHALE, SUPPLY / 100);
        Upgrade memory u = _upgrade();
        uint256 id = _propose(WHALE, address(gate), _upgradeCall(u));
        _voteFor(WHALE, id);
        _assertState(id, IGovernor.ProposalState.Defeated);
        _approveByNodes(gate.upgradeId(u), 7);
        vm.prank(GUARDIAN);
        gate.execute(u);
        assertEq(WalrusSystemNext(address(system)).migrations(), 7);
    }

    /// The guardian is gone and no turnout: nothing changes any more, and the network goes on as it is.
    function test_deadlock_guardianGone() public {
        vm.prank(GUARDIAN);
        gate.renounceGuardian();
        Upgrade memory u = _upgrade();
        _approveByNodes(gate.upgradeId(u), 10);
        vm.expectRevert(abi.encodeWithSelector(IUpgradeGate.NotTimelockOrGuardian.selector, GUARDIAN));
        vm.prank(GUARDIAN);
        gate.execute(u);
        uint256 tokenId = _certifiedBlob(ALICE, keccak256("a"), true, 5);
        _nextEpoch(_equalSeats(10, 10));
        vm.prank(ALICE);
        system.deleteBlob(tokenId, ALICE);
        // Turnout brings it back to life.
        _voter(WHALE, SUPPLY / 20);
        bytes memory data = _upgradeCall(u);
        _passUntilExecutable(WHALE, address(gate), data);
        _approveByNodes(gate.upgradeId(u), 10);
        _execute(address(gate), data);
    }

    /// A stuck Sync: by vote, or by guardian and nodes; never early, never by one of them alone.
    function test_forceSynced_byVoteOrByGuardianWithTheNodes() public {
        _voter(WHALE, SUPPLY / 20);
        _settleAll();
        _warpTo(epochManager.clock().selectableAt);
        epochManager.selectCommittee(_equalSeats(10, 10));
        _warpTo(epochManager.clock().startableAt);
        epochManager.startEpoch();
        uint256 snapshot = vm.snapshotState();

        bytes memory data = abi.encodeCall(epochManager.forceSynced, ());
        _passUntilExecutable(WHALE, address(epochManager), data);
        _execute(address(epochManager), data);
        assertEq(uint8(epochManager.clock().state), uint8(EpochState.Done));

        vm.revertToState(snapshot);
        _approveByNodes(gate.forceSyncedId(2), 7);
        uint64 earliest = epochManager.clock().startedAt + 2 * D + 1;
        vm.warp(earliest - 1);
        vm.expectRevert(abi.encodeWithSelector(IEpochManager.TooEarly.selector, earliest - 1, earliest));
        vm.prank(GUARDIAN);
        gate.forceSynced();
        vm.warp(earliest);
        vm.expectRevert(abi.encodeWithSelector(IEpochManager.MayNotForce.selector, GUARDIAN));
        vm.prank(GUARDIAN);
        epochManager.forceSynced();
        vm.prank(GUARDIAN);
        gate.forceSynced();
        assertEq(uint8(epochManager.clock().state), uint8(EpochState.Done));
        _nextEpoch(_equalSeats(10, 10));
        assertEq(system.epoch(), 3);
    }

    // ----- For expectRevert, which needs one call

    function execute(address target, bytes memory data) external {
        _execute(target, data);
    }

    function cancel(address who, address target, bytes memory data) external {
        bytes[] memory calls = new bytes[](1);
        calls[0] = data;
        vm.prank(who);
        governor.cancel(_list(target), new uint256[](1), calls, keccak256(data));
    }

    function queue(address target, bytes memory data) external {
        _queue(target, data);
    }

    function propose(address who, address target, bytes memory data) external {
        _propose(who, target, data);
    }

    function _upgrade() private returns (Upgrade memory) {
        address code = address(new WalrusSystemNext(system.wiring(), system.parameters()));
        return Upgrade(address(system), code, abi.encodeCall(WalrusSystemNext.migrate, (7)), 0);
    }

    /// @dev The second before this one. Not `block.timestamp`, which the optimiser may have read before the last warp.
    function _past() private view returns (uint256) {
        return vm.getBlockTimestamp() - 1;
    }

    function _setMode(uint256 mode, uint32 from) private pure returns (bytes memory) {
        return abi.encodeCall(IParamRegistry.set, (ParamKeys.CHALLENGE_MODE, mode, from));
    }

    /// @dev Everything a user can see of the market.
    function _fingerprint() private view returns (bytes32) {
        (uint64 storagePrice, uint64 writePrice) = system.prices();
        (uint64 total, uint64 used) = system.capacity();
        BlobRecord[] memory records = lens.blobs(1, 100);
        bytes32[] memory ids = new bytes32[](records.length);
        for (uint256 i = 0; i < ids.length; ++i) {
            ids[i] = keccak256(
                abi.encode(records[i], system.liveUntil(records[i].blobId), system.isAvailable(records[i].blobId))
            );
        }
        bytes memory books = abi.encode(lens.books(), lens.holdings(ALICE), lens.params(), ids);
        return keccak256(
            abi.encode(books, storagePrice, writePrice, total, used, system.epoch(), wal.balanceOf(address(system)))
        );
    }
}
