//! Blobs as the gateway has them, and how it gets them: from its cache, or from the nodes,
//! once for all who ask at the same time.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared, WeakShared};
use tokio::sync::Semaphore;
use walrus_env::{BlockingFile, CancellationToken, Env};
use walrus_redstuff::{BlobId, ConsistencyCheck};
use walrus_sdk::{ByteRange, Client, Content, Progress, ProgressSink, ReadOptions, ReadRangeError};

use super::cache::{Cache, Cached};
use crate::config::Limits;
use crate::error::{Error, Reason};
use crate::metrics::Metrics;
use crate::spool::{Reservation, Spool};

/// Bytes of an answer that are in memory at a time.
pub(crate) const PIECE: u64 = 256 << 10;
/// Bytes of a blob that are asked of the nodes at a time, when not all of it is wanted.
const RANGE_PIECE: u64 = 1 << 20;
/// Lengths of blobs that are remembered.
const LENGTHS: usize = 4096;

/// A blob that is here.
#[derive(Clone)]
pub(crate) enum Blob {
    /// In memory.
    Memory { bytes: Bytes, _room: Arc<Reservation> },
    /// In a file without a name.
    File { file: Arc<dyn BlockingFile>, length: u64, _room: Arc<Reservation> },
    /// In the cache.
    Cached(Cached, BlobId),
}

impl Blob {
    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Memory { bytes, .. } => bytes.len() as u64,
            Self::File { length, .. } => *length,
            Self::Cached(cached, _) => cached.length,
        }
    }
}

type Fetching = BoxFuture<'static, Result<Blob, Error>>;
type Fetch = Shared<Fetching>;
type FetchKey = (BlobId, u8);

/// Where blobs come from.
pub(crate) struct Library {
    env: Env,
    client: Client,
    limits: Limits,
    spool: Arc<Spool>,
    /// Counts blobs in memory that are being sent.
    memory: Spool,
    pub(crate) cache: Arc<Cache>,
    metrics: Arc<Metrics>,
    fetching: Mutex<BTreeMap<FetchKey, WeakShared<Fetching>>>,
    fetches: Semaphore,
    parts: Semaphore,
    inserting: Arc<Semaphore>,
    lengths: Mutex<BTreeMap<BlobId, u64>>,
}

fn rank(check: ConsistencyCheck) -> u8 {
    match check {
        ConsistencyCheck::Skip => 0,
        ConsistencyCheck::Default => 1,
        ConsistencyCheck::Strict => 2,
    }
}

impl Library {
    pub(crate) fn new(
        env: &Env,
        client: &Client,
        limits: &Limits,
        spool: Arc<Spool>,
        cache: Cache,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        Arc::new(Self {
            env: env.clone(),
            client: client.clone(),
            limits: limits.clone(),
            spool,
            memory: Spool::new(env, Default::default(), limits.max_memory_bytes),
            cache: Arc::new(cache),
            metrics,
            fetching: Mutex::default(),
            fetches: Semaphore::new(limits.max_fetches),
            parts: Semaphore::new(limits.max_range_reads),
            inserting: Arc::new(Semaphore::new(1)),
            lengths: Mutex::default(),
        })
    }

    /// All of a blob, from the cache or from the nodes.
    pub(crate) async fn whole(
        self: &Arc<Self>,
        id: &BlobId,
        check: ConsistencyCheck,
    ) -> Result<Blob, Error> {
        if let Some(cached) = self.cache.get(id, check == ConsistencyCheck::Strict).await {
            self.metrics.count("cache_hits");
            return Ok(Blob::Cached(cached, *id));
        }
        self.metrics.count("cache_misses");
        let fetch = self.fetch(*id, check);
        let blob = fetch.await?;
        self.remember(*id, blob.length());
        Ok(blob)
    }

    /// The fetch of a blob that runs, or a new one. It ends when nobody waits any more.
    fn fetch(self: &Arc<Self>, id: BlobId, check: ConsistencyCheck) -> Fetch {
        let key = (id, rank(check));
        let mut fetching = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = fetching.get(&key).and_then(WeakShared::upgrade) {
            return running;
        }
        fetching.retain(|_, running| running.upgrade().is_some());
        let library = self.clone();
        let fetch = async move { library.fetch_now(id, check).await }.boxed().shared();
        if let Some(weak) = fetch.downgrade() {
            fetching.insert(key, weak);
        }
        fetch
    }

    async fn fetch_now(
        self: Arc<Self>,
        id: BlobId,
        check: ConsistencyCheck,
    ) -> Result<Blob, Error> {
        let _turn = self.fetches.acquire().await.map_err(Error::internal)?;
        let (room, no_room) = (Arc::new(Mutex::new(None)), CancellationToken::new());
        let (spool, kept, full) = (self.spool.clone(), room.clone(), no_room.clone());
        // The length is known before a byte of the blob is asked for.
        let progress = ProgressSink::new(move |step| {
            if let Progress::MetadataFetched { bytes } = step {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                *kept = None;
                match spool.reserve(bytes) {
                    Ok(reservation) => *kept = Some(reservation),
                    Err(_) => full.cancel(),
                }
            }
        });
        let options =
            ReadOptions { max_blob_bytes: self.limits.max_blob_bytes, consistency: check };
        let read = tokio::select! {
            biased;
            () = no_room.cancelled() => {
                return Err(Error::overloaded("too much is on its way through this gateway"));
            }
            read = self.client.read_aside(&id, &options, &progress) => read?,
        };
        let room = room.lock().unwrap_or_else(PoisonError::into_inner).take();
        let blob = match (read.content, room) {
            (Content::Memory(bytes), _) => self.in_memory(bytes)?,
            (Content::File(file), Some(room)) => {
                Blob::File { file, length: read.report.blob_bytes, _room: Arc::new(room) }
            }
            (Content::File(_), None) => return Err(Error::internal("a read without metadata")),
        };
        if check != ConsistencyCheck::Skip {
            self.keep(id, blob.clone(), check == ConsistencyCheck::Strict);
        }
        Ok(blob)
    }

    /// Puts a blob into the cache, unless that is busy: it is only a cache.
    fn keep(self: &Arc<Self>, id: BlobId, blob: Blob, strict: bool) {
        let Ok(turn) = self.inserting.clone().try_acquire_owned() else { return };
        let cache = self.cache.clone();
        self.env.spawn("cache", async move {
            let length = blob.length();
            let read = move |at: u64, buffer: &mut [u8]| match &blob {
                Blob::Memory { bytes, .. } => {
                    buffer.copy_from_slice(&bytes[at as usize..][..buffer.len()]);
                    Ok(())
                }
                Blob::File { file, .. } => file.read_at(at, buffer),
                Blob::Cached(..) => Err(io::ErrorKind::AlreadyExists.into()),
            };
            if let Err(error) = cache.insert(id, length, strict, read).await {
                tracing::warn!(%error, blob = %id, "a blob cannot be cached");
            }
            drop(turn);
        });
    }

    /// A blob in memory, if there is room for it until it was sent.
    pub(crate) fn in_memory(&self, bytes: Bytes) -> Result<Blob, Error> {
        let room = self.memory.reserve(bytes.len() as u64)?;
        Ok(Blob::Memory { bytes, _room: Arc::new(room) })
    }

    fn remember(&self, id: BlobId, length: u64) {
        let mut lengths = self.lengths.lock().unwrap_or_else(PoisonError::into_inner);
        if lengths.len() >= LENGTHS {
            // Which one does not matter: it costs one question to learn it again.
            lengths.pop_first();
        }
        lengths.insert(id, length);
    }

    /// How long a blob is that can be read, without fetching it.
    pub(crate) async fn length(&self, id: &BlobId) -> Result<u64, Error> {
        if let Some(length) = self.cache.length(id) {
            return Ok(length);
        }
        let known = self.lengths.lock().unwrap_or_else(PoisonError::into_inner).get(id).copied();
        if let Some(length) = known {
            return Ok(length);
        }
        let options = ReadOptions { max_blob_bytes: 1, ..ReadOptions::default() };
        let first = ByteRange::Closed { first: 0, last: 0 };
        let none = ProgressSink::none();
        let length = match self.client.read_range(id, first, &options, &none).await {
            Ok(read) => read.report.blob_bytes,
            Err(ReadRangeError::NotInBlob(error)) => error.length,
            // One byte cannot be had in parts: whoever needs it must take the whole.
            Err(ReadRangeError::OutOfReach { .. }) => {
                return Err(Error::new(
                    Reason::BlobUnavailable,
                    "too few nodes answered; try again",
                )
                .retry_after(Duration::from_secs(5)));
            }
            Err(error) => return Err(error.into()),
        };
        self.remember(*id, length);
        Ok(length)
    }

    /// A number for the boundary between parts of an answer.
    pub(crate) fn boundary(&self) -> u64 {
        self.env.random_u64("multipart boundary")
    }

    /// Whether to fetch all of a blob of which so many bytes are wanted.
    pub(crate) fn prefers_whole(&self, length: u64, wanted: u64) -> bool {
        wanted.saturating_mul(2) > length && length <= self.limits.whole_for_range_bytes
    }

    /// The next bytes of a blob that is here, at most a piece.
    pub(crate) async fn read(&self, blob: &Blob, range: Range<u64>) -> io::Result<Bytes> {
        let range = range.start..range.end.min(range.start + PIECE);
        match blob {
            Blob::Memory { bytes, .. } => Ok(bytes.slice(range.start as usize..range.end as usize)),
            Blob::File { file, .. } => {
                let file = file.clone();
                let read = move || {
                    let mut bytes = vec![0; (range.end - range.start) as usize];
                    file.read_at(range.start, &mut bytes)?;
                    Ok(Bytes::from(bytes))
                };
                self.env.compute(Duration::ZERO, read).await
            }
            Blob::Cached(cached, id) => {
                let cached = cached.clone();
                let read = self.env.compute(Duration::ZERO, move || cached.read(range)).await;
                if read.is_err() {
                    tracing::error!(blob = %id, "a cached blob is damaged");
                    self.cache.remove(id).await;
                }
                read
            }
        }
    }

    /// The next bytes of a blob that is not here, with proofs checked.
    pub(crate) async fn read_remote(
        &self,
        id: &BlobId,
        range: Range<u64>,
        check: ConsistencyCheck,
    ) -> Result<Bytes, Error> {
        let _turn = self.parts.acquire().await.map_err(Error::internal)?;
        let end = range.end.min(range.start + RANGE_PIECE);
        let range = ByteRange::exactly(range.start..end);
        let range = range.ok_or_else(|| Error::internal("an empty range was asked for"))?;
        let options = ReadOptions { max_blob_bytes: RANGE_PIECE, consistency: check };
        let read = self.client.read_range(id, range, &options, &ProgressSink::none()).await;
        match read {
            Ok(read) => Ok(read.bytes.into()),
            Err(error) => Err(error.into()),
        }
    }
}
