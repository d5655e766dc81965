// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Randomness of a block to come
/// @notice Where challenge seeds come from. A challenge names a block that does not exist yet; afterwards a source proves
/// what that block gave. Chains differ in how it can; a source keeps no state and has no owner.
interface IRandomness {
    /// @notice The chain no longer knows the block, or does not know it yet.
    error BlockUnavailable(uint64 blockNumber);
    /// @notice The proof is not about the block asked for, or is malformed.
    error BadRandomnessProof();

    /// @notice What block `blockNumber` gave. Reverts unless `proof` shows it.
    /// @param blockNumber A block in the past, not further back than the source can see
    /// @param proof What the source needs; for PREVRANDAO the RLP of the block's header
    /// @return value The random word
    /// @return timestamp Unix time of the block in seconds
    function reveal(uint64 blockNumber, bytes calldata proof) external view returns (bytes32 value, uint64 timestamp);
}
