// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IWired } from "./interfaces/IWired.sol";
import { Parameters, Wiring } from "./types/Wiring.sol";

/// @title Siblings and parameters as immutables
abstract contract Wired is IWired {
    address internal immutable WAL_TOKEN;
    address internal immutable SYSTEM;
    address internal immutable CAPACITY;
    address internal immutable BLOBS;
    address internal immutable REFERENCES;
    address internal immutable STAKING;
    address internal immutable COMMITTEES;
    address internal immutable EPOCH_MANAGER;
    address internal immutable CHALLENGES;
    address internal immutable RANDOMNESS;
    address internal immutable PARAMS;
    address internal immutable UPGRADE_GATE;
    address internal immutable GOVERNOR;
    address internal immutable TIMELOCK;

    uint16 internal immutable N_SHARDS;
    uint32 internal immutable MAX_EPOCHS_AHEAD;
    uint32 internal immutable EPOCH_DURATION;
    uint64 internal immutable FIRST_START;
    uint16 internal immutable MIN_NODES;
    uint16 internal immutable MAX_COMMITTEE;

    constructor(Wiring memory w, Parameters memory p) {
        // One byte of code per shard: the shard map must fit a data contract.
        _checkBounds("nShards", p.nShards, 4, 24_575);
        _checkBounds("maxEpochsAhead", p.maxEpochsAhead, 1, 60);
        _checkBounds("epochDuration", p.epochDuration, 4, type(uint32).max);
        _checkBounds("maxCommittee", p.maxCommittee, 1, 255);
        _checkBounds("minNodes", p.minNodes, 1, p.maxCommittee);

        WAL_TOKEN = w.wal;
        SYSTEM = w.system;
        CAPACITY = w.capacity;
        BLOBS = w.blobs;
        REFERENCES = w.references;
        STAKING = w.staking;
        COMMITTEES = w.committees;
        EPOCH_MANAGER = w.epochManager;
        CHALLENGES = w.challenges;
        RANDOMNESS = w.randomness;
        PARAMS = w.params;
        UPGRADE_GATE = w.upgradeGate;
        GOVERNOR = w.governor;
        TIMELOCK = w.timelock;

        N_SHARDS = p.nShards;
        MAX_EPOCHS_AHEAD = p.maxEpochsAhead;
        EPOCH_DURATION = p.epochDuration;
        FIRST_START = p.firstStart;
        MIN_NODES = p.minNodes;
        MAX_COMMITTEE = p.maxCommittee;
    }

    /// @inheritdoc IWired
    function wiring() public view returns (Wiring memory) {
        return Wiring({
            wal: WAL_TOKEN,
            system: SYSTEM,
            capacity: CAPACITY,
            blobs: BLOBS,
            references: REFERENCES,
            staking: STAKING,
            committees: COMMITTEES,
            epochManager: EPOCH_MANAGER,
            challenges: CHALLENGES,
            randomness: RANDOMNESS,
            params: PARAMS,
            upgradeGate: UPGRADE_GATE,
            governor: GOVERNOR,
            timelock: TIMELOCK
        });
    }

    /// @inheritdoc IWired
    function parameters() public view returns (Parameters memory) {
        return Parameters(N_SHARDS, MAX_EPOCHS_AHEAD, EPOCH_DURATION, FIRST_START, MIN_NODES, MAX_COMMITTEE);
    }

    /// @dev Reverts unless the caller is `sibling`.
    function _requireCaller(address sibling) internal view {
        if (msg.sender != sibling) revert NotAuthorised(msg.sender, sibling);
    }

    function _checkBounds(bytes32 name, uint256 value, uint256 lowest, uint256 highest) private pure {
        if (value < lowest || value > highest) revert ParameterOutOfBounds(name, value, lowest, highest);
    }
}
