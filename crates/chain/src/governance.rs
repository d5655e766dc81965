//! Deciding together: proposals and votes of token holders, the tunables they set, and
//! the nodes' half of an upgrade (docs/protocol/onchain.md section 2.12).

mod deciding;
mod reading;

use std::{fmt, str::FromStr};

use alloy::{
    primitives::{B256, U256},
    sol_types::SolCall,
};
use walrus_core::{Epoch, EvmAddress};

use crate::{
    abi::{Plain, gate, params, to_address},
    deploy::tunable_key,
    deployment::Deployment,
};

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

    /// Upgrades a proxy; the nodes must approve too ([`ChainWriter::approve_action`](crate::ChainWriter::approve_action)).
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

/// The name that a key of the registry stands for: its bytes up to the first zero.
pub(crate) fn name_of(key: B256) -> String {
    let end = key.iter().position(|byte| *byte == 0).unwrap_or(key.len());
    String::from_utf8_lossy(&key[..end]).into_owned()
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
