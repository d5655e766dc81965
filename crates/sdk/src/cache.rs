//! The network's present state, asked of the chain now and then.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;
use walrus_chain::{ChainClient, EpochPhase, NetworkView, ReadError};
use walrus_core::Epoch;

use crate::network::{CommitteeView, NodeAccess, NodeClients};

/// Why the network's state is not known.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// The chain did not answer, or not as it must.
    #[error("the network's state could not be read from the chain: {0}")]
    Chain(#[from] ReadError),
    /// There is no committee yet.
    #[error("the network has not started: its first epoch has no committee yet")]
    NotStarted,
}

/// What the chain says now.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Epoch, prices and capacity.
    pub network: NetworkView,
    /// The committee of the epoch, and how to speak to it.
    pub committee: Arc<CommitteeView>,
}

struct Kept {
    snapshot: Snapshot,
    at: Instant,
}

struct State {
    clients: NodeClients,
    kept: Option<Kept>,
}

/// Keeps the latest snapshot.
pub(crate) struct NetworkCache {
    chain: ChainClient,
    max_age: Duration,
    // One at a time asks the chain; the others wait for its answer.
    state: Mutex<State>,
}

impl NetworkCache {
    pub(crate) fn new(chain: ChainClient, access: NodeAccess, max_age: Duration) -> Self {
        let clients = NodeClients::new(chain.env(), access);
        Self { chain, max_age, state: Mutex::new(State { clients, kept: None }) }
    }

    /// A snapshot that is not too old.
    pub(crate) async fn get(&self) -> Result<Snapshot, NetworkError> {
        let mut state = self.state.lock().await;
        match &state.kept {
            Some(kept) if kept.at.elapsed() < self.max_age => Ok(kept.snapshot.clone()),
            _ => self.ask(&mut state, false).await,
        }
    }

    /// A snapshot newer than this call, with the nodes' present addresses and keys.
    pub(crate) async fn refresh(&self) -> Result<Snapshot, NetworkError> {
        let mut state = self.state.lock().await;
        self.ask(&mut state, true).await
    }

    /// The committee before the present one, while that one is taking over: it still
    /// serves what was certified before.
    pub(crate) async fn previous(
        &self,
        snapshot: &Snapshot,
    ) -> Result<Option<CommitteeView>, NetworkError> {
        let Epoch(epoch) = snapshot.network.epoch.epoch;
        if snapshot.network.epoch.phase != EpochPhase::Sync || epoch < 2 {
            return Ok(None);
        }
        let committee = self.chain.committee(Epoch(epoch - 1)).await?;
        let state = self.state.lock().await;
        let context = self.chain.deployment().signing_context();
        Ok(Some(state.clients.clone().view(committee, context)))
    }

    async fn ask(&self, state: &mut State, addresses: bool) -> Result<Snapshot, NetworkError> {
        let network = self.chain.network().await?;
        let committee = match network.epoch.epoch {
            Epoch(0) => return Err(NetworkError::NotStarted),
            epoch if addresses => self.chain.refresh_committee(epoch).await?,
            epoch => self.chain.committee(epoch).await?,
        };
        let context = self.chain.deployment().signing_context();
        let committee = Arc::new(state.clients.view(committee, context));
        let snapshot = Snapshot { network, committee };
        state.kept = Some(Kept { snapshot: snapshot.clone(), at: Instant::now() });
        Ok(snapshot)
    }
}
