// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Blake2b } from "./Blake2b.sol";

/// @title Merkle trees over symbols and sliver pairs
/// @notice BLAKE2b-256; a leaf is hashed behind a byte 0, two neighbours behind a byte 1, and an odd level is filled up
/// with one all-zero node. See docs/protocol/encoding.md section 3.
library MerkleBlake {
    uint8 private constant LEAF = 0;
    uint8 private constant NODE = 1;

    /// @notice Hash of a symbol as a leaf of its sliver's tree.
    function leaf(bytes calldata symbol) internal view returns (bytes32) {
        return Blake2b.hashPrefixed(LEAF, symbol);
    }

    /// @notice Hash of a sliver pair as a leaf of the blob's tree.
    function pairLeaf(bytes32 primaryRoot, bytes32 secondaryRoot) internal view returns (bytes32) {
        return Blake2b.hashPair(LEAF, primaryRoot, secondaryRoot);
    }

    /// @notice The root over leaf hash `node` at position `index` with these siblings, leaf level first.
    /// @dev The caller checks the length of the path and that `index` is a leaf.
    function climb(bytes32 node, uint256 index, bytes32[] calldata path) internal view returns (bytes32) {
        for (uint256 i = 0; i < path.length; ++i) {
            bytes32 sibling = path[i];
            node = index % 2 == 0 ? Blake2b.hashPair(NODE, node, sibling) : Blake2b.hashPair(NODE, sibling, node);
            index /= 2;
        }
        return node;
    }

    /// @notice Length of every path in a tree of `leaves` leaves, at least 1: `ceil(log2(leaves))`.
    function depth(uint256 leaves) internal pure returns (uint256 levels) {
        while (uint256(1) << levels < leaves) ++levels;
    }
}
