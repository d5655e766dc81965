// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IEpochManager } from "src/interfaces/IEpochManager.sol";
import { IStaking } from "src/interfaces/IStaking.sol";
import { IWired } from "src/interfaces/IWired.sol";
import { ChallengeResult, Settlement } from "src/types/Epoch.sol";
import { PoolInfo, Position, Rate, Role } from "src/types/Node.sol";
import { StakingBase } from "./utils/StakingBase.sol";

/// @dev Positions, settlement, commission, strikes: four nodes of equal stake and ten shards, weights 3, 3, 2, 2.
contract PoolsTest is StakingBase {
    function setUp() public {
        _start(10, 4);
    }

    // ----- Positions

    /// A staker gets principal and reward back, one epoch after asking.
    function test_withdraw_paysPrincipalAndReward() public {
        uint256 id = _stakeAs(ALICE, 1, 1000e9);
        _turn();
        _subsidise(1000e9);
        vm.prank(ALICE);
        vm.expectEmit(address(staking));
        emit IStaking.WithdrawRequested(id, 3);
        staking.requestWithdraw(id);
        vm.expectRevert(abi.encodeWithSelector(IStaking.WithdrawTooEarly.selector, id, 3, 2));
        vm.prank(ALICE);
        staking.withdraw(id, ALICE);
        _turn();
        // 970 WAL are left after the burn; node 1 has half of the stake of 5,000 but at most 5 of 10 shards.
        uint256 reward = uint256(970e9) * committees.weightOf(2, 1) / 10;
        uint256 toStakers = reward - reward * 6000 / 10_000;
        uint256 before = wal.balanceOf(BOB);
        vm.prank(ALICE);
        uint256 paid = staking.withdraw(id, BOB);
        assertEq(wal.balanceOf(BOB) - before, paid);
        assertEq(paid, 1000e9 + toStakers / 2);
        vm.expectRevert(abi.encodeWithSelector(IStaking.UnknownPosition.selector, id));
        staking.position(id);
        _checkBooks();
    }

    /// Before its stake is active anybody leaves at once, with exactly the principal.
    function test_withdraw_isImmediateBeforeActivation() public {
        uint256 id = _stakeAs(ALICE, 1, 5e9);
        vm.expectRevert(abi.encodeWithSelector(IStaking.WithdrawAtOnce.selector, id));
        vm.prank(ALICE);
        staking.requestWithdraw(id);
        uint256 before = wal.balanceOf(ALICE);
        vm.prank(ALICE);
        assertEq(staking.withdraw(id, ALICE), 5e9);
        assertEq(wal.balanceOf(ALICE), before + 5e9);
        assertEq(staking.pool(1).expectedStake, 1000e9);
        _checkBooks();
    }

    /// Stake that was counted for a committee stays for its epoch, and shares what that earns or loses.
    function test_requestWithdraw_afterSelectionServesOneEpoch() public {
        uint256 id = _stakeAs(ALICE, 1, 1000e9);
        _select();
        vm.expectRevert(abi.encodeWithSelector(IStaking.WithdrawNotRequested.selector, id));
        vm.prank(ALICE);
        staking.withdraw(id, ALICE);
        vm.prank(ALICE);
        staking.requestWithdraw(id);
        assertEq(staking.position(id).withdrawEpoch, 3);
        assertEq(staking.pool(1).passing, 1000e9);
        assertEq(staking.pool(1).expectedStake, 1000e9, "not counted again");
        _begin();
        _subsidise(1000e9);
        _turn();
        vm.prank(ALICE);
        uint256 paid = staking.withdraw(id, ALICE);
        assertGt(paid, 1000e9, "earned in epoch 2");
        _checkBooks();
    }

    /// Stake added after the selection counts two epochs later and can leave at once until then.
    function test_withdraw_afterSelectionOfLateStake() public {
        _select();
        uint256 id = _stakeAs(ALICE, 1, 5e9);
        assertEq(staking.position(id).activationEpoch, 3);
        vm.prank(ALICE);
        assertEq(staking.withdraw(id, ALICE), 5e9);
        _checkBooks();
    }

    /// A node outside the committees owes nobody its stake.
    function test_withdraw_isImmediateOutsideCommittees() public {
        _register(5);
        uint256 id = _stakeAs(ALICE, 5, 1e9);
        _turn();
        _turn();
        assertEq(committees.weightOf(2, 5), 0, "too little for a shard");
        vm.prank(ALICE);
        assertEq(staking.withdraw(id, ALICE), 1e9);
        assertEq(staking.pool(5).balance, 0);
        assertFalse(staking.node(5).inActiveSet);
        _checkBooks();
    }

    function test_requestWithdraw_twiceIsRefused() public {
        _turn();
        staking.requestWithdraw(1);
        vm.expectRevert(abi.encodeWithSelector(IStaking.AlreadyLeaving.selector, 1, 3));
        staking.requestWithdraw(1);
    }

    function test_positions_onlyForOwnerOrApproved() public {
        uint256 id = _stakeAs(ALICE, 1, 4e9);
        bytes memory refusal = abi.encodeWithSelector(IStaking.NotPositionOwner.selector, id, BOB);
        vm.startPrank(BOB);
        vm.expectRevert(refusal);
        staking.withdraw(id, BOB);
        vm.expectRevert(refusal);
        staking.requestWithdraw(id);
        vm.expectRevert(refusal);
        staking.splitPosition(id, 1e9);
        vm.expectRevert(refusal);
        staking.joinPositions(id, id);
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(IStaking.UnknownPosition.selector, 99));
        staking.withdraw(99, BOB);
        vm.prank(ALICE);
        staking.approve(BOB, id);
        vm.expectRevert(IStaking.ZeroAddress.selector);
        vm.prank(BOB);
        staking.withdraw(id, address(0));
        vm.prank(BOB);
        assertEq(staking.withdraw(id, BOB), 4e9);
    }

    function test_splitAndJoin_keepWhatThePositionIs() public {
        uint256 id = _stakeAs(ALICE, 1, 10e9);
        _turn();
        vm.startPrank(ALICE);
        uint256 half = staking.splitPosition(id, 4e9);
        assertEq(staking.ownerOf(half), ALICE);
        assertEq(staking.position(id).principal, 6e9);
        Position memory q = staking.position(half);
        assertEq(q.principal, 4e9);
        assertEq(q.activationEpoch, 2);
        vm.expectRevert(abi.encodeWithSelector(IStaking.StakeBelowMinimum.selector, 1e9 - 1, 1e9));
        staking.splitPosition(half, 1e9 - 1);
        vm.expectRevert(abi.encodeWithSelector(IStaking.StakeBelowMinimum.selector, 1e9 - 1, 1e9));
        staking.splitPosition(half, 3e9 + 1);
        vm.expectRevert(abi.encodeWithSelector(IStaking.StakeBelowMinimum.selector, 0, 1e9));
        staking.splitPosition(half, type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(IStaking.PositionsDiffer.selector, id, id));
        staking.joinPositions(id, id);
        staking.requestWithdraw(half);
        vm.expectRevert(abi.encodeWithSelector(IStaking.PositionsDiffer.selector, id, half));
        staking.joinPositions(id, half);
        // A leaving position splits with its shares.
        uint256 quarter = staking.splitPosition(half, 1e9);
        assertEq(staking.position(quarter).shares + staking.position(half).shares, 4e9);
        staking.joinPositions(half, quarter);
        assertEq(staking.position(half).shares, 4e9);
        staking.requestWithdraw(id);
        staking.joinPositions(id, half);
        assertEq(staking.balanceOf(ALICE), 1);
        vm.stopPrank();
        _turn();
        vm.prank(ALICE);
        assertEq(staking.withdraw(id, ALICE), 10e9);
        _checkBooks();
    }

    function test_joinPositions_needsOneOwner() public {
        uint256 a = _stakeAs(ALICE, 1, 1e9);
        uint256 b = _stakeAs(BOB, 1, 1e9);
        vm.prank(BOB);
        staking.setApprovalForAll(ALICE, true);
        vm.expectRevert(abi.encodeWithSelector(IStaking.PositionsDiffer.selector, a, b));
        vm.prank(ALICE);
        staking.joinPositions(a, b);
    }

    // ----- Settlement

    /// Rewards go by weight, commission first; what rounding leaves goes to the next epoch, and nothing is lost.
    function test_settle_paysByWeight() public {
        uint256 burnedBefore = wal.totalSupply();
        _subsidise(1003);
        _turnUnsettled();
        // floor(3 % of 1003) = 30 burned, 973 to share.
        assertEq(burnedBefore - wal.totalSupply(), 30);
        vm.expectEmit(address(staking));
        emit IStaking.PoolSettled(1, 1, 291, 174, 0);
        staking.settle(_id(1));
        assertEq(staking.pool(1).balance, 1000e9 + 291 - 174);
        assertEq(staking.pool(1).commission, 174);
        assertFalse(staking.isSettled());
        staking.settle(_id(1));
        assertEq(staking.pool(1).commission, 174, "once only");
        _settleAll();
        assertTrue(staking.isSettled());
        Settlement memory s = staking.settlement();
        assertEq(s.rewards, 973);
        assertEq(s.spent, 291 + 291 + 194 + 194);
        _checkBooks();
        _turn();
        assertEq(staking.rewardsOf(2), 0, "the 3 came back after epoch 2 was closed");
        assertEq(system.rewardsOf(3), 3);
        _checkBooks();
    }

    /// Selection waits for settlement, but not for ever, and goes on without those that are missing.
    function test_select_goesOnWithoutUnsettledPools() public {
        _turnUnsettled();
        _subsidise(10e9);
        uint32[] memory three = new uint32[](3);
        (three[0], three[1], three[2]) = (1, 2, 3);
        _register(5);
        _stakeAs(ALICE, 5, 1000e9);
        staking.settle(three);
        (, uint64[] memory stakes, uint256 nodes) = staking.candidates();
        assertEq(nodes, 4);
        assertEq(stakes[3], 0, "node 4 is not settled");
        vm.warp(epochManager.clock().selectableAt);
        uint16[] memory seats = _dhondt();
        uint64 waitUntil = epochManager.clock().doneAt + D * 3 / 4;
        vm.expectRevert(abi.encodeWithSelector(IEpochManager.NotSettled.selector, waitUntil));
        epochManager.selectCommittee(seats);
        vm.warp(waitUntil);
        epochManager.selectCommittee(seats);
        assertEq(committees.weightOf(3, 4), 0);
        assertEq(committees.weightOf(3, 5), 2);
        _begin();
        // Its share of epoch 1 (nothing here) was not kept for it; that of epoch 2 is.
        _settleAll();
        assertGt(staking.pool(4).balance, 1000e9);
        _checkBooks();
    }

    /// The share of a pool that nobody settled in time is burned, not spread: else neighbours would gain by waiting.
    function test_settle_burnsSharesOfPoolsLeftUnsettled() public {
        _subsidise(1000e9);
        _turnUnsettled();
        uint32[] memory three = new uint32[](3);
        (three[0], three[1], three[2]) = (1, 2, 3);
        staking.settle(three);
        vm.warp(epochManager.clock().doneAt + uint256(D) * 3 / 4);
        epochManager.selectCommittee(_dhondt());
        uint256 supply = wal.totalSupply();
        _begin();
        assertEq(supply - wal.totalSupply(), uint256(970e9) * 2 / 10);
        assertEq(system.rewardsOf(3), 0);
        _checkBooks();
    }

    /// Settling is open to anyone, and strange ids do not disturb.
    /// What a position is paid depends on the rate of its epochs, so anybody must be able to read it.
    function test_rateAt_isTheRateBeforeSomebodyJoined() public {
        assertEq(abi.encode(staking.rateAt(1, 0)), abi.encode(Rate(0, 0, 0)), "1:1 before there was one");
        _subsidise(1000e9);
        _turn();
        uint256 balance = staking.pool(1).balance;
        _stakeAs(ALICE, 1, 5e9);
        _turn();
        assertEq(staking.rateAt(1, 2).epoch, 1, "nobody joined in epoch 2");
        assertEq(abi.encode(staking.rateAt(1, 3)), abi.encode(Rate(3, uint96(balance), 1000e9)));
        assertEq(staking.name(), "Staked WAL");
    }

    function test_settle_ignoresUnknownNodes() public {
        _turnUnsettled();
        uint32[] memory ids = new uint32[](4);
        (ids[0], ids[1], ids[2], ids[3]) = (0, 99, type(uint32).max, 1);
        vm.prank(BOB);
        staking.settle(ids);
        assertEq(staking.pool(1).settledEpoch, 2);
    }

    // ----- Commission

    function test_setNextCommission_takesEffectTwoEpochsLater() public {
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotOperator.selector, 1, address(this)));
        staking.setNextCommission(1, 0);
        vm.expectRevert(abi.encodeWithSelector(IStaking.CommissionTooHigh.selector, 10_001, 10_000));
        vm.prank(_operator(1));
        staking.setNextCommission(1, 10_001);
        vm.prank(_operator(1));
        staking.setNextCommission(1, 1000);
        // Set in epoch 1, so epochs 1 and 2 are still shared at 60 %, epoch 3 at 10 %.
        uint256 collected;
        for (uint32 e = 1; e <= 3; ++e) {
            _subsidise(1000e9);
            _turn();
            vm.prank(_operator(1));
            collected = staking.collectCommission(1, BOB);
            assertEq(collected, uint256(970e9) * 3 / 10 * (e < 3 ? 6000 : 1000) / 10_000);
        }
        assertEq(staking.pool(1).commissionBp, 1000);
        _checkBooks();
    }

    function test_collectCommission_onlyByReceiver() public {
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotInRole.selector, 1, Role.CommissionReceiver, address(this)));
        staking.collectCommission(1, BOB);
        vm.startPrank(_operator(1));
        vm.expectRevert(IStaking.ZeroAddress.selector);
        staking.collectCommission(1, address(0));
        staking.proposeRole(1, Role.CommissionReceiver, ALICE);
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(IStaking.RoleNotProposed.selector, 1, Role.CommissionReceiver, BOB));
        vm.prank(BOB);
        staking.acceptRole(1, Role.CommissionReceiver);
        vm.prank(ALICE);
        staking.acceptRole(1, Role.CommissionReceiver);
        assertEq(staking.node(1).commissionReceiver, ALICE);
        vm.prank(ALICE);
        assertEq(staking.collectCommission(1, BOB), 0);
    }

    function test_roles_areHandedOverInTwoSteps() public {
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotInRole.selector, 1, Role.Operator, BOB));
        vm.prank(BOB);
        staking.proposeRole(1, Role.Operator, BOB);
        vm.startPrank(_operator(1));
        staking.proposeRole(1, Role.Operator, ALICE);
        staking.proposeRole(1, Role.Governance, BOB);
        vm.stopPrank();
        assertEq(staking.operatorOf(1), _operator(1), "until it is accepted");
        vm.prank(ALICE);
        staking.acceptRole(1, Role.Operator);
        vm.prank(BOB);
        staking.acceptRole(1, Role.Governance);
        assertEq(staking.operatorOf(1), ALICE);
        assertEq(staking.governanceOf(1), BOB);
        vm.expectRevert(abi.encodeWithSelector(IStaking.RoleNotProposed.selector, 1, Role.Operator, ALICE));
        vm.prank(ALICE);
        staking.acceptRole(1, Role.Operator);
    }

    // ----- Strikes

    function test_recordChallengeResult_onlyByChallenges() public {
        ChallengeResult memory r;
        vm.expectRevert(
            abi.encodeWithSelector(IWired.NotAuthorised.selector, address(this), staking.wiring().challenges)
        );
        staking.recordChallengeResult(1, r);
        vm.startPrank(staking.wiring().challenges);
        vm.expectRevert(abi.encodeWithSelector(IStaking.ResultNotExpected.selector, 1));
        staking.recordChallengeResult(1, r);
        vm.expectRevert(abi.encodeWithSelector(IStaking.ResultNotExpected.selector, 0));
        staking.recordChallengeResult(0, r);
        vm.stopPrank();
    }

    /// The whole schedule: grace, lost reward, penalty, strike with jail; a pass starts it anew.
    function test_strikes_followTheSchedule() public {
        uint256 stakeBefore = 1000e9;
        // Epoch 1 is the first after joining: the reward is lost, nothing is counted.
        _failing(4, 1000e9);
        assertEq(staking.pool(4).misses, 0);
        assertEq(staking.pool(4).balance, stakeBefore);
        // First miss.
        _failing(4, 1000e9);
        assertEq(staking.pool(4).misses, 1);
        assertEq(staking.pool(4).balance, stakeBefore);
        // Second: 10 WAL for each of 2 shards, but at most 1 % of 1000 WAL.
        _failing(4, 1000e9);
        assertEq(staking.pool(4).misses, 2);
        assertEq(staking.pool(4).balance, stakeBefore - 10e9);
        assertEq(staking.pool(4).jailedUntil, 0);
        // Third, in epoch 4: 1 % and 5 % more, and jail until epoch 8.
        _register(5);
        _stakeAs(ALICE, 5, 1000e9);
        _failing(4, 1000e9);
        PoolInfo memory p = staking.pool(4);
        assertEq(p.misses, 3);
        assertEq(p.balance, 990e9 - 990e9 * 6 / 100);
        assertEq(p.jailedUntil, 8);
        assertFalse(staking.node(4).inActiveSet);
        // It serves epoch 5 and passes there, is left out of 6 and 7, and comes back for 8.
        _turn();
        assertEq(committees.weightOf(6, 4), 0);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NodeIsJailed.selector, 4, 8));
        staking.joinActiveSet(4, 0);
        _turn();
        assertEq(committees.weightOf(7, 4), 0);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotOperator.selector, 4, address(this)));
        staking.joinActiveSet(4, 0);
        vm.prank(_operator(4));
        staking.joinActiveSet(4, 0);
        _turn();
        assertGt(committees.weightOf(8, 4), 0);
        _checkBooks();
    }

    /// A pass clears the counter; a proof on chain saves from the strike, not the loss; a void challenge changes nothing.
    function test_strikes_passRescueAndVoid() public {
        _turn();
        _failing(4, 0);
        assertEq(staking.pool(4).misses, 1);
        _script(ChallengeResult(true, false, 7, 8));
        _subsidise(1000e9);
        uint256 balance = staking.pool(4).balance;
        _turn();
        assertEq(staking.pool(4).misses, 1, "rescued");
        assertEq(staking.pool(4).balance, balance, "but not paid");
        _script(ChallengeResult(true, true, 0, 0));
        _subsidise(1000e9);
        uint256 supply = wal.totalSupply();
        _turn();
        assertEq(staking.pool(4).misses, 1, "void");
        assertEq(wal.totalSupply(), supply, "nothing burned");
        assertEq(system.rewardsOf(5), 1000e9, "all of it carried");
        _script(ChallengeResult(true, false, 15, 0));
        _turn();
        assertEq(staking.pool(4).misses, 0, "passed");
        assertGt(staking.pool(4).balance, balance);
        _checkBooks();
    }

    /// In trial nothing of it touches money.
    function test_strikes_notInTrial() public {
        _turn();
        for (uint256 i = 0; i < 4; ++i) {
            _script(ChallengeResult(false, i % 2 == 0, 0, 0));
            _subsidise(100e9);
            _turn();
        }
        assertEq(staking.pool(4).misses, 0);
        assertGt(staking.pool(4).balance, 1000e9);
    }

    /// Slashes take commission that was not collected before they take stake.
    function test_slash_takesCommissionFirst() public {
        _subsidise(100e9);
        _turn();
        uint256 commission = staking.pool(4).commission;
        assertEq(commission, uint256(97e9) * 2 / 10 * 6000 / 10_000);
        uint256 balance = staking.pool(4).balance;
        _failing(4, 0);
        _failing(4, 0);
        uint256 penalty = (balance + 99) / 100;
        assertEq(staking.pool(4).commission, commission - penalty);
        assertEq(staking.pool(4).balance, balance);
        _checkBooks();
    }

    /// One epoch's failures never jail more than f shards, and never leave fewer than `minNodes` active.
    function test_jail_isLimited() public {
        _turn();
        _failing(4, 0);
        _failing(4, 0);
        vm.recordLogs();
        _failing(4, 0);
        assertEq(staking.pool(4).misses, 3);
        assertEq(staking.pool(4).jailedUntil, 0, "only four nodes are there");
        _register(5);
        _register(6);
        _stakeAs(ALICE, 5, 1000e9);
        _stakeAs(ALICE, 6, 1000e9);
        _turn();
        // All fail, every time; f is 3 of 10 shards.
        uint256 jailed = 0;
        for (uint256 i = 0; i < 4; ++i) {
            _script(ChallengeResult(true, false, 0, 0));
            _turn();
            jailed += staking.settlement().jailedWeight;
            assertLe(staking.settlement().jailedWeight, 3);
            assertGe(staking.activeSetSize(), 4);
        }
        assertGt(jailed, 0, "but some are");
    }

    /// Slashing does not stop the network and never takes everything: the pool is retired and can be left.
    function test_slash_retiresAPoolAndLetsItsStakersOut() public {
        uint256 id = _stakeAs(ALICE, 1, 100_000e9);
        _turn();
        for (uint256 i = 0; i < 80 && !staking.pool(1).retired; ++i) {
            _failing(1, 0);
        }
        PoolInfo memory p = staking.pool(1);
        assertTrue(p.retired);
        assertFalse(staking.node(1).inActiveSet);
        vm.expectRevert(abi.encodeWithSelector(IStaking.PoolIsRetired.selector, 1));
        this.stakeAs(ALICE, 1, 5e9);
        vm.expectRevert();
        staking.joinActiveSet(1, 0);
        // Only three others are left, so the committee stays as it is; leaving takes the usual way.
        vm.prank(ALICE);
        staking.requestWithdraw(id);
        _turn();
        vm.prank(ALICE);
        uint256 paid = staking.withdraw(id, ALICE);
        assertGt(paid, uint256(100_000e9) * 24 / 1000);
        assertLt(paid, uint256(100_000e9) * 5 / 100);
        _checkBooks();
    }

    function stakeAs(address who, uint32 nodeId, uint256 amount) external {
        _stakeAs(who, nodeId, amount);
    }
}
