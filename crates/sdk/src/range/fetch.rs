//! The steps of reading a range.
//!
//! The length comes with the hashes of one sliver pair, some hundred bytes. Then every row that the
//! range touches is asked of the one node that holds it: as a run of symbols with its proofs, or as a
//! whole sliver where that is all of the row and the range is so long that the metadata, which slivers
//! are checked against, hardly counts. Rows that cannot be had like this are recovered from symbols
//! that other nodes hold in their secondary slivers.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use futures::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::OnceCell;
use walrus_core::NodeId;
use walrus_env::Env;
use walrus_node_api::NodeError;
use walrus_redstuff::{
    BlobId, EncodingParams, Primary, ProvenSliverHashes, RangeCover, RowRun, SliverPairIndex,
    SliverType, VerifiedMetadata, VerifiedRun,
};

use super::RangeReport;
use super::ask::{Source, Sources};
use crate::budget::Budget;
use crate::progress::{Progress, ProgressSink};

/// Rows asked for at once.
const ROWS_AT_ONCE: usize = 16;

/// Whole rows must be so many times the metadata for the metadata to be fetched with them.
const METADATA_SHARE: usize = 8;

/// Too many nodes failed: perhaps the whole blob can be had in some other way.
pub(super) struct OutOfReach;

/// One read of a range.
pub(super) struct RangeFetch<'a> {
    pub(super) env: &'a Env,
    pub(super) params: EncodingParams,
    pub(super) sources: &'a Sources,
    pub(super) budget: &'a Budget,
    pub(super) progress: &'a ProgressSink,
    pub(super) blob_id: &'a BlobId,
    /// Fetched when first needed.
    pub(super) metadata: OnceCell<VerifiedMetadata>,
}

/// The rows of a range while they are being asked for.
struct Rows<'a> {
    /// Not asked for yet.
    waiting: VecDeque<RowRun>,
    /// By row, who was asked.
    under_way: BTreeMap<u16, &'a Source>,
    /// Still missing, whether asked for or not.
    missing: BTreeMap<u16, RowRun>,
    /// Nodes that failed or are slow: their other rows are not waited for.
    suspects: BTreeSet<NodeId>,
    good: Vec<VerifiedRun>,
    total: usize,
}

impl RangeFetch<'_> {
    /// The length of the blob, on the word of the blob id.
    pub(super) async fn length(&self) -> Result<u64, OutOfReach> {
        self.progress.report(Progress::FetchingMetadata);
        let pair = SliverPairIndex(0);
        let ask = |source: &'_ Source| {
            let client = source.client().cloned();
            async move { client?.sliver_hashes(self.params, self.blob_id, pair).await }
        };
        let proven: ProvenSliverHashes = self.first_answer(ask).await?;
        let bytes = proven.unencoded_length();
        self.progress.report(Progress::MetadataFetched { bytes });
        Ok(bytes)
    }

    /// The metadata, from whoever has it.
    pub(super) async fn metadata(&self) -> Result<&VerifiedMetadata, OutOfReach> {
        let ask = |source: &'_ Source| {
            let client = source.client().cloned();
            async move { client?.metadata(self.params, self.blob_id).await }
        };
        self.metadata.get_or_try_init(|| self.first_answer(ask)).await
    }

    async fn first_answer<T, F>(&self, ask: impl Fn(&Source) -> F) -> Result<T, OutOfReach>
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

    /// The verified symbols of a cover, in any order.
    pub(super) async fn runs(
        &self,
        cover: &RangeCover,
        report: &mut RangeReport,
    ) -> Result<Vec<VerifiedRun>, OutOfReach> {
        let whole = cover.runs().filter(|run| run.is_whole_sliver(self.params));
        let whole_bytes: usize = whole.map(|run| run.bytes(cover.symbol_size())).sum();
        if whole_bytes >= METADATA_SHARE * self.params.max_metadata_bcs_len() {
            self.metadata().await?;
        }
        let runs: VecDeque<RowRun> = cover.runs().collect();
        let mut rows = Rows {
            missing: runs.iter().map(|run| (run.row.get(), *run)).collect(),
            total: runs.len(),
            waiting: runs,
            under_way: BTreeMap::new(),
            suspects: BTreeSet::new(),
            good: Vec::new(),
        };
        let mut running = FuturesUnordered::new();
        loop {
            self.start(cover, &mut rows, &mut running);
            if running.is_empty() {
                break;
            }
            let hedge_after = self.sources.hedge_after();
            match tokio::time::timeout(hedge_after, running.next()).await {
                Ok(Some((run, answer))) => self.settle(run, answer, &mut rows, report),
                Ok(None) => break,
                Err(_) => {
                    rows.suspects.extend(rows.under_way.values().map(|source| source.id));
                    if rows.waiting.iter().all(|run| rows.is_suspect(self.holder(*run))) {
                        break;
                    }
                }
            }
        }
        if rows.missing.is_empty() {
            return Ok(rows.good);
        }
        // Whoever is slow may still answer while the rows are being recovered.
        let lost: Vec<RowRun> = rows.missing.values().copied().collect();
        let mut recovery = std::pin::pin!(self.recover(&lost));
        let mut recovered = None;
        while !rows.missing.is_empty() {
            tokio::select! {
                biased;
                outcome = &mut recovery, if recovered.is_none() => match outcome {
                    Ok(runs) => {
                        for run in runs {
                            if rows.missing.contains_key(&run.run().row.get()) {
                                report.rows_recovered += 1;
                                rows.take(run);
                            }
                        }
                        recovered = Some(());
                    }
                    Err(OutOfReach) => recovered = Some(()),
                },
                Some((run, answer)) = running.next(), if !running.is_empty() => {
                    self.settle(run, answer, &mut rows, report);
                }
                else => return Err(OutOfReach),
            }
        }
        Ok(rows.good)
    }

    fn holder(&self, run: RowRun) -> &Source {
        self.sources.holder(run.pair().to_shard_index(self.params.n_shards(), self.blob_id))
    }

    /// Asks for more rows while there is room: those under way with suspects do not count.
    fn start<'s, S>(&'s self, cover: &RangeCover, rows: &mut Rows<'s>, running: &mut S)
    where
        S: Extend<BoxedAnswer<'s>>,
    {
        let busy = |rows: &Rows<'_>| {
            rows.under_way.values().filter(|source| !rows.is_suspect(source)).count()
        };
        while busy(rows) < ROWS_AT_ONCE
            && let Some(run) = rows.waiting.pop_front()
        {
            let source = self.holder(run);
            if rows.is_suspect(source) {
                continue;
            }
            rows.under_way.insert(run.row.get(), source);
            let z = cover.symbol_size();
            let answer = async move { (run, self.direct(source, run, z).await) };
            running.extend([Box::pin(answer) as BoxedAnswer<'s>]);
        }
    }

    /// A row's symbols from the node that holds its sliver.
    async fn direct(
        &self,
        source: &Source,
        run: RowRun,
        symbol_size: walrus_redstuff::SymbolSize,
    ) -> Result<Fetched, NodeError> {
        let client = source.client()?;
        if run.is_whole_sliver(self.params)
            && let Some(metadata) = self.metadata.get()
        {
            let bytes = self.params.sliver_bcs_len(SliverType::Primary, symbol_size);
            let _reserved = self.budget.reserve(bytes).await;
            let sliver = client.sliver::<Primary>(metadata, run.pair()).await?;
            let length = metadata.unencoded_length();
            let run = VerifiedRun::of_sliver(&sliver, length, run);
            return Ok(Fetched::Sliver(run.expect("a sliver contains all of its symbols")));
        }
        let _reserved = self.budget.reserve(run.bcs_len(self.params, symbol_size)).await;
        let run = client.symbol_run(self.params, self.blob_id, symbol_size, run).await?;
        Ok(Fetched::Run(run))
    }

    fn settle(
        &self,
        run: RowRun,
        answer: Result<Fetched, NodeError>,
        rows: &mut Rows<'_>,
        report: &mut RangeReport,
    ) {
        let source = rows.under_way.remove(&run.row.get());
        let fetched = match answer {
            Ok(Fetched::Run(run)) => {
                report.runs += 1;
                run
            }
            Ok(Fetched::Sliver(run)) => {
                report.slivers += 1;
                run
            }
            Err(error) => {
                let Some(source) = source else { return };
                self.sources.note(source.id, &error);
                let gone = matches!(error, NodeError::Unreachable(_) | NodeError::Timeout { .. });
                if gone || error.is_misbehaviour() {
                    rows.suspects.insert(source.id);
                }
                return;
            }
        };
        rows.take(fetched);
        let count = |count| u16::try_from(count).unwrap_or(u16::MAX);
        let (done, needed) = (count(rows.total - rows.missing.len()), count(rows.total));
        self.progress.report(Progress::FetchingSlivers { done, needed });
    }
}

/// An answer on its way, with what was asked.
type BoxedAnswer<'a> = futures::future::BoxFuture<'a, (RowRun, Result<Fetched, NodeError>)>;

/// What a row's own node gave.
enum Fetched {
    Run(VerifiedRun),
    Sliver(VerifiedRun),
}

impl Rows<'_> {
    fn is_suspect(&self, source: &Source) -> bool {
        self.suspects.contains(&source.id)
    }

    /// Takes in a row, unless it is there already.
    fn take(&mut self, run: VerifiedRun) {
        if self.missing.remove(&run.run().row.get()).is_some() {
            self.good.push(run);
        }
    }
}
