// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Governor } from "@openzeppelin/contracts/governance/Governor.sol";
import { TimelockController } from "@openzeppelin/contracts/governance/TimelockController.sol";
import { GovernorCountingSimple } from "@openzeppelin/contracts/governance/extensions/GovernorCountingSimple.sol";
import { GovernorTimelockControl } from "@openzeppelin/contracts/governance/extensions/GovernorTimelockControl.sol";
import { GovernorVotes } from "@openzeppelin/contracts/governance/extensions/GovernorVotes.sol";
import { IVotes } from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import { VotingTimes } from "./types/Governance.sol";

/// @title Votes of the token holders
/// @notice A vote weighs the WAL an account was delegated plus the staked WAL it was delegated, both at the snapshot of
/// the proposal. WAL that is staked is no longer in the staker's WAL votes, so nothing counts twice. Nothing can be
/// tuned later: delay and period are fixed at deployment, threshold and quorum are shares of the supply.
contract WalrusGovernor is Governor, GovernorCountingSimple, GovernorVotes, GovernorTimelockControl {
    /// @notice Votes a proposer needs: this fraction of the supply (0.1 %).
    uint256 public constant THRESHOLD_DIVISOR = 1000;
    /// @notice Votes for and abstentions a proposal needs: this percentage of the supply. Staked WAL is part of it.
    uint256 public constant QUORUM_PERCENT = 4;

    /// @notice The second source of votes: staked WAL.
    IVotes public immutable STAKED_VOTES;
    uint48 private immutable VOTING_DELAY;
    uint32 private immutable VOTING_PERIOD;

    /// @param wal WAL, whose clock and supply count
    /// @param staked `Staking` proxy
    /// @param timelock_ The timelock that executes; this contract is its proposer
    constructor(IVotes wal, IVotes staked, TimelockController timelock_, VotingTimes memory times)
        Governor("Walrus Governor")
        GovernorVotes(wal)
        GovernorTimelockControl(timelock_)
    {
        STAKED_VOTES = staked;
        VOTING_DELAY = times.votingDelay;
        VOTING_PERIOD = times.votingPeriod;
    }

    /// @notice Seconds from a proposal to its snapshot.
    function votingDelay() public view override returns (uint256) {
        return VOTING_DELAY;
    }

    /// @notice Seconds from the snapshot to the end of the vote.
    function votingPeriod() public view override returns (uint256) {
        return VOTING_PERIOD;
    }

    /// @notice Votes in FROST needed to propose now.
    function proposalThreshold() public view override returns (uint256) {
        return token().getPastTotalSupply(clock() - 1) / THRESHOLD_DIVISOR;
    }

    /// @notice Votes in FROST needed for a proposal with this snapshot.
    function quorum(uint256 timepoint) public view override returns (uint256) {
        return token().getPastTotalSupply(timepoint) * QUORUM_PERCENT / 100;
    }

    /// @notice Where a proposal stands; once queued, the timelock knows.
    function state(uint256 proposalId) public view override(Governor, GovernorTimelockControl) returns (ProposalState) {
        return super.state(proposalId);
    }

    /// @notice Always true: everything goes through the timelock.
    function proposalNeedsQueuing(uint256 proposalId)
        public
        view
        override(Governor, GovernorTimelockControl)
        returns (bool)
    {
        return super.proposalNeedsQueuing(proposalId);
    }

    function _getVotes(address account, uint256 timepoint, bytes memory)
        internal
        view
        override(Governor, GovernorVotes)
        returns (uint256)
    {
        return token().getPastVotes(account, timepoint) + STAKED_VOTES.getPastVotes(account, timepoint);
    }

    function _queueOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) returns (uint48) {
        return super._queueOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _executeOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) {
        super._executeOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _cancel(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) returns (uint256) {
        return super._cancel(targets, values, calldatas, descriptionHash);
    }

    function _executor() internal view override(Governor, GovernorTimelockControl) returns (address) {
        return super._executor();
    }
}
