//! Encoding blobs with the threads, the memory and the disk that one is given.
//!
//! What fits into the memory budget is encoded there. Of anything larger only a window is
//! in memory; repair slivers lie in a temporary file without a name, source slivers where
//! they came from, and each is read when it is sent.

use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use walrus_env::{BlockingFile, Env, RoomError};
use walrus_redstuff::{
    AnySliver, DataTooLarge, EncodeStreamError, EncodedBlob, Encoder, EncodingParams, ReadWriteAt,
    SliverIndex, SliverType, StreamEncoder, StreamedBlob, VerifiedMetadata, Workers,
};

use crate::files::{FileBytes, Stop};
use crate::progress::{Progress, ProgressSink};
use crate::source::{OpenSource, Source, SourceError};

/// What encoding and decoding may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodingConfig {
    /// A blob that can be encoded, or decoded, in so many bytes stays in memory. Larger
    /// ones are streamed.
    pub max_memory: u64,
    /// Where streaming puts aside what does not fit: about 2.5 times a blob that is stored,
    /// at most once a blob that is read. It must exist. Without it, `tmp` in the state
    /// directory, or the system's directory for temporary files.
    pub spill_directory: Option<PathBuf>,
    /// Threads that work on blobs; as many as there are processors when absent.
    pub threads: Option<NonZeroUsize>,
}

impl Default for CodingConfig {
    fn default() -> Self {
        Self { max_memory: 256 << 20, spill_directory: None, threads: None }
    }
}

/// Why a blob was not encoded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The blob exceeds what the encoding can hold.
    #[error(transparent)]
    TooLarge(#[from] DataTooLarge),
    /// The blob could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// There is no room, or no way, to put aside what does not fit into memory.
    #[error("the blob is too large for memory, and no temporary file can be made: {0}")]
    NoSpill(#[from] RoomError),
    /// The temporary file could not be written or read back.
    #[error("the temporary file in {} failed: {source}", directory.display())]
    Spill {
        /// Where it is.
        directory: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Encodes blobs. Cheap to clone; clones share threads.
#[derive(Clone, Debug)]
pub struct Coder(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    env: Env,
    config: CodingConfig,
    spill_directory: PathBuf,
    workers: OnceLock<Workers>,
}

impl Coder {
    /// Starts no threads before they are needed.
    pub fn new(env: &Env, config: CodingConfig) -> Self {
        Self::with_default(env, config, None)
    }

    /// As [`Self::new`], with a directory for what is put aside that is made when it is
    /// missing, unless the configuration names another.
    pub(crate) fn with_default(
        env: &Env,
        config: CodingConfig,
        directory: Option<PathBuf>,
    ) -> Self {
        let chosen = config.spill_directory.clone().or(directory);
        let spill_directory = chosen.unwrap_or_else(std::env::temp_dir);
        let workers = OnceLock::new();
        Self(Arc::new(Shared { env: env.clone(), config, spill_directory, workers }))
    }

    /// The threads.
    pub(crate) fn workers(&self) -> Workers {
        let start = || {
            let threads = self.0.env.cpu.threads(self.0.config.threads);
            Workers::start(threads).unwrap_or_else(|error| {
                // Results are the same without them, only later.
                tracing::warn!(%error, "working without threads");
                Workers::none()
            })
        };
        self.0.workers.get_or_init(start).clone()
    }

    /// Whether so many bytes may be spent on one blob.
    pub(crate) fn fits_memory(&self, bytes: u64) -> bool {
        bytes <= self.0.config.max_memory
    }

    /// Where to put aside what does not fit into memory. It is made now if nobody chose it.
    ///
    /// # Errors
    /// If it cannot be made.
    pub async fn spill_directory(&self) -> Result<PathBuf, RoomError> {
        let directory = self.0.spill_directory.clone();
        if self.0.config.spill_directory.is_none() {
            let made = self.0.env.disk.create_dir_all(&directory).await;
            made.map_err(|source| RoomError::Unusable { place: directory.clone(), source })?;
        }
        Ok(directory)
    }

    /// Encodes a blob.
    ///
    /// # Errors
    /// See [`EncodeError`]; nothing is left behind.
    pub async fn encode(
        &self,
        params: EncodingParams,
        source: impl Into<Source> + Send,
        progress: &ProgressSink,
    ) -> Result<Encoded, EncodeError> {
        let source = self.open(source.into(), params, progress).await?;
        let memory = params.encoded_slivers_length(source.length())? + source.length();
        if self.fits_memory(memory) {
            let encoder = Encoder::new(params).with_workers(self.workers());
            let work = move || {
                let blob = encoder.encode(&source.read()?)?;
                Ok(Encoded(Kind::Memory(blob)))
            };
            return self.0.env.compute(cost(memory), work).await;
        }
        let encoder = StreamEncoder::new(params, self.workers());
        let bytes = encoder.spill_bytes(source.length())?;
        self.stream(source, bytes, progress, move |source, length, spill, progress| {
            encoder.encode(source, length, spill, progress)
        })
        .await
        .map(|(blob, source, directory)| {
            let streamed = Streamed { blob, source, directory, env: self.0.env.clone() };
            Encoded(Kind::Streamed(Box::new(streamed)))
        })
    }

    /// Computes a blob's metadata, and with it its id, only.
    ///
    /// # Errors
    /// See [`EncodeError`]; nothing is left behind.
    pub async fn metadata(
        &self,
        params: EncodingParams,
        source: impl Into<Source> + Send,
        progress: &ProgressSink,
    ) -> Result<VerifiedMetadata, EncodeError> {
        let source = self.open(source.into(), params, progress).await?;
        if self.fits_memory(params.encoded_slivers_length(source.length())? + source.length()) {
            let length = source.length();
            let encoder = Encoder::new(params).with_workers(self.workers());
            let work = move || Ok(encoder.compute_metadata(&source.read()?)?);
            return self.0.env.compute(cost(length), work).await;
        }
        let encoder = StreamEncoder::new(params, self.workers());
        // "A fifth of what encoding does", and a little more to be sure.
        let bytes = encoder.spill_bytes(source.length())? / 4;
        self.stream(source, bytes, progress, move |source, length, spill, progress| {
            encoder.compute_metadata(source, length, spill, progress)
        })
        .await
        .map(|(metadata, ..)| metadata)
    }

    async fn open(
        &self,
        source: Source,
        params: EncodingParams,
        progress: &ProgressSink,
    ) -> Result<OpenSource, EncodeError> {
        let env = self.0.env.clone();
        let open = move || source.open(&env);
        let source = self.0.env.compute(Duration::ZERO, open).await?;
        let bytes = source.length();
        // Before anything is computed or reserved.
        params.encoded_slivers_length(bytes)?;
        progress.report(Progress::Encoding { bytes });
        Ok(source)
    }

    /// Runs `encode` on a source and a temporary file of so many bytes. If the future is
    /// dropped, the computation ends soon after.
    async fn stream<T: Send + 'static>(
        &self,
        source: OpenSource,
        bytes: u64,
        progress: &ProgressSink,
        encode: impl FnOnce(
            Arc<dyn walrus_redstuff::ReadAt>,
            u64,
            Arc<dyn ReadWriteAt>,
            &(dyn Fn(u64) + Sync),
        ) -> Result<T, EncodeStreamError>
        + Send
        + 'static,
    ) -> Result<(T, OpenSource, PathBuf), EncodeError> {
        let directory = self.spill_directory().await?;
        let (env, progress) = (self.0.env.clone(), progress.clone());
        let stop = Stop::default();
        let stop_on_drop = stop.on_drop();
        let total = source.length();
        let work = move || {
            let file: Arc<dyn BlockingFile> = env.disk.temporary(&directory, bytes)?.into();
            let spill: Arc<dyn ReadWriteAt> = Arc::new(FileBytes::new(file, stop.clone()));
            let watch = |done| progress.report(Progress::EncodingBytes { done, total });
            let encoded = encode(source.reader(&stop), total, spill, &watch);
            let encoded = encoded.map_err(|error| match error {
                EncodeStreamError::TooLarge(error) => EncodeError::TooLarge(error),
                EncodeStreamError::Source(error) => source.explain(error).into(),
                EncodeStreamError::Spill(error) => {
                    EncodeError::Spill { directory: directory.clone(), source: error }
                }
            })?;
            // It may have been read at different times: what changed in between would give
            // slivers that do not belong together.
            source.check()?;
            Ok((encoded, source, directory))
        };
        let result = self.0.env.compute(cost(total), work).await;
        stop_on_drop.disarm();
        result
    }
}

/// About a hundred megabytes a second; read by simulations only.
fn cost(bytes: u64) -> Duration {
    Duration::from_nanos(10 * bytes) + Duration::from_millis(10)
}

/// An encoded blob, in memory or on disk.
#[derive(Debug)]
pub struct Encoded(Kind);

#[derive(Debug)]
enum Kind {
    Memory(EncodedBlob),
    Streamed(Box<Streamed>),
}

#[derive(Debug, Clone)]
struct Streamed {
    blob: StreamedBlob,
    source: OpenSource,
    directory: PathBuf,
    env: Env,
}

impl From<EncodedBlob> for Encoded {
    fn from(blob: EncodedBlob) -> Self {
        Self(Kind::Memory(blob))
    }
}

impl Encoded {
    /// The metadata.
    pub fn metadata(&self) -> &VerifiedMetadata {
        match &self.0 {
            Kind::Memory(blob) => blob.metadata(),
            Kind::Streamed(streamed) => streamed.blob.metadata(),
        }
    }

    /// A sliver; nothing if there is none of this index. Blocks.
    ///
    /// # Errors
    /// If the blob's source changed, or it or the temporary file cannot be read.
    pub fn sliver(
        &self,
        sliver_type: SliverType,
        index: SliverIndex,
    ) -> Result<Option<AnySliver>, EncodeError> {
        match &self.0 {
            Kind::Memory(blob) => {
                Ok(blob.any_sliver(sliver_type, index).map(|sliver| sliver.into_sliver()))
            }
            Kind::Streamed(streamed) => streamed.sliver(sliver_type, index),
        }
    }

    /// A serialised sliver, read where that holds up nobody.
    pub(crate) async fn body(
        &self,
        sliver_type: SliverType,
        index: SliverIndex,
    ) -> Result<Bytes, EncodeError> {
        let serialise = |sliver: Option<AnySliver>| {
            Bytes::from(sliver.expect("the pair is one of the blob's").to_bcs())
        };
        match &self.0 {
            Kind::Memory(_) => self.sliver(sliver_type, index).map(serialise),
            Kind::Streamed(streamed) => {
                let copy = streamed.clone();
                let read = move || copy.sliver(sliver_type, index).map(serialise);
                streamed.env.compute(Duration::ZERO, read).await
            }
        }
    }
}

impl Streamed {
    fn sliver(
        &self,
        sliver_type: SliverType,
        index: SliverIndex,
    ) -> Result<Option<AnySliver>, EncodeError> {
        let sliver = self.blob.sliver(sliver_type, index);
        // What changed is refused by nodes: the reason would be hard to see there.
        self.source.check()?;
        let directory = self.directory.clone();
        sliver.map_err(|source| EncodeError::Spill { directory, source })
    }
}

#[cfg(test)]
mod tests;
