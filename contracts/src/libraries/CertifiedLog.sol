// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @title The log of certified blobs
/// @notice One entry per first certification of a token: the token, and the price units of all entries up to and with
/// it. Challenges draw from it by weight. An entry counts only while the token's record points at it. Two entries share
/// a slot, so that certification pays for half a slot on average.
library CertifiedLog {
    /// @notice The log has no such entry.
    error UnknownLogEntry(uint256 index, uint256 length);

    /// @dev Entry `i` is in the lower half of slot `i / 2` when `i` is even, else in the upper one:
    /// `token id (64 bits) << 64 | cumulative units (64 bits)`. The length is kept by the caller.
    struct Log {
        mapping(uint256 pair => uint256) pairs;
    }

    /// @notice Writes entry `index`, which must be the first free one. `units` of it must not be 0.
    function append(Log storage self, uint256 index, uint64 tokenId, uint256 units) internal {
        uint256 present = self.pairs[index / 2];
        if (index % 2 == 1) {
            uint256 cumulative = uint64(present) + units;
            self.pairs[index / 2] = present | (uint256(tokenId) << 64 | SafeCast.toUint64(cumulative)) << 128;
        } else {
            uint256 before = index == 0 ? 0 : uint64(self.pairs[index / 2 - 1] >> 128);
            self.pairs[index / 2] = uint256(tokenId) << 64 | SafeCast.toUint64(before + units);
        }
    }

    /// @notice Entry `index`, which must be below `length`.
    function read(Log storage self, uint256 index, uint256 length)
        internal
        view
        returns (uint64 tokenId, uint64 cumulativeUnits)
    {
        if (index >= length) revert UnknownLogEntry(index, length);
        uint256 entry = self.pairs[index / 2] >> (128 * (index % 2));
        return (uint64(entry >> 64), uint64(entry));
    }
}
