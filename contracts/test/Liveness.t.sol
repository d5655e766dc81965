// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IEpochManager } from "src/interfaces/IEpochManager.sol";
import { EpochState } from "src/types/Epoch.sol";
import { StakingBase } from "./utils/StakingBase.sol";
import { ScriptedChallenges } from "./utils/ScriptedChallenges.sol";

/// @dev From wherever a network gets, cranks lead to the next epoch.
contract LivenessTest is StakingBase {
    /// A third of the operators is gone: the others are enough, epoch after epoch.
    function test_liveness_withAQuorumOnly() public {
        _start(10, 10);
        for (uint256 i = 0; i < 3; ++i) {
            _select();
            _warpTo(epochManager.clock().startableAt);
            epochManager.startEpoch();
            uint32 epoch = epochManager.epoch();
            for (uint32 n = 1; n <= 7; ++n) {
                assertEq(uint8(epochManager.clock().state), uint8(EpochState.Sync));
                vm.prank(_operator(n));
                epochManager.syncDone(n, epoch);
            }
            assertEq(uint8(epochManager.clock().state), uint8(EpochState.Done));
        }
        assertEq(epochManager.epoch(), 4);
        assertEq(ScriptedChallenges(staking.wiring().challenges).endedLast(), 3);
        assertEq(ScriptedChallenges(staking.wiring().challenges).selectedIn(), 3);
    }

    /// Everybody takes the stake away: the committee stays, without pay for stake that is gone, and whoever comes can
    /// take over.
    function test_liveness_emptyActiveSet() public {
        _start(10, 4);
        for (uint256 id = 1; id <= 4; ++id) {
            staking.requestWithdraw(id);
        }
        assertEq(staking.activeSetSize(), 0);
        _subsidise(1000e9);
        _turn();
        assertEq(epochManager.epoch(), 2);
        for (uint256 id = 1; id <= 4; ++id) {
            assertGt(staking.withdraw(id, BOB), 1000e9);
        }
        _subsidise(1000e9);
        uint256 supply = wal.totalSupply();
        _turn();
        (uint32[] memory ids,) = committees.members(3);
        assertEq(ids.length, 4, "the same four");
        // Commission is paid; what would go to stakers is burned, as there are none.
        uint256 unclaimed = uint256(970e9) * 4000 / 10_000;
        assertApproxEqAbs(supply - wal.totalSupply(), 30e9 + unclaimed, 10);
        _checkBooks();
        for (uint32 i = 1; i <= 4; ++i) {
            _stakeAs(ALICE, i, 1000e9);
        }
        _turn();
        _subsidise(1000e9);
        _turn();
        assertGt(staking.pool(1).balance, 1000e9);
        _checkBooks();
    }

    /// More nodes than shards: with 20 nodes and 9 shards a tenth of the shards is nothing, so the cap is one.
    function test_liveness_fewShardsManyNodes() public {
        _deploy(_parameters(9));
        for (uint32 i = 1; i <= 20; ++i) {
            _register(i);
            _stake(i, 1000e9 + i);
        }
        vm.warp(FIRST_START);
        epochManager.selectCommittee(_dhondt());
        epochManager.startEpoch();
        _syncAll();
        _turn();
        (uint32[] memory ids, uint16[] memory weights) = committees.members(2);
        assertEq(ids.length, 9);
        for (uint256 i = 0; i < 9; ++i) {
            assertEq(weights[i], 1);
        }
    }

    /// Nobody settled anything: after three quarters of the epoch the selection goes on all the same, and keeps the
    /// committee as nobody counts.
    function test_liveness_nobodySettles() public {
        _start(10, 4);
        _turnUnsettled();
        vm.warp(epochManager.clock().doneAt + uint256(D) * 3 / 4);
        epochManager.selectCommittee(new uint16[](0));
        _begin();
        (uint32[] memory ids,) = committees.members(3);
        assertEq(ids.length, 4);
        _turn();
        _checkBooks();
    }

    /// A stuck Sync is ended by the timelock or the upgrade gate, after two epoch durations and not before.
    function test_forceSynced_endsAStuckSync() public {
        _start(10, 4);
        _select();
        _warpTo(epochManager.clock().startableAt);
        epochManager.startEpoch();
        uint64 earliest = epochManager.clock().startedAt + 2 * uint64(D) + 1;
        address timelock_ = staking.wiring().timelock;
        vm.expectRevert(abi.encodeWithSelector(IEpochManager.MayNotForce.selector, address(this)));
        epochManager.forceSynced();
        vm.warp(earliest - 1);
        vm.prank(timelock_);
        vm.expectRevert(abi.encodeWithSelector(IEpochManager.TooEarly.selector, earliest - 1, earliest));
        epochManager.forceSynced();
        vm.warp(earliest);
        vm.prank(timelock_);
        vm.expectEmit(address(epochManager));
        emit IEpochManager.EpochSynced(2);
        epochManager.forceSynced();
        assertEq(epochManager.clock().doneAt, earliest);
        vm.prank(staking.wiring().upgradeGate);
        vm.expectRevert(
            abi.encodeWithSelector(IEpochManager.WrongState.selector, uint8(EpochState.Done), uint8(EpochState.Sync))
        );
        epochManager.forceSynced();
        _turn();
        assertEq(epochManager.epoch(), 3);
    }
}
