// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SSTORE2 } from "solady/utils/SSTORE2.sol";
import { Roster } from "./Roster.sol";

/// @title Reading the data contracts of a committee
/// @notice For contracts that ask about one member at a time and cannot afford a call of `Committees` for it.
library CommitteeTables {
    uint256 private constant ONES = 0x0101010101010101010101010101010101010101010101010101010101010101;
    uint256 private constant LOW_BITS = 0x7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f;

    /// @notice Seat and shards of a node; weight 0 when it is no member.
    function find(address roster, uint32 nodeId) internal view returns (uint8 seat, uint16 weight) {
        bytes memory content = SSTORE2.read(roster);
        bool member = false;
        (member, seat) = Roster.find(content, nodeId);
        if (member) weight = Roster.weightAt(content, seat);
    }

    /// @notice The shard that is number `index`, from 0 and in ascending order, of those of a seat; it must have more
    /// than `index`.
    /// @dev Compares 32 shards at a time.
    function shardAt(bytes memory shardMap, uint8 seat, uint256 index) internal pure returns (uint256 shard) {
        uint256 pattern = uint256(seat) * ONES;
        uint256 hits = 0;
        assembly ("memory-safe") {
            for { let words := add(shardMap, 0x20) } 1 { shard := add(shard, 32) } {
                let word := xor(mload(add(words, shard)), pattern)
                // 0x80 in every byte that is equal to the seat, 0 in all others.
                hits := not(or(or(add(and(word, LOW_BITS), LOW_BITS), word), LOW_BITS))
                let count := shr(248, mul(shr(7, hits), ONES))
                if lt(index, count) { break }
                index := sub(index, count)
            }
        }
        for (;; ++shard) {
            if (hits >> 255 != 0) {
                if (index == 0) return shard;
                --index;
            }
            hits <<= 8;
        }
    }
}
