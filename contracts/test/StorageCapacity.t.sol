// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IStorageCapacity } from "src/interfaces/IStorageCapacity.sol";
import { Base } from "./Base.t.sol";

contract StorageCapacityTest is Base {
    uint64 private constant SIZE = 10 << 20;
    uint256 private id;

    function setUp() public {
        _launch(10, 10);
        _fund(ALICE);
        vm.prank(ALICE);
        (id,) = system.buy(SIZE, 1, 10, type(uint256).max, ALICE);
    }

    /// Splitting and fusing again gives back what was there: no byte-epoch is made or lost.
    function testFuzz_splitAndFuse_conserve(uint32 mid, uint256 amount) public {
        mid = uint32(bound(mid, 2, 9));
        amount = bound(amount, 0, SIZE);
        vm.startPrank(ALICE);
        (uint256 left, uint256 right) = capacity.splitByEpoch(id, mid, amount);
        assertEq(left, uint256(1) << 32 | mid);
        assertEq(right, uint256(mid) << 32 | 10);
        assertEq(capacity.balanceOf(ALICE, id), SIZE - amount);
        assertEq(capacity.balanceOf(ALICE, left), amount);
        assertEq(capacity.balanceOf(ALICE, right), amount);
        assertEq(capacity.fuseByEpoch(left, right, amount), id);
        assertEq(capacity.balanceOf(ALICE, id), SIZE);
        assertEq(capacity.balanceOf(ALICE, left), 0);
        assertEq(capacity.balanceOf(ALICE, right), 0);
    }

    function test_split_reverts() public {
        vm.startPrank(ALICE);
        vm.expectRevert(abi.encodeWithSelector(IStorageCapacity.MidOutsideRange.selector, id, 1));
        capacity.splitByEpoch(id, 1, 1);
        vm.expectRevert(abi.encodeWithSelector(IStorageCapacity.MidOutsideRange.selector, id, 10));
        capacity.splitByEpoch(id, 10, 1);
        vm.expectRevert(bytes4(keccak256("InsufficientBalance()")));
        capacity.splitByEpoch(id, 5, SIZE + 1);
    }

    function test_fuse_revertsOnGap() public {
        vm.startPrank(ALICE);
        (uint256 left,) = capacity.splitByEpoch(id, 4, SIZE);
        uint256 far = capacity.classOf(5, 10);
        vm.expectRevert(abi.encodeWithSelector(IStorageCapacity.NotAdjacent.selector, left, far));
        capacity.fuseByEpoch(left, far, 1);
    }

    function test_normalise_cutsThePast() public {
        vm.startPrank(ALICE);
        vm.expectRevert(abi.encodeWithSelector(IStorageCapacity.NothingToNormalise.selector, id, 1));
        capacity.normalise(id, 1);
        vm.stopPrank();
        _nextEpoch(_equalSeats(10, 10));
        vm.prank(ALICE);
        uint256 cut = capacity.normalise(id, SIZE);
        assertEq(cut, uint256(2) << 32 | 10);
        assertEq(capacity.balanceOf(ALICE, cut), SIZE);
    }

    /// What a wallet shows of a class must be its range.
    function test_uri_showsTheRange() public {
        assertTrue(vm.contains(capacity.uri(uint256(3) << 32 | 17), "epochs 3 to 17"));
    }

    function test_destroy_leavesUsedCapacity() public {
        vm.prank(ALICE);
        capacity.destroy(id, SIZE);
        assertEq(capacity.balanceOf(ALICE, id), 0);
        assertEq(system.usedCapacity(1), SIZE);
    }

    function test_mintAndBurn_onlyBySystem() public {
        bytes memory expected = abi.encodeWithSelector(IStorageCapacity.NotSystem.selector, address(this));
        vm.expectRevert(expected);
        capacity.mint(ALICE, id, 1);
        vm.expectRevert(expected);
        capacity.burn(ALICE, id, 1);
    }
}
