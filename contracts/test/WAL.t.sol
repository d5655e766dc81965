// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { WAL } from "src/WAL.sol";

contract WALTest is Test {
    WAL private wal;

    function setUp() public {
        wal = new WAL(address(this));
    }

    function test_supply_isMintedOnce() public view {
        assertEq(wal.totalSupply(), 5e18);
        assertEq(wal.balanceOf(address(this)), 5e18);
        assertEq(wal.decimals(), 9);
        assertEq(wal.symbol(), "WAL");
        assertEq(wal.CLOCK_MODE(), "mode=timestamp");
        assertEq(wal.clock(), block.timestamp);
    }

    function testFuzz_burn_lowersTheSupply(uint256 amount) public {
        amount = bound(amount, 0, 5e18);
        wal.burn(amount);
        assertEq(wal.totalSupply(), 5e18 - amount);
    }

    function testFuzz_votes_followDelegation(uint256 amount) public {
        amount = bound(amount, 0, 5e18);
        address voter = makeAddr("voter");
        wal.delegate(voter);
        assertEq(wal.getVotes(voter), 5e18);
        wal.transfer(makeAddr("other"), amount);
        assertEq(wal.getVotes(voter), 5e18 - amount);
    }
}
