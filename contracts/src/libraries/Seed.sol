// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Challenge seeds and what is drawn from them
/// @notice The same derivations as `crates/core/src/challenge`; both are held together by
/// `test/vectors/challenge-samples.json`.
library Seed {
    /// @notice Most attempts to find a live entry for a sample.
    uint256 internal constant ATTEMPTS = 16;

    /// @notice The seed of an epoch: `keccak256(abi.encode(randomness, epoch, chain id, challenges))`.
    function derive(bytes32 randomness, uint32 epoch, uint256 chainId, address challenges)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(randomness, epoch, chainId, challenges));
    }

    /// @notice Number `k` of samples exchanged between peers: one for so many entries, within bounds.
    function samples(uint256 entries, uint256 entriesPerSample, uint256 lowest, uint256 highest)
        internal
        pure
        returns (uint16)
    {
        uint256 k = entries / entriesPerSample;
        if (k < lowest) k = lowest;
        return uint16(k < highest ? k : highest);
    }

    /// @notice Where attempt `attempt` of sample `sample` falls, counted in units from the first entry on.
    function point(bytes32 seed, uint16 sample, uint256 attempt, uint64 totalUnits) internal pure returns (uint64) {
        return uint64(uint256(keccak256(abi.encode(seed, sample, attempt))) % totalUnits);
    }

    /// @notice Which of its `weight` shards, in ascending order, a node answers a sample with.
    function ownShard(bytes32 seed, uint32 nodeId, uint16 sample, uint16 weight) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, nodeId, sample))) % weight;
    }

    /// @notice Which of its `weight` shards, in ascending order, the peer of an answer is asked with.
    function peerShard(bytes32 seed, uint32 nodeId, uint16 sample, uint32 peer, uint16 weight)
        internal
        pure
        returns (uint256)
    {
        return uint256(keccak256(abi.encode(seed, nodeId, sample, peer))) % weight;
    }

    /// @notice Which of the `n` symbols of its sliver a node shows the contract.
    function chainSymbol(bytes32 seed, uint32 nodeId, uint16 sample, uint256 n) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, nodeId, sample, "chain"))) % n;
    }
}
