// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { Rate } from "../types/Node.sol";

/// @title Exchange rates between WAL and pool shares
/// @notice One entry per epoch in which anybody joined or left. No WAL and no shares mean 1:1. All
/// conversions round down, so that what is left stays in the pool.
library Rates {
    /// @notice Appends a rate; epochs rise.
    function record(Rate[] storage rates, uint32 epoch, uint256 amount, uint256 shares) internal {
        rates.push(Rate(epoch, SafeCast.toUint96(amount), SafeCast.toUint128(shares)));
    }

    /// @notice The newest rate up to `epoch`; 1:1 when there is none. Binary search from the end, where most look.
    function rateAt(Rate[] storage rates, uint32 epoch) internal view returns (Rate memory rate) {
        uint256 high = rates.length;
        if (high == 0) return Rate(epoch, 0, 0);
        rate = rates[high - 1];
        if (rate.epoch <= epoch) return rate;
        uint256 low = 0;
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (rates[middle].epoch <= epoch) low = middle + 1;
            else high = middle;
        }
        return low == 0 ? Rate(epoch, 0, 0) : rates[low - 1];
    }

    /// @notice Shares that `amount` FROST buy at this rate.
    function toShares(Rate memory rate, uint256 amount) internal pure returns (uint256) {
        return rate.shares == 0 ? amount : amount * rate.shares / rate.amount;
    }

    /// @notice FROST that `shares` are worth at this rate.
    function toAmount(Rate memory rate, uint256 shares) internal pure returns (uint256) {
        return rate.shares == 0 ? shares : shares * rate.amount / rate.shares;
    }
}
