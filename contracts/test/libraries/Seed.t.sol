// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { Seed } from "src/libraries/Seed.sol";

contract SeedTest is Test {
    bytes32 private constant SEED = keccak256("seed");
    uint16 private constant SHARDS = 10;
    uint256 private constant DRAWS = 6400;

    /// A node that is asked for some of its shards more often than for others could drop the others.
    function test_ownShard_isEquallyLikely() public pure {
        uint256[] memory hits = new uint256[](SHARDS);
        for (uint16 j = 0; j < DRAWS; ++j) {
            ++hits[Seed.ownShard(SEED, 7, j, SHARDS)];
        }
        _assertEven(hits);
    }

    /// The same for the shard of the peer, and for the symbol that the contract asks for.
    function test_peerShardAndChainSymbol_areEquallyLikely() public pure {
        uint256[] memory peers = new uint256[](SHARDS);
        uint256[] memory symbols = new uint256[](SHARDS);
        for (uint16 j = 0; j < DRAWS; ++j) {
            ++peers[Seed.peerShard(SEED, 7, j, 8, SHARDS)];
            ++symbols[Seed.chainSymbol(SEED, 7, j, SHARDS)];
        }
        _assertEven(peers);
        _assertEven(symbols);
    }

    /// Heavy entries are drawn as often as they are heavy: here the upper quarter of all units.
    function test_point_weighsByUnits() public pure {
        uint256 hits = 0;
        for (uint16 j = 0; j < DRAWS; ++j) {
            if (Seed.point(SEED, j, 0, 4000) >= 3000) ++hits;
        }
        assertApproxEqAbs(hits, DRAWS / 4, 174, "five standard deviations");
    }

    /// Too few samples let a cheater through, too many overflow the traffic: bounds hold at their edges.
    function test_samples_staysWithinItsBounds() public pure {
        assertEq(Seed.samples(0, 32, 16, 640), 16);
        assertEq(Seed.samples(543, 32, 16, 640), 16);
        assertEq(Seed.samples(544, 32, 16, 640), 17);
        assertEq(Seed.samples(20_480, 32, 16, 640), 640);
        assertEq(Seed.samples(type(uint32).max, 32, 16, 640), 640);
        assertEq(Seed.samples(1000, 32, 640, 16), 16, "the upper bound wins");
    }

    function _assertEven(uint256[] memory hits) private pure {
        for (uint256 i = 0; i < hits.length; ++i) {
            assertApproxEqAbs(hits[i], DRAWS / SHARDS, 120, "five standard deviations");
        }
    }
}
