// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What the results of storage challenges mean. It never changes within an epoch.
/// @dev `Off`: no challenges, members are paid by weight. `Trial`: challenges run and results are published, money and
/// reads ignore them. `Enforced`: who does not pass is not paid, and strikes count.
enum ChallengeMode {
    Off,
    Trial,
    Enforced
}

/// @notice One epoch's challenge as a node or an explorer needs it.
/// @param epoch Epoch, and so committee, that is challenged
/// @param mode What the result means
/// @param opened Whether `openChallenge` was called
/// @param closed Whether the epoch has ended, so that nothing here changes any more
/// @param sealsReads Whether nodes stop serving sampled blobs between the seed and `closeTime`
/// @param logStart First log entry that can be sampled
/// @param logLength End (exclusive) of the log entries that can be sampled
/// @param sampleCount Number `k` of samples exchanged between peers; `k` and `k + 1` are the spot checks
/// @param rescueCount Number of samples, from 0 on, that spare a node the strike when proved on chain
/// @param baseUnits Cumulative units in front of `logStart`
/// @param totalUnits Units of the entries that can be sampled, dead ones included
/// @param ackedWeight Shards of the members that acknowledged
/// @param passedWeight Shards of the members that passed
/// @param acked Bit per seat: acknowledged
/// @param certified Bit per seat: a pass certificate was submitted
/// @param passed Bit per seat: certificate and both spot checks
/// @param rescued Bit per seat: all rescue samples proved on chain
/// @param seedBlock Block whose randomness becomes the seed; 0 until armed
/// @param seed The seed; 0 until revealed
/// @param closeTime Unix time in seconds from which answers no longer count; 0 until the seed is revealed
struct ChallengeInfo {
    uint32 epoch;
    ChallengeMode mode;
    bool opened;
    bool closed;
    bool sealsReads;
    uint64 logStart;
    uint64 logLength;
    uint16 sampleCount;
    uint16 rescueCount;
    uint64 baseUnits;
    uint64 totalUnits;
    uint16 ackedWeight;
    uint16 passedWeight;
    uint256 acked;
    uint256 certified;
    uint256 passed;
    uint256 rescued;
    uint64 seedBlock;
    bytes32 seed;
    uint64 closeTime;
}

/// @notice Proof that a node has the symbol that one sample asks of it.
/// @param sample Number of the sample
/// @param logIndexes Log entry each attempt of the sample falls on, up to the accepted one; all of them when none is
/// @param symbol The symbol; empty when no attempt is accepted or the sample is waived. The rest is then empty too
/// @param path1 Siblings from the symbol to the root of its sliver, `ceil(log2 n)` of them, leaf level first
/// @param otherRoot Root of the other sliver of the pair
/// @param path2 Siblings from the pair to the root of the blob, `ceil(log2 n)` of them, leaf level first
struct SymbolProof {
    uint16 sample;
    uint64[] logIndexes;
    bytes symbol;
    bytes32[] path1;
    bytes32 otherRoot;
    bytes32[] path2;
}
