// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { LibSort } from "solady/utils/LibSort.sol";
import { RedStuffMath } from "./RedStuffMath.sol";

/// @title Percentiles of weighted votes
/// @notice Works on lists of `vote << 16 | weight`, which it sorts in place.
library WeightedVotes {
    /// @notice Smallest vote `v` such that votes `<= v` hold a quorum of `n`. Rule of prices.
    function lowQuorum(uint256[] memory list, uint256 n) internal pure returns (uint64) {
        LibSort.sort(list);
        uint256 weight = 0;
        for (uint256 i = 0; i < list.length; ++i) {
            weight += uint16(list[i]);
            if (RedStuffMath.isQuorum(weight, n)) return uint64(list[i] >> 16);
        }
        return type(uint64).max;
    }

    /// @notice Largest vote `v` such that votes `>= v` hold a quorum of `n`. Rule of capacity.
    function highQuorum(uint256[] memory list, uint256 n) internal pure returns (uint64) {
        LibSort.sort(list);
        uint256 weight = 0;
        for (uint256 i = list.length; i > 0; --i) {
            weight += uint16(list[i - 1]);
            if (RedStuffMath.isQuorum(weight, n)) return uint64(list[i - 1] >> 16);
        }
        return 0;
    }

    /// @notice A node's capacity scaled to the whole network: `capacity * n / weight`, at most 2^64 - 1.
    function scaled(uint64 capacity, uint16 weight, uint256 n) internal pure returns (uint64) {
        if (weight == 0) return 0;
        uint256 value = uint256(capacity) * n / weight;
        return value > type(uint64).max ? type(uint64).max : uint64(value);
    }
}
