// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { DataMarket } from "src/examples/DataMarket.sol";
import { BlobId } from "src/libraries/BlobId.sol";
import { Base } from "../Base.t.sol";

contract DataMarketTest is Base {
    bytes32 private constant ROOT = keccak256("data");
    uint256 private constant PRICE = 50e9;

    DataMarket private market;
    bytes32 private blobId;
    uint64 private deadline;
    uint256 private offerId;

    function setUp() public {
        _launch(10, 10);
        _fund(ALICE);
        _fund(BOB);
        market = new DataMarket(system);
        blobId = BlobId.derive(ROOT, 1, 1 << 20);
        deadline = uint64(block.timestamp) + 3600;
        vm.startPrank(BOB);
        wal.approve(address(market), type(uint256).max);
        vm.expectEmit(address(market));
        emit DataMarket.OfferMade(1, BOB, blobId, PRICE, deadline);
        offerId = market.makeOffer(blobId, PRICE, 6, deadline);
        vm.stopPrank();
        vm.prank(ALICE);
        blobs.setApprovalForAll(address(market), true);
    }

    /// Money against a certified token of exactly the wanted data, in one step.
    function test_fill_swapsMoneyForTheCertifiedToken() public {
        uint256 token = _registerBlob(ALICE, ROOT, false, 5);
        vm.expectRevert(abi.encodeWithSelector(DataMarket.NotTheData.selector, token));
        vm.prank(ALICE);
        market.fill(offerId, token);
        system.certify(token, _certificate(_confirmation(token), 0x3ff));
        uint256 before = wal.balanceOf(ALICE);
        vm.expectEmit(address(market));
        emit DataMarket.OfferFilled(offerId, ALICE, token);
        vm.startPrank(ALICE);
        market.fill(offerId, token);
        assertEq(blobs.ownerOf(token), BOB);
        assertEq(wal.balanceOf(ALICE) - before, PRICE);
        assertEq(wal.balanceOf(address(market)), 0);
        vm.expectRevert(abi.encodeWithSelector(DataMarket.NoSuchOffer.selector, offerId));
        market.fill(offerId, token);
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(DataMarket.NoSuchOffer.selector, offerId));
        vm.prank(BOB);
        market.cancel(offerId);
    }

    function test_fill_refusesOtherShorterOrDeadData() public {
        uint256 other = _certifiedBlob(ALICE, keccak256("other"), false, 5);
        uint256 short = _certifiedBlob(ALICE, ROOT, false, 4);
        uint256 deleted = _certifiedBlob(ALICE, ROOT, true, 5);
        vm.startPrank(ALICE);
        system.deleteBlob(deleted, ALICE);
        uint256[3] memory bad = [other, short, deleted];
        for (uint256 i = 0; i < bad.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(DataMarket.NotTheData.selector, bad[i]));
            market.fill(offerId, bad[i]);
        }
    }

    /// A deletable token sells too: after the sale only the buyer can delete it.
    function test_fill_takesADeletableToken() public {
        uint256 token = _certifiedBlob(ALICE, ROOT, true, 5);
        vm.startPrank(ALICE);
        market.fill(offerId, token);
        vm.expectRevert();
        system.deleteBlob(token, ALICE);
        vm.stopPrank();
        vm.prank(BOB);
        system.deleteBlob(token, BOB);
    }

    /// Nobody sells somebody else's token, though the market is approved for it.
    function test_attack_sellingTheTokenOfAnother() public {
        uint256 token = _certifiedBlob(ALICE, ROOT, false, 5);
        vm.expectRevert(bytes4(keccak256("TransferFromIncorrectOwner()")));
        vm.prank(CAROL);
        market.fill(offerId, token);
    }

    function test_cancel_onlyByTheBuyerAfterTheDeadline() public {
        uint256 token = _certifiedBlob(ALICE, ROOT, false, 5);
        vm.expectRevert(abi.encodeWithSelector(DataMarket.WrongTime.selector, uint64(block.timestamp), deadline));
        vm.prank(BOB);
        market.cancel(offerId);
        vm.warp(deadline);
        vm.expectRevert(abi.encodeWithSelector(DataMarket.WrongTime.selector, deadline, deadline));
        vm.prank(ALICE);
        market.fill(offerId, token);
        vm.expectRevert(abi.encodeWithSelector(DataMarket.NotBuyer.selector, ALICE));
        vm.prank(ALICE);
        market.cancel(offerId);
        uint256 before = wal.balanceOf(BOB);
        vm.expectEmit(address(market));
        emit DataMarket.OfferCancelled(offerId);
        vm.prank(BOB);
        market.cancel(offerId);
        assertEq(wal.balanceOf(BOB) - before, PRICE);
        assertEq(market.offer(offerId).price, 0);
    }

    function test_makeOffer_reverts() public {
        vm.startPrank(BOB);
        vm.expectRevert(abi.encodeWithSelector(DataMarket.BadOffer.selector, 0, deadline));
        market.makeOffer(blobId, 0, 6, deadline);
        uint64 now_ = uint64(block.timestamp);
        vm.expectRevert(abi.encodeWithSelector(DataMarket.BadOffer.selector, 1, now_));
        market.makeOffer(blobId, 1, 6, now_);
    }
}
