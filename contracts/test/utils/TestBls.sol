// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { BLS } from "solady/utils/ext/ithaca/BLS.sol";
import { BlsMinPk } from "src/libraries/BlsMinPk.sol";

/// @dev Keys and signatures for tests, made with the multiplication precompiles.
library TestBls {
    /// @dev Order of the groups.
    uint256 internal constant R = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;

    /// @dev The public key of `secret`, as 96 bytes.
    function key(uint256 secret) internal view returns (bytes memory) {
        (uint256 a, uint256 b, uint256 c) = BlsMinPk.packWords(point(secret));
        return abi.encodePacked(a, b, c);
    }

    function point(uint256 secret) internal view returns (BLS.G1Point memory) {
        BLS.G1Point[] memory points = new BLS.G1Point[](1);
        points[0] = BLS.G1Point(
            bytes32(uint256(0x17f1d3a73197d7942695638c4fa9ac0f)),
            0xc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb,
            bytes32(uint256(0x08b3f481e3aaa0f1a09e30ed741d8ae4)),
            0xfcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1
        );
        bytes32[] memory scalars = new bytes32[](1);
        scalars[0] = bytes32(secret);
        return BLS.msm(points, scalars);
    }

    /// @dev The signature of `secret` over `message`, 256 bytes.
    function sign(uint256 secret, bytes memory message) internal view returns (bytes memory) {
        BLS.G2Point[] memory points = new BLS.G2Point[](1);
        points[0] = BLS.hashToG2(message);
        bytes32[] memory scalars = new bytes32[](1);
        scalars[0] = bytes32(secret);
        return abi.encode(BLS.msm(points, scalars));
    }

    /// @dev The 96-byte compressed form of a signature, as other libraries write it.
    function compress(bytes memory signature) internal pure returns (bytes memory) {
        BLS.G2Point memory p = abi.decode(signature, (BLS.G2Point));
        bool larger = (p.y_c1_a | p.y_c1_b) == 0 ? _larger(p.y_c0_a, p.y_c0_b) : _larger(p.y_c1_a, p.y_c1_b);
        uint128 flags = uint128(1) << 127 | (larger ? uint128(1) << 125 : 0);
        return abi.encodePacked(uint128(uint256(p.x_c1_a)) | flags, p.x_c1_b, uint128(uint256(p.x_c0_a)), p.x_c0_b);
    }

    function _larger(bytes32 high, bytes32 low) private pure returns (bool) {
        uint256 halfHigh = 0x000000000000000000000000000000000d0088f51cbff34d258dd3db21a5d66b;
        uint256 halfLow = 0xb23ba5c279c2895fb39869507b587b120f55ffff58a9ffffdcff7fffffffd555;
        return uint256(high) > halfHigh || (uint256(high) == halfHigh && uint256(low) > halfLow);
    }
}
