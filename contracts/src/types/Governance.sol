// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Times of the governor, fixed when it is deployed.
/// @param votingDelay Seconds from a proposal to its snapshot
/// @param votingPeriod Seconds from the snapshot to the end of the vote
struct VotingTimes {
    uint48 votingDelay;
    uint32 votingPeriod;
}
