// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ReferenceRecord, Target } from "../types/Reference.sol";

/// @title Mutable references
/// @notice ERC-721: a stable token whose target changes. A reference stores an id and owns nothing: whoever wants the
/// target to live longer extends the blob. Ids count from 1 without gaps.
interface IBlobReferences {
    /// @notice A reference was created. An event of version 1 with its target follows.
    event ReferenceCreated(uint256 indexed refId, address indexed to);
    /// @notice The target changed, to `version`.
    event ReferenceUpdated(
        uint256 indexed refId,
        uint32 version,
        bytes32 oldBlobId,
        bytes32 newBlobId,
        uint64 tokenId,
        uint16 patch,
        address by
    );
    /// @notice The target can never change again.
    event ReferenceFrozen(uint256 indexed refId);
    /// @notice An account may, or may no longer, update the reference. All updaters of before a transfer are gone.
    event UpdaterSet(uint256 indexed refId, address indexed who, bool ok);
    /// @notice The metadata of a token changed (ERC-4906).
    event MetadataUpdate(uint256 _tokenId);

    /// @notice No reference has this id.
    error UnknownReference(uint256 refId);
    /// @notice The caller is not the owner.
    error NotReferenceOwner(uint256 refId, address caller);
    /// @notice The caller is neither the owner nor one of its updaters.
    error NotUpdater(uint256 refId, address caller);
    /// @notice Somebody updated first.
    error WrongVersion(uint256 refId, uint32 expected, uint32 current);
    /// @notice The reference is frozen.
    error IsFrozen(uint256 refId);
    /// @notice The blob token named by the target has another blob id.
    error TokenOfOtherBlob(uint64 tokenId, bytes32 blobId);

    /// @notice Creates a reference, version 1, for `to`. Open to anyone; no callback.
    /// @dev A token named by the target must have its blob id; else `TokenOfOtherBlob`. Whether the blob is available
    /// is not asked here: `resolve` tells.
    function mint(address to, Target calldata t) external returns (uint256 refId);

    /// @notice Points a reference at another target. Only the owner or an updater; token approvals are not enough.
    /// @param expectedVersion Version the caller has seen; reverts with `WrongVersion` when it is not the present one
    function update(uint256 refId, Target calldata t, uint32 expectedVersion) external;

    /// @notice Lets an account update the reference, or no longer. Only the owner. A transfer clears all updaters.
    function setUpdater(uint256 refId, address who, bool ok) external;

    /// @notice Makes the target final, over all later transfers. Only the owner.
    /// @param expectedVersion Version the caller has seen, which becomes the last one
    function freeze(uint256 refId, uint32 expectedVersion) external;

    /// @notice Transfers a reference only if it still is at a version: what a market must use, as a seller could
    /// change the target just before the sale.
    function transferAtVersion(address from, address to, uint256 refId, uint32 expectedVersion) external;

    /// @notice Target, version, end and availability of a reference. Reverts with `UnknownReference`.
    function resolve(uint256 refId)
        external
        view
        returns (bytes32 blobId, uint64 tokenId, uint32 version, uint32 endEpoch, bool available);

    /// @notice The record of a reference. Reverts with `UnknownReference`.
    function record(uint256 refId) external view returns (ReferenceRecord memory);

    /// @notice Whether an account may update: the owner or one of its updaters.
    function mayUpdate(uint256 refId, address who) external view returns (bool);

    /// @notice Number of references, which is also the highest id.
    function count() external view returns (uint64);

    /// @notice Present owner. Reverts for an unknown reference.
    function ownerOf(uint256 refId) external view returns (address);
}
