// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IBlobNFT } from "src/interfaces/IBlobNFT.sol";
import { BlobRecord } from "src/types/Blob.sol";
import { Base } from "./Base.t.sol";

contract BlobNFTTest is Base {
    function setUp() public {
        _launch(10, 10);
        _fund(ALICE);
    }

    function test_writes_onlyBySystem() public {
        BlobRecord memory r;
        bytes memory expected = abi.encodeWithSelector(IBlobNFT.NotSystem.selector, address(this));
        vm.expectRevert(expected);
        blobs.mint(ALICE, r);
        vm.expectRevert(expected);
        blobs.setCertified(1, 1, 1);
        vm.expectRevert(expected);
        blobs.setEnd(1, 1);
        vm.expectRevert(expected);
        blobs.retire(1, 1);
        vm.expectRevert(expected);
        blobs.setAttribute(1, "k", "v");
        vm.expectRevert(expected);
        blobs.removeAttribute(1, "k");
    }

    /// Approved accounts may act for the owner; a transfer ends their right.
    function test_approval_endsWithTransfer() public {
        uint256 tokenId = _registerBlob(ALICE, keccak256("a"), true, 5);
        vm.startPrank(ALICE);
        blobs.approve(BOB, tokenId);
        assertTrue(blobs.isApprovedOrOwner(BOB, tokenId));
        blobs.transferFrom(ALICE, CAROL, tokenId);
        assertFalse(blobs.isApprovedOrOwner(BOB, tokenId));
        assertFalse(blobs.isApprovedOrOwner(ALICE, tokenId));
        assertTrue(blobs.isApprovedOrOwner(CAROL, tokenId));
        assertFalse(blobs.isApprovedOrOwner(ALICE, tokenId + 1), "no such token");
    }

    /// Attributes belong to a token that somebody owns: those of a burned one would speak for nobody.
    function test_attributes_goWithTheToken() public {
        uint256 tokenId = _registerBlob(ALICE, keccak256("a"), false, 5);
        vm.startPrank(ALICE);
        system.setAttribute(tokenId, "content-type", "image/png");
        assertEq(blobs.attribute(tokenId, "content-type"), "image/png");
        system.burn(tokenId);
        vm.stopPrank();
        assertEq(blobs.attribute(tokenId, "content-type"), "");
        (string[] memory keys, string[] memory values) = blobs.attributes(tokenId);
        assertEq(keys.length + values.length, 0);
        assertEq(string.concat(blobs.name(), " ", blobs.symbol()), "Walrus Blob WBLOB");
    }

    function test_tokenURI_showsTheRecord() public {
        uint256 tokenId = _registerBlob(ALICE, keccak256("a"), true, 5);
        string memory uri = blobs.tokenURI(tokenId);
        assertTrue(vm.contains(uri, vm.toString(blobs.record(tokenId).blobId)));
        assertTrue(vm.contains(uri, "\"endEpoch\":6,\"deletable\":true"));
        vm.expectRevert(abi.encodeWithSelector(IBlobNFT.UnknownBlob.selector, tokenId + 1));
        blobs.tokenURI(tokenId + 1);
    }
}
