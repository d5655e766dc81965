// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice A parameter to start a network with, where it differs from the default.
/// @param key One of `ParamKeys`
/// @param value Within the bounds of the key
struct ParamValue {
    bytes32 key;
    uint256 value;
}

/// @notice One tunable: its bounds, which are part of the code, and its values now and next.
/// @param key One of `ParamKeys`
/// @param lowest Smallest value that can be set
/// @param highest Largest value that can be set
/// @param current Value in the current epoch
/// @param next Value after the pending change; the current one when none is pending
/// @param nextFrom First epoch of the pending change; 0 when none is pending
struct ParamInfo {
    bytes32 key;
    uint256 lowest;
    uint256 highest;
    uint256 current;
    uint256 next;
    uint32 nextFrom;
}

/// @notice Keys of `ParamRegistry`: the name as ASCII, padded with zeros on the right.
library ParamKeys {
    /// @notice 0 off: paid by weight; 1 trial: challenges run and are ignored; 2 enforced.
    bytes32 internal constant CHALLENGE_MODE = "challengeMode";
    /// @notice Epochs after joining in which a miss costs the reward but counts no strike.
    bytes32 internal constant GRACE_EPOCHS = "graceEpochs";
    /// @notice FROST per shard taken from a pool at its second miss in a row.
    bytes32 internal constant PENALTY_PER_SHARD = "penaltyPerShard";
    /// @notice Limit of that penalty in basis points of the pool's balance.
    bytes32 internal constant SECOND_MISS_CAP_BP = "secondMissCapBp";
    /// @notice Basis points of the balance taken at the third miss in a row and at each later one.
    bytes32 internal constant THIRD_MISS_BP = "thirdMissBp";
    /// @notice Most that one epoch's slashes take from a pool, in basis points of its balance.
    bytes32 internal constant MAX_SLASH_BP = "maxSlashBp";
    /// @notice Jail for a failure in epoch E lasts until epoch `E + jailEpochs`.
    bytes32 internal constant JAIL_EPOCHS = "jailEpochs";
    /// @notice Blocks from the arming of a challenge to its seed block.
    bytes32 internal constant SEED_DELAY = "seedDelay";
    /// @notice Blocks for which the chain answers with a block hash (EIP-2935: 8191).
    bytes32 internal constant HISTORY_WINDOW = "historyWindow";
    /// @notice Shortest time between two blocks in milliseconds.
    bytes32 internal constant MIN_BLOCK_MS = "minBlockMs";
    /// @notice Seconds from the seed to the closing time, at most; `D / 20` when that is shorter.
    bytes32 internal constant ANSWER_WINDOW = "answerWindow";
    /// @notice Fewest log entries with which sampled blobs are sealed.
    bytes32 internal constant SEAL_MIN_ENTRIES = "sealMinEntries";
    /// @notice Fewest samples of a challenge.
    bytes32 internal constant MIN_SAMPLES = "minSamples";
    /// @notice Most samples of a challenge.
    bytes32 internal constant MAX_SAMPLES = "maxSamples";
    /// @notice Log entries per sample.
    bytes32 internal constant ENTRIES_PER_SAMPLE = "entriesPerSample";
    /// @notice Samples a node proves on chain to rescue itself from a strike.
    bytes32 internal constant RESCUE_SAMPLES = "rescueSamples";
    /// @notice Shortest time in seconds between two changes of one node's votes.
    bytes32 internal constant VOTE_INTERVAL = "voteInterval";
    /// @notice Version of the protocol that nodes speak.
    bytes32 internal constant PROTOCOL_VERSION = "protocolVersion";
    /// @notice FROST per shard a sender loses when a shard does not move. Reserved: nothing charges it yet.
    bytes32 internal constant MIGRATION_SENDER = "migrationSender";
    /// @notice FROST per shard a receiver loses when a shard does not move. Reserved: nothing charges it yet.
    bytes32 internal constant MIGRATION_RECEIVER = "migrationReceiver";
}
