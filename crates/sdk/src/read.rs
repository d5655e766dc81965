//! Reading a blob back from whichever nodes answer
//! (docs/protocol/node-and-client.md G.1).
//!
//! Metadata is taken from the first node that has it and checked against the blob id;
//! from then on every sliver can be checked on arrival, so one honest answer is worth as
//! much as any. Primary slivers are asked for first, `p` of them in parallel and more
//! when they are slow; secondary slivers when too few primary ones can be had.
//!
//! Memory: the slivers (about the blob's length) and the blob.

mod metadata;
mod slivers;

use std::collections::BTreeMap;
use std::time::Duration;

use walrus_core::NodeId;
use walrus_env::Env;
use walrus_redstuff::{
    Axis, ConsistencyCheck, DecodeError, Primary, Secondary, SliverType, VerifiedMetadata,
    VerifiedSliver, decode,
};

use crate::backoff::Backoff;
use crate::budget::Budget;
use crate::network::CommitteeView;
use crate::progress::{Progress, ProgressSink};
use crate::upload::{FailureReason, NodeFailure, list};

/// How reads behave.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadConfig {
    /// Nodes asked for metadata at once; as many more for each [`Self::hedge_after`]
    /// without an answer.
    pub metadata_requests: usize,
    /// Slivers asked for at once; `p` when absent.
    pub sliver_requests: Option<usize>,
    /// Sliver requests at once to one node.
    pub requests_per_node: usize,
    /// When no answer arrived for this long, further nodes are asked for what is
    /// missing without giving up on those that are slow.
    pub hedge_after: Duration,
    /// Repetition of rounds in which nodes that failed are asked again.
    pub backoff: Backoff,
}

impl Default for ReadConfig {
    fn default() -> Self {
        Self {
            metadata_requests: 3,
            sliver_requests: None,
            requests_per_node: 10,
            hedge_after: Duration::from_millis(500),
            backoff: Backoff { retries: 3, ..Backoff::default() },
        }
    }
}

/// What a read left to be known besides the blob.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadReport {
    /// Nodes that sent wrong data, with the first wrong answer of each.
    pub misbehaved: BTreeMap<NodeId, String>,
    /// Nodes that failed otherwise, with the last failure of each.
    pub failed: BTreeMap<NodeId, String>,
    /// The kind of slivers that the blob was decoded from.
    pub sliver_type: Option<SliverType>,
    /// Good slivers used.
    pub slivers: u16,
    /// Time until the metadata was there.
    pub metadata_time: Duration,
    /// Time for the slivers.
    pub slivers_time: Duration,
    /// Time to decode and check.
    pub decode_time: Duration,
}

/// Why a blob could not be read from the nodes.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// A quorum of the shards says that there is no such blob.
    #[error("no such blob: nodes with a quorum of the shards do not have it")]
    NotFound,
    /// A quorum of the shards says that it does not serve the blob.
    #[error("nodes with a quorum of the shards do not serve this blob")]
    Blocked,
    /// No node gave the metadata, and too few said that there is none.
    #[error("no node gave the blob's metadata; {}", list(failures))]
    NoMetadata {
        /// What each node answered.
        failures: Vec<NodeFailure>,
    },
    /// The blob is longer than the reader accepts.
    #[error("the blob has {length} bytes, the limit of this reader is {max}")]
    TooLarge {
        /// The blob's length.
        length: u64,
        /// The reader's limit.
        max: u64,
    },
    /// Too few slivers of either kind could be had.
    #[error("{got} of {needed} needed {sliver_type} slivers could be had; {}", list(failures))]
    NotEnoughSlivers {
        /// The kind that was tried last.
        sliver_type: SliverType,
        /// Good ones.
        got: u16,
        /// Needed ones.
        needed: u16,
        /// What went wrong at each node.
        failures: Vec<NodeFailure>,
    },
    /// Whoever stored the blob encoded it wrongly: it has no one content.
    #[error("the blob is invalid: {0}")]
    Invalid(#[from] DecodeError),
}

impl FetchError {
    /// Whether another committee might give another answer.
    pub(crate) fn depends_on_committee(&self) -> bool {
        !matches!(self, Self::TooLarge { .. } | Self::Invalid(_))
    }
}

/// One read: what, from whom, and within which bounds.
pub(crate) struct Fetch<'a> {
    pub(crate) env: &'a Env,
    pub(crate) view: &'a CommitteeView,
    pub(crate) config: &'a ReadConfig,
    pub(crate) budget: &'a Budget,
    pub(crate) progress: &'a ProgressSink,
    pub(crate) max_blob_bytes: u64,
    pub(crate) check: ConsistencyCheck,
}

impl Fetch<'_> {
    /// Reads, verifies and decodes the blob.
    pub(crate) async fn run(
        &self,
        blob_id: &walrus_redstuff::BlobId,
        report: &mut ReadReport,
    ) -> Result<Vec<u8>, FetchError> {
        let started = tokio::time::Instant::now();
        self.progress.report(Progress::FetchingMetadata);
        let metadata = self.metadata(blob_id, report).await?;
        report.metadata_time = started.elapsed();
        let length = metadata.unencoded_length();
        self.progress.report(Progress::MetadataFetched { bytes: length });
        if length > self.max_blob_bytes {
            return Err(FetchError::TooLarge { length, max: self.max_blob_bytes });
        }
        let blob = match self.slivers::<Primary>(&metadata, report).await {
            Ok(slivers) => self.decode(&metadata, slivers, report).await?,
            Err(primary) => {
                tracing::info!(%primary, "asking for secondary slivers");
                match self.slivers::<Secondary>(&metadata, report).await {
                    Ok(slivers) => self.decode(&metadata, slivers, report).await?,
                    // The first failure says what is wrong with the network.
                    Err(_) => return Err(primary),
                }
            }
        };
        self.progress.report(Progress::Read { bytes: length });
        Ok(blob)
    }

    async fn decode<A: Axis>(
        &self,
        metadata: &VerifiedMetadata,
        slivers: Vec<VerifiedSliver<A>>,
        report: &mut ReadReport,
    ) -> Result<Vec<u8>, FetchError> {
        let started = tokio::time::Instant::now();
        let bytes = metadata.unencoded_length();
        self.progress.report(Progress::Decoding { bytes });
        report.sliver_type = Some(A::TYPE);
        report.slivers = u16::try_from(slivers.len()).unwrap_or(u16::MAX);
        let (metadata, check) = (metadata.clone(), self.check);
        // About half a gigabyte a second.
        let cost = Duration::from_nanos(2 * bytes);
        let work = move || decode(&metadata, slivers, check);
        let blob = self.env.compute(cost, work).await?;
        report.decode_time = started.elapsed();
        Ok(blob)
    }

    /// What the report says about each node, in the form of failures.
    fn failures(&self, report: &ReadReport) -> Vec<NodeFailure> {
        let describe = |node: &crate::network::Node| {
            let text = report.misbehaved.get(&node.id()).or(report.failed.get(&node.id()))?;
            Some(NodeFailure {
                node: node.id(),
                name: node.member.name.clone(),
                weight: node.weight(),
                reason: FailureReason::Read(text.clone()),
            })
        };
        self.view.nodes().iter().filter_map(describe).collect()
    }
}

impl ReadReport {
    /// Notes what a node did wrong.
    pub(crate) fn note(&mut self, node: NodeId, error: &walrus_node_api::NodeError) {
        if error.is_misbehaviour() {
            tracing::warn!(%node, %error, "a node misbehaved");
            self.misbehaved.entry(node).or_insert_with(|| error.to_string());
        } else {
            self.failed.insert(node, error.to_string());
        }
    }
}

#[cfg(test)]
mod tests;
