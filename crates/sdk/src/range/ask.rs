//! Asking nodes one after the other until enough is known.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt as _};
use walrus_core::NodeId;
use walrus_env::Env;
use walrus_node_api::{Meter, NodeClient, NodeError};
use walrus_redstuff::ShardIndex;

use crate::network::CommitteeView;

/// A node of the committee, and its client that counts what it receives.
pub(crate) struct Source {
    pub(crate) id: NodeId,
    pub(crate) weight: usize,
    client: Result<NodeClient, String>,
}

impl Source {
    pub(crate) fn client(&self) -> Result<&NodeClient, NodeError> {
        self.client.as_ref().map_err(|reason| NodeError::Unreachable(reason.clone()))
    }
}

/// The nodes of a committee, and what they did wrong so far.
pub(crate) struct Sources {
    all: Vec<Source>,
    /// The position in `all` of the node that holds each shard.
    holders: Vec<usize>,
    hedge_after: Duration,
    wrongs: Mutex<Wrongs>,
}

/// What nodes did wrong, by node and in words.
#[derive(Clone, Default)]
pub(crate) struct Wrongs {
    /// Nodes that sent wrong data, with the first wrong answer of each.
    pub(crate) misbehaved: BTreeMap<NodeId, String>,
    /// Nodes that failed otherwise, with the last failure of each.
    pub(crate) failed: BTreeMap<NodeId, String>,
}

impl Sources {
    pub(crate) fn new(view: &CommitteeView, meter: &Meter, hedge_after: Duration) -> Self {
        let mut holders = vec![0; view.params().n_shards().into()];
        for (place, node) in view.nodes().iter().enumerate() {
            for shard in &node.shards {
                holders[shard.as_usize()] = place;
            }
        }
        let source = |node: &crate::network::Node| Source {
            id: node.id(),
            weight: node.shards.len(),
            client: node.client.as_ref().map(|client| client.metered(meter)).map_err(Clone::clone),
        };
        let all = view.nodes().iter().map(source).collect();
        Self { all, holders, hedge_after, wrongs: Mutex::default() }
    }

    /// The node that holds a shard.
    pub(crate) fn holder(&self, shard: ShardIndex) -> &Source {
        &self.all[self.holders[shard.as_usize()]]
    }

    pub(crate) fn hedge_after(&self) -> Duration {
        self.hedge_after
    }

    /// Notes what a node did wrong.
    pub(crate) fn note(&self, node: NodeId, error: &NodeError) {
        let mut wrongs = self.wrongs.lock().expect("nobody panics while holding it");
        if error.is_misbehaviour() {
            tracing::warn!(%node, %error, "a node misbehaved");
            wrongs.misbehaved.entry(node).or_insert_with(|| error.to_string());
        } else {
            wrongs.failed.insert(node, error.to_string());
        }
    }

    /// What nodes did wrong so far.
    pub(crate) fn wrongs(&self) -> Wrongs {
        self.wrongs.lock().expect("nobody panics while holding it").clone()
    }

    fn has_failed(&self, node: NodeId) -> bool {
        let wrongs = self.wrongs.lock().expect("nobody panics while holding it");
        wrongs.misbehaved.contains_key(&node) || wrongs.failed.contains_key(&node)
    }

    /// Asks nodes in random order, those that failed before last, until `take` says that it has
    /// enough; false if all were asked and it has not. At once, nodes that weigh `needed` together
    /// are asked, and as many again for each spell without an answer.
    pub(crate) async fn gather<'a, T, F>(
        &'a self,
        env: &Env,
        needed: usize,
        weigh: impl Fn(&Source) -> usize,
        ask: impl Fn(&'a Source) -> F,
        mut take: impl FnMut(T) -> bool,
    ) -> bool
    where
        F: Future<Output = Result<T, NodeError>>,
    {
        let mut order: Vec<&Source> = self.all.iter().collect();
        env.shuffle("range order", &mut order);
        order.sort_by_key(|source| self.has_failed(source.id));
        let mut waiting = VecDeque::from(order);
        let (mut expected, mut wanted) = (0, needed.max(1));
        let mut running = FuturesUnordered::new();
        loop {
            while expected < wanted
                && let Some(source) = waiting.pop_front()
            {
                expected += weigh(source);
                let answer = ask(source);
                running.push(async move { (source, answer.await) });
            }
            if running.is_empty() && waiting.is_empty() {
                return false;
            }
            match tokio::time::timeout(self.hedge_after, running.next()).await {
                Ok(Some((_, Ok(answer)))) => {
                    if take(answer) {
                        return true;
                    }
                }
                Ok(Some((source, Err(error)))) => {
                    self.note(source.id, &error);
                    expected -= weigh(source);
                }
                // Slow ones are not given up, but no longer waited for; and answers may have had
                // less in them than the weight promised.
                Ok(None) | Err(_) => wanted += needed.max(1),
            }
        }
    }
}
