//! The steps of a network that anyone may take: whoever has gas money keeps it going
//! (docs/protocol/onchain.md section 2.7).
//!
//! In the order in which an epoch needs them: prices by the committee's votes, the pools
//! settled, the log of certified blobs kept dense, the next committee selected, the storage
//! challenge opened, its seed revealed, the next epoch started. Each step is of bounded
//! work; what is left is the next step.

use std::collections::BTreeSet;

use walrus_core::{Epoch, NodeId};

use crate::{
    abi::staking_pools,
    contract_error::ContractError,
    error::{ReadError, WriteError},
    sender::{Action, Receipt},
    view::{ChallengeView, EpochPhase, NetworkView},
    writer::ChainWriter,
};

/// Pools settled by one transaction: a pool takes up to 200,000 gas.
const POOLS_PER_STEP: usize = 50;

/// Entries of the log looked at, and moved, by one step: moving one takes 60,000 gas.
const ENTRIES_PER_STEP: u64 = 100;
/// Entries at the start of the log that no longer count and are passed over as soon as
/// there are so many; fewer only when they are a quarter of what is looked at.
const DEAD_HEAD: usize = 50;

/// A step that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CrankStep {
    /// The prices follow the committee's votes.
    UpdatePrices,
    /// Pools were brought up to the current epoch: rewards, joins and leaves.
    Settle {
        /// Their nodes.
        nodes: Vec<NodeId>,
    },
    /// The committee of the next epoch was selected.
    SelectCommittee,
    /// The storage challenge of the current epoch was opened.
    OpenChallenge,
    /// The seed of the challenge was revealed.
    RevealSeed,
    /// The start of the log of certified blobs moved over entries that no longer count.
    TrimLog {
        /// How many.
        entries: u64,
    },
    /// Entries at the start of the log were passed over or moved to its end, because most
    /// of them no longer count.
    CompactLog {
        /// How many.
        entries: u64,
    },
    /// The next epoch began.
    StartEpoch,
}

impl std::fmt::Display for CrankStep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::UpdatePrices => f.write_str("update prices"),
            Self::Settle { nodes } => write!(f, "settle {} pools", nodes.len()),
            Self::SelectCommittee => f.write_str("select committee"),
            Self::OpenChallenge => f.write_str("open challenge"),
            Self::RevealSeed => f.write_str("reveal seed"),
            Self::TrimLog { entries } => write!(f, "trim {entries} log entries"),
            Self::CompactLog { entries } => write!(f, "compact {entries} log entries"),
            Self::StartEpoch => f.write_str("start epoch"),
        }
    }
}

impl ChainWriter {
    /// Takes the first step that is due and open to anyone; `None` when there is none.
    /// Call it again until then. Two accounts may do this at the same time: the later one
    /// is refused, at no cost where the chain finds it out before sending.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub async fn crank(&self) -> Result<Option<CrankStep>, WriteError> {
        let action = "look at the epoch";
        let read = |source| WriteError::Read { action, source };
        let view = self.client().network().await.map_err(read)?;
        let now = self.client().block_time().await.map_err(read)?;
        let due = |time: Option<u64>| time.is_some_and(|time| now >= time);
        if view.epoch.epoch > Epoch(0) {
            if self.client().voted_prices().await.map_err(read)? != view.prices {
                self.update_prices().await?;
                return Ok(Some(CrankStep::UpdatePrices));
            }
            let nodes = self.unsettled(&view).await.map_err(read)?;
            if !nodes.is_empty() {
                self.settle(&nodes).await?;
                return Ok(Some(CrankStep::Settle { nodes }));
            }
        }
        match view.epoch.phase {
            EpochPhase::Done if due(view.epoch.selectable_at) => {
                if let Some(step) = self.tend_log(&view, now).await? {
                    return Ok(Some(step));
                }
                self.select_committee().await?;
                Ok(Some(CrankStep::SelectCommittee))
            }
            EpochPhase::ParamsSelected if due(view.epoch.startable_at) => {
                self.start_epoch().await?;
                Ok(Some(CrankStep::StartEpoch))
            }
            EpochPhase::ParamsSelected => self.challenge_step(&view, now).await,
            _ => Ok(None),
        }
    }

    /// Brings the pools of some nodes up to the current epoch. Anyone may.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub async fn settle(&self, nodes: &[NodeId]) -> Result<Receipt, WriteError> {
        let node_ids = nodes.iter().map(|node| node.0).collect();
        let call = staking_pools::StakingPools::settleCall { nodeIds: node_ids };
        let staking = self.client().deployment().contracts.staking;
        self.sender().execute(Action::call("settle the pools", staking, &call)).await
    }

    /// Nodes that take part in the current epoch, or did in the last one, and whose pools
    /// are behind; as many as one transaction settles.
    async fn unsettled(&self, view: &NetworkView) -> Result<Vec<NodeId>, ReadError> {
        let client = self.client();
        let active = client.active_set().await?;
        let mut wanted: BTreeSet<_> = active.into_iter().map(|(node, _)| node).collect();
        if view.epoch.epoch > Epoch(1) {
            let ended = client.committee(Epoch(view.epoch.epoch.0 - 1)).await?;
            wanted.extend(ended.members().map(|(_, member)| member.node_id));
        }
        let (Some(first), Some(last)) = (wanted.first(), wanted.last()) else {
            return Ok(Vec::new());
        };
        let pools = client.pools(*first, *last).await?.into_iter();
        let behind = pools.filter(|pool| pool.settled_epoch < view.epoch.epoch);
        let behind = behind.map(|pool| pool.node_id).filter(|node| wanted.contains(node));
        Ok(behind.take(POOLS_PER_STEP).collect())
    }

    /// The step of the storage challenge that is due, between selection and epoch change.
    async fn challenge_step(
        &self,
        view: &NetworkView,
        now: u64,
    ) -> Result<Option<CrankStep>, WriteError> {
        let epoch = view.epoch.epoch;
        if epoch == Epoch(0) {
            return Ok(None);
        }
        let read = |source| WriteError::Read { action: "look at the challenge", source };
        let challenge = self.client().challenge(epoch).await.map_err(read)?;
        if !challenge.is_on || challenge.log_end == challenge.log_start {
            return Ok(None);
        }
        let duration = u64::from(view.parameters.epoch_duration);
        let opens_at = view.epoch.done_at.unwrap_or(u64::MAX).saturating_add(duration * 3 / 4);
        match challenge {
            ChallengeView { opened: false, .. } if now >= opens_at => {
                match self.open_challenge().await {
                    Ok(_) => Ok(Some(CrankStep::OpenChallenge)),
                    // Everybody passes a challenge that has nothing to ask.
                    Err(error) if is_nothing_to_sample(&error) => Ok(None),
                    Err(error) => Err(error),
                }
            }
            ChallengeView { seed_block: Some(block), seed: None, .. }
                if self.client().block_number().await.map_err(read)? > block =>
            {
                match self.reveal_seed(block).await {
                    Ok(_) => Ok(Some(CrankStep::RevealSeed)),
                    // Nobody looked for days: the challenge is void, the epoch goes on.
                    Err(error) if is_forgotten(&error) => Ok(None),
                    Err(error) => Err(error),
                }
            }
            _ => Ok(None),
        }
    }

    /// Keeps the log of certified blobs dense, so that samples fall on blobs that live:
    /// just before a selection, which freezes it and does not wait long for it.
    async fn tend_log(
        &self,
        view: &NetworkView,
        now: u64,
    ) -> Result<Option<CrankStep>, WriteError> {
        // As long as the contract lets a selection wait for unsettled pools.
        let patience = u64::from(view.parameters.epoch_duration) / 4;
        if view.epoch.selectable_at.is_none_or(|time| now > time.saturating_add(patience)) {
            return Ok(None);
        }
        let client = self.client();
        let read = |source| WriteError::Read { action: "look at the log", source };
        let length = u64::from(view.certified_count);
        if length == 0 || client.tunable("challengeMode").await.map_err(read)? == 0 {
            return Ok(None);
        }
        let start = client.log_start().await.map_err(read)?;
        if start >= length {
            return Ok(None);
        }
        let live = client.live_entries(start, ENTRIES_PER_STEP).await.map_err(read)?;
        let dead_head = live.iter().take_while(|live| !**live).count();
        if dead_head >= DEAD_HEAD || dead_head * 4 > live.len() {
            let entries = dead_head as u64;
            self.trim_log(entries).await?;
            return Ok(Some(CrankStep::TrimLog { entries }));
        }
        if live.iter().filter(|live| **live).count() * 2 < live.len() {
            let entries = live.len() as u64;
            self.compact_log(entries).await?;
            return Ok(Some(CrankStep::CompactLog { entries }));
        }
        Ok(None)
    }
}

fn is_nothing_to_sample(error: &WriteError) -> bool {
    matches!(error.contract_error(), Some(ContractError::NothingToSample { .. }))
}

fn is_forgotten(error: &WriteError) -> bool {
    matches!(error.contract_error(), Some(ContractError::BlockUnavailable { .. }))
}
