//! Decisions (docs/protocol/onchain.md section 2.12).

use walrus_core::{Epoch, EvmAddress, NodeId};

use crate::{
    abi::{Plain, gate, governor, params},
    governance::{ProposalId, Vote, name_of},
};

/// What was decided, or is being decided.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GovernanceEvent {
    /// A proposal was made; [`ChainClient::proposals`] tells what it would do.
    ///
    /// [`ChainClient::proposals`]: crate::ChainClient::proposals
    Proposed {
        /// Its number.
        proposal: ProposalId,
        /// Who made it.
        proposer: EvmAddress,
        /// Unix time at which voting begins.
        voting_begins: u64,
        /// Unix time at which it ends.
        voting_ends: u64,
    },
    /// An account voted.
    Voted {
        /// The proposal.
        proposal: ProposalId,
        /// The account.
        voter: EvmAddress,
        /// Its vote.
        vote: Vote,
        /// FROST of votes.
        weight: u128,
    },
    /// A proposal waits in the timelock.
    Queued {
        /// The proposal.
        proposal: ProposalId,
        /// Unix time from which it can be executed.
        executable_at: u64,
    },
    /// A proposal was carried out.
    Executed {
        /// The proposal.
        proposal: ProposalId,
    },
    /// A proposal was taken back.
    Cancelled {
        /// The proposal.
        proposal: ProposalId,
    },
    /// A tunable gets a value.
    TunableSet {
        /// Its name.
        name: String,
        /// Its value; cut to the largest number.
        value: u64,
        /// First epoch with it.
        from: Epoch,
    },
    /// A node approved an action.
    ActionApproved {
        /// The action.
        action: [u8; 32],
        /// The node.
        node_id: NodeId,
        /// The epoch whose shards count.
        epoch: Epoch,
        /// Shards that approved in it so far.
        weight: u16,
    },
    /// A quorum of the shards approved.
    QuorumApproved {
        /// The action.
        action: [u8; 32],
        /// Unix time until which that holds.
        until: u64,
    },
    /// A proxy has new code.
    Upgraded {
        /// The proxy.
        proxy: EvmAddress,
        /// Its code.
        implementation: EvmAddress,
        /// What the nodes approved of.
        action: [u8; 32],
    },
    /// The guardian stopped new sales, registrations and stake.
    Paused {
        /// Unix time at which that ends.
        until: u64,
    },
    /// The pause was lifted.
    Unpaused,
    /// The guardian gave up its office.
    GuardianRenounced,
}

fn id(word: alloy::primitives::U256) -> ProposalId {
    ProposalId(word.to_be_bytes())
}

decoders! { GovernanceEvent:
    governor::WalrusGovernor::ProposalCreated => |e| GovernanceEvent::Proposed {
        proposal: id(e.proposalId),
        proposer: e.proposer.plain(),
        voting_begins: e.voteStart.plain(),
        voting_ends: e.voteEnd.plain(),
    };
    governor::WalrusGovernor::VoteCast => |e| GovernanceEvent::Voted {
        proposal: id(e.proposalId),
        voter: e.voter.plain(),
        vote: match e.support {
            0 => Vote::Against,
            1 => Vote::For,
            2 => Vote::Abstain,
            _ => return None,
        },
        weight: e.weight.plain(),
    };
    governor::WalrusGovernor::ProposalQueued => |e| GovernanceEvent::Queued {
        proposal: id(e.proposalId),
        executable_at: e.etaSeconds.plain(),
    };
    governor::WalrusGovernor::ProposalExecuted => |e| GovernanceEvent::Executed {
        proposal: id(e.proposalId),
    };
    governor::WalrusGovernor::ProposalCanceled => |e| GovernanceEvent::Cancelled {
        proposal: id(e.proposalId),
    };
    params::ParamRegistry::ParamSet => |e| GovernanceEvent::TunableSet {
        name: name_of(e.key),
        value: e.value.plain(),
        from: Epoch(e.startEpoch),
    };
    gate::UpgradeGate::ActionApproved => |e| GovernanceEvent::ActionApproved {
        action: e.actionId.plain(),
        node_id: NodeId(e.nodeId),
        epoch: Epoch(e.epoch),
        weight: e.weight,
    };
    gate::UpgradeGate::QuorumReached => |e| GovernanceEvent::QuorumApproved {
        action: e.actionId.plain(),
        until: e.approvedUntil,
    };
    gate::UpgradeGate::Upgraded => |e| GovernanceEvent::Upgraded {
        proxy: e.proxy.plain(),
        implementation: e.implementation.plain(),
        action: e.actionId.plain(),
    };
    gate::UpgradeGate::Paused => |e| GovernanceEvent::Paused { until: e.until };
    gate::UpgradeGate::Unpaused => |_event| GovernanceEvent::Unpaused;
    gate::UpgradeGate::GuardianRenounced => |_event| GovernanceEvent::GuardianRenounced;
}
