// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { MerkleBlake } from "src/libraries/MerkleBlake.sol";
import { PlainMerkle } from "../utils/EncodedBlobs.sol";

contract MerkleBlakeTest is Test {
    function climb(bytes32 node, uint256 index, bytes32[] calldata path) external view returns (bytes32) {
        return MerkleBlake.climb(node, index, path);
    }

    function leaf(bytes calldata symbol) external view returns (bytes32) {
        return MerkleBlake.leaf(symbol);
    }

    /// Compared with the tree built in the plainest way, for every leaf.
    function testFuzz_climb_reachesThePlainRoot(bytes32 salt, uint8 count) public view {
        bytes32[] memory leaves = new bytes32[](bound(count, 1, 40));
        for (uint256 i = 0; i < leaves.length; ++i) {
            leaves[i] = keccak256(abi.encode(salt, i));
        }
        bytes32 root = PlainMerkle.root(leaves);
        for (uint256 i = 0; i < leaves.length; ++i) {
            bytes32[] memory path = PlainMerkle.path(leaves, i);
            assertEq(path.length, MerkleBlake.depth(leaves.length));
            assertEq(this.climb(leaves[i], i, path), root);
        }
    }

    function testFuzz_leaf_hasItsPrefix(bytes calldata symbol, bytes32 a, bytes32 b) public view {
        assertEq(this.leaf(symbol), PlainMerkle.leaf(symbol));
        assertEq(MerkleBlake.pairLeaf(a, b), PlainMerkle.leaf(abi.encodePacked(a, b)));
    }

    function test_depth_isTheLogarithmRoundedUp() public pure {
        uint16[8] memory leaves = [uint16(1), 2, 3, 4, 5, 10, 1000, 1025];
        uint8[8] memory depths = [0, 1, 2, 2, 3, 4, 10, 11];
        for (uint256 i = 0; i < 8; ++i) {
            assertEq(MerkleBlake.depth(leaves[i]), depths[i]);
        }
    }
}
