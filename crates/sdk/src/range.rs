//! Reading part of a blob, verified, without fetching the rest.
//!
//! What is returned is what the blob id commits to as the blob's bytes at this place: every reader of
//! a range gets the same bytes or an error. The rest of the blob is not looked at, so that of a blob
//! that was encoded dishonestly a range may be had although reading the whole is refused.

pub(crate) mod ask;
mod byte_range;
mod fetch;
pub(crate) mod lines;
mod recover;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::Instant;
use walrus_core::NodeId;
use walrus_env::Env;
use walrus_node_api::Meter;
use walrus_redstuff::{BlobId, ConsistencyCheck, RangeCover};

pub use byte_range::{ByteRange, ByteRangeParseError, RangeNotInBlob};

use self::ask::Sources;
use self::fetch::RangeFetch;
use self::lines::{Lines, OutOfReach};
use crate::budget::Budget;
use crate::client::{Client, ReadBlobError, ReadOptions};
use crate::network::CommitteeView;
use crate::progress::{Progress, ProgressSink};
use crate::read::{FetchError, ReadConfig};

/// Part of a blob.
#[derive(Clone, Debug)]
pub struct RangeRead {
    /// The bytes asked for, verified against the blob id.
    pub bytes: Vec<u8>,
    /// How the read went.
    pub report: RangeReport,
}

/// What reading a range left to be known besides the bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RangeReport {
    /// The length of the whole blob.
    pub blob_bytes: u64,
    /// Where the bytes lie in the blob.
    pub range: Range<u64>,
    /// Bytes of all answers received, wrong ones and those not used in the end included.
    pub bytes_fetched: u64,
    /// Runs of symbols, with their proofs, that went into the result.
    pub runs: u32,
    /// Whole slivers that went into the result.
    pub slivers: u32,
    /// Rows that had to be recovered from symbols of other slivers.
    pub rows_recovered: u32,
    /// The whole blob had to be read.
    pub whole_blob: bool,
    /// Nodes that sent wrong data, with the first wrong answer of each.
    pub misbehaved: BTreeMap<NodeId, String>,
    /// Nodes that failed otherwise, with the last failure of each.
    pub failed: BTreeMap<NodeId, String>,
    /// Time for all of it.
    pub time: Duration,
}

/// Why part of a blob was not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadRangeError {
    /// The blob ends before the range does.
    #[error(transparent)]
    NotInBlob(#[from] RangeNotInBlob),
    /// The range is longer than the reader accepts.
    #[error("the range has {length} bytes, the limit of this reader is {max}")]
    TooLong {
        /// The range's length.
        length: u64,
        /// The reader's limit.
        max: u64,
    },
    /// Rows of the blob could not be had, and the whole blob is longer than the reader accepts.
    #[error(
        "parts of the blob could not be had or recovered: {}", describe(.misbehaved, .failed)
    )]
    OutOfReach {
        /// Nodes that sent wrong data, with the first wrong answer of each.
        misbehaved: BTreeMap<NodeId, String>,
        /// Nodes that failed otherwise, with the last failure of each.
        failed: BTreeMap<NodeId, String>,
    },
    /// The blob cannot be read at all.
    #[error(transparent)]
    Read(#[from] ReadBlobError),
}

pub(crate) fn describe(
    misbehaved: &BTreeMap<NodeId, String>,
    failed: &BTreeMap<NodeId, String>,
) -> String {
    let texts = misbehaved.iter().chain(failed).map(|(node, text)| format!("node {node}: {text}"));
    texts.collect::<Vec<_>>().join("; ")
}

impl Client {
    /// Reads part of a blob. `options.max_blob_bytes` bounds the length of the range, not that of the
    /// blob. Memory: about twice the range.
    ///
    /// With a strict check, or when so many nodes fail that single rows can neither be had nor
    /// recovered, the whole blob is read, which the limit then bounds too.
    ///
    /// # Errors
    /// See [`ReadRangeError`].
    pub async fn read_range(
        &self,
        blob_id: &BlobId,
        range: ByteRange,
        options: &ReadOptions,
        progress: &ProgressSink,
    ) -> Result<RangeRead, ReadRangeError> {
        let started = Instant::now();
        check_length(range.fewest_bytes(), options.max_blob_bytes)?;
        let mut report = RangeReport::default();
        if options.consistency != ConsistencyCheck::Strict {
            let view = self.network().await.map_err(ReadBlobError::from)?.committee;
            let part = Part {
                env: self.env(),
                view: &view,
                config: &self.config().read,
                budget: self.budget(),
                progress,
                max_bytes: options.max_blob_bytes,
            };
            if let Some(bytes) = part.read(blob_id, range, &mut report).await? {
                report.time = started.elapsed();
                return Ok(RangeRead { bytes, report });
            }
        }
        let mut read = self.range_of_whole(blob_id, range, options, progress, report).await?;
        read.report.time = started.elapsed();
        Ok(read)
    }

    /// Reads the blob and cuts the range out. `before` is what was tried without it.
    async fn range_of_whole(
        &self,
        blob_id: &BlobId,
        range: ByteRange,
        options: &ReadOptions,
        progress: &ProgressSink,
        before: RangeReport,
    ) -> Result<RangeRead, ReadRangeError> {
        let RangeReport { bytes_fetched, misbehaved, failed, .. } = before;
        let whole = match self.read(blob_id, options, progress).await {
            Ok(whole) => whole,
            Err(ReadBlobError::Fetch(FetchError::TooLarge { .. }))
                if !(misbehaved.is_empty() && failed.is_empty()) =>
            {
                return Err(ReadRangeError::OutOfReach { misbehaved, failed });
            }
            Err(error) => return Err(error.into()),
        };
        let blob_bytes = whole.bytes.len() as u64;
        let range = range.resolve(blob_bytes)?;
        let bytes = whole.bytes[range.start as usize..range.end as usize].to_vec();
        let mut report = RangeReport {
            blob_bytes,
            range,
            // At least: what wrong answers took is not known.
            bytes_fetched: bytes_fetched + blob_bytes,
            whole_blob: true,
            misbehaved: whole.report.misbehaved,
            failed: whole.report.failed,
            ..RangeReport::default()
        };
        report.misbehaved.extend(misbehaved);
        report.failed.extend(failed);
        Ok(RangeRead { bytes, report })
    }
}

fn check_length(length: u64, max: u64) -> Result<(), ReadRangeError> {
    if length > max { Err(ReadRangeError::TooLong { length, max }) } else { Ok(()) }
}

/// Reading a range without the rest: from whom, and within which bounds.
struct Part<'a> {
    env: &'a Env,
    view: &'a CommitteeView,
    config: &'a ReadConfig,
    budget: &'a Budget,
    progress: &'a ProgressSink,
    max_bytes: u64,
}

impl Part<'_> {
    /// The bytes; nothing if too many nodes failed.
    async fn read(
        &self,
        blob_id: &BlobId,
        range: ByteRange,
        report: &mut RangeReport,
    ) -> Result<Option<Vec<u8>>, ReadRangeError> {
        let meter = Meter::default();
        let sources = Sources::new(self.view, &meter, self.config.hedge_after);
        let lines = Lines {
            env: self.env,
            params: self.view.params(),
            sources: &sources,
            budget: self.budget,
            blob_id,
        };
        let fetch = RangeFetch { lines, progress: self.progress, metadata: OnceCell::new() };
        let outcome = self.run(&fetch, range, report).await;
        report.bytes_fetched = meter.bytes();
        let wrongs = sources.wrongs();
        report.misbehaved.extend(wrongs.misbehaved);
        report.failed.extend(wrongs.failed);
        outcome
    }

    async fn run(
        &self,
        fetch: &RangeFetch<'_>,
        range: ByteRange,
        report: &mut RangeReport,
    ) -> Result<Option<Vec<u8>>, ReadRangeError> {
        let Ok(length) = fetch.length().await else { return Ok(None) };
        let range = range.resolve(length)?;
        let bytes = range.end - range.start;
        check_length(bytes, self.max_bytes)?;
        (report.blob_bytes, report.range) = (length, range.clone());
        let cover = RangeCover::new(self.view.params(), length, range);
        let cover = cover.expect("the range was resolved against the proven length");
        match fetch.runs(&cover, report).await {
            Ok(runs) => {
                let whole = cover.assemble(&runs).expect("every row of the cover was fetched");
                self.progress.report(Progress::Read { bytes });
                Ok(Some(whole))
            }
            Err(OutOfReach) => Ok(None),
        }
    }
}
