//! Rows and columns of a blob: each from the one node that holds it, or else recovered from symbols
//! that other nodes hold.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::marker::PhantomData;

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use walrus_core::NodeId;
use walrus_env::Env;
use walrus_node_api::NodeError;
use walrus_redstuff::{Axis, BlobId, EncodingParams, SliverIndex, VerifiedMetadata};

use super::ask::{Source, Sources};
use crate::budget::Budget;

/// Lines asked for at once.
const LINES_AT_ONCE: usize = 16;

/// Too many nodes failed: perhaps the whole blob can be had in some other way.
#[derive(Debug)]
pub(crate) struct OutOfReach;

/// A blob whose lines are to be fetched, and from whom.
pub(crate) struct Lines<'a> {
    pub(crate) env: &'a Env,
    pub(crate) params: EncodingParams,
    pub(crate) sources: &'a Sources,
    pub(crate) budget: &'a Budget,
    pub(crate) blob_id: &'a BlobId,
}

/// Lines of axis `A` while they are being asked for.
struct Open<'s, A, T> {
    /// Not asked for yet.
    waiting: VecDeque<SliverIndex>,
    /// Who was asked.
    under_way: BTreeMap<SliverIndex, &'s Source>,
    /// Still missing, whether asked for or not.
    missing: BTreeSet<SliverIndex>,
    /// Nodes that failed or are slow: their other lines are not waited for.
    suspects: BTreeSet<NodeId>,
    good: BTreeMap<SliverIndex, T>,
    axis: PhantomData<A>,
}

/// An answer on its way, with what was asked.
type Answer<'s, T> = BoxFuture<'s, (SliverIndex, Result<T, NodeError>)>;

impl Lines<'_> {
    /// The metadata, from whoever has it.
    pub(crate) async fn metadata(&self) -> Result<VerifiedMetadata, OutOfReach> {
        let ask = |source: &'_ Source| {
            let client = source.client().cloned();
            async move { client?.metadata(self.params, self.blob_id).await }
        };
        self.first_answer(ask).await
    }

    /// What the first node says that says anything.
    pub(super) async fn first_answer<T, F>(
        &self,
        ask: impl Fn(&Source) -> F,
    ) -> Result<T, OutOfReach>
    where
        F: Future<Output = Result<T, NodeError>>,
    {
        let mut first = None;
        let take = |answer| {
            first = Some(answer);
            true
        };
        self.sources.gather(self.env, 1, |_| 1, ask, take).await;
        first.ok_or(OutOfReach)
    }

    /// All of the `wanted` lines of axis `A`: those that `ask` gets from their holders, and those that
    /// `recover` makes of what other nodes hold. `watch` is told how many are there.
    pub(crate) async fn collect<'s, A, T, F, R>(
        &'s self,
        wanted: Vec<SliverIndex>,
        ask: impl Fn(&'s Source, SliverIndex) -> F,
        recover: impl FnOnce(Vec<SliverIndex>) -> R,
        watch: impl Fn(usize),
    ) -> Result<BTreeMap<SliverIndex, T>, OutOfReach>
    where
        A: Axis,
        T: Send + 's,
        F: Future<Output = Result<T, NodeError>> + Send + 's,
        R: Future<Output = Result<Vec<(SliverIndex, T)>, OutOfReach>>,
    {
        let mut open = Open::<A, T>::new(wanted);
        let mut running: FuturesUnordered<Answer<'s, T>> = FuturesUnordered::new();
        loop {
            self.start(&mut open, &mut running, &ask);
            if running.is_empty() {
                break;
            }
            let hedge_after = self.sources.hedge_after();
            match tokio::time::timeout(hedge_after, running.next()).await {
                Ok(Some((index, answer))) => {
                    open.settle(self.sources, index, answer);
                    watch(open.good.len());
                }
                Ok(None) => break,
                Err(_) => {
                    open.suspects.extend(open.under_way.values().map(|source| source.id));
                    if open.waiting.iter().all(|index| open.is_suspect(self.holder::<A>(*index))) {
                        break;
                    }
                }
            }
        }
        if open.missing.is_empty() {
            return Ok(open.good);
        }
        // Whoever is slow may still answer while the lines are being recovered.
        let mut recovery = std::pin::pin!(recover(open.missing.iter().copied().collect()));
        let mut ended = false;
        while !open.missing.is_empty() {
            tokio::select! {
                biased;
                outcome = &mut recovery, if !ended => {
                    ended = true;
                    for (index, line) in outcome.unwrap_or_default() {
                        open.take(index, line);
                    }
                }
                Some((index, answer)) = running.next(), if !running.is_empty() => {
                    open.settle(self.sources, index, answer);
                    watch(open.good.len());
                }
                else => return Err(OutOfReach),
            }
        }
        Ok(open.good)
    }

    fn holder<A: Axis>(&self, index: SliverIndex) -> &Source {
        let n_shards = self.params.n_shards();
        let pair = index.to_pair_index(A::TYPE, n_shards);
        self.sources.holder(pair.to_shard_index(n_shards, self.blob_id))
    }

    /// Asks for more lines while there is room: those under way with suspects do not count.
    fn start<'s, A, T, F>(
        &'s self,
        open: &mut Open<'s, A, T>,
        running: &mut FuturesUnordered<Answer<'s, T>>,
        ask: &impl Fn(&'s Source, SliverIndex) -> F,
    ) where
        A: Axis,
        F: Future<Output = Result<T, NodeError>> + Send + 's,
    {
        while open.busy() < LINES_AT_ONCE
            && let Some(index) = open.waiting.pop_front()
        {
            let source = self.holder::<A>(index);
            if open.is_suspect(source) {
                continue;
            }
            open.under_way.insert(index, source);
            let answer = ask(source, index);
            running.push(Box::pin(async move { (index, answer.await) }));
        }
    }
}

impl<'s, A, T> Open<'s, A, T> {
    fn new(wanted: Vec<SliverIndex>) -> Self {
        Self {
            missing: wanted.iter().copied().collect(),
            waiting: wanted.into(),
            under_way: BTreeMap::new(),
            suspects: BTreeSet::new(),
            good: BTreeMap::new(),
            axis: PhantomData,
        }
    }

    fn is_suspect(&self, source: &Source) -> bool {
        self.suspects.contains(&source.id)
    }

    fn busy(&self) -> usize {
        self.under_way.values().filter(|source| !self.is_suspect(source)).count()
    }

    fn settle(&mut self, sources: &Sources, index: SliverIndex, answer: Result<T, NodeError>) {
        let source = self.under_way.remove(&index);
        match answer {
            Ok(line) => self.take(index, line),
            Err(error) => {
                let Some(source) = source else { return };
                sources.note(source.id, &error);
                let gone = matches!(error, NodeError::Unreachable(_) | NodeError::Timeout { .. });
                if gone || error.is_misbehaviour() {
                    self.suspects.insert(source.id);
                }
            }
        }
    }

    /// Takes in a line, unless it is there already.
    fn take(&mut self, index: SliverIndex, line: T) {
        if self.missing.remove(&index) {
            self.good.insert(index, line);
        }
    }
}
