// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Block headers
/// @notice Reads a header of a chain after the merge from its RLP. Fields are found by position, so that later forks may
/// append some.
library HeaderRlp {
    /// @notice Not the RLP of such a header.
    error BadHeader();

    uint256 private constant DIFFICULTY = 7;
    uint256 private constant NUMBER = 8;
    uint256 private constant TIMESTAMP = 11;
    uint256 private constant MIX_HASH = 13;
    /// @dev A header with a base fee, the youngest field that every chain after the merge has.
    uint256 private constant MIN_ITEMS = 16;

    /// @notice Number, timestamp and PREVRANDAO of a header.
    /// @dev The caller compares the hash of `rlp` with that of a block: the content is then genuine.
    function read(bytes calldata rlp) internal pure returns (uint64 number, uint64 timestamp, bytes32 prevrandao) {
        (uint256 offset, bool isList) = (0, false);
        (offset, isList,) = _item(rlp, 0);
        if (!isList) revert BadHeader();
        uint256 items = 0;
        for (; offset < rlp.length; ++items) {
            uint256 length = 0;
            (offset, isList, length) = _item(rlp, offset);
            if (isList) revert BadHeader();
            if (items == DIFFICULTY && length != 0) revert BadHeader();
            if (items == NUMBER) number = _number(rlp[offset:offset + length]);
            if (items == TIMESTAMP) timestamp = _number(rlp[offset:offset + length]);
            if (items == MIX_HASH) {
                if (length != 32) revert BadHeader();
                prevrandao = bytes32(rlp[offset:offset + 32]);
            }
            offset += length;
        }
        if (items < MIN_ITEMS) revert BadHeader();
    }

    /// @dev The item at `offset`: where its payload starts, whether it is a list, and the length of the payload, which ends
    /// inside `rlp`; that of a list ends with it.
    function _item(bytes calldata rlp, uint256 offset)
        private
        pure
        returns (uint256 start, bool isList, uint256 length)
    {
        uint256 head = offset < rlp.length ? uint8(rlp[offset]) : 0xff;
        if (head < 0x80) return (offset, false, 1);
        isList = head >= 0xc0;
        uint256 short = isList ? head - 0xc0 : head - 0x80;
        start = offset + 1;
        length = short;
        if (short > 55) {
            uint256 digits = short - 55;
            if (start + digits > rlp.length) revert BadHeader();
            length = _number(rlp[start:start + digits]);
            start += digits;
        }
        if (start + length > rlp.length || (isList && start + length != rlp.length)) revert BadHeader();
    }

    function _number(bytes calldata digits) private pure returns (uint64) {
        if (digits.length > 8) revert BadHeader();
        return uint64(uint256(bytes32(digits)) >> (256 - 8 * digits.length));
    }
}
