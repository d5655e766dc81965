// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { LibBit } from "solady/utils/LibBit.sol";

/// @title Signed messages
/// @notice `type (1) ‖ version 1 ‖ app 3 ‖ epoch (u32, little endian) ‖ domain (32) ‖ body`. The contracts build these
/// bytes themselves and never parse them.
library Intent {
    uint8 private constant VERSION = 1;
    uint8 private constant APP = 3;

    uint8 internal constant PROOF_OF_POSSESSION = 0;
    uint8 internal constant STORAGE_CONFIRMATION = 1;
    uint8 internal constant INVALID_BLOB_ID = 2;
    uint8 internal constant CHALLENGE_PASSED = 8;

    uint8 private constant PERMANENT = 0;
    uint8 private constant DELETABLE = 1;

    /// @notice The 32 bytes that bind messages to a chain and a deployment.
    function domain(uint256 chainId, address committees) internal pure returns (bytes32) {
        return keccak256(abi.encode(chainId, committees));
    }

    /// @notice Body: operator left-padded to 32 bytes, then the 48-byte compressed key.
    function proofOfPossession(uint32 epoch, bytes32 domain_, address operator, bytes memory compressedKey)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(
            _header(PROOF_OF_POSSESSION, epoch, domain_), bytes32(uint256(uint160(operator))), compressedKey
        );
    }

    /// @notice Body: blob id, then 0.
    function permanentConfirmation(uint32 epoch, bytes32 domain_, bytes32 blobId) internal pure returns (bytes memory) {
        return abi.encodePacked(_header(STORAGE_CONFIRMATION, epoch, domain_), blobId, PERMANENT);
    }

    /// @notice Body: blob id, then 1, then the token id as 32 bytes big endian.
    function deletableConfirmation(uint32 epoch, bytes32 domain_, bytes32 blobId, uint256 tokenId)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(_header(STORAGE_CONFIRMATION, epoch, domain_), blobId, DELETABLE, tokenId);
    }

    /// @notice Body: blob id.
    function invalidBlobId(uint32 epoch, bytes32 domain_, bytes32 blobId) internal pure returns (bytes memory) {
        return abi.encodePacked(_header(INVALID_BLOB_ID, epoch, domain_), blobId);
    }

    /// @notice Body: seed, then the node id as u32, little endian.
    function challengePassed(uint32 epoch, bytes32 domain_, bytes32 seed, uint32 nodeId)
        internal
        pure
        returns (bytes memory)
    {
        bytes4 nodeIdLe = bytes4(bytes32(LibBit.reverseBytes(uint256(nodeId))));
        return abi.encodePacked(_header(CHALLENGE_PASSED, epoch, domain_), seed, nodeIdLe);
    }

    function _header(uint8 messageType, uint32 epoch, bytes32 domain_) private pure returns (bytes memory) {
        bytes4 epochLe = bytes4(bytes32(LibBit.reverseBytes(uint256(epoch))));
        return abi.encodePacked(messageType, VERSION, APP, epochLe, domain_);
    }
}
