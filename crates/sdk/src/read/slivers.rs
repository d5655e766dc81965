//! Fetching enough good slivers of one kind.

use std::collections::VecDeque;

use futures::stream::{FuturesUnordered, StreamExt as _};
use tokio::time::Instant;
use walrus_node_api::NodeError;
use walrus_redstuff::{Axis, SliverPairIndex, VerifiedMetadata, VerifiedSliver};

use super::{Fetch, FetchError, ReadReport};
use crate::network::Node;
use crate::progress::Progress;

/// What one node still has to be asked for, and how it has done so far.
struct Source<'a> {
    node: &'a Node,
    /// Pairs not asked for yet.
    waiting: VecDeque<SliverPairIndex>,
    /// Pairs that failed for a reason that may pass.
    again: Vec<SliverPairIndex>,
    under_way: usize,
    /// It did not answer at all: others are asked before it.
    unreachable: bool,
    /// It lied, or has nothing: not asked any more.
    dropped: bool,
}

impl Source<'_> {
    fn is_open(&self, per_node: usize) -> bool {
        !self.dropped && !self.waiting.is_empty() && self.under_way < per_node
    }
}

/// The nodes in random order, each with its pairs.
struct Sources<'a> {
    all: Vec<Source<'a>>,
    per_node: usize,
}

impl Sources<'_> {
    /// The next sliver to ask for: of the least busy node among those that answer, or
    /// else of one that did not.
    fn next(&mut self) -> Option<(usize, SliverPairIndex)> {
        let per_node = self.per_node;
        let open = self.all.iter().enumerate().filter(|(_, source)| source.is_open(per_node));
        let (place, _) = open.min_by_key(|(_, source)| (source.unreachable, source.under_way))?;
        let source = &mut self.all[place];
        source.under_way += 1;
        Some((place, source.waiting.pop_front()?))
    }

    /// Prepares another round over what failed and may pass; false if there is nothing.
    fn another_round(&mut self) -> bool {
        for source in &mut self.all {
            source.waiting.extend(source.again.drain(..));
            source.unreachable = false;
        }
        self.all.iter().any(|source| !source.dropped && !source.waiting.is_empty())
    }
}

impl Fetch<'_> {
    /// As many verified slivers of axis `A` as decoding needs.
    pub(super) async fn slivers<A: Axis>(
        &self,
        metadata: &VerifiedMetadata,
        report: &mut ReadReport,
    ) -> Result<Vec<VerifiedSliver<A>>, FetchError> {
        let started = Instant::now();
        let needed = usize::from(metadata.params().source_symbols(A::TYPE));
        let mut sources = self.sources(metadata);
        // Grows with what arrived: the length is a stranger's word.
        let mut good = Vec::new();
        for attempt in 0.. {
            self.round(metadata, needed, &mut sources, &mut good, report).await;
            if good.len() == needed {
                report.slivers_time = started.elapsed();
                return Ok(good);
            }
            if attempt >= self.config.backoff.retries || !sources.another_round() {
                break;
            }
            tokio::time::sleep(self.config.backoff.wait(self.env, attempt)).await;
        }
        Err(FetchError::NotEnoughSlivers {
            sliver_type: A::TYPE,
            got: u16::try_from(good.len()).unwrap_or(u16::MAX),
            needed: metadata.params().source_symbols(A::TYPE),
            failures: self.failures(report),
        })
    }

    fn sources(&self, metadata: &VerifiedMetadata) -> Sources<'_> {
        let n_shards = metadata.params().n_shards();
        let mut all: Vec<Source<'_>> = self
            .view
            .nodes()
            .iter()
            .map(|node| {
                let mut pairs = node.pairs(n_shards, metadata.blob_id());
                self.env.shuffle("sliver order", &mut pairs);
                Source {
                    node,
                    waiting: pairs.into(),
                    again: Vec::new(),
                    under_way: 0,
                    unreachable: false,
                    dropped: false,
                }
            })
            .collect();
        self.env.shuffle("node order", &mut all);
        Sources { all, per_node: self.config.requests_per_node.max(1) }
    }

    /// Asks until enough are there or nothing is left to ask. As many requests are under
    /// way as slivers are missing, and as many again for each spell without an answer.
    async fn round<A: Axis>(
        &self,
        metadata: &VerifiedMetadata,
        needed: usize,
        sources: &mut Sources<'_>,
        good: &mut Vec<VerifiedSliver<A>>,
        report: &mut ReadReport,
    ) {
        let limit = self.config.sliver_requests.unwrap_or(usize::MAX).max(1);
        let mut hedged = 0;
        let mut running = FuturesUnordered::new();
        while good.len() < needed {
            let missing = needed - good.len();
            let wanted = missing.min(limit) + hedged;
            while running.len() < wanted
                && let Some((place, pair)) = sources.next()
            {
                let node = sources.all[place].node;
                running.push(async move { (place, pair, self.sliver(node, metadata, pair).await) });
            }
            let hedge = tokio::time::timeout(self.config.hedge_after, running.next());
            let (place, pair, answer) = match hedge.await {
                Ok(Some(answer)) => answer,
                Ok(None) => return,
                Err(_) => {
                    hedged += missing.min(limit);
                    continue;
                }
            };
            let source = &mut sources.all[place];
            source.under_way -= 1;
            match answer {
                Ok(sliver) => {
                    source.unreachable = false;
                    good.push(sliver);
                    let count = |count| u16::try_from(count).unwrap_or(u16::MAX);
                    let (done, needed) = (count(good.len()), count(needed));
                    self.progress.report(Progress::FetchingSlivers { done, needed });
                }
                Err(error) => {
                    report.note(source.node.id(), &error);
                    source.failed(pair, &error);
                }
            }
        }
        // Slivers still under way are not needed: their requests end here.
        for source in &mut sources.all {
            source.under_way = 0;
        }
    }

    async fn sliver<A: Axis>(
        &self,
        node: &Node,
        metadata: &VerifiedMetadata,
        pair: SliverPairIndex,
    ) -> Result<VerifiedSliver<A>, NodeError> {
        let client = match &node.client {
            Ok(client) => client,
            Err(reason) => return Err(NodeError::Unreachable(reason.clone())),
        };
        let length = metadata.params().sliver_bcs_len(A::TYPE, metadata.symbol_size());
        let _reserved = self.budget.reserve(length).await;
        client.sliver(metadata, pair).await
    }
}

impl Source<'_> {
    fn failed(&mut self, pair: SliverPairIndex, error: &NodeError) {
        if error.is_misbehaviour() || matches!(error, NodeError::Forbidden) {
            self.dropped = true;
        } else if error.may_pass() {
            self.again.push(pair);
            if matches!(error, NodeError::Unreachable(_) | NodeError::Timeout { .. }) {
                self.unreachable = true;
            }
        }
    }
}
