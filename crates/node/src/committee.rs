//! The node's place in the committee.

use std::sync::Arc;

use tokio::sync::watch;
use walrus_core::{Committee, Epoch, Member, NodeId};
use walrus_redstuff::{BlobId, ShardIndex, SliverType};

use crate::store::slivers::SliverKey;

/// The epoch and committee that the node follows, and its own part in it.
#[derive(Clone, Debug)]
pub struct Membership {
    node: NodeId,
    epoch: Epoch,
    committee: Option<Arc<Committee>>,
}

impl Membership {
    /// The place of `node` in an epoch; `committee` is `None` before the first one.
    pub fn new(node: NodeId, epoch: Epoch, committee: Option<Arc<Committee>>) -> Self {
        Self { node, epoch, committee }
    }

    /// The current epoch.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The committee of the current epoch; `None` in epoch 0.
    pub fn committee(&self) -> Option<&Arc<Committee>> {
        self.committee.as_ref()
    }

    /// This node as the committee knows it.
    pub fn member(&self) -> Option<&Member> {
        self.committee.as_ref().and_then(|committee| committee.member_of(self.node))
    }

    /// The shards this node has to serve, ascending.
    pub fn shards(&self) -> &[ShardIndex] {
        self.committee.as_ref().map_or(&[], |committee| committee.shards_of(self.node))
    }

    /// Whether this node has to serve `shard`.
    pub fn owns(&self, shard: ShardIndex) -> bool {
        self.shards().binary_search(&shard).is_ok()
    }

    /// The slivers of a blob that this node has to store: both of each of its pairs, in order.
    pub fn keys(&self, blob: &BlobId) -> Vec<SliverKey> {
        let Some(n_shards) = self.committee.as_ref().map(|committee| committee.n_shards()) else {
            return Vec::new();
        };
        let pairs = self.shards().iter().map(|shard| shard.to_pair_index(n_shards, blob));
        let mut keys: Vec<SliverKey> =
            pairs.flat_map(|pair| SliverType::BOTH.map(|axis| SliverKey { pair, axis })).collect();
        keys.sort_unstable();
        keys
    }

    /// The other members.
    pub fn peers(&self) -> impl Iterator<Item = &Member> {
        let members = self.committee.iter().flat_map(|committee| committee.members());
        members.map(|(_, member)| member).filter(|member| member.node_id != self.node)
    }
}

/// The node's membership as it changes; readers see each change at once.
#[derive(Clone, Debug)]
pub struct MembershipWatch(Arc<watch::Sender<Membership>>);

impl MembershipWatch {
    /// Starts with `membership`.
    pub fn new(membership: Membership) -> Self {
        Self(Arc::new(watch::Sender::new(membership)))
    }

    /// The membership now.
    pub fn get(&self) -> Membership {
        self.0.borrow().clone()
    }

    /// Replaces the membership.
    pub fn set(&self, membership: Membership) {
        self.0.send_replace(membership);
    }

    /// Resolves when the membership changes after this call.
    pub fn changed(&self) -> impl Future<Output = ()> + use<> {
        let mut receiver = self.0.subscribe();
        async move {
            // The sender lives as long as anybody who could be waiting here.
            let _ = receiver.changed().await;
        }
    }
}
