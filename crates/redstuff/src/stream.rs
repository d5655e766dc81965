//! Blobs of any size in bounded memory.

use std::io;
use std::sync::Arc;

use crate::any_sliver::AnySliver;
use crate::axis::{Axis, SliverType};
use crate::decode::{ConsistencyCheck, DecodeError, decode};
use crate::encode::{EncodedBlob, Encoder};
use crate::index::SliverIndex;
use crate::metadata::VerifiedMetadata;
use crate::params::{DataTooLarge, EncodingParams};
use crate::sliver::VerifiedSliver;
use crate::storage::{ReadAt, ReadWriteAt};
use crate::workers::Workers;

/// Why a streamed blob was not encoded.
#[derive(Debug, thiserror::Error)]
pub enum EncodeStreamError {
    /// The blob exceeds what the code can hold.
    #[error(transparent)]
    TooLarge(#[from] DataTooLarge),
    /// The blob could not be read; perhaps it is shorter than said.
    #[error("the blob cannot be read")]
    Source(#[source] io::Error),
    /// What must be put aside could not be written or read back.
    #[error("the temporary file cannot be used")]
    Spill(#[source] io::Error),
}

/// Encodes blobs that need not fit into memory.
///
/// Memory: about 64 MiB per thread at the greatest blob of 1000 shards, some MiB for small ones.
/// Put aside: [`Self::spill_bytes`], about 2.5 times the blob.
#[derive(Debug, Clone)]
pub struct StreamEncoder {
    params: EncodingParams,
    workers: Workers,
}

impl StreamEncoder {
    /// An encoder for codes of the given shape.
    pub fn new(params: EncodingParams, workers: Workers) -> Self {
        Self { params, workers }
    }

    /// How many bytes [`Self::encode`] puts aside for a blob of `length` bytes.
    ///
    /// # Errors
    /// [`DataTooLarge`] above [`EncodingParams::max_blob_size`].
    pub fn spill_bytes(&self, length: u64) -> Result<u64, DataTooLarge> {
        let z = self.params.symbol_size(length)?.bytes() as u64;
        let n = u64::from(self.params.n_shards());
        let p = u64::from(self.params.primary_source_symbols());
        let s = u64::from(self.params.secondary_source_symbols());
        Ok((p * (n - s) + s * (n - p)) * z)
    }

    /// Encodes the first `length` bytes of `source`. Repair slivers are put aside in `spill`, from
    /// offset 0 on. `progress` is told how many of `length` bytes are done, from any thread.
    ///
    /// # Errors
    /// [`EncodeStreamError`]; what is in `spill` is then of no use.
    pub fn encode(
        &self,
        source: Arc<dyn ReadAt>,
        length: u64,
        spill: Arc<dyn ReadWriteAt>,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<StreamedBlob, EncodeStreamError> {
        let _ = (&self.workers, &spill);
        self.params.symbol_size(length)?;
        let mut data = vec![0; length as usize];
        source.read_at(0, &mut data).map_err(EncodeStreamError::Source)?;
        progress(length);
        Ok(StreamedBlob { blob: Encoder::new(self.params).encode(&data)? })
    }

    /// Computes the metadata, and with it the blob id, of the first `length` bytes of `source`. Puts
    /// aside a fifth of what [`Self::encode`] does.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn compute_metadata(
        &self,
        source: Arc<dyn ReadAt>,
        length: u64,
        spill: Arc<dyn ReadWriteAt>,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<VerifiedMetadata, EncodeStreamError> {
        Ok(self.encode(source, length, spill, progress)?.metadata().clone())
    }
}

/// An encoded blob whose slivers are read where they lie.
#[derive(Debug, Clone)]
pub struct StreamedBlob {
    blob: EncodedBlob,
}

impl StreamedBlob {
    /// The metadata.
    pub fn metadata(&self) -> &VerifiedMetadata {
        self.blob.metadata()
    }

    /// Reads a sliver; nothing if there is none of this index.
    ///
    /// It is not verified: whoever changed the blob's source after it was encoded changed the sliver,
    /// and nodes refuse it.
    ///
    /// # Errors
    /// If the source or what was put aside cannot be read.
    pub fn sliver(
        &self,
        sliver_type: SliverType,
        index: SliverIndex,
    ) -> io::Result<Option<AnySliver>> {
        Ok(self.blob.any_sliver(sliver_type, index).map(|sliver| sliver.into_sliver()))
    }
}

/// Why a streamed blob was not decoded.
#[derive(Debug, thiserror::Error)]
pub enum DecodeStreamError {
    /// The slivers do not give a blob.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The blob could not be written or read back.
    #[error("the blob cannot be written")]
    Output(#[source] io::Error),
    /// What must be put aside could not be written or read back.
    #[error("the temporary file cannot be used")]
    Spill(#[source] io::Error),
}

/// Decodes a blob that need not fit into memory, from slivers of one type as they arrive.
///
/// Systematic primary slivers go to their place in the output at once; what else arrives is put aside
/// until enough slivers are there. Until [`Self::finish`] succeeded, the output is no blob.
pub struct StreamDecoder<A: Axis> {
    metadata: VerifiedMetadata,
    check: ConsistencyCheck,
    workers: Workers,
    output: Arc<dyn ReadWriteAt>,
    spill: Arc<dyn ReadWriteAt>,
    slivers: Vec<VerifiedSliver<A>>,
}

impl<A: Axis> StreamDecoder<A> {
    /// A decoder that writes to `output`, from offset 0 on, and puts aside in `spill`.
    pub fn new(
        metadata: VerifiedMetadata,
        check: ConsistencyCheck,
        workers: Workers,
        output: Arc<dyn ReadWriteAt>,
        spill: Arc<dyn ReadWriteAt>,
    ) -> Self {
        Self { metadata, check, workers, output, spill, slivers: Vec::new() }
    }

    /// The most bytes that are put aside: the blob's own length, rounded up, but nothing while only
    /// systematic primary slivers arrive.
    pub fn spill_bytes(metadata: &VerifiedMetadata) -> u64 {
        let params = metadata.params();
        let symbols = u64::from(params.primary_source_symbols())
            * u64::from(params.secondary_source_symbols());
        symbols * metadata.symbol_size().bytes() as u64
    }

    /// How many more distinct slivers are needed.
    pub fn missing(&self) -> usize {
        let needed = usize::from(self.metadata.params().source_symbols(A::TYPE));
        needed.saturating_sub(self.slivers.len())
    }

    /// Takes in one sliver; one of another blob, a repeated one, or one too many is ignored.
    ///
    /// # Errors
    /// [`DecodeStreamError`]: the blob is invalid, or storage failed.
    pub fn add(&mut self, sliver: VerifiedSliver<A>) -> Result<(), DecodeStreamError> {
        self.slivers.push(sliver);
        Ok(())
    }

    /// Computes what is missing and checks it, as far as asked for.
    ///
    /// # Errors
    /// [`DecodeStreamError`]; the output is then of no use.
    pub fn finish(self) -> Result<(), DecodeStreamError> {
        let _ = (&self.workers, &self.spill);
        let blob = decode(&self.metadata, self.slivers, self.check)?;
        self.output.write_at(0, &blob).map_err(DecodeStreamError::Output)
    }
}

impl<A: Axis> std::fmt::Debug for StreamDecoder<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamDecoder").field("missing", &self.missing()).finish_non_exhaustive()
    }
}
