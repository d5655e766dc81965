// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { BLS } from "solady/utils/ext/ithaca/BLS.sol";
import { SSTORE2 } from "solady/utils/SSTORE2.sol";
import { BlsMinPk } from "src/libraries/BlsMinPk.sol";
import { KeyTable } from "src/libraries/KeyTable.sol";
import { TestBls } from "test/utils/TestBls.sol";

contract BlsMinPkTest is Test {
    string private vectors;

    function setUp() public {
        vectors = vm.readFile("test/vectors/bls.json");
    }

    /// Keys and signatures of another implementation: same key bytes, same signature bytes, and both verify.
    function test_vectors_keysAndSignaturesAgree() public view {
        uint256[3] memory secrets;
        for (uint256 k = 0; k < 3; ++k) {
            string memory path = string.concat(".keys[", vm.toString(k), "]");
            secrets[k] = uint256(vm.parseJsonBytes32(vectors, string.concat(path, ".secret")));
            bytes memory compressed = vm.parseJsonBytes(vectors, string.concat(path, ".compressed"));
            assertEq(BlsMinPk.compress(TestBls.point(secrets[k])), compressed);
        }
        uint256 sum = addmod(addmod(secrets[0], secrets[1], TestBls.R), secrets[2], TestBls.R);
        uint256 i = 0;
        for (; vm.keyExistsJson(vectors, string.concat(".messages[", vm.toString(i), "]")); ++i) {
            string memory path = string.concat(".messages[", vm.toString(i), "]");
            bytes memory message = vm.parseJsonBytes(vectors, string.concat(path, ".message"));
            bytes[] memory signatures = vm.parseJsonBytesArray(vectors, string.concat(path, ".signatures"));
            for (uint256 k = 0; k < 3; ++k) {
                bytes memory signature = TestBls.sign(secrets[k], message);
                assertEq(TestBls.compress(signature), signatures[k]);
                assertTrue(this.verify(TestBls.key(secrets[k]), message, signature));
                assertFalse(this.verify(TestBls.key(secrets[(k + 1) % 3]), message, signature));
            }
            bytes memory aggregate = TestBls.sign(sum, message);
            assertEq(TestBls.compress(aggregate), vm.parseJsonBytes(vectors, string.concat(path, ".aggregate")));
            assertTrue(this.verify(TestBls.key(sum), message, aggregate));
        }
        assertGt(i, 5);
    }

    function testFuzz_packWords_isInverseOfUnpack(uint256 secret) public view {
        secret = bound(secret, 1, TestBls.R - 1);
        bytes memory key = TestBls.key(secret);
        assertEq(abi.encode(BlsMinPk.unpack(key, 0)), abi.encode(TestBls.point(secret)));
        assertEq(key.length, 96);
    }

    function testFuzz_negate_givesTheOppositeKey(uint256 secret) public view {
        secret = bound(secret, 1, TestBls.R - 1);
        BLS.G1Point memory negative = BlsMinPk.negate(TestBls.point(secret));
        assertEq(abi.encode(negative), abi.encode(TestBls.point(TestBls.R - secret)));
        assertTrue(BlsMinPk.isInfinity(BLS.add(negative, TestBls.point(secret))));
        // Exactly one of a key and its negative has the larger y.
        bytes1 both = BlsMinPk.compress(TestBls.point(secret))[0] ^ BlsMinPk.compress(negative)[0];
        assertEq(both, bytes1(0x20));
    }

    function test_negate_keepsInfinity() public pure {
        BLS.G1Point memory infinity;
        assertTrue(BlsMinPk.isInfinity(BlsMinPk.negate(infinity)));
    }

    /// The assembly sum equals plain additions, for any set of seats.
    function testFuzz_sum_matchesPlainAdditions(uint256 set) public {
        uint256 count = 20;
        set = bound(set, 0, (1 << count) - 1);
        bytes memory keys = "";
        BLS.G1Point memory expected;
        for (uint256 i = 0; i < count; ++i) {
            // Seat 3 is empty.
            keys = bytes.concat(keys, i == 3 ? new bytes(96) : TestBls.key(i + 7));
            if (set >> i & 1 == 1 && i != 3) expected = BLS.add(expected, TestBls.point(i + 7));
        }
        assertEq(abi.encode(KeyTable.sum(SSTORE2.write(keys), set)), abi.encode(expected));
    }

    /// A table with something in it that is no point gives no sum, not a wrong one.
    function test_sum_refusesWhatIsNoPoint() public {
        bytes memory keys = TestBls.key(7);
        keys[95] ^= 0x01;
        address table = SSTORE2.write(keys);
        vm.expectRevert(KeyTable.KeySumFailed.selector);
        this.sum{ gas: 300_000 }(table, 1);
    }

    function sum(address table, uint256 seats) external view returns (BLS.G1Point memory) {
        return KeyTable.sum(table, seats);
    }

    function verify(bytes memory key, bytes memory message, bytes calldata signature) external view returns (bool) {
        return BlsMinPk.verify(BlsMinPk.toKey(key), message, BlsMinPk.toSignature(signature));
    }
}
