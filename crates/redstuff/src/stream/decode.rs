//! Decoding blobs of any size in bounded memory.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::sync::Arc;

use super::encode::{EncodeStreamError, StreamEncoder};
use crate::axis::{Axis, SliverType};
use crate::decode::{
    ConsistencyCheck, DecodeError, DecodeFailure, Inconsistency, Restoration, same_blob,
};
use crate::engine::{Fast, missing_sources};
use crate::metadata::VerifiedMetadata;
use crate::sheet::Sheet;
use crate::sliver::VerifiedSliver;
use crate::storage::{Line, ReadAt, ReadWriteAt};
use crate::workers::Workers;

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

impl From<DecodeFailure> for DecodeStreamError {
    fn from(failure: DecodeFailure) -> Self {
        match failure {
            DecodeFailure::Inconsistent(inconsistency) => Self::Decode(inconsistency.into()),
            DecodeFailure::Output(error) => Self::Output(error),
            DecodeFailure::Spill(error) => Self::Spill(error),
        }
    }
}

/// Where a sliver was put.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// To its place in the output, which it is a piece of.
    Output,
    /// To a place of its own in the spill.
    Spill(u64),
}

/// Decodes a blob that need not fit into memory, from slivers of one type as they arrive.
///
/// Systematic primary slivers go to their place in the output at once; what else arrives is put aside
/// until enough slivers are there. Until [`Self::finish`] succeeded, the output is no blob.
///
/// Memory: that of [`StreamEncoder`].
pub struct StreamDecoder<A: Axis> {
    metadata: VerifiedMetadata,
    check: ConsistencyCheck,
    workers: Workers,
    output: Arc<dyn ReadWriteAt>,
    spill: Arc<dyn ReadWriteAt>,
    /// By the index of the sliver.
    places: BTreeMap<u16, Place>,
    spilled: u64,
    axis: PhantomData<A>,
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
        let (places, spilled, axis) = (BTreeMap::new(), 0, PhantomData);
        Self { metadata, check, workers, output, spill, places, spilled, axis }
    }

    /// The most bytes that are put aside: the blob's own length, rounded up. Nothing is while only
    /// systematic primary slivers arrive, unless the check is strict, which takes half the blob.
    pub fn spill_bytes(metadata: &VerifiedMetadata) -> u64 {
        let layout = metadata.layout();
        layout.p() as u64 * layout.row_bytes() as u64
    }

    /// How many more distinct slivers are needed.
    pub fn missing(&self) -> usize {
        let needed = usize::from(self.metadata.params().source_symbols(A::TYPE));
        needed.saturating_sub(self.places.len())
    }

    /// Takes in one sliver; one of another blob, a repeated one, or one too many is ignored.
    ///
    /// # Errors
    /// [`DecodeStreamError`]: the blob is invalid, or storage failed.
    pub fn add(&mut self, sliver: VerifiedSliver<A>) -> Result<(), DecodeStreamError> {
        let index = sliver.index();
        if self.missing() == 0
            || sliver.blob_id() != self.metadata.blob_id()
            || self.places.contains_key(&index.get())
        {
            return Ok(());
        }
        let layout = self.metadata.layout();
        let data = sliver.data();
        let piece = A::TYPE == SliverType::Primary && index.as_usize() < layout.p();
        let used = if piece { layout.used_bytes(index.as_usize()) } else { 0 };
        if used > 0 {
            let offset = index.as_usize() as u64 * data.len() as u64;
            let written = self.output.write_at(offset, &data[..used]);
            written.map_err(DecodeStreamError::Output)?;
        }
        if piece
            && self.check != ConsistencyCheck::Skip
            && data[used..].iter().any(|byte| *byte != 0)
        {
            return Err(DecodeError::from(Inconsistency::Padding).into());
        }
        let place = if used == data.len() {
            Place::Output
        } else {
            let offset = self.spilled;
            self.spill.write_at(offset, data).map_err(DecodeStreamError::Spill)?;
            self.spilled += data.len() as u64;
            Place::Spill(offset)
        };
        self.places.insert(index.get(), place);
        Ok(())
    }

    /// Computes what is missing and checks it, as far as asked for.
    ///
    /// # Errors
    /// [`DecodeStreamError`]; the output is then of no use.
    pub fn finish(self) -> Result<(), DecodeStreamError> {
        if self.missing() > 0 {
            let needed = usize::from(self.metadata.params().source_symbols(A::TYPE));
            let got = self.places.len();
            return Err(DecodeError::TooFewSlivers { sliver_type: A::TYPE, needed, got }.into());
        }
        let layout = self.metadata.layout();
        let (metadata, workers) = (&self.metadata, &self.workers);
        let restoration = Restoration { metadata, layout, workers, in_memory: false };
        let positions: Vec<u16> = self.places.keys().copied().collect();
        let known: Vec<Line<'_>> =
            self.places.iter().map(|(index, place)| self.line(*index, *place)).collect();
        let mut engine = Fast::new();
        let row_bytes = layout.row_bytes();
        match A::TYPE {
            SliverType::Primary => {
                let missing = missing_sources(layout.column_code(), &positions);
                let offset_of = |row: &u16| u64::from(*row) * row_bytes as u64;
                let offsets = missing.iter().map(offset_of).collect();
                let out = Sheet::Storage { storage: &*self.output, offsets, end: layout.length };
                let found = restoration.restore_from_rows(&engine, &positions, &known, out)?;
                found.verdict(self.check)?;
                if self.check == ConsistencyCheck::Default {
                    let output: &dyn ReadAt = &*self.output;
                    restoration.check_rows(&mut engine, output, &missing)?;
                }
            }
            SliverType::Secondary => {
                let hashed = self.check == ConsistencyCheck::Default;
                let out =
                    Sheet::Storage { storage: &*self.output, offsets: vec![0], end: layout.length };
                restoration
                    .restore_from_columns(&engine, &positions, &known, out, hashed)?
                    .verdict(self.check)?;
            }
        }
        if self.check == ConsistencyCheck::Strict { self.check_blob_id() } else { Ok(()) }
    }

    fn line(&self, index: u16, place: Place) -> Line<'_> {
        let row_bytes = self.metadata.layout().row_bytes() as u64;
        match place {
            Place::Output => Line { bytes: &*self.output, offset: u64::from(index) * row_bytes },
            Place::Spill(offset) => Line { bytes: &*self.spill, offset },
        }
    }

    /// Encodes the output again. The spill is free for it by now.
    fn check_blob_id(&self) -> Result<(), DecodeStreamError> {
        let encoder = StreamEncoder::new(self.metadata.params(), self.workers.clone());
        let output: Arc<dyn ReadAt> = Arc::clone(&self.output) as Arc<dyn ReadAt>;
        let (length, spill) = (self.metadata.unencoded_length(), Arc::clone(&self.spill));
        match encoder.compute_metadata(output, length, spill, &|_| ()) {
            Ok(recomputed) => {
                Ok(same_blob(&self.metadata, &recomputed).map_err(DecodeError::from)?)
            }
            Err(EncodeStreamError::Source(error)) => Err(DecodeStreamError::Output(error)),
            Err(EncodeStreamError::Spill(error)) => Err(DecodeStreamError::Spill(error)),
            Err(EncodeStreamError::TooLarge(_)) => {
                unreachable!("the length of verified metadata is within the limit")
            }
        }
    }
}

impl<A: Axis> fmt::Debug for StreamDecoder<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamDecoder").field("missing", &self.missing()).finish_non_exhaustive()
    }
}
