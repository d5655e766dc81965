//! What a store or read is doing, for those who watch.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use walrus_core::{Epoch, NodeId, TokenId};
use walrus_redstuff::BlobId;

/// A step of a store or read. Steps may repeat, for instance when the committee changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// The blob is being encoded.
    Encoding {
        /// Its length.
        bytes: u64,
    },
    /// A large blob is being encoded, this far.
    EncodingBytes {
        /// Bytes that are done.
        done: u64,
        /// Its length.
        total: u64,
    },
    /// The blob is encoded.
    Encoded {
        /// Its id.
        blob_id: BlobId,
        /// Bytes of all slivers.
        encoded_bytes: u64,
    },
    /// The transaction that buys storage and registers the blob is being sent.
    Registering,
    /// The blob is registered.
    Registered {
        /// Its token.
        token: TokenId,
        /// First epoch in which it is no longer stored.
        end_epoch: Epoch,
        /// Whether the registration was made by an earlier, interrupted run.
        resumed: bool,
    },
    /// Slivers are being sent.
    Uploading {
        /// Slivers that nodes acknowledged.
        slivers_done: u64,
        /// Slivers of all nodes.
        slivers_total: u64,
    },
    /// A node is sent its slivers.
    NodeUploading {
        /// The node.
        node: NodeId,
        /// Slivers that it acknowledged.
        slivers_done: u64,
        /// Slivers that it is to store.
        slivers_total: u64,
    },
    /// A node failed a request, which is repeated: it may be lost, or come back.
    NodeStruggling {
        /// The node.
        node: NodeId,
        /// What happened.
        reason: String,
    },
    /// A node confirmed that it stores its part.
    NodeConfirmed {
        /// The node.
        node: NodeId,
    },
    /// A node did not confirm.
    NodeFailed {
        /// The node.
        node: NodeId,
        /// Why.
        reason: String,
    },
    /// Nodes confirmed that they store the blob.
    Confirmations {
        /// Shards of the nodes that confirmed.
        weight: u32,
        /// Shards needed.
        needed: u32,
    },
    /// The certificate is being sent.
    Certifying,
    /// The blob is certified.
    Certified {
        /// Its id.
        blob_id: BlobId,
    },
    /// The attempt is repeated with a fresh view of the network.
    Retrying {
        /// Why.
        reason: String,
        /// After this wait.
        after: Duration,
    },
    /// Metadata is being looked for.
    FetchingMetadata,
    /// Metadata was found.
    MetadataFetched {
        /// The blob's length.
        bytes: u64,
    },
    /// Slivers are being fetched.
    FetchingSlivers {
        /// Good ones so far.
        done: u16,
        /// Good ones needed.
        needed: u16,
    },
    /// The blob is being put together and checked.
    Decoding {
        /// Its length.
        bytes: u64,
    },
    /// The blob is read.
    Read {
        /// Its length.
        bytes: u64,
    },
}

/// Takes the steps as they happen. Called from within the operation: it must return at
/// once.
#[derive(Clone, Default)]
pub struct ProgressSink(Option<Arc<dyn Fn(Progress) + Send + Sync>>);

impl ProgressSink {
    /// Nobody watches.
    pub fn none() -> Self {
        Self::default()
    }

    /// Calls `watch` with each step.
    pub fn new(watch: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(watch)))
    }

    /// Tells those who watch of a step.
    pub fn report(&self, step: Progress) {
        if let Some(watch) = &self.0 {
            watch(step);
        }
    }
}

impl fmt::Debug for ProgressSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "ProgressSink(watched)" } else { "ProgressSink(none)" })
    }
}
