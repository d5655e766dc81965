//! Reading part of a blob, verified, without fetching the rest.
//!
//! What is returned is what the blob id commits to as the blob's bytes at this place: every reader of
//! a range gets the same bytes or an error. The rest of the blob is not looked at, so that of a blob
//! that was encoded dishonestly a range may be had although reading the whole is refused.

mod byte_range;

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use walrus_core::NodeId;
use walrus_redstuff::BlobId;

pub use byte_range::{ByteRange, ByteRangeParseError, RangeNotInBlob};

use crate::client::{Client, ReadBlobError, ReadOptions};
use crate::progress::ProgressSink;

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
    /// The blob cannot be read at all.
    #[error(transparent)]
    Read(#[from] ReadBlobError),
}

impl Client {
    /// Reads part of a blob. `options.max_blob_bytes` bounds the length of the range, not that of the
    /// blob; with a strict check the whole blob is read, and bounded too.
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
        let started = tokio::time::Instant::now();
        let (length, max) = (range.fewest_bytes(), options.max_blob_bytes);
        if length > max {
            return Err(ReadRangeError::TooLong { length, max });
        }
        let whole = self.read(blob_id, options, progress).await?;
        let blob_bytes = whole.bytes.len() as u64;
        let range = range.resolve(blob_bytes)?;
        let bytes = whole.bytes[range.start as usize..range.end as usize].to_vec();
        let report = RangeReport {
            blob_bytes,
            range,
            whole_blob: true,
            misbehaved: whole.report.misbehaved,
            failed: whole.report.failed,
            time: started.elapsed(),
            ..RangeReport::default()
        };
        Ok(RangeRead { bytes, report })
    }
}
