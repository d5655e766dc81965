// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { ShardMap } from "src/libraries/ShardMap.sol";

contract ShardMapTest is Test {
    uint256 private constant N = 40;

    function test_assign_movesOnlyWhatItMust() public pure {
        // Seat 0 shrinks from 3 to 2, seat 1 leaves, seat 2 grows; a newcomer takes seat 1.
        uint32[] memory old = _ids(1, 2, 3);
        uint32[] memory next = _ids(1, 9, 3);
        bytes memory map = ShardMap.assign(hex"000000010101020202", old, next, _weights(2, 1, 6), 9);
        // Freed: 2, 3, 4, 5. The newcomer takes 2, seat 2 the rest.
        assertEq(map, hex"000001020202020202");
    }

    /// Everyone ends with its weight, nobody loses a shard it could have kept.
    function testFuzz_assign_isMinimal(uint256 seed) public pure {
        (uint32[] memory oldIds, uint16[] memory oldWeights) = _random(seed, 1);
        (uint32[] memory ids, uint16[] memory weights) = _random(seed, 2);
        bytes memory first = ShardMap.assign("", new uint32[](0), oldIds, oldWeights, N);
        for (uint256 i = 1; i < N; ++i) {
            assertLe(uint8(first[i - 1]), uint8(first[i]), "consecutive ranges first");
        }
        bytes memory map = ShardMap.assign(first, oldIds, ids, weights, N);
        uint256[] memory held = new uint256[](ids.length);
        uint256 moved = 0;
        for (uint256 i = 0; i < N; ++i) {
            uint256 seat = uint8(map[i]);
            ++held[seat];
            if (uint8(first[i]) != seat || oldIds[seat] != ids[seat]) ++moved;
        }
        uint256 kept = 0;
        for (uint256 seat = 0; seat < ids.length; ++seat) {
            assertEq(held[seat], weights[seat]);
            if (seat < oldIds.length && oldIds[seat] == ids[seat] && ids[seat] != 0) {
                kept += weights[seat] < oldWeights[seat] ? weights[seat] : oldWeights[seat];
            }
        }
        assertEq(moved, N - kept);
    }

    /// Up to 8 seats; about half of them have the same member in both committees.
    function _random(uint256 seed, uint256 round) private pure returns (uint32[] memory ids, uint16[] memory weights) {
        uint256 count = 3 + uint256(keccak256(abi.encode(seed, round))) % 6;
        ids = new uint32[](count);
        weights = new uint16[](count);
        uint256 left = N;
        for (uint256 i = 0; i < count; ++i) {
            uint256 r = uint256(keccak256(abi.encode(seed, round, i)));
            ids[i] = uint32(r % 2 == 0 ? i + 1 : 100 * round + i);
            uint256 share = i + 1 == count ? left : (r >> 8) % (left - (count - 1 - i));
            if (share == 0) share = 1;
            weights[i] = uint16(share);
            left -= share;
        }
    }

    function _ids(uint32 a, uint32 b, uint32 c) private pure returns (uint32[] memory list) {
        list = new uint32[](3);
        (list[0], list[1], list[2]) = (a, b, c);
    }

    function _weights(uint16 a, uint16 b, uint16 c) private pure returns (uint16[] memory list) {
        list = new uint16[](3);
        (list[0], list[1], list[2]) = (a, b, c);
    }
}
