// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { LibBit } from "solady/utils/LibBit.sol";

/// @title BLAKE2b-256
/// @notice Unkeyed BLAKE2b with 32 bytes of output, one call of the BLAKE2F precompile per 128-byte block.
library Blake2b {
    /// @notice The precompile at address 9 is missing or failed.
    error Blake2fFailed();

    address private constant BLAKE2F = address(0x09);
    uint32 private constant ROUNDS = 12;
    uint256 private constant BLOCK = 128;

    /// @dev Initial state as little-endian words, the parameter block (32 bytes out, no key) already mixed in.
    bytes32 private constant STATE_LOW = 0x28c9bdf267e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5;
    bytes32 private constant STATE_HIGH = 0xd182e6ad7f520e511f6c3e2b8c68059b6bbd41fbabd9831f79217e1319cde05b;

    /// @notice BLAKE2b-256 of `data`.
    function hash(bytes memory data) internal view returns (bytes32) {
        (bytes32 low, bytes32 high) = (STATE_LOW, STATE_HIGH);
        uint256 offset = 0;
        while (data.length > offset + BLOCK) {
            (low, high) = _compress(low, high, data, offset, offset + BLOCK, false);
            offset += BLOCK;
        }
        (low,) = _compress(low, high, data, offset, data.length, true);
        return low;
    }

    /// @dev Mixes the block at `offset` into the state; `counter` is the number of bytes hashed including it.
    function _compress(bytes32 low, bytes32 high, bytes memory data, uint256 offset, uint256 counter, bool last)
        private
        view
        returns (bytes32, bytes32)
    {
        bytes memory input = abi.encodePacked(
            ROUNDS,
            low,
            high,
            _word(data, offset),
            _word(data, offset + 32),
            _word(data, offset + 64),
            _word(data, offset + 96),
            bytes16(bytes32(LibBit.reverseBytes(counter))),
            last
        );
        (bool ok, bytes memory out) = BLAKE2F.staticcall(input);
        if (!ok || out.length != 64) revert Blake2fFailed();
        return abi.decode(out, (bytes32, bytes32));
    }

    /// @dev 32 bytes of `data` from `position` on, zeros past its end.
    function _word(bytes memory data, uint256 position) private pure returns (bytes32 word) {
        if (position >= data.length) return 0;
        assembly ("memory-safe") {
            word := mload(add(add(data, 0x20), position))
        }
        uint256 rest = data.length - position;
        if (rest < 32) word &= bytes32(type(uint256).max << (8 * (32 - rest)));
    }
}
