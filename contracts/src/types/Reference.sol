// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What a reference points at.
/// @param blobId The 32 raw bytes of a blob id; zero for "nothing yet"
/// @param tokenId Blob token of that id, whose end epoch `resolve` reports; 0 for none
/// @param patch Number of a patch within a quilt, from 1; 0 for the whole blob
struct Target {
    bytes32 blobId;
    uint64 tokenId;
    uint16 patch;
}

/// @notice A reference as it stands. Two storage slots.
/// @param blobId Target
/// @param tokenId Blob token of the target; 0 for none
/// @param version From 1, raised by every update
/// @param updatedAt Unix time of the last update
/// @param flags Union of the `ReferenceFlags` bits
/// @param patch Patch within a quilt; 0 for the whole blob
struct ReferenceRecord {
    bytes32 blobId;
    uint64 tokenId;
    uint32 version;
    uint40 updatedAt;
    uint8 flags;
    uint16 patch;
}

/// @notice A reference, resolved.
/// @param owner Present owner
/// @param record What it points at
/// @param endEpoch End epoch of the blob token; without one, the latest end of the permanent tokens of the blob id
/// @param available Whether the target can be read: a certified, live token of this id that is not invalid
struct ReferenceView {
    address owner;
    ReferenceRecord record;
    uint32 endEpoch;
    bool available;
}

/// @notice Bits of `ReferenceRecord.flags`.
library ReferenceFlags {
    /// @notice The target can never change again.
    uint8 internal constant FROZEN = 1;
}
