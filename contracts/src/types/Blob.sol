// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What a caller says about a blob to register.
/// @param rootHash Merkle root over the sliver pairs
/// @param size Unencoded length in bytes
/// @param encodingType 1 (Reed-Solomon Red Stuff)
/// @param deletable Whether the owner may delete the blob before its end epoch
/// @param capacityId Class of the caller's capacity to spend; `buyAndRegister` ignores it
/// @param to Receiver of the blob token
/// @param maxWriteFee Largest write fee in FROST the caller accepts
struct RegisterArgs {
    bytes32 rootHash;
    uint64 size;
    uint8 encodingType;
    bool deletable;
    uint256 capacityId;
    address to;
    uint256 maxWriteFee;
}

/// @notice The chain's record of one blob token. Two storage slots; it outlives the token.
/// @param blobId The 32 raw bytes of the blob id
/// @param registeredEpoch Epoch of the registration
/// @param certifiedEpoch Epoch of the first certification; 0 while not certified
/// @param endEpoch First epoch in which the blob is no longer stored
/// @param size Unencoded length in bytes
/// @param encodedSize Encoded size in bytes, which is also the reserved size
/// @param encodingType 1 (Reed-Solomon Red Stuff)
/// @param flags Union of the `BlobFlags` bits
/// @param logIndex Position among all first certifications, from 0; meaningful once certified
struct BlobRecord {
    bytes32 blobId;
    uint32 registeredEpoch;
    uint32 certifiedEpoch;
    uint32 endEpoch;
    uint64 size;
    uint48 encodedSize;
    uint8 encodingType;
    uint8 flags;
    uint32 logIndex;
}

/// @notice Bits of `BlobRecord.flags`.
library BlobFlags {
    /// @notice The owner may delete the blob before its end epoch.
    uint8 internal constant DELETABLE = 1;
    /// @notice The owner dropped the token; the data stays stored until the end epoch.
    uint8 internal constant BURNED = 2;
    /// @notice The owner deleted the blob; the data need not be stored any more.
    uint8 internal constant DELETED = 4;
}
