// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { BlobId } from "src/libraries/BlobId.sol";
import { RedStuffMath } from "src/libraries/RedStuffMath.sol";

contract RedStuffMathTest is Test {
    string private vectors;

    function setUp() public {
        vectors = vm.readFile("test/vectors/encoding.json");
    }

    function test_encodedSize_matchesKnownAnswers() public pure {
        assertEq(RedStuffMath.encodedSize(0, 10), 6940);
        assertEq(RedStuffMath.encodedSize(1, 10), 6940);
        assertEq(RedStuffMath.encodedSize(2800, 10), 17_720);
        assertEq(RedStuffMath.encodedSize(1, 1000), 66_034_000);
        assertEq(RedStuffMath.units(66_034_000), 63);
        assertEq(RedStuffMath.encodedSize(22_277_800, 1000), 164_132_000);
    }

    function test_sourceSymbols_matchKnownAnswers() public pure {
        uint16[18] memory table = [uint16(7), 3, 5, 10, 4, 7, 31, 11, 21, 100, 34, 67, 301, 101, 201, 1000, 334, 667];
        for (uint256 i = 0; i < table.length; i += 3) {
            (uint256 primary, uint256 secondary) = RedStuffMath.sourceSymbols(table[i]);
            assertEq(primary, table[i + 1]);
            assertEq(secondary, table[i + 2]);
        }
    }

    function test_sizes_matchVectors() public view {
        for (uint256 i = 0; vm.keyExistsJson(vectors, _key("sizes", i, "")); ++i) {
            uint64 length = uint64(_uint("sizes", i, ".length"));
            assertEq(RedStuffMath.encodedSize(length, _uint("sizes", i, ".nShards")), _uint("sizes", i, ".encodedSize"));
        }
    }

    function test_limits_matchVectors() public {
        uint256 i = 0;
        for (; vm.keyExistsJson(vectors, _key("limits", i, "")); ++i) {
            uint256 n = _uint("limits", i, ".nShards");
            uint64 largest = uint64(_uint("limits", i, ".maxBlobSize"));
            assertEq(this.symbolSize(largest, n), 65_534);
            vm.expectRevert(abi.encodeWithSelector(RedStuffMath.BlobTooLarge.selector, largest + 1));
            this.symbolSize(largest + 1, n);
        }
        assertGt(i, 5);
    }

    function test_derive_matchesVectors() public view {
        uint256 i = 0;
        for (; vm.keyExistsJson(vectors, _key("ids", i, "")); ++i) {
            uint64 length = uint64(_uint("ids", i, ".length"));
            uint256 n = _uint("ids", i, ".nShards");
            bytes32 root = vm.parseJsonBytes32(vectors, _key("ids", i, ".rootHash"));
            assertEq(BlobId.derive(root, 1, length), vm.parseJsonBytes32(vectors, _key("ids", i, ".blobId")));
            assertEq(RedStuffMath.symbolSize(length, n), _uint("ids", i, ".symbolSize"));
            assertEq(RedStuffMath.encodedSize(length, n), _uint("ids", i, ".encodedSize"));
        }
        assertGt(i, 100);
    }

    /// The id depends on every input.
    function testFuzz_derive_dependsOnAllInputs(bytes32 root, uint8 kind, uint64 size, uint64 other) public view {
        vm.assume(size != other);
        bytes32 id = BlobId.derive(root, kind, size);
        assertNotEq(id, BlobId.derive(root, kind, other));
        assertNotEq(id, BlobId.derive(root, kind ^ 1, size));
        assertNotEq(id, BlobId.derive(keccak256(abi.encode(root)), kind, size));
    }

    /// Any quorum and its complement: the closed forms equal the definitions.
    function testFuzz_quorums_matchDefinition(uint256 n, uint256 w) public pure {
        n = bound(n, 4, 24_575);
        w = bound(w, 0, n);
        assertEq(w >= RedStuffMath.quorum(n), 3 * w >= 2 * n + 1);
        assertEq(w >= RedStuffMath.oneHonest(n), 3 * w >= n + 1);
        assertEq(RedStuffMath.isQuorum(w, n), 3 * w >= 2 * n + 1);
    }

    /// Symbols hold the whole blob, are even, and a symbol two bytes shorter would not do.
    function testFuzz_symbolSize_isSmallestThatFits(uint64 size, uint256 n) public pure {
        n = bound(n, 4, 1000);
        (uint256 p, uint256 s) = RedStuffMath.sourceSymbols(n);
        size = uint64(bound(size, 0, p * s * 65_534));
        uint256 y = RedStuffMath.symbolSize(size, n);
        assertEq(y % 2, 0);
        assertGe(y * p * s, size);
        assertTrue(y == 2 || (y - 2) * p * s < size);
    }

    function symbolSize(uint64 size, uint256 n) external pure returns (uint256) {
        return RedStuffMath.symbolSize(size, n);
    }

    function _uint(string memory list, uint256 i, string memory field) private view returns (uint256) {
        return vm.parseJsonUint(vectors, _key(list, i, field));
    }

    function _key(string memory list, uint256 i, string memory field) private pure returns (string memory) {
        return string.concat(".", list, "[", vm.toString(i), "]", field);
    }
}
