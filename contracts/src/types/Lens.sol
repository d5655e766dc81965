// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { BlobRecord } from "./Blob.sol";
import { Position } from "./Node.sol";

/// @notice A blob token with what is not in its record.
/// @param tokenId The token
/// @param owner Present owner; the zero address once burned or deleted
/// @param invalid Whether the blob id was found invalid
/// @param liveUntil Highest end epoch of all certified permanent tokens of the blob id
/// @param record The record
struct BlobView {
    uint64 tokenId;
    address owner;
    bool invalid;
    uint32 liveUntil;
    BlobRecord record;
}

/// @notice The books of one epoch of the window.
/// @param epoch The epoch
/// @param usedCapacity Bytes sold for it
/// @param rewards FROST booked for it so far: payments, fees, subsidies and what was carried over
struct EpochBooks {
    uint32 epoch;
    uint64 usedCapacity;
    uint256 rewards;
}

/// @notice Capacity of one class that an account holds.
/// @param capacityId The class
/// @param start First epoch
/// @param end First epoch no longer covered
/// @param amount Bytes of encoded size
struct Holding {
    uint256 capacityId;
    uint32 start;
    uint32 end;
    uint256 amount;
}

/// @notice Where governance stands.
/// @param guardian The guardian in office; the zero address when there is none
/// @param guardianExpiry Unix time at which its office ends
/// @param pausedUntil Unix time until which new sales, registrations and stakes are stopped
/// @param nextPauseAt Unix time from which on the guardian may pause again
/// @param votingDelay Seconds from a proposal to its snapshot
/// @param votingPeriod Seconds from the snapshot to the end of the vote
/// @param timelockDelay Seconds from queueing to execution
/// @param proposalThreshold FROST of votes needed to propose
/// @param quorum FROST of votes a proposal needs, were it snapshot now
struct GovernanceInfo {
    address guardian;
    uint64 guardianExpiry;
    uint64 pausedUntil;
    uint64 nextPauseAt;
    uint256 votingDelay;
    uint256 votingPeriod;
    uint256 timelockDelay;
    uint256 proposalThreshold;
    uint256 quorum;
}

/// @notice A stake position with its owner.
/// @param positionId The position
/// @param owner Present owner; the zero address once it was withdrawn or joined into another
/// @param position Node, epochs, principal and shares; all zero once it is gone
struct PositionView {
    uint64 positionId;
    address owner;
    Position position;
}
