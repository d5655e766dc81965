// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { IWalrusSystem } from "src/interfaces/IWalrusSystem.sol";
import { Accounting } from "src/libraries/Accounting.sol";

contract AccountingTest is Test {
    using Accounting for Accounting.Books;

    uint32 private constant AHEAD = 53;

    Accounting.Books private books;
    // The obvious version: one number per epoch.
    mapping(uint256 epoch => uint256) private plainUsed;
    mapping(uint256 epoch => uint256) private plainRewards;

    /// forge-config: default.fuzz.runs = 24
    /// Purchases, fees and epoch changes in any order: ring and differences equal the plain sums at every step, and the
    /// money adds up.
    function testFuzz_books_matchPlainSums(uint256 seed) public {
        uint32 epoch = uint32(seed % 200);
        uint256 paid = 0;
        uint256 closed = 0;
        for (uint256 step = 0; step < 60; ++step) {
            uint256 r = uint256(keccak256(abi.encode(seed, step)));
            if (r % 4 == 0) {
                uint256 expected = plainRewards[epoch];
                uint256 got = books.close(epoch);
                assertEq(got, expected, "rewards of the ended epoch");
                closed += got;
                ++epoch;
            } else if (r % 4 == 1) {
                uint256 fee = (r >> 8) % 1e15;
                books.bookOnce(epoch, fee);
                plainRewards[epoch] += fee;
                paid += fee;
            } else {
                uint32 start = epoch + uint32((r >> 8) % AHEAD);
                uint32 end = start + 1 + uint32((r >> 16) % (epoch + AHEAD - start));
                uint256 size = (r >> 24) % 1e12;
                uint256 perEpoch = (r >> 80) % 1e15;
                books.reserve(start, end, size, type(uint64).max);
                books.bookPayment(epoch, start, end, perEpoch);
                for (uint256 e = start; e < end; ++e) {
                    plainUsed[e] += size;
                    plainRewards[e] += perEpoch;
                    paid += perEpoch;
                }
            }
            uint256 open = 0;
            for (uint32 e = epoch; e <= epoch + AHEAD; ++e) {
                assertEq(books.used(e), plainUsed[e], "used");
                assertEq(books.rewards(epoch, e), plainRewards[e], "rewards");
                open += plainRewards[e];
            }
            assertEq(open + closed, paid, "nothing is lost");
        }
    }

    function testFuzz_subsidise_spreadsEverything(uint256 amount, uint32 epochs) public {
        amount = bound(amount, 1, 5e18);
        epochs = uint32(bound(epochs, 1, 53));
        books.subsidise(7, epochs, amount);
        uint256 sum = 0;
        for (uint32 e = 7; e < 7 + epochs; ++e) {
            sum += books.rewards(7, e);
            assertGe(books.rewards(7, 7), books.rewards(7, e), "the first gets the remainder");
        }
        assertEq(sum, amount);
    }

    function test_reserve_revertsInTheFirstFullEpoch() public {
        books.reserve(10, 20, 60, 100);
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.CapacityExceeded.selector, 10, 101, 100));
        this.reserve(5, 12, 41, 100);
        assertEq(books.used(5), 0, "nothing is reserved");
        this.reserve(5, 12, 40, 100);
        assertEq(books.used(11), 100);
        assertEq(books.used(12), 60);
    }

    /// A full lane never spills into its neighbour.
    function test_reserve_keepsLanesApart() public {
        this.reserve(0, 4, type(uint64).max, type(uint64).max);
        vm.expectRevert(
            abi.encodeWithSelector(
                IWalrusSystem.CapacityExceeded.selector, 0, uint256(type(uint64).max) + 1, type(uint64).max
            )
        );
        this.reserve(0, 1, 1, type(uint64).max);
        books.close(0);
        assertEq(books.used(0), 0);
        assertEq(books.used(1), type(uint64).max);
    }

    function reserve(uint32 start, uint32 end, uint256 size, uint256 total) external {
        books.reserve(start, end, size, total);
    }
}
