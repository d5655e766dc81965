//! What the parts of a node share.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use walrus_core::{Epoch, NodeId, SigningContext};
use walrus_env::Env;
use walrus_redstuff::{BlobId, EncodingParams};

use crate::{
    checkers::Checkers,
    committee::MembershipWatch,
    events::Progress,
    expanded::ExpandedSlivers,
    keys::ProtocolKeys,
    store::{Store, blobs::BlobState, db::DbError, slivers::SliverKey},
};

/// Longest wait for the chain when a request names a blob that is not known to be
/// registered: the node may simply not have heard of it yet.
pub const CATCH_UP_LIMIT: Duration = Duration::from_secs(2);

/// The shared parts of a running node.
#[derive(Debug)]
pub struct NodeState {
    /// The way to everything outside.
    pub env: Env,
    /// The shape of the code.
    pub params: EncodingParams,
    /// Which node this is.
    pub node_id: NodeId,
    /// What is on disk.
    pub store: Store,
    /// Epoch and committee.
    pub membership: MembershipWatch,
    /// The deployment that signatures are bound to.
    pub context: SigningContext,
    /// Sign confirmations.
    pub protocol_keys: ProtocolKeys,
    /// How far the chain has been followed.
    pub progress: Progress,
    /// Checks slivers that arrive.
    pub checkers: Checkers,
    /// Slivers ready for making symbols.
    pub expanded: ExpandedSlivers,
    /// When the node started.
    pub started: Instant,
}

impl NodeState {
    /// The current epoch as far as the node has followed the chain.
    pub fn epoch(&self) -> Epoch {
        self.membership.get().epoch()
    }

    /// The state of a blob. If it is not registered as far as the node knows, the node
    /// first asks the chain, so that a client that registers and uploads at once is not
    /// sent away.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn fresh_blob_state(&self, blob: &BlobId) -> Result<BlobState, DbError> {
        let state = self.store.blob_state(blob).await?;
        if state.is_registered(self.epoch()) || state.invalid.is_some() {
            return Ok(state);
        }
        self.progress.catch_up(CATCH_UP_LIMIT).await;
        self.store.blob_state(blob).await
    }

    /// The slivers of a blob that this node has to store and does not, in order.
    ///
    /// # Errors
    /// When the sliver file cannot be opened.
    pub async fn missing_slivers(&self, blob: &BlobId) -> std::io::Result<Vec<SliverKey>> {
        let stored = self.store.slivers().keys(blob).await?;
        let mut wanted = self.membership.get().keys(blob);
        wanted.retain(|key| stored.binary_search(key).is_err());
        Ok(wanted)
    }
}

/// The shared parts, shared.
pub type Shared = Arc<NodeState>;
