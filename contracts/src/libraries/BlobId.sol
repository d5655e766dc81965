// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { LibBit } from "solady/utils/LibBit.sol";
import { Blake2b } from "./Blake2b.sol";

/// @title Blob ids
/// @notice See docs/protocol/encoding.md.
library BlobId {
    /// @notice BLAKE2b-256 over `encodingType (1) ‖ size (8, little endian) ‖ rootHash (32)`.
    function derive(bytes32 rootHash, uint8 encodingType, uint64 size) internal view returns (bytes32) {
        bytes8 sizeLe = bytes8(bytes32(LibBit.reverseBytes(uint256(size))));
        return Blake2b.hash(abi.encodePacked(encodingType, sizeLe, rootHash));
    }
}
