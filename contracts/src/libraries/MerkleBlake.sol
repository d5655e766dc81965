// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { LibBit } from "solady/utils/LibBit.sol";
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
    /// @dev The caller checks the length of the path and that `index` is a leaf. In assembly because an answer climbs
    /// twenty levels: only state and children are written anew for each; see `Blake2b` for the layout of the input.
    function climb(bytes32 node, uint256 index, bytes32[] calldata path) internal view returns (bytes32) {
        if (path.length == 0) return node;
        (bytes32 low, bytes32 high) = (Blake2b.STATE_LOW, Blake2b.STATE_HIGH);
        bool ok = true;
        assembly ("memory-safe") {
            let input := mload(0x40)
            let state := add(input, 4)
            let left := add(input, 69)
            mstore(input, shl(224, 12))
            calldatacopy(add(input, 68), calldatasize(), 145)
            mstore8(add(input, 68), NODE)
            mstore8(add(input, 196), 65)
            mstore8(add(input, 212), 1)
            let from := path.offset
            for { let to := add(from, shl(5, path.length)) } lt(from, to) { from := add(from, 0x20) } {
                // The node goes to the left at an even position, else to the right.
                let place := shl(5, and(index, 1))
                mstore(add(left, place), node)
                mstore(add(left, xor(place, 0x20)), calldataload(from))
                mstore(state, low)
                mstore(add(state, 0x20), high)
                ok := and(ok, staticcall(gas(), 0x09, input, 213, state, 64))
                node := mload(state)
                index := shr(1, index)
            }
            // A chain without the precompile answers every call with nothing.
            ok := and(ok, eq(returndatasize(), 64))
        }
        if (!ok) revert Blake2b.Blake2fFailed();
        return node;
    }

    /// @notice Length of every path in a tree of `leaves` leaves, at least 1: `ceil(log2(leaves))`.
    function depth(uint256 leaves) internal pure returns (uint256 levels) {
        return leaves == 1 ? 0 : LibBit.fls(leaves - 1) + 1;
    }
}
