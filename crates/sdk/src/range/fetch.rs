//! The steps of reading a range.
//!
//! The length comes with the hashes of one sliver pair, some hundred bytes. Then every row that the
//! range touches is asked of the one node that holds it: as a run of symbols with its proofs, or as a
//! whole sliver where that is all of the row and the range is so long that the metadata, which slivers
//! are checked against, hardly counts. Rows that cannot be had like this are recovered from symbols
//! that other nodes hold in their secondary slivers.

use std::collections::BTreeMap;

use tokio::sync::OnceCell;
use walrus_node_api::NodeError;
use walrus_redstuff::{
    Primary, ProvenSliverHashes, RangeCover, RowRun, SliverIndex, SliverPairIndex, SliverType,
    SymbolSize, VerifiedMetadata, VerifiedRun,
};

use super::RangeReport;
use super::ask::Source;
use super::lines::{Lines, OutOfReach};
use crate::progress::{Progress, ProgressSink};

/// Whole rows must be so many times the metadata for the metadata to be fetched with them.
const METADATA_SHARE: usize = 8;

/// One read of a range.
pub(super) struct RangeFetch<'a> {
    pub(super) lines: Lines<'a>,
    pub(super) progress: &'a ProgressSink,
    /// Fetched when first needed.
    pub(super) metadata: OnceCell<VerifiedMetadata>,
}

/// How a row came.
enum Fetched {
    Run(VerifiedRun),
    Sliver(VerifiedRun),
    Recovered(VerifiedRun),
}

impl RangeFetch<'_> {
    /// The length of the blob, on the word of the blob id.
    pub(super) async fn length(&self) -> Result<u64, OutOfReach> {
        self.progress.report(Progress::FetchingMetadata);
        let (params, blob_id) = (self.lines.params, self.lines.blob_id);
        let ask = |source: &'_ Source| {
            let client = source.client().cloned();
            async move { client?.sliver_hashes(params, blob_id, SliverPairIndex(0)).await }
        };
        let proven: ProvenSliverHashes = self.lines.first_answer(ask).await?;
        let bytes = proven.unencoded_length();
        self.progress.report(Progress::MetadataFetched { bytes });
        Ok(bytes)
    }

    /// The metadata, from whoever has it.
    async fn metadata(&self) -> Result<&VerifiedMetadata, OutOfReach> {
        self.metadata.get_or_try_init(|| self.lines.metadata()).await
    }

    /// The verified symbols of a cover, in any order.
    pub(super) async fn runs(
        &self,
        cover: &RangeCover,
        report: &mut RangeReport,
    ) -> Result<Vec<VerifiedRun>, OutOfReach> {
        let params = self.lines.params;
        let whole = cover.runs().filter(|run| run.is_whole_sliver(params));
        let whole_bytes: usize = whole.map(|run| run.bytes(cover.symbol_size())).sum();
        if whole_bytes >= METADATA_SHARE * params.max_metadata_bcs_len() {
            self.metadata().await?;
        }
        let runs: BTreeMap<SliverIndex, RowRun> = cover.runs().map(|run| (run.row, run)).collect();
        let count = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
        let needed = count(runs.len());
        let watch = |done| {
            self.progress.report(Progress::FetchingSlivers { done: count(done), needed });
        };
        let z = cover.symbol_size();
        let ask = |source, row| self.direct(source, runs[&row], z);
        let recover = |lost| self.recovered(lost, &runs);
        let rows = runs.keys().copied().collect();
        let fetched = self.lines.collect::<Primary, _, _, _>(rows, ask, recover, watch).await?;
        let mut good = Vec::with_capacity(fetched.len());
        for fetched in fetched.into_values() {
            let (counter, run) = match fetched {
                Fetched::Run(run) => (&mut report.runs, run),
                Fetched::Sliver(run) => (&mut report.slivers, run),
                Fetched::Recovered(run) => (&mut report.rows_recovered, run),
            };
            *counter += 1;
            good.push(run);
        }
        Ok(good)
    }

    /// A row's symbols from the node that holds its sliver.
    async fn direct(
        &self,
        source: &Source,
        run: RowRun,
        symbol_size: SymbolSize,
    ) -> Result<Fetched, NodeError> {
        let (client, params) = (source.client()?, self.lines.params);
        if run.is_whole_sliver(params)
            && let Some(metadata) = self.metadata.get()
        {
            let bytes = params.sliver_bcs_len(SliverType::Primary, symbol_size);
            let _reserved = self.lines.budget.reserve(bytes).await;
            let sliver = client.sliver::<Primary>(metadata, run.pair()).await?;
            let length = metadata.unencoded_length();
            let run = VerifiedRun::of_sliver(&sliver, length, run);
            return Ok(Fetched::Sliver(run.expect("a sliver contains all of its symbols")));
        }
        let _reserved = self.lines.budget.reserve(run.bcs_len(params, symbol_size)).await;
        let run = client.symbol_run(params, self.lines.blob_id, symbol_size, run).await?;
        Ok(Fetched::Run(run))
    }

    /// Rows from what other nodes hold of them.
    async fn recovered(
        &self,
        lost: Vec<SliverIndex>,
        runs: &BTreeMap<SliverIndex, RowRun>,
    ) -> Result<Vec<(SliverIndex, Fetched)>, OutOfReach> {
        let metadata = self.metadata().await?;
        let length = metadata.unencoded_length();
        let slivers = self.lines.recover::<Primary>(metadata, &lost).await?;
        let run_of = |sliver| VerifiedRun::of_sliver(sliver, length, runs[&sliver.index()]);
        let whole = slivers.iter().filter_map(|sliver| Some((sliver.index(), run_of(sliver)?)));
        Ok(whole.map(|(row, run)| (row, Fetched::Recovered(run))).collect())
    }
}
