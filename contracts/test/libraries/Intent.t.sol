// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { Intent } from "src/libraries/Intent.sol";

contract IntentTest is Test {
    bytes32 private constant DOMAIN = hex"dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd";
    bytes32 private constant BLOB = hex"0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20";

    function test_domain_hashesChainAndContract() public pure {
        assertEq(
            Intent.domain(31_337, address(0xABCD)),
            keccak256(
                hex"0000000000000000000000000000000000000000000000000000000000007a69000000000000000000000000000000000000000000000000000000000000abcd"
            )
        );
    }

    function test_permanentConfirmation_hasTheseBytes() public pure {
        assertEq(
            Intent.permanentConfirmation(0x01020304, DOMAIN, BLOB),
            bytes.concat(hex"01010304030201", DOMAIN, BLOB, hex"00")
        );
    }

    function test_deletableConfirmation_hasTheseBytes() public pure {
        assertEq(
            Intent.deletableConfirmation(5, DOMAIN, BLOB, 0x1234),
            bytes.concat(hex"01010305000000", DOMAIN, BLOB, hex"01", bytes32(uint256(0x1234)))
        );
    }

    function test_invalidBlobId_hasTheseBytes() public pure {
        assertEq(Intent.invalidBlobId(5, DOMAIN, BLOB), bytes.concat(hex"02010305000000", DOMAIN, BLOB));
    }

    function test_proofOfPossession_hasTheseBytes() public pure {
        bytes memory key = new bytes(48);
        key[0] = 0x97;
        assertEq(
            Intent.proofOfPossession(0, DOMAIN, address(0xABCD), key),
            bytes.concat(hex"00010300000000", DOMAIN, bytes32(uint256(0xABCD)), key)
        );
    }

    function test_challengePassed_hasTheseBytes() public pure {
        assertEq(
            Intent.challengePassed(5, DOMAIN, keccak256("seed"), 0x01020304),
            bytes.concat(hex"08010305000000", DOMAIN, keccak256("seed"), hex"04030201")
        );
    }
}
