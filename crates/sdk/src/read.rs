//! Reading a blob back from whichever nodes answer
//! (docs/protocol/node-and-client.md G.1).
//!
//! Metadata is taken from the first node that has it and checked against the blob id;
//! from then on every sliver can be checked on arrival, so one honest answer is worth as
//! much as any. Primary slivers are asked for first, `p` of them in parallel and more
//! when they are slow; secondary slivers when too few primary ones can be had.
//!
//! Memory: a small blob, and one that is wanted in memory, takes its slivers (about its
//! length) and itself. A larger one goes to a file while it arrives; what is in memory is
//! bounded by the client's byte budget and the decoder's windows.

mod intake;
mod metadata;
mod output;
mod slivers;
mod to_file;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use walrus_core::NodeId;
use walrus_env::Env;
use walrus_redstuff::{
    Axis, BlobId, ConsistencyCheck, DecodeError, DecodeStreamError, Primary, ReadWriteAt,
    Secondary, SliverType, StreamDecoder, VerifiedMetadata, decode,
};

use crate::backoff::Backoff;
use crate::budget::Budget;
use crate::coding::Coder;
use crate::files::{FileBytes, SpillFile, Stop};
use crate::network::CommitteeView;
use crate::progress::{Progress, ProgressSink};
use crate::upload::{FailureReason, NodeFailure, list};
use intake::Intake;
use output::Output;

pub(crate) use output::Target;
pub use output::{Content, OutputError};
pub use to_file::Spooled;

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
    /// The blob's length.
    pub blob_bytes: u64,
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
    /// The blob could not be written; nothing of it is left.
    #[error(transparent)]
    Output(Arc<OutputError>),
}

impl FetchError {
    /// Whether another committee might give another answer.
    pub(crate) fn depends_on_committee(&self) -> bool {
        !matches!(self, Self::TooLarge { .. } | Self::Invalid(_) | Self::Output(_))
    }
}

/// One read: what, from whom, and within which bounds.
pub(crate) struct Fetch<'a> {
    pub(crate) env: &'a Env,
    pub(crate) view: &'a CommitteeView,
    pub(crate) config: &'a ReadConfig,
    pub(crate) budget: &'a Budget,
    pub(crate) coder: &'a Coder,
    pub(crate) progress: &'a ProgressSink,
    pub(crate) max_blob_bytes: u64,
    pub(crate) check: ConsistencyCheck,
}

impl Fetch<'_> {
    /// Reads, verifies and decodes the blob.
    pub(crate) async fn run(
        &self,
        blob_id: &BlobId,
        target: &Target,
        report: &mut ReadReport,
    ) -> Result<Content, FetchError> {
        let started = tokio::time::Instant::now();
        self.progress.report(Progress::FetchingMetadata);
        let metadata = self.metadata(blob_id, report).await?;
        report.metadata_time = started.elapsed();
        let length = metadata.unencoded_length();
        report.blob_bytes = length;
        self.progress.report(Progress::MetadataFetched { bytes: length });
        if length > self.max_blob_bytes {
            return Err(FetchError::TooLarge { length, max: self.max_blob_bytes });
        }
        let output = match target {
            Target::Memory => None,
            Target::File(path) => Some(Output::named(self.env, path, length).await?),
            Target::Aside if self.fits_memory(&metadata) => None,
            Target::Aside => {
                let directory = self.coder.spill_directory().await.map_err(OutputError::from)?;
                Some(Output::unnamed(self.env, directory, length).await?)
            }
        };
        let content = match self.decoded::<Primary>(&metadata, output.as_ref(), report).await {
            Err(primary @ FetchError::NotEnoughSlivers { .. }) => {
                tracing::info!(%primary, "asking for secondary slivers");
                let secondary = self.decoded::<Secondary>(&metadata, output.as_ref(), report).await;
                match secondary {
                    // The first failure says what is wrong with the network.
                    Err(FetchError::NotEnoughSlivers { .. }) => return Err(primary),
                    other => other?,
                }
            }
            other => other?,
        };
        let content = match (content, output) {
            (Some(bytes), None) => Content::Memory(bytes.into()),
            (Some(bytes), Some(output)) => {
                output.write(bytes.into()).await?;
                Content::File(output.finish().await?)
            }
            (None, Some(output)) => Content::File(output.finish().await?),
            (None, None) => Content::Memory(Vec::new().into()),
        };
        self.progress.report(Progress::Read { bytes: length });
        Ok(content)
    }

    /// Whether slivers and blob may be in memory at the same time.
    fn fits_memory(&self, metadata: &VerifiedMetadata) -> bool {
        self.coder.fits_memory(metadata.unencoded_length().saturating_mul(2))
    }

    /// The blob from slivers of axis `A`, unless it went to the output already.
    async fn decoded<A: Axis>(
        &self,
        metadata: &VerifiedMetadata,
        output: Option<&Output>,
        report: &mut ReadReport,
    ) -> Result<Option<Vec<u8>>, FetchError> {
        match output {
            Some(output) if !self.fits_memory(metadata) => {
                self.stream::<A>(metadata, output, report).await.map(|()| None)
            }
            _ => self.collect::<A>(metadata, report).await.map(Some),
        }
    }

    /// All slivers first, then the blob from them, in memory.
    async fn collect<A: Axis>(
        &self,
        metadata: &VerifiedMetadata,
        report: &mut ReadReport,
    ) -> Result<Vec<u8>, FetchError> {
        let needed = usize::from(metadata.params().source_symbols(A::TYPE));
        let mut intake = Intake::<A>::list(self.env, needed);
        // A list decodes nothing yet.
        let failed = |error: DecodeStreamError| match error {
            DecodeStreamError::Decode(error) => FetchError::Invalid(error),
            DecodeStreamError::Output(source) | DecodeStreamError::Spill(source) => {
                OutputError::Write { place: "memory".into(), source }.into()
            }
        };
        self.slivers(metadata, &mut intake, &failed, report).await?;
        let started = self.decoding::<A>(metadata, report);
        let (owned, check, slivers) = (metadata.clone(), self.check, intake.into_list());
        let work = move || decode(&owned, slivers, check);
        let blob = self.env.compute(cost(metadata), work).await?;
        report.decode_time = started.elapsed();
        Ok(blob)
    }

    /// Each sliver to the output as it arrives.
    async fn stream<A: Axis>(
        &self,
        metadata: &VerifiedMetadata,
        output: &Output,
        report: &mut ReadReport,
    ) -> Result<(), FetchError> {
        let directory = self.coder.spill_directory().await.map_err(OutputError::from)?;
        let stop = Stop::default();
        let stop_on_drop = stop.on_drop();
        let spill_bytes = StreamDecoder::<A>::spill_bytes(metadata);
        let spill = SpillFile::new(self.env, directory.clone(), spill_bytes, stop.clone());
        let file: Arc<dyn ReadWriteAt> = Arc::new(FileBytes::new(output.file(), stop));
        let workers = self.coder.workers();
        let decoder =
            StreamDecoder::<A>::new(metadata.clone(), self.check, workers, file, Arc::new(spill));
        let failed = |error| match error {
            DecodeStreamError::Decode(error) => FetchError::Invalid(error),
            DecodeStreamError::Output(source) => output.failed(source).into(),
            DecodeStreamError::Spill(source) => {
                OutputError::Spill { directory: directory.clone(), source }.into()
            }
        };
        let needed = usize::from(metadata.params().source_symbols(A::TYPE));
        let mut intake = Intake::decoder(self.env, needed, decoder);
        self.slivers(metadata, &mut intake, &failed, report).await?;
        let started = self.decoding::<A>(metadata, report);
        intake.finish(cost(metadata)).await.map_err(failed)?;
        report.decode_time = started.elapsed();
        stop_on_drop.disarm();
        Ok(())
    }

    /// Notes that all slivers are there.
    fn decoding<A: Axis>(
        &self,
        metadata: &VerifiedMetadata,
        report: &mut ReadReport,
    ) -> tokio::time::Instant {
        self.progress.report(Progress::Decoding { bytes: metadata.unencoded_length() });
        report.sliver_type = Some(A::TYPE);
        report.slivers = metadata.params().source_symbols(A::TYPE);
        tokio::time::Instant::now()
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

/// About half a gigabyte a second; read by simulations only.
fn cost(metadata: &VerifiedMetadata) -> Duration {
    Duration::from_nanos(2 * metadata.unencoded_length())
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
