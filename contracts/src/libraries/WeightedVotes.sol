// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { RedStuffMath } from "./RedStuffMath.sol";

/// @title Percentiles of weighted votes
/// @notice Works on lists of `vote << 16 | weight`, which it reorders. Nodes vote as they like, so the lists are not
/// sorted as a whole: only the part in which the answer lies is divided further.
library WeightedVotes {
    /// @notice Smallest vote `v` such that votes `<= v` hold a quorum of `n`. Rule of prices.
    function lowQuorum(uint256[] memory list, uint256 n) internal pure returns (uint64) {
        return _select(list, RedStuffMath.quorum(n));
    }

    /// @notice Largest vote `v` such that votes `>= v` hold a quorum of `n`. Rule of capacity.
    /// @dev The same rule on the complements of the votes.
    function highQuorum(uint256[] memory list, uint256 n) internal pure returns (uint64) {
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] ^= uint256(type(uint64).max) << 16;
        }
        return ~_select(list, RedStuffMath.quorum(n));
    }

    /// @notice A node's capacity scaled to the whole network: `capacity * n / weight`, at most 2^64 - 1.
    function scaled(uint64 capacity, uint16 weight, uint256 n) internal pure returns (uint64) {
        if (weight == 0) return 0;
        uint256 value = uint256(capacity) * n / weight;
        return value > type(uint64).max ? type(uint64).max : uint64(value);
    }

    /// @dev The smallest vote up to which the list weighs `needed`; 2^64 - 1 when it does not weigh that much.
    ///
    /// `[low, high)` is where the answer lies, and what lies below it weighs `below`. Each round takes the middle entry
    /// as pivot and moves smaller ones to its left. A round leaves out at least one entry, so that 255 of them, however
    /// they were chosen, cost less than 5M gas; random ones cost a hundredth of it.
    function _select(uint256[] memory list, uint256 needed) private pure returns (uint64) {
        uint256 low = 0;
        uint256 high = list.length;
        uint256 below = 0;
        // Indexes stay within the list and weights are 16 bits each.
        unchecked {
            while (low < high) {
                (uint256 pivot, uint256 place, uint256 weight) = _divide(list, low, high);
                if (below + weight >= needed) {
                    high = place;
                } else {
                    below += weight + uint16(pivot);
                    if (below >= needed) return uint64(pivot >> 16);
                    low = place + 1;
                }
            }
        }
        return type(uint64).max;
    }

    /// @dev Reorders `[low, high)` so that everything below its pivot lies left of `place`, where the pivot is, and
    /// everything above it to the right. Of what equals the pivot every other entry goes to the left: where all nodes
    /// agree, which is usual, a round halves the list too. `weight` is that of the left part.
    function _divide(uint256[] memory list, uint256 low, uint256 high)
        private
        pure
        returns (uint256 pivot, uint256 place, uint256 weight)
    {
        assembly ("memory-safe") {
            let start := add(add(list, 0x20), shl(5, low))
            let end := add(add(list, 0x20), shl(5, high))
            let last := sub(end, 0x20)
            let middle := add(start, shl(5, shr(1, sub(high, low))))
            pivot := mload(middle)
            mstore(middle, mload(last))
            place := start
            for { let at := start } lt(at, last) { at := add(at, 0x20) } {
                let entry := mload(at)
                if lt(entry, add(pivot, and(shr(5, at), 1))) {
                    weight := add(weight, and(entry, 0xffff))
                    mstore(at, mload(place))
                    mstore(place, entry)
                    place := add(place, 0x20)
                }
            }
            mstore(last, mload(place))
            mstore(place, pivot)
            place := shr(5, sub(place, add(list, 0x20)))
        }
    }
}
