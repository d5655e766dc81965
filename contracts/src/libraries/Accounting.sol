// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { IWalrusSystem } from "../interfaces/IWalrusSystem.sol";

/// @title Used capacity and rewards per epoch
/// @notice Used bytes lie in a ring of 64 epochs, four to a slot. The rewards of a purchase are the same in every
/// epoch of its range, so they are kept as differences: two writes whatever the duration.
library Accounting {
    /// @dev `delta` is added to the running reward when its epoch starts; `oneOff` counts in its epoch only.
    struct Entry {
        int128 delta;
        uint128 oneOff;
    }

    /// @dev `running` is the reward per epoch of all purchases that cover the current epoch.
    struct Books {
        uint256[16] ring;
        uint256 running;
        mapping(uint256 epoch => Entry) entries;
    }

    uint256 private constant RING = 64;
    uint256 private constant LANE_BITS = 64;

    /// @notice Adds `size` bytes to every epoch of `[start, end)`; none may come to exceed `total`.
    function reserve(Books storage books, uint32 start, uint32 end, uint256 size, uint256 total) internal {
        uint256 e = start;
        while (e < end) {
            uint256 index = (e % RING) / 4;
            uint256 word = books.ring[index];
            do {
                uint256 shift = LANE_BITS * (e % 4);
                uint256 wanted = uint64(word >> shift) + size;
                // `total` is 64 bits wide, so below it the sum does not reach into the next lane.
                if (wanted > total) revert IWalrusSystem.CapacityExceeded(uint32(e), wanted, total);
                word += size << shift;
                ++e;
            } while (e < end && e % 4 != 0);
            books.ring[index] = word;
        }
    }

    /// @notice Books `perEpoch` for every epoch of `[start, end)`.
    /// @param epoch The current epoch, whose `delta` is already part of `running`
    function bookPayment(Books storage books, uint32 epoch, uint32 start, uint32 end, uint256 perEpoch) internal {
        if (perEpoch == 0) return;
        int128 signed = SafeCast.toInt128(SafeCast.toInt256(perEpoch));
        if (start == epoch) books.running += perEpoch;
        else books.entries[start].delta += signed;
        books.entries[end].delta -= signed;
    }

    /// @notice Books `amount` for one epoch.
    function bookOnce(Books storage books, uint32 epoch, uint256 amount) internal {
        if (amount != 0) books.entries[epoch].oneOff += SafeCast.toUint128(amount);
    }

    /// @notice Spreads `amount` evenly over `[first, first + epochs)`, the remainder to the first.
    function subsidise(Books storage books, uint32 first, uint32 epochs, uint256 amount) internal {
        uint256 share = amount / epochs;
        bookOnce(books, first, amount - share * (epochs - 1));
        for (uint32 i = 1; i < epochs; ++i) {
            bookOnce(books, first + i, share);
        }
    }

    /// @notice Ends an epoch: returns its rewards, frees its lane, and takes up the differences of the next one.
    function close(Books storage books, uint32 ended) internal returns (uint256 amount) {
        amount = books.running + books.entries[ended].oneOff;
        delete books.entries[ended];
        uint256 next = uint256(ended) + 1;
        books.running = SafeCast.toUint256(SafeCast.toInt256(books.running) + books.entries[next].delta);
        books.entries[next].delta = 0;
        uint256 lane = uint256(type(uint64).max) << (LANE_BITS * (ended % 4));
        books.ring[(ended % RING) / 4] &= ~lane;
    }

    /// @notice Bytes sold for an epoch of the window.
    function used(Books storage books, uint32 epoch) internal view returns (uint64) {
        return uint64(books.ring[(epoch % RING) / 4] >> (LANE_BITS * (epoch % 4)));
    }

    /// @notice Rewards booked so far for `target`, the current epoch or a later one.
    function rewards(Books storage books, uint32 epoch, uint32 target) internal view returns (uint256) {
        if (target < epoch || target - epoch > RING) return 0;
        int256 sum = SafeCast.toInt256(books.running);
        for (uint32 e = epoch + 1; e <= target; ++e) {
            sum += books.entries[e].delta;
        }
        return SafeCast.toUint256(sum) + books.entries[target].oneOff;
    }
}
