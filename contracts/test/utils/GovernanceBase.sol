// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IGovernor } from "@openzeppelin/contracts/governance/IGovernor.sol";
import { IUpgradeGate } from "src/interfaces/IUpgradeGate.sol";
import { Upgrade } from "src/types/Upgrade.sol";
import { Base } from "../Base.t.sol";

/// @dev Nodes that approve and token holders that vote.
abstract contract GovernanceBase is Base {
    /// @dev The first `count` nodes approve.
    function _approveByNodes(bytes32 actionId, uint32 count) internal {
        for (uint32 i = 1; i <= count; ++i) {
            vm.prank(_operator(i));
            gate.approve(i, actionId);
        }
    }

    /// @dev Gives an account WAL that votes for it from the next second on.
    function _voter(address who, uint256 amount) internal {
        wal.transfer(who, amount);
        vm.prank(who);
        wal.delegate(who);
        skip(1);
    }

    /// @dev One call as a proposal.
    function _propose(address who, address target, bytes memory data) internal returns (uint256 id) {
        vm.prank(who);
        id = governor.propose(_list(target), new uint256[](1), _calls(data), string(data));
    }

    /// @dev The given voter says yes; then the vote ends.
    function _voteFor(address who, uint256 id) internal {
        vm.warp(governor.proposalSnapshot(id) + 1);
        vm.prank(who);
        governor.castVote(id, 1);
        vm.warp(governor.proposalDeadline(id) + 1);
    }

    function _queue(address target, bytes memory data) internal {
        governor.queue(_list(target), new uint256[](1), _calls(data), keccak256(data));
    }

    /// @dev By anyone.
    function _execute(address target, bytes memory data) internal {
        vm.prank(CAROL);
        governor.execute(_list(target), new uint256[](1), _calls(data), keccak256(data));
    }

    /// @dev A whole proposal, from the idea to the moment at which it can be executed.
    function _passUntilExecutable(address who, address target, bytes memory data) internal returns (uint256 id) {
        id = _propose(who, target, data);
        _voteFor(who, id);
        _queue(target, data);
        vm.warp(governor.proposalEta(id));
    }

    function _assertState(uint256 id, IGovernor.ProposalState state) internal view {
        assertEq(uint8(governor.state(id)), uint8(state));
    }

    function _upgradeCall(Upgrade memory u) internal pure returns (bytes memory) {
        return abi.encodeCall(IUpgradeGate.execute, (u));
    }

    function _calls(bytes memory data) private pure returns (bytes[] memory list) {
        list = new bytes[](1);
        list[0] = data;
    }
}
