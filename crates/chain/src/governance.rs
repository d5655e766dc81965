//! Deciding together: proposals and votes of token holders, the tunables they set, and
//! the nodes' half of an upgrade (docs/protocol/onchain.md section 2.12).

use std::{fmt, str::FromStr};

use alloy::{
    primitives::{Address, B256, Bytes, U256, keccak256},
    sol_types::{SolCall, SolEvent},
};
use walrus_core::{Epoch, EvmAddress, NodeId};

use crate::{
    abi::{Plain, gate, governor, lens, params, staking, to_address, wal},
    client::{ChainClient, malformed},
    deploy::tunable_key,
    deployment::Deployment,
    error::{ReadError, WriteError},
    sender::{Action, Receipt},
    writer::{ChainWriter, find_event},
};

/// Most calls read out of one proposal; the governor has no limit but a block's gas.
const CALLS_MAX: usize = 1000;

/// Number of a proposal: a hash of what it would do and of its description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProposalId(pub [u8; 32]);

impl ProposalId {
    fn word(self) -> U256 {
        U256::from_be_bytes(self.0)
    }
}

impl fmt::Display for ProposalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(self.0))
    }
}

impl FromStr for ProposalId {
    type Err = &'static str;

    /// As this program prints it, or the decimal number that explorers print.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "a proposal is 0x and 64 hex digits";
        let digits = text.strip_prefix("0x").unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(wrong);
        }
        Ok(Self(text.parse::<U256>().map_err(|_| wrong)?.to_be_bytes()))
    }
}

/// One call of a proposal; the timelock makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposedCall {
    /// The contract.
    pub target: EvmAddress,
    /// Wei sent along.
    pub value: u128,
    /// Selector and arguments.
    pub data: Vec<u8>,
}

/// What a proposed call means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A tunable gets a value.
    SetTunable {
        /// Its name.
        name: String,
        /// Its value; cut to the largest number.
        value: u64,
        /// The first epoch with it.
        from: Epoch,
    },
    /// A proxy gets new code, if the nodes approve as well.
    Upgrade(Upgrade),
    /// Something else.
    Other,
}

/// New code for a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgrade {
    /// The proxy.
    pub proxy: EvmAddress,
    /// Its new implementation, deployed already.
    pub implementation: EvmAddress,
    /// Call that the proxy makes to it in the same transaction; empty for none.
    pub data: Vec<u8>,
    /// Number of upgrades of this proxy so far.
    pub nonce: u64,
}

/// A proposal as it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Its number.
    pub id: ProposalId,
    /// Who made it.
    pub proposer: EvmAddress,
    /// What it would do.
    pub calls: Vec<ProposedCall>,
    /// The proposer's words.
    pub description: String,
    /// Unix time at which votes are weighed and voting begins.
    pub snapshot: u64,
    /// Unix time at which voting ends.
    pub deadline: u64,
}

/// Where a proposal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProposalState {
    /// Voting has not begun.
    Pending,
    /// Votes are taken.
    Active,
    /// Taken back.
    Cancelled,
    /// Too few votes, or more against than for.
    Defeated,
    /// Won: to be queued by anyone.
    Succeeded,
    /// Waiting in the timelock; then to be executed by anyone.
    Queued,
    /// Queued and never executed in time.
    Expired,
    /// Done.
    Executed,
}

impl ProposalState {
    fn from_number(number: u8) -> Option<Self> {
        use ProposalState::*;
        let states = [Pending, Active, Cancelled, Defeated, Succeeded, Queued, Expired, Executed];
        states.get(usize::from(number)).copied()
    }
}

impl fmt::Display for ProposalState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Cancelled => "cancelled",
            Self::Defeated => "defeated",
            Self::Succeeded => "succeeded",
            Self::Queued => "queued",
            Self::Expired => "expired",
            Self::Executed => "executed",
        })
    }
}

/// State and votes of a proposal; votes in FROST.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProposalStatus {
    /// Where it stands.
    pub state: ProposalState,
    /// Votes against.
    pub votes_against: u128,
    /// Votes for.
    pub votes_for: u128,
    /// Abstentions; they count for the quorum.
    pub votes_abstain: u128,
    /// Votes for and abstentions it needs. While voting has not begun: as if it began now.
    pub quorum: u128,
    /// Unix time from which it can be executed, once queued.
    pub executable_at: Option<u64>,
}

/// A vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vote {
    /// No.
    Against,
    /// Yes.
    For,
    /// Counts for the quorum alone.
    Abstain,
}

/// Votes of an account, in FROST, and whom its WAL and stake give theirs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VotingPower {
    /// By WAL delegated to it.
    pub wal: u128,
    /// By stake delegated to it.
    pub staked: u128,
    /// Who votes with its WAL; nobody before the first delegation.
    pub wal_delegate: Option<EvmAddress>,
    /// Who votes with its stake.
    pub staked_delegate: Option<EvmAddress>,
}

/// Times and thresholds of governance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GovernanceView {
    /// The guardian in office.
    pub guardian: Option<EvmAddress>,
    /// Unix time at which its office ends.
    pub guardian_expiry: u64,
    /// Unix time until which sales, registrations and new stake are stopped; 0 for never.
    pub paused_until: u64,
    /// Seconds from a proposal to the beginning of the vote.
    pub voting_delay: u64,
    /// Seconds of the vote.
    pub voting_period: u64,
    /// Seconds in the timelock.
    pub timelock_delay: u64,
    /// FROST of votes needed to propose.
    pub proposal_threshold: u128,
    /// FROST of votes a proposal needs.
    pub quorum: u128,
}

/// A tunable: bounds, which only an upgrade changes, and values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TunableView {
    /// Its name.
    pub name: String,
    /// Smallest value.
    pub lowest: u64,
    /// Largest value.
    pub highest: u64,
    /// Value in the current epoch.
    pub current: u64,
    /// The change that is decided: value and first epoch.
    pub next: Option<(u64, Epoch)>,
}

/// What the nodes say about an action that needs them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Epoch in which `weight` was counted.
    pub epoch: Epoch,
    /// Shards of the nodes that approved in it.
    pub weight: u16,
    /// Unix time until which the approval of a quorum holds, if there was one.
    pub approved_until: Option<u64>,
}

impl ProposedCall {
    /// Gives a tunable another value from an epoch on: one still to come when the
    /// proposal is executed.
    pub fn set_tunable(deployment: &Deployment, name: &str, value: u64, from: Epoch) -> Self {
        let (key, value) = (tunable_key(name), U256::from(value));
        let call = params::ParamRegistry::setCall { key, value, startEpoch: from.0 };
        Self { target: deployment.contracts.params, value: 0, data: call.abi_encode() }
    }

    /// Upgrades a proxy; the nodes must approve too ([`ChainWriter::approve_action`]).
    pub fn upgrade(deployment: &Deployment, upgrade: &Upgrade) -> Self {
        let call = gate::UpgradeGate::executeCall { u: upgrade.into() };
        Self { target: deployment.contracts.upgrade_gate, value: 0, data: call.abi_encode() }
    }

    /// What it means.
    pub fn decision(&self, deployment: &Deployment) -> Decision {
        if self.target == deployment.contracts.params
            && let Ok(call) = params::ParamRegistry::setCall::abi_decode_validate(&self.data)
        {
            let (name, value) = (name_of(call.key), call.value.plain());
            return Decision::SetTunable { name, value, from: Epoch(call.startEpoch) };
        }
        if self.target == deployment.contracts.upgrade_gate
            && let Ok(call) = gate::UpgradeGate::executeCall::abi_decode_validate(&self.data)
        {
            return Decision::Upgrade(Upgrade {
                proxy: call.u.proxy.plain(),
                implementation: call.u.implementation.plain(),
                data: call.u.data.to_vec(),
                nonce: call.u.nonce.plain(),
            });
        }
        Decision::Other
    }
}

impl From<&Upgrade> for gate::UpgradeGate::Upgrade {
    fn from(upgrade: &Upgrade) -> Self {
        Self {
            proxy: to_address(upgrade.proxy),
            implementation: to_address(upgrade.implementation),
            data: upgrade.data.clone().into(),
            nonce: U256::from(upgrade.nonce),
        }
    }
}

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
        let quorum = if state == ProposalState::Pending {
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

fn unless_zero(address: Address) -> Option<EvmAddress> {
    (!address.is_zero()).then(|| address.plain())
}

/// The name that a key of the registry stands for: its bytes up to the first zero.
pub(crate) fn name_of(key: B256) -> String {
    let end = key.iter().position(|byte| *byte == 0).unwrap_or(key.len());
    String::from_utf8_lossy(&key[..end]).into_owned()
}

fn proposal_from(topics: &[B256], data: &[u8]) -> Result<Proposal, ReadError> {
    let decoded = governor::WalrusGovernor::ProposalCreated::decode_raw_log_validate(
        topics.iter().copied(),
        data,
    );
    proposal_of(decoded.map_err(|error| malformed("a proposal", error.to_string()))?)
}

fn proposal_of(event: governor::WalrusGovernor::ProposalCreated) -> Result<Proposal, ReadError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_proposal_means_is_read_out_of_its_calls() {
        // A voter who is shown something else than what is executed votes for the unknown.
        let deployment = Deployment {
            chain_id: 1,
            deploy_block: 0,
            lens: EvmAddress([9; 20]),
            dev_exchange: None,
            contracts: crate::Contracts {
                params: EvmAddress([1; 20]),
                upgrade_gate: EvmAddress([2; 20]),
                ..Default::default()
            },
        };
        let set = ProposedCall::set_tunable(&deployment, "jailEpochs", 7, Epoch(12));
        let meaning =
            Decision::SetTunable { name: "jailEpochs".to_owned(), value: 7, from: Epoch(12) };
        assert_eq!(set.decision(&deployment), meaning);
        let upgrade = Upgrade {
            proxy: EvmAddress([3; 20]),
            implementation: EvmAddress([4; 20]),
            data: vec![5, 6],
            nonce: 7,
        };
        let call = ProposedCall::upgrade(&deployment, &upgrade);
        assert_eq!(call.decision(&deployment), Decision::Upgrade(upgrade));
        // The same bytes sent elsewhere mean something else, and so do cut ones.
        let elsewhere = ProposedCall { target: EvmAddress([2; 20]), ..set.clone() };
        assert_eq!(elsewhere.decision(&deployment), Decision::Other);
        let cut = ProposedCall { data: set.data[..50].to_vec(), ..set };
        assert_eq!(cut.decision(&deployment), Decision::Other);
    }

    #[test]
    fn proposal_numbers_are_read_as_they_are_printed() {
        // Two forms of one number would be two proposals to a script.
        let id = ProposalId([0xab; 32]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!("258".parse::<ProposalId>().map(|id| (id.0[30], id.0[31])), Ok((1, 2)));
        assert!("0xzz".parse::<ProposalId>().is_err() && "".parse::<ProposalId>().is_err());
    }
}
