// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { Dhondt } from "src/libraries/Dhondt.sol";

contract DhondtTest is Test {
    function test_verify_acceptsKnownAnswers() public view {
        this.verify(_stakes(50_000, 30_000, 15_000, 5000), _seats(389, 234, 116, 38), 777);
        this.verify(_stakes(50_000, 30_000, 15_000, 5000), _seats(500, 300, 150, 50), 1000);
        this.verify(_stakes(1, 1, 1, 1), _seats(195, 195, 194, 194), 778);
        this.verify(_stakes(600, 100, 200, 100), _seats(500, 125, 250, 125), 1000);

        uint64[] memory stakes = new uint64[](21);
        uint16[] memory seats = new uint16[](21);
        for (uint256 i = 0; i < 21; ++i) {
            (stakes[i], seats[i]) = i == 0 ? (uint64(200), uint16(100)) : (uint64(20), uint16(45));
        }
        this.verify(stakes, seats, 1000);

        // Pools that are not settled count with stake 0: one of them gets what the cap takes from the other.
        (stakes, seats) = (new uint64[](3), new uint16[](3));
        (stakes[0], seats[0], seats[1]) = (1, 4, 1);
        this.verify(stakes, seats, 5);

        (stakes, seats) = (new uint64[](5), new uint16[](5));
        uint16[5] memory k5 = [uint16(6), 5, 4, 2, 1];
        for (uint256 i = 0; i < 5; ++i) {
            (stakes[i], seats[i]) = (uint64([uint32(780_000), 650_000, 520_000, 390_000, 260_000][i]), k5[i]);
        }
        this.verify(stakes, seats, 18);

        (stakes, seats) = (new uint64[](6), new uint16[](6));
        uint16[6] memory k6 = [uint16(236), 236, 142, 70, 70, 23];
        for (uint256 i = 0; i < 6; ++i) {
            (stakes[i], seats[i]) = (uint64([uint32(50_000), 50_000, 30_000, 15_000, 15_000, 5000][i]), k6[i]);
        }
        this.verify(stakes, seats, 777);
    }

    function test_cap_matchesRule() public pure {
        assertEq(Dhondt.cap(777, 4), 389);
        assertEq(Dhondt.cap(1000, 4), 500);
        assertEq(Dhondt.cap(1000, 20), 100);
        assertEq(Dhondt.cap(1000, 19), 106);
        assertEq(Dhondt.cap(9, 25), 1);
        assertEq(Dhondt.cap(10, 10), 2);
    }

    /// The outcome of giving seat after seat is accepted, and every move of one seat is refused.
    function testFuzz_verify_acceptsOnlyTheOutcome(uint256 seed, uint256 nodes, uint256 n) public {
        nodes = bound(nodes, 1, 30);
        n = bound(n, 4, 60);
        uint64[] memory stakes = new uint64[](nodes);
        for (uint256 i = 0; i < nodes; ++i) {
            // Few different values, so that ties are frequent.
            uint256 r = uint256(keccak256(abi.encode(seed, i)));
            stakes[i] = seed % 2 == 0 ? uint64(i == 0 ? 1 : r % 5) : uint64(1 + r % 5e18);
        }
        uint16[] memory seats = _run(stakes, n);
        this.verify(stakes, seats, n);
        for (uint256 i = 0; i < nodes; ++i) {
            for (uint256 j = 0; j < nodes; ++j) {
                if (i == j || seats[i] == 0) continue;
                --seats[i];
                ++seats[j];
                (bool ok,) = address(this).staticcall(abi.encodeCall(this.verify, (stakes, seats, n)));
                assertFalse(ok, "a moved seat is noticed");
                ++seats[i];
                --seats[j];
            }
        }
    }

    function test_verify_revertsOnMovedSeat() public {
        vm.expectRevert(abi.encodeWithSelector(Dhondt.NotApportioned.selector, 0, 3));
        this.verify(_stakes(50_000, 30_000, 15_000, 5000), _seats(388, 234, 116, 39), 777);
    }

    function test_verify_revertsOnTieGivenToTheLaterNode() public {
        vm.expectRevert(abi.encodeWithSelector(Dhondt.NotApportioned.selector, 1, 3));
        this.verify(_stakes(1, 1, 1, 1), _seats(195, 194, 194, 195), 778);
    }

    function test_verify_revertsOnWrongSum() public {
        vm.expectRevert(abi.encodeWithSelector(Dhondt.WrongSum.selector, 776, 777));
        this.verify(_stakes(50_000, 30_000, 15_000, 5000), _seats(389, 234, 116, 37), 777);
    }

    function test_verify_revertsAboveCap() public {
        vm.expectRevert(abi.encodeWithSelector(Dhondt.AboveCap.selector, 0, 501, 500));
        this.verify(_stakes(600, 100, 200, 100), _seats(501, 125, 249, 125), 1000);
    }

    function test_verify_revertsOnWrongLength() public {
        vm.expectRevert(abi.encodeWithSelector(Dhondt.WrongLength.selector, 3, 4));
        this.verify(_stakes(600, 100, 200, 100), new uint16[](3), 1000);
    }

    function verify(uint64[] memory stakes, uint16[] calldata seats, uint256 n) external pure {
        Dhondt.verify(stakes, seats, n);
    }

    /// The method as it is defined: seat after seat to the best quotient below the cap.
    function _run(uint64[] memory stakes, uint256 n) private pure returns (uint16[] memory seats) {
        seats = new uint16[](stakes.length);
        uint256 cap = Dhondt.cap(n, stakes.length);
        for (uint256 given = 0; given < n; ++given) {
            uint256 best = type(uint256).max;
            for (uint256 i = 0; i < stakes.length; ++i) {
                if (seats[i] >= cap) continue;
                if (
                    best == type(uint256).max
                        || uint256(stakes[i]) * (seats[best] + 1) > uint256(stakes[best]) * (seats[i] + 1)
                ) best = i;
            }
            ++seats[best];
        }
    }

    function _stakes(uint64 a, uint64 b, uint64 c, uint64 d) private pure returns (uint64[] memory list) {
        list = new uint64[](4);
        (list[0], list[1], list[2], list[3]) = (a, b, c, d);
    }

    function _seats(uint16 a, uint16 b, uint16 c, uint16 d) private pure returns (uint16[] memory list) {
        list = new uint16[](4);
        (list[0], list[1], list[2], list[3]) = (a, b, c, d);
    }
}
