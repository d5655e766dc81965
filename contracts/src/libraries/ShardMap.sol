// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Assignment of shards to seats
/// @notice A map holds one byte per shard: the seat that owns it. Moves as few shards as possible.
library ShardMap {
    /// @notice The map of the next committee.
    /// @dev Shard by shard, the old owner keeps it while it has seats left; freed shards go, ascending, to seats that
    /// lack some, in ascending seat order. Without an old map this gives consecutive ranges.
    /// @param oldMap Map of the present committee; empty before the first one
    /// @param oldIds Present member at each seat
    /// @param ids Next member at each seat; a member of both committees has the same seat in both
    /// @param weights Shards of each next member; they add up to `n`
    function assign(
        bytes memory oldMap,
        uint32[] memory oldIds,
        uint32[] memory ids,
        uint16[] memory weights,
        uint256 n
    ) internal pure returns (bytes memory map) {
        map = new bytes(n);
        // What each seat lacks in the end; of it, what it may keep of its old shards. A seat is a byte, so that 256
        // entries answer for every byte of a map.
        uint256[] memory lacks = new uint256[](256);
        uint256[] memory keeps = new uint256[](256);
        for (uint256 seat = 0; seat < ids.length; ++seat) {
            lacks[seat] = weights[seat];
            if (seat < oldIds.length && ids[seat] == oldIds[seat]) keeps[seat] = weights[seat];
        }
        uint256[] memory free = new uint256[](n);
        uint256 freed = oldMap.length == 0 ? _all(free) : _keep(oldMap, map, keeps, lacks, free);
        _handOut(map, lacks, free, freed);
    }

    /// @dev Without an old map all shards are free.
    function _all(uint256[] memory free) private pure returns (uint256) {
        assembly ("memory-safe") {
            let n := mload(free)
            for { let shard := 0 } lt(shard, n) { shard := add(shard, 1) } {
                mstore(add(add(free, 0x20), shl(5, shard)), shard)
            }
        }
        return free.length;
    }

    /// @dev Leaves shards with their owners as long as these may keep any; lists the others.
    /// The loop runs once per shard, so it reads and writes bytes and counters directly: `free` and `map` have an entry
    /// per shard, `keeps` and `lacks` one per byte value, and a seat that keeps a shard lacks at least that one.
    function _keep(
        bytes memory oldMap,
        bytes memory map,
        uint256[] memory keeps,
        uint256[] memory lacks,
        uint256[] memory free
    ) private pure returns (uint256 freed) {
        assembly ("memory-safe") {
            let n := mload(map)
            let from := add(oldMap, 1)
            let to := add(map, 0x20)
            let list := add(free, 0x20)
            for { let shard := 0 } lt(shard, n) { shard := add(shard, 1) } {
                let owner := and(mload(add(from, shard)), 0xff)
                let entry := shl(5, add(owner, 1))
                let left := mload(add(keeps, entry))
                switch left
                case 0 {
                    mstore(list, shard)
                    list := add(list, 0x20)
                }
                default {
                    mstore(add(keeps, entry), sub(left, 1))
                    mstore(add(lacks, entry), sub(mload(add(lacks, entry)), 1))
                    mstore8(add(to, shard), owner)
                }
            }
            freed := shr(5, sub(list, add(free, 0x20)))
        }
    }

    /// @dev Gives the free shards, ascending, to the seats that lack some, ascending. What all seats lack adds up to
    /// what is free.
    function _handOut(bytes memory map, uint256[] memory lacks, uint256[] memory free, uint256 freed) private pure {
        uint256 next = 0;
        for (uint256 seat = 0; next < freed; ++seat) {
            uint256 end = next + lacks[seat];
            assembly ("memory-safe") {
                for { } lt(next, end) { next := add(next, 1) } {
                    let shard := mload(add(add(free, 0x20), shl(5, next)))
                    mstore8(add(add(map, 0x20), shard), seat)
                }
            }
        }
    }
}
