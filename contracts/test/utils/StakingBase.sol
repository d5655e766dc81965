// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Dhondt } from "src/libraries/Dhondt.sol";
import { ChallengeResult, Settlement } from "src/types/Epoch.sol";
import { PoolInfo } from "src/types/Node.sol";
import { Base } from "../Base.t.sol";
import { ScriptedChallenges } from "./ScriptedChallenges.sol";

/// @dev A network whose epochs turn with whatever stake there is, and whose challenge results are scripted.
abstract contract StakingBase is Base {
    function _start(uint16 nShards, uint256 nodes) internal {
        _launch(nShards, nodes);
        _playChallenges();
    }

    /// @dev Puts a double in the place of `Challenges`, and lets this contract pay subsidies.
    function _playChallenges() internal {
        address scripted = address(new ScriptedChallenges(staking));
        vm.etch(staking.wiring().challenges, scripted.code);
        wal.approve(address(system), type(uint256).max);
    }

    // ----- Epochs

    /// @dev Everything up to the next epoch, state `Done`, all settled.
    function _turn() internal {
        _turnUnsettled();
        _settleAll();
    }

    function _turnUnsettled() internal {
        _select();
        _begin();
    }

    function _select() internal {
        _settleAll();
        _warpTo(epochManager.clock().selectableAt);
        epochManager.selectCommittee(_dhondt());
    }

    function _begin() internal {
        _warpTo(epochManager.clock().startableAt);
        epochManager.startEpoch();
        _syncAll();
    }

    /// @dev The seats a selection made now has to carry, by giving seat after seat.
    function _dhondt() internal view returns (uint16[] memory seats) {
        (, uint64[] memory stakes,) = staking.candidates();
        uint256 n = staking.parameters().nShards;
        seats = new uint16[](stakes.length);
        if (stakes.length == 0) return seats;
        uint256 cap = Dhondt.cap(n, stakes.length);
        for (uint256 given = 0; given < n; ++given) {
            uint256 best = type(uint256).max;
            for (uint256 i = 0; i < stakes.length; ++i) {
                if (seats[i] >= cap) continue;
                if (
                    best == type(uint256).max
                        || uint256(stakes[i]) * (seats[best] + 1) > uint256(stakes[best]) * (seats[i] + 1)
                ) best = i;
            }
            ++seats[best];
        }
    }

    // ----- Money

    function _stakeAs(address who, uint32 nodeId, uint256 amount) internal returns (uint256) {
        wal.transfer(who, amount);
        vm.startPrank(who);
        wal.approve(address(staking), amount);
        uint256 id = staking.stake(nodeId, amount, who);
        vm.stopPrank();
        return id;
    }

    /// @dev Rewards for the present epoch.
    function _subsidise(uint256 amount) internal {
        system.addSubsidy(amount, 1);
    }

    function _id(uint32 nodeId) internal pure returns (uint32[] memory ids) {
        ids = new uint32[](1);
        ids[0] = nodeId;
    }

    // ----- Challenges

    function _script(ChallengeResult memory result) internal {
        ScriptedChallenges(staking.wiring().challenges).script(result);
    }

    /// @dev An epoch with `rewards` in which all members but one pass.
    function _failing(uint32 nodeId, uint256 rewards) internal {
        uint32 epoch = epochManager.epoch();
        (bool member, uint8 seat) = committees.seatOf(epoch, nodeId);
        uint256 passed = committees.occupiedSeats(epoch);
        if (member) passed &= ~(uint256(1) << seat);
        _script(ChallengeResult(true, false, passed, 0));
        if (rewards != 0) _subsidise(rewards);
        _turn();
    }

    // ----- Books

    /// @dev What `Staking` holds is what it owes, to the last FROST.
    function _checkBooks() internal view {
        uint256 sum = 0;
        uint32 count = staking.nodeCount();
        for (uint32 i = 1; i <= count; ++i) {
            PoolInfo memory p = staking.pool(i);
            sum += uint256(p.balance) + p.joiningNext + p.joiningAfter + p.owed + p.commission;
        }
        Settlement memory s = staking.settlement();
        assertEq(wal.balanceOf(address(staking)), sum + s.rewards - s.spent, "books of Staking");
    }
}
