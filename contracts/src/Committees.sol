// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

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
import { KeyTable } from "./libraries/KeyTable.sol";
import { RedStuffMath } from "./libraries/RedStuffMath.sol";
import { Roster } from "./libraries/Roster.sol";
import { ShardMap } from "./libraries/ShardMap.sol";
import { Cert, Threshold } from "./types/Cert.sol";
import { CommitteeInfo } from "./types/Epoch.sol";
import { Parameters, Wiring } from "./types/Wiring.sol";

/// @title Committees and their certificates
contract Committees is ICommittees, WiredUpgradeable {
    /// @dev One committee. Three are kept, at `epoch % 3`. Data contracts are used again while their content is the same.
    /// @param epoch Epoch served
    /// @param keyTable Data contract: 96 bytes per seat
    /// @param roster Data contract: see `Roster`; zero while the entry is unused
    /// @param shardMap Data contract: one byte (seat) per shard
    /// @param keysVersion `Staking.keysVersion()` when the key table was written
    struct Committee {
        uint32 epoch;
        uint64 keysVersion;
        address keyTable;
        address roster;
        address shardMap;
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
        (uint32[] memory oldIds,) = Roster.members(_read(old.roster));
        (uint32[] memory ids, uint16[] memory weights) = _seat(oldIds, _sortMembers(nodeIds, seats));
        bytes memory map = ShardMap.assign(_read(old.shardMap), oldIds, ids, weights, N_SHARDS);
        _store(epoch, old, ids, weights, _write(map, old.shardMap));
    }

    /// @inheritdoc ICommittees
    function keep(uint32 epoch) external {
        _requireCaller(EPOCH_MANAGER);
        Committee storage old = _at(epoch - 1);
        (uint32[] memory ids, uint16[] memory weights) = Roster.members(_read(old.roster));
        _store(epoch, old, ids, weights, old.shardMap);
    }

    /// @inheritdoc ICommittees
    function verify(uint32 epoch, bytes calldata message, Cert calldata c, Threshold t)
        external
        view
        returns (uint16 weight)
    {
        Committee storage committee_ = _at(epoch);
        bytes memory roster = _read(committee_.roster);
        uint256 occupied = Roster.occupiedSeats(roster);
        if (c.signers & ~occupied != 0) revert UnknownSigners(c.signers & ~occupied);

        uint256 absent = occupied & ~c.signers;
        weight = uint16(N_SHARDS - Roster.sumWeights(roster, absent));
        uint256 needed = t == Threshold.Quorum ? RedStuffMath.quorum(N_SHARDS) : RedStuffMath.oneHonest(N_SHARDS);
        if (weight < needed) revert NotEnoughWeight(weight, uint16(needed));

        BLS.G2Point memory signature = BlsMinPk.toSignature(c.signature);
        BLS.G1Point memory key = Roster.aggregateKey(roster);
        if (absent != 0) key = BLS.add(key, BlsMinPk.negate(KeyTable.sum(committee_.keyTable, absent)));
        if (BlsMinPk.isInfinity(key)) revert BlsMinPk.InfinityPoint();
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
        return Roster.find(_read(_at(epoch).roster), nodeId);
    }

    /// @inheritdoc ICommittees
    function standing(uint32 epoch, uint32 nodeId) public view returns (bool member, uint8 seat, uint16 weight) {
        bytes memory roster = _read(_at(epoch).roster);
        (member, seat) = Roster.find(roster, nodeId);
        if (member) weight = Roster.weightAt(roster, seat);
    }

    /// @inheritdoc ICommittees
    function occupiedSeats(uint32 epoch) external view returns (uint256) {
        return Roster.occupiedSeats(_read(_at(epoch).roster));
    }

    /// @inheritdoc ICommittees
    function weightOf(uint32 epoch, uint32 nodeId) external view returns (uint16 weight) {
        (,, weight) = standing(epoch, nodeId);
    }

    /// @inheritdoc ICommittees
    function shardOwner(uint32 epoch, uint16 shard) external view returns (uint32 nodeId) {
        if (shard >= N_SHARDS) revert UnknownShard(shard);
        Committee storage committee_ = _at(epoch);
        uint8 seat = uint8(SSTORE2.read(committee_.shardMap, shard, uint256(shard) + 1)[0]);
        return Roster.idAt(_read(committee_.roster), seat);
    }

    /// @inheritdoc ICommittees
    function members(uint32 epoch) external view returns (uint32[] memory nodeIds, uint16[] memory weights) {
        return Roster.members(_read(_at(epoch).roster));
    }

    /// @inheritdoc ICommittees
    function tables(uint32 epoch) external view returns (address roster, address shardMap) {
        Committee storage committee_ = _at(epoch);
        return (committee_.roster, committee_.shardMap);
    }

    /// @inheritdoc ICommittees
    function committee(uint32 epoch) external view returns (CommitteeInfo memory info) {
        Committee storage committee_ = _at(epoch);
        bytes memory roster = _read(committee_.roster);
        (uint256 a, uint256 b, uint256 c) = BlsMinPk.packWords(Roster.aggregateKey(roster));
        info.epoch = epoch;
        (info.nodeIds, info.weights) = Roster.members(roster);
        info.keys = _read(committee_.keyTable);
        info.aggregateKey = abi.encodePacked(a, b, c);
        info.shardMap = _read(committee_.shardMap);
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
        bool[] memory seated = new bool[](sorted.length);
        uint256 length = 0;
        for (uint256 seat = 0; seat < oldIds.length; ++seat) {
            (bool found, uint256 place) = _find(sorted, oldIds[seat]);
            if (!found) continue;
            (ids[seat], weights[seat]) = (oldIds[seat], uint16(sorted[place]));
            length = seat + 1;
            seated[place] = true;
        }
        uint256 free = 0;
        for (uint256 i = 0; i < sorted.length; ++i) {
            if (seated[i]) continue;
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

    /// @dev Position of a node in an ascending list of `nodeId << 16 | weight`.
    function _find(uint256[] memory list, uint32 nodeId) private pure returns (bool, uint256) {
        uint256 low = 0;
        uint256 high = nodeId == 0 ? 0 : list.length;
        while (low < high) {
            uint256 middle = (low + high) / 2;
            uint256 found = list[middle] >> 16;
            if (found == nodeId) return (true, middle);
            if (found < nodeId) low = middle + 1;
            else high = middle;
        }
        return (false, 0);
    }

    /// @dev Writes a committee. Keys are those the nodes have now; as long as no key has changed anywhere, the table of
    /// the same members is right.
    function _store(uint32 epoch, Committee storage old, uint32[] memory ids, uint16[] memory weights, address shardMap)
        private
    {
        bytes memory oldRoster = _read(old.roster);
        uint64 keysVersion = IStaking(STAKING).keysVersion();
        bool sameKeys = old.keysVersion == keysVersion && Roster.hasMembers(oldRoster, ids);
        address keyTable = old.keyTable;
        BLS.G1Point memory aggregate;
        if (sameKeys) {
            aggregate = Roster.aggregateKey(oldRoster);
        } else {
            keyTable = _write(IStaking(STAKING).keysOf(ids), keyTable);
            aggregate = KeyTable.sum(keyTable, _occupied(ids));
        }

        Committee storage next = _layout().ring[epoch % 3];
        next.epoch = epoch;
        next.keysVersion = keysVersion;
        next.keyTable = keyTable;
        next.roster = _write(Roster.encode(ids, weights, aggregate), old.roster);
        next.shardMap = shardMap;
        emit CommitteeSelected(epoch, ids, weights, shardMap, keyTable);
    }

    /// @dev A data contract with this content: `old` if it has it.
    function _write(bytes memory content, address old) private returns (address) {
        return keccak256(content) == keccak256(_read(old)) ? old : SSTORE2.write(content);
    }

    /// @dev Content of a data contract; empty for the zero address.
    function _read(address pointer) private view returns (bytes memory) {
        return pointer == address(0) ? bytes("") : SSTORE2.read(pointer);
    }

    /// @dev The committee of `epoch`; reverts when it is not kept.
    function _at(uint32 epoch) private view returns (Committee storage committee_) {
        committee_ = _layout().ring[epoch % 3];
        if (committee_.epoch != epoch || committee_.roster == address(0)) revert UnknownCommittee(epoch);
    }

    function _occupied(uint32[] memory ids) private pure returns (uint256 set) {
        for (uint256 seat = 0; seat < ids.length; ++seat) {
            if (ids[seat] != 0) set |= 1 << seat;
        }
    }

    function _layout() private pure returns (Layout storage l) {
        assembly ("memory-safe") {
            l.slot := LAYOUT_SLOT
        }
    }
}
