// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ERC1155Receiver } from "../utils/Receivers.sol";
import { Intent } from "src/libraries/Intent.sol";
import { BlobFlags, BlobRecord, RegisterArgs } from "src/types/Blob.sol";
import { Cert } from "src/types/Cert.sol";
import { Parameters } from "src/types/Wiring.sol";
import { Base } from "../Base.t.sol";

/// @dev Users, stakers' votes, crankers and an attacker on a small network, and a plain model of what should come out.
/// Every action says beforehand whether it must succeed, so none can fail unnoticed.
contract MarketHandler is Base {
    uint32 internal constant AHEAD = 8;
    uint64 private constant MIB = 1 << 20;
    uint256 private constant NO_LIMIT = type(uint256).max;

    address[] public users;
    uint256[] public classes;
    mapping(uint256 capacityId => bool) private _known;

    // The model.
    mapping(uint256 epoch => uint256) public destroyed;
    mapping(uint256 epoch => uint256) public plainRewards;
    mapping(uint256 tokenId => bool) public quorumSigned;
    mapping(uint256 tokenId => uint32) public lowestEnd;
    mapping(bytes32 blobId => bool) public invalid;
    uint256 public paid;
    uint256 public closed;
    uint256 public burned;
    uint256 public donated;
    uint64 public highestTotal;
    mapping(bytes32 action => uint256) public done;

    function launch() external {
        Parameters memory p = _parameters(10);
        p.maxEpochsAhead = AHEAD;
        _deploy(p);
        for (uint32 i = 1; i <= 4; ++i) {
            _register(i);
            _stake(i, 1000e9);
        }
        _vote(200 * MIB, STORAGE_PRICE, WRITE_PRICE);
        vm.warp(FIRST_START);
        epochManager.selectCommittee(_equalSeats(10, 4));
        epochManager.startEpoch();
        _syncAll();
        system.updatePrices();
        _noteTotal();
        users.push(ALICE);
        users.push(BOB);
        users.push(address(new ERC1155Receiver()));
        users.push(CAROL);
        for (uint256 i = 0; i < users.length; ++i) {
            wal.transfer(users[i], 1_000_000e9);
            vm.startPrank(users[i]);
            wal.approve(address(system), NO_LIMIT);
            vm.stopPrank();
        }
    }

    // ----- Capacity

    function buy(uint256 who, uint64 size, uint32 start, uint32 epochs) external {
        uint32 epoch = system.epoch();
        size = uint64(bound(size, MIB, 60 * MIB));
        start = uint32(bound(start, 0, AHEAD - 1));
        epochs = uint32(bound(epochs, 1, AHEAD - start));
        start += epoch;
        bool expected = _fits(start, start + epochs, size);
        uint256 cost = _cost(size, epochs);
        vm.prank(_user(who));
        try system.buy(size, start, start + epochs, cost, _user(who)) returns (uint256 id, uint256 got) {
            assertTrue(expected, "sold more than there is");
            assertEq(got, cost);
            _learn(id);
            _book(start, epochs, cost / epochs);
            ++done["buy"];
        } catch {
            assertFalse(expected, "refused though there is room");
        }
    }

    function split(uint256 who, uint256 which, uint32 mid, uint256 amount) external {
        (address user, uint256 id, uint256 balance) = _holding(who, which);
        (uint32 start, uint32 end) = capacity.range(id);
        if (balance == 0 || end - start < 2) return;
        mid = uint32(bound(mid, start + 1, end - 1));
        amount = bound(amount, 1, balance);
        vm.prank(user);
        (uint256 left, uint256 right) = capacity.splitByEpoch(id, mid, amount);
        _learn(left);
        _learn(right);
        ++done["split"];
    }

    function fuse(uint256 who, uint256 which, uint256 other, uint256 amount) external {
        (address user, uint256 left, uint256 balance) = _holding(who, which);
        (uint32 start, uint32 mid) = capacity.range(left);
        for (uint256 i = 0; i < classes.length && balance != 0; ++i) {
            uint256 right = classes[(other % classes.length + i) % classes.length];
            (uint32 rightStart, uint32 end) = capacity.range(right);
            uint256 there = capacity.balanceOf(user, right);
            if (rightStart != mid || there == 0) continue;
            amount = bound(amount, 1, there < balance ? there : balance);
            vm.prank(user);
            uint256 fused = capacity.fuseByEpoch(left, right, amount);
            assertEq(fused, capacity.classOf(start, end));
            _learn(fused);
            ++done["fuse"];
            return;
        }
    }

    function send(uint256 who, uint256 to, uint256 which, uint256 amount) external {
        (address user, uint256 id, uint256 balance) = _holding(who, which);
        amount = bound(amount, 0, balance);
        vm.prank(user);
        capacity.safeTransferFrom(user, _user(to), id, amount, "");
    }

    function normalise(uint256 who, uint256 which, uint256 amount) external {
        (address user, uint256 id, uint256 balance) = _holding(who, which);
        (uint32 start, uint32 end) = capacity.range(id);
        uint32 epoch = system.epoch();
        if (balance == 0 || start >= epoch || end <= epoch) return;
        vm.prank(user);
        _learn(capacity.normalise(id, bound(amount, 1, balance)));
        ++done["normalise"];
    }

    function destroy(uint256 who, uint256 which, uint256 amount) external {
        (address user, uint256 id, uint256 balance) = _holding(who, which);
        if (balance == 0) return;
        // Little at a time, or nothing would be left to play with.
        amount = bound(amount, 1, balance / 8 + 1);
        (uint32 start, uint32 end) = capacity.range(id);
        vm.prank(user);
        capacity.destroy(id, amount);
        for (uint32 e = start; e < end; ++e) {
            destroyed[e] += amount;
        }
        ++done["destroy"];
    }

    // ----- Blobs

    function register(uint256 who, uint256 which, uint64 size, bool deletable, uint256 root) external {
        (address user, uint256 id, uint256 balance) = _holding(who, which);
        (uint32 start, uint32 end) = capacity.range(id);
        uint32 epoch = system.epoch();
        RegisterArgs memory a = _args(bytes32(root % 4), uint64(bound(size, 1, 1_800_000)), deletable, user);
        a.capacityId = id;
        (uint64 encoded,, uint256 fee) = system.quote(a.size, 1);
        bool expected = balance >= encoded && start <= epoch && end > epoch;
        vm.prank(user);
        try system.register(a) returns (uint256 tokenId, bytes32) {
            assertTrue(expected, "registered without capacity");
            lowestEnd[tokenId] = end;
            _book(epoch, 1, fee);
            ++done["register"];
        } catch {
            assertFalse(expected, "capacity not accepted");
        }
    }

    function buyAndRegister(uint256 who, uint64 size, uint32 epochs, bool deletable, uint256 root) external {
        uint32 epoch = system.epoch();
        epochs = uint32(bound(epochs, 1, AHEAD));
        RegisterArgs memory a = _args(bytes32(root % 4), uint64(bound(size, 1, 1_800_000)), deletable, _user(who));
        (uint64 encoded, uint256 cost, uint256 fee) = system.quote(a.size, epochs);
        bool expected = _fits(epoch, epoch + epochs, encoded);
        vm.prank(_user(who));
        try system.buyAndRegister(a, epochs, cost) returns (uint256 tokenId, bytes32) {
            assertTrue(expected, "sold more than there is");
            lowestEnd[tokenId] = epoch + epochs;
            _book(epoch, epochs, cost / epochs);
            _book(epoch, 1, fee);
            ++done["buyAndRegister"];
        } catch {
            assertFalse(expected, "refused though there is room");
        }
    }

    /// Certificates of any signers: only a quorum counts, and only once.
    function certify(uint256 which, uint256 signers) external {
        uint256 tokenId = _token(which);
        if (tokenId == 0) return;
        BlobRecord memory r = blobs.record(tokenId);
        signers = bound(signers, 1, 15);
        uint256 weight = _weight(signers);
        bool open = r.certifiedEpoch == 0 && r.endEpoch > system.epoch() && !_retired(r) && !invalid[r.blobId];
        Cert memory c = _certificate(_confirmation(tokenId), signers);
        vm.prank(CAROL);
        try system.certify(tokenId, c) {
            assertTrue(open && weight >= 7, "certified without a quorum");
            quorumSigned[tokenId] = true;
            ++done["certify"];
        } catch {
            assertFalse(open && weight >= 7, "a good certificate was refused");
        }
    }

    /// What all members signed, but for another epoch, network, kind or blob, and bitmaps that claim more than signed.
    function forge(uint256 which, uint256 kind) external {
        uint256 tokenId = _token(which);
        if (tokenId == 0) return;
        BlobRecord memory r = blobs.record(tokenId);
        uint32 epoch = system.epoch();
        bytes32 domain = committees.domain();
        bytes memory message = _confirmation(tokenId);
        uint256 signers = 15;
        kind %= 6;
        if (kind == 0) message = Intent.permanentConfirmation(epoch - 1, domain, r.blobId);
        else if (kind == 1) message = Intent.permanentConfirmation(epoch + 1, domain, r.blobId);
        else if (kind == 2) message = Intent.permanentConfirmation(epoch, keccak256(abi.encode(domain)), r.blobId);
        else if (kind == 3) message = Intent.deletableConfirmation(epoch, domain, r.blobId, tokenId + 1);
        else if (kind == 4) message = Intent.invalidBlobId(epoch, domain, r.blobId);
        else signers = 7;
        Cert memory c = _certificate(message, signers);
        if (kind == 5) c.signers = 15;
        for (uint256 extra = 0; extra < 2; ++extra) {
            try system.certify(tokenId, c) {
                assertTrue(false, "a forged certificate was accepted");
            } catch { }
            // A bit of a seat that nobody has makes an honest one bad too.
            c = _certificate(_confirmation(tokenId), 15);
            c.signers |= 16;
        }
        ++done["forge"];
    }

    function extend(uint256 who, uint256 which, uint32 epochs) external {
        uint256 tokenId = _token(which);
        if (tokenId == 0) return;
        BlobRecord memory r = blobs.record(tokenId);
        uint32 epoch = system.epoch();
        epochs = uint32(bound(epochs, 1, AHEAD));
        uint256 cost = _cost(r.encodedSize, epochs);
        bool expected = r.certifiedEpoch != 0 && r.endEpoch > epoch && !_retired(r) && !invalid[r.blobId]
            && r.endEpoch + epochs <= epoch + AHEAD && _fits(r.endEpoch, r.endEpoch + epochs, r.encodedSize);
        vm.prank(_user(who));
        try system.extend(tokenId, epochs, cost) {
            assertTrue(expected, "extended against the rules");
            _book(r.endEpoch, epochs, cost / epochs);
            lowestEnd[tokenId] = r.endEpoch + epochs;
            ++done["extend"];
        } catch {
            assertFalse(expected, "extension refused");
        }
    }

    /// By capacity: buys the class behind the end, then spends it.
    function extendWithCapacity(uint256 who, uint256 which) external {
        uint256 tokenId = _token(which);
        if (tokenId == 0) return;
        BlobRecord memory r = blobs.record(tokenId);
        uint32 epoch = system.epoch();
        bool open = r.certifiedEpoch != 0 && r.endEpoch > epoch && !_retired(r) && !invalid[r.blobId];
        if (!open || r.endEpoch >= epoch + AHEAD || !_fits(r.endEpoch, r.endEpoch + 1, r.encodedSize)) return;
        if (r.encodedSize < MIB) return;
        vm.startPrank(_user(who));
        (uint256 id, uint256 cost) = system.buy(r.encodedSize, r.endEpoch, r.endEpoch + 1, NO_LIMIT, _user(who));
        _learn(id);
        system.extendWithCapacity(tokenId, id);
        vm.stopPrank();
        _book(r.endEpoch, 1, cost);
        lowestEnd[tokenId] = r.endEpoch + 1;
        ++done["extendWithCapacity"];
    }

    function deleteBlob(uint256 which, uint256 to) external {
        uint256 tokenId = _token(which);
        if (tokenId == 0) return;
        BlobRecord memory r = blobs.record(tokenId);
        if (_retired(r)) return;
        bool expected = r.flags & BlobFlags.DELETABLE != 0 && r.endEpoch > system.epoch();
        vm.prank(blobs.ownerOf(tokenId));
        try system.deleteBlob(tokenId, _user(to)) returns (uint256 id) {
            assertTrue(expected, "deleted what must stay");
            _learn(id);
            ++done["deleteBlob"];
        } catch {
            assertFalse(expected, "deletion refused");
        }
    }

    function burn(uint256 which) external {
        uint256 tokenId = _token(which);
        if (tokenId == 0 || _retired(blobs.record(tokenId)) || which % 3 != 0) return;
        vm.prank(blobs.ownerOf(tokenId));
        system.burn(tokenId);
        ++done["burn"];
    }

    /// Accusations by any signers: one honest node must be among them. Seldom, or nothing valid would be left.
    function invalidate(uint256 which, uint256 signers) external {
        uint256 tokenId = _token(which);
        if (tokenId == 0 || which % 4 != 0) return;
        bytes32 blobId = blobs.record(tokenId).blobId;
        signers = bound(signers, 1, 15);
        uint256 weight = _weight(signers);
        bool expected = weight >= 4 && !invalid[blobId];
        bytes memory message = Intent.invalidBlobId(system.epoch(), committees.domain(), blobId);
        Cert memory c = _certificate(message, signers);
        try system.invalidateBlobId(blobId, c) {
            assertTrue(expected, "invalidated by liars alone");
            invalid[blobId] = true;
            ++done["invalidate"];
        } catch {
            assertFalse(expected, "a good accusation was refused");
        }
    }

    /// Someone who owns nothing of it tries everything that only an owner or a sibling may do.
    function attack(uint256 which) external {
        uint256 tokenId = _token(which);
        address attacker = makeAddr("attacker");
        bytes[6] memory calls = [
            abi.encodeCall(system.deleteBlob, (tokenId, attacker)),
            abi.encodeCall(system.burn, (tokenId)),
            abi.encodeCall(system.setAttribute, (tokenId, "k", "v")),
            abi.encodeCall(system.advanceEpoch, (type(uint64).max, true)),
            abi.encodeCall(system.receiveLeftover, (1e18)),
            abi.encodeCall(system.relog, (tokenId))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(attacker);
            (bool ok,) = address(system).call(calls[i]);
            assertFalse(ok, "a stranger got through");
        }
    }

    // ----- Money and epochs

    function subsidise(uint256 who, uint256 amount, uint32 epochs) external {
        amount = bound(amount, 1, 1000e9);
        epochs = uint32(bound(epochs, 1, AHEAD));
        uint32 epoch = system.epoch();
        vm.prank(_user(who));
        system.addSubsidy(amount, epochs);
        _book(epoch, epochs, amount / epochs);
        _book(epoch, 1, amount % epochs);
        ++done["subsidise"];
    }

    /// WAL sent to the contract by hand changes nothing.
    function donate(uint256 who, uint256 amount) external {
        amount = bound(amount, 0, 1e9);
        vm.prank(_user(who));
        wal.transfer(address(system), amount);
        donated += amount;
    }

    function vote(uint64 nodeCapacity, uint64 storagePrice, uint64 writePrice) external {
        _vote(
            uint64(bound(nodeCapacity, MIB, 400 * MIB)),
            uint64(bound(storagePrice, 0, 10 * STORAGE_PRICE)),
            uint64(bound(writePrice, 0, 10 * WRITE_PRICE))
        );
        system.updatePrices();
        ++done["vote"];
    }

    function nextEpoch() external {
        uint32 epoch = system.epoch();
        uint256 supply = wal.totalSupply();
        uint256 rewards = plainRewards[epoch];
        uint256 leftover = wal.balanceOf(address(system));
        _nextEpoch(_seats());
        closed += rewards;
        burned += rewards * 3 / 100;
        assertEq(supply - wal.totalSupply(), rewards * 3 / 100, "three percent burned");
        // What Staking could not share out comes back and counts for the new epoch.
        uint256 back = wal.balanceOf(address(system)) + rewards - leftover;
        if (back != 0) _book(epoch + 1, 1, back);
        _noteTotal();
        ++done["nextEpoch"];
    }

    // ----- Views for the invariants

    function supplyCovering(uint32 epoch) external view returns (uint256 sum) {
        for (uint256 i = 0; i < classes.length; ++i) {
            (uint32 start, uint32 end) = capacity.range(classes[i]);
            if (epoch < start || epoch >= end) continue;
            for (uint256 u = 0; u < users.length; ++u) {
                sum += capacity.balanceOf(users[u], classes[i]);
            }
        }
    }

    function blobsCovering(uint32 epoch) external view returns (uint256 sum) {
        for (uint256 id = 1; id <= blobs.count(); ++id) {
            BlobRecord memory r = blobs.record(id);
            if (r.flags & BlobFlags.DELETED == 0 && r.registeredEpoch <= epoch && epoch < r.endEpoch) {
                sum += r.encodedSize;
            }
        }
    }

    function contracts() external view returns (address, address, address, address) {
        return (address(system), address(blobs), address(wal), address(lens));
    }

    // ----- Internals

    function _vote(uint64 nodeCapacity, uint64 storagePrice, uint64 writePrice) private {
        for (uint32 i = 1; i <= 4; ++i) {
            vm.prank(_operator(i));
            staking.setVotes(i, storagePrice, writePrice, nodeCapacity);
        }
    }

    function _book(uint32 start, uint32 epochs, uint256 perEpoch) private {
        for (uint32 e = start; e < start + epochs; ++e) {
            plainRewards[e] += perEpoch;
        }
        paid += perEpoch * epochs;
    }

    function _fits(uint32 start, uint32 end, uint256 size) private view returns (bool) {
        (uint64 total,) = system.capacity();
        for (uint32 e = start; e < end; ++e) {
            if (system.usedCapacity(e) + size > total) return false;
        }
        return true;
    }

    function _cost(uint256 size, uint32 epochs) private view returns (uint256) {
        (uint64 price,) = system.prices();
        return (size + MIB - 1) / MIB * price * epochs;
    }

    function _noteTotal() private {
        (uint64 total,) = system.capacity();
        if (total > highestTotal) highestTotal = total;
    }

    function _learn(uint256 id) private {
        if (_known[id]) return;
        _known[id] = true;
        classes.push(id);
    }

    function _user(uint256 seed) private view returns (address) {
        return users[seed % users.length];
    }

    /// @dev The first class from `which` on of which somebody, from `who` on, has some.
    function _holding(uint256 who, uint256 which) private view returns (address user, uint256 id, uint256 balance) {
        user = _user(who);
        for (uint256 i = 0; i < classes.length; ++i) {
            id = classes[(which % classes.length + i) % classes.length];
            balance = capacity.balanceOf(user, id);
            if (balance != 0) return (user, id, balance);
        }
        return (user, 0, 0);
    }

    function _token(uint256 seed) private view returns (uint256) {
        uint256 count = blobs.count();
        return count == 0 ? 0 : 1 + seed % count;
    }

    function _retired(BlobRecord memory r) private pure returns (bool) {
        return r.flags & (BlobFlags.BURNED | BlobFlags.DELETED) != 0;
    }

    /// @dev Weights by seat are 3, 3, 2, 2.
    function _weight(uint256 signers) private pure returns (uint256) {
        return 3 * (signers & 1) + 3 * (signers >> 1 & 1) + 2 * (signers >> 2 & 1) + 2 * (signers >> 3 & 1);
    }

    function _seats() private view returns (uint16[] memory) {
        return _equalSeats(10, 4);
    }
}
