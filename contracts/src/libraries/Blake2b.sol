// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title BLAKE2b-256
/// @notice Unkeyed BLAKE2b with 32 bytes of output, one call of the BLAKE2F precompile per 128-byte block.
/// @dev In assembly because a challenge answer hashes up to 64 KiB in one transaction: the input of the precompile is
/// kept in one place, and only the block and the counter are written anew. The plain version is in the tests.
library Blake2b {
    /// @notice The precompile at address 9 is missing or failed.
    error Blake2fFailed();
    /// @notice More than 2^32 - 1 bytes, which no transaction can carry.
    error DataTooLong(uint256 length);

    /// @dev Initial state as little-endian words, the parameter block (32 bytes out, no key) already mixed in.
    bytes32 internal constant STATE_LOW = 0x28c9bdf267e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5;
    bytes32 internal constant STATE_HIGH = 0xd182e6ad7f520e511f6c3e2b8c68059b6bbd41fbabd9831f79217e1319cde05b;

    /// @notice BLAKE2b-256 of `data`.
    function hash(bytes memory data) internal view returns (bytes32) {
        uint256 start = 0;
        assembly ("memory-safe") {
            start := add(data, 0x20)
        }
        return _hash(start, data.length);
    }

    /// @notice BLAKE2b-256 of `prefix ‖ data`.
    function hashPrefixed(uint8 prefix, bytes calldata data) internal view returns (bytes32) {
        uint256 start = 0;
        // Behind the free memory, 224 bytes of which `_hash` works in; nothing is allocated between here and there.
        assembly ("memory-safe") {
            start := add(mload(0x40), 0xe0)
            mstore8(start, prefix)
            calldatacopy(add(start, 1), data.offset, data.length)
        }
        return _hash(start, data.length + 1);
    }

    /// @notice BLAKE2b-256 of the 65 bytes `prefix ‖ left ‖ right`.
    function hashPair(uint8 prefix, bytes32 left, bytes32 right) internal view returns (bytes32) {
        uint256 start = 0;
        assembly ("memory-safe") {
            start := add(mload(0x40), 0xe0)
            mstore8(start, prefix)
            mstore(add(start, 0x01), left)
            mstore(add(start, 0x21), right)
        }
        return _hash(start, 65);
    }

    /// @dev Hashes `length` bytes of memory from `start` on. Input of the precompile, 213 bytes at the free memory pointer:
    /// rounds (4, big endian) ‖ state (64) ‖ block (128) ‖ bytes hashed so far (16, little endian) ‖ last block? (1).
    function _hash(uint256 start, uint256 length) private view returns (bytes32 digest) {
        if (length > type(uint32).max) revert DataTooLong(length);
        bool ok = true;
        assembly ("memory-safe") {
            function count(to, value) {
                mstore8(to, value)
                mstore8(add(to, 1), shr(8, value))
                mstore8(add(to, 2), shr(16, value))
                mstore8(add(to, 3), shr(24, value))
            }
            let input := mload(0x40)
            let state := add(input, 4)
            let chunk := add(input, 68)
            let counter := add(input, 196)
            mstore(input, shl(224, 12))
            mstore(state, STATE_LOW)
            mstore(add(state, 0x20), STATE_HIGH)
            // Counter and flag, which end where the input does.
            mstore(add(input, 181), 0)

            let done := 0
            for { } gt(sub(length, done), 128) { } {
                mcopy(chunk, add(start, done), 128)
                done := add(done, 128)
                count(counter, done)
                ok := and(ok, staticcall(gas(), 0x09, input, 213, state, 64))
            }
            // The last block, filled up with zeros.
            let rest := sub(length, done)
            calldatacopy(chunk, calldatasize(), 128)
            mcopy(chunk, add(start, done), rest)
            count(counter, length)
            mstore8(add(counter, 16), 1)
            let success := staticcall(gas(), 0x09, input, 213, state, 64)
            // A chain without the precompile answers every call with nothing.
            ok := and(ok, and(success, eq(returndatasize(), 64)))
            digest := mload(state)
        }
        if (!ok) revert Blake2fFailed();
    }
}
