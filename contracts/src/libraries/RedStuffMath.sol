// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Sizes of the Red Stuff encoding
/// @notice `n` shards, `f = floor((n - 1) / 3)`. See docs/protocol/encoding.md.
library RedStuffMath {
    /// @notice The blob needs symbols longer than 65,534 bytes.
    error BlobTooLarge(uint64 size);

    uint256 private constant MAX_SYMBOL = 65_534;
    uint256 private constant MIB = 1 << 20;

    /// @notice Number of shards that may be faulty: `floor((n - 1) / 3)`.
    function maxFaulty(uint256 n) internal pure returns (uint256) {
        return (n - 1) / 3;
    }

    /// @notice Source symbols per column and per row: `n - 2f` and `n - f`.
    function sourceSymbols(uint256 n) internal pure returns (uint256 primary, uint256 secondary) {
        uint256 f = maxFaulty(n);
        return (n - 2 * f, n - f);
    }

    /// @notice Bytes per symbol: `ceil(max(size, 1) / (primary * secondary))`, rounded up to an even number.
    function symbolSize(uint64 size, uint256 n) internal pure returns (uint256 bytesPerSymbol) {
        (uint256 primary, uint256 secondary) = sourceSymbols(n);
        uint256 length = size == 0 ? 1 : size;
        bytesPerSymbol = _ceilDiv(length, primary * secondary);
        bytesPerSymbol += bytesPerSymbol % 2;
        if (bytesPerSymbol > MAX_SYMBOL) revert BlobTooLarge(size);
    }

    /// @notice Bytes all shards together store for a blob, metadata included.
    function encodedSize(uint64 size, uint256 n) internal pure returns (uint256) {
        (uint256 primary, uint256 secondary) = sourceSymbols(n);
        uint256 metadata = 64 * n + 32;
        return n * ((primary + secondary) * symbolSize(size, n) + metadata);
    }

    /// @notice Price units: started MiB.
    function units(uint256 size) internal pure returns (uint256) {
        return _ceilDiv(size, MIB);
    }

    /// @notice Whether `weight` of `n` shards is a quorum: `3 w >= 2 n + 1`.
    function isQuorum(uint256 weight, uint256 n) internal pure returns (bool) {
        return 3 * weight >= 2 * n + 1;
    }

    /// @notice Smallest weight that is a quorum: `floor(2 n / 3) + 1`.
    function quorum(uint256 n) internal pure returns (uint256) {
        return 2 * n / 3 + 1;
    }

    /// @notice Smallest weight that contains an honest node: `floor(n / 3) + 1`.
    function oneHonest(uint256 n) internal pure returns (uint256) {
        return n / 3 + 1;
    }

    function _ceilDiv(uint256 a, uint256 b) private pure returns (uint256) {
        return (a + b - 1) / b;
    }
}
