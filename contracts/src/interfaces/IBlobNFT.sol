// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { BlobRecord } from "../types/Blob.sol";

/// @title Blobs as ERC-721
/// @notice Token ids count from 1 without gaps. A record outlives its token, so the chain's state alone tells a node
/// what to store. Everything that changes a record goes through `WalrusSystem`.
interface IBlobNFT {
    /// @notice The caller is not `WalrusSystem`.
    error NotSystem(address caller);
    /// @notice No blob was registered under this token id.
    error UnknownBlob(uint256 tokenId);
    /// @notice A key must have 1..64 bytes.
    error BadAttributeKey(uint256 length);
    /// @notice A value must have 1..1,024 bytes.
    error BadAttributeValue(uint256 length);
    /// @notice The token has the most attributes it can have.
    error TooManyAttributes(uint256 tokenId, uint256 limit);
    /// @notice The token has no such attribute.
    error UnknownAttribute(uint256 tokenId, string key);

    /// @notice Mints the next token and writes its record. Only `WalrusSystem`.
    function mint(address to, BlobRecord calldata record_) external returns (uint256 tokenId);

    /// @notice Notes the first certification. Only `WalrusSystem`.
    function setCertified(uint256 tokenId, uint32 epoch, uint32 logIndex) external;

    /// @notice Moves the end epoch. Only `WalrusSystem`.
    function setEnd(uint256 tokenId, uint32 endEpoch) external;

    /// @notice Burns the token, keeps the record and adds `flag` to it. Only `WalrusSystem`.
    function retire(uint256 tokenId, uint8 flag) external;

    /// @notice Sets an attribute. Only `WalrusSystem`.
    function setAttribute(uint256 tokenId, string calldata k, string calldata v) external;

    /// @notice Removes an attribute. Only `WalrusSystem`.
    function removeAttribute(uint256 tokenId, string calldata k) external;

    /// @notice The record of a token, live or retired. Reverts with `UnknownBlob`.
    function record(uint256 tokenId) external view returns (BlobRecord memory);

    /// @notice Number of tokens ever minted, which is also the highest token id.
    function count() external view returns (uint64);

    /// @notice Whether `account` owns the token or may act for its owner.
    function isApprovedOrOwner(address account, uint256 tokenId) external view returns (bool);

    /// @notice Owner of a live token. Reverts for a retired or unknown one.
    function ownerOf(uint256 tokenId) external view returns (address);

    /// @notice Value of one attribute; empty when there is none.
    function attribute(uint256 tokenId, string calldata k) external view returns (string memory);

    /// @notice All attributes of a live token.
    function attributes(uint256 tokenId) external view returns (string[] memory keys, string[] memory values);
}
