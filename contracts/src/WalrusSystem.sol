// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20, SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { Multicall } from "@openzeppelin/contracts/utils/Multicall.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { Wired } from "./Wired.sol";
import { WiredUpgradeable } from "./WiredUpgradeable.sol";
import { IBlobNFT } from "./interfaces/IBlobNFT.sol";
import { ICommittees } from "./interfaces/ICommittees.sol";
import { IEpochManager } from "./interfaces/IEpochManager.sol";
import { IStaking } from "./interfaces/IStaking.sol";
import { IStorageCapacity } from "./interfaces/IStorageCapacity.sol";
import { IUpgradeGate } from "./interfaces/IUpgradeGate.sol";
import { IWAL } from "./interfaces/IWAL.sol";
import { IWalrusSystem } from "./interfaces/IWalrusSystem.sol";
import { Accounting } from "./libraries/Accounting.sol";
import { BlobId } from "./libraries/BlobId.sol";
import { CertifiedLog } from "./libraries/CertifiedLog.sol";
import { Intent } from "./libraries/Intent.sol";
import { RedStuffMath } from "./libraries/RedStuffMath.sol";
import { BlobFlags, BlobRecord, RegisterArgs } from "./types/Blob.sol";
import { Cert, Threshold } from "./types/Cert.sol";
import { Parameters, Wiring } from "./types/Wiring.sol";

/// @title Storage market and life of blobs
contract WalrusSystem is IWalrusSystem, WiredUpgradeable, ReentrancyGuardTransient, Multicall {
    using Accounting for Accounting.Books;
    using CertifiedLog for CertifiedLog.Log;
    using SafeERC20 for IERC20;

    /// @notice Smallest purchase of `buy` in bytes.
    uint64 public constant MIN_PURCHASE = 1 << 20;
    /// @notice Percentage of an epoch's rewards that is burned.
    uint256 public constant BURN_PERCENT = 3;
    /// @notice The one encoding that can be registered.
    uint8 public constant ENCODING_TYPE = 1;

    /// @dev What is known about a blob id, over all its tokens.
    struct IdStatus {
        uint32 liveUntil;
        uint64 invalidSince;
    }

    /// @custom:storage-location erc7201:walrus.WalrusSystem
    /// @dev The first five fields share a slot.
    struct Layout {
        uint32 epoch;
        uint32 certifiedCount;
        uint64 storagePrice;
        uint64 writePrice;
        uint64 totalCapacity;
        Accounting.Books books;
        mapping(bytes32 blobId => IdStatus) ids;
        CertifiedLog.Log log;
        uint32 seedEpoch;
        uint64 seedBlock;
        mapping(uint256 tokenId => uint32 epoch) deletedAfterSeed;
    }

    /// @dev keccak256(abi.encode(uint256(keccak256("walrus.WalrusSystem")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant LAYOUT_SLOT = 0xbbdfd72ea0c14445aed32995f5f5e235b7826fdf595884e0643a106e2b8aee00;

    constructor(Wiring memory w, Parameters memory p) Wired(w, p) { }

    /// @notice Sets both prices to the maximum; called by the transaction that creates the proxy.
    function initialize() external initializer {
        Layout storage l = _layout();
        l.storagePrice = type(uint64).max;
        l.writePrice = type(uint64).max;
    }

    // ----- Buying and registering

    /// @inheritdoc IWalrusSystem
    function buy(uint64 size, uint32 start, uint32 end, uint256 maxPayment, address to)
        external
        nonReentrant
        returns (uint256 capacityId, uint256 paid)
    {
        _requireNotPaused();
        if (size < MIN_PURCHASE) revert SizeBelowMinimum(size, MIN_PURCHASE);
        Layout storage l = _layout();
        if (start < l.epoch) start = l.epoch;
        paid = _purchase(l, size, start, end, maxPayment);
        capacityId = IStorageCapacity(CAPACITY).classOf(start, end);
        emit CapacityBought(capacityId, to, size, paid);
        _collect(paid);
        // Last, because the receiver is called back.
        IStorageCapacity(CAPACITY).mint(to, capacityId, size);
    }

    /// @inheritdoc IWalrusSystem
    function register(RegisterArgs calldata a) external nonReentrant returns (uint256 tokenId, bytes32 blobId) {
        _requireNotPaused();
        Layout storage l = _layout();
        (uint32 start, uint32 end) = IStorageCapacity(CAPACITY).range(a.capacityId);
        if (start > l.epoch || end <= l.epoch) revert CapacityNotUsable(a.capacityId, l.epoch);
        uint256 encodedSize = _encodedSize(a);
        uint256 fee = _chargeWrite(l, encodedSize, a.maxWriteFee);
        _collect(fee);
        IStorageCapacity(CAPACITY).burn(msg.sender, a.capacityId, encodedSize);
        return _register(l.epoch, a, end, encodedSize);
    }

    /// @inheritdoc IWalrusSystem
    function buyAndRegister(RegisterArgs calldata a, uint32 epochs, uint256 maxPayment)
        external
        nonReentrant
        returns (uint256 tokenId, bytes32 blobId)
    {
        _requireNotPaused();
        Layout storage l = _layout();
        uint32 epoch_ = l.epoch;
        uint256 encodedSize = _encodedSize(a);
        uint32 end = _after(epoch_, epochs);
        uint256 paid = _purchase(l, encodedSize, epoch_, end, maxPayment);
        uint256 fee = _chargeWrite(l, encodedSize, a.maxWriteFee);
        _collect(paid + fee);
        return _register(epoch_, a, end, encodedSize);
    }

    // ----- Life of a blob

    /// @inheritdoc IWalrusSystem
    function certify(uint256 tokenId, Cert calldata c) external {
        Layout storage l = _layout();
        uint32 epoch_ = l.epoch;
        BlobRecord memory r = _live(tokenId, epoch_);
        if (r.certifiedEpoch != 0) revert AlreadyCertified(tokenId);
        IdStatus memory status = l.ids[r.blobId];
        if (status.invalidSince != 0) revert BlobIdIsInvalid(r.blobId);

        bool deletable = r.flags & BlobFlags.DELETABLE != 0;
        bytes32 domain = Intent.domain(block.chainid, COMMITTEES);
        bytes memory message = deletable
            ? Intent.deletableConfirmation(epoch_, domain, r.blobId, tokenId)
            : Intent.permanentConfirmation(epoch_, domain, r.blobId);
        ICommittees(COMMITTEES).verify(epoch_, message, c, Threshold.Quorum);

        uint32 logIndex = _log(l, tokenId, r);
        if (!deletable && r.endEpoch > status.liveUntil) l.ids[r.blobId].liveUntil = r.endEpoch;
        IBlobNFT(BLOBS).setCertified(tokenId, epoch_, logIndex);
        emit BlobCertified(epoch_, r.blobId, r.endEpoch, deletable, tokenId, false, logIndex);
    }

    /// @inheritdoc IWalrusSystem
    function extend(uint256 tokenId, uint32 epochs, uint256 maxPayment) external nonReentrant {
        Layout storage l = _layout();
        BlobRecord memory r = _extendable(l, tokenId);
        uint32 newEnd = _after(r.endEpoch, epochs);
        uint256 paid = _purchase(l, r.encodedSize, r.endEpoch, newEnd, maxPayment);
        _extend(l, tokenId, r, newEnd);
        _collect(paid);
    }

    /// @inheritdoc IWalrusSystem
    function extendWithCapacity(uint256 tokenId, uint256 capacityId) external nonReentrant {
        Layout storage l = _layout();
        BlobRecord memory r = _extendable(l, tokenId);
        (uint32 start, uint32 newEnd) = IStorageCapacity(CAPACITY).range(capacityId);
        if (start != r.endEpoch || newEnd <= start) revert CapacityDoesNotExtend(capacityId, r.endEpoch);
        _extend(l, tokenId, r, newEnd);
        IStorageCapacity(CAPACITY).burn(msg.sender, capacityId, r.encodedSize);
    }

    /// @inheritdoc IWalrusSystem
    function deleteBlob(uint256 tokenId, address capacityTo) external nonReentrant returns (uint256 capacityId) {
        Layout storage l = _layout();
        uint32 epoch_ = l.epoch;
        BlobRecord memory r = _live(tokenId, epoch_);
        if (r.flags & BlobFlags.DELETABLE == 0) revert NotDeletable(tokenId);
        _requireOwner(tokenId);
        if (l.seedEpoch == epoch_ && block.number >= l.seedBlock) l.deletedAfterSeed[tokenId] = epoch_;
        IBlobNFT(BLOBS).retire(tokenId, BlobFlags.DELETED);
        emit BlobDeleted(epoch_, r.blobId, r.endEpoch, tokenId, r.certifiedEpoch != 0);
        capacityId = IStorageCapacity(CAPACITY).classOf(epoch_, r.endEpoch);
        // Last, because the receiver is called back.
        IStorageCapacity(CAPACITY).mint(capacityTo, capacityId, r.encodedSize);
    }

    /// @inheritdoc IWalrusSystem
    function burn(uint256 tokenId) external {
        BlobRecord memory r = IBlobNFT(BLOBS).record(tokenId);
        _requireNotRetired(tokenId, r);
        _requireOwner(tokenId);
        IBlobNFT(BLOBS).retire(tokenId, BlobFlags.BURNED);
        emit BlobBurned(_layout().epoch, r.blobId, tokenId);
    }

    /// @inheritdoc IWalrusSystem
    function setAttribute(uint256 tokenId, string calldata k, string calldata v) external {
        _requireOwner(tokenId);
        IBlobNFT(BLOBS).setAttribute(tokenId, k, v);
        emit BlobAttributeSet(tokenId, k, v);
    }

    /// @inheritdoc IWalrusSystem
    function removeAttribute(uint256 tokenId, string calldata k) external {
        _requireOwner(tokenId);
        IBlobNFT(BLOBS).removeAttribute(tokenId, k);
        emit BlobAttributeSet(tokenId, k, "");
    }

    /// @inheritdoc IWalrusSystem
    function invalidateBlobId(bytes32 blobId, Cert calldata c) external {
        Layout storage l = _layout();
        if (l.ids[blobId].invalidSince != 0) revert BlobIdIsInvalid(blobId);
        bytes memory message = Intent.invalidBlobId(l.epoch, Intent.domain(block.chainid, COMMITTEES), blobId);
        ICommittees(COMMITTEES).verify(l.epoch, message, c, Threshold.OneHonest);
        l.ids[blobId].invalidSince = uint64(block.number);
        emit BlobIdInvalidated(l.epoch, blobId);
    }

    // ----- Prices, rewards, epochs

    /// @inheritdoc IWalrusSystem
    function addSubsidy(uint256 amount, uint32 epochs) external nonReentrant {
        Layout storage l = _layout();
        if (l.epoch == 0) revert NotStarted();
        if (amount == 0 || epochs == 0 || epochs > MAX_EPOCHS_AHEAD) revert BadSubsidy(amount, epochs);
        l.books.subsidise(l.epoch, epochs, amount);
        emit SubsidyAdded(msg.sender, amount, l.epoch, epochs);
        _collect(amount);
    }

    /// @inheritdoc IWalrusSystem
    function updatePrices() external {
        Layout storage l = _layout();
        if (l.epoch == 0) revert NotStarted();
        (uint64 storagePrice, uint64 writePrice) = IEpochManager(EPOCH_MANAGER).votedPrices();
        l.storagePrice = storagePrice;
        l.writePrice = writePrice;
        emit PricesUpdated(l.epoch, storagePrice, writePrice);
    }

    /// @inheritdoc IWalrusSystem
    function permit(uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external {
        // Anyone may have submitted the same signature before; what counts is the allowance when it is spent.
        try IWAL(WAL_TOKEN).permit(msg.sender, address(this), value, deadline, v, r, s) { } catch { }
    }

    /// @inheritdoc IWalrusSystem
    function advanceEpoch(uint64 votedCapacity, bool carry)
        external
        nonReentrant
        returns (uint32 newEpoch, uint256 rewards, uint256 burned)
    {
        _requireCaller(EPOCH_MANAGER);
        Layout storage l = _layout();
        uint32 ended = l.epoch;
        newEpoch = ended + 1;
        rewards = l.books.close(ended);
        l.epoch = newEpoch;
        uint64 used = l.books.used(newEpoch);
        l.totalCapacity = votedCapacity > used ? votedCapacity : used;
        if (carry) {
            l.books.bookOnce(newEpoch, rewards);
            emit RewardsCarried(newEpoch, rewards);
            rewards = 0;
        }
        burned = rewards * BURN_PERCENT / 100;
        if (burned != 0) IWAL(WAL_TOKEN).burn(burned);
        if (rewards != burned) IERC20(WAL_TOKEN).safeTransfer(STAKING, rewards - burned);
        // Also when there are none: the leftover of the epoch before comes back in this call.
        IStaking(STAKING).receiveRewards(ended, rewards - burned);
    }

    /// @inheritdoc IWalrusSystem
    function receiveLeftover(uint256 amount) external {
        // Not `nonReentrant`: it may be part of `advanceEpoch`.
        _requireCaller(STAKING);
        Layout storage l = _layout();
        l.books.bookOnce(l.epoch, amount);
        emit RewardsCarried(l.epoch, amount);
    }

    // ----- Challenges

    /// @inheritdoc IWalrusSystem
    function relog(uint256 tokenId) external returns (uint32 logIndex) {
        _requireCaller(CHALLENGES);
        BlobRecord memory r = IBlobNFT(BLOBS).record(tokenId);
        logIndex = _log(_layout(), tokenId, r);
        IBlobNFT(BLOBS).setCertified(tokenId, r.certifiedEpoch, logIndex);
        emit LogEntryMoved(tokenId, r.logIndex, logIndex);
    }

    /// @inheritdoc IWalrusSystem
    function noteSeedBlock(uint32 epoch_, uint64 seedBlock) external {
        _requireCaller(CHALLENGES);
        Layout storage l = _layout();
        l.seedEpoch = epoch_;
        l.seedBlock = seedBlock;
    }

    // ----- Views

    /// @inheritdoc IWalrusSystem
    function epoch() external view returns (uint32) {
        return _layout().epoch;
    }

    /// @inheritdoc IWalrusSystem
    function prices() external view returns (uint64 storagePrice, uint64 writePrice) {
        Layout storage l = _layout();
        return (l.storagePrice, l.writePrice);
    }

    /// @inheritdoc IWalrusSystem
    function capacity() external view returns (uint64 total, uint64 used) {
        Layout storage l = _layout();
        return (l.totalCapacity, l.books.used(l.epoch));
    }

    /// @inheritdoc IWalrusSystem
    function usedCapacity(uint32 epoch_) external view returns (uint64) {
        Layout storage l = _layout();
        if (epoch_ < l.epoch || uint256(epoch_) >= uint256(l.epoch) + MAX_EPOCHS_AHEAD) return 0;
        return l.books.used(epoch_);
    }

    /// @inheritdoc IWalrusSystem
    function quote(uint64 size, uint32 epochs)
        external
        view
        returns (uint64 encodedSize, uint256 storagePayment, uint256 writeFee)
    {
        Layout storage l = _layout();
        uint256 encoded = RedStuffMath.encodedSize(size, N_SHARDS);
        encodedSize = SafeCast.toUint64(encoded);
        uint256 units = RedStuffMath.units(encoded);
        storagePayment = units * l.storagePrice * epochs;
        writeFee = units * l.writePrice;
    }

    /// @inheritdoc IWalrusSystem
    function rewardsOf(uint32 epoch_) external view returns (uint256) {
        Layout storage l = _layout();
        return l.books.rewards(l.epoch, epoch_);
    }

    /// @inheritdoc IWalrusSystem
    function liveUntil(bytes32 blobId) external view returns (uint32) {
        return _layout().ids[blobId].liveUntil;
    }

    /// @inheritdoc IWalrusSystem
    function isInvalid(bytes32 blobId) external view returns (bool) {
        return _layout().ids[blobId].invalidSince != 0;
    }

    /// @inheritdoc IWalrusSystem
    function isAvailable(bytes32 blobId) external view returns (bool) {
        Layout storage l = _layout();
        IdStatus memory status = l.ids[blobId];
        return status.liveUntil > l.epoch && status.invalidSince == 0;
    }

    /// @inheritdoc IWalrusSystem
    function storedUntil(bytes32 blobId) external view returns (uint64) {
        Layout storage l = _layout();
        IdStatus memory status = l.ids[blobId];
        if (status.liveUntil <= l.epoch || status.invalidSince != 0) return 0;
        uint64 epochs = status.liveUntil - l.epoch;
        return IEpochManager(EPOCH_MANAGER).clock().startedAt + epochs * EPOCH_DURATION;
    }

    /// @inheritdoc IWalrusSystem
    function isTokenAvailable(uint256 tokenId) external view returns (bool) {
        BlobRecord memory r = IBlobNFT(BLOBS).record(tokenId);
        Layout storage l = _layout();
        return r.certifiedEpoch != 0 && r.endEpoch > l.epoch && r.flags & BlobFlags.DELETED == 0
            && l.ids[r.blobId].invalidSince == 0;
    }

    /// @inheritdoc IWalrusSystem
    function certifiedCount() external view returns (uint32) {
        return _layout().certifiedCount;
    }

    /// @inheritdoc IWalrusSystem
    function logEntry(uint256 index) external view returns (uint64 tokenId, uint64 cumulativeUnits) {
        Layout storage l = _layout();
        return l.log.read(index, l.certifiedCount);
    }

    /// @inheritdoc IWalrusSystem
    function logEntries(uint256 from, uint256 count)
        external
        view
        returns (uint64[] memory tokenIds, uint64[] memory cumulativeUnits)
    {
        Layout storage l = _layout();
        uint256 length = l.certifiedCount;
        uint256 left = from < length ? length - from : 0;
        if (count > left) count = left;
        tokenIds = new uint64[](count);
        cumulativeUnits = new uint64[](count);
        for (uint256 i = 0; i < count; ++i) {
            (tokenIds[i], cumulativeUnits[i]) = l.log.read(from + i, length);
        }
    }

    /// @inheritdoc IWalrusSystem
    function invalidSince(bytes32 blobId) external view returns (uint64) {
        return _layout().ids[blobId].invalidSince;
    }

    /// @inheritdoc IWalrusSystem
    function deletedAfterSeed(uint256 tokenId) external view returns (uint32) {
        return _layout().deletedAfterSeed[tokenId];
    }

    // ----- Internals

    /// @dev Reserves `size` bytes for `[start, end)` and books the payment; moves no money.
    function _purchase(Layout storage l, uint256 size, uint32 start, uint32 end, uint256 maxPayment)
        private
        returns (uint256 payment)
    {
        uint32 epoch_ = l.epoch;
        if (end <= start) revert EmptyRange(start, end);
        if (end > epoch_ + MAX_EPOCHS_AHEAD) revert TooFarAhead(end, epoch_ + MAX_EPOCHS_AHEAD);
        uint256 perEpoch = RedStuffMath.units(size) * l.storagePrice;
        payment = perEpoch * (end - start);
        if (payment > maxPayment) revert PaymentAboveMax(payment, maxPayment);
        l.books.reserve(start, end, size, l.totalCapacity);
        l.books.bookPayment(epoch_, start, end, perEpoch);
    }

    /// @dev Books the write fee; moves no money.
    function _chargeWrite(Layout storage l, uint256 encodedSize, uint256 maxWriteFee) private returns (uint256 fee) {
        fee = RedStuffMath.units(encodedSize) * l.writePrice;
        if (fee > maxWriteFee) revert WriteFeeAboveMax(fee, maxWriteFee);
        l.books.bookOnce(l.epoch, fee);
    }

    function _register(uint32 epoch_, RegisterArgs calldata a, uint32 end, uint256 encodedSize)
        private
        returns (uint256 tokenId, bytes32 blobId)
    {
        blobId = BlobId.derive(a.rootHash, a.encodingType, a.size);
        BlobRecord memory r = BlobRecord({
            blobId: blobId,
            registeredEpoch: epoch_,
            certifiedEpoch: 0,
            endEpoch: end,
            size: a.size,
            encodedSize: SafeCast.toUint48(encodedSize),
            encodingType: a.encodingType,
            flags: a.deletable ? BlobFlags.DELETABLE : 0,
            logIndex: 0
        });
        tokenId = IBlobNFT(BLOBS).mint(a.to, r);
        emit BlobRegistered(epoch_, blobId, a.size, a.encodingType, end, a.deletable, tokenId);
    }

    /// @dev Appends a token to the certified log.
    function _log(Layout storage l, uint256 tokenId, BlobRecord memory r) private returns (uint32 logIndex) {
        logIndex = l.certifiedCount++;
        l.log.append(logIndex, SafeCast.toUint64(tokenId), RedStuffMath.units(r.encodedSize));
    }

    function _extend(Layout storage l, uint256 tokenId, BlobRecord memory r, uint32 newEnd) private {
        bool deletable = r.flags & BlobFlags.DELETABLE != 0;
        if (!deletable && newEnd > l.ids[r.blobId].liveUntil) l.ids[r.blobId].liveUntil = newEnd;
        IBlobNFT(BLOBS).setEnd(tokenId, newEnd);
        emit BlobCertified(l.epoch, r.blobId, newEnd, deletable, tokenId, true, r.logIndex);
    }

    /// @dev Takes `amount` out of the caller's allowance.
    function _collect(uint256 amount) private {
        if (amount != 0) IERC20(WAL_TOKEN).safeTransferFrom(msg.sender, address(this), amount);
    }

    function _encodedSize(RegisterArgs calldata a) private view returns (uint256) {
        if (a.encodingType != ENCODING_TYPE) revert UnknownEncodingType(a.encodingType);
        return RedStuffMath.encodedSize(a.size, N_SHARDS);
    }

    /// @dev The record of a certified, live and valid blob.
    function _extendable(Layout storage l, uint256 tokenId) private view returns (BlobRecord memory r) {
        r = _live(tokenId, l.epoch);
        if (r.certifiedEpoch == 0) revert NotCertified(tokenId);
        if (l.ids[r.blobId].invalidSince != 0) revert BlobIdIsInvalid(r.blobId);
    }

    /// @dev The record of a blob that is neither retired nor expired.
    function _live(uint256 tokenId, uint32 epoch_) private view returns (BlobRecord memory r) {
        r = IBlobNFT(BLOBS).record(tokenId);
        _requireNotRetired(tokenId, r);
        if (r.endEpoch <= epoch_) revert BlobExpired(tokenId, r.endEpoch, epoch_);
    }

    function _requireNotPaused() private view {
        if (IUpgradeGate(UPGRADE_GATE).isPaused()) revert SalesPaused();
    }

    function _requireOwner(uint256 tokenId) private view {
        if (!IBlobNFT(BLOBS).isApprovedOrOwner(msg.sender, tokenId)) revert NotBlobOwner(tokenId, msg.sender);
    }

    function _requireNotRetired(uint256 tokenId, BlobRecord memory r) private pure {
        if (r.flags & (BlobFlags.BURNED | BlobFlags.DELETED) != 0) revert BlobRetired(tokenId);
    }

    /// @dev `from + epochs`, without overflow.
    function _after(uint32 from, uint32 epochs) private pure returns (uint32) {
        return SafeCast.toUint32(uint256(from) + epochs);
    }

    function _layout() private pure returns (Layout storage l) {
        assembly ("memory-safe") {
            l.slot := LAYOUT_SLOT
        }
    }
}
