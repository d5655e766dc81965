//! Sending an encoded blob to all nodes and collecting their confirmations
//! (docs/protocol/node-and-client.md F.2).
//!
//! Every node is served on its own: metadata, then both slivers of each of its shards,
//! then its confirmation. The upload is complete as soon as the confirmations weigh
//! enough, whatever the others do; those get a moment longer, because what they receive
//! now they need not recover later. So up to `f` shards' worth of nodes may be dead,
//! slow or lying.
//!
//! Memory: the encoded blob if it is there anyway, and the serialised slivers under way,
//! which the client's byte budget bounds.

mod node;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{FuturesUnordered, StreamExt as _};
use tokio::time::Instant;
use walrus_core::{
    Certificate, CertificateBuilder, Message, NodeId, Persistence, StorageConfirmation, Threshold,
};
use walrus_env::Env;
use walrus_node_api::NodeError;

use crate::backoff::Backoff;
use crate::budget::Budget;
use crate::coding::{EncodeError, Encoded};
use crate::network::CommitteeView;
use crate::progress::{Progress, ProgressSink};

/// How uploads behave.
#[derive(Clone, Debug, PartialEq)]
pub struct UploadConfig {
    /// Requests at once to one node.
    pub requests_per_node: usize,
    /// Repetition of single requests.
    pub backoff: Backoff,
    /// How a node that has not seen the registration yet is asked again: nodes follow
    /// the chain at some distance.
    pub registration: Backoff,
    /// How often a node that says that slivers are missing is sent them again.
    pub rounds_per_node: u32,
    /// What stragglers get after a quorum confirmed: this long,
    pub extra_time: Duration,
    /// and this share of the time that the upload took until then.
    pub extra_time_factor: f64,
    /// Slivers of at least this many bytes are not sent to a node that already has the
    /// metadata before asking whether it has the sliver too.
    pub status_check_bytes: usize,
}

impl Default for UploadConfig {
    fn default() -> Self {
        Self {
            requests_per_node: 10,
            backoff: Backoff::default(),
            // Two minutes in all.
            registration: Backoff {
                first: Duration::from_millis(100),
                longest: Duration::from_secs(5),
                retries: 30,
            },
            rounds_per_node: 3,
            extra_time: Duration::from_millis(500),
            extra_time_factor: 0.5,
            status_check_bytes: 5_560,
        }
    }
}

/// Why a node did not confirm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeFailure {
    /// The node.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// Shards that it holds.
    pub weight: u32,
    /// What happened.
    pub reason: FailureReason,
}

impl std::fmt::Display for NodeFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { node, name, weight, reason } = self;
        write!(f, "node {node} ({name}, {weight} shards): {reason}")
    }
}

/// What happened with a node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FailureReason {
    /// There is no way to speak to it.
    #[error("{0}")]
    NoClient(String),
    /// It could not be given the metadata.
    #[error("metadata: {0}")]
    Metadata(#[source] NodeError),
    /// It could not be given a sliver.
    #[error("slivers: {0}")]
    Sliver(#[source] NodeError),
    /// It did not confirm.
    #[error("confirmation: {0}")]
    Confirmation(#[source] NodeError),
    /// It could not be read from.
    #[error("{0}")]
    Read(String),
    /// It did not finish in the time that others needed.
    #[error("too slow")]
    TooSlow,
}

impl FailureReason {
    /// The failed call, if there was one.
    pub fn node_error(&self) -> Option<&NodeError> {
        match self {
            Self::NoClient(_) | Self::Read(_) | Self::TooSlow => None,
            Self::Metadata(error) | Self::Sliver(error) | Self::Confirmation(error) => Some(error),
        }
    }
}

/// A blob that enough nodes confirmed.
#[derive(Clone, Debug)]
pub(crate) struct Uploaded {
    /// Their certificate.
    pub(crate) certificate: Certificate,
    /// Shards of the signers.
    pub(crate) weight: u32,
    /// Nodes that did not confirm in time.
    pub(crate) failures: Vec<NodeFailure>,
}

/// Too few nodes confirmed.
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "nodes with {got} of {needed} needed shards confirmed that they store the blob; {}",
    list(failures)
)]
pub struct NotEnoughConfirmations {
    /// Least weight of a certificate.
    pub needed: u32,
    /// Weight of the nodes that confirmed.
    pub got: u32,
    /// Every other node.
    pub failures: Vec<NodeFailure>,
}

/// Why an upload ended without a certificate.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UploadError {
    /// The nodes.
    #[error(transparent)]
    Nodes(#[from] NotEnoughConfirmations),
    /// The blob itself, which can no longer be read.
    #[error(transparent)]
    Blob(#[from] EncodeError),
}

impl NotEnoughConfirmations {
    /// Whether nodes answered as if the committee were another than the client thinks.
    pub fn hints_at_new_committee(&self) -> bool {
        self.failures.iter().filter_map(|failure| failure.reason.node_error()).any(|error| {
            matches!(error, NodeError::WrongEpoch { .. } | NodeError::ShardNotAssigned)
        })
    }
}

/// Failures as one line.
pub(crate) fn list(failures: &[NodeFailure]) -> String {
    let texts: Vec<String> = failures.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

/// One upload: what is sent, to whom, and within which bounds.
pub(crate) struct Upload<'a> {
    pub(crate) env: &'a Env,
    pub(crate) view: &'a CommitteeView,
    pub(crate) blob: &'a Encoded,
    pub(crate) persistence: Persistence,
    pub(crate) config: &'a UploadConfig,
    pub(crate) budget: &'a Budget,
    pub(crate) progress: &'a ProgressSink,
}

impl Upload<'_> {
    /// Uploads and collects. Dropping the future stops everything.
    pub(crate) async fn run(&self) -> Result<Uploaded, UploadError> {
        let started = Instant::now();
        let mut builder = self.builder();
        let shared = self.shared();
        let mut failures = BTreeMap::new();
        let mut running: FuturesUnordered<_> =
            self.view.nodes().iter().map(|node| self.node(node, &shared)).collect();
        let mut deadline = None;
        while let Some((node, outcome)) = next_before(&mut running, deadline).await {
            match outcome {
                Ok(signed) => {
                    if let Err(error) = builder.add(node, &signed) {
                        // Verified by the node's client already: only a bug gets here.
                        tracing::error!(%node, %error, "a verified confirmation was refused");
                    }
                    self.progress.report(Progress::NodeConfirmed { node });
                    let (weight, needed) = (builder.weight(), builder.needed_weight());
                    self.progress.report(Progress::Confirmations { weight, needed });
                }
                Err(Trouble::Node(reason)) => {
                    tracing::warn!(%node, %reason, "a node did not confirm");
                    let text = reason.to_string();
                    self.progress.report(Progress::NodeFailed { node, reason: text });
                    failures.insert(node, reason);
                }
                // What one node cannot be sent, none can.
                Err(Trouble::Blob(error)) => return Err(error.into()),
            }
            if builder.is_complete() && deadline.is_none() {
                let now = Instant::now();
                let share = (now - started).mul_f64(self.config.extra_time_factor);
                deadline = Some(now + self.config.extra_time + share);
            }
        }
        drop(running);
        let failures = self.given_up(&builder, failures);
        let weight = builder.weight();
        match builder.finish() {
            Ok(certificate) => Ok(Uploaded { certificate, weight, failures }),
            Err(_) => {
                let needed = builder.needed_weight();
                Err(NotEnoughConfirmations { needed, got: weight, failures }.into())
            }
        }
    }

    fn builder(&self) -> CertificateBuilder<StorageConfirmation> {
        let message = Message::new(self.view.epoch(), self.body());
        let committee = self.view.committee().clone();
        CertificateBuilder::new(committee, *self.view.context(), message, Threshold::Quorum)
            .expect("the message is of the committee's epoch")
    }

    fn body(&self) -> StorageConfirmation {
        let blob_id = *self.blob.metadata().blob_id();
        StorageConfirmation { blob_id, persistence: self.persistence }
    }

    fn shared(&self) -> Shared {
        let slivers_total = 2 * u64::from(self.view.params().n_shards());
        self.progress.report(Progress::Uploading { slivers_done: 0, slivers_total });
        Shared {
            metadata: Bytes::from(self.blob.metadata().to_bcs()),
            slivers_done: Arc::new(AtomicU64::new(0)),
            slivers_total,
        }
    }

    /// Every node that did not confirm, with what is known of why. Those that nothing was
    /// heard of yet are reported: nobody waits for them any more.
    fn given_up(
        &self,
        builder: &CertificateBuilder<StorageConfirmation>,
        mut reasons: BTreeMap<NodeId, FailureReason>,
    ) -> Vec<NodeFailure> {
        let missing = self.view.nodes().iter().filter(|node| !builder.has_signed(node.id()));
        let describe = |node: &crate::network::Node| NodeFailure {
            node: node.id(),
            name: node.member.name.clone(),
            weight: node.weight(),
            reason: reasons.remove(&node.id()).unwrap_or_else(|| {
                let reason = FailureReason::TooSlow;
                let text = reason.to_string();
                self.progress.report(Progress::NodeFailed { node: node.id(), reason: text });
                reason
            }),
        };
        missing.map(describe).collect()
    }
}

/// Why a node was not served to the end.
enum Trouble {
    /// It is the node's.
    Node(FailureReason),
    /// It is ours.
    Blob(EncodeError),
}

impl From<FailureReason> for Trouble {
    fn from(reason: FailureReason) -> Self {
        Self::Node(reason)
    }
}

/// What the uploads to all nodes have in common.
struct Shared {
    metadata: Bytes,
    slivers_done: Arc<AtomicU64>,
    slivers_total: u64,
}

impl Shared {
    fn sliver_done(&self, progress: &ProgressSink) {
        let slivers_done = self.slivers_done.fetch_add(1, Ordering::Relaxed) + 1;
        progress.report(Progress::Uploading { slivers_done, slivers_total: self.slivers_total });
    }
}

/// The next outcome; `None` when there is none left or the deadline passed.
async fn next_before<F: Future>(
    running: &mut FuturesUnordered<F>,
    deadline: Option<Instant>,
) -> Option<F::Output> {
    match deadline {
        None => running.next().await,
        Some(deadline) => tokio::time::timeout_at(deadline, running.next()).await.ok().flatten(),
    }
}

#[cfg(test)]
mod tests;
