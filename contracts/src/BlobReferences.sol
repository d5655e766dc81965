// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ERC721 } from "solady/tokens/ERC721.sol";
import { LibString } from "solady/utils/LibString.sol";
import { IBlobNFT } from "./interfaces/IBlobNFT.sol";
import { IBlobReferences } from "./interfaces/IBlobReferences.sol";
import { IWalrusSystem } from "./interfaces/IWalrusSystem.sol";
import { BlobRecord } from "./types/Blob.sol";
import { ReferenceFlags, ReferenceRecord, Target } from "./types/Reference.sol";

/// @title Mutable references
/// @dev The extra data of a token counts its transfers; updaters are kept per count, so that a sale clears them.
contract BlobReferences is IBlobReferences, ERC721 {
    /// @notice The proxy of `WalrusSystem`.
    address public immutable SYSTEM;
    /// @notice The blob tokens.
    address public immutable BLOBS;

    uint64 private _count;
    mapping(uint256 refId => ReferenceRecord) private _records;
    mapping(uint256 refId => mapping(uint96 ownership => mapping(address who => bool))) private _updaters;

    modifier onlyOwnerOf(uint256 refId) {
        if (ownerOf(refId) != msg.sender) revert NotReferenceOwner(refId, msg.sender);
        _;
    }

    /// @param system Proxy of `WalrusSystem`
    /// @param blobs `BlobNFT`
    constructor(address system, address blobs) {
        SYSTEM = system;
        BLOBS = blobs;
    }

    /// @inheritdoc IBlobReferences
    function mint(address to, Target calldata t) external returns (uint256 refId) {
        refId = ++_count;
        // No callback: a receiver cannot interfere.
        _mint(to, refId);
        emit ReferenceCreated(refId, to);
        _point(refId, t, _records[refId]);
    }

    /// @inheritdoc IBlobReferences
    function update(uint256 refId, Target calldata t, uint32 expectedVersion) external {
        if (!mayUpdate(refId, msg.sender)) revert NotUpdater(refId, msg.sender);
        ReferenceRecord memory r = _requireOpen(refId, expectedVersion);
        _point(refId, t, r);
        emit MetadataUpdate(refId);
    }

    /// @inheritdoc IBlobReferences
    function setUpdater(uint256 refId, address who, bool ok) external onlyOwnerOf(refId) {
        _updaters[refId][_getExtraData(refId)][who] = ok;
        emit UpdaterSet(refId, who, ok);
    }

    /// @inheritdoc IBlobReferences
    function freeze(uint256 refId, uint32 expectedVersion) external onlyOwnerOf(refId) {
        _requireOpen(refId, expectedVersion);
        _records[refId].flags |= ReferenceFlags.FROZEN;
        emit ReferenceFrozen(refId);
    }

    /// @inheritdoc IBlobReferences
    function transferAtVersion(address from, address to, uint256 refId, uint32 expectedVersion) external {
        uint32 version = _records[refId].version;
        if (version != expectedVersion) revert WrongVersion(refId, expectedVersion, version);
        _transfer(msg.sender, from, to, refId);
    }

    /// @inheritdoc IBlobReferences
    function resolve(uint256 refId)
        external
        view
        returns (bytes32 blobId, uint64 tokenId, uint32 version, uint32 endEpoch, bool available)
    {
        ReferenceRecord memory r = record(refId);
        (blobId, tokenId, version) = (r.blobId, r.tokenId, r.version);
        IWalrusSystem system = IWalrusSystem(SYSTEM);
        if (tokenId == 0) return (blobId, tokenId, version, system.liveUntil(blobId), system.isAvailable(blobId));
        BlobRecord memory blob = IBlobNFT(BLOBS).record(tokenId);
        endEpoch = blob.endEpoch;
        // Another, permanent token may keep the data beyond the named one.
        available = system.isAvailable(blobId) || system.isTokenAvailable(tokenId);
    }

    /// @inheritdoc IBlobReferences
    function record(uint256 refId) public view returns (ReferenceRecord memory) {
        if (!_exists(refId)) revert UnknownReference(refId);
        return _records[refId];
    }

    /// @inheritdoc IBlobReferences
    function mayUpdate(uint256 refId, address who) public view returns (bool) {
        if (!_exists(refId)) revert UnknownReference(refId);
        return _ownerOf(refId) == who || _updaters[refId][_getExtraData(refId)][who];
    }

    /// @inheritdoc IBlobReferences
    function count() external view returns (uint64) {
        return _count;
    }

    /// @inheritdoc IBlobReferences
    function ownerOf(uint256 refId) public view override(ERC721, IBlobReferences) returns (address) {
        if (!_exists(refId)) revert UnknownReference(refId);
        return super.ownerOf(refId);
    }

    /// @notice ERC-4906 besides what ERC-721 says.
    function supportsInterface(bytes4 interfaceId) public view override returns (bool) {
        return interfaceId == 0x49064906 || super.supportsInterface(interfaceId);
    }

    /// @notice Name of the collection.
    function name() public pure override returns (string memory) {
        return "Walrus Reference";
    }

    /// @notice Symbol of the collection.
    function symbol() public pure override returns (string memory) {
        return "WREF";
    }

    /// @notice A small JSON document with target and version.
    function tokenURI(uint256 refId) public view override returns (string memory) {
        ReferenceRecord memory r = record(refId);
        return string.concat(
            'data:application/json;utf8,{"name":"Walrus reference ',
            LibString.toString(refId),
            '","blobId":"',
            LibString.toHexString(uint256(r.blobId), 32),
            '","patch":',
            LibString.toString(r.patch),
            ',"version":',
            LibString.toString(r.version),
            ',"frozen":',
            r.flags & ReferenceFlags.FROZEN != 0 ? "true}" : "false}"
        );
    }

    /// @dev Writes the next version of a reference.
    function _point(uint256 refId, Target calldata t, ReferenceRecord memory r) private {
        if (t.tokenId != 0 && IBlobNFT(BLOBS).record(t.tokenId).blobId != t.blobId) {
            revert TokenOfOtherBlob(t.tokenId, t.blobId);
        }
        uint32 version = r.version + 1;
        _records[refId] = ReferenceRecord({
            blobId: t.blobId,
            tokenId: t.tokenId,
            version: version,
            updatedAt: uint40(block.timestamp),
            flags: r.flags,
            patch: t.patch
        });
        emit ReferenceUpdated(refId, version, r.blobId, t.blobId, t.tokenId, t.patch, msg.sender);
    }

    function _requireOpen(uint256 refId, uint32 expectedVersion) private view returns (ReferenceRecord memory r) {
        r = _records[refId];
        if (r.flags & ReferenceFlags.FROZEN != 0) revert IsFrozen(refId);
        if (r.version != expectedVersion) revert WrongVersion(refId, expectedVersion, r.version);
    }

    /// @dev Every transfer begins a new ownership, also one to the same account.
    function _beforeTokenTransfer(address from, address, uint256 refId) internal override {
        if (from != address(0)) _setExtraData(refId, _getExtraData(refId) + 1);
    }
}
