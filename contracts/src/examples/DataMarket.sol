// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20, SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { ERC721 } from "solady/tokens/ERC721.sol";
import { IBlobNFT } from "../interfaces/IBlobNFT.sol";
import { IWalrusSystem } from "../interfaces/IWalrusSystem.sol";
import { BlobRecord } from "../types/Blob.sol";

/// @title Example: a market that pays for data once it is certified
/// @notice A buyer puts money behind a blob id. Whoever brings a blob token of this id that is certified, valid and
/// stored for long enough gets the money, and the buyer gets the token. Later than the deadline the buyer takes the money
/// back.
/// @dev The id is a commitment to every byte, and certification proves that the network holds them, so neither side
/// has to trust the other. Deletable tokens are fine: after the sale only the buyer can delete.
contract DataMarket {
    using SafeERC20 for IERC20;

    /// @notice An offer of money for data.
    /// @param buyer Who pays, and receives the token
    /// @param deadline Unix time until which (exclusive) it can be filled
    /// @param minEnd Lowest end epoch of the token
    /// @param price FROST in escrow; 0 once filled or cancelled
    /// @param blobId The data
    struct Offer {
        address buyer;
        uint64 deadline;
        uint32 minEnd;
        uint256 price;
        bytes32 blobId;
    }

    /// @notice Money waits for data.
    event OfferMade(
        uint256 indexed offerId, address indexed buyer, bytes32 indexed blobId, uint256 price, uint64 deadline
    );
    /// @notice The data was sold.
    event OfferFilled(uint256 indexed offerId, address indexed seller, uint256 indexed tokenId);
    /// @notice The buyer took the money back.
    event OfferCancelled(uint256 indexed offerId);

    /// @notice The offer was filled or cancelled, or there never was one.
    error NoSuchOffer(uint256 offerId);
    /// @notice An offer needs a price and a deadline that lies ahead.
    error BadOffer(uint256 price, uint64 deadline);
    /// @notice Too late to fill, or too early to cancel.
    error WrongTime(uint64 time, uint64 deadline);
    /// @notice Not a certified, valid and lasting token of the wanted data.
    error NotTheData(uint256 tokenId);
    /// @notice Only the buyer cancels.
    error NotBuyer(address caller);

    IWalrusSystem private immutable SYSTEM;
    IBlobNFT private immutable BLOBS;
    IERC20 private immutable WAL;

    uint256 private _count;
    mapping(uint256 offerId => Offer) private _offers;

    /// @param system `WalrusSystem` proxy, which names the rest
    constructor(IWalrusSystem system) {
        SYSTEM = system;
        BLOBS = IBlobNFT(system.wiring().blobs);
        WAL = IERC20(system.wiring().wal);
    }

    /// @notice Puts `price` FROST of the caller's allowance behind a blob id.
    function makeOffer(bytes32 blobId, uint256 price, uint32 minEnd, uint64 deadline)
        external
        returns (uint256 offerId)
    {
        if (price == 0 || deadline <= block.timestamp) revert BadOffer(price, deadline);
        offerId = ++_count;
        _offers[offerId] = Offer(msg.sender, deadline, minEnd, price, blobId);
        emit OfferMade(offerId, msg.sender, blobId, price, deadline);
        WAL.safeTransferFrom(msg.sender, address(this), price);
    }

    /// @notice Sells the caller's blob token, which this contract must be approved for.
    function fill(uint256 offerId, uint256 tokenId) external {
        Offer memory o = _take(offerId);
        if (block.timestamp >= o.deadline) revert WrongTime(uint64(block.timestamp), o.deadline);
        BlobRecord memory r = BLOBS.record(tokenId);
        bool good = r.blobId == o.blobId && r.endEpoch >= o.minEnd && SYSTEM.isTokenAvailable(tokenId);
        if (!good) revert NotTheData(tokenId);
        emit OfferFilled(offerId, msg.sender, tokenId);
        ERC721(address(BLOBS)).transferFrom(msg.sender, o.buyer, tokenId);
        WAL.safeTransfer(msg.sender, o.price);
    }

    /// @notice Gives the money back after the deadline. Only the buyer.
    function cancel(uint256 offerId) external {
        Offer memory o = _take(offerId);
        if (msg.sender != o.buyer) revert NotBuyer(msg.sender);
        if (block.timestamp < o.deadline) revert WrongTime(uint64(block.timestamp), o.deadline);
        emit OfferCancelled(offerId);
        WAL.safeTransfer(o.buyer, o.price);
    }

    /// @notice An open offer; all zero once it is filled or cancelled.
    function offer(uint256 offerId) external view returns (Offer memory) {
        return _offers[offerId];
    }

    /// @dev Closes an offer and returns it.
    function _take(uint256 offerId) private returns (Offer memory o) {
        o = _offers[offerId];
        if (o.price == 0) revert NoSuchOffer(offerId);
        delete _offers[offerId];
    }
}
