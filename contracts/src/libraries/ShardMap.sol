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
        // What each seat may still keep of its old shards, and what it lacks in the end.
        uint256[] memory keeps = new uint256[](oldIds.length);
        uint256[] memory lacks = new uint256[](ids.length);
        for (uint256 seat = 0; seat < ids.length; ++seat) {
            lacks[seat] = weights[seat];
            if (seat < oldIds.length && ids[seat] == oldIds[seat]) keeps[seat] = weights[seat];
        }
        uint256[] memory free = new uint256[](n);
        uint256 freed = 0;
        for (uint256 shard = 0; shard < n; ++shard) {
            uint256 owner = oldMap.length == 0 ? type(uint256).max : uint8(oldMap[shard]);
            if (owner < keeps.length && keeps[owner] != 0) {
                --keeps[owner];
                --lacks[owner];
                map[shard] = bytes1(uint8(owner));
            } else {
                free[freed++] = shard;
            }
        }
        uint256 taker = 0;
        for (uint256 i = 0; i < freed; ++i) {
            while (lacks[taker] == 0) ++taker;
            --lacks[taker];
            map[free[i]] = bytes1(uint8(taker));
        }
    }
}
