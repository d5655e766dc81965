// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { BLS } from "solady/utils/ext/ithaca/BLS.sol";

/// @title BLS12-381 signatures, public keys in G1
/// @notice Ciphersuite `BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_` over the EIP-2537 precompiles. Keys are stored as
/// 96 bytes (`x` then `y`), signatures come as 256 bytes in EIP-2537 form. The pairing checks curve and subgroup.
library BlsMinPk {
    /// @notice A key has 96 bytes.
    error BadKeyLength(uint256 length);
    /// @notice A signature has 256 bytes.
    error BadSignatureLength(uint256 length);
    /// @notice A coordinate is not below the field modulus.
    error NotCanonical();
    /// @notice The point at infinity is neither a key nor a signature.
    error InfinityPoint();
    /// @notice A point is not on the curve or not in the right subgroup, or the precompile is missing.
    error InvalidPoint();

    uint256 internal constant KEY_LENGTH = 96;
    uint256 internal constant SIGNATURE_LENGTH = 256;

    address private constant PAIRING = address(0x0f);

    /// @dev The pairing of two costs 102,900 gas. A precompile that refuses its input takes all it was given, so a bad
    /// point costs the caller this much and not all he has.
    uint256 private constant PAIRING_GAS = 250_000;

    // The field modulus p and (p - 1) / 2, each as its upper and lower 32 bytes of 64.
    uint256 private constant P_HIGH = 0x000000000000000000000000000000001a0111ea397fe69a4b1ba7b6434bacd7;
    uint256 private constant P_LOW = 0x64774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab;
    uint256 private constant HALF_HIGH = 0x000000000000000000000000000000000d0088f51cbff34d258dd3db21a5d66b;
    uint256 private constant HALF_LOW = 0xb23ba5c279c2895fb39869507b587b120f55ffff58a9ffffdcff7fffffffd555;

    // The negated generator of G1.
    bytes32 private constant NEG_G_X_HIGH = 0x0000000000000000000000000000000017f1d3a73197d7942695638c4fa9ac0f;
    bytes32 private constant NEG_G_X_LOW = 0xc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb;
    bytes32 private constant NEG_G_Y_HIGH = 0x00000000000000000000000000000000114d1d6855d545a8aa7d76c8cf2e21f2;
    bytes32 private constant NEG_G_Y_LOW = 0x67816aef1db507c96655b9d5caac42364e6f38ba0ecb751bad54dcd6b939c2ca;

    /// @notice Reads a public key; refuses a wrong length, infinity and coordinates that are not canonical.
    /// @dev Says nothing about curve and subgroup: the pairing of a proof of possession does.
    function toKey(bytes memory key) internal pure returns (BLS.G1Point memory point) {
        if (key.length != KEY_LENGTH) revert BadKeyLength(key.length);
        point = unpack(key, 0);
        if (isInfinity(point)) revert InfinityPoint();
        if (!_isCanonical(point.x_a, point.x_b) || !_isCanonical(point.y_a, point.y_b)) revert NotCanonical();
    }

    /// @notice Reads a signature; refuses a wrong length, infinity and coordinates that are not canonical.
    function toSignature(bytes calldata signature) internal pure returns (BLS.G2Point memory point) {
        if (signature.length != SIGNATURE_LENGTH) revert BadSignatureLength(signature.length);
        point = abi.decode(signature, (BLS.G2Point));
        bytes32 any = point.x_c0_a | point.x_c0_b | point.x_c1_a | point.x_c1_b;
        any |= point.y_c0_a | point.y_c0_b | point.y_c1_a | point.y_c1_b;
        if (any == 0) revert InfinityPoint();
        bool canonical = _isCanonical(point.x_c0_a, point.x_c0_b) && _isCanonical(point.x_c1_a, point.x_c1_b)
            && _isCanonical(point.y_c0_a, point.y_c0_b) && _isCanonical(point.y_c1_a, point.y_c1_b);
        if (!canonical) revert NotCanonical();
    }

    /// @notice The 48-byte compressed form of a key.
    function compress(BLS.G1Point memory key) internal pure returns (bytes memory) {
        (uint256 yHigh, uint256 yLow) = (uint256(key.y_a), uint256(key.y_b));
        bool larger = yHigh > HALF_HIGH || (yHigh == HALF_HIGH && yLow > HALF_LOW);
        // Bit 383: compressed form. Bit 381: the larger of the two roots.
        uint128 flags = uint128(1) << 127 | (larger ? uint128(1) << 125 : 0);
        return abi.encodePacked(uint128(uint256(key.x_a)) | flags, key.x_b);
    }

    /// @notice The 96 bytes of a key at `offset` of `table`, which must hold them.
    function unpack(bytes memory table, uint256 offset) internal pure returns (BLS.G1Point memory point) {
        (uint256 a, uint256 b, uint256 c) = (0, 0, 0);
        assembly ("memory-safe") {
            let at := add(add(table, 0x20), offset)
            a := mload(at)
            b := mload(add(at, 0x20))
            c := mload(add(at, 0x40))
        }
        return unpackWords(a, b, c);
    }

    /// @notice A key from its 96 bytes as three words.
    function unpackWords(uint256 a, uint256 b, uint256 c) internal pure returns (BLS.G1Point memory point) {
        point.x_a = bytes32(a >> 128);
        point.x_b = bytes32(a << 128 | b >> 128);
        point.y_a = bytes32(uint256(uint128(b)));
        point.y_b = bytes32(c);
    }

    /// @notice A key as three words.
    function packWords(BLS.G1Point memory point) internal pure returns (uint256 a, uint256 b, uint256 c) {
        a = uint256(point.x_a) << 128 | uint256(point.x_b) >> 128;
        b = uint256(point.x_b) << 128 | uint256(point.y_a);
        c = uint256(point.y_b);
    }

    /// @notice The negative of a key: `(x, p - y)`.
    function negate(BLS.G1Point memory point) internal pure returns (BLS.G1Point memory) {
        if (isInfinity(point)) return point;
        (uint256 high, uint256 low) = (uint256(point.y_a), uint256(point.y_b));
        // Two-word subtraction: the lower word wraps on purpose and the borrow goes to the upper one; y < p.
        unchecked {
            uint256 borrow = low > P_LOW ? 1 : 0;
            point.y_b = bytes32(P_LOW - low);
            point.y_a = bytes32(P_HIGH - high - borrow);
        }
        return point;
    }

    /// @notice Whether the point is the point at infinity (all zeros).
    function isInfinity(BLS.G1Point memory point) internal pure returns (bool) {
        return (point.x_a | point.x_b | point.y_a | point.y_b) == 0;
    }

    /// @notice Whether `signature` is one of `key` over `message`: `e(-g, signature) e(key, H(message)) = 1`.
    /// @dev Both points must come from `toKey` and `toSignature`, or be sums of such keys and not infinity.
    function verify(BLS.G1Point memory key, bytes memory message, BLS.G2Point memory signature)
        internal
        view
        returns (bool)
    {
        BLS.G2Point memory hashed = BLS.hashToG2(message);
        BLS.G1Point memory negG = BLS.G1Point(NEG_G_X_HIGH, NEG_G_X_LOW, NEG_G_Y_HIGH, NEG_G_Y_LOW);
        (bool ok, bytes memory out) = PAIRING.staticcall{ gas: PAIRING_GAS }(abi.encode(negG, signature, key, hashed));
        if (!ok || out.length != 32) revert InvalidPoint();
        return abi.decode(out, (uint256)) == 1;
    }

    function _isCanonical(bytes32 high, bytes32 low) private pure returns (bool) {
        return uint256(high) < P_HIGH || (uint256(high) == P_HIGH && uint256(low) < P_LOW);
    }
}
