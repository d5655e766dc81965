// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { BlobNFT } from "src/BlobNFT.sol";
import { WAL } from "src/WAL.sol";
import { WalrusSystem } from "src/WalrusSystem.sol";
import { BlobFlags, BlobRecord } from "src/types/Blob.sol";
import { MarketHandler } from "./MarketHandler.sol";

/// @dev Invariants 1 to 4, 7 and 8 of the design over storage market, blobs and books, whatever users, voters, crankers and
/// an attacker do in whatever order.
/// forge-config: default.invariant.fail-on-revert = true
/// forge-config: nightly.invariant.fail-on-revert = true
contract MarketInvariants is Test {
    uint32 private constant AHEAD = 8;

    MarketHandler private handler;
    WalrusSystem private system;
    BlobNFT private blobs;
    WAL private wal;

    function setUp() public {
        handler = new MarketHandler();
        handler.launch();
        (address system_, address blobs_, address wal_,) = handler.contracts();
        (system, blobs, wal) = (WalrusSystem(system_), BlobNFT(blobs_), WAL(wal_));
        bytes4[] memory actions = new bytes4[](20);
        actions[0] = MarketHandler.buy.selector;
        actions[1] = MarketHandler.split.selector;
        actions[2] = MarketHandler.fuse.selector;
        actions[3] = MarketHandler.send.selector;
        actions[4] = MarketHandler.normalise.selector;
        actions[5] = MarketHandler.destroy.selector;
        actions[6] = MarketHandler.register.selector;
        actions[7] = MarketHandler.buyAndRegister.selector;
        actions[8] = MarketHandler.certify.selector;
        actions[9] = MarketHandler.extend.selector;
        actions[10] = MarketHandler.extendWithCapacity.selector;
        actions[11] = MarketHandler.deleteBlob.selector;
        actions[12] = MarketHandler.burn.selector;
        actions[13] = MarketHandler.attack.selector;
        actions[14] = MarketHandler.subsidise.selector;
        actions[15] = MarketHandler.donate.selector;
        actions[16] = MarketHandler.vote.selector;
        actions[17] = MarketHandler.nextEpoch.selector;
        actions[18] = MarketHandler.invalidate.selector;
        actions[19] = MarketHandler.forge.selector;
        targetSelector(FuzzSelector(address(handler), actions));
        targetContract(address(handler));
    }

    /// What is counted as used is exactly what is held, stored, or was destroyed.
    function invariant_usedCapacityIsAccountedFor() public view {
        uint32 epoch = system.epoch();
        for (uint32 e = epoch; e < epoch + AHEAD; ++e) {
            uint256 expected = handler.supplyCovering(e) + handler.blobsCovering(e) + handler.destroyed(e);
            assertEq(system.usedCapacity(e), expected, "used capacity");
            assertLe(system.usedCapacity(e), handler.highestTotal(), "never more than was ever offered");
        }
    }

    /// The books hold what was paid and not yet distributed, epoch by epoch, and the money is there.
    function invariant_booksAndMoneyAgree() public view {
        uint32 epoch = system.epoch();
        uint256 open = 0;
        for (uint32 e = epoch; e <= epoch + AHEAD; ++e) {
            assertEq(system.rewardsOf(e), handler.plainRewards(e), "rewards of an epoch");
            open += system.rewardsOf(e);
        }
        assertEq(open, handler.paid() - handler.closed(), "nothing is lost between the epochs");
        assertEq(wal.balanceOf(address(system)), open + handler.donated(), "the money is there");
    }

    /// WAL only disappears by the burned share.
    function invariant_supplyOnlyFallsByTheBurnedShare() public view {
        assertEq(wal.totalSupply(), 5e18 - handler.burned());
    }

    /// Certified means that a quorum signed; a permanent blob loses no time; the id remembers the latest end.
    function invariant_blobsKeepTheirPromises() public view {
        for (uint256 id = 1; id <= blobs.count(); ++id) {
            BlobRecord memory r = blobs.record(id);
            assertEq(r.certifiedEpoch != 0, handler.quorumSigned(id), "certified only by a quorum");
            assertEq(r.endEpoch, handler.lowestEnd(id), "the end moves by extension only");
            bool permanent = r.flags & BlobFlags.DELETABLE == 0;
            if (!permanent) continue;
            assertEq(r.flags & BlobFlags.DELETED, 0, "a permanent blob is never deleted");
            if (r.certifiedEpoch == 0) continue;
            assertGe(system.liveUntil(r.blobId), r.endEpoch, "the id lives as long as its tokens");
            bool live = r.endEpoch > system.epoch() && !handler.invalid(r.blobId);
            if (live) assertTrue(system.isAvailable(r.blobId), "available until its end");
        }
    }

    /// The run did something: all of this would hold for handlers that do nothing.
    function afterInvariant() public view {
        assertGt(handler.done("buy") + handler.done("buyAndRegister") + handler.done("nextEpoch"), 0);
    }
}
