// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { Blake2b } from "src/libraries/Blake2b.sol";
import { PlainBlake2b } from "test/utils/PlainBlake2b.sol";

contract Blake2bTest is Test {
    /// Lengths around word and block edges; byte i of the input is (7 i + 3) mod 251.
    function test_hash_matchesKnownAnswers() public view {
        _check(0, 0x0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8);
        _check(1, 0xe88bd757ad5b9bedf372d8d3f0cf6c962a469db61a265f6418e1ffed86da29ec);
        _check(31, 0xeb761e66d010cbc36adb8215c3c1681e1d5d35a86d5f4d074ffcb74e66e7234a);
        _check(32, 0x656300678ffaf08eb513046f55da054581a34f21f3fd453641bd1e8a4ede0113);
        _check(33, 0xab4bcdb5beabda8c7bcebe5dfb66fc2951de324ce89eef8ef032a6b79065cbc0);
        _check(41, 0x181a6b8cef129a32aa16290ba52d6fcadd7ea3466429b203e912c206588bb479);
        _check(64, 0xe05ae5cb162ab39214830a09e62611c48d77b3a0ceec14483820101f3a74aa02);
        _check(65, 0x46d39005d31de8c5ae661fd7fb8899c028dece9fc4acee73b28b6b78a25756c7);
        _check(127, 0x7eb3d4fe699cedc52282a1c091627822fe7790ef178af8269c0261d367931246);
        _check(128, 0x6afdad1409d770bce274b62a69123c97c86ffb40ce9708f3ff9ae4cbba8ba080);
        _check(129, 0x69e98b10112e4b7ae396bfbddaee75cc5fe6a9dc1fffc2b11e7c0fc48de04ae5);
        _check(255, 0x79133c6c55eafb6dd1aa1d75fe1622b86492ce7093b81ba85f29205f6d3a7a78);
        _check(256, 0xfabff1fa6173588d4cecdeade31b3237760d62664249e44f621deba4b94367ad);
        _check(257, 0xc069dcc3628f1598cd4f058da809c5f1c3a4ad536acd12dc514bcc0753f71f8c);
        _check(400, 0x7aa545eb1474405598412547b222694e9cc2118f82b7d60ab236f10569cfc65c);
    }

    /// The plain version agrees, whatever lies in memory behind the data.
    function testFuzz_hash_matchesPlainVersion(bytes memory data, bytes32 dirt) public view {
        assembly {
            mstore(mload(0x40), dirt)
            // The bytes between the end of the data and the next word.
            mstore(add(add(data, 0x20), mload(data)), dirt)
        }
        assertEq(Blake2b.hash(data), PlainBlake2b.hash(data));
    }

    /// The forms without an allocation agree with the general one.
    function testFuzz_hashPrefixed_andPair_matchHash(uint8 prefix, bytes calldata data, bytes32 left, bytes32 right)
        public
        view
    {
        assertEq(Blake2b.hashPrefixed(prefix, data), Blake2b.hash(abi.encodePacked(prefix, data)));
        assertEq(Blake2b.hashPair(prefix, left, right), Blake2b.hash(abi.encodePacked(prefix, left, right)));
    }

    function _check(uint256 length, bytes32 expected) private view {
        bytes memory data = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            data[i] = bytes1(uint8((7 * i + 3) % 251));
        }
        assertEq(Blake2b.hash(data), expected);
        assertEq(PlainBlake2b.hash(data), expected);
    }
}
