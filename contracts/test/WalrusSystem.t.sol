// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IWalrusSystem } from "src/interfaces/IWalrusSystem.sol";
import { ICommittees } from "src/interfaces/ICommittees.sol";
import { IBlobNFT } from "src/interfaces/IBlobNFT.sol";
import { IWired } from "src/interfaces/IWired.sol";
import { BlobId } from "src/libraries/BlobId.sol";
import { Intent } from "src/libraries/Intent.sol";
import { RedStuffMath } from "src/libraries/RedStuffMath.sol";
import { BlobFlags, BlobRecord, RegisterArgs } from "src/types/Blob.sol";
import { Cert } from "src/types/Cert.sol";
import { Base } from "./Base.t.sol";

contract WalrusSystemTest is Base {
    bytes32 private constant ROOT = keccak256("root");
    uint64 private constant MIB = 1 << 20;
    uint256 private constant NO_LIMIT = type(uint256).max;
    // Encoded size of a 1 MiB blob on 10 shards: 10 * (11 * 37450 + 672), 4 units.
    uint64 private constant ENCODED = 4_126_220;

    function setUp() public {
        _launch(10, 10);
        _fund(ALICE);
        _fund(BOB);
    }

    // ----- Buying

    function testFuzz_buy_chargesStartedMiBs(uint64 size, uint32 start, uint32 epochs) public {
        size = uint64(bound(size, MIB, 1e11));
        start = uint32(bound(start, 1, 53));
        epochs = uint32(bound(epochs, 1, 54 - start));
        uint256 cost = (uint256(size) + MIB - 1) / MIB * STORAGE_PRICE * epochs;
        uint256 before = wal.balanceOf(ALICE);
        vm.expectEmit(address(system));
        emit IWalrusSystem.CapacityBought(uint256(start) << 32 | (start + epochs), BOB, size, cost);
        vm.prank(ALICE);
        (uint256 id, uint256 paid) = system.buy(size, start, start + epochs, cost, BOB);
        assertEq(paid, cost);
        assertEq(before - wal.balanceOf(ALICE), cost);
        assertEq(capacity.balanceOf(BOB, id), size);
        for (uint32 e = 1; e <= 53; ++e) {
            bool inside = e >= start && e < start + epochs;
            assertEq(system.usedCapacity(e), inside ? size : 0);
            assertEq(system.rewardsOf(e), inside ? cost / epochs : 0);
        }
    }

    function test_buy_raisesPastStart() public {
        _nextEpoch(_equalSeats(10, 10));
        vm.prank(ALICE);
        (uint256 id,) = system.buy(MIB, 0, 4, NO_LIMIT, ALICE);
        assertEq(id, uint256(2) << 32 | 4);
    }

    function test_buy_reverts() public {
        vm.startPrank(ALICE);
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.SizeBelowMinimum.selector, MIB - 1, MIB));
        system.buy(MIB - 1, 1, 2, NO_LIMIT, ALICE);
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.EmptyRange.selector, 1, 1));
        system.buy(MIB, 0, 1, NO_LIMIT, ALICE);
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.TooFarAhead.selector, 55, 54));
        system.buy(MIB, 1, 55, NO_LIMIT, ALICE);
        vm.expectRevert(
            abi.encodeWithSelector(IWalrusSystem.PaymentAboveMax.selector, STORAGE_PRICE, STORAGE_PRICE - 1)
        );
        system.buy(MIB, 1, 2, STORAGE_PRICE - 1, ALICE);
        (uint64 total,) = system.capacity();
        vm.expectRevert(
            abi.encodeWithSelector(IWalrusSystem.CapacityExceeded.selector, 1, uint256(total) + 1, uint256(total))
        );
        system.buy(total + 1, 1, 2, NO_LIMIT, ALICE);
    }

    function test_buy_revertsBeforeTheFirstPrices() public {
        _deploy(_parameters(10));
        wal.approve(address(system), NO_LIMIT);
        uint256 cost = type(uint64).max;
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.PaymentAboveMax.selector, cost, 5e18));
        system.buy(MIB, 0, 1, 5e18, ALICE);
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.CapacityExceeded.selector, 0, MIB, 0));
        system.buy(MIB, 0, 1, NO_LIMIT, ALICE);
        vm.expectRevert(IWalrusSystem.NotStarted.selector);
        system.updatePrices();
        vm.expectRevert(IWalrusSystem.NotStarted.selector);
        system.addSubsidy(1, 1);
    }

    // ----- Registering

    function test_register_spendsExactlyTheEncodedSize() public {
        vm.startPrank(ALICE);
        (uint256 id,) = system.buy(2 * ENCODED, 1, 9, NO_LIMIT, ALICE);
        RegisterArgs memory a = _args(ROOT, MIB, true, BOB);
        a.capacityId = id;
        a.maxWriteFee = 4 * WRITE_PRICE;
        bytes32 blobId = BlobId.derive(ROOT, 1, MIB);
        uint256 before = wal.balanceOf(ALICE);
        vm.expectEmit(address(system));
        emit IWalrusSystem.BlobRegistered(1, blobId, MIB, 1, 9, true, 1);
        (uint256 tokenId, bytes32 got) = system.register(a);
        assertEq(tokenId, 1);
        assertEq(got, blobId);
        assertEq(before - wal.balanceOf(ALICE), 4 * WRITE_PRICE);
        assertEq(capacity.balanceOf(ALICE, id), ENCODED);
        assertEq(blobs.ownerOf(1), BOB);
        BlobRecord memory r = blobs.record(1);
        assertEq(r.blobId, blobId);
        assertEq(r.registeredEpoch, 1);
        assertEq(r.certifiedEpoch, 0);
        assertEq(r.endEpoch, 9);
        assertEq(r.size, MIB);
        assertEq(r.encodedSize, ENCODED);
        assertEq(r.encodingType, 1);
        assertEq(r.flags, BlobFlags.DELETABLE);
    }

    function test_register_reverts() public {
        vm.startPrank(ALICE);
        (uint256 future,) = system.buy(ENCODED, 2, 9, NO_LIMIT, ALICE);
        RegisterArgs memory a = _args(ROOT, MIB, false, ALICE);
        a.capacityId = future;
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.CapacityNotUsable.selector, future, 1));
        system.register(a);
        a.capacityId = uint256(0) << 32 | 1;
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.CapacityNotUsable.selector, 1, 1));
        system.register(a);
        a.capacityId = uint256(1) << 32 | 5;
        a.encodingType = 0;
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.UnknownEncodingType.selector, 0));
        system.register(a);
        a.encodingType = 1;
        a.maxWriteFee = 4 * WRITE_PRICE - 1;
        vm.expectRevert(
            abi.encodeWithSelector(IWalrusSystem.WriteFeeAboveMax.selector, 4 * WRITE_PRICE, 4 * WRITE_PRICE - 1)
        );
        system.register(a);
        a.maxWriteFee = NO_LIMIT;
        vm.expectRevert(bytes4(keccak256("InsufficientBalance()")));
        system.register(a);
        a.size = type(uint64).max;
        vm.expectRevert(abi.encodeWithSelector(RedStuffMath.BlobTooLarge.selector, a.size));
        system.register(a);
    }

    function testFuzz_buyAndRegister_costsAsQuoted(uint64 size, uint32 epochs, bytes32 root) public {
        size = uint64(bound(size, 0, 1_800_000));
        epochs = uint32(bound(epochs, 1, 53));
        (uint64 encoded, uint256 payment, uint256 fee) = system.quote(size, epochs);
        RegisterArgs memory a = _args(root, size, false, ALICE);
        a.maxWriteFee = fee;
        uint256 before = wal.balanceOf(ALICE);
        vm.prank(ALICE);
        (uint256 tokenId, bytes32 blobId) = system.buyAndRegister(a, epochs, payment);
        assertEq(before - wal.balanceOf(ALICE), payment + fee);
        assertEq(system.usedCapacity(epochs), encoded);
        assertEq(system.usedCapacity(epochs + 1), 0);
        assertEq(blobs.record(tokenId).endEpoch, 1 + epochs);
        assertEq(blobId, BlobId.derive(root, 1, size));
        assertEq(system.rewardsOf(1), payment / epochs + fee);
    }

    function test_buyAndRegister_reverts() public {
        RegisterArgs memory a = _args(ROOT, MIB, false, ALICE);
        vm.startPrank(ALICE);
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.EmptyRange.selector, 1, 1));
        system.buyAndRegister(a, 0, NO_LIMIT);
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.TooFarAhead.selector, 55, 54));
        system.buyAndRegister(a, 54, NO_LIMIT);
        vm.expectRevert(
            abi.encodeWithSelector(IWalrusSystem.PaymentAboveMax.selector, 8 * STORAGE_PRICE, 8 * STORAGE_PRICE - 1)
        );
        system.buyAndRegister(a, 2, 8 * STORAGE_PRICE - 1);
    }

    // ----- Certifying

    function test_certify_recordsAndAnnounces() public {
        uint256 tokenId = _registerBlob(ALICE, ROOT, false, 5);
        bytes32 blobId = blobs.record(tokenId).blobId;
        assertFalse(system.isAvailable(blobId));
        Cert memory c = _certificate(_confirmation(tokenId), 0x7f);
        vm.expectEmit(address(system));
        emit IWalrusSystem.BlobCertified(1, blobId, 6, false, tokenId, false, 0);
        vm.prank(BOB);
        system.certify(tokenId, c);
        assertEq(blobs.record(tokenId).certifiedEpoch, 1);
        assertEq(system.liveUntil(blobId), 6);
        assertTrue(system.isAvailable(blobId));
        assertEq(system.certifiedCount(), 1);
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.AlreadyCertified.selector, tokenId));
        system.certify(tokenId, c);
    }

    /// One permanent certificate serves every permanent token of the id, and never a deletable one.
    function test_certify_permanentServesAllPermanentTokens() public {
        uint256 first = _registerBlob(ALICE, ROOT, false, 9);
        uint256 second = _registerBlob(BOB, ROOT, false, 5);
        uint256 deletable = _registerBlob(BOB, ROOT, true, 5);
        Cert memory c = _certificate(_confirmation(first), 0x3ff);
        system.certify(first, c);
        system.certify(second, c);
        assertEq(blobs.record(second).logIndex, 1);
        assertEq(system.liveUntil(blobs.record(first).blobId), 10, "the longer one counts");
        vm.expectRevert(ICommittees.BadSignature.selector);
        system.certify(deletable, c);
    }

    function test_certify_deletableNamesItsToken() public {
        uint256 first = _registerBlob(ALICE, ROOT, true, 9);
        uint256 second = _registerBlob(ALICE, ROOT, true, 9);
        Cert memory c = _certificate(_confirmation(first), 0x3ff);
        vm.expectRevert(ICommittees.BadSignature.selector);
        system.certify(second, c);
        system.certify(first, c);
        assertEq(system.liveUntil(blobs.record(first).blobId), 0, "a deletable blob promises nothing");
    }

    /// There is no grace for certificates of the epoch before.
    function test_certify_revertsOnStaleCertificate() public {
        uint256 tokenId = _registerBlob(ALICE, ROOT, false, 9);
        Cert memory c = _certificate(_confirmation(tokenId), 0x3ff);
        _nextEpoch(_equalSeats(10, 10));
        vm.expectRevert(ICommittees.BadSignature.selector);
        system.certify(tokenId, c);
    }

    function test_certify_revertsOnExpiredOrRetiredOrUnknown() public {
        uint256 short = _registerBlob(ALICE, ROOT, false, 1);
        uint256 burned = _registerBlob(ALICE, ROOT, false, 9);
        vm.prank(ALICE);
        system.burn(burned);
        _nextEpoch(_equalSeats(10, 10));
        Cert memory c = _certificate(_confirmation(short), 0x3ff);
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.BlobExpired.selector, short, 2, 2));
        system.certify(short, c);
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.BlobRetired.selector, burned));
        system.certify(burned, c);
        vm.expectRevert(abi.encodeWithSelector(IBlobNFT.UnknownBlob.selector, 77));
        system.certify(77, c);
        vm.expectRevert(abi.encodeWithSelector(IBlobNFT.UnknownBlob.selector, 0));
        system.certify(0, c);
    }

    function test_invalidateBlobId_needsOneHonestNode() public {
        uint256 tokenId = _registerBlob(ALICE, ROOT, false, 9);
        uint256 certified = _certifiedBlob(ALICE, ROOT, false, 9);
        bytes32 blobId = blobs.record(tokenId).blobId;
        bytes memory message = Intent.invalidBlobId(1, committees.domain(), blobId);
        Cert memory c = _certificate(message, 0x7);
        vm.expectRevert(abi.encodeWithSelector(ICommittees.NotEnoughWeight.selector, 3, 4));
        system.invalidateBlobId(blobId, c);
        // A confirmation is not an accusation.
        c = _certificate(_confirmation(tokenId), 0x3ff);
        vm.expectRevert(ICommittees.BadSignature.selector);
        system.invalidateBlobId(blobId, c);

        Cert memory accusation = _certificate(message, 0xf);
        vm.expectEmit(address(system));
        emit IWalrusSystem.BlobIdInvalidated(1, blobId);
        system.invalidateBlobId(blobId, accusation);
        assertTrue(system.isInvalid(blobId));
        assertFalse(system.isAvailable(blobId));
        bytes memory expected = abi.encodeWithSelector(IWalrusSystem.BlobIdIsInvalid.selector, blobId);
        vm.expectRevert(expected);
        system.certify(tokenId, c);
        vm.expectRevert(expected);
        system.extend(certified, 1, NO_LIMIT);
        vm.expectRevert(expected);
        system.invalidateBlobId(blobId, accusation);
    }

    // ----- Extending, deleting, burning

    function testFuzz_extend_isPaidByAnyone(uint32 epochs) public {
        epochs = uint32(bound(epochs, 1, 48));
        uint256 tokenId = _certifiedBlob(ALICE, ROOT, false, 5);
        bytes32 blobId = blobs.record(tokenId).blobId;
        uint256 cost = uint256(epochs) * 4 * STORAGE_PRICE;
        uint256 before = wal.balanceOf(BOB);
        vm.expectEmit(address(system));
        emit IWalrusSystem.BlobCertified(1, blobId, 6 + epochs, false, tokenId, true, 0);
        vm.prank(BOB);
        system.extend(tokenId, epochs, cost);
        assertEq(before - wal.balanceOf(BOB), cost);
        assertEq(blobs.record(tokenId).endEpoch, 6 + epochs);
        assertEq(system.liveUntil(blobId), 6 + epochs);
        assertEq(system.usedCapacity(5 + epochs), ENCODED);
        assertEq(system.usedCapacity(6 + epochs), 0);
        assertEq(system.rewardsOf(6), 4 * STORAGE_PRICE);
    }

    function test_extend_reverts() public {
        uint256 tokenId = _registerBlob(ALICE, ROOT, false, 5);
        vm.startPrank(BOB);
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.NotCertified.selector, tokenId));
        system.extend(tokenId, 1, NO_LIMIT);
        system.certify(tokenId, _certificate(_confirmation(tokenId), 0x3ff));
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.EmptyRange.selector, 6, 6));
        system.extend(tokenId, 0, NO_LIMIT);
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.TooFarAhead.selector, 55, 54));
        system.extend(tokenId, 49, NO_LIMIT);
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.PaymentAboveMax.selector, 4 * STORAGE_PRICE, 1));
        system.extend(tokenId, 1, 1);
    }

    function test_extendWithCapacity_spendsTheClassBehindTheEnd() public {
        uint256 tokenId = _certifiedBlob(ALICE, ROOT, true, 5);
        vm.startPrank(BOB);
        (uint256 fits,) = system.buy(ENCODED + MIB, 6, 20, NO_LIMIT, BOB);
        (uint256 gap,) = system.buy(ENCODED, 7, 20, NO_LIMIT, BOB);
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.CapacityDoesNotExtend.selector, gap, 6));
        system.extendWithCapacity(tokenId, gap);
        system.extendWithCapacity(tokenId, fits);
        assertEq(capacity.balanceOf(BOB, fits), MIB);
        assertEq(blobs.record(tokenId).endEpoch, 20);
    }

    function test_deleteBlob_returnsTheRest() public {
        uint256 tokenId = _certifiedBlob(ALICE, ROOT, true, 5);
        bytes32 blobId = blobs.record(tokenId).blobId;
        _nextEpoch(_equalSeats(10, 10));
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.NotBlobOwner.selector, tokenId, address(this)));
        system.deleteBlob(tokenId, ALICE);
        vm.expectEmit(address(system));
        emit IWalrusSystem.BlobDeleted(2, blobId, 6, tokenId, true);
        vm.prank(ALICE);
        uint256 id = system.deleteBlob(tokenId, BOB);
        assertEq(id, uint256(2) << 32 | 6);
        assertEq(capacity.balanceOf(BOB, id), ENCODED);
        assertEq(blobs.record(tokenId).flags, BlobFlags.DELETABLE | BlobFlags.DELETED);
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.BlobRetired.selector, tokenId));
        vm.prank(ALICE);
        system.deleteBlob(tokenId, ALICE);
        // The capacity can be used again; only the write fee is due.
        RegisterArgs memory a = _args(keccak256("other"), MIB, false, BOB);
        a.capacityId = id;
        vm.prank(BOB);
        system.register(a);
        assertEq(capacity.balanceOf(BOB, id), 0);
    }

    function test_deleteBlob_revertsOnPermanent() public {
        uint256 tokenId = _registerBlob(ALICE, ROOT, false, 5);
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.NotDeletable.selector, tokenId));
        vm.prank(ALICE);
        system.deleteBlob(tokenId, ALICE);
    }

    function test_burn_keepsTheRecord() public {
        uint256 tokenId = _certifiedBlob(ALICE, ROOT, false, 5);
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.NotBlobOwner.selector, tokenId, address(this)));
        system.burn(tokenId);
        vm.prank(ALICE);
        system.burn(tokenId);
        BlobRecord memory r = blobs.record(tokenId);
        assertEq(r.flags, BlobFlags.BURNED);
        assertTrue(system.isAvailable(r.blobId), "what was promised stays");
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.BlobRetired.selector, tokenId));
        system.extend(tokenId, 1, NO_LIMIT);
        vm.expectRevert(bytes4(keccak256("TokenDoesNotExist()")));
        blobs.ownerOf(tokenId);
    }

    // ----- Attributes

    function test_attributes_setReplaceRemove() public {
        uint256 tokenId = _registerBlob(ALICE, ROOT, false, 5);
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.NotBlobOwner.selector, tokenId, address(this)));
        system.setAttribute(tokenId, "a", "1");
        vm.startPrank(ALICE);
        system.setAttribute(tokenId, "a", "1");
        system.setAttribute(tokenId, "b", "2");
        system.setAttribute(tokenId, "c", "3");
        vm.expectEmit(address(system));
        emit IWalrusSystem.BlobAttributeSet(tokenId, "b", "22");
        system.setAttribute(tokenId, "b", "22");
        system.removeAttribute(tokenId, "a");
        (string[] memory keys, string[] memory values) = blobs.attributes(tokenId);
        assertEq(keys.length, 2);
        assertEq(string.concat(keys[0], values[0], keys[1], values[1]), "c3b22");
        assertEq(blobs.attribute(tokenId, "a"), "");
        vm.expectRevert(abi.encodeWithSelector(IBlobNFT.UnknownAttribute.selector, tokenId, "a"));
        system.removeAttribute(tokenId, "a");
        system.removeAttribute(tokenId, "c");
        system.removeAttribute(tokenId, "b");
        (keys,) = blobs.attributes(tokenId);
        assertEq(keys.length, 0);
    }

    function test_setAttribute_bounds() public {
        uint256 tokenId = _registerBlob(ALICE, ROOT, false, 5);
        vm.startPrank(ALICE);
        vm.expectRevert(abi.encodeWithSelector(IBlobNFT.BadAttributeKey.selector, 0));
        system.setAttribute(tokenId, "", "v");
        vm.expectRevert(abi.encodeWithSelector(IBlobNFT.BadAttributeKey.selector, 65));
        system.setAttribute(tokenId, string(new bytes(65)), "v");
        vm.expectRevert(abi.encodeWithSelector(IBlobNFT.BadAttributeValue.selector, 0));
        system.setAttribute(tokenId, "k", "");
        vm.expectRevert(abi.encodeWithSelector(IBlobNFT.BadAttributeValue.selector, 1025));
        system.setAttribute(tokenId, "k", string(new bytes(1025)));
        for (uint256 i = 0; i < 32; ++i) {
            system.setAttribute(tokenId, vm.toString(i), "v");
        }
        vm.expectRevert(abi.encodeWithSelector(IBlobNFT.TooManyAttributes.selector, tokenId, 32));
        system.setAttribute(tokenId, "32", "v");
    }

    // ----- Epochs and rewards

    function test_advanceEpoch_burnsThreePercentAndSendsTheRest() public {
        _registerBlob(ALICE, ROOT, false, 5);
        uint256 rewards = 4 * (STORAGE_PRICE + WRITE_PRICE) + 1;
        vm.prank(ALICE);
        system.addSubsidy(7, 5);
        rewards += 2;
        assertEq(system.rewardsOf(1), rewards);
        uint256 supply = wal.totalSupply();
        uint256 staked = wal.balanceOf(address(staking));
        _nextEpoch(_equalSeats(10, 10));
        assertEq(supply - wal.totalSupply(), rewards * 3 / 100);
        assertEq(wal.balanceOf(address(staking)) - staked, rewards - rewards * 3 / 100);
        assertEq(staking.rewardsOf(1), rewards - rewards * 3 / 100);
        assertEq(system.rewardsOf(2), 4 * STORAGE_PRICE + 1);
        assertEq(system.rewardsOf(1), 0);
        assertEq(system.usedCapacity(2), ENCODED);
        assertEq(system.usedCapacity(1), 0);
    }

    function test_advanceEpoch_onlyByEpochManager() public {
        vm.expectRevert(abi.encodeWithSelector(IWired.NotAuthorised.selector, address(this), address(epochManager)));
        system.advanceEpoch(1, false);
    }

    /// A void challenge: everything moves on, nothing is burned, nothing is sent.
    function test_advanceEpoch_carriesAllRewards() public {
        _registerBlob(ALICE, ROOT, false, 5);
        uint256 rewards = system.rewardsOf(1);
        uint256 next = system.rewardsOf(2);
        uint256 supply = wal.totalSupply();
        vm.expectEmit(address(system));
        emit IWalrusSystem.RewardsCarried(2, rewards);
        vm.prank(address(epochManager));
        (uint32 epoch, uint256 distributed, uint256 burned) = system.advanceEpoch(0, true);
        assertEq(epoch, 2);
        assertEq(distributed, 0);
        assertEq(burned, 0);
        assertEq(wal.totalSupply(), supply);
        assertEq(system.rewardsOf(2), next + rewards);
        (uint64 total, uint64 used) = system.capacity();
        assertEq(total, used, "a vote for less than what is sold is raised to it");
    }

    function test_receiveLeftover_countsForTheCurrentEpoch() public {
        vm.expectRevert(abi.encodeWithSelector(IWired.NotAuthorised.selector, address(this), address(staking)));
        system.receiveLeftover(1);
        uint256 before = system.rewardsOf(1);
        wal.transfer(address(system), 33);
        vm.expectEmit(address(system));
        emit IWalrusSystem.RewardsCarried(1, 33);
        vm.prank(address(staking));
        system.receiveLeftover(33);
        assertEq(system.rewardsOf(1), before + 33);
    }

    // ----- What other contracts ask

    /// The promise in time is a lower bound: it only rises, and the blob is there until then.
    function testFuzz_storedUntil_isALowerBound(uint32 epochs, uint32 delay) public {
        epochs = uint32(bound(epochs, 1, 6));
        delay = uint32(bound(delay, 0, 3 * D));
        uint256 tokenId = _registerBlob(ALICE, ROOT, false, epochs);
        bytes32 blobId = blobs.record(tokenId).blobId;
        assertEq(system.storedUntil(blobId), 0);
        system.certify(tokenId, _certificate(_confirmation(tokenId), 0x7f));
        uint64 promised = system.storedUntil(blobId);
        assertEq(promised, epochManager.clock().startedAt + uint64(epochs) * D);
        for (uint256 i = 1; i < epochs; ++i) {
            skip(delay);
            _nextEpoch(_equalSeats(10, 10));
            assertGe(system.storedUntil(blobId), promised);
            promised = system.storedUntil(blobId);
        }
        assertTrue(system.isAvailable(blobId));
        _nextEpoch(_equalSeats(10, 10));
        assertGe(block.timestamp, promised);
        assertEq(system.storedUntil(blobId), 0);
        assertFalse(system.isTokenAvailable(tokenId));
    }

    function test_isTokenAvailable_followsTheLifeOfAToken() public {
        uint256 tokenId = _registerBlob(ALICE, ROOT, true, 5);
        assertFalse(system.isTokenAvailable(tokenId), "not certified");
        system.certify(tokenId, _certificate(_confirmation(tokenId), 0x7f));
        assertTrue(system.isTokenAvailable(tokenId));
        vm.prank(ALICE);
        system.deleteBlob(tokenId, ALICE);
        assertFalse(system.isTokenAvailable(tokenId), "deleted");
        uint256 burned = _certifiedBlob(ALICE, keccak256("b"), true, 5);
        vm.prank(ALICE);
        system.burn(burned);
        assertTrue(system.isTokenAvailable(burned), "burned, and still stored");
        bytes32 blobId = blobs.record(burned).blobId;
        system.invalidateBlobId(blobId, _certificate(Intent.invalidBlobId(1, committees.domain(), blobId), 0xf));
        assertFalse(system.isTokenAvailable(burned), "invalid");
        vm.expectRevert(abi.encodeWithSelector(IBlobNFT.UnknownBlob.selector, 99));
        system.isTokenAvailable(99);
    }

    function test_addSubsidy_reverts() public {
        vm.startPrank(ALICE);
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.BadSubsidy.selector, 0, 1));
        system.addSubsidy(0, 1);
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.BadSubsidy.selector, 1, 0));
        system.addSubsidy(1, 0);
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.BadSubsidy.selector, 1, 54));
        system.addSubsidy(1, 54);
    }

    // ----- Permit and multicall

    function test_multicall_permitAndBuyInOneTransaction() public {
        (address carol, uint256 key) = makeAddrAndKey("carol");
        wal.transfer(carol, 1000e9);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _permitDigest(carol, 1000e9));
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(system.permit, (1000e9, block.timestamp, v, r, s));
        calls[1] = abi.encodeCall(system.buyAndRegister, (_args(ROOT, MIB, false, carol), 2, NO_LIMIT));
        // Somebody else submits the permit first: the purchase goes through all the same.
        wal.permit(carol, address(system), 1000e9, block.timestamp, v, r, s);
        vm.prank(carol);
        system.multicall(calls);
        assertEq(blobs.ownerOf(1), carol);
    }

    function _permitDigest(address owner, uint256 value) private view returns (bytes32) {
        bytes32 typeHash =
            keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        bytes32 structHash = keccak256(abi.encode(typeHash, owner, address(system), value, 0, block.timestamp));
        return keccak256(abi.encodePacked(hex"1901", wal.DOMAIN_SEPARATOR(), structHash));
    }
}
