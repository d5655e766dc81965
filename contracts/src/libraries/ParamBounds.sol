// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ParamKeys } from "../types/Param.sol";

/// @title Bounds and defaults of the tunables
/// @notice What a vote can reach. Wider bounds take an upgrade, and so the nodes' approval.
library ParamBounds {
    uint256 private constant MAX_PENALTY = 1e15; // a million WAL

    /// @notice All keys, in a fixed order.
    function keys() internal pure returns (bytes32[20] memory) {
        return [
            ParamKeys.CHALLENGE_MODE,
            ParamKeys.GRACE_EPOCHS,
            ParamKeys.PENALTY_PER_SHARD,
            ParamKeys.SECOND_MISS_CAP_BP,
            ParamKeys.THIRD_MISS_BP,
            ParamKeys.MAX_SLASH_BP,
            ParamKeys.JAIL_EPOCHS,
            ParamKeys.SEED_DELAY,
            ParamKeys.HISTORY_WINDOW,
            ParamKeys.MIN_BLOCK_MS,
            ParamKeys.ANSWER_WINDOW,
            ParamKeys.SEAL_MIN_ENTRIES,
            ParamKeys.MIN_SAMPLES,
            ParamKeys.MAX_SAMPLES,
            ParamKeys.ENTRIES_PER_SAMPLE,
            ParamKeys.RESCUE_SAMPLES,
            ParamKeys.VOTE_INTERVAL,
            ParamKeys.PROTOCOL_VERSION,
            ParamKeys.MIGRATION_SENDER,
            ParamKeys.MIGRATION_RECEIVER
        ];
    }

    /// @notice Bounds and default of a key; all zero for an unknown one, as `highest` of a known one never is.
    function bounds(bytes32 key) internal pure returns (uint256 lowest, uint256 highest, uint256 initial) {
        if (key == ParamKeys.CHALLENGE_MODE) return (0, 2, 0);
        if (key == ParamKeys.GRACE_EPOCHS) return (0, 8, 1);
        if (key == ParamKeys.PENALTY_PER_SHARD) return (0, MAX_PENALTY, 10e9);
        if (key == ParamKeys.SECOND_MISS_CAP_BP) return (0, 1000, 100);
        if (key == ParamKeys.THIRD_MISS_BP) return (0, 3000, 500);
        if (key == ParamKeys.MAX_SLASH_BP) return (0, 3000, 3000);
        if (key == ParamKeys.JAIL_EPOCHS) return (2, 16, 4);
        if (key == ParamKeys.SEED_DELAY) return (4, 4096, 64);
        if (key == ParamKeys.HISTORY_WINDOW) return (128, 8191, 8191);
        if (key == ParamKeys.MIN_BLOCK_MS) return (1, 60_000, 12_000);
        if (key == ParamKeys.ANSWER_WINDOW) return (1, 1 days, 1 hours);
        if (key == ParamKeys.SEAL_MIN_ENTRIES) return (1, 1_000_000, 512);
        if (key == ParamKeys.MIN_SAMPLES) return (1, 640, 16);
        if (key == ParamKeys.MAX_SAMPLES) return (16, 4096, 640);
        if (key == ParamKeys.ENTRIES_PER_SAMPLE) return (32, 1024, 32);
        if (key == ParamKeys.RESCUE_SAMPLES) return (16, 640, 32);
        if (key == ParamKeys.VOTE_INTERVAL) return (0, 7 days, 1 days);
        if (key == ParamKeys.PROTOCOL_VERSION) return (1, type(uint32).max, 1);
        if (key == ParamKeys.MIGRATION_SENDER) return (0, MAX_PENALTY, 0);
        if (key == ParamKeys.MIGRATION_RECEIVER) return (0, MAX_PENALTY, 0);
    }
}
