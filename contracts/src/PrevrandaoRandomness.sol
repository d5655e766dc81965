// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { BlockHashLib } from "solady/utils/BlockHashLib.sol";
import { IRandomness } from "./interfaces/IRandomness.sol";
import { HeaderRlp } from "./libraries/HeaderRlp.sol";

/// @title PREVRANDAO of a past block
/// @notice Proved by the block's header, whose hash the chain still knows: the last 256 blocks by BLOCKHASH, older ones
/// by the history contract of EIP-2935.
/// @dev Who proposes the last blocks before the one drawn from may skip them to draw again: one bit for each block in a
/// row. Not for chains whose PREVRANDAO is constant or lags behind: they plug in another source.
contract PrevrandaoRandomness is IRandomness {
    /// @inheritdoc IRandomness
    function reveal(uint64 blockNumber, bytes calldata proof) external view returns (bytes32 value, uint64 timestamp) {
        bytes32 blockHash = BlockHashLib.blockHash(blockNumber);
        if (blockHash == 0) revert BlockUnavailable(blockNumber);
        if (keccak256(proof) != blockHash) revert BadRandomnessProof();
        uint64 number = 0;
        (number, timestamp, value) = HeaderRlp.read(proof);
        if (number != blockNumber) revert BadRandomnessProof();
    }
}
