// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { LastingArt } from "src/examples/LastingArt.sol";
import { IWalrusSystem } from "src/interfaces/IWalrusSystem.sol";
import { Intent } from "src/libraries/Intent.sol";
import { Base } from "../Base.t.sol";

contract LastingArtTest is Base {
    bytes32 private constant ROOT = keccak256("art");
    LastingArt private art;

    function setUp() public {
        _launch(10, 10);
        _fund(ALICE);
        _fund(BOB);
        art = new LastingArt(system);
    }

    /// Minting needs a promise that reaches the date, and the promise is kept by the clock.
    function test_mint_needsTheArtworkUntilTheDate() public {
        uint256 token = _registerBlob(ALICE, ROOT, false, 5);
        bytes32 blobId = blobs.record(token).blobId;
        uint64 start = epochManager.clock().startedAt;
        uint64 promised = start + 5 * D;
        vm.expectRevert(abi.encodeWithSelector(LastingArt.NotStoredUntil.selector, blobId, promised, 0));
        art.mint(ALICE, blobId, promised);
        system.certify(token, _certificate(_confirmation(token), 0x3ff));
        vm.expectRevert(abi.encodeWithSelector(LastingArt.NotStoredUntil.selector, blobId, promised + 1, promised));
        art.mint(ALICE, blobId, promised + 1);
        vm.expectEmit(address(art));
        emit LastingArt.PieceMinted(1, blobId, promised);
        uint256 id = art.mint(ALICE, blobId, promised);
        assertEq(art.ownerOf(id), ALICE);
        assertTrue(vm.contains(art.tokenURI(id), "walrus://"));
        // However fast the cranks are turned, the artwork outlives the date.
        for (uint256 i = 0; i < 4; ++i) {
            _nextEpoch(_equalSeats(10, 10));
            assertGe(system.storedUntil(blobId), promised, "the promise never shrinks");
        }
        (, bool available) = art.pieceOf(id);
        assertTrue(available);
        _nextEpoch(_equalSeats(10, 10));
        assertGe(block.timestamp, promised);
        (, available) = art.pieceOf(id);
        assertFalse(available);
    }

    function test_prolong_isPaidByAnyoneAndReturnsTheRest() public {
        uint256 token = _certifiedBlob(ALICE, ROOT, false, 5);
        bytes32 blobId = blobs.record(token).blobId;
        uint256 id = art.mint(ALICE, blobId, uint64(block.timestamp));
        (, uint256 cost,) = system.quote(1 << 20, 3);
        vm.startPrank(BOB);
        wal.approve(address(art), type(uint256).max);
        uint256 before = wal.balanceOf(BOB);
        uint64 until = epochManager.clock().startedAt + 8 * D;
        vm.expectEmit(address(art));
        emit LastingArt.PieceProlonged(id, until);
        art.prolong(id, token, 3, cost + 5);
        assertEq(before - wal.balanceOf(BOB), cost);
        (LastingArt.Piece memory piece,) = art.pieceOf(id);
        assertEq(piece.until, until);
    }

    function test_prolong_revertsWhenNothingIsGained() public {
        uint256 token = _certifiedBlob(ALICE, ROOT, false, 5);
        uint256 deletable = _certifiedBlob(ALICE, ROOT, true, 5);
        uint256 other = _certifiedBlob(ALICE, keccak256("other"), false, 5);
        bytes32 blobId = blobs.record(token).blobId;
        uint256 id = art.mint(ALICE, blobId, uint64(block.timestamp));
        vm.startPrank(BOB);
        wal.approve(address(art), type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(LastingArt.NotProlonged.selector, deletable));
        art.prolong(id, deletable, 3, 1e9);
        vm.expectRevert(abi.encodeWithSelector(LastingArt.OtherBlob.selector, other, blobId));
        art.prolong(id, other, 3, 1e9);
    }

    /// An artist cannot mint over a blob he can delete, nor over one found invalid.
    function test_mint_refusesDeletableAndInvalidArtwork() public {
        uint256 deletable = _certifiedBlob(ALICE, ROOT, true, 5);
        bytes32 blobId = blobs.record(deletable).blobId;
        uint64 now_ = uint64(block.timestamp);
        vm.expectRevert(abi.encodeWithSelector(LastingArt.NotStoredUntil.selector, blobId, now_, 0));
        art.mint(ALICE, blobId, now_);
        _certifiedBlob(ALICE, ROOT, false, 5);
        art.mint(ALICE, blobId, now_);
        system.invalidateBlobId(blobId, _certificate(Intent.invalidBlobId(1, committees.domain(), blobId), 0xf));
        vm.expectRevert(abi.encodeWithSelector(LastingArt.NotStoredUntil.selector, blobId, now_, 0));
        art.mint(ALICE, blobId, now_);
        assertEq(IWalrusSystem(address(system)).storedUntil(blobId), 0);
        vm.expectRevert(bytes4(keccak256("TokenDoesNotExist()")));
        art.tokenURI(99);
        assertEq(string.concat(art.name(), art.symbol()), "Lasting ArtLAST");
    }
}
