// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What the epoch machine tells `Challenges`
/// @notice Both calls come from `EpochManager` alone and must not revert: the network would stop.
interface IEpochListener {
    /// @notice The committee of `epoch + 1` was selected in `epoch`; the log as long as it is now is what the challenge
    /// of `epoch` may ask for. Also called for epoch 0, in which there is nothing to challenge.
    function onCommitteeSelected(uint32 epoch) external;

    /// @notice `ended` is over. Concludes its challenge and reports to `IStaking.recordChallengeResult`.
    /// @dev `EpochManager.epoch()` is `ended + 1` already; the committee of `ended` is still kept.
    /// @return carry Whether the rewards of `ended` move into the next epoch: the challenge was enforced and is void
    function onEpochEnd(uint32 ended) external returns (bool carry);
}
