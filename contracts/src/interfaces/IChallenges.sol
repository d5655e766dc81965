// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Cert } from "../types/Cert.sol";
import { ChallengeInfo, SymbolProof } from "../types/Challenge.sol";
import { ChallengeResult } from "../types/Epoch.sol";
import { IEpochListener } from "./IEpochListener.sol";
import { IWired } from "./IWired.sol";

/// @title Storage challenges
/// @notice Once an epoch every member shows that it still has its slivers: it sends peers the symbols that the seed of
/// the epoch asks for, hands in their certificate, and proves two more samples on chain. `t0` is the time at which the
/// epoch's state became `Done`, `D` the epoch duration. The rules are in docs/protocol/onchain.md section 2.9.
///
/// `EpochManager` reports selections and epoch changes (`IEpochListener`); the result of an ended epoch goes to
/// `IStaking.recordChallengeResult`.
interface IChallenges is IWired, IEpochListener {
    /// @notice The challenge of `epoch` is open: members may acknowledge.
    /// @dev Candidates are the log entries `[logStart, logLength)`; `k` samples are exchanged between peers.
    event ChallengeOpened(uint32 indexed epoch, uint64 logStart, uint64 logLength, uint16 k);
    /// @notice A member promised to serve nothing that would help others to answer.
    event ChallengeAcked(uint32 indexed epoch, uint32 indexed nodeId);
    /// @notice A quorum of the shards acknowledged; the randomness of `seedBlock` becomes the seed.
    event ChallengeArmed(uint32 indexed epoch, uint64 seedBlock);
    /// @notice The seed is known. Answers count until `closeTime`.
    event ChallengeSeed(uint32 indexed epoch, bytes32 seed, uint64 closeTime);
    /// @notice A quorum certificate says that the node answered its peers in time.
    event ChallengeCertified(uint32 indexed epoch, uint32 indexed nodeId);
    /// @notice More samples of the node were proved on chain; `samples` are all so far, as bits as in `proved`.
    event ChallengeProved(uint32 indexed epoch, uint32 indexed nodeId, uint256 samples);
    /// @notice The node passed: certificate and both spot checks.
    event ChallengePassed(uint32 indexed epoch, uint32 indexed nodeId);
    /// @notice The node proved all rescue samples; if it does not pass, it is spared the strike.
    event ChallengeRescued(uint32 indexed epoch, uint32 indexed nodeId);
    /// @notice The epoch ended and too few passed: the challenge has no consequences.
    event ChallengeVoid(uint32 indexed epoch);
    /// @notice The epoch ended. Bit `i` of a bitmap is the member at seat `i`; `rescued` did not pass.
    event ChallengeClosed(uint32 indexed epoch, uint256 passed, uint256 rescued);
    /// @notice The first entry of the log that can be sampled moved forward.
    event LogTrimmed(uint64 logStart);

    /// @notice There are no challenges in this epoch.
    error ChallengesAreOff(uint32 epoch);
    /// @notice The committee of the next epoch is not selected yet.
    error SelectionMissing(uint32 epoch);
    /// @notice It is too early.
    error TooEarly(uint64 time, uint64 earliest);
    /// @notice It is too late.
    error TooLate(uint64 time, uint64 deadline);
    /// @notice The challenge of this epoch is open already.
    error AlreadyOpen(uint32 epoch);
    /// @notice The challenge of this epoch is not open.
    error NotOpen(uint32 epoch);
    /// @notice There is nothing to sample: everybody passes.
    error NothingToSample(uint32 epoch);
    /// @notice A quorum has not acknowledged yet.
    error NotArmed(uint32 epoch);
    /// @notice The seed is not revealed yet.
    error NoSeed(uint32 epoch);
    /// @notice The seed is known already.
    error SeedKnown(uint32 epoch);
    /// @notice The caller is not the node's operator.
    error NotOperator(uint32 nodeId, address caller);
    /// @notice The node is not in the committee.
    error NotMember(uint32 nodeId);
    /// @notice The node acknowledged already.
    error AlreadyAcked(uint32 nodeId);
    /// @notice The seed block is reached: who acknowledges now may know the seed.
    error SeedBlockReached(uint64 blockNumber);
    /// @notice The node's certificate is in already.
    error AlreadyCertified(uint32 nodeId);
    /// @notice The sample is neither a spot check nor one of those that spare the strike.
    error SampleNotProvable(uint16 sample);
    /// @notice An attempt needs another number of log indexes: `attempts` were given, but one before the last is live,
    /// or the last is dead and fewer than 16 were given.
    error WrongAttempts(uint16 sample, uint256 attempts);
    /// @notice The attempt does not fall on this log entry.
    error WrongLogEntry(uint16 sample, uint256 attempt, uint64 logIndex);
    /// @notice The symbol has not the size that all symbols of the blob have.
    error WrongSymbolSize(uint256 got, uint256 expected);
    /// @notice A path has not `ceil(log2 n)` nodes.
    error WrongPathLength(uint256 got, uint256 expected);
    /// @notice Symbol and paths do not lead to the sampled blob. `derived` is the blob id they lead to.
    error WrongBlob(bytes32 derived, bytes32 sampled);
    /// @notice Nothing is to be proved of this sample; symbol, root and paths must be empty.
    error NothingToProve(uint16 sample);
    /// @notice The log must not change between the selection of a committee and the next epoch.
    error LogFrozen(uint32 epoch);

    // ----- Cranks, open to anyone

    /// @notice Opens the challenge of the current epoch: committee selected, not before `t0 + 3D/4`.
    /// @dev Reverts with `ChallengesAreOff`, `SelectionMissing`, `TooEarly`, `AlreadyOpen`, `NothingToSample`.
    function openChallenge() external;

    /// @notice Reveals the seed with the proof that the randomness source asks for; for PREVRANDAO the RLP of the header
    /// of the seed block.
    /// @dev Reverts with `NotArmed`, `SeedKnown`, or as `IRandomness.reveal`.
    function revealSeed(bytes calldata headerRlp) external;

    /// @notice Hands in the certificate of a node's peers: `Intent` type 8, quorum, current committee.
    /// @dev Counts until the epoch ends: answers had to be in before `closeTime`, signatures need not be. Reverts with
    /// `NoSeed`, `NotMember`, `AlreadyCertified`, or as `ICommittees.verify`.
    function submitPass(uint32 nodeId, Cert calldata c) external;

    /// @notice Proves samples of a node on chain: the spot checks `k` (primary axis) and `k + 1` (secondary axis), and
    /// the first `min(32, k)` (primary axis), which together spare the strike. The work may be split over many calls;
    /// a sample proved before is passed over, so nobody can get in the way by proving it first.
    /// @dev Only before `closeTime`. Reverts with `NoSeed`, `TooLate`, `NotMember`, or one of the proof errors above.
    function proveOnChain(uint32 nodeId, SymbolProof[] calldata proofs) external;

    /// @notice Moves the start of the log over at most `most` dead entries.
    /// @dev Not between selection and epoch change (`LogFrozen`).
    function trimLog(uint256 most) external;

    /// @notice Moves up to `most` entries from the start of the log out of the way: dead ones are passed over, live ones
    /// appended to the end, so that the log stays dense.
    /// @dev Not between selection and epoch change (`LogFrozen`).
    function compactLog(uint256 most) external;

    // ----- Nodes

    /// @notice Promises, for the current epoch, to keep the rules that come with the seed. Only the node's operator,
    /// before `t0 + 9D/10` and before the seed block. At a quorum of the shards the challenge is armed.
    /// @dev Reverts with `NotOpen`, `TooLate`, `SeedBlockReached`, `NotOperator`, `NotMember`, `AlreadyAcked`.
    function ackChallenge(uint32 nodeId) external;

    // ----- Views

    /// @notice The result of an epoch; until the epoch has ended, what it would be if it ended now.
    /// @dev Not enforced for epoch 0 and for epochs in which challenges were off or on trial.
    function result(uint32 epoch) external view returns (ChallengeResult memory);

    /// @notice Everything about the challenge of an epoch.
    function challenge(uint32 epoch) external view returns (ChallengeInfo memory);

    /// @notice Samples a node proved on chain in an epoch, as bits: bits 0 and 1 are the spot checks on the primary and
    /// the secondary axis, bit `2 + i` is rescue sample `i`. 0 for epochs before the last one in which it proved any.
    function proved(uint32 epoch, uint32 nodeId) external view returns (uint256 samples);

    /// @notice The token that sample `j` of `epoch` falls on; 0 when all 16 attempts fall on dead entries.
    /// @param logIndexes Log entry each attempt falls on, up to the accepted one
    function sample(uint32 epoch, uint16 j, uint64[] calldata logIndexes) external view returns (uint256 tokenId);

    /// @notice First log entry that can be sampled in the next challenge.
    function logStart() external view returns (uint64);

    /// @notice Where seeds come from.
    function randomness() external view returns (address);
}
