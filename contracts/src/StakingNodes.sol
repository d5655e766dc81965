// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Wired } from "./Wired.sol";
import { ICommittees } from "./interfaces/ICommittees.sol";
import { IEpochManager } from "./interfaces/IEpochManager.sol";
import { IParamRegistry } from "./interfaces/IParamRegistry.sol";
import { IStaking } from "./interfaces/IStaking.sol";
import { BlsMinPk } from "./libraries/BlsMinPk.sol";
import { Pools } from "./libraries/Pools.sol";
import { Positions } from "./libraries/Positions.sol";
import { Rates } from "./libraries/Rates.sol";
import { Roster } from "./libraries/Roster.sol";
import { StakingState } from "./libraries/StakingState.sol";
import { Settlement } from "./types/Epoch.sol";
import { NodeInfo, NodeParams, PoolInfo, Position, Rate, Role } from "./types/Node.sol";
import { ParamKeys } from "./types/Param.sol";
import { Parameters, Wiring } from "./types/Wiring.sol";

/// @title What operators tell `Staking` about their nodes, and its longer reads
/// @notice The second half of the code of `Staking`, which would be too long for one contract: `Staking`
/// delegates to it, so that it runs on the storage and at the address of `Staking`. Called directly it only changes
/// storage of its own, which nobody reads. The functions are described in `IStaking`.
contract StakingNodes is Wired {
    using Pools for StakingState.Pool;
    using Positions for StakingState.Layout;
    using Rates for Rate;
    using Rates for Rate[];
    using StakingState for StakingState.Layout;

    /// @notice Highest price vote in FROST, so that no product with it can overflow.
    uint64 public constant MAX_PRICE_VOTE = 1 << 48;
    /// @notice Highest commission in basis points.
    uint16 public constant MAX_COMMISSION_BP = 10_000;

    uint256 private constant MAX_NAME = 100;
    uint256 private constant MAX_ADDRESS = 259;
    uint256 private constant MAX_URI = 512;
    uint256 private constant NETWORK_KEY_LENGTH = 33;

    constructor(Wiring memory w, Parameters memory p) Wired(w, p) { }

    /// @notice See `IStaking.registerNode`.
    function registerNode(NodeParams calldata p) external returns (uint32 nodeId) {
        if (p.commissionBp > MAX_COMMISSION_BP) {
            revert IStaking.CommissionTooHigh(p.commissionBp, MAX_COMMISSION_BP);
        }
        StakingState.Layout storage l = StakingState.get();
        nodeId = ++l.nodeCount;
        StakingState.Node storage n = l.nodes[nodeId];
        n.operator = msg.sender;
        n.commissionReceiver = msg.sender;
        n.governance = msg.sender;
        uint32 epoch = IEpochManager(EPOCH_MANAGER).epoch();
        n.registeredEpoch = epoch;
        l.pools[nodeId].epoch = epoch;
        l.pools[nodeId].commissionBp = p.commissionBp;
        _writeVotes(nodeId, p.storagePrice, p.writePrice, p.capacity);
        _writeInfo(n, p.name, p.networkAddress, p.networkKey, p.metadataURI);
        _writeKey(nodeId, p.blsKey, p.pop);
        emit IStaking.NodeRegistered(nodeId, msg.sender);
    }

    /// @notice See `IStaking.setVotes`.
    function setVotes(uint32 nodeId, uint64 storagePrice, uint64 writePrice, uint64 capacity) external {
        StakingState.Node storage n = _operated(nodeId);
        // The parameter can only shorten the interval, so most calls need not read it.
        uint256 interval = uint256(EPOCH_DURATION) / 14;
        if (n.votedAt != 0 && block.timestamp < n.votedAt + interval) {
            uint256 shorter = IParamRegistry(PARAMS).get(ParamKeys.VOTE_INTERVAL);
            uint256 allowedAt = n.votedAt + (shorter < interval ? shorter : interval);
            if (block.timestamp < allowedAt) revert IStaking.VotedTooRecently(nodeId, uint64(allowedAt));
        }
        n.votedAt = uint40(block.timestamp);
        _writeVotes(nodeId, storagePrice, writePrice, capacity);
        emit IStaking.NodeUpdated(nodeId);
    }

    /// @notice See `IStaking.setNextKey`.
    function setNextKey(uint32 nodeId, bytes calldata key, bytes calldata pop) external {
        _operated(nodeId);
        _writeKey(nodeId, key, pop);
        // A new node changes the members of a committee, which is noticed without this.
        ++StakingState.get().keysVersion;
        emit IStaking.NodeUpdated(nodeId);
    }

    /// @notice See `IStaking.setNodeInfo`.
    function setNodeInfo(
        uint32 nodeId,
        string calldata name_,
        string calldata networkAddress,
        bytes calldata networkKey,
        string calldata metadataURI
    ) external {
        _writeInfo(_operated(nodeId), name_, networkAddress, networkKey, metadataURI);
        emit IStaking.NodeUpdated(nodeId);
    }

    /// @notice See `IStaking.proposeRole`.
    function proposeRole(uint32 nodeId, Role role, address next) external {
        StakingState.Node storage n = _node(nodeId);
        if (_holder(n, role) != msg.sender) revert IStaking.NotInRole(nodeId, role, msg.sender);
        n.proposed[uint8(role)] = next;
        emit IStaking.RoleProposed(nodeId, role, next);
    }

    /// @notice See `IStaking.acceptRole`.
    function acceptRole(uint32 nodeId, Role role) external {
        StakingState.Node storage n = _node(nodeId);
        if (n.proposed[uint8(role)] != msg.sender) revert IStaking.RoleNotProposed(nodeId, role, msg.sender);
        delete n.proposed[uint8(role)];
        if (role == Role.Operator) n.operator = msg.sender;
        else if (role == Role.CommissionReceiver) n.commissionReceiver = msg.sender;
        else n.governance = msg.sender;
        emit IStaking.RoleAccepted(nodeId, role, msg.sender);
    }

    // ----- Reads

    /// @notice See `IStaking.node`.
    function node(uint32 nodeId) external view returns (NodeInfo memory) {
        StakingState.Layout storage l = _known(nodeId);
        StakingState.Node storage n = l.nodes[nodeId];
        StakingState.Pool memory p = l.pools[nodeId];
        uint256 prices = l.priceVotesOf(nodeId);
        return NodeInfo({
            nodeId: nodeId,
            operator: n.operator,
            commissionReceiver: n.commissionReceiver,
            governance: n.governance,
            registeredEpoch: n.registeredEpoch,
            commissionBp: p.commissionBp,
            inActiveSet: n.activePlace != 0,
            storagePrice: uint64(prices >> 64),
            writePrice: uint64(prices),
            capacity: l.capacityVoteOf(nodeId),
            stake: p.expectedStake(),
            blsKey: abi.encodePacked(n.key[0], n.key[1], n.key[2]),
            networkKey: n.networkKey,
            name: n.name,
            networkAddress: n.networkAddress,
            metadataURI: n.metadataURI
        });
    }

    /// @notice See `IStaking.pool`.
    function pool(uint32 nodeId) external view returns (PoolInfo memory) {
        StakingState.Pool memory p = _known(nodeId).pools[nodeId];
        bool nextIsOdd = p.epoch & 1 == 0;
        return PoolInfo({
            nodeId: nodeId,
            settledEpoch: p.epoch,
            balance: p.balance,
            shares: p.shares,
            joiningNext: nextIsOdd ? p.joiningOdd : p.joiningEven,
            joiningAfter: nextIsOdd ? p.joiningEven : p.joiningOdd,
            leavingNext: nextIsOdd ? p.leavingOdd : p.leavingEven,
            leavingAfter: nextIsOdd ? p.leavingEven : p.leavingOdd,
            passing: p.passing,
            owed: p.owed,
            commission: p.commission,
            commissionBp: p.commissionBp,
            misses: p.misses,
            jailedUntil: p.jailedUntil,
            retired: p.retired,
            expectedStake: p.expectedStake()
        });
    }

    /// @notice See `IStaking.candidates`.
    function candidates() external view returns (uint32[] memory nodeIds, uint64[] memory stakes, uint256 nodes) {
        StakingState.Layout storage l = StakingState.get();
        (nodeIds, stakes) = (l.activeIds, l.activeStakes);
        nodes = nodeIds.length;
        Settlement storage s = l.settlement;
        if (s.settled == s.members) return (nodeIds, stakes, nodes);
        // A pool that was no member has nothing to settle: its expected stake does not depend on the epoch.
        for (uint256 i = 0; i < nodeIds.length; ++i) {
            if (l.pools[nodeIds[i]].epoch > s.epoch) continue;
            (bool member,,) = ICommittees(COMMITTEES).standing(s.epoch, nodeIds[i]);
            if (!member) continue;
            stakes[i] = 0;
            --nodes;
        }
    }

    /// @notice See `IStaking.settlement`.
    function settlement() external view returns (Settlement memory) {
        return StakingState.get().settlement;
    }

    /// @notice See `IStaking.keysOf`.
    function keysOf(uint32[] calldata nodeIds) external view returns (bytes memory keys) {
        StakingState.Layout storage l = StakingState.get();
        keys = new bytes(nodeIds.length * BlsMinPk.KEY_LENGTH);
        for (uint256 i = 0; i < nodeIds.length; ++i) {
            uint256[3] storage key = l.nodes[nodeIds[i]].key;
            (uint256 a, uint256 b, uint256 c) = (key[0], key[1], key[2]);
            assembly ("memory-safe") {
                let at := add(add(keys, 0x20), mul(i, 96))
                mstore(at, a)
                mstore(add(at, 0x20), b)
                mstore(add(at, 0x40), c)
            }
        }
    }

    /// @notice See `IStaking.priceVotesOf`.
    function priceVotesOf(bytes calldata roster) external view returns (bytes memory votes) {
        StakingState.Layout storage l = StakingState.get();
        bytes memory members = roster;
        uint256 length = 16 * Roster.seats(members);
        // Every vote is written as a whole word that the next one cuts off.
        votes = new bytes(length + 16);
        // Neighbours share a word, and members are mostly neighbours.
        (uint256 place, uint256 word) = (type(uint256).max, 0);
        uint256 seat = 0;
        for (uint256 offset = 0; offset < length; offset += 16) {
            uint256 nodeId = Roster.idAt(members, seat++);
            if (nodeId >> 1 != place) {
                place = nodeId >> 1;
                word = l.priceVotes[place];
            }
            uint256 vote = word >> (128 * (nodeId & 1)) << 128;
            assembly ("memory-safe") {
                mstore(add(add(votes, 0x20), offset), vote)
            }
        }
        assembly ("memory-safe") {
            mstore(votes, length)
        }
    }

    /// @notice See `IStaking.capacityVotesOf`.
    function capacityVotesOf(uint32[] calldata nodeIds) external view returns (uint256[] memory votes) {
        StakingState.Layout storage l = StakingState.get();
        votes = new uint256[](nodeIds.length);
        (uint256 place, uint256 word) = (type(uint256).max, 0);
        uint256 count = nodeIds.length;
        for (uint256 i = 0; i < count; ++i) {
            uint256 nodeId = nodeIds[i];
            if (nodeId >> 2 != place) {
                place = nodeId >> 2;
                word = l.capacityVotes[place];
            }
            votes[i] = uint64(word >> (64 * (nodeId & 3)));
        }
    }

    /// @notice See `IStaking.valueOf`.
    function valueOf(uint256 positionId) external view returns (uint256 amount, uint32 withdrawEpoch) {
        StakingState.Layout storage l = StakingState.get();
        Position memory q = l.positions[positionId];
        StakingState.Pool memory p = l.pools[q.nodeId];
        withdrawEpoch = q.withdrawEpoch;
        if (q.activationEpoch > p.epoch) amount = q.principal;
        else if (withdrawEpoch != 0 && withdrawEpoch <= p.epoch) amount = l.worthAtWithdrawal(q);
        else amount = p.rateOf().toAmount(l.sharesOf(q));
    }

    /// @notice See `IStaking.rateAt`.
    function rateAt(uint32 nodeId, uint32 epoch) external view returns (Rate memory) {
        return StakingState.get().rates[nodeId].rateAt(epoch);
    }

    // ----- Internals

    /// @dev Checks and writes a key. A key once used stays with its node, so nobody can take over an old one.
    function _writeKey(uint32 nodeId, bytes calldata key, bytes calldata pop) private {
        ICommittees(COMMITTEES).verifyPossession(msg.sender, key, pop);
        StakingState.Layout storage l = StakingState.get();
        bytes32 hash = keccak256(key);
        uint32 user = l.nodeOfKey[hash];
        if (user != 0 && user != nodeId) revert IStaking.KeyInUse(user);
        l.nodeOfKey[hash] = nodeId;
        uint256[3] memory words = abi.decode(key, (uint256[3]));
        l.nodes[nodeId].key = words;
    }

    function _writeVotes(uint32 nodeId, uint64 storagePrice, uint64 writePrice, uint64 capacity) private {
        if (storagePrice > MAX_PRICE_VOTE) revert IStaking.VoteTooHigh(storagePrice, MAX_PRICE_VOTE);
        if (writePrice > MAX_PRICE_VOTE) revert IStaking.VoteTooHigh(writePrice, MAX_PRICE_VOTE);
        StakingState.get().setVotes(nodeId, storagePrice, writePrice, capacity);
    }

    function _writeInfo(
        StakingState.Node storage n,
        string calldata name_,
        string calldata networkAddress,
        bytes calldata networkKey,
        string calldata metadataURI
    ) private {
        _requireLength("name", bytes(name_).length, 1, MAX_NAME);
        _requireLength("networkAddress", bytes(networkAddress).length, 1, MAX_ADDRESS);
        _requireLength("networkKey", networkKey.length, NETWORK_KEY_LENGTH, NETWORK_KEY_LENGTH);
        _requireLength("metadataURI", bytes(metadataURI).length, 0, MAX_URI);
        uint8 form = uint8(networkKey[0]);
        if (form != 2 && form != 3) revert IStaking.BadNetworkKey(form);
        n.name = name_;
        n.networkAddress = networkAddress;
        n.networkKey = networkKey;
        n.metadataURI = metadataURI;
    }

    function _operated(uint32 nodeId) private view returns (StakingState.Node storage n) {
        n = _node(nodeId);
        if (n.operator != msg.sender) revert IStaking.NotOperator(nodeId, msg.sender);
    }

    function _known(uint32 nodeId) private view returns (StakingState.Layout storage l) {
        l = StakingState.get();
        if (l.nodes[nodeId].operator == address(0)) revert IStaking.UnknownNode(nodeId);
    }

    function _node(uint32 nodeId) private view returns (StakingState.Node storage n) {
        n = StakingState.get().nodes[nodeId];
        if (n.operator == address(0)) revert IStaking.UnknownNode(nodeId);
    }

    function _holder(StakingState.Node storage n, Role role) private view returns (address) {
        if (role == Role.Operator) return n.operator;
        return role == Role.CommissionReceiver ? n.commissionReceiver : n.governance;
    }

    function _requireLength(bytes32 field, uint256 length, uint256 lowest, uint256 highest) private pure {
        if (length < lowest || length > highest) revert IStaking.BadFieldLength(field, length, highest);
    }
}
