// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { FixedPointMathLib } from "solady/utils/FixedPointMathLib.sol";
import { LibBit } from "solady/utils/LibBit.sol";
import { LibSort } from "solady/utils/LibSort.sol";
import { SSTORE2 } from "solady/utils/SSTORE2.sol";
import { BLS } from "solady/utils/ext/ithaca/BLS.sol";
import { WiredUpgradeable } from "./WiredUpgradeable.sol";
import { Wired } from "./Wired.sol";
import { ICommittees } from "./interfaces/ICommittees.sol";
import { IEpochManager } from "./interfaces/IEpochManager.sol";
import { IStaking } from "./interfaces/IStaking.sol";
import { BlsMinPk } from "./libraries/BlsMinPk.sol";
import { Intent } from "./libraries/Intent.sol";
import { RedStuffMath } from "./libraries/RedStuffMath.sol";
import { ShardMap } from "./libraries/ShardMap.sol";
import { Cert, Threshold } from "./types/Cert.sol";
import { CommitteeInfo } from "./types/Epoch.sol";
import { Parameters, Wiring } from "./types/Wiring.sol";

/// @title Committees and their certificates
contract Committees is ICommittees, WiredUpgradeable {
    /// @dev One committee. Three are kept, at `epoch % 3`.
    /// @param epoch Epoch served
    /// @param keyTable Data contract: 96 bytes per seat
    /// @param shardMap Data contract: one byte (seat) per shard
    /// @param keysHash keccak256 of the key table, to use a table again while it stays the same
    /// @param occupied Bit `i` is set when seat `i` has a member
    /// @param aggregate Sum of all keys
    /// @param weights 16 seats of 16 bits per word, seat 0 in the lowest bits
    /// @param nodeIds 8 seats of 32 bits per word, seat 0 in the lowest bits
    struct Committee {
        uint32 epoch;
        address keyTable;
        address shardMap;
        bytes32 keysHash;
        uint256 occupied;
        uint256[3] aggregate;
        uint256[16] weights;
        uint256[32] nodeIds;
    }

    /// @custom:storage-location erc7201:walrus.Committees
    struct Layout {
        Committee[3] ring;
    }

    /// @dev keccak256(abi.encode(uint256(keccak256("walrus.Committees")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant LAYOUT_SLOT = 0x4f1a1af6fa31728343e454ca5ef069cd417b8391beaeca4da6d23fc6751d1500;

    constructor(Wiring memory w, Parameters memory p) Wired(w, p) { }

    /// @notice Prepares the proxy; called by the transaction that creates it.
    function initialize() external initializer { }

    /// @inheritdoc ICommittees
    function select(uint32 epoch, uint32[] calldata nodeIds, uint16[] calldata seats) external {
        _requireCaller(EPOCH_MANAGER);
        Committee storage old = _layout().ring[(epoch - 1) % 3];
        uint32[] memory oldIds = _unpackIds(old);
        (uint32[] memory ids, uint16[] memory weights) = _seat(oldIds, _sortMembers(nodeIds, seats));

        bytes memory oldMap = old.occupied == 0 ? bytes("") : SSTORE2.read(old.shardMap);
        bytes memory map = ShardMap.assign(oldMap, oldIds, ids, weights, N_SHARDS);
        address shardMap = keccak256(map) == keccak256(oldMap) ? old.shardMap : SSTORE2.write(map);

        Committee storage next = _layout().ring[epoch % 3];
        next.epoch = epoch;
        next.shardMap = shardMap;
        _storeMembers(next, ids, weights);
        _storeKeys(next, old, ids);
        emit CommitteeSelected(epoch, ids, weights, shardMap, next.keyTable);
    }

    /// @inheritdoc ICommittees
    function keep(uint32 epoch) external {
        _requireCaller(EPOCH_MANAGER);
        Committee storage old = _at(epoch - 1);
        Committee storage next = _layout().ring[epoch % 3];
        uint32[] memory ids = _unpackIds(old);
        uint16[] memory weights = _unpackWeights(old, ids.length);
        next.epoch = epoch;
        next.shardMap = old.shardMap;
        _storeMembers(next, ids, weights);
        _storeKeys(next, old, ids);
        emit CommitteeSelected(epoch, ids, weights, next.shardMap, next.keyTable);
    }

    /// @inheritdoc ICommittees
    function verify(uint32 epoch, bytes calldata message, Cert calldata c, Threshold t)
        external
        view
        returns (uint16 weight)
    {
        Committee storage committee_ = _at(epoch);
        uint256 occupied = committee_.occupied;
        if (c.signers & ~occupied != 0) revert UnknownSigners(c.signers & ~occupied);

        uint256 absent = occupied & ~c.signers;
        weight = uint16(N_SHARDS - _sumWeights(committee_, absent));
        uint256 needed = t == Threshold.Quorum ? RedStuffMath.quorum(N_SHARDS) : RedStuffMath.oneHonest(N_SHARDS);
        if (weight < needed) revert NotEnoughWeight(weight, uint16(needed));

        BLS.G2Point memory signature = BlsMinPk.toSignature(c.signature);
        BLS.G1Point memory key = _keyWithout(committee_, absent);
        if (!BlsMinPk.verify(key, message, signature)) revert BadSignature();
    }

    /// @inheritdoc ICommittees
    function verifyPossession(address operator, bytes calldata key, bytes calldata pop) external view {
        BLS.G1Point memory point = BlsMinPk.toKey(key);
        BLS.G2Point memory signature = BlsMinPk.toSignature(pop);
        uint32 epoch = IEpochManager(EPOCH_MANAGER).epoch();
        bytes memory message = Intent.proofOfPossession(epoch, domain(), operator, BlsMinPk.compress(point));
        if (!BlsMinPk.verify(point, message, signature)) revert BadProofOfPossession();
    }

    /// @inheritdoc ICommittees
    function seatOf(uint32 epoch, uint32 nodeId) public view returns (bool member, uint8 seat) {
        Committee storage committee_ = _at(epoch);
        if (nodeId == 0) return (false, 0);
        uint256 count = _seatCount(committee_);
        for (uint256 i = 0; i < count; i += 8) {
            uint256 word = committee_.nodeIds[i / 8];
            for (uint256 j = 0; j < 8; ++j) {
                if (uint32(word >> (32 * j)) == nodeId) return (true, uint8(i + j));
            }
        }
    }

    /// @inheritdoc ICommittees
    function weightOf(uint32 epoch, uint32 nodeId) external view returns (uint16 weight) {
        (bool member, uint8 seat) = seatOf(epoch, nodeId);
        return member ? _weightAt(_at(epoch), seat) : 0;
    }

    /// @inheritdoc ICommittees
    function shardOwner(uint32 epoch, uint16 shard) external view returns (uint32 nodeId) {
        if (shard >= N_SHARDS) revert UnknownShard(shard);
        Committee storage committee_ = _at(epoch);
        uint256 seat = uint8(SSTORE2.read(committee_.shardMap, shard, uint256(shard) + 1)[0]);
        return uint32(committee_.nodeIds[seat / 8] >> (32 * (seat % 8)));
    }

    /// @inheritdoc ICommittees
    function members(uint32 epoch) external view returns (uint32[] memory nodeIds, uint16[] memory weights) {
        Committee storage committee_ = _at(epoch);
        nodeIds = _unpackIds(committee_);
        weights = _unpackWeights(committee_, nodeIds.length);
    }

    /// @inheritdoc ICommittees
    function committee(uint32 epoch) external view returns (CommitteeInfo memory info) {
        Committee storage committee_ = _at(epoch);
        info.epoch = epoch;
        info.nodeIds = _unpackIds(committee_);
        info.weights = _unpackWeights(committee_, info.nodeIds.length);
        info.keys = SSTORE2.read(committee_.keyTable);
        info.aggregateKey = abi.encodePacked(committee_.aggregate[0], committee_.aggregate[1], committee_.aggregate[2]);
        info.shardMap = SSTORE2.read(committee_.shardMap);
    }

    /// @inheritdoc ICommittees
    function domain() public view returns (bytes32) {
        return Intent.domain(block.chainid, COMMITTEES);
    }

    /// @dev Nodes with at least one seat as `nodeId << 16 | weight`, ascending.
    function _sortMembers(uint32[] calldata nodeIds, uint16[] calldata seats)
        private
        pure
        returns (uint256[] memory list)
    {
        list = new uint256[](nodeIds.length);
        uint256 count = 0;
        for (uint256 i = 0; i < nodeIds.length; ++i) {
            if (seats[i] != 0) list[count++] = uint256(nodeIds[i]) << 16 | seats[i];
        }
        // The list only shrinks.
        assembly ("memory-safe") {
            mstore(list, count)
        }
        LibSort.sort(list);
    }

    /// @dev Gives every member a seat: the old one if it had one, else the lowest free one, in ascending node id.
    function _seat(uint32[] memory oldIds, uint256[] memory sorted)
        private
        pure
        returns (uint32[] memory ids, uint16[] memory weights)
    {
        // Enough seats for the old ones to stay where they are and all newcomers behind them.
        uint256 most = oldIds.length + sorted.length;
        ids = new uint32[](most);
        weights = new uint16[](most);
        uint256 length = 0;
        for (uint256 seat = 0; seat < oldIds.length; ++seat) {
            (bool found, uint256 place) = _find(sorted, oldIds[seat]);
            if (!found) continue;
            (ids[seat], weights[seat]) = (oldIds[seat], uint16(sorted[place]));
            length = seat + 1;
            sorted[place] = 0;
        }
        uint256 free = 0;
        for (uint256 i = 0; i < sorted.length; ++i) {
            if (sorted[i] == 0) continue;
            while (ids[free] != 0) ++free;
            (ids[free], weights[free]) = (uint32(sorted[i] >> 16), uint16(sorted[i]));
            if (free >= length) length = free + 1;
        }
        // Both lists only shrink.
        assembly ("memory-safe") {
            mstore(ids, length)
            mstore(weights, length)
        }
    }

    /// @dev Position of a node in a list of `nodeId << 16 | weight`, of which some are already struck out (0).
    function _find(uint256[] memory list, uint32 nodeId) private pure returns (bool, uint256) {
        if (nodeId == 0) return (false, 0);
        for (uint256 i = 0; i < list.length; ++i) {
            if (list[i] >> 16 == nodeId) return (true, i);
        }
        return (false, 0);
    }

    /// @dev Writes node ids, weights and the occupied bits; words beyond the last seat are cleared.
    function _storeMembers(Committee storage next, uint32[] memory ids, uint16[] memory weights) private {
        uint256[16] memory weightWords;
        uint256[32] memory idWords;
        uint256 occupied = 0;
        for (uint256 seat = 0; seat < ids.length; ++seat) {
            if (ids[seat] != 0) occupied |= 1 << seat;
            weightWords[seat / 16] |= uint256(weights[seat]) << (16 * (seat % 16));
            idWords[seat / 8] |= uint256(ids[seat]) << (32 * (seat % 8));
        }
        uint256 seats = FixedPointMathLib.max(ids.length, _seatCount(next));
        for (uint256 i = 0; i * 16 < seats; ++i) {
            next.weights[i] = weightWords[i];
        }
        for (uint256 i = 0; i * 8 < seats; ++i) {
            next.nodeIds[i] = idWords[i];
        }
        next.occupied = occupied;
    }

    /// @dev Writes the key table and the sum of the keys, or takes over those of `old` when nothing changed.
    function _storeKeys(Committee storage next, Committee storage old, uint32[] memory ids) private {
        bytes memory keys = IStaking(STAKING).keysOf(ids);
        bytes32 hash = keccak256(keys);
        next.keysHash = hash;
        if (old.keysHash == hash) {
            next.keyTable = old.keyTable;
            next.aggregate = old.aggregate;
            return;
        }
        next.keyTable = SSTORE2.write(keys);
        BLS.G1Point memory sum;
        for (uint256 seat = 0; seat < ids.length; ++seat) {
            if (ids[seat] != 0) sum = BLS.add(sum, BlsMinPk.unpack(keys, seat * BlsMinPk.KEY_LENGTH));
        }
        (next.aggregate[0], next.aggregate[1], next.aggregate[2]) = BlsMinPk.packWords(sum);
    }

    /// @dev The sum of all keys minus those of the seats in `absent`. Never infinity.
    function _keyWithout(Committee storage committee_, uint256 absent) private view returns (BLS.G1Point memory key) {
        key = BlsMinPk.unpackWords(committee_.aggregate[0], committee_.aggregate[1], committee_.aggregate[2]);
        if (absent != 0) {
            address table = committee_.keyTable;
            BLS.G1Point memory missing;
            for (uint256 rest = absent; rest != 0; rest &= rest - 1) {
                uint256 offset = LibBit.ffs(rest) * BlsMinPk.KEY_LENGTH;
                missing =
                    BLS.add(missing, BlsMinPk.unpack(SSTORE2.read(table, offset, offset + BlsMinPk.KEY_LENGTH), 0));
            }
            key = BLS.add(key, BlsMinPk.negate(missing));
        }
        if (BlsMinPk.isInfinity(key)) revert BlsMinPk.InfinityPoint();
    }

    /// @dev Summed weight of the seats in `seats`.
    function _sumWeights(Committee storage committee_, uint256 seats) private view returns (uint256 sum) {
        uint256 word = 0;
        uint256 loaded = type(uint256).max;
        for (uint256 rest = seats; rest != 0; rest &= rest - 1) {
            uint256 seat = LibBit.ffs(rest);
            if (seat / 16 != loaded) {
                loaded = seat / 16;
                word = committee_.weights[loaded];
            }
            sum += uint16(word >> (16 * (seat % 16)));
        }
    }

    function _weightAt(Committee storage committee_, uint256 seat) private view returns (uint16) {
        return uint16(committee_.weights[seat / 16] >> (16 * (seat % 16)));
    }

    function _unpackIds(Committee storage committee_) private view returns (uint32[] memory ids) {
        ids = new uint32[](_seatCount(committee_));
        uint256 word = 0;
        for (uint256 seat = 0; seat < ids.length; ++seat) {
            if (seat % 8 == 0) word = committee_.nodeIds[seat / 8];
            ids[seat] = uint32(word >> (32 * (seat % 8)));
        }
    }

    function _unpackWeights(Committee storage committee_, uint256 count)
        private
        view
        returns (uint16[] memory weights)
    {
        weights = new uint16[](count);
        uint256 word = 0;
        for (uint256 seat = 0; seat < count; ++seat) {
            if (seat % 16 == 0) word = committee_.weights[seat / 16];
            weights[seat] = uint16(word >> (16 * (seat % 16)));
        }
    }

    /// @dev One more than the highest seat with a member.
    function _seatCount(Committee storage committee_) private view returns (uint256) {
        uint256 occupied = committee_.occupied;
        return occupied == 0 ? 0 : LibBit.fls(occupied) + 1;
    }

    /// @dev The committee of `epoch`; reverts when it is not kept.
    function _at(uint32 epoch) private view returns (Committee storage committee_) {
        committee_ = _layout().ring[epoch % 3];
        if (committee_.epoch != epoch || committee_.occupied == 0) revert UnknownCommittee(epoch);
    }

    function _layout() private pure returns (Layout storage l) {
        assembly ("memory-safe") {
            l.slot := LAYOUT_SLOT
        }
    }
}
