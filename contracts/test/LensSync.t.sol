// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test, Vm } from "forge-std/Test.sol";
import { BlobNFT } from "src/BlobNFT.sol";
import { WalrusLens } from "src/WalrusLens.sol";
import { IWalrusSystem } from "src/interfaces/IWalrusSystem.sol";
import { RedStuffMath } from "src/libraries/RedStuffMath.sol";
import { BlobFlags, BlobRecord } from "src/types/Blob.sol";
import { BlobView } from "src/types/Lens.sol";
import { MarketHandler } from "./invariant/MarketHandler.sol";

/// @dev Invariant 14: a node that pages through the Lens at some height and then follows logs has the same tables as one
/// that followed logs from the first block. The node keeps a table of tokens and a set of invalid ids.
contract LensSyncTest is Test {
    struct Tables {
        uint256 count;
        mapping(uint256 tokenId => BlobRecord) records;
        mapping(bytes32 blobId => bool) invalid;
    }

    MarketHandler private handler;
    address private system;
    BlobNFT private blobs;
    WalrusLens private lens;
    Tables private fromStart;
    Tables private fromLens;
    Vm.Log[] private history;

    function setUp() public {
        handler = new MarketHandler();
        vm.recordLogs();
        handler.launch();
        (address system_, address blobs_,, address lens_) = handler.contracts();
        (system, blobs, lens) = (system_, BlobNFT(blobs_), WalrusLens(lens_));
    }

    /// forge-config: default.fuzz.runs = 32
    function testFuzz_lensThenLogs_equalsAllLogs(uint256 seed) public {
        uint256 half = bound(seed, 5, 60);
        _run(seed, 0, half);
        _collect();
        // The new node notes the head here, and pages while the chain goes on: some records it reads are newer.
        uint256 noted = history.length;
        _run(seed, half, half + 5);
        BlobView[] memory page = lens.blobViews(1, 1000);
        for (uint256 i = 0; i < page.length; ++i) {
            fromLens.records[page[i].tokenId] = page[i].record;
            if (page[i].invalid) fromLens.invalid[page[i].record.blobId] = true;
        }
        fromLens.count = page.length;
        _run(seed, half + 5, half + 30);
        _collect();

        for (uint256 i = 0; i < history.length; ++i) {
            if (history[i].emitter != system) continue;
            _apply(fromStart, history[i]);
            if (i >= noted) _apply(fromLens, history[i]);
        }
        assertEq(fromStart.count, blobs.count());
        assertEq(fromLens.count, blobs.count());
        for (uint256 id = 1; id <= blobs.count(); ++id) {
            BlobRecord memory truth = blobs.record(id);
            assertEq(abi.encode(fromStart.records[id]), abi.encode(truth), "from the first block");
            assertEq(abi.encode(fromLens.records[id]), abi.encode(truth), "from the Lens");
            bool invalid = IWalrusSystem(system).isInvalid(truth.blobId);
            assertEq(fromStart.invalid[truth.blobId], invalid);
            assertEq(fromLens.invalid[truth.blobId], invalid);
        }
    }

    /// @dev How a node takes a log. Records only move forward, so a log older than the record changes nothing.
    function _apply(Tables storage t, Vm.Log memory log) private {
        bytes32 topic = log.topics[0];
        if (topic == IWalrusSystem.BlobRegistered.selector) {
            _applyRegistered(t, log);
        } else if (topic == IWalrusSystem.BlobCertified.selector) {
            (uint32 epoch, uint32 end,, bool isExtension, uint32 logIndex) =
                abi.decode(log.data, (uint32, uint32, bool, bool, uint32));
            BlobRecord storage r = t.records[uint256(log.topics[2])];
            if (!isExtension) r.certifiedEpoch = epoch;
            if (end > r.endEpoch) r.endEpoch = end;
            if (logIndex > r.logIndex) r.logIndex = logIndex;
        } else if (topic == IWalrusSystem.BlobDeleted.selector) {
            t.records[uint256(log.topics[2])].flags |= BlobFlags.DELETED;
        } else if (topic == IWalrusSystem.BlobBurned.selector) {
            t.records[uint256(log.topics[2])].flags |= BlobFlags.BURNED;
        } else if (topic == IWalrusSystem.BlobIdInvalidated.selector) {
            t.invalid[log.topics[1]] = true;
        }
    }

    function _applyRegistered(Tables storage t, Vm.Log memory log) private {
        (uint32 epoch, uint64 size, uint8 encodingType, uint32 end, bool deletable) =
            abi.decode(log.data, (uint32, uint64, uint8, uint32, bool));
        uint256 tokenId = uint256(log.topics[2]);
        if (tokenId <= t.count) return;
        assertEq(tokenId, t.count + 1, "token ids have no gaps");
        t.count = tokenId;
        t.records[tokenId] = BlobRecord({
            blobId: log.topics[1],
            registeredEpoch: epoch,
            certifiedEpoch: 0,
            endEpoch: end,
            size: size,
            encodedSize: uint48(RedStuffMath.encodedSize(size, 10)),
            encodingType: encodingType,
            flags: deletable ? BlobFlags.DELETABLE : 0,
            logIndex: 0
        });
    }

    function _collect() private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            history.push(logs[i]);
        }
    }

    function _run(uint256 seed, uint256 from, uint256 to) private {
        for (uint256 step = from; step < to; ++step) {
            uint256 r = uint256(keccak256(abi.encode(seed, step)));
            uint256 a = r >> 16;
            uint256 b = r >> 96;
            uint256 action = r % 12;
            if (action < 4) handler.buyAndRegister(a, uint64(b), uint32(b >> 64), r & 1024 == 0, a);
            else if (action < 7) handler.certify(a, 15);
            else if (action == 7) handler.extend(a, b, uint32(a >> 64));
            else if (action == 8) handler.deleteBlob(a, b);
            else if (action == 9) handler.burn(a);
            else if (action == 10) handler.invalidate(a, 15);
            else handler.nextEpoch();
        }
    }
}
