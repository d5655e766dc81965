// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { RegisterArgs } from "../types/Blob.sol";
import { Cert } from "../types/Cert.sol";
import { IWired } from "./IWired.sol";

/// @title Storage market and life of blobs
/// @notice Sells storage capacity, registers and certifies blobs, keeps prices and the accounting of used bytes and
/// of rewards. Amounts are FROST, sizes are bytes; `E` is the current epoch; `units(b) = ceil(b / 1 MiB)`.
interface IWalrusSystem is IWired {
    /// @notice A blob was registered; storage nodes may now be sent its slivers.
    event BlobRegistered(
        uint32 epoch,
        bytes32 indexed blobId,
        uint64 size,
        uint8 encodingType,
        uint32 endEpoch,
        bool deletable,
        uint256 indexed tokenId
    );
    /// @notice A blob was certified for the first time, or its end epoch was moved (`isExtension`).
    /// @dev `epoch` is the current epoch. `logIndex` counts entries of the certified log from 0; the indexes of first
    /// certifications and of `LogEntryMoved` together have no gaps. An extension repeats the index of the token.
    event BlobCertified(
        uint32 epoch,
        bytes32 indexed blobId,
        uint32 endEpoch,
        bool deletable,
        uint256 indexed tokenId,
        bool isExtension,
        uint32 logIndex
    );
    /// @notice The owner deleted a deletable blob.
    event BlobDeleted(
        uint32 epoch, bytes32 indexed blobId, uint32 endEpoch, uint256 indexed tokenId, bool wasCertified
    );
    /// @notice The owner dropped the token of a blob; the data stays stored until its end epoch.
    event BlobBurned(uint32 epoch, bytes32 indexed blobId, uint256 indexed tokenId);
    /// @notice At least one honest node found that this id does not stand for a correctly encoded blob.
    event BlobIdInvalidated(uint32 epoch, bytes32 indexed blobId);
    /// @notice An attribute of a blob changed. An empty `value` means that it was removed.
    event BlobAttributeSet(uint256 indexed tokenId, string key, string value);
    /// @notice Capacity tokens were sold.
    event CapacityBought(uint256 indexed capacityId, address indexed to, uint64 size, uint256 paid);
    /// @notice A live blob was moved from the start of the certified log to its end (`IChallenges.compactLog`).
    event LogEntryMoved(uint256 indexed tokenId, uint32 from, uint32 to);
    /// @notice Both prices were recomputed from the votes of the committee.
    event PricesUpdated(uint32 epoch, uint64 storagePrice, uint64 writePrice);
    /// @notice Someone added rewards for the epochs `[firstEpoch, firstEpoch + epochs)`.
    event SubsidyAdded(address indexed from, uint256 amount, uint32 firstEpoch, uint32 epochs);
    /// @notice Rewards that nobody received were added to those of `epoch`: those of an ended epoch whose challenge was
    /// void, or what rounding left over.
    event RewardsCarried(uint32 indexed epoch, uint256 amount);

    /// @notice The guardian stopped new sales and registrations for a while.
    error SalesPaused();
    /// @notice Less than the smallest purchase (1 MiB).
    error SizeBelowMinimum(uint64 size, uint64 minimum);
    /// @notice The range is empty, once its start is raised to the current epoch.
    error EmptyRange(uint32 start, uint32 end);
    /// @notice The range ends later than storage is sold.
    error TooFarAhead(uint32 end, uint32 latest);
    /// @notice An epoch of the range has not enough free capacity.
    error CapacityExceeded(uint32 epoch, uint256 wanted, uint256 total);
    /// @notice The price of the storage is above the caller's limit.
    error PaymentAboveMax(uint256 payment, uint256 maxPayment);
    /// @notice The write fee is above the caller's limit.
    error WriteFeeAboveMax(uint256 fee, uint256 maxWriteFee);
    /// @notice Only encoding type 1 can be registered.
    error UnknownEncodingType(uint8 encodingType);
    /// @notice The capacity class does not cover the current epoch.
    error CapacityNotUsable(uint256 capacityId, uint32 epoch);
    /// @notice The class is not `(end of the blob, later epoch)`.
    error CapacityDoesNotExtend(uint256 capacityId, uint32 blobEnd);
    /// @notice The blob is certified already.
    error AlreadyCertified(uint256 tokenId);
    /// @notice The blob is not certified.
    error NotCertified(uint256 tokenId);
    /// @notice The blob's end epoch is reached.
    error BlobExpired(uint256 tokenId, uint32 endEpoch, uint32 epoch);
    /// @notice The token was burned or its blob deleted.
    error BlobRetired(uint256 tokenId);
    /// @notice The blob id was found invalid.
    error BlobIdIsInvalid(bytes32 blobId);
    /// @notice The blob was registered as permanent.
    error NotDeletable(uint256 tokenId);
    /// @notice The caller neither owns the blob token nor is approved for it.
    error NotBlobOwner(uint256 tokenId, address caller);
    /// @notice No committee serves yet.
    error NotStarted();
    /// @notice A subsidy needs an amount and 1..maxEpochsAhead epochs.
    error BadSubsidy(uint256 amount, uint32 epochs);

    /// @notice Buys capacity for `[max(start, E), end)` and mints it to `to` as an ERC-1155 class.
    /// @dev Reverts with `SizeBelowMinimum`, `EmptyRange`, `TooFarAhead`, `CapacityExceeded`, `PaymentAboveMax`,
    /// `SalesPaused`.
    /// @param size Bytes of encoded size, at least 1 MiB
    /// @param start First epoch; raised to E when it lies in the past
    /// @param end First epoch no longer covered, at most `E + maxEpochsAhead`
    /// @param maxPayment Largest payment accepted
    /// @param to Receiver; called back when it has code
    /// @return capacityId Class minted: `start << 32 | end`
    /// @return paid `storagePrice * units(size) * (end - start)`, taken from the caller's allowance
    function buy(uint64 size, uint32 start, uint32 end, uint256 maxPayment, address to)
        external
        returns (uint256 capacityId, uint256 paid);

    /// @notice Registers a blob, spending exactly its encoded size of the caller's capacity and the write fee.
    /// @dev Reverts with `UnknownEncodingType`, `BlobTooLarge`, `CapacityNotUsable`, `WriteFeeAboveMax`, `SalesPaused`.
    function register(RegisterArgs calldata a) external returns (uint256 tokenId, bytes32 blobId);

    /// @notice Buys exactly the needed capacity for `[E, E + epochs)` and registers the blob in one call.
    /// @param a As in `register`; `capacityId` is ignored
    /// @param epochs Number of epochs, the current one counted; 1..maxEpochsAhead
    /// @param maxPayment Largest payment for the storage; the write fee is bounded by `a.maxWriteFee`
    function buyAndRegister(RegisterArgs calldata a, uint32 epochs, uint256 maxPayment)
        external
        returns (uint256 tokenId, bytes32 blobId);

    /// @notice Certifies a registered blob with a quorum certificate of the current committee. Open to anyone.
    /// @dev The signed message is type 1 of `Intent`. A certificate for a permanent blob serves every permanent token
    /// of that blob id; one for a deletable blob names the token. Reverts with `AlreadyCertified`, `BlobExpired`,
    /// `BlobRetired`, `BlobIdIsInvalid`, or as `ICommittees.verify`.
    function certify(uint256 tokenId, Cert calldata c) external;

    /// @notice Moves the end epoch of a certified blob, paying for its encoded size. Open to anyone.
    function extend(uint256 tokenId, uint32 epochs, uint256 maxPayment) external;

    /// @notice Moves the end epoch of a certified blob, spending the caller's capacity of class `(blob end, new end)`.
    function extendWithCapacity(uint256 tokenId, uint256 capacityId) external;

    /// @notice Deletes an unexpired deletable blob and mints the rest of its capacity, class `(E, end)`.
    /// @dev Only the owner of the token or an account approved for it.
    function deleteBlob(uint256 tokenId, address capacityTo) external returns (uint256 capacityId);

    /// @notice Drops the token of a blob, permanent or not. Storage nodes keep the data until the end epoch.
    /// @dev Only the owner of the token or an account approved for it.
    function burn(uint256 tokenId) external;

    /// @notice Sets an attribute: key of 1..64 bytes, value of 1..1,024 bytes, at most 32 pairs for a token.
    /// @dev Only the owner of the token or an account approved for it.
    function setAttribute(uint256 tokenId, string calldata k, string calldata v) external;

    /// @notice Removes an attribute.
    /// @dev Only the owner of the token or an account approved for it.
    function removeAttribute(uint256 tokenId, string calldata k) external;

    /// @notice Marks a blob id as invalid with a certificate of `Threshold.OneHonest`. Open to anyone.
    /// @dev The signed message is type 2 of `Intent`.
    function invalidateBlobId(bytes32 blobId, Cert calldata c) external;

    /// @notice Adds `amount` to the rewards of the next `epochs` epochs, the current one counted, evenly and the
    /// remainder to the first. Open to anyone.
    function addSubsidy(uint256 amount, uint32 epochs) external;

    /// @notice Recomputes both prices from the votes of the current committee. Open to anyone; epoch 1 and later.
    function updatePrices() external;

    /// @notice Uses a signed ERC-2612 approval of the caller for this contract; meant for `multicall`.
    /// @dev A permit that somebody else has already submitted is passed over.
    function permit(uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external;

    /// @notice Moves to the next epoch. Only `EpochManager`.
    /// @dev Sends the rewards of the ended epoch, less the burned part, to `Staking` and calls `receiveRewards` there,
    /// also when there are none.
    /// @param votedCapacity Total capacity in bytes the next committee voted for; raised to what is used already
    /// @param carry Whether all rewards of the ended epoch move into the new one, unburned (a void challenge)
    /// @return newEpoch The epoch that starts
    /// @return rewards Rewards of the ended epoch, the burned part included; 0 when carried
    /// @return burned `floor(3 rewards / 100)`
    function advanceEpoch(uint64 votedCapacity, bool carry)
        external
        returns (uint32 newEpoch, uint256 rewards, uint256 burned);

    /// @notice Books WAL that `Staking` has sent back, what rounding left of an ended epoch, as rewards of the current
    /// epoch. Only `Staking`.
    function receiveLeftover(uint256 amount) external;

    /// @notice Appends a live blob to the certified log once more; its old entry no longer counts. Only `Challenges`.
    function relog(uint256 tokenId) external returns (uint32 logIndex);

    /// @notice Takes note of the block from which on deletions and invalid ids no longer change the samples of `epoch_`.
    /// Only `Challenges`.
    function noteSeedBlock(uint32 epoch_, uint64 seedBlock) external;

    /// @notice The current epoch `E`.
    function epoch() external view returns (uint32);

    /// @notice FROST per started MiB of encoded size: per epoch stored, and once per registration.
    /// @dev Both are `type(uint64).max` until the first `updatePrices`.
    function prices() external view returns (uint64 storagePrice, uint64 writePrice);

    /// @notice Bytes the network offers in the current epoch, and bytes sold of them.
    function capacity() external view returns (uint64 total, uint64 used);

    /// @notice Bytes sold for `epoch_`, which must be in `[E, E + maxEpochsAhead)`; 0 otherwise.
    function usedCapacity(uint32 epoch_) external view returns (uint64);

    /// @notice Encoded size of a blob, and what it costs to store it for `epochs` epochs at the present prices.
    function quote(uint64 size, uint32 epochs)
        external
        view
        returns (uint64 encodedSize, uint256 storagePayment, uint256 writeFee);

    /// @notice Rewards collected for `epoch_`, which must be E or later: payments, fees and subsidies.
    function rewardsOf(uint32 epoch_) external view returns (uint256);

    /// @notice Highest end epoch of the certified permanent tokens of a blob id; 0 if there was none.
    function liveUntil(bytes32 blobId) external view returns (uint32);

    /// @notice Whether the blob id was found invalid.
    function isInvalid(bytes32 blobId) external view returns (bool);

    /// @notice Whether a certified permanent token of this id is live and the id is not invalid.
    function isAvailable(bytes32 blobId) external view returns (bool);

    /// @notice Unix time before which the certified permanent tokens of a blob id cannot expire; 0 unless `isAvailable`.
    /// @dev A lower bound that only rises: epochs last `epochDuration` or longer. `startedAt + (liveUntil - E) * D`.
    function storedUntil(bytes32 blobId) external view returns (uint64);

    /// @notice Whether this token keeps its blob stored: certified, neither expired nor deleted, and its id not invalid.
    /// @dev A burned token does. The owner of a deletable one can end it at any time. Reverts with `UnknownBlob`.
    function isTokenAvailable(uint256 tokenId) external view returns (bool);

    /// @notice Length of the certified log, which is the next `logIndex`.
    function certifiedCount() external view returns (uint32);

    /// @notice Entry `index` of the certified log. It counts only while the record of the token points at it.
    /// @return tokenId The certified token
    /// @return cumulativeUnits Started MiB of encoded size of all entries up to and with this one
    function logEntry(uint256 index) external view returns (uint64 tokenId, uint64 cumulativeUnits);

    /// @notice Up to `count` entries of the certified log from `from` on; fewer at its end.
    function logEntries(uint256 from, uint256 count)
        external
        view
        returns (uint64[] memory tokenIds, uint64[] memory cumulativeUnits);

    /// @notice Block in which the blob id was found invalid; 0 while it is not.
    function invalidSince(bytes32 blobId) external view returns (uint64 blockNumber);

    /// @notice The epoch in which the blob was deleted, if that was in the seed block of that epoch's challenge or
    /// later; else 0.
    function deletedAfterSeed(uint256 tokenId) external view returns (uint32 epoch_);
}
