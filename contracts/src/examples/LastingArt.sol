// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20, SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { ERC721 } from "solady/tokens/ERC721.sol";
import { LibString } from "solady/utils/LibString.sol";
import { IBlobNFT } from "../interfaces/IBlobNFT.sol";
import { IWalrusSystem } from "../interfaces/IWalrusSystem.sol";

/// @title Example: an NFT whose artwork is there until a date
/// @notice A token can be minted only when the network has promised to store its artwork until the date the artist
/// names. Anyone may prolong the promise later by paying for the storage.
/// @dev Shows `storedUntil`, which turns epochs into time, and `extend`, which anyone may pay. Only certified permanent
/// blobs count, so nobody, the artist included, can take the artwork away before the date.
contract LastingArt is ERC721 {
    using SafeERC20 for IERC20;

    /// @notice What a token shows, and until when at least.
    /// @param blobId Artwork
    /// @param until Unix time until which it is stored at least
    struct Piece {
        bytes32 blobId;
        uint64 until;
    }

    /// @notice A piece was minted.
    event PieceMinted(uint256 indexed tokenId, bytes32 indexed blobId, uint64 until);
    /// @notice The artwork of a piece is now stored until a later time.
    event PieceProlonged(uint256 indexed tokenId, uint64 until);

    /// @notice The artwork is not stored for long enough.
    error NotStoredUntil(bytes32 blobId, uint64 wanted, uint64 promised);
    /// @notice The blob token is not one of this artwork.
    error OtherBlob(uint256 blobToken, bytes32 blobId);

    /// @notice Extending this blob token would not keep the artwork any longer.
    error NotProlonged(uint256 blobToken);

    IWalrusSystem private immutable SYSTEM;
    IBlobNFT private immutable BLOBS;
    IERC20 private immutable WAL;

    uint256 private _count;
    mapping(uint256 tokenId => Piece) private _pieces;

    /// @param system `WalrusSystem` proxy, which names the rest
    constructor(IWalrusSystem system) {
        SYSTEM = system;
        BLOBS = IBlobNFT(system.wiring().blobs);
        WAL = IERC20(system.wiring().wal);
        WAL.approve(address(system), type(uint256).max);
    }

    /// @notice Mints a piece whose artwork is stored until `until` at least.
    function mint(address to, bytes32 blobId, uint64 until) external returns (uint256 tokenId) {
        uint64 promised = SYSTEM.storedUntil(blobId);
        if (promised < until) revert NotStoredUntil(blobId, until, promised);
        tokenId = ++_count;
        _pieces[tokenId] = Piece(blobId, until);
        emit PieceMinted(tokenId, blobId, until);
        _mint(to, tokenId);
    }

    /// @notice Pays for `epochs` more epochs of the artwork out of the caller's WAL allowance.
    /// @param blobToken A permanent blob token of the artwork
    /// @param maxPayment Most FROST to pay; what is not needed goes back
    function prolong(uint256 tokenId, uint256 blobToken, uint32 epochs, uint256 maxPayment) external {
        Piece storage piece = _pieces[tokenId];
        if (BLOBS.record(blobToken).blobId != piece.blobId) revert OtherBlob(blobToken, piece.blobId);
        uint64 present = SYSTEM.storedUntil(piece.blobId);
        uint256 before = WAL.balanceOf(address(this));
        WAL.safeTransferFrom(msg.sender, address(this), maxPayment);
        SYSTEM.extend(blobToken, epochs, maxPayment);
        WAL.safeTransfer(msg.sender, WAL.balanceOf(address(this)) - before);
        uint64 promised = SYSTEM.storedUntil(piece.blobId);
        // The payment may have gone to a deletable token, or to one that ends before another.
        if (promised <= present) revert NotProlonged(blobToken);
        if (promised <= piece.until) return;
        piece.until = promised;
        emit PieceProlonged(tokenId, promised);
    }

    /// @notice A piece, and whether its artwork is there now.
    function pieceOf(uint256 tokenId) external view returns (Piece memory piece, bool available) {
        piece = _pieces[tokenId];
        available = SYSTEM.isAvailable(piece.blobId);
    }

    /// @notice Name of the collection.
    function name() public pure override returns (string memory) {
        return "Lasting Art";
    }

    /// @notice Symbol of the collection.
    function symbol() public pure override returns (string memory) {
        return "LAST";
    }

    /// @notice `walrus://` and the blob id in hexadecimal.
    function tokenURI(uint256 tokenId) public view override returns (string memory) {
        if (!_exists(tokenId)) revert TokenDoesNotExist();
        return string.concat("walrus://", LibString.toHexStringNoPrefix(uint256(_pieces[tokenId].blobId), 32));
    }
}
