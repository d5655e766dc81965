//! The steps of a network that anyone may take: whoever has gas money keeps it going
//! (docs/protocol/onchain.md section 2.7).
//!
//! In the order in which an epoch needs them: prices by the committee's votes, the pools
//! settled, the next committee selected, the storage challenge opened, the next epoch
//! started.

use std::collections::BTreeSet;

use walrus_core::{Epoch, NodeId};

use crate::{
    abi::{challenges, staking_pools},
    contract_error::ContractError,
    error::{ReadError, WriteError},
    sender::{Action, Receipt},
    view::{EpochPhase, NetworkView},
    writer::ChainWriter,
};

/// Pools settled by one transaction: a pool takes up to 200,000 gas.
const POOLS_PER_STEP: usize = 50;

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
                self.select_committee().await?;
                Ok(Some(CrankStep::SelectCommittee))
            }
            EpochPhase::ParamsSelected if due(view.epoch.startable_at) => {
                self.start_epoch().await?;
                Ok(Some(CrankStep::StartEpoch))
            }
            EpochPhase::ParamsSelected if self.may_open_challenge(&view, now).await? => {
                match self.open_challenge().await {
                    Ok(_) => Ok(Some(CrankStep::OpenChallenge)),
                    // Everybody passes a challenge that has nothing to ask.
                    Err(error) if is_nothing_to_sample(&error) => Ok(None),
                    Err(error) => Err(error),
                }
            }
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

    /// Opens the storage challenge of the current epoch. Anyone may, once the next
    /// committee is selected and three quarters of the epoch are over.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub async fn open_challenge(&self) -> Result<Receipt, WriteError> {
        let call = challenges::Challenges::openChallengeCall {};
        let challenges = self.client().deployment().contracts.challenges;
        self.sender().execute(Action::call("open the challenge", challenges, &call)).await
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

    async fn may_open_challenge(&self, view: &NetworkView, now: u64) -> Result<bool, WriteError> {
        let epoch = view.epoch.epoch;
        let duration = u64::from(view.parameters.epoch_duration);
        let opens_at = view.epoch.done_at.unwrap_or(u64::MAX).saturating_add(duration * 3 / 4);
        if epoch == Epoch(0) || now < opens_at {
            return Ok(false);
        }
        let action = "look at the challenge";
        let challenge = self.client().challenge(epoch).await;
        let challenge = challenge.map_err(|source| WriteError::Read { action, source })?;
        Ok(challenge.is_on && !challenge.opened && challenge.log_end > challenge.log_start)
    }
}

fn is_nothing_to_sample(error: &WriteError) -> bool {
    matches!(error.contract_error(), Some(ContractError::NothingToSample { .. }))
}
