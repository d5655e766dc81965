//! What stands to be decided, and who may decide it.

use alloy::{
    primitives::{Address, B256},
    sol_types::SolEvent,
};
use walrus_core::{Epoch, EvmAddress};

use super::{
    Approval, GovernanceView, Proposal, ProposalId, ProposalState, ProposalStatus, ProposedCall,
    TunableView, Upgrade, VotingPower, name_of,
};
use crate::{
    abi::{Plain, gate, governor, lens, staking, to_address, wal},
    client::{ChainClient, malformed},
    error::ReadError,
};

/// Most calls read out of one proposal; the governor has no limit but a block's gas.
const CALLS_MAX: usize = 1000;

impl ChainClient {
    /// Times and thresholds of governance.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn governance(&self) -> Result<GovernanceView, ReadError> {
        let call = lens::WalrusLens::governanceCall {};
        let g = self.read("governance", to_address(self.deployment().lens), call).await?;
        Ok(GovernanceView {
            guardian: unless_zero(g.guardian),
            guardian_expiry: g.guardianExpiry,
            paused_until: g.pausedUntil,
            voting_delay: g.votingDelay.plain(),
            voting_period: g.votingPeriod.plain(),
            timelock_delay: g.timelockDelay.plain(),
            proposal_threshold: g.proposalThreshold.plain(),
            quorum: g.quorum.plain(),
        })
    }

    /// All tunables.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn tunables(&self) -> Result<Vec<TunableView>, ReadError> {
        let call = lens::WalrusLens::paramsCall {};
        let found = self.read("the tunables", to_address(self.deployment().lens), call).await?;
        let tunable = |t: lens::WalrusLens::ParamInfo| TunableView {
            name: name_of(t.key),
            lowest: t.lowest.plain(),
            highest: t.highest.plain(),
            current: t.current.plain(),
            next: (t.nextFrom != 0).then(|| (t.next.plain(), Epoch(t.nextFrom))),
        };
        Ok(found.into_iter().map(tunable).collect())
    }

    /// All proposals, oldest first. Searches the chain's logs, so an address that
    /// discards old ones may not find all.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn proposals(&self) -> Result<Vec<Proposal>, ReadError> {
        let governor = to_address(self.deployment().contracts.governor);
        let topics = [governor::WalrusGovernor::ProposalCreated::SIGNATURE_HASH];
        let logs = self.logs_of(governor, &topics).await?;
        logs.iter().map(|log| proposal_from(&log.topics, &log.data)).collect()
    }

    /// State and votes of a proposal.
    ///
    /// # Errors
    /// [`ContractError::GovernorNonexistentProposal`]; see [`ReadError`].
    ///
    /// [`ContractError::GovernorNonexistentProposal`]: crate::ContractError::GovernorNonexistentProposal
    pub async fn proposal_status(&self, id: ProposalId) -> Result<ProposalStatus, ReadError> {
        use governor::WalrusGovernor as G;
        let (to, id) = (to_address(self.deployment().contracts.governor), id.word());
        let what = "a proposal";
        let state = self.read(what, to, G::stateCall { proposalId: id }).await?;
        let state = ProposalState::from_number(state)
            .ok_or_else(|| malformed(what, format!("there is no state {state}")))?;
        let votes = self.read(what, to, G::proposalVotesCall { proposalId: id }).await?;
        let eta = self.read(what, to, G::proposalEtaCall { proposalId: id }).await?;
        // The contract knows no quorum for a time that is still to come; a proposal that was taken back may
        // have such a one.
        let quorum = if matches!(state, ProposalState::Pending | ProposalState::Cancelled) {
            self.governance().await?.quorum
        } else {
            let begun = self.read(what, to, G::proposalSnapshotCall { proposalId: id }).await?;
            self.read(what, to, G::quorumCall { timepoint: begun }).await?.plain()
        };
        Ok(ProposalStatus {
            state,
            votes_against: votes.againstVotes.plain(),
            votes_for: votes.forVotes.plain(),
            votes_abstain: votes.abstainVotes.plain(),
            quorum,
            executable_at: (!eta.is_zero()).then(|| eta.plain()),
        })
    }

    /// Votes of an account as of now. A proposal counts those of its snapshot.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn voting_power(&self, account: EvmAddress) -> Result<VotingPower, ReadError> {
        let contracts = self.deployment().contracts;
        let (wal, staking) = (to_address(contracts.wal), to_address(contracts.staking));
        let account = to_address(account);
        let what = "votes";
        let votes = self.read(what, wal, wal::WAL::getVotesCall { account }).await?;
        let staked = self.read(what, staking, staking::Staking::getVotesCall { account }).await?;
        let by = self.read(what, wal, wal::WAL::delegatesCall { account }).await?;
        let stake_by =
            self.read(what, staking, staking::Staking::delegatesCall { account }).await?;
        Ok(VotingPower {
            wal: votes.plain(),
            staked: staked.plain(),
            wal_delegate: unless_zero(by),
            staked_delegate: unless_zero(stake_by),
        })
    }

    /// The next upgrade of a proxy, to be proposed and approved.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn next_upgrade(
        &self,
        proxy: EvmAddress,
        implementation: EvmAddress,
        data: Vec<u8>,
    ) -> Result<Upgrade, ReadError> {
        let gate = to_address(self.deployment().contracts.upgrade_gate);
        let call = gate::UpgradeGate::nonceOfCall { proxy: to_address(proxy) };
        let nonce = self.read("the number of upgrades", gate, call).await?.plain();
        Ok(Upgrade { proxy, implementation, data, nonce })
    }

    /// What the nodes approve of when they approve of an upgrade.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn upgrade_action(&self, upgrade: &Upgrade) -> Result<[u8; 32], ReadError> {
        let gate = to_address(self.deployment().contracts.upgrade_gate);
        let call = gate::UpgradeGate::upgradeIdCall { u: upgrade.into() };
        Ok(self.read("an upgrade", gate, call).await?.0)
    }

    /// What the nodes say about an action.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn approval(&self, action: [u8; 32]) -> Result<Approval, ReadError> {
        let gate = to_address(self.deployment().contracts.upgrade_gate);
        let call = gate::UpgradeGate::approvalCall { actionId: action.into() };
        let found = self.read("an approval", gate, call).await?;
        Ok(Approval {
            epoch: Epoch(found.epoch),
            weight: found.weight,
            approved_until: (found.approvedUntil != 0).then_some(found.approvedUntil),
        })
    }
}

fn unless_zero(address: Address) -> Option<EvmAddress> {
    (!address.is_zero()).then(|| address.plain())
}

fn proposal_from(topics: &[B256], data: &[u8]) -> Result<Proposal, ReadError> {
    let decoded = governor::WalrusGovernor::ProposalCreated::decode_raw_log_validate(
        topics.iter().copied(),
        data,
    );
    proposal_of(decoded.map_err(|error| malformed("a proposal", error.to_string()))?)
}

pub(super) fn proposal_of(
    event: governor::WalrusGovernor::ProposalCreated,
) -> Result<Proposal, ReadError> {
    let count = event.targets.len();
    if count > CALLS_MAX || event.values.len() != count || event.calldatas.len() != count {
        return Err(malformed("a proposal", format!("it has {count} calls")));
    }
    let calls = event.targets.into_iter().zip(event.values).zip(event.calldatas);
    let calls = calls.map(|((target, value), data)| ProposedCall {
        target: target.plain(),
        value: value.plain(),
        data: data.to_vec(),
    });
    Ok(Proposal {
        id: ProposalId(event.proposalId.to_be_bytes()),
        proposer: event.proposer.plain(),
        calls: calls.collect(),
        description: event.description,
        snapshot: event.voteStart.plain(),
        deadline: event.voteEnd.plain(),
    })
}
