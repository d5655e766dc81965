// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IBlobNFT } from "src/interfaces/IBlobNFT.sol";
import { IBlobReferences } from "src/interfaces/IBlobReferences.sol";
import { ReferenceFlags, ReferenceRecord, Target } from "src/types/Reference.sol";
import { Base } from "./Base.t.sol";
import { ReentrantReceiver } from "./utils/Receivers.sol";

contract BlobReferencesTest is Base {
    bytes32 private constant FIRST = keccak256("first");
    bytes32 private constant SECOND = keccak256("second");

    function setUp() public {
        _launch(10, 10);
        _fund(ALICE);
    }

    function test_mint_startsAtVersionOne() public {
        vm.expectEmit(address(references));
        emit IBlobReferences.ReferenceCreated(1, BOB);
        vm.expectEmit(address(references));
        emit IBlobReferences.ReferenceUpdated(1, 1, 0, FIRST, 0, 7, ALICE);
        vm.prank(ALICE);
        uint256 id = references.mint(BOB, Target(FIRST, 0, 7));
        assertEq(id, 1);
        assertEq(references.ownerOf(1), BOB);
        ReferenceRecord memory r = references.record(1);
        assertEq(r.blobId, FIRST);
        assertEq(r.version, 1);
        assertEq(r.patch, 7);
        assertEq(r.updatedAt, block.timestamp);
        assertEq(references.count(), 1);
    }

    function test_update_raisesTheVersionAndTellsBoth() public {
        uint256 id = _mint();
        vm.expectEmit(address(references));
        emit IBlobReferences.ReferenceUpdated(id, 2, FIRST, SECOND, 0, 0, ALICE);
        vm.expectEmit(address(references));
        emit IBlobReferences.MetadataUpdate(id);
        vm.prank(ALICE);
        references.update(id, Target(SECOND, 0, 0), 1);
        (bytes32 blobId,, uint32 version,,) = references.resolve(id);
        assertEq(blobId, SECOND);
        assertEq(version, 2);
    }

    /// Two writers that saw the same version: the second is told, and overwrites nothing.
    function test_update_revertsOnOldVersion() public {
        uint256 id = _mint();
        vm.startPrank(ALICE);
        references.update(id, Target(SECOND, 0, 0), 1);
        vm.expectRevert(abi.encodeWithSelector(IBlobReferences.WrongVersion.selector, id, 1, 2));
        references.update(id, Target(FIRST, 0, 0), 1);
        vm.expectRevert(abi.encodeWithSelector(IBlobReferences.WrongVersion.selector, id, 3, 2));
        references.update(id, Target(FIRST, 0, 0), 3);
    }

    /// Updaters update and do nothing else; token approvals alone do not allow updates.
    function test_update_onlyByOwnerAndUpdaters() public {
        uint256 id = _mint();
        vm.prank(ALICE);
        references.approve(CAROL, id);
        vm.expectRevert(abi.encodeWithSelector(IBlobReferences.NotUpdater.selector, id, CAROL));
        vm.prank(CAROL);
        references.update(id, Target(SECOND, 0, 0), 1);

        vm.expectRevert(abi.encodeWithSelector(IBlobReferences.NotReferenceOwner.selector, id, BOB));
        vm.prank(BOB);
        references.setUpdater(id, BOB, true);
        vm.expectEmit(address(references));
        emit IBlobReferences.UpdaterSet(id, BOB, true);
        vm.prank(ALICE);
        references.setUpdater(id, BOB, true);
        vm.startPrank(BOB);
        references.update(id, Target(SECOND, 0, 0), 1);
        vm.expectRevert(abi.encodeWithSelector(IBlobReferences.NotReferenceOwner.selector, id, BOB));
        references.freeze(id, 2);
        vm.expectRevert(bytes4(keccak256("NotOwnerNorApproved()")));
        references.transferFrom(ALICE, BOB, id);
        vm.stopPrank();
        vm.prank(ALICE);
        references.setUpdater(id, BOB, false);
        assertFalse(references.mayUpdate(id, BOB));
    }

    /// A sale clears all updaters, also when the token comes back, and also when it is sent to its owner.
    function test_transfer_clearsUpdaters() public {
        uint256 id = _mint();
        vm.startPrank(ALICE);
        references.setUpdater(id, BOB, true);
        references.transferFrom(ALICE, CAROL, id);
        vm.stopPrank();
        assertFalse(references.mayUpdate(id, BOB));
        assertFalse(references.mayUpdate(id, ALICE));
        vm.prank(CAROL);
        references.safeTransferFrom(CAROL, ALICE, id);
        assertFalse(references.mayUpdate(id, BOB));
        vm.startPrank(ALICE);
        references.setUpdater(id, BOB, true);
        references.transferFrom(ALICE, ALICE, id);
        assertFalse(references.mayUpdate(id, BOB));
    }

    function test_freeze_isFinalOverTransfers() public {
        uint256 id = _mint();
        vm.startPrank(ALICE);
        references.setUpdater(id, BOB, true);
        vm.expectRevert(abi.encodeWithSelector(IBlobReferences.WrongVersion.selector, id, 2, 1));
        references.freeze(id, 2);
        vm.expectEmit(address(references));
        emit IBlobReferences.ReferenceFrozen(id);
        references.freeze(id, 1);
        vm.expectRevert(abi.encodeWithSelector(IBlobReferences.IsFrozen.selector, id));
        references.freeze(id, 1);
        references.transferFrom(ALICE, CAROL, id);
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(IBlobReferences.IsFrozen.selector, id));
        vm.prank(CAROL);
        references.update(id, Target(SECOND, 0, 0), 1);
        assertEq(references.record(id).flags, ReferenceFlags.FROZEN);
        assertTrue(vm.contains(references.tokenURI(id), "\"frozen\":true"));
    }

    /// Availability follows the blob: not yet certified, certified, expired; by id and by token.
    function test_resolve_reportsAvailability() public {
        uint256 tokenId = _registerBlob(ALICE, FIRST, false, 2);
        bytes32 blobId = blobs.record(tokenId).blobId;
        uint256 byId = references.mint(ALICE, Target(blobId, 0, 0));
        uint256 byToken = references.mint(ALICE, Target(blobId, uint64(tokenId), 0));
        _assertResolves(byId, 0, false);
        _assertResolves(byToken, 3, false);
        system.certify(tokenId, _certificate(_confirmation(tokenId), 0x3ff));
        _assertResolves(byId, 3, true);
        _assertResolves(byToken, 3, true);
        vm.prank(ALICE);
        system.extend(tokenId, 1, type(uint256).max);
        _assertResolves(byToken, 4, true);
        for (uint256 i = 0; i < 3; ++i) {
            _nextEpoch(_equalSeats(10, 10));
        }
        _assertResolves(byId, 4, false);
        _assertResolves(byToken, 4, false);
    }

    /// A deletable target promises nothing by its id, but its token tells.
    function test_resolve_followsADeletableToken() public {
        uint256 tokenId = _certifiedBlob(ALICE, FIRST, true, 5);
        bytes32 blobId = blobs.record(tokenId).blobId;
        uint256 byId = references.mint(ALICE, Target(blobId, 0, 0));
        uint256 byToken = references.mint(ALICE, Target(blobId, uint64(tokenId), 0));
        _assertResolves(byId, 0, false);
        _assertResolves(byToken, 6, true);
        vm.prank(ALICE);
        system.deleteBlob(tokenId, ALICE);
        _assertResolves(byToken, 6, false);
    }

    function test_mint_revertsOnTokenOfOtherBlob() public {
        uint256 tokenId = _registerBlob(ALICE, FIRST, false, 2);
        vm.expectRevert(abi.encodeWithSelector(IBlobReferences.TokenOfOtherBlob.selector, tokenId, SECOND));
        references.mint(ALICE, Target(SECOND, uint64(tokenId), 0));
        vm.expectRevert(abi.encodeWithSelector(IBlobNFT.UnknownBlob.selector, 99));
        references.mint(ALICE, Target(SECOND, 99, 0));
    }

    function test_unknownReference_reverts() public {
        bytes memory expected = abi.encodeWithSelector(IBlobReferences.UnknownReference.selector, 5);
        vm.expectRevert(expected);
        references.resolve(5);
        vm.expectRevert(expected);
        references.record(5);
        vm.expectRevert(expected);
        references.update(5, Target(FIRST, 0, 0), 0);
        vm.expectRevert(expected);
        references.ownerOf(5);
        vm.expectRevert(expected);
        references.freeze(5, 0);
    }

    function test_supportsInterface_andNames() public view {
        assertTrue(references.supportsInterface(0x49064906));
        assertTrue(references.supportsInterface(0x80ac58cd));
        assertFalse(references.supportsInterface(0xffffffff));
        assertEq(references.name(), "Walrus Reference");
        assertEq(references.symbol(), "WREF");
    }

    // ----- Attacks

    /// The seller points the reference elsewhere just before the sale: a sale that names the version falls through, a plain
    /// transfer would not.
    function test_attack_referenceSaleRace() public {
        uint256 id = _mint();
        address market = makeAddr("market");
        vm.startPrank(ALICE);
        references.approve(market, id);
        references.update(id, Target(keccak256("junk"), 0, 0), 1);
        vm.stopPrank();
        vm.startPrank(market);
        vm.expectRevert(abi.encodeWithSelector(IBlobReferences.WrongVersion.selector, id, 1, 2));
        references.transferAtVersion(ALICE, BOB, id, 1);
        references.transferAtVersion(ALICE, BOB, id, 2);
        assertEq(references.ownerOf(id), BOB);
        vm.stopPrank();
        vm.expectRevert(bytes4(keccak256("NotOwnerNorApproved()")));
        vm.prank(CAROL);
        references.transferAtVersion(BOB, CAROL, id, 2);
    }

    /// A session key frozen out by the sale cannot use the callback of the buyer to get a last update in.
    function test_attack_updateFromInsideTheTransfer() public {
        uint256 id = _mint();
        ReentrantReceiver receiver = new ReentrantReceiver();
        vm.startPrank(ALICE);
        references.setUpdater(id, address(receiver), true);
        receiver.arm(address(references), abi.encodeCall(references.freeze, (id, 9)));
        references.safeTransferFrom(ALICE, address(receiver), id);
        assertEq(receiver.calls(), 1);
        assertFalse(receiver.succeeded(), "the wrong version is refused to the new owner too");
        assertFalse(references.mayUpdate(id, ALICE));
    }

    function _mint() private returns (uint256) {
        return references.mint(ALICE, Target(FIRST, 0, 0));
    }

    function _assertResolves(uint256 id, uint32 end, bool available) private view {
        (,,, uint32 gotEnd, bool gotAvailable) = references.resolve(id);
        assertEq(gotEnd, end, "end");
        assertEq(gotAvailable, available, "available");
        assertEq(lens.referenceView(id).available, available);
        assertEq(lens.referenceView(id).endEpoch, end);
    }
}
