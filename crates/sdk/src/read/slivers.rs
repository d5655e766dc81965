//! Fetching enough good slivers of one kind.

use std::collections::VecDeque;
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt as _};
use tokio::time::Instant;
use walrus_node_api::NodeError;
use walrus_redstuff::{Axis, DecodeStreamError, SliverPairIndex, VerifiedMetadata, VerifiedSliver};

use super::intake::Intake;
use super::{Fetch, FetchError, ReadReport};
use crate::budget::Reserved;
use crate::network::Node;
use crate::progress::Progress;

/// What one node still has to be asked for, and how it has done so far.
struct Source<'a> {
    node: &'a Node,
    /// Pairs not asked for yet whose slivers are parts of the blob as they are.
    plain: VecDeque<SliverPairIndex>,
    /// The others: they cost decoding.
    coded: VecDeque<SliverPairIndex>,
    /// Pairs that failed for a reason that may pass.
    again: Vec<SliverPairIndex>,
    under_way: usize,
    /// It did not answer at all: others are asked before it.
    unreachable: bool,
    /// It lied, or has nothing: not asked any more.
    dropped: bool,
}

impl Source<'_> {
    /// It can be asked for something now.
    fn is_open(&self, per_node: usize) -> bool {
        let waiting = self.plain.len() + self.coded.len();
        !self.dropped && waiting > 0 && self.under_way < per_node
    }

    /// It is expected to answer.
    fn is_well(&self) -> bool {
        !self.dropped && !self.unreachable
    }
}

/// A sliver to ask for.
struct Request {
    /// Place of the node.
    place: usize,
    pair: SliverPairIndex,
    plain: bool,
}

/// The nodes in random order, each with its pairs.
struct Sources<'a> {
    all: Vec<Source<'a>>,
    per_node: usize,
    /// Plain slivers under way.
    plain_under_way: usize,
}

impl Sources<'_> {
    /// The next plain sliver, of the least busy node among those that are well.
    fn next_plain(&mut self) -> Option<Request> {
        let per_node = self.per_node;
        let open = |source: &Source<'_>| {
            source.is_well() && !source.plain.is_empty() && source.is_open(per_node)
        };
        let open = self.all.iter().enumerate().filter(|(_, source)| open(source));
        let (place, _) = open.min_by_key(|(_, source)| source.under_way)?;
        self.ask(place)
    }

    /// The next sliver of any kind: of the least busy node among those that answer, or
    /// else of one that did not.
    fn next_any(&mut self) -> Option<Request> {
        let per_node = self.per_node;
        let open = self.all.iter().enumerate().filter(|(_, source)| source.is_open(per_node));
        let (place, _) = open.min_by_key(|(_, source)| (source.unreachable, source.under_way))?;
        self.ask(place)
    }

    fn ask(&mut self, place: usize) -> Option<Request> {
        let source = &mut self.all[place];
        let plain = !source.plain.is_empty();
        let pair = source.plain.pop_front().or_else(|| source.coded.pop_front())?;
        source.under_way += 1;
        self.plain_under_way += usize::from(plain);
        Some(Request { place, pair, plain })
    }

    fn answered(&mut self, request: &Request) {
        self.all[request.place].under_way -= 1;
        self.plain_under_way -= usize::from(request.plain);
    }

    /// How many plain slivers can still be hoped for.
    fn plain_left(&self) -> usize {
        let well = self.all.iter().filter(|source| source.is_well());
        self.plain_under_way + well.map(|source| source.plain.len()).sum::<usize>()
    }

    /// Forgets what is under way: its requests have ended.
    fn forget_requests(&mut self) {
        self.plain_under_way = 0;
        for source in &mut self.all {
            source.under_way = 0;
        }
    }

    /// Prepares another round over what failed and may pass; false if there is nothing.
    fn another_round(&mut self) -> bool {
        for source in &mut self.all {
            source.coded.extend(source.again.drain(..));
            source.unreachable = false;
        }
        self.all.iter().any(|source| source.is_open(usize::MAX))
    }
}

/// When to ask further nodes although those asked may still answer.
struct Patience {
    began: Instant,
    hedge_after: Duration,
    /// The last answer, or the last time that patience ended.
    quiet_since: Instant,
    /// Since when there was nothing left to ask of some nodes while others had not
    /// answered all.
    idle_since: Option<Instant>,
    /// Requests beyond those that are needed.
    hedged: usize,
}

impl Patience {
    fn new(hedge_after: Duration) -> Self {
        let now = Instant::now();
        Self { began: now, hedge_after, quiet_since: now, idle_since: None, hedged: 0 }
    }

    fn note_idle(&mut self, idle: bool) {
        self.idle_since = match idle {
            true => self.idle_since.or_else(|| Some(Instant::now())),
            false => None,
        };
    }

    /// After a spell without any answer, or when stragglers take a quarter of the time
    /// longer than the rest.
    fn ends(&self) -> Instant {
        let quiet = self.quiet_since + self.hedge_after;
        let Some(idle) = self.idle_since else { return quiet };
        let share = idle.duration_since(self.began) / 4;
        quiet.min(idle + self.hedge_after.max(share))
    }

    fn hedge(&mut self, requests: usize) {
        self.hedged += requests;
        self.quiet_since = Instant::now();
        self.idle_since = None;
    }
}

impl Fetch<'_> {
    /// As many verified slivers of axis `A` as the intake needs; `failed` says what its
    /// failure means.
    pub(super) async fn slivers<A: Axis>(
        &self,
        metadata: &VerifiedMetadata,
        intake: &mut Intake<A>,
        failed: &(dyn Fn(DecodeStreamError) -> FetchError + Sync),
        report: &mut ReadReport,
    ) -> Result<(), FetchError> {
        let started = Instant::now();
        let mut sources = self.sources::<A>(metadata);
        for attempt in 0.. {
            self.round(metadata, &mut sources, intake, report).await.map_err(failed)?;
            if intake.missing() == 0 {
                report.slivers_time = started.elapsed();
                return Ok(());
            }
            if attempt >= self.config.backoff.retries || !sources.another_round() {
                break;
            }
            tokio::time::sleep(self.config.backoff.wait(self.env, attempt)).await;
        }
        Err(FetchError::NotEnoughSlivers {
            sliver_type: A::TYPE,
            got: count(intake.taken()),
            needed: count(intake.needed()),
            failures: self.failures(report),
        })
    }

    fn sources<A: Axis>(&self, metadata: &VerifiedMetadata) -> Sources<'_> {
        let n_shards = metadata.params().n_shards();
        let source_symbols = metadata.params().source_symbols(A::TYPE);
        let is_plain =
            |pair: &SliverPairIndex| pair.to_sliver_index(A::TYPE, n_shards).get() < source_symbols;
        let mut all: Vec<Source<'_>> = self
            .view
            .nodes()
            .iter()
            .map(|node| {
                let mut pairs = node.pairs(n_shards, metadata.blob_id());
                self.env.shuffle("sliver order", &mut pairs);
                let (plain, coded): (VecDeque<_>, VecDeque<_>) =
                    pairs.into_iter().partition(is_plain);
                Source {
                    node,
                    plain,
                    coded,
                    again: Vec::new(),
                    under_way: 0,
                    unreachable: false,
                    dropped: false,
                }
            })
            .collect();
        self.env.shuffle("node order", &mut all);
        Sources { all, per_node: self.config.requests_per_node.max(1), plain_under_way: 0 }
    }

    /// Asks until enough are there or nothing is left to ask. As many requests are under
    /// way as slivers are missing, and more when patience ends. Slivers that cost decoding
    /// are asked for only as far as there is no hope for others.
    async fn round<A: Axis>(
        &self,
        metadata: &VerifiedMetadata,
        sources: &mut Sources<'_>,
        intake: &mut Intake<A>,
        report: &mut ReadReport,
    ) -> Result<(), DecodeStreamError> {
        let limit = self.config.sliver_requests.unwrap_or(usize::MAX).max(1);
        let mut patience = Patience::new(self.config.hedge_after);
        let mut running = FuturesUnordered::new();
        while intake.missing() > 0 {
            let missing = intake.missing();
            let wanted = missing.min(limit) + patience.hedged;
            while running.len() < wanted {
                let coded = running.len() - sources.plain_under_way;
                let needed = missing.saturating_sub(sources.plain_left()) + patience.hedged;
                let mut request = sources.next_plain();
                if request.is_none() && coded < needed {
                    request = sources.next_any();
                }
                let Some(request) = request else { break };
                let node = sources.all[request.place].node;
                running.push(async move {
                    let answer = self.sliver(node, metadata, request.pair).await;
                    (request, answer)
                });
            }
            patience.note_idle(running.len() < wanted);
            let next = tokio::time::timeout_at(patience.ends(), running.next());
            let next = tokio::select! {
                biased;
                error = intake.work() => return Err(error),
                next = next => next,
            };
            let (request, answer) = match next {
                Ok(Some(answer)) => answer,
                Ok(None) => break,
                Err(_) => {
                    patience.hedge(missing.min(limit));
                    continue;
                }
            };
            patience.quiet_since = Instant::now();
            sources.answered(&request);
            let source = &mut sources.all[request.place];
            match answer {
                Ok((sliver, reserved)) => {
                    source.unreachable = false;
                    intake.take(sliver, reserved);
                    let (done, needed) = (count(intake.taken()), count(intake.needed()));
                    self.progress.report(Progress::FetchingSlivers { done, needed });
                }
                Err(error) => {
                    report.note(source.node.id(), &error);
                    source.failed(request.pair, &error);
                }
            }
        }
        // Slivers still under way are not needed: their requests end here.
        sources.forget_requests();
        Ok(())
    }

    async fn sliver<A: Axis>(
        &self,
        node: &Node,
        metadata: &VerifiedMetadata,
        pair: SliverPairIndex,
    ) -> Result<(VerifiedSliver<A>, Reserved), NodeError> {
        let client = match &node.client {
            Ok(client) => client,
            Err(reason) => return Err(NodeError::Unreachable(reason.clone())),
        };
        let length = metadata.params().sliver_bcs_len(A::TYPE, metadata.symbol_size());
        let reserved = self.budget.reserve(length).await;
        Ok((client.sliver(metadata, pair).await?, reserved))
    }
}

/// A number of slivers.
fn count(slivers: usize) -> u16 {
    u16::try_from(slivers).unwrap_or(u16::MAX)
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
