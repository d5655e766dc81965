// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { WeightedVotes } from "src/libraries/WeightedVotes.sol";

contract WeightedVotesTest is Test {
    function test_highQuorum_matchesKnownAnswer() public pure {
        assertEq(WeightedVotes.highQuorum(_votes([uint16(5), 5, 4, 6, 3, 7, 2, 8, 1, 9]), 50), 4);
    }

    function test_lowQuorum_matchesKnownAnswer() public pure {
        assertEq(WeightedVotes.lowQuorum(_votes([uint16(5), 5, 4, 6, 3, 7, 4, 6, 1, 9]), 50), 7);
    }

    /// The definition: votes up to the price hold a quorum, votes below it do not. Capacity the other way round.
    function testFuzz_quorums_matchDefinition(uint256 seed, uint256 nodes) public pure {
        nodes = bound(nodes, 1, 40);
        uint64[] memory votes = new uint64[](nodes);
        uint16[] memory weights = new uint16[](nodes);
        uint256[] memory list = new uint256[](nodes);
        uint256 n = 0;
        for (uint256 i = 0; i < nodes; ++i) {
            uint256 r = uint256(keccak256(abi.encode(seed, i)));
            votes[i] = seed % 2 == 0 ? uint64(r % 7) : uint64(r);
            weights[i] = uint16(1 + (r >> 64) % 50);
            list[i] = uint256(votes[i]) << 16 | weights[i];
            n += weights[i];
        }
        uint64 low = WeightedVotes.lowQuorum(list, n);
        uint64 high = WeightedVotes.highQuorum(list, n);
        (uint256 upTo, uint256 below, uint256 from, uint256 above) = (0, 0, 0, 0);
        for (uint256 i = 0; i < nodes; ++i) {
            if (votes[i] <= low) upTo += weights[i];
            if (votes[i] < low) below += weights[i];
            if (votes[i] >= high) from += weights[i];
            if (votes[i] > high) above += weights[i];
        }
        assertTrue(3 * upTo >= 2 * n + 1 && 3 * below < 2 * n + 1, "price");
        assertTrue(3 * from >= 2 * n + 1 && 3 * above < 2 * n + 1, "capacity");
    }

    /// Equal votes were the dearest of all: a round left out one entry only, and cost many times as much as others.
    function test_attack_pricesByTheSameVoteOfAll() public view {
        uint256[] memory same = new uint256[](255);
        uint256[] memory different = new uint256[](255);
        for (uint256 i = 0; i < 255; ++i) {
            same[i] = 100_000 << 16 | 4;
            different[i] = uint256(keccak256(abi.encode(i))) % 1e6 << 16 | 4;
        }
        uint256 before = gasleft();
        WeightedVotes.lowQuorum(different, 1020);
        uint256 usual = before - gasleft();
        before = gasleft();
        assertEq(WeightedVotes.lowQuorum(same, 1020), 100_000);
        assertLt(before - gasleft(), 2 * usual);
        assertEq(WeightedVotes.highQuorum(same, 1020), 100_000);
    }

    /// Fewer votes than a quorum decide nothing: the price is then what nobody pays, the capacity nothing.
    function test_quorums_withoutOne() public pure {
        assertEq(WeightedVotes.lowQuorum(new uint256[](0), 10), type(uint64).max);
        assertEq(WeightedVotes.highQuorum(new uint256[](0), 10), 0);
        uint256[] memory list = new uint256[](1);
        list[0] = 5 << 16 | 6;
        assertEq(WeightedVotes.lowQuorum(list, 10), type(uint64).max);
    }

    function test_scaled_clampsToU64() public pure {
        assertEq(WeightedVotes.scaled(100, 4, 10), 250);
        assertEq(WeightedVotes.scaled(type(uint64).max, 1, 1000), type(uint64).max);
        assertEq(WeightedVotes.scaled(100, 0, 10), 0);
    }

    function _votes(uint16[10] memory w) private pure returns (uint256[] memory list) {
        list = new uint256[](10);
        for (uint256 i = 0; i < 10; ++i) {
            list[i] = (i + 1) << 16 | w[i];
        }
    }
}
