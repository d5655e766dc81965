// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice A quorum certificate: one aggregate BLS12-381 signature and who took part in it.
/// @param signature Uncompressed G2 point, 256 bytes in EIP-2537 form: `x.c0, x.c1, y.c0, y.c1`, each coordinate
/// 16 zero bytes followed by 48 big-endian bytes
/// @param signers Bit `i` (value `1 << i`) is set when the member at seat `i` signed
struct Cert {
    bytes signature;
    uint256 signers;
}

/// @notice How much weight a certificate needs, out of `n` shards.
/// @dev `Quorum`: `3 w >= 2 n + 1`. `OneHonest`: `3 w >= n + 1`.
enum Threshold {
    Quorum,
    OneHonest
}
