// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { CommitteeTables } from "src/libraries/CommitteeTables.sol";

contract CommitteeTablesTest is Test {
    /// Compared with counting shard by shard; dirty memory behind the map does not count.
    function testFuzz_shardAt_countsLikeThePlainWay(bytes32 random, uint16 n, uint8 seats, uint8 seat) public pure {
        n = uint16(bound(n, 1, 1000));
        seats = uint8(bound(seats, 1, 255));
        seat = uint8(bound(seat, 0, seats - 1));
        bytes memory map = new bytes(n);
        bytes memory behind = new bytes(64);
        for (uint256 i = 0; i < 64; ++i) {
            behind[i] = bytes1(seat);
        }
        for (uint256 i = 0; i < n; ++i) {
            map[i] = bytes1(uint8(uint256(keccak256(abi.encode(random, i))) % seats));
        }
        uint256 index = 0;
        for (uint256 shard = 0; shard < n; ++shard) {
            if (uint8(map[shard]) != seat) continue;
            assertEq(CommitteeTables.shardAt(map, seat, index), shard);
            ++index;
        }
    }

    function test_shardAt_extremes() public pure {
        bytes memory map = new bytes(1000);
        assertEq(CommitteeTables.shardAt(map, 0, 0), 0);
        assertEq(CommitteeTables.shardAt(map, 0, 999), 999);
        map[999] = 0xff;
        assertEq(CommitteeTables.shardAt(map, 255, 0), 999);
        map[31] = 0x80;
        map[32] = 0x80;
        assertEq(CommitteeTables.shardAt(map, 128, 0), 31);
        assertEq(CommitteeTables.shardAt(map, 128, 1), 32);
    }
}
