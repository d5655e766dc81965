// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { WalrusLens } from "src/WalrusLens.sol";
import { IWalrusLens } from "src/interfaces/IWalrusLens.sol";
import { IWired } from "src/interfaces/IWired.sol";
import { Intent } from "src/libraries/Intent.sol";
import { BlobRecord } from "src/types/Blob.sol";
import { BlobView, EpochBooks, GovernanceInfo, Holding, PositionView } from "src/types/Lens.sol";
import { NodeInfo, PoolInfo } from "src/types/Node.sol";
import { ReferenceView, Target } from "src/types/Reference.sol";
import { Parameters, Wiring } from "src/types/Wiring.sol";
import { Base } from "./Base.t.sol";

contract WalrusLensTest is Base {
    function setUp() public {
        _launch(10, 10);
        _fund(ALICE);
    }

    function test_blobs_pagesThroughAllRecords() public {
        for (uint256 i = 0; i < 5; ++i) {
            _registerBlob(ALICE, keccak256(abi.encode(i)), i % 2 == 0, 5);
        }
        vm.prank(ALICE);
        system.burn(2);
        BlobRecord[] memory page = lens.blobs(1, 3);
        assertEq(page.length, 3);
        assertEq(abi.encode(page[1]), abi.encode(blobs.record(2)), "a burned token keeps its record");
        page = lens.blobs(4, 100);
        assertEq(page.length, 2);
        assertEq(abi.encode(page[1]), abi.encode(blobs.record(5)));
        assertEq(lens.blobs(6, 1).length, 0);
        assertEq(lens.blobs(0, 1).length, 0);
        assertEq(lens.blobs(1, type(uint256).max).length, 5);
    }

    function test_blobViews_addWhatTheRecordDoesNotSay() public {
        uint256 live = _certifiedBlob(ALICE, keccak256("a"), false, 5);
        uint256 burned = _certifiedBlob(ALICE, keccak256("a"), false, 9);
        uint256 deleted = _certifiedBlob(ALICE, keccak256("b"), true, 9);
        bytes32 bad = blobs.record(deleted).blobId;
        system.invalidateBlobId(bad, _certificate(Intent.invalidBlobId(1, committees.domain(), bad), 0xf));
        vm.startPrank(ALICE);
        system.burn(burned);
        system.deleteBlob(deleted, ALICE);
        vm.stopPrank();
        BlobView[] memory page = lens.blobViews(1, 10);
        assertEq(page.length, 3);
        assertEq(page[0].tokenId, live);
        assertEq(page[0].owner, ALICE);
        assertEq(page[0].liveUntil, 10, "of the longer token of the same id");
        assertEq(page[0].record.endEpoch, 6);
        assertEq(page[1].owner, address(0));
        assertEq(page[2].owner, address(0));
        assertTrue(page[2].invalid);
        assertFalse(page[0].invalid);
        assertEq(lens.blobViews(4, 1).length, 0);
    }

    function test_references_pagesThroughAll() public {
        uint256 token = _certifiedBlob(ALICE, keccak256("a"), false, 5);
        bytes32 blobId = blobs.record(token).blobId;
        references.mint(ALICE, Target(blobId, uint64(token), 3));
        references.mint(BOB, Target(keccak256("nothing"), 0, 0));
        ReferenceView[] memory page = lens.references(1, 10);
        assertEq(page.length, 2);
        assertEq(page[0].owner, ALICE);
        assertEq(page[0].record.patch, 3);
        assertEq(page[0].endEpoch, 6);
        assertTrue(page[0].available);
        assertEq(page[1].owner, BOB);
        assertFalse(page[1].available);
        assertEq(lens.references(2, 10).length, 1);
        assertEq(lens.overview().referenceCount, 2);
    }

    function test_books_showEveryEpochOfTheWindow() public {
        _registerBlob(ALICE, keccak256("a"), false, 5);
        EpochBooks[] memory page = lens.books();
        assertEq(page.length, 53);
        for (uint32 i = 0; i < page.length; ++i) {
            assertEq(page[i].epoch, 1 + i);
            assertEq(page[i].usedCapacity, system.usedCapacity(1 + i));
            assertEq(page[i].rewards, system.rewardsOf(1 + i));
        }
        assertGt(page[4].usedCapacity, 0);
        assertEq(page[5].usedCapacity, 0);
    }

    /// Everything an account holds is found: bought now, bought for later, split, and of a start that has passed.
    function test_holdings_findsEveryClass() public {
        vm.startPrank(ALICE);
        (uint256 first,) = system.buy(1 << 20, 1, 54, type(uint256).max, ALICE);
        system.buy(2 << 20, 50, 54, type(uint256).max, ALICE);
        system.buy(3 << 20, 1, 2, type(uint256).max, ALICE);
        capacity.splitByEpoch(first, 9, 1000);
        vm.stopPrank();
        assertEq(lens.holdings(ALICE).length, 5);
        _nextEpoch(_equalSeats(10, 10));
        Holding[] memory found = lens.holdings(ALICE);
        assertEq(found.length, 4, "without the expired one");
        uint256 sum = 0;
        for (uint256 i = 0; i < found.length; ++i) {
            assertEq(found[i].amount, capacity.balanceOf(ALICE, found[i].capacityId));
            assertEq(found[i].capacityId, capacity.classOf(found[i].start, found[i].end));
            sum += found[i].amount;
        }
        assertEq(sum, (3 << 20) + 1000);
        assertEq(lens.holdings(BOB).length, 0);
    }

    function test_params_andGovernance() public {
        assertEq(lens.params().length, params.all().length);
        vm.prank(GUARDIAN);
        gate.pause();
        GovernanceInfo memory g = lens.governance();
        assertEq(g.guardian, GUARDIAN);
        assertEq(g.pausedUntil, block.timestamp + 14 days);
        assertEq(g.nextPauseAt, block.timestamp + 90 days);
        assertEq(g.votingDelay, 1 days);
        assertEq(g.votingPeriod, 5 days);
        assertEq(g.timelockDelay, 2 days);
        assertEq(g.proposalThreshold, 5e15);
        assertEq(g.quorum, 2e17);
        assertTrue(lens.overview().paused);
    }

    function test_nodes_pagesThroughAllNodes() public view {
        NodeInfo[] memory page = lens.nodes(9, 10);
        assertEq(page.length, 2);
        assertEq(abi.encode(page[1]), abi.encode(staking.node(10)));
    }

    function test_overview_agreesWithTheContracts() public {
        _certifiedBlob(ALICE, keccak256("a"), false, 5);
        IWalrusLens.Overview memory o = lens.overview();
        assertEq(o.wiring.system, address(system));
        assertEq(o.parameters.nShards, 10);
        assertEq(o.clock.epoch, 1);
        assertEq(o.storagePrice, STORAGE_PRICE);
        assertEq(o.writePrice, WRITE_PRICE);
        assertEq(o.usedCapacity, system.usedCapacity(1));
        assertEq(o.totalCapacity, 1e13);
        assertEq(o.domain, committees.domain());
        assertEq(o.blobCount, 1);
        assertEq(o.certifiedCount, 1);
        assertEq(o.nodeCount, 10);
        assertEq(abi.encode(lens.committee(1)), abi.encode(committees.committee(1)));
        assertEq(abi.encode(lens.challenge(1)), abi.encode(challenges.challenge(1)));
        assertEq(challenges.randomness(), address(randomness));
    }

    function test_poolsAndPositions_pageThroughAll() public {
        assertEq(lens.overview().positionCount, 10);
        PoolInfo[] memory pools = lens.pools(9, 10);
        assertEq(pools.length, 2);
        assertEq(abi.encode(pools[1]), abi.encode(staking.pool(10)));
        uint256 gone = _stake(3, 5e9);
        uint256 last = _stake(3, 6e9);
        staking.withdraw(gone, address(this));
        PositionView[] memory page = lens.positions(10, 100);
        assertEq(page.length, 3);
        assertEq(page[0].owner, address(this));
        assertEq(abi.encode(page[0].position), abi.encode(staking.position(10)));
        assertEq(page[1].positionId, gone);
        assertEq(page[1].owner, address(0), "withdrawn");
        assertEq(page[1].position.principal, 0);
        assertEq(page[2].position.principal, 6e9);
        assertEq(lens.positions(last + 1, 1).length, 0);
    }

    /// A network with parameters out of bounds would fail later, where nobody expects it: no contract of it comes to be.
    function test_constructor_refusesParametersOutOfBounds() public {
        Parameters[7] memory bad;
        for (uint256 i = 0; i < bad.length; ++i) {
            bad[i] = _parameters(10);
        }
        bad[0].nShards = 3;
        bad[1].nShards = 24_576;
        bad[2].maxEpochsAhead = 61;
        bad[3].epochDuration = 3;
        bad[4].maxCommittee = 256;
        bad[5].minNodes = 151;
        bad[6].minNodes = 0;
        for (uint256 i = 0; i < bad.length; ++i) {
            vm.expectPartialRevert(IWired.ParameterOutOfBounds.selector);
            this.deployLens(bad[i]);
        }
        this.deployLens(_parameters(24_575));
    }

    /// For expectRevert, which needs one call.
    function deployLens(Parameters memory p) external {
        new WalrusLens(lens.wiring(), p);
    }

    function test_checkWiring_noticesDisagreement() public {
        Wiring memory w = lens.wiring();
        Parameters memory p = lens.parameters();
        p.nShards = 11;
        WalrusLens other = new WalrusLens(w, p);
        vm.expectRevert(abi.encodeWithSelector(IWalrusLens.WiringBroken.selector, address(system)));
        other.checkWiring();
        p.nShards = 10;
        w.staking = ALICE;
        other = new WalrusLens(w, p);
        vm.expectRevert(abi.encodeWithSelector(IWalrusLens.WiringBroken.selector, address(system)));
        other.checkWiring();
    }

    /// No slot of the wiring can be wrong without notice.
    function test_checkWiring_looksAtEverySlot() public {
        Parameters memory p = lens.parameters();
        bytes memory words = abi.encode(lens.wiring());
        for (uint256 i = 0; i < words.length / 32; ++i) {
            bytes memory changed = bytes.concat(words);
            assembly {
                mstore(add(changed, mul(add(i, 1), 0x20)), 0xdead)
            }
            WalrusLens other = new WalrusLens(abi.decode(changed, (Wiring)), p);
            vm.expectPartialRevert(IWalrusLens.WiringBroken.selector);
            other.checkWiring();
        }
        address[5] memory plain =
            [address(wal), address(references), address(timelock), address(governor), address(gate)];
        for (uint256 i = 0; i < plain.length; ++i) {
            uint256 snapshot = vm.snapshotState();
            vm.etch(plain[i], "");
            vm.expectRevert(abi.encodeWithSelector(IWalrusLens.WiringBroken.selector, plain[i]));
            lens.checkWiring();
            vm.revertToState(snapshot);
        }
    }
}
