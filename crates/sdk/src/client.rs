//! The client: what everything else in this crate is reached through.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use walrus_chain::{BLOBS_PER_CALL, ChainClient, ChainWriter, Cost};
use walrus_core::{Epoch, TokenId};
use walrus_env::Env;
use walrus_node_api::wire::BlobStatus;
use walrus_redstuff::{BlobId, ConsistencyCheck};

use crate::backoff::Backoff;
use crate::budget::Budget;
use crate::cache::{NetworkCache, NetworkError, Snapshot};
use crate::coding::{Coder, CodingConfig};
use crate::network::{CommitteeView, NodeAccess};
use crate::progress::ProgressSink;
use crate::read::{Content, Fetch, FetchError, ReadConfig, ReadReport, Target};
use crate::source::Source;
use crate::status::{self, NodeHealth, StatusError};
use crate::store::{Store, StoreError, StoreOptions, Stored};
use crate::upload::UploadConfig;

/// Calls, of a thousand records each, spent on telling an expired blob from one that
/// never was.
const EXPIRED_SEARCH_CALLS: u64 = 5;

/// How a client works.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// How nodes are reached.
    pub nodes: NodeAccess,
    /// How uploads behave.
    pub upload: UploadConfig,
    /// How reads behave.
    pub read: ReadConfig,
    /// What encoding and decoding may use.
    pub coding: CodingConfig,
    /// Bytes of all requests and answers under way.
    pub max_bytes_in_flight: usize,
    /// Where the progress of stores is kept, so that an interrupted one can be
    /// continued. Without it only the chain is asked for earlier registrations.
    pub state_directory: Option<PathBuf>,
    /// The age at which the network's state is asked of the chain again.
    pub max_network_age: Duration,
    /// Stores begun anew because the committee changed.
    pub restarts: Backoff,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            nodes: NodeAccess::default(),
            upload: UploadConfig::default(),
            read: ReadConfig::default(),
            coding: CodingConfig::default(),
            max_bytes_in_flight: 128 << 20,
            state_directory: None,
            max_network_age: Duration::from_secs(10),
            restarts: Backoff {
                first: Duration::from_secs(1),
                longest: Duration::from_secs(5),
                retries: 4,
            },
        }
    }
}

/// What is wanted of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadOptions {
    /// Longest blob accepted; refused before any of it is fetched.
    pub max_blob_bytes: u64,
    /// How far to make sure that the blob was encoded honestly.
    pub consistency: ConsistencyCheck,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self { max_blob_bytes: 1 << 30, consistency: ConsistencyCheck::Default }
    }
}

/// A blob that was read.
#[derive(Clone, Debug)]
pub struct ReadBlob {
    /// Its bytes, checked against its id as far as asked for.
    pub bytes: Vec<u8>,
    /// How the read went.
    pub report: ReadReport,
}

/// Why a blob was not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadBlobError {
    /// The blob's time is over.
    #[error("blob {blob_id} is no longer stored: it ended with epoch {end_epoch}")]
    Expired {
        /// The blob.
        blob_id: BlobId,
        /// First epoch in which it was no longer stored.
        end_epoch: Epoch,
    },
    /// The owner deleted the blob.
    #[error("blob {blob_id} was deleted by its owner")]
    Deleted {
        /// The blob.
        blob_id: BlobId,
    },
    /// The blob is registered, but nodes have not confirmed that they store it.
    #[error(
        "blob {blob_id} is registered (object {token}) but not certified: its upload was not finished"
    )]
    NotCertified {
        /// The blob.
        blob_id: BlobId,
        /// The object.
        token: TokenId,
    },
    /// The chain says that the blob was encoded wrongly.
    #[error("blob {blob_id} was marked invalid: it has no one content")]
    Invalid {
        /// The blob.
        blob_id: BlobId,
    },
    /// The nodes' answers.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The network's state.
    #[error(transparent)]
    Network(#[from] NetworkError),
}

/// What is known of a blob id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusReport {
    /// The latest status that is not only the word of possible liars.
    pub status: BlobStatus,
    /// Shards of the nodes that said so.
    pub weight: u32,
    /// Whether the chain confirmed it.
    pub confirmed_by_chain: bool,
}

/// Why the status of a blob is not known.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BlobStatusError {
    /// Too few nodes answered.
    #[error(transparent)]
    Nodes(#[from] StatusError),
    /// The answers contradict each other and the chain confirms none.
    #[error("the nodes' answers contradict each other, and none is backed by enough of them")]
    NoValidStatus,
    /// The network's state.
    #[error(transparent)]
    Network(#[from] NetworkError),
}

struct Inner {
    env: Env,
    chain: ChainClient,
    cache: NetworkCache,
    budget: Budget,
    coder: Coder,
    config: ClientConfig,
}

/// Stores and reads blobs. Cheap to clone; clones share connections, the view of the
/// network and the bound on bytes under way. Every operation is cancelled by dropping
/// its future.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

impl Client {
    /// A client of the network that `chain` speaks to. Sends nothing yet.
    pub fn new(chain: ChainClient, config: ClientConfig) -> Self {
        let cache = NetworkCache::new(chain.clone(), config.nodes.clone(), config.max_network_age);
        let budget = Budget::new(config.max_bytes_in_flight);
        let env = chain.env().clone();
        let spill = config.state_directory.as_ref().map(|directory| directory.join("tmp"));
        let coder = Coder::with_default(&env, config.coding.clone(), spill);
        Self(Arc::new(Inner { env, chain, cache, budget, coder, config }))
    }

    pub(crate) fn env(&self) -> &Env {
        &self.0.env
    }

    pub(crate) fn cache(&self) -> &NetworkCache {
        &self.0.cache
    }

    pub(crate) fn budget(&self) -> &Budget {
        &self.0.budget
    }

    /// What encodes and decodes.
    pub fn coder(&self) -> &Coder {
        &self.0.coder
    }

    /// The chain.
    pub fn chain(&self) -> &ChainClient {
        &self.0.chain
    }

    /// How the client works.
    pub fn config(&self) -> &ClientConfig {
        &self.0.config
    }

    /// The network as of now, or shortly before.
    ///
    /// # Errors
    /// See [`NetworkError`].
    pub async fn network(&self) -> Result<Snapshot, NetworkError> {
        self.cache().get().await
    }

    /// What storing `length` bytes for `epochs` epochs costs at present prices, in FROST,
    /// and the size that it counts for.
    ///
    /// # Errors
    /// A length that cannot be encoded, or see [`NetworkError`].
    pub async fn quote(&self, length: u64, epochs: u32) -> Result<(Cost, u64), StoreError> {
        let snapshot = self.cache().get().await?;
        let encoded_bytes = snapshot.committee.params().encoded_blob_length(length)?;
        Ok((snapshot.network.prices.cost(encoded_bytes, epochs), encoded_bytes))
    }

    /// The id that a blob has on this network.
    ///
    /// # Errors
    /// A blob that cannot be read or encoded, or see [`NetworkError`].
    pub async fn blob_id(&self, blob: impl Into<Source> + Send) -> Result<BlobId, StoreError> {
        let params = self.cache().get().await?.committee.params();
        let metadata = self.coder().metadata(params, blob, &ProgressSink::none()).await?;
        Ok(*metadata.blob_id())
    }

    /// Stores a blob, paid for by the account of `writer`, which becomes its owner. Run
    /// again after an interruption or error, it continues where it stopped. A blob in a
    /// file, [`Source::file`], need not fit into memory.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn store(
        &self,
        writer: &ChainWriter,
        blob: impl Into<Source> + Send,
        options: &StoreOptions,
        progress: &ProgressSink,
    ) -> Result<Stored, StoreError> {
        Store { client: self, writer, options, progress, attributes: &[] }.run(blob.into()).await
    }

    /// Reads a blob into memory. [`Self::read_to_file`] reads those that do not fit there.
    ///
    /// # Errors
    /// See [`ReadBlobError`].
    pub async fn read(
        &self,
        blob_id: &BlobId,
        options: &ReadOptions,
        progress: &ProgressSink,
    ) -> Result<ReadBlob, ReadBlobError> {
        let (content, report) = self.read_into(blob_id, &Target::Memory, options, progress).await?;
        match content {
            // Nobody else has these bytes: they are not copied.
            Content::Memory(bytes) => Ok(ReadBlob { bytes: bytes.into(), report }),
            Content::File(_) => unreachable!("a read into memory ends there"),
        }
    }

    pub(crate) async fn read_into(
        &self,
        blob_id: &BlobId,
        target: &Target,
        options: &ReadOptions,
        progress: &ProgressSink,
    ) -> Result<(Content, ReadReport), ReadBlobError> {
        let snapshot = self.cache().get().await?;
        let fetch = async |view: &CommitteeView| {
            let fetch = Fetch {
                env: self.env(),
                view,
                config: &self.config().read,
                budget: self.budget(),
                coder: self.coder(),
                progress,
                max_blob_bytes: options.max_blob_bytes,
                check: options.consistency,
            };
            let mut report = ReadReport::default();
            let content = fetch.run(blob_id, target, &mut report).await?;
            Ok::<_, FetchError>((content, report))
        };
        let first = match fetch(&snapshot.committee).await {
            Ok(blob) => return Ok(blob),
            Err(error) if error.depends_on_committee() => error,
            Err(error) => return Err(error.into()),
        };
        // Perhaps the committee is another by now, or its predecessor still has the blob.
        let fresh = self.cache().refresh().await?;
        let changed = fresh.committee.committee() != snapshot.committee.committee();
        if changed && let Ok(blob) = fetch(&fresh.committee).await {
            return Ok(blob);
        }
        if let Some(previous) = self.cache().previous(&fresh).await?
            && let Ok(blob) = fetch(&previous).await
        {
            return Ok(blob);
        }
        Err(self.explain(first, blob_id, fresh.network.epoch.epoch).await)
    }

    /// What the chain knows of why a blob cannot be read; the nodes' answer if it knows
    /// nothing or cannot be asked.
    async fn explain(&self, error: FetchError, blob_id: &BlobId, now: Epoch) -> ReadBlobError {
        let blob_id = *blob_id;
        match self.chain().is_invalid(&blob_id).await {
            Ok(true) => return ReadBlobError::Invalid { blob_id },
            Ok(false) => {}
            Err(_) => return error.into(),
        }
        // Nodes drop an ended blob one after the other: until all have, some metadata and
        // some slivers can still be had.
        let may_be_gone = matches!(
            error,
            FetchError::NotFound
                | FetchError::NoMetadata { .. }
                | FetchError::NotEnoughSlivers { .. }
        );
        if !may_be_gone {
            return error.into();
        }
        match self.latest_record(&blob_id).await {
            Some(record) if record.deleted => ReadBlobError::Deleted { blob_id },
            Some(record) if record.end_epoch <= now => {
                ReadBlobError::Expired { blob_id, end_epoch: record.end_epoch }
            }
            Some(record) if record.certified_epoch.is_none() => {
                ReadBlobError::NotCertified { blob_id, token: record.token_id }
            }
            _ => error.into(),
        }
    }

    /// The record of a blob id that lives longest among the chain's latest.
    async fn latest_record(&self, blob_id: &BlobId) -> Option<walrus_chain::BlobRecord> {
        let mut last = self.chain().network().await.ok()?.blob_count;
        for _ in 0..EXPIRED_SEARCH_CALLS {
            let first = last.saturating_sub(BLOBS_PER_CALL - 1).max(1);
            if last == 0 {
                return None;
            }
            let records = self.chain().blobs(TokenId(first), last - first + 1).await.ok()?;
            let ours = records.into_iter().filter(|record| record.blob_id == *blob_id);
            let found = ours.max_by_key(|record| (!record.deleted, record.end_epoch));
            if found.is_some() {
                return found;
            }
            last = first - 1;
        }
        None
    }

    /// What nodes and chain know of a blob id: the latest status that more than `f` of
    /// the shards vouch for, or that the chain confirms.
    ///
    /// # Errors
    /// See [`BlobStatusError`].
    pub async fn blob_status(
        &self,
        blob_id: &BlobId,
        limit: Duration,
    ) -> Result<StatusReport, BlobStatusError> {
        let snapshot = self.cache().get().await?;
        let answers = status::ask(&snapshot.committee, blob_id, limit).await?;
        for (status, weight) in answers.latest_first() {
            let confirmed_by_chain = self.chain_confirms(status, blob_id).await?;
            let vouched = snapshot.committee.committee().is_validity(weight);
            if vouched || confirmed_by_chain || *status == BlobStatus::Nonexistent {
                return Ok(StatusReport { status: status.clone(), weight, confirmed_by_chain });
            }
        }
        Err(BlobStatusError::NoValidStatus)
    }

    async fn chain_confirms(
        &self,
        status: &BlobStatus,
        blob_id: &BlobId,
    ) -> Result<bool, NetworkError> {
        match status {
            BlobStatus::Invalid { .. } => Ok(self.chain().is_invalid(blob_id).await?),
            // That it is certified, not until when: the end is the nodes' word.
            BlobStatus::Permanent { is_certified: true, .. } => {
                Ok(self.chain().is_available(blob_id).await?)
            }
            _ => Ok(false),
        }
    }

    /// What every node of the committee says about itself, in seat order.
    ///
    /// # Errors
    /// See [`NetworkError`].
    pub async fn health(&self, detailed: bool) -> Result<Vec<NodeHealth>, NetworkError> {
        let snapshot = self.cache().get().await?;
        Ok(status::health(&snapshot.committee, detailed).await)
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}
