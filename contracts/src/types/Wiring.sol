// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Where every contract of one deployment lives. Upgradeable contracts are named by their proxy.
/// @param wal The WAL token
/// @param system `WalrusSystem` proxy
/// @param capacity `StorageCapacity`
/// @param blobs `BlobNFT`
/// @param references `BlobReferences`
/// @param staking `Staking` proxy
/// @param committees `Committees` proxy
/// @param epochManager `EpochManager` proxy
/// @param challenges `Challenges` proxy
/// @param randomness The `IRandomness` that gives challenges their seed
/// @param params `ParamRegistry` proxy
/// @param upgradeGate `UpgradeGate`, the only account that may upgrade the proxies
/// @param governor `WalrusGovernor`
/// @param timelock `TimelockController`, through which everything passes that the governor decides
struct Wiring {
    address wal;
    address system;
    address capacity;
    address blobs;
    address references;
    address staking;
    address committees;
    address epochManager;
    address challenges;
    address randomness;
    address params;
    address upgradeGate;
    address governor;
    address timelock;
}

/// @notice What is fixed for ever when a network is deployed.
/// @param nShards Number of shards `n`, at least 4
/// @param maxEpochsAhead How many epochs ahead storage is sold, the current one counted; 1..60
/// @param epochDuration Shortest length `D` of an epoch in seconds, at least 4
/// @param firstStart Unix time in seconds before which the first committee is not selected
/// @param minNodes Fewest staked nodes a committee is selected from, at least 1
/// @param maxCommittee Size limit of the active set and so of a committee, at most 255
struct Parameters {
    uint16 nShards;
    uint32 maxEpochsAhead;
    uint32 epochDuration;
    uint64 firstStart;
    uint16 minNodes;
    uint16 maxCommittee;
}
