// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { ICommittees } from "src/interfaces/ICommittees.sol";
import { IWalrusSystem } from "src/interfaces/IWalrusSystem.sol";
import { Intent } from "src/libraries/Intent.sol";
import { RegisterArgs } from "src/types/Blob.sol";
import { Cert } from "src/types/Cert.sol";
import { Base } from "./Base.t.sol";
import { ReentrantReceiver } from "./utils/Receivers.sol";

/// @dev Attacks on the storage market and on blobs, each named after what it tries.
contract AttacksTest is Base {
    bytes32 private constant ROOT = keccak256("root");
    uint64 private constant MIB = 1 << 20;
    uint64 private constant ENCODED = 4_126_220;
    uint256 private constant NO_LIMIT = type(uint256).max;

    // Not `block.chainid`, which the optimiser may read again after it was changed.
    uint256 private constant CHAIN_ID = 31_337;

    ReentrantReceiver private evil;

    function setUp() public {
        _launch(10, 10);
        _fund(ALICE);
        _fund(BOB);
        evil = new ReentrantReceiver();
        _fund(address(evil));
    }

    // ----- Reentrancy

    /// The receiver of bought capacity buys, registers and deletes from inside the callback: the guard refuses all.
    function test_attack_reentrancyThroughErc1155Receiver_system() public {
        uint256 deletable = _certifiedBlob(address(evil), ROOT, true, 5);
        bytes[3] memory inner = [
            abi.encodeCall(system.buy, (MIB, 1, 3, NO_LIMIT, address(evil))),
            abi.encodeCall(system.deleteBlob, (deletable, address(evil))),
            abi.encodeCall(system.buyAndRegister, (_args(ROOT, MIB, false, BOB), 2, NO_LIMIT))
        ];
        for (uint256 i = 0; i < inner.length; ++i) {
            evil.arm(address(system), inner[i]);
            evil.act(address(system), abi.encodeCall(system.buy, (MIB, 1, 3, NO_LIMIT, address(evil))));
            assertEq(evil.calls(), 1, "called back once");
            assertFalse(evil.succeeded());
            assertEq(
                bytes4(evil.answer()), ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector, "by the guard"
            );
        }
        // The same from inside a deletion: its capacity comes back once.
        evil.arm(address(system), inner[1]);
        evil.act(address(system), inner[1]);
        assertFalse(evil.succeeded());
        assertEq(capacity.balanceOf(address(evil), capacity.classOf(1, 6)), ENCODED);
    }

    /// Splitting inside the callback of a split: what was burned is gone before anything is minted.
    function test_attack_reentrancyThroughErc1155Receiver_capacity() public {
        evil.act(address(system), abi.encodeCall(system.buy, (MIB, 1, 9, NO_LIMIT, address(evil))));
        uint256 id = capacity.classOf(1, 9);
        bytes memory split = abi.encodeCall(capacity.splitByEpoch, (id, 5, MIB));
        evil.arm(address(capacity), split);
        evil.act(address(capacity), split);
        assertEq(evil.calls(), 1);
        assertFalse(evil.succeeded(), "nothing left to split");
        assertEq(capacity.balanceOf(address(evil), id), 0);
        assertEq(capacity.balanceOf(address(evil), capacity.classOf(1, 5)), MIB);
        assertEq(capacity.balanceOf(address(evil), capacity.classOf(5, 9)), MIB);
        // Both halves are there when the callback comes, so fusing at once is fine and gives the whole back, once.
        evil.arm(
            address(capacity),
            abi.encodeCall(capacity.fuseByEpoch, (capacity.classOf(1, 5), capacity.classOf(5, 9), MIB))
        );
        vm.prank(ALICE);
        (uint256 other,) = system.buy(MIB, 1, 2, NO_LIMIT, address(evil));
        assertTrue(evil.succeeded());
        assertEq(capacity.balanceOf(address(evil), id), MIB);
        assertEq(capacity.balanceOf(address(evil), other), MIB);
        assertEq(system.usedCapacity(4), MIB);
    }

    /// Registration mints without a callback: a contract gets its token and cannot interfere, or refuse.
    function test_attack_reentrancyThroughErc721Receiver() public {
        evil.arm(address(system), abi.encodeCall(system.burn, (1)));
        vm.prank(ALICE);
        system.buyAndRegister(_args(ROOT, MIB, true, address(evil)), 5, NO_LIMIT);
        assertEq(evil.calls(), 0, "no callback");
        assertEq(blobs.ownerOf(1), address(evil));
        // On a safe transfer the new owner may act at once, and the old one may not any more.
        uint256 mine = _registerBlob(ALICE, ROOT, true, 5);
        evil.arm(address(system), abi.encodeCall(system.deleteBlob, (mine, address(evil))));
        vm.startPrank(ALICE);
        blobs.approve(BOB, mine);
        blobs.safeTransferFrom(ALICE, address(evil), mine);
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.BlobRetired.selector, mine));
        system.deleteBlob(mine, ALICE);
        vm.stopPrank();
        assertTrue(evil.succeeded());
        assertEq(capacity.balanceOf(address(evil), capacity.classOf(1, 6)), ENCODED);
    }

    /// A receiver that refuses hurts only the call that named it.
    function test_attack_refusingReceiver() public {
        uint256 token = _registerBlob(ALICE, ROOT, true, 5);
        vm.startPrank(ALICE);
        vm.expectRevert();
        system.buy(MIB, 1, 2, NO_LIMIT, address(wal));
        vm.expectRevert();
        system.deleteBlob(token, address(wal));
        assertEq(system.usedCapacity(1), ENCODED);
        system.deleteBlob(token, ALICE);
    }

    // ----- Spending twice

    function test_attack_doubleRegistration() public {
        vm.startPrank(ALICE);
        (uint256 id,) = system.buy(ENCODED, 1, 9, NO_LIMIT, ALICE);
        RegisterArgs memory a = _args(ROOT, MIB, false, ALICE);
        a.capacityId = id;
        system.register(a);
        vm.expectRevert(bytes4(keccak256("InsufficientBalance()")));
        system.register(a);
        // The same bytes again are another token, paid for again, and counted again.
        uint256 before = wal.balanceOf(ALICE);
        (, uint256 cost, uint256 fee) = system.quote(MIB, 2);
        (uint256 second,) = system.buyAndRegister(a, 2, NO_LIMIT);
        assertEq(before - wal.balanceOf(ALICE), cost + fee);
        assertEq(system.usedCapacity(1), 2 * ENCODED);
        vm.stopPrank();
        // A shorter second token cannot shorten what the first promised.
        Cert memory c = _certificate(_confirmation(1), 0x3ff);
        system.certify(1, c);
        bytes32 blobId = blobs.record(1).blobId;
        assertEq(system.liveUntil(blobId), 9);
        system.certify(second, c);
        assertEq(system.liveUntil(blobId), 9);
        vm.prank(ALICE);
        system.burn(second);
        assertEq(system.liveUntil(blobId), 9);
        assertTrue(system.isAvailable(blobId));
    }

    /// Nobody spends the capacity of somebody else.
    function test_attack_spendingTheCapacityOfOthers() public {
        vm.prank(ALICE);
        (uint256 id,) = system.buy(ENCODED, 1, 9, NO_LIMIT, ALICE);
        RegisterArgs memory a = _args(ROOT, MIB, false, BOB);
        a.capacityId = id;
        bytes4 refused = bytes4(keccak256("InsufficientBalance()"));
        vm.startPrank(BOB);
        vm.expectRevert(refused);
        system.register(a);
        vm.expectRevert(refused);
        capacity.splitByEpoch(id, 5, 1);
        vm.expectRevert(refused);
        capacity.destroy(id, 1);
        vm.stopPrank();
        uint256 token = _certifiedBlob(BOB, ROOT, false, 8);
        vm.prank(ALICE);
        (uint256 behind,) = system.buy(ENCODED, 9, 12, NO_LIMIT, ALICE);
        vm.expectRevert(refused);
        vm.prank(BOB);
        system.extendWithCapacity(token, behind);
    }

    /// Expired capacity stays worthless, whatever it is fused with.
    function test_attack_revivingExpiredCapacity() public {
        vm.startPrank(ALICE);
        (uint256 old,) = system.buy(10 * MIB, 1, 2, NO_LIMIT, ALICE);
        (uint256 fresh,) = system.buy(MIB, 2, 9, NO_LIMIT, ALICE);
        vm.stopPrank();
        _nextEpoch(_equalSeats(10, 10));
        vm.startPrank(ALICE);
        vm.expectRevert();
        capacity.normalise(old, MIB);
        vm.expectRevert(bytes4(keccak256("InsufficientBalance()")));
        capacity.fuseByEpoch(old, fresh, MIB + 1);
        uint256 fused = capacity.fuseByEpoch(old, fresh, MIB);
        uint256 cut = capacity.normalise(fused, MIB);
        assertEq(cut, fresh, "what comes out is what went in");
        assertEq(capacity.balanceOf(ALICE, cut), MIB);
        vm.stopPrank();
    }

    /// A size near the limit of its type is refused for want of room, not wrapped around.
    function test_attack_overflowOfUsedCapacity() public {
        (uint64 total,) = system.capacity();
        vm.startPrank(ALICE);
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.CapacityExceeded.selector, 1, type(uint64).max, total));
        system.buy(type(uint64).max, 1, 54, NO_LIMIT, ALICE);
        vm.expectRevert();
        system.extend(1, type(uint32).max, NO_LIMIT);
    }

    // ----- Replay

    function test_attack_replayOfCertificates() public {
        uint256 first = _registerBlob(ALICE, ROOT, true, 9);
        uint256 second = _registerBlob(ALICE, ROOT, true, 9);
        Cert memory c = _certificate(_confirmation(first), 0x3ff);
        // On another token of the same bytes, on another chain, and twice.
        vm.expectRevert(ICommittees.BadSignature.selector);
        system.certify(second, c);
        vm.chainId(CHAIN_ID + 1);
        vm.expectRevert(ICommittees.BadSignature.selector);
        system.certify(first, c);
        vm.chainId(CHAIN_ID);
        system.certify(first, c);
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.AlreadyCertified.selector, first));
        system.certify(first, c);
        // In the next epoch, and as an accusation.
        c = _certificate(_confirmation(second), 0x3ff);
        _nextEpoch(_equalSeats(10, 10));
        vm.expectRevert(ICommittees.BadSignature.selector);
        system.certify(second, c);
        bytes32 blobId = blobs.record(second).blobId;
        vm.expectRevert(ICommittees.BadSignature.selector);
        system.invalidateBlobId(blobId, c);
    }

    /// An accusation of an earlier epoch does not count, nor one of another id.
    function test_attack_replayOfAccusations() public {
        uint256 token = _registerBlob(ALICE, ROOT, true, 9);
        bytes32 blobId = blobs.record(token).blobId;
        Cert memory c = _certificate(Intent.invalidBlobId(1, committees.domain(), blobId), 0x3ff);
        vm.expectRevert(ICommittees.BadSignature.selector);
        system.invalidateBlobId(keccak256("another"), c);
        _nextEpoch(_equalSeats(10, 10));
        vm.expectRevert(ICommittees.BadSignature.selector);
        system.invalidateBlobId(blobId, c);
    }

    // ----- Prices

    /// Nodes raise their votes and refresh the prices in front of a purchase: the buyer's limits hold, and nothing is
    /// taken.
    function test_attack_priceManipulationJustBeforeAPurchase() public {
        (, uint256 cost, uint256 fee) = system.quote(MIB, 3);
        RegisterArgs memory a = _args(ROOT, MIB, false, ALICE);
        a.maxWriteFee = fee;
        uint256 before = wal.balanceOf(ALICE);
        _vote(10, 10 * STORAGE_PRICE, WRITE_PRICE);
        vm.prank(BOB);
        system.updatePrices();
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.PaymentAboveMax.selector, 10 * cost, cost));
        vm.prank(ALICE);
        system.buyAndRegister(a, 3, cost);
        _vote(10, STORAGE_PRICE, 2 * WRITE_PRICE);
        system.updatePrices();
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.WriteFeeAboveMax.selector, 2 * fee, fee));
        vm.prank(ALICE);
        system.buyAndRegister(a, 3, cost);
        assertEq(wal.balanceOf(ALICE), before);
        assertEq(system.usedCapacity(1), 0);
    }

    /// Less than a third of the weight moves neither price, in either direction.
    function test_attack_aMinorityMovesThePrice() public {
        _vote(3, 1 << 48, 1 << 48);
        system.updatePrices();
        (uint64 storagePrice, uint64 writePrice) = system.prices();
        assertEq(storagePrice, STORAGE_PRICE);
        assertEq(writePrice, WRITE_PRICE);
        _vote(3, 0, 0);
        system.updatePrices();
        (storagePrice, writePrice) = system.prices();
        assertEq(storagePrice, STORAGE_PRICE);
        assertEq(writePrice, WRITE_PRICE);
    }

    // ----- Griefing

    /// A stranger who prolongs a deletable blob makes its owner a present, and no more.
    function test_attack_prolongingTheBlobOfAnother() public {
        uint256 token = _certifiedBlob(ALICE, ROOT, true, 5);
        vm.prank(BOB);
        system.extend(token, 10, NO_LIMIT);
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.NotBlobOwner.selector, token, BOB));
        vm.prank(BOB);
        system.deleteBlob(token, BOB);
        vm.prank(ALICE);
        uint256 id = system.deleteBlob(token, ALICE);
        assertEq(id, capacity.classOf(1, 16));
        assertEq(capacity.balanceOf(ALICE, id), ENCODED);
    }

    /// One failed call undoes a whole multicall, and each call acts for the sender only.
    function test_attack_multicallActsForTheSenderOnly() public {
        uint256 token = _registerBlob(ALICE, ROOT, true, 5);
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(system.buy, (MIB, 1, 2, NO_LIMIT, BOB));
        calls[1] = abi.encodeCall(system.deleteBlob, (token, BOB));
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.NotBlobOwner.selector, token, BOB));
        vm.prank(BOB);
        system.multicall(calls);
        assertEq(system.usedCapacity(1), ENCODED);
    }

    function _vote(uint32 nodes, uint64 storagePrice, uint64 writePrice) private {
        for (uint32 i = 1; i <= nodes; ++i) {
            vm.prank(_operator(i));
            staking.setVotes(i, storagePrice, writePrice, NODE_CAPACITY);
        }
    }
}
