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
