// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { BLS } from "solady/utils/ext/ithaca/BLS.sol";
import { Test } from "forge-std/Test.sol";
import { Roster } from "src/libraries/Roster.sol";

contract RosterTest is Test {
    /// What is packed comes out again, and looking a node up finds what a plain walk finds.
    function testFuzz_roster_isReadAsWritten(uint256 seed, uint256 count, bytes32 x) public pure {
        count = bound(count, 0, 255);
        uint32[] memory ids = new uint32[](count);
        uint16[] memory weights = new uint16[](count);
        uint256 occupied = 0;
        for (uint256 i = 0; i < count; ++i) {
            uint256 r = uint256(keccak256(abi.encode(seed, i)));
            if (r % 5 == 0) continue;
            // Few ids apart from each other only in their first or last byte, so that a wrong offset is noticed.
            ids[i] = r % 2 == 0 ? uint32(i + 1) : uint32(i + 1) << 24 | uint32(i);
            weights[i] = uint16(r >> 8);
            occupied |= 1 << i;
        }
        BLS.G1Point memory key = BLS.G1Point(bytes32(uint256(uint128(uint256(x)))), x, bytes32(uint256(7)), ~x);
        bytes memory roster = Roster.encode(ids, weights, key);
        assertEq(roster.length, 128 + 6 * count);
        assertEq(Roster.seats(roster), count);
        assertEq(Roster.occupiedSeats(roster), occupied);
        assertEq(abi.encode(Roster.aggregateKey(roster)), abi.encode(key));
        (uint32[] memory idsBack, uint16[] memory weightsBack) = Roster.members(roster);
        assertEq(abi.encode(idsBack, weightsBack), abi.encode(ids, weights));
        assertTrue(Roster.hasMembers(roster, ids));
        for (uint256 i = 0; i < count; ++i) {
            if (ids[i] == 0) continue;
            (bool member, uint8 seat) = Roster.find(roster, ids[i]);
            assertTrue(member);
            assertEq(seat, i);
            assertEq(Roster.entryAt(roster, i), uint256(ids[i]) << 16 | weights[i]);
        }
        (bool found,) = Roster.find(roster, 0);
        assertFalse(found, "nobody is nobody");
        (found,) = Roster.find(roster, type(uint32).max - 3);
        assertFalse(found);
        if (count != 0) {
            ids[count - 1] ^= 1;
            assertFalse(Roster.hasMembers(roster, ids));
        }
    }
}
