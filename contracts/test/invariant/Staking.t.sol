// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { Committees } from "src/Committees.sol";
import { EpochManager } from "src/EpochManager.sol";
import { Staking } from "src/Staking.sol";
import { WAL } from "src/WAL.sol";
import { Dhondt } from "src/libraries/Dhondt.sol";
import { CommitteeInfo, Settlement } from "src/types/Epoch.sol";
import { PoolInfo, Position } from "src/types/Node.sol";
import { StakingHandler } from "./StakingHandler.sol";

/// @dev Invariants 1, 5, 6, 9, 10 and 12 of the design over stake, rewards and committees.
/// forge-config: default.invariant.fail-on-revert = true
/// forge-config: nightly.invariant.fail-on-revert = true
contract StakingInvariants is Test {
    uint256 private constant N = 10;

    StakingHandler private handler;
    Staking private staking;
    Committees private committees;
    EpochManager private epochManager;
    WAL private wal;

    function setUp() public {
        handler = new StakingHandler();
        handler.launch();
        (address wal_, address staking_, address committees_, address epochs_,) = handler.contracts();
        (wal, staking) = (WAL(wal_), Staking(staking_));
        (committees, epochManager) = (Committees(committees_), EpochManager(epochs_));
        bytes4[] memory actions = new bytes4[](17);
        actions[0] = StakingHandler.stake.selector;
        actions[1] = StakingHandler.request.selector;
        actions[2] = StakingHandler.withdraw.selector;
        actions[3] = StakingHandler.split.selector;
        actions[4] = StakingHandler.join.selector;
        actions[5] = StakingHandler.send.selector;
        actions[6] = StakingHandler.commission.selector;
        actions[7] = StakingHandler.collect.selector;
        actions[8] = StakingHandler.rejoin.selector;
        actions[9] = StakingHandler.subsidise.selector;
        actions[10] = StakingHandler.donate.selector;
        actions[11] = StakingHandler.attack.selector;
        actions[12] = StakingHandler.settle.selector;
        // Epochs need three steps each.
        actions[13] = StakingHandler.crank.selector;
        actions[14] = StakingHandler.crank.selector;
        actions[15] = StakingHandler.crank.selector;
        actions[16] = StakingHandler.vote.selector;
        targetSelector(FuzzSelector(address(handler), actions));
        targetContract(address(handler));
    }

    /// `Staking` holds what pools, joiners, leavers, operators and the settlement are owed, to the last FROST.
    function invariant_booksOfStaking() public view {
        uint256 sum = handler.donated();
        for (uint32 i = 1; i <= staking.nodeCount(); ++i) {
            PoolInfo memory p = staking.pool(i);
            sum += uint256(p.balance) + p.joiningNext + p.joiningAfter + p.owed + p.commission;
        }
        Settlement memory s = staking.settlement();
        assertLe(s.spent, s.rewards, "more was shared than came");
        assertEq(wal.balanceOf(address(staking)), sum + s.rewards - s.spent);
    }

    /// What all positions of a pool are worth together never exceeds what the pool has.
    function invariant_poolsCoverTheirPositions() public view {
        uint256[] memory claims = new uint256[](staking.nodeCount() + 1);
        for (uint256 id = 1; id <= handler.lastPosition(); ++id) {
            if (!_exists(id)) continue;
            (uint256 value,) = staking.valueOf(id);
            claims[staking.position(id).nodeId] += value;
        }
        for (uint32 i = 1; i < claims.length; ++i) {
            PoolInfo memory p = staking.pool(i);
            assertLe(claims[i], uint256(p.balance) + p.joiningNext + p.joiningAfter + p.owed, "claims of a pool");
            assertEq(p.balance == 0, p.shares == 0, "no balance without shares and no shares without balance");
        }
    }

    /// Seats add up to n, none exceeds its cap, and every shard has one owner.
    function invariant_committeeIsWhole() public view {
        uint32 epoch = epochManager.epoch();
        CommitteeInfo memory c = committees.committee(epoch);
        uint256[] memory held = new uint256[](c.nodeIds.length);
        for (uint256 i = 0; i < N; ++i) {
            ++held[uint8(c.shardMap[i])];
        }
        uint256 sum = 0;
        for (uint256 seat = 0; seat < held.length; ++seat) {
            assertEq(held[seat], c.weights[seat]);
            assertEq(c.weights[seat] == 0, c.nodeIds[seat] == 0);
            assertLe(c.weights[seat], Dhondt.cap(N, 4), "the cap of the smallest network");
            sum += c.weights[seat];
        }
        assertEq(sum, N);
    }

    /// The active set says what the pools say, names nobody twice and nobody that may not serve.
    function invariant_activeSetIsRight() public view {
        (uint32[] memory ids, uint64[] memory stakes) = staking.activeSet();
        uint256 seen = 0;
        for (uint256 i = 0; i < ids.length; ++i) {
            assertEq(seen >> ids[i] & 1, 0, "twice");
            seen |= 1 << ids[i];
            PoolInfo memory p = staking.pool(ids[i]);
            assertEq(stakes[i], p.expectedStake);
            assertGe(stakes[i], staking.MIN_STAKE());
            assertEq(p.jailedUntil, 0);
            assertFalse(p.retired);
            assertTrue(staking.node(ids[i]).inActiveSet);
        }
        assertLe(staking.settlement().jailedWeight, (N - 1) / 3);
    }

    /// Every staked FROST votes once: with the delegate of who owns the position.
    function invariant_votesFollowPositions() public view {
        uint256 total = 0;
        uint256[] memory units = new uint256[](handler.userCount());
        for (uint256 id = 1; id <= handler.lastPosition(); ++id) {
            if (!_exists(id)) continue;
            Position memory q = staking.position(id);
            total += q.principal;
            for (uint256 i = 0; i < units.length; ++i) {
                if (staking.ownerOf(id) == handler.users(i)) units[i] += q.principal;
            }
        }
        uint256 voting = staking.getVotes(address(handler));
        for (uint256 i = 0; i < units.length; ++i) {
            assertEq(staking.getVotes(handler.users(i)), units[i]);
            voting += units[i];
        }
        assertEq(voting, total, "all have delegated");
    }

    /// Once all are settled, what is left of the rewards is rounding: less than a FROST a member.
    function invariant_rewardsAreShared() public view {
        Settlement memory s = staking.settlement();
        assertEq(s.settled & ~s.members, 0, "only members are settled");
        if (staking.isSettled() && s.members != 0 && !(s.result.enforced && s.result.isVoid)) {
            assertLt(s.rewards - s.spent, 256);
        }
    }

    /// From wherever the run has led, cranks alone reach the next epochs, with a quorum of the operators.
    function afterInvariant() public {
        handler.runOn();
    }

    /// The actions get where things happen: in one long fixed run all of them do.
    function test_handlerGetsEverywhere() public {
        for (uint256 i = 0; i < 1500; ++i) {
            uint256 r = uint256(keccak256(abi.encode(i)));
            uint256 kind = r % 15;
            r >>= 8;
            if (kind < 4) handler.crank(r);
            else if (kind < 6) handler.stake(r, uint32(r >> 32), r >> 64);
            else if (kind == 6) handler.request(r);
            else if (kind < 9) handler.withdraw(r);
            else if (kind == 9) handler.split(r, r >> 64);
            else if (kind == 10) handler.join(r, r >> 64);
            else if (kind == 11) handler.send(r, r >> 64);
            else if (kind == 12) handler.subsidise(r, uint32(r >> 64));
            else if (kind == 13) handler.rejoin(uint32(r));
            else if (r & 1 == 0) handler.vote(uint32(r >> 8), uint64(r >> 40), uint64(r >> 104), uint64(r >> 168));
            else handler.settle(uint32(r));
        }
        bytes32[13] memory wanted = [
            bytes32("staked"),
            "requested",
            "withdrawn when due",
            "withdrawn with a gain",
            "parted",
            "joined",
            "rejoined",
            "struck",
            "jailed",
            "unsettled",
            "rewarded",
            "forfeited",
            "moved"
        ];
        for (uint256 i = 0; i < wanted.length; ++i) {
            assertGt(handler.done(wanted[i]), 0, string(abi.encodePacked(wanted[i])));
        }
        invariant_booksOfStaking();
        invariant_poolsCoverTheirPositions();
        invariant_activeSetIsRight();
        invariant_votesFollowPositions();
        handler.runOn();
    }

    function _exists(uint256 id) private view returns (bool) {
        try staking.ownerOf(id) returns (address) {
            return true;
        } catch {
            return false;
        }
    }
}
