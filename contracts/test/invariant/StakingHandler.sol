// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Vm } from "forge-std/Vm.sol";
import { IStaking } from "src/interfaces/IStaking.sol";
import { RedStuffMath } from "src/libraries/RedStuffMath.sol";
import { WeightedVotes } from "src/libraries/WeightedVotes.sol";
import { ChallengeResult, EpochState, Settlement } from "src/types/Epoch.sol";
import { Position, Role } from "src/types/Node.sol";
import { StakingBase } from "../utils/StakingBase.sol";

/// @dev Stakers, operators, crankers and an attacker on a network of six nodes and ten shards. Challenge results are
/// random, some pools stay unsettled, some operators never report. Calls that the rules refuse may fail; what the
/// invariants say must hold whatever succeeds.
contract StakingHandler is StakingBase {
    uint32 internal constant NODES = 6;
    uint16 private constant N_SHARDS = 10;

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

    /// @dev A position that an action is not about.
    struct Witness {
        uint256 id;
        uint256 value;
        uint64 principal;
        uint32 nodeId;
        uint32 settled;
    }

    modifier counted(bytes32 action) {
        Witness memory w = _witness(action);
        _;
        _checkWitness(w);
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

    /// @dev Prices follow at once, and are what the definition says.
    function vote(uint32 nodeId, uint64 storagePrice, uint64 writePrice, uint64 bytes_) external counted("vote") {
        nodeId = _node(nodeId);
        vm.prank(_operator(nodeId));
        staking.setVotes(
            nodeId,
            uint64(bound(storagePrice, 0, 9)),
            uint64(bound(writePrice, 0, 1 << 48)),
            uint64(bound(bytes_, 0, 1e13))
        );
        system.updatePrices();
        (uint64 price, uint64 fee) = system.prices();
        assertEq(price, _votedPrice(true), "storage price");
        assertEq(fee, _votedPrice(false), "write price");
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
                _settleChecked();
                _warpTo(epochManager.clock().selectableAt);
                _selectChecked();
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
            _settleChecked();
            _warpTo(epochManager.clock().selectableAt);
        }
        _selectChecked();
    }

    /// @dev Settles all pools. Who passed gets its share, neither more nor less because of the others; who failed gets
    /// nothing; nobody is punished unless results count.
    function _settleChecked() private {
        Settlement memory s = staking.settlement();
        bool counts = s.result.enforced && !s.result.isVoid;
        uint256[] memory misses = new uint256[](NODES + 1);
        for (uint32 i = 1; i <= NODES; ++i) {
            misses[i] = staking.pool(i).misses;
        }
        vm.recordLogs();
        _settleAll();
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != IStaking.PoolSettled.selector) continue;
            uint32 nodeId = uint32(uint256(logs[i].topics[1]));
            assertEq(uint256(logs[i].topics[2]), s.epoch, "only the epoch that ended is settled");
            (uint256 reward, uint256 commission_, uint256 slashed) =
                abi.decode(logs[i].data, (uint256, uint256, uint256));
            (, uint8 seat, uint16 weight) = committees.standing(s.epoch, nodeId);
            bool failed = counts && s.result.passed >> seat & 1 == 0;
            assertEq(reward, failed ? 0 : uint256(s.rewards) * weight / N_SHARDS, "the share of a pool");
            assertLe(commission_, reward);
            if (!failed) assertEq(slashed, 0, "slashed though it passed");
            if (!counts) assertEq(staking.pool(nodeId).misses, misses[nodeId], "a strike without a result");
            ++done[failed ? bytes32("forfeited") : bytes32("rewarded")];
        }
    }

    /// @dev Selects with the only seats there are, moves no shard that could have stayed, and takes up the voted capacity.
    function _selectChecked() private {
        uint32 epoch = epochManager.epoch();
        uint16[] memory seats = _dhondt();
        (,, uint256 nodes) = staking.candidates();
        if (nodes >= 4) _refuseOtherSeats(seats);
        epochManager.selectCommittee(seats);

        uint256 moved = 0;
        for (uint16 shard = 0; shard < N_SHARDS; ++shard) {
            if (committees.shardOwner(epoch, shard) != committees.shardOwner(epoch + 1, shard)) ++moved;
        }
        uint256 lost = 0;
        for (uint32 i = 1; i <= NODES; ++i) {
            (uint16 old, uint16 next) = (committees.weightOf(epoch, i), committees.weightOf(epoch + 1, i));
            if (old > next) lost += old - next;
        }
        assertEq(moved, lost, "as many shards move as somebody loses");
        if (moved != 0) ++done["moved"];
        assertEq(epochManager.nextCapacity(), _votedCapacity(epoch + 1), "voted capacity");
    }

    function _refuseOtherSeats(uint16[] memory seats) private {
        for (uint256 from = 0; from < seats.length; ++from) {
            uint256 to = (from + 1) % seats.length;
            if (seats[from] == 0) continue;
            (seats[from], seats[to]) = (seats[from] - 1, seats[to] + 1);
            try epochManager.selectCommittee(seats) {
                assertTrue(false, "other seats are accepted");
            } catch { }
            (seats[from], seats[to]) = (seats[from] + 1, seats[to] - 1);
        }
    }

    /// @dev The smallest price such that votes up to it hold a quorum.
    function _votedPrice(bool storagePrice) private view returns (uint64 lowest) {
        (uint32[] memory ids, uint16[] memory weights) = committees.members(epochManager.epoch());
        lowest = type(uint64).max;
        for (uint256 i = 0; i < ids.length; ++i) {
            if (ids[i] == 0) continue;
            uint64 price = _priceOf(ids[i], storagePrice);
            uint256 weight = 0;
            for (uint256 k = 0; k < ids.length; ++k) {
                if (ids[k] != 0 && _priceOf(ids[k], storagePrice) <= price) weight += weights[k];
            }
            if (RedStuffMath.isQuorum(weight, N_SHARDS) && price < lowest) lowest = price;
        }
    }

    function _priceOf(uint32 nodeId, bool storagePrice) private view returns (uint64) {
        return storagePrice ? staking.node(nodeId).storagePrice : staking.node(nodeId).writePrice;
    }

    /// @dev The largest capacity such that votes from it on hold a quorum, each vote scaled to the whole network.
    function _votedCapacity(uint32 epoch) private view returns (uint64 highest) {
        (uint32[] memory ids, uint16[] memory weights) = committees.members(epoch);
        uint64[] memory votes = new uint64[](ids.length);
        for (uint256 i = 0; i < ids.length; ++i) {
            if (ids[i] != 0) votes[i] = WeightedVotes.scaled(staking.node(ids[i]).capacity, weights[i], N_SHARDS);
        }
        for (uint256 i = 0; i < ids.length; ++i) {
            uint256 weight = 0;
            for (uint256 k = 0; k < ids.length; ++k) {
                if (votes[k] >= votes[i]) weight += weights[k];
            }
            if (RedStuffMath.isQuorum(weight, N_SHARDS) && votes[i] > highest) highest = votes[i];
        }
    }

    function _witness(bytes32 action) private view returns (Witness memory w) {
        (w.id,) = _position(uint256(keccak256(abi.encode(action, lastPosition, vm.getBlockTimestamp()))));
        if (w.id == 0) return w;
        Position memory q = staking.position(w.id);
        (w.value,) = staking.valueOf(w.id);
        (w.principal, w.nodeId, w.settled) = (q.principal, q.nodeId, staking.pool(q.nodeId).settledEpoch);
    }

    /// @dev Nothing that others do between two settlements changes what a position is worth, rounding apart.
    function _checkWitness(Witness memory w) private view {
        if (w.id == 0 || staking.pool(w.nodeId).settledEpoch != w.settled) return;
        try staking.position(w.id) returns (Position memory q) {
            if (q.principal != w.principal) return;
            (uint256 value,) = staking.valueOf(w.id);
            assertApproxEqAbs(value, w.value, 2, "an action on another position changed this one");
        } catch { }
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
