// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Cert, Threshold } from "../types/Cert.sol";
import { CommitteeInfo } from "../types/Epoch.sol";
import { IWired } from "./IWired.sol";

/// @title Committees and their certificates
/// @notice Keys, weights and shard maps of the previous, current and next epoch, and the check of BLS12-381
/// certificates (public keys in G1, signatures in G2, ciphersuite `BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_`).
interface ICommittees is IWired {
    /// @notice The committee of `epoch` was selected. Index = seat; node 0 and weight 0 mark an empty seat.
    event CommitteeSelected(
        uint32 indexed epoch, uint32[] nodeIds, uint16[] weights, address shardMap, address keyTable
    );

    /// @notice No committee is kept for this epoch.
    error UnknownCommittee(uint32 epoch);
    /// @notice The bitmap names a seat that is empty or does not exist. `extra` holds the offending bits.
    error UnknownSigners(uint256 extra);
    /// @notice The signers hold too few shards.
    error NotEnoughWeight(uint16 weight, uint16 needed);
    /// @notice The signature does not match the message and the signers.
    error BadSignature();
    /// @notice The proof of possession does not match key, operator and present epoch.
    error BadProofOfPossession();
    /// @notice Shard numbers are below `nShards`.
    error UnknownShard(uint16 shard);

    /// @notice Stores the committee of `epoch`. Only `EpochManager`.
    /// @dev Members keep their seat; newcomers, in ascending node id, take the lowest free ones. Owners keep as many
    /// of their shards as they have seats for, lowest first; freed shards go, ascending, to members that lack some,
    /// in ascending seat order.
    /// @param epoch The coming epoch
    /// @param nodeIds Nodes of the active set, in its order
    /// @param seats Number of shards for each; 0 leaves the node out
    function select(uint32 epoch, uint32[] calldata nodeIds, uint16[] calldata seats) external;

    /// @notice Keeps the present committee, members and shards, for `epoch`. Only `EpochManager`.
    function keep(uint32 epoch) external;

    /// @notice Checks a certificate against the committee of `epoch`. Reverts unless it is good.
    /// @dev `UnknownCommittee`, `UnknownSigners`, `NotEnoughWeight`, `BadSignature`, or an error of `BlsMinPk`.
    /// The caller builds `message`; it must contain `epoch` and the domain.
    /// @return weight Number of shards of the signers
    function verify(uint32 epoch, bytes calldata message, Cert calldata c, Threshold t)
        external
        view
        returns (uint16 weight);

    /// @notice Checks a proof of possession for the present epoch. Reverts unless it is good.
    /// @param operator Account that registers the key
    /// @param key 96 bytes: `x` then `y`
    /// @param pop 256 bytes: G2 point in EIP-2537 form
    function verifyPossession(address operator, bytes calldata key, bytes calldata pop) external view;

    /// @notice Binds every signed message to this chain and deployment:
    /// `keccak256(abi.encode(block.chainid, address(this)))`.
    function domain() external view returns (bytes32);

    /// @notice Whether the node is a member, and at which seat.
    function seatOf(uint32 epoch, uint32 nodeId) external view returns (bool member, uint8 seat);

    /// @notice Whether the node is a member, at which seat and with how many shards.
    function standing(uint32 epoch, uint32 nodeId) external view returns (bool member, uint8 seat, uint16 weight);

    /// @notice Bit `i` is set when seat `i` has a member.
    function occupiedSeats(uint32 epoch) external view returns (uint256);

    /// @notice Number of shards of a node; 0 when it is no member.
    function weightOf(uint32 epoch, uint32 nodeId) external view returns (uint16 weight);

    /// @notice The node that owns a shard.
    function shardOwner(uint32 epoch, uint16 shard) external view returns (uint32 nodeId);

    /// @notice Members and weights by seat, without keys and shards.
    function members(uint32 epoch) external view returns (uint32[] memory nodeIds, uint16[] memory weights);

    /// @notice Data contracts of one committee: members as `Roster` packs them, and one byte (the seat) per shard.
    function tables(uint32 epoch) external view returns (address roster, address shardMap);

    /// @notice Everything about one committee.
    function committee(uint32 epoch) external view returns (CommitteeInfo memory);
}
