//! Proposing, voting, carrying out.

use alloy::{
    primitives::{Address, Bytes, U256, keccak256},
    sol_types::SolCall,
};
use walrus_core::{EvmAddress, NodeId};

use super::{Proposal, ProposalId, ProposedCall, Vote, reading::proposal_of};
use crate::{
    abi::{Plain, gate, governor, staking, to_address, wal},
    error::WriteError,
    sender::{Action, Receipt},
    writer::{ChainWriter, find_event},
};

/// Each of these sends transactions and waits for them; see [`WriteError`] for what can
/// go wrong.
#[allow(clippy::missing_errors_doc, reason = "said once for all")]
impl ChainWriter {
    /// Gives the votes of this account's WAL and stake to `to`; to itself, to vote.
    /// Needed once before a first proposal or vote: undelegated WAL does not vote.
    pub async fn delegate_votes(&self, to: EvmAddress) -> Result<(), WriteError> {
        let contracts = self.client().deployment().contracts;
        let delegatee = to_address(to);
        let call = wal::WAL::delegateCall { delegatee };
        let name = "delegate the votes of WAL";
        self.sender().execute(Action::call(name, contracts.wal, &call)).await?;
        let call = staking::Staking::delegateCall { delegatee };
        let name = "delegate the votes of staked WAL";
        self.sender().execute(Action::call(name, contracts.staking, &call)).await?;
        Ok(())
    }

    /// Proposes calls to the token holders.
    pub async fn propose(
        &self,
        calls: &[ProposedCall],
        description: &str,
    ) -> Result<Proposal, WriteError> {
        let name = "propose";
        let (targets, values, calldatas) = arguments(calls);
        let description = description.to_owned();
        let call =
            governor::WalrusGovernor::proposeCall { targets, values, calldatas, description };
        let receipt = self.governor_call(name, &call).await?;
        let contract = self.client().deployment().contracts.governor;
        let event = find_event(name, &receipt, contract)?;
        proposal_of(event).map_err(|source| WriteError::Read { action: name, source })
    }

    /// Votes on a proposal, with a reason for others to read; it may be empty. Returns
    /// the FROST of votes that counted: those the account had at the snapshot.
    pub async fn vote(&self, id: ProposalId, vote: Vote, reason: &str) -> Result<u128, WriteError> {
        let support = match vote {
            Vote::Against => 0,
            Vote::For => 1,
            Vote::Abstain => 2,
        };
        let call = governor::WalrusGovernor::castVoteWithReasonCall {
            proposalId: id.word(),
            support,
            reason: reason.to_owned(),
        };
        let name = "vote";
        let receipt = self.governor_call(name, &call).await?;
        let contract = self.client().deployment().contracts.governor;
        let event: governor::WalrusGovernor::VoteCast = find_event(name, &receipt, contract)?;
        Ok(event.weight.plain())
    }

    /// Puts a proposal that won into the timelock. Anyone may.
    pub async fn queue(&self, proposal: &Proposal) -> Result<Receipt, WriteError> {
        let (targets, values, calldatas) = arguments(&proposal.calls);
        let call = governor::WalrusGovernor::queueCall {
            targets,
            values,
            calldatas,
            descriptionHash: keccak256(&proposal.description),
        };
        self.governor_call("queue the proposal", &call).await
    }

    /// Makes the calls of a proposal that has waited long enough. Anyone may.
    pub async fn execute_proposal(&self, proposal: &Proposal) -> Result<Receipt, WriteError> {
        let (targets, values, calldatas) = arguments(&proposal.calls);
        let call = governor::WalrusGovernor::executeCall {
            targets,
            values,
            calldatas,
            descriptionHash: keccak256(&proposal.description),
        };
        self.governor_call("execute the proposal", &call).await
    }

    /// Takes a proposal back. Only its proposer, and only before the vote begins.
    pub async fn cancel_proposal(&self, proposal: &Proposal) -> Result<Receipt, WriteError> {
        let (targets, values, calldatas) = arguments(&proposal.calls);
        let call = governor::WalrusGovernor::cancelCall {
            targets,
            values,
            calldatas,
            descriptionHash: keccak256(&proposal.description),
        };
        self.governor_call("take the proposal back", &call).await
    }

    /// Approves an action for a node, as its governance account.
    pub async fn approve_action(
        &self,
        node: NodeId,
        action: [u8; 32],
    ) -> Result<Receipt, WriteError> {
        let call = gate::UpgradeGate::approveCall { nodeId: node.0, actionId: action.into() };
        let gate = self.client().deployment().contracts.upgrade_gate;
        self.sender().execute(Action::call("approve for the node", gate, &call)).await
    }

    async fn governor_call<C: SolCall>(
        &self,
        name: &'static str,
        call: &C,
    ) -> Result<Receipt, WriteError> {
        let governor = self.client().deployment().contracts.governor;
        self.sender().execute(Action::call(name, governor, call)).await
    }
}

fn arguments(calls: &[ProposedCall]) -> (Vec<Address>, Vec<U256>, Vec<Bytes>) {
    (
        calls.iter().map(|call| to_address(call.target)).collect(),
        calls.iter().map(|call| U256::from(call.value)).collect(),
        calls.iter().map(|call| call.data.clone().into()).collect(),
    )
}
