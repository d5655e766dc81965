// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { LibBit } from "solady/utils/LibBit.sol";
import { BLS } from "solady/utils/ext/ithaca/BLS.sol";
import { BlsMinPk } from "./BlsMinPk.sol";

/// @title The members of a committee, packed for one data contract
/// @notice `occupied (32) ‖ sum of all keys (96) ‖ per seat: node id (4) ‖ weight (2)`, all big endian. Reading it costs
/// one cold account, where slots would cost one each for the weights and the sum.
library Roster {
    uint256 private constant HEAD = 128;
    uint256 private constant ENTRY = 6;

    /// @notice Packs the members; node 0 marks an empty seat.
    function encode(uint32[] memory ids, uint16[] memory weights, BLS.G1Point memory aggregate)
        internal
        pure
        returns (bytes memory roster)
    {
        (uint256 a, uint256 b, uint256 c) = BlsMinPk.packWords(aggregate);
        uint256 occupied = 0;
        uint256 count = ids.length;
        // A word longer than needed, because every entry is written as a whole word that the next one cuts off.
        roster = new bytes(HEAD + count * ENTRY + 32);
        for (uint256 seat = 0; seat < count; ++seat) {
            uint256 id = ids[seat];
            if (id != 0) occupied |= 1 << seat;
            _put(roster, HEAD + seat * ENTRY, (id << 16 | weights[seat]) << (256 - 8 * ENTRY));
        }
        _put(roster, 0, occupied);
        _put(roster, 32, a);
        _put(roster, 64, b);
        _put(roster, 96, c);
        uint256 length = HEAD + count * ENTRY;
        assembly ("memory-safe") {
            mstore(roster, length)
        }
    }

    /// @notice Seat of a node.
    /// @dev In assembly because every settlement and report pays for it, per seat that it passes over: 40 gas instead of
    /// 100. The plain version is in the tests, and both are compared.
    function find(bytes memory roster, uint32 nodeId) internal pure returns (bool member, uint8 seat) {
        if (nodeId == 0) return (false, 0);
        uint256 count = seats(roster);
        assembly ("memory-safe") {
            let at := add(roster, add(0x20, HEAD))
            for { let i := 0 } lt(i, count) { i := add(i, 1) } {
                if eq(shr(224, mload(at)), nodeId) {
                    member := 1
                    seat := i
                    break
                }
                at := add(at, ENTRY)
            }
        }
    }

    /// @notice Whether the roster has exactly these members at their seats.
    function hasMembers(bytes memory roster, uint32[] memory ids) internal pure returns (bool) {
        if (seats(roster) != ids.length) return false;
        for (uint256 seat = 0; seat < ids.length; ++seat) {
            if (idAt(roster, seat) != ids[seat]) return false;
        }
        return true;
    }

    /// @notice Number of seats up to the highest one with a member.
    function seats(bytes memory roster) internal pure returns (uint256) {
        return roster.length == 0 ? 0 : (roster.length - HEAD) / ENTRY;
    }

    /// @notice Bit `i` is set when seat `i` has a member.
    function occupiedSeats(bytes memory roster) internal pure returns (uint256) {
        return _word(roster, 0);
    }

    /// @notice Sum of all keys.
    function aggregateKey(bytes memory roster) internal pure returns (BLS.G1Point memory) {
        return BlsMinPk.unpack(roster, 32);
    }

    /// @notice `nodeId << 16 | weight` of a seat below `seats`; 0 when it is empty.
    function entryAt(bytes memory roster, uint256 seat) internal pure returns (uint256) {
        // Seats are far below 2^64, so the offset cannot overflow.
        unchecked {
            return _word(roster, HEAD + seat * ENTRY) >> (256 - 8 * ENTRY);
        }
    }

    /// @notice Node at a seat below `seats`; 0 when it is empty.
    function idAt(bytes memory roster, uint256 seat) internal pure returns (uint32) {
        // Seats are far below 2^64, so the offset cannot overflow.
        unchecked {
            return uint32(_word(roster, HEAD + seat * ENTRY) >> 224);
        }
    }

    /// @notice Number of shards at a seat below `seats`.
    function weightAt(bytes memory roster, uint256 seat) internal pure returns (uint16) {
        // As above.
        unchecked {
            return uint16(_word(roster, HEAD + seat * ENTRY) >> 208);
        }
    }

    /// @notice Number of shards of the seats whose bit is set, all of them below `seats`.
    function sumWeights(bytes memory roster, uint256 set) internal pure returns (uint256 sum) {
        // Clears the lowest bit that is set, as long as there is one; 256 weights of 16 bits do not overflow.
        unchecked {
            for (; set != 0; set &= set - 1) {
                sum += weightAt(roster, LibBit.ffs(set));
            }
        }
    }

    /// @notice Node ids and weights by seat.
    function members(bytes memory roster) internal pure returns (uint32[] memory ids, uint16[] memory weights) {
        uint256 count = seats(roster);
        ids = new uint32[](count);
        weights = new uint16[](count);
        for (uint256 seat = 0; seat < count; ++seat) {
            uint256 entry = entryAt(roster, seat);
            (ids[seat], weights[seat]) = (uint32(entry >> 16), uint16(entry));
        }
    }

    /// @dev 32 bytes from `offset` on; what lies past the end is garbage and shifted out by the callers.
    function _word(bytes memory roster, uint256 offset) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(add(roster, 0x20), offset))
        }
    }

    /// @dev Writes 32 bytes at `offset`, all of which the caller has allocated.
    function _put(bytes memory roster, uint256 offset, uint256 word) private pure {
        assembly ("memory-safe") {
            mstore(add(add(roster, 0x20), offset), word)
        }
    }
}
