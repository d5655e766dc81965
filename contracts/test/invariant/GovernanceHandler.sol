// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ParamRegistry } from "src/ParamRegistry.sol";
import { IParamRegistry } from "src/interfaces/IParamRegistry.sol";
import { ParamKeys } from "src/types/Param.sol";
import { Upgrade } from "src/types/Upgrade.sol";
import { GovernanceBase } from "../utils/GovernanceBase.sol";

/// @dev Nodes that approve, a timelock that executes what passed, a guardian and a stranger, around the upgrades of one
/// proxy, and a plain model of which of them may go through.
contract GovernanceHandler is GovernanceBase {
    uint32 private constant NODES = 10;
    bytes32 private constant IMPLEMENTATION = bytes32(uint256(keccak256("eip1967.proxy.implementation")) - 1);

    address[2] private _codes;

    // The model.
    address public implementation;
    uint256 public upgrades;
    uint256 public pausedUntil;
    uint256 public nextPauseAt;
    bool public renounced;
    mapping(bytes32 actionId => uint256) public approvedUntil;
    mapping(bytes32 actionId => mapping(uint32 epoch => uint256)) private _approvers;
    mapping(bytes32 action => uint256) public done;

    function launch() external {
        _launch(10, NODES);
        for (uint256 i = 0; i < 2; ++i) {
            _codes[i] = address(new ParamRegistry(params.wiring(), params.parameters()));
        }
        implementation = current();
    }

    function approve(uint32 nodeId, uint256 which) external {
        nodeId = nodeId % NODES + 1;
        bytes32 id = gate.upgradeId(_upgrade(which));
        uint32 epoch = epochManager.epoch();
        uint256 before = _approvers[id][epoch];
        bool expected = before >> nodeId & 1 == 0;
        vm.prank(_operator(nodeId));
        try gate.approve(nodeId, id) {
            assertTrue(expected, "approved twice");
            _approvers[id][epoch] = before | 1 << nodeId;
            if (_count(before) == 6) approvedUntil[id] = block.timestamp + 14 days;
            ++done["approve"];
        } catch {
            assertFalse(expected, "a node may not approve");
        }
    }

    /// Who is not the governance account of a node approves nothing for it.
    function approveForAnother(uint32 nodeId, uint256 which) external {
        bytes32 id = gate.upgradeId(_upgrade(which));
        vm.prank(_operator(nodeId % NODES + 1));
        try gate.approve((nodeId % NODES + 1) % NODES + 1, id) {
            assertTrue(false, "approved for another node");
        } catch { }
    }

    function execute(uint256 who, uint256 which) external {
        Upgrade memory u = _upgrade(which);
        bytes32 id = gate.upgradeId(u);
        address caller = [address(timelock), GUARDIAN, makeAddr("stranger")][who % 3];
        bool may = who % 3 == 0 || (who % 3 == 1 && _guards());
        bool expected = may && u.nonce == upgrades && block.timestamp < approvedUntil[id];
        vm.prank(caller);
        try gate.execute(u) {
            assertTrue(expected, "an upgrade without both halves");
            implementation = u.implementation;
            ++upgrades;
            ++done["execute"];
        } catch {
            assertFalse(expected, "an approved upgrade is refused");
        }
    }

    /// All nodes agree and the vote has passed: the shortest way through, so that runs get there.
    function agree(uint256 which) external {
        Upgrade memory u = _upgrade(which);
        if (u.nonce != upgrades) return;
        bytes32 id = gate.upgradeId(u);
        for (uint32 i = 1; i <= NODES; ++i) {
            this.approve(i - 1, which);
        }
        if (block.timestamp >= approvedUntil[id]) return;
        this.execute(0, which);
    }

    /// Past the gate nobody upgrades, whoever he is.
    function bypass(uint256 who, uint256 which) external {
        address[5] memory callers =
            [address(timelock), GUARDIAN, address(governor), address(this), _operator(uint32(who % NODES) + 1)];
        vm.prank(callers[who % 5]);
        try params.upgradeToAndCall(_codes[which % 2], "") {
            assertTrue(false, "an upgrade past the gate");
        } catch { }
    }

    function pause(uint256 who) external {
        bool expected = who % 2 == 0 && _guards() && block.timestamp >= nextPauseAt;
        vm.prank(who % 2 == 0 ? GUARDIAN : address(timelock));
        try gate.pause() {
            assertTrue(expected, "paused against the rules");
            (pausedUntil, nextPauseAt) = (block.timestamp + 14 days, block.timestamp + 90 days);
            ++done["pause"];
        } catch {
            assertFalse(expected, "the guardian cannot pause");
        }
    }

    function unpause(uint256 who) external {
        if (who % 3 == 1 && !_guards()) return;
        vm.prank([address(timelock), GUARDIAN, makeAddr("stranger")][who % 3]);
        try gate.unpause() {
            assertTrue(who % 3 != 2, "a stranger lifts the pause");
            pausedUntil = 0;
        } catch {
            assertEq(who % 3, 2);
        }
    }

    function renounce(uint256 who) external {
        if (who % 16 != 0 || !_guards()) return;
        vm.prank(GUARDIAN);
        gate.renounceGuardian();
        renounced = true;
    }

    function wait(uint256 time) external {
        skip(bound(time, 1, 10 days));
    }

    /// A pause never stops the epochs.
    function nextEpoch() external {
        _nextEpoch(_equalSeats(10, NODES));
        ++done["nextEpoch"];
    }

    // ----- For the invariants

    function current() public view returns (address) {
        return address(uint160(uint256(vm.load(address(params), IMPLEMENTATION))));
    }

    function isPaused() external view returns (bool) {
        return gate.isPaused();
    }

    function nonce() external view returns (uint256) {
        return gate.nonceOf(address(params));
    }

    /// @dev Whether any account from outside holds a right of the timelock.
    function outsiderHasRole() external returns (bool) {
        bytes32[3] memory roles = [bytes32(0), timelock.PROPOSER_ROLE(), timelock.CANCELLER_ROLE()];
        address[4] memory outsiders = [GUARDIAN, address(this), makeAddr("stranger"), _operator(1)];
        for (uint256 i = 0; i < roles.length; ++i) {
            for (uint256 k = 0; k < outsiders.length; ++k) {
                if (timelock.hasRole(roles[i], outsiders[k])) return true;
            }
        }
        return false;
    }

    // ----- Internals

    /// @dev One of sixteen upgrades: two implementations, with and without a call, with four nonces around the right one.
    function _upgrade(uint256 which) private view returns (Upgrade memory) {
        bytes memory data = which & 2 == 0 ? bytes("") : abi.encodeCall(IParamRegistry.get, (ParamKeys.SEED_DELAY));
        uint256 other = which >> 2 & 3;
        uint256 nonce_ = other < 2 ? upgrades : other == 2 ? upgrades + 1 : upgrades == 0 ? 7 : upgrades - 1;
        return Upgrade(address(params), _codes[which & 1], data, nonce_);
    }

    function _guards() private view returns (bool) {
        (address account,) = gate.guardian();
        assertTrue(account == address(0) || !renounced, "a guardian that renounced");
        return account != address(0);
    }

    function _count(uint256 set) private pure returns (uint256 count) {
        for (; set != 0; set &= set - 1) {
            ++count;
        }
    }
}
