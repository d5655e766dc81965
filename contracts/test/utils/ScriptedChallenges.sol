// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IEpochListener } from "src/interfaces/IEpochListener.sol";
import { IStaking } from "src/interfaces/IStaking.sol";
import { ChallengeResult } from "src/types/Epoch.sol";

/// @dev Plays `Challenges` for tests of what results mean: reports what it was told to, once, or nothing.
contract ScriptedChallenges is IEpochListener {
    IStaking private immutable STAKING;

    ChallengeResult private _result;
    bool private _scripted;
    /// @dev The epochs of which the epoch machine told.
    uint32 public selectedIn;
    uint32 public endedLast;

    constructor(IStaking staking) {
        STAKING = staking;
    }

    /// @dev What to report for the epoch that ends next.
    function script(ChallengeResult calldata result) external {
        (_result, _scripted) = (result, true);
    }

    function onCommitteeSelected(uint32 epoch) external {
        selectedIn = epoch;
    }

    function onEpochEnd(uint32 ended) external returns (bool carry) {
        endedLast = ended;
        if (!_scripted) return false;
        _scripted = false;
        STAKING.recordChallengeResult(ended, _result);
        return _result.enforced && _result.isVoid;
    }
}
