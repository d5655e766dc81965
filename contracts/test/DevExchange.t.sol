// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { DevExchange } from "src/DevExchange.sol";
import { WAL } from "src/WAL.sol";
import { IDevExchange } from "src/interfaces/IDevExchange.sol";

contract DevExchangeTest is Test {
    uint256 private constant RATE = 1e9;
    address private immutable ALICE = makeAddr("alice");

    WAL private wal;
    DevExchange private exchange;

    function setUp() public {
        wal = new WAL(address(this));
        exchange = new DevExchange(address(wal), RATE);
        wal.transfer(address(exchange), 1_000_000e9);
    }

    /// One unit of the gas token is one WAL, there and back; rounding stays with the exchange.
    function testFuzz_buyAndSell_neverPayMoreThanCameIn(uint256 paid) public {
        paid = bound(paid, RATE, 1_000_000e18);
        vm.deal(ALICE, paid);
        vm.startPrank(ALICE);
        uint256 amount = exchange.buy{ value: paid }(ALICE);
        assertEq(amount, paid / RATE);
        assertEq(wal.balanceOf(ALICE), amount);
        wal.approve(address(exchange), amount);
        assertEq(exchange.sell(amount, payable(ALICE)), amount * RATE);
        assertLe(ALICE.balance, paid);
        assertGt(ALICE.balance + RATE, paid);
    }

    function test_exchange_reverts() public {
        vm.deal(address(this), 2_000_000e18);
        vm.expectRevert(abi.encodeWithSelector(IDevExchange.NothingToExchange.selector, RATE - 1));
        exchange.buy{ value: RATE - 1 }(ALICE);
        vm.expectRevert(abi.encodeWithSelector(IDevExchange.NothingToExchange.selector, 0));
        exchange.sell(0, payable(ALICE));
        wal.approve(address(exchange), 5);
        vm.expectRevert(abi.encodeWithSelector(IDevExchange.PaymentRefused.selector, ALICE, 5 * RATE));
        exchange.sell(5, payable(ALICE));
        vm.expectRevert();
        exchange.buy{ value: 1_000_001e18 }(ALICE);
        vm.expectRevert(IDevExchange.NoRate.selector);
        new DevExchange(address(wal), 0);
    }

    /// A seller whose fallback sells again gets nothing twice.
    function test_attack_reentrancyThroughTheGasToken() public {
        vm.deal(ALICE, 10e18);
        vm.prank(ALICE);
        exchange.buy{ value: 10e18 }(ALICE);
        Seller seller = new Seller(exchange, wal);
        wal.transfer(address(seller), 2e9);
        vm.expectRevert(abi.encodeWithSelector(IDevExchange.PaymentRefused.selector, address(seller), 1e18));
        seller.run();
        assertEq(address(seller).balance, 0);
    }
}

contract Seller {
    DevExchange private immutable EXCHANGE;

    constructor(DevExchange exchange, WAL wal) {
        EXCHANGE = exchange;
        wal.approve(address(exchange), type(uint256).max);
    }

    function run() external {
        EXCHANGE.sell(1e9, payable(address(this)));
    }

    receive() external payable {
        EXCHANGE.sell(1e9, payable(address(this)));
    }
}
