// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Where the epoch machine stands.
/// @dev `Sync`: the committee reports that it holds its shards. `Done`: a quorum has. `ParamsSelected`: the next
/// committee is chosen.
enum EpochState {
    Sync,
    Done,
    ParamsSelected
}

/// @notice The epoch machine at a glance.
/// @param epoch Current epoch, 0 before the first committee
/// @param state State within the epoch
/// @param startedAt Unix time of the last epoch change
/// @param doneAt Unix time at which the state became `Done` (`t0`); 0 while it is `Sync`
/// @param syncedWeight Shards of the members that reported "sync done" in this epoch
/// @param selectableAt Earliest Unix time of `selectCommittee`; 0 while the state is `Sync`
/// @param startableAt Earliest Unix time of `startEpoch`; 0 while the state is `Sync`
struct EpochClock {
    uint32 epoch;
    EpochState state;
    uint64 startedAt;
    uint64 doneAt;
    uint16 syncedWeight;
    uint64 selectableAt;
    uint64 startableAt;
}

/// @notice What stake depends on.
/// @param epoch Current epoch
/// @param selected Whether the committee of the next epoch is selected
/// @param frozen Whether the active set must not change now
struct Stage {
    uint32 epoch;
    bool selected;
    bool frozen;
}

/// @notice One committee, by seat.
/// @param epoch Epoch it serves
/// @param nodeIds Member at each seat; 0 where the seat is empty
/// @param weights Number of shards at each seat; 0 where the seat is empty
/// @param keys 96 bytes per seat (`x` then `y`, 48 big-endian bytes each); zeros where the seat is empty
/// @param aggregateKey Sum of all keys, 96 bytes
/// @param shardMap One byte per shard: the seat that owns it
struct CommitteeInfo {
    uint32 epoch;
    uint32[] nodeIds;
    uint16[] weights;
    bytes keys;
    bytes aggregateKey;
    bytes shardMap;
}

/// @notice How the storage challenge of an ended epoch went. Bit `i` of a bitmap is the member at seat `i`.
/// @param enforced Whether results decide about money. When they do not, everybody is paid by weight
/// @param isVoid Whether the challenge failed as a whole: with `enforced`, nobody is paid or punished
/// @param passed Members that passed
/// @param rescued Members that did not pass, but proved their data on chain: no reward, and no strike
struct ChallengeResult {
    bool enforced;
    bool isVoid;
    uint256 passed;
    uint256 rescued;
}

/// @notice The settlement of an ended epoch, pool by pool. Amounts in FROST.
/// @param epoch The ended epoch
/// @param rewards What is shared among the members by weight
/// @param spent Credited to pools or burned so far
/// @param jailedWeight Shards of the members jailed by it
/// @param members Bit `i` is set when seat `i` had a member
/// @param settled Members whose pool is settled
/// @param result How its challenge went
struct Settlement {
    uint32 epoch;
    uint64 rewards;
    uint64 spent;
    uint16 jailedWeight;
    uint256 members;
    uint256 settled;
    ChallengeResult result;
}
