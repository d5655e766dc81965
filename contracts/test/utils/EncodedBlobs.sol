// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { stdJson } from "forge-std/StdJson.sol";
import { Blake2b } from "src/libraries/Blake2b.sol";

/// @dev Merkle trees in the plainest form, from the leaves' bytes on.
library PlainMerkle {
    function leaf(bytes memory data) internal view returns (bytes32) {
        return Blake2b.hash(abi.encodePacked(uint8(0), data));
    }

    /// @dev The level above: an odd one is filled up with a zero node.
    function above(bytes32[] memory level) internal view returns (bytes32[] memory next) {
        next = new bytes32[]((level.length + 1) / 2);
        for (uint256 i = 0; i < next.length; ++i) {
            bytes32 right = 2 * i + 1 < level.length ? level[2 * i + 1] : bytes32(0);
            next[i] = Blake2b.hash(abi.encodePacked(uint8(1), level[2 * i], right));
        }
    }

    function root(bytes32[] memory level) internal view returns (bytes32) {
        while (level.length > 1) {
            level = above(level);
        }
        return level[0];
    }

    function path(bytes32[] memory level, uint256 index) internal view returns (bytes32[] memory siblings) {
        uint256 depth = 0;
        while (uint256(1) << depth < level.length) ++depth;
        siblings = new bytes32[](depth);
        for (uint256 i = 0; i < depth; ++i) {
            uint256 sibling = index ^ 1;
            if (sibling < level.length) siblings[i] = level[sibling];
            level = above(level);
            index /= 2;
        }
    }
}

/// @dev One symbol of a blob and its whole way to the blob's root, as a node would send it.
struct Answer {
    bytes symbol;
    bytes32[] path1;
    bytes32 otherRoot;
    bytes32[] path2;
}

/// @dev Real blobs, encoded by the Rust library: `test/vectors/challenge-symbols.json`.
abstract contract EncodedBlobs is Test {
    using stdJson for string;

    string private constant FILE = "test/vectors/challenge-symbols.json";

    /// @dev A small blob with its whole extended matrix, row by row.
    struct MatrixBlob {
        uint256 n;
        uint64 size;
        uint256 symbolSize;
        bytes32 blobId;
        bytes32 root;
        bytes symbols;
    }

    /// @dev A blob of which one pair of slivers is known.
    struct PairBlob {
        uint256 n;
        uint64 size;
        uint256 symbolSize;
        bytes32 blobId;
        bytes32 root;
        uint256 pair;
        bytes primary;
        bytes secondary;
        bytes32[] path2;
    }

    /// @dev One symbol of a blob.
    struct SymbolCase {
        uint256 n;
        uint64 size;
        bytes32 blobId;
        bytes32 root;
        bool secondary;
        uint256 pair;
        uint256 index;
        Answer answer;
    }

    function _matrix(uint256 i) internal view returns (MatrixBlob memory b) {
        string memory json = vm.readFile(FILE);
        string memory at_ = string.concat(".matrices[", vm.toString(i), "]");
        b.n = json.readUint(string.concat(at_, ".n_shards"));
        b.size = uint64(json.readUint(string.concat(at_, ".size")));
        b.symbolSize = json.readUint(string.concat(at_, ".symbol_size"));
        b.blobId = json.readBytes32(string.concat(at_, ".blob_id"));
        b.root = json.readBytes32(string.concat(at_, ".root"));
        b.symbols = json.readBytes(string.concat(at_, ".symbols"));
    }

    function _pair(uint256 i) internal view returns (PairBlob memory b) {
        string memory json = vm.readFile(FILE);
        string memory at_ = string.concat(".pairs[", vm.toString(i), "]");
        b.n = json.readUint(string.concat(at_, ".n_shards"));
        b.size = uint64(json.readUint(string.concat(at_, ".size")));
        b.symbolSize = json.readUint(string.concat(at_, ".symbol_size"));
        b.blobId = json.readBytes32(string.concat(at_, ".blob_id"));
        b.root = json.readBytes32(string.concat(at_, ".root"));
        b.pair = json.readUint(string.concat(at_, ".pair"));
        b.primary = json.readBytes(string.concat(at_, ".primary"));
        b.secondary = json.readBytes(string.concat(at_, ".secondary"));
        b.path2 = json.readBytes32Array(string.concat(at_, ".path2"));
    }

    function _symbolCase(uint256 i) internal view returns (SymbolCase memory c) {
        string memory json = vm.readFile(FILE);
        string memory at_ = string.concat(".symbols[", vm.toString(i), "]");
        c.n = json.readUint(string.concat(at_, ".n_shards"));
        c.size = uint64(json.readUint(string.concat(at_, ".size")));
        c.blobId = json.readBytes32(string.concat(at_, ".blob_id"));
        c.root = json.readBytes32(string.concat(at_, ".root"));
        c.secondary = json.readBool(string.concat(at_, ".secondary"));
        c.pair = json.readUint(string.concat(at_, ".pair"));
        c.index = json.readUint(string.concat(at_, ".index"));
        c.answer.path1 = json.readBytes32Array(string.concat(at_, ".path1"));
        c.answer.otherRoot = json.readBytes32(string.concat(at_, ".other_root"));
        c.answer.path2 = json.readBytes32Array(string.concat(at_, ".path2"));
        string memory offset = string.concat(at_, ".content_offset");
        c.answer.symbol = json.keyExists(offset)
            ? _content(json.readUint(offset), json.readUint(string.concat(at_, ".symbol_size")))
            : json.readBytes(string.concat(at_, ".symbol"));
    }

    /// @dev Number of entries in `symbols`.
    function _symbolCases() internal view returns (uint256 count) {
        string memory json = vm.readFile(FILE);
        while (json.keyExists(string.concat(".symbols[", vm.toString(count), "]"))) ++count;
    }

    /// @dev Part of the content of every blob of the file: byte `i` is `(31 i + 7) mod 251`.
    function _content(uint256 from, uint256 length) private pure returns (bytes memory data) {
        data = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            data[i] = bytes1(uint8(((from + i) * 31 + 7) % 251));
        }
    }

    // ----- Answers

    /// @dev Symbol `index` of the primary or secondary sliver of a pair.
    function _answer(MatrixBlob memory b, uint256 pair, bool secondary, uint256 index)
        internal
        view
        returns (Answer memory a)
    {
        bytes32[] memory own = _leaves(b, pair, secondary);
        (uint256 row, uint256 column) = secondary ? (index, b.n - 1 - pair) : (pair, index);
        a.symbol = _slice(b.symbols, (row * b.n + column) * b.symbolSize, b.symbolSize);
        a.path1 = PlainMerkle.path(own, index);
        a.otherRoot = PlainMerkle.root(_leaves(b, pair, !secondary));
        bytes32[] memory pairs = _pairLeaves(b);
        assertEq(PlainMerkle.root(pairs), b.root, "the root that the encoder computed");
        a.path2 = PlainMerkle.path(pairs, pair);
    }

    function _answer(PairBlob memory b, bool secondary, uint256 index) internal view returns (Answer memory a) {
        (bytes memory own, bytes memory other) = secondary ? (b.secondary, b.primary) : (b.primary, b.secondary);
        a.symbol = _slice(own, index * b.symbolSize, b.symbolSize);
        a.path1 = PlainMerkle.path(_split(own, b.symbolSize), index);
        a.otherRoot = PlainMerkle.root(_split(other, b.symbolSize));
        a.path2 = b.path2;
    }

    /// @dev Leaf hashes of a sliver of a pair.
    function _leaves(MatrixBlob memory b, uint256 pair, bool secondary) private view returns (bytes32[] memory leaves) {
        leaves = new bytes32[](b.n);
        for (uint256 i = 0; i < b.n; ++i) {
            (uint256 row, uint256 column) = secondary ? (i, b.n - 1 - pair) : (pair, i);
            leaves[i] = PlainMerkle.leaf(_slice(b.symbols, (row * b.n + column) * b.symbolSize, b.symbolSize));
        }
    }

    function _pairLeaves(MatrixBlob memory b) private view returns (bytes32[] memory leaves) {
        leaves = new bytes32[](b.n);
        for (uint256 i = 0; i < b.n; ++i) {
            bytes32 primary = PlainMerkle.root(_leaves(b, i, false));
            leaves[i] = PlainMerkle.leaf(abi.encodePacked(primary, PlainMerkle.root(_leaves(b, i, true))));
        }
    }

    function _split(bytes memory symbols, uint256 symbolSize) private view returns (bytes32[] memory leaves) {
        leaves = new bytes32[](symbols.length / symbolSize);
        for (uint256 i = 0; i < leaves.length; ++i) {
            leaves[i] = PlainMerkle.leaf(_slice(symbols, i * symbolSize, symbolSize));
        }
    }

    function _slice(bytes memory data, uint256 from, uint256 length) internal pure returns (bytes memory part) {
        part = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            part[i] = data[from + i];
        }
    }
}
