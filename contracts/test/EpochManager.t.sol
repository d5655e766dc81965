// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IEpochManager } from "src/interfaces/IEpochManager.sol";
import { IWired } from "src/interfaces/IWired.sol";
import { Dhondt } from "src/libraries/Dhondt.sol";
import { EpochClock, EpochState } from "src/types/Epoch.sol";
import { Base } from "./Base.t.sol";

contract EpochManagerTest is Base {
    uint8 private constant SYNC = uint8(EpochState.Sync);
    uint8 private constant DONE = uint8(EpochState.Done);
    uint8 private constant SELECTED = uint8(EpochState.ParamsSelected);

    function setUp() public {
        _deploy(_parameters(10));
        for (uint32 i = 1; i <= 5; ++i) {
            _register(i);
        }
    }

    // ----- Genesis

    function test_initialState_isDoneInEpochZero() public view {
        EpochClock memory c = epochManager.clock();
        assertEq(c.epoch, 0);
        assertEq(uint8(c.state), DONE);
        assertEq(c.selectableAt, FIRST_START);
        (uint64 storagePrice, uint64 writePrice) = system.prices();
        assertEq(storagePrice, type(uint64).max);
        assertEq(writePrice, type(uint64).max);
        (uint64 total,) = system.capacity();
        assertEq(total, 0);
    }

    function test_genesis_revertsTooEarlyOrTooSmall() public {
        vm.expectRevert(abi.encodeWithSelector(IEpochManager.TooEarly.selector, uint64(block.timestamp), FIRST_START));
        epochManager.selectCommittee(new uint16[](0));
        for (uint32 i = 1; i <= 3; ++i) {
            _stake(i, 10e9);
        }
        vm.warp(FIRST_START);
        vm.expectRevert(abi.encodeWithSelector(IEpochManager.TooFewNodes.selector, 3, 4));
        epochManager.selectCommittee(_equalSeats(10, 3));
        vm.expectRevert(abi.encodeWithSelector(IEpochManager.WrongState.selector, DONE, SELECTED));
        epochManager.startEpoch();
    }

    function test_genesis_runsThroughAllStates() public {
        _stakeAll();
        uint16[] memory wrong = _equalSeats(10, 4);
        (wrong[0], wrong[3]) = (wrong[0] - 1, wrong[3] + 1);
        vm.expectRevert(abi.encodeWithSelector(Dhondt.NotApportioned.selector, 0, 3));
        epochManager.selectCommittee(wrong);

        epochManager.selectCommittee(_equalSeats(10, 4));
        assertEq(uint8(epochManager.clock().state), SELECTED);
        vm.expectRevert(abi.encodeWithSelector(IEpochManager.WrongState.selector, SELECTED, DONE));
        epochManager.selectCommittee(_equalSeats(10, 4));
        // 10^12 bytes for 3, 3, 2, 2 shards of 10: 10/3, 10/3, 5, 5 times; a quorum of 7 needs one of the threes.
        assertEq(epochManager.nextCapacity(), uint256(1e13) / 3);

        vm.expectEmit(address(epochManager));
        emit IEpochManager.EpochStarted(1, 0, 0);
        epochManager.startEpoch();
        assertEq(epochManager.epoch(), 1);
        assertEq(system.epoch(), 1);
        (uint64 total, uint64 used) = system.capacity();
        assertEq(total, uint256(1e13) / 3);
        assertEq(used, 0);

        _sync(1);
        _sync(2);
        assertEq(uint8(epochManager.clock().state), SYNC, "6 of 10 is no quorum");
        vm.expectEmit(address(epochManager));
        emit IEpochManager.SyncDone(1, 3);
        vm.expectEmit(address(epochManager));
        emit IEpochManager.EpochSynced(1);
        _sync(3);
        EpochClock memory c = epochManager.clock();
        assertEq(uint8(c.state), DONE);
        assertEq(c.doneAt, block.timestamp);
        assertEq(c.selectableAt, block.timestamp + D / 2);
        assertEq(c.startableAt, block.timestamp + D);
        _sync(4);
        assertTrue(epochManager.hasReported(4));
        assertEq(epochManager.clock().doneAt, c.doneAt, "late reports change nothing");
    }

    // ----- Sync done

    /// When stake counts, and who has reported: answers before the first epoch and about strangers too.
    function test_views_nextActivationAndReports() public {
        assertEq(epochManager.nextActivationEpoch(), 1);
        assertFalse(epochManager.hasReported(1), "nobody before the first epoch");
        _launch(10, 4);
        assertEq(epochManager.nextActivationEpoch(), 2);
        assertTrue(epochManager.hasReported(1));
        assertFalse(epochManager.hasReported(77));
        _settleAll();
        _warpTo(epochManager.clock().selectableAt);
        epochManager.selectCommittee(_equalSeats(10, 4));
        assertEq(epochManager.nextActivationEpoch(), 3, "the committee of epoch 2 is chosen");
        _warpTo(epochManager.clock().startableAt);
        epochManager.startEpoch();
        assertFalse(epochManager.hasReported(1), "each epoch anew");
    }

    function test_syncDone_reverts() public {
        _stakeAll();
        epochManager.selectCommittee(_equalSeats(10, 4));
        epochManager.startEpoch();
        vm.expectRevert(abi.encodeWithSelector(IEpochManager.WrongEpoch.selector, 0, 1));
        epochManager.syncDone(1, 0);
        vm.expectRevert(abi.encodeWithSelector(IEpochManager.NotOperator.selector, 1, address(this)));
        epochManager.syncDone(1, 1);
        vm.expectRevert(abi.encodeWithSelector(IEpochManager.NotMember.selector, 5));
        vm.prank(_operator(5));
        epochManager.syncDone(5, 1);
        _sync(1);
        vm.expectRevert(abi.encodeWithSelector(IEpochManager.AlreadyReported.selector, 1));
        vm.prank(_operator(1));
        epochManager.syncDone(1, 1);
    }

    // ----- Later epochs

    function test_nextEpoch_keepsToTheClock() public {
        _run();
        uint16[] memory seats = _equalSeats(10, 4);
        uint64 t0 = epochManager.clock().doneAt;
        vm.warp(t0 + D / 2 - 1);
        vm.expectRevert(abi.encodeWithSelector(IEpochManager.TooEarly.selector, t0 + D / 2 - 1, t0 + D / 2));
        epochManager.selectCommittee(seats);
        vm.warp(t0 + D / 2);
        epochManager.selectCommittee(seats);
        vm.warp(t0 + D - 1);
        vm.expectRevert(abi.encodeWithSelector(IEpochManager.TooEarly.selector, t0 + D - 1, t0 + D));
        epochManager.startEpoch();
        vm.warp(t0 + D);
        epochManager.startEpoch();
        assertEq(epochManager.epoch(), 2);
        assertEq(uint8(epochManager.clock().state), SYNC);
        vm.expectRevert(abi.encodeWithSelector(IEpochManager.WrongState.selector, SYNC, DONE));
        epochManager.selectCommittee(seats);
    }

    /// A newcomer gets shards, everyone else keeps seat and as many shards as possible.
    function test_nextEpoch_takesInANewNode() public {
        _run();
        _stake(5, 1000e9);
        bytes memory before = committees.committee(1).shardMap;
        _nextEpoch(_equalSeats(10, 5));
        (uint32[] memory ids, uint16[] memory weights) = committees.members(2);
        bytes memory map = committees.committee(2).shardMap;
        uint256 moved = 0;
        for (uint256 i = 0; i < 10; ++i) {
            if (map[i] != before[i]) ++moved;
        }
        assertEq(moved, 2);
        for (uint32 i = 0; i < 5; ++i) {
            assertEq(ids[i], i + 1);
            assertEq(weights[i], 2);
        }
    }

    /// With fewer nodes than a committee needs, the present committee goes on.
    function test_nextEpoch_keepsCommitteeWhenTooFewAreStaked() public {
        _run();
        vm.mockCall(
            address(staking), abi.encodeCall(staking.candidates, ()), abi.encode(new uint32[](1), new uint64[](1), 1)
        );
        vm.warp(epochManager.clock().selectableAt);
        epochManager.selectCommittee(new uint16[](0));
        assertEq(abi.encode(committees.committee(2).keys), abi.encode(committees.committee(1).keys));
        assertEq(committees.committee(2).shardMap, committees.committee(1).shardMap);
        assertEq(epochManager.nextCapacity(), uint256(1e13) / 3);
    }

    // ----- Votes

    function test_votedPrices_areTheQuorumPercentile() public {
        _run();
        // Weights 3, 3, 2, 2.
        uint64[4] memory votes = [uint64(40), 10, 30, 20];
        for (uint32 i = 1; i <= 4; ++i) {
            vm.prank(_operator(i));
            staking.setVotes(i, votes[i - 1], votes[i - 1] * 2, 1e12);
        }
        (uint64 storagePrice, uint64 writePrice) = epochManager.votedPrices();
        // Up to 10: 3, up to 20: 5, up to 30: 7.
        assertEq(storagePrice, 30);
        assertEq(writePrice, 60);
        system.updatePrices();
        (storagePrice, writePrice) = system.prices();
        assertEq(storagePrice, 30);
        assertEq(writePrice, 60);
    }

    // ----- Upgrade authority

    function test_upgrade_onlyByTheGate() public {
        bytes memory expected = abi.encodeWithSelector(IWired.NotAuthorised.selector, address(this), address(gate));
        vm.expectRevert(expected);
        epochManager.upgradeToAndCall(address(1), "");
        vm.expectRevert(expected);
        system.upgradeToAndCall(address(1), "");
        vm.expectRevert(expected);
        staking.upgradeToAndCall(address(1), "");
        vm.expectRevert(expected);
        committees.upgradeToAndCall(address(1), "");
    }

    function test_initialize_runsOnce() public {
        bytes4 expected = bytes4(keccak256("InvalidInitialization()"));
        vm.expectRevert(expected);
        epochManager.initialize();
        vm.expectRevert(expected);
        system.initialize();
        vm.expectRevert(expected);
        staking.initialize();
        vm.expectRevert(expected);
        committees.initialize();
    }

    function _stakeAll() private {
        for (uint32 i = 1; i <= 4; ++i) {
            _stake(i, 1000e9);
        }
        vm.warp(FIRST_START);
    }

    function _run() private {
        _stakeAll();
        epochManager.selectCommittee(_equalSeats(10, 4));
        epochManager.startEpoch();
        _syncAll();
    }

    function _sync(uint32 i) private {
        uint32 epoch = epochManager.epoch();
        vm.prank(_operator(i));
        epochManager.syncDone(i, epoch);
    }
}
