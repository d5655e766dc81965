// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IChallenges } from "../interfaces/IChallenges.sol";
import { SymbolProof } from "../types/Challenge.sol";
import { BlobId } from "./BlobId.sol";
import { MerkleBlake } from "./MerkleBlake.sol";
import { RedStuffMath } from "./RedStuffMath.sol";

/// @title Proofs that a symbol belongs to a blob
/// @notice From the symbol through its sliver and the pair of slivers to the blob id. See docs/protocol/encoding.md.
library SymbolProofs {
    /// @dev Which symbol is asked for. Nothing of it comes from the prover.
    /// @param blobId The sampled blob
    /// @param size Its unencoded length in bytes
    /// @param encodingType Its encoding type
    /// @param n Number of shards
    /// @param shard Shard whose sliver is asked for
    /// @param symbolIndex Position of the symbol in the expanded sliver
    /// @param secondary Whether the secondary sliver is asked for, not the primary one
    struct Claim {
        bytes32 blobId;
        uint64 size;
        uint8 encodingType;
        uint256 n;
        uint256 shard;
        uint256 symbolIndex;
        bool secondary;
    }

    /// @notice Reverts unless `proof` shows the symbol of `claim`, with an error of `IChallenges`.
    function check(SymbolProof calldata proof, Claim memory claim) internal view {
        uint256 symbolSize = RedStuffMath.symbolSize(claim.size, claim.n);
        if (proof.symbol.length != symbolSize) {
            revert IChallenges.WrongSymbolSize(proof.symbol.length, symbolSize);
        }
        uint256 depth = MerkleBlake.depth(claim.n);
        if (proof.path1.length != depth) revert IChallenges.WrongPathLength(proof.path1.length, depth);
        if (proof.path2.length != depth) revert IChallenges.WrongPathLength(proof.path2.length, depth);

        bytes32 sliver = MerkleBlake.climb(MerkleBlake.leaf(proof.symbol), claim.symbolIndex, proof.path1);
        bytes32 pair = claim.secondary
            ? MerkleBlake.pairLeaf(proof.otherRoot, sliver)
            : MerkleBlake.pairLeaf(sliver, proof.otherRoot);
        bytes32 root = MerkleBlake.climb(pair, pairIndex(claim.blobId, claim.shard, claim.n), proof.path2);
        bytes32 derived = BlobId.derive(root, claim.encodingType, claim.size);
        if (derived != claim.blobId) revert IChallenges.WrongBlob(derived, claim.blobId);
    }

    /// @notice The sliver pair of a blob that a shard holds: pair `i` is on shard `(i + blob id) mod n`.
    function pairIndex(bytes32 blobId, uint256 shard, uint256 n) internal pure returns (uint256) {
        return (shard + n - uint256(blobId) % n) % n;
    }
}
