// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ERC20Permit } from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
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

    /// A permit is good once, for who signed it, and until its deadline.
    function test_permit_isGoodOnce() public {
        (address owner, uint256 key) = makeAddrAndKey("owner");
        bytes32 typeHash =
            keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        uint256 deadline = block.timestamp + 60;
        bytes32 permit = keccak256(abi.encode(typeHash, owner, address(this), 5, wal.nonces(owner), deadline));
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(key, keccak256(abi.encodePacked(hex"1901", wal.DOMAIN_SEPARATOR(), permit)));
        vm.warp(deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ERC20Permit.ERC2612ExpiredSignature.selector, deadline));
        wal.permit(owner, address(this), 5, deadline, v, r, s);
        vm.warp(deadline);
        wal.permit(owner, address(this), 5, deadline, v, r, s);
        assertEq(wal.allowance(owner, address(this)), 5);
        assertEq(wal.nonces(owner), 1);
        vm.expectPartialRevert(ERC20Permit.ERC2612InvalidSigner.selector);
        wal.permit(owner, address(this), 5, deadline, v, r, s);
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
