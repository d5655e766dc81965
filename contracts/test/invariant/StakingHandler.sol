// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ChallengeResult, EpochState } from "src/types/Epoch.sol";
import { NodeInfo, PoolInfo, Position, Role } from "src/types/Node.sol";
import { StakingBase } from "../utils/StakingBase.sol";

/// @dev Stakers, operators, crankers and an attacker on a network of six nodes and ten shards. Challenge results are
/// random, some pools stay unsettled, some operators never report. Calls that the rules refuse may fail; what the
/// invariants say must hold whatever succeeds.
contract StakingHandler is StakingBase {
    uint32 internal constant NODES = 6;

    address[] public users;
    uint256 public donated;
    uint256 public lowestSupply;
    uint256 public lastPosition;
    mapping(bytes32 action => uint256) public done;

    function launch() external {
        _start(10, 4);
        for (uint32 i = 5; i <= NODES; ++i) {
            _register(i);
        }
        users.push(ALICE);
        users.push(BOB);
        users.push(CAROL);
        for (uint256 i = 0; i < users.length; ++i) {
            wal.transfer(users[i], 10_000_000e9);
            vm.startPrank(users[i]);
            wal.approve(address(staking), type(uint256).max);
            staking.delegate(users[i]);
            vm.stopPrank();
        }
        staking.delegate(address(this));
        lastPosition = 4;
        lowestSupply = wal.totalSupply();
    }

    modifier counted(bytes32 action) {
        _;
        uint256 supply = wal.totalSupply();
        assertLe(supply, lowestSupply, "WAL supply only falls");
        lowestSupply = supply;
        ++done[action];
    }

    // ----- Stakers

    function stake(uint256 who, uint32 nodeId, uint256 amount) external counted("stake") {
        address user = _user(who);
        amount = bound(amount, 1e9, 2000e9);
        vm.prank(user);
        try staking.stake(_node(nodeId), amount, user) returns (uint256 id) {
            lastPosition = id;
            ++done["staked"];
        } catch { }
    }

    function request(uint256 which) external counted("request") {
        (uint256 id, address owner) = _position(which);
        if (id == 0) return;
        vm.prank(owner);
        try staking.requestWithdraw(id) {
            ++done["requested"];
        } catch { }
    }

    /// @dev A due withdrawal can never be refused.
    function withdraw(uint256 which) external counted("withdraw") {
        (uint256 id, address owner) = _position(which);
        if (id == 0) return;
        Position memory q = staking.position(id);
        bool due = q.withdrawEpoch != 0 && q.withdrawEpoch <= epochManager.epoch();
        uint256 before = wal.balanceOf(owner);
        vm.prank(owner);
        try staking.withdraw(id, owner) returns (uint256 amount) {
            assertEq(wal.balanceOf(owner), before + amount);
            assertGt(amount, uint256(q.principal) / 50, "slashing never takes everything");
            if (due) ++done["withdrawn when due"];
            if (amount > q.principal) ++done["withdrawn with a gain"];
        } catch {
            assertFalse(due, "a due withdrawal is refused");
        }
    }

    function split(uint256 which, uint256 amount) external counted("split") {
        (uint256 id, address owner) = _position(which);
        if (id == 0) return;
        (uint256 value,) = staking.valueOf(id);
        vm.prank(owner);
        try staking.splitPosition(id, bound(amount, 1e9, 1000e9)) returns (uint256 newId) {
            lastPosition = newId;
            ++done["parted"];
            (uint256 a,) = staking.valueOf(id);
            (uint256 b,) = staking.valueOf(newId);
            assertLe(a + b, value, "splitting makes nothing");
        } catch { }
    }

    /// @dev Joins a position with the next one that is like it, or with any other.
    function join(uint256 a, uint256 b) external counted("join") {
        (uint256 into, address owner) = _position(a);
        if (into == 0) return;
        (uint256 from,) = _position(b);
        Position memory q = staking.position(into);
        for (uint256 i = 0; i < 20; ++i) {
            (uint256 id, address other) = _position(into + i);
            Position memory r = staking.position(id);
            bool alike = r.nodeId == q.nodeId && r.activationEpoch == q.activationEpoch && other == owner
                && r.withdrawEpoch == q.withdrawEpoch;
            if (alike && id != into) from = id;
        }
        vm.prank(owner);
        try staking.joinPositions(into, from) {
            ++done["joined"];
        } catch { }
    }

    function send(uint256 which, uint256 to) external counted("send") {
        (uint256 id, address owner) = _position(which);
        if (id == 0 || owner == address(this)) return;
        vm.prank(owner);
        staking.transferFrom(owner, _user(to), id);
    }

    // ----- Operators

    function commission(uint32 nodeId, uint16 bp) external counted("commission") {
        nodeId = _node(nodeId);
        vm.prank(_operator(nodeId));
        staking.setNextCommission(nodeId, uint16(bound(bp, 0, 10_000)));
    }

    function collect(uint32 nodeId) external counted("collect") {
        nodeId = _node(nodeId);
        vm.prank(_operator(nodeId));
        staking.collectCommission(nodeId, CAROL);
    }

    function rejoin(uint32 nodeId) external counted("rejoin") {
        nodeId = _node(nodeId);
        vm.prank(_operator(nodeId));
        try staking.joinActiveSet(nodeId, 0) {
            ++done["rejoined"];
        } catch { }
    }

    // ----- Money and strangers

    function subsidise(uint256 amount, uint32 epochs) external counted("subsidise") {
        system.addSubsidy(bound(amount, 1, 10_000e9), uint32(bound(epochs, 1, 5)));
    }

    function donate(uint256 amount) external counted("donate") {
        amount = bound(amount, 1, 100e9);
        wal.transfer(address(staking), amount);
        donated += amount;
    }

    /// @dev What strangers must never get through.
    function attack(uint256 which, uint32 nodeId) external counted("attack") {
        (uint256 id,) = _position(which);
        nodeId = _node(nodeId);
        ChallengeResult memory result = ChallengeResult(true, false, 0, 0);
        bytes[8] memory calls = [
            abi.encodeCall(staking.withdraw, (id, makeAddr("mallory"))),
            abi.encodeCall(staking.requestWithdraw, (id)),
            abi.encodeCall(staking.collectCommission, (nodeId, makeAddr("mallory"))),
            abi.encodeCall(staking.setNextCommission, (nodeId, 10_000)),
            abi.encodeCall(staking.proposeRole, (nodeId, Role.Governance, makeAddr("mallory"))),
            abi.encodeCall(staking.recordChallengeResult, (epochManager.epoch() - 1, result)),
            abi.encodeCall(staking.receiveRewards, (epochManager.epoch(), 1e18)),
            abi.encodeCall(staking.initialize, ())
        ];
        vm.startPrank(makeAddr("mallory"));
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool ok,) = address(staking).call(calls[i]);
            assertFalse(ok, "a stranger got through");
        }
        vm.stopPrank();
    }

    // ----- Cranks

    function settle(uint32 nodeId) external counted("settle") {
        staking.settle(_id(_node(nodeId)));
    }

    /// @dev The next one to three steps of the epoch machine, whatever they are.
    function crank(uint256 seed) external counted("crank") {
        for (uint256 i = 0; i <= seed % 3; ++i) {
            _step(uint256(keccak256(abi.encode(seed, i))));
        }
    }

    /// @dev From here on only cranks, and only a quorum of the operators.
    function runOn() external {
        uint32 epoch = epochManager.epoch();
        while (epochManager.epoch() < epoch + 2) {
            EpochState state = epochManager.clock().state;
            if (state == EpochState.Sync) {
                _syncQuorum();
            } else if (state == EpochState.Done) {
                _settleAll();
                _warpTo(epochManager.clock().selectableAt);
                epochManager.selectCommittee(_dhondt());
            } else {
                _warpTo(epochManager.clock().startableAt);
                epochManager.startEpoch();
            }
        }
    }

    // ----- For the invariants

    function contracts() external view returns (address, address, address, address, address) {
        return (address(wal), address(staking), address(committees), address(epochManager), address(system));
    }

    function userCount() external view returns (uint256) {
        return users.length;
    }

    // ----- Internals

    function _step(uint256 seed) private {
        EpochState state = epochManager.clock().state;
        if (state == EpochState.Sync) return _syncAll();
        if (state == EpochState.ParamsSelected) {
            _scriptRandomly(seed);
            _warpTo(epochManager.clock().startableAt);
            epochManager.startEpoch();
            ++done["epoch"];
            return;
        }
        if (staking.pool(6).misses > 1) ++done["struck"];
        if (staking.pool(6).jailedUntil != 0) ++done["jailed"];
        // Mostly all pools are settled in time; sometimes some are not, and the selection waits and goes on.
        if (seed % 8 == 0) {
            if (!staking.isSettled()) ++done["unsettled"];
            _warpTo(epochManager.clock().doneAt + uint256(D) * 3 / 4);
        } else {
            _settleAll();
            _warpTo(epochManager.clock().selectableAt);
        }
        epochManager.selectCommittee(_dhondt());
    }

    function _scriptRandomly(uint256 seed) private {
        uint256 kind = seed % 10;
        if (kind < 3) return;
        uint256 passed = kind < 5 ? type(uint256).max : uint256(keccak256(abi.encode(seed)));
        // Node 6 is the one that nearly always fails, so that strikes and jail happen.
        (bool member, uint8 seat) = committees.seatOf(epochManager.epoch(), 6);
        if (member && kind != 4) passed &= ~(uint256(1) << seat);
        _script(ChallengeResult(kind != 5, kind == 6, passed, kind == 7 ? ~passed : 0));
    }

    function _syncQuorum() private {
        uint32 epoch = epochManager.epoch();
        (uint32[] memory ids,) = committees.members(epoch);
        for (uint256 i = ids.length; i > 0; --i) {
            if (epochManager.clock().state != EpochState.Sync) return;
            if (ids[i - 1] == 0 || epochManager.hasReported(ids[i - 1])) continue;
            vm.prank(_operator(ids[i - 1]));
            epochManager.syncDone(ids[i - 1], epoch);
        }
    }

    /// @dev A position that exists, at or after the given place; 0 when none is left.
    function _position(uint256 which) private view returns (uint256 id, address owner) {
        for (uint256 i = 0; i < lastPosition; ++i) {
            id = (which % lastPosition + i) % lastPosition + 1;
            try staking.ownerOf(id) returns (address found) {
                return (id, found);
            } catch { }
        }
        return (0, address(0));
    }

    function _user(uint256 who) private view returns (address) {
        return users[who % users.length];
    }

    function _node(uint32 nodeId) private pure returns (uint32) {
        return nodeId % NODES + 1;
    }
}
