//! Encoding blobs of any size in bounded memory.

use std::fmt;
use std::io;
use std::sync::Arc;

use crate::any_sliver::AnySliver;
use crate::axis::{Axis, Primary, Secondary, SliverType};
use crate::encode::{EncodeFailure, Pipeline, RepairColumns};
use crate::engine::Fast;
use crate::index::SliverIndex;
use crate::layout::Layout;
use crate::metadata::VerifiedMetadata;
use crate::params::{DataTooLarge, EncodingParams};
use crate::sheet::Sheet;
use crate::sliver::{SharedBytes, Sliver};
use crate::storage::{Line, ReadAt, ReadWriteAt};
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

impl From<EncodeFailure> for EncodeStreamError {
    fn from(failure: EncodeFailure) -> Self {
        match failure {
            EncodeFailure::Source(error) => Self::Source(error),
            EncodeFailure::Spill(error) => Self::Spill(error),
        }
    }
}

/// Encodes blobs that need not fit into memory.
///
/// Memory: about 70 MiB per thread at the greatest blob of 1000 shards, some MiB for small ones.
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
        Ok(Spill::new(Layout::new(self.params, length)?).bytes)
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
        let layout = Layout::new(self.params, length)?;
        let rows = Spill::new(layout).repair_rows(layout, &*spill);
        let metadata = self.run(layout, &*source, &*spill, rows, progress)?;
        Ok(StreamedBlob { metadata, source, spill })
    }

    /// Computes the metadata, and with it the blob id, of the first `length` bytes of `source`. Puts
    /// aside half the blob.
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
        let layout = Layout::new(self.params, length)?;
        self.run(layout, &*source, &*spill, Sheet::Nothing, progress)
    }

    fn run(
        &self,
        layout: Layout,
        source: &dyn ReadAt,
        spill: &dyn ReadWriteAt,
        repair_rows: Sheet<'_>,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<VerifiedMetadata, EncodeStreamError> {
        let mut engine = Fast::new();
        let pipeline = Pipeline { layout, source, workers: &self.workers, progress };
        let (columns, column_bytes) = (layout.n() - layout.s(), layout.column_bytes());
        pipeline.extend_rows(&engine, Sheet::stored(spill, 0, columns, column_bytes))?;
        let columns = Line { bytes: spill, offset: 0 };
        let columns = RepairColumns { columns, in_memory: false };
        Ok(pipeline.extend_columns(&mut engine, columns, repair_rows)?)
    }
}

/// What is put aside: first the repair columns, then the repair rows.
struct Spill {
    rows_at: u64,
    bytes: u64,
}

impl Spill {
    fn new(layout: Layout) -> Self {
        let bytes = |lines: usize, line_bytes: usize| lines as u64 * line_bytes as u64;
        let rows_at = bytes(layout.n() - layout.s(), layout.column_bytes());
        Self { rows_at, bytes: rows_at + bytes(layout.n() - layout.p(), layout.row_bytes()) }
    }

    fn repair_rows<'a>(&self, layout: Layout, spill: &'a dyn ReadWriteAt) -> Sheet<'a> {
        Sheet::stored(spill, self.rows_at, layout.n() - layout.p(), layout.row_bytes())
    }
}

/// An encoded blob whose slivers are read where they lie.
#[derive(Clone)]
pub struct StreamedBlob {
    metadata: VerifiedMetadata,
    source: Arc<dyn ReadAt>,
    spill: Arc<dyn ReadWriteAt>,
}

impl StreamedBlob {
    /// The metadata.
    pub fn metadata(&self) -> &VerifiedMetadata {
        &self.metadata
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
        let layout = self.metadata.layout();
        if index.as_usize() >= layout.n() {
            return Ok(None);
        }
        Ok(Some(match sliver_type {
            SliverType::Primary => {
                AnySliver::Primary(self.checked::<Primary>(index, self.row(layout, index)?))
            }
            SliverType::Secondary => {
                AnySliver::Secondary(self.checked::<Secondary>(index, self.column(layout, index)?))
            }
        }))
    }

    fn checked<A: Axis>(&self, index: SliverIndex, data: Vec<u8>) -> Sliver<A> {
        Sliver::from_checked(index, self.metadata.symbol_size(), SharedBytes::from(data))
    }

    fn row(&self, layout: Layout, index: SliverIndex) -> io::Result<Vec<u8>> {
        let mut row = vec![0; layout.row_bytes()];
        if let Some(repair) = index.as_usize().checked_sub(layout.p()) {
            let offset = Spill::new(layout).rows_at + repair as u64 * row.len() as u64;
            self.spill.read_at(offset, &mut row)?;
        } else {
            let used = layout.used_bytes(index.as_usize());
            if used > 0 {
                let offset = index.as_usize() as u64 * row.len() as u64;
                self.source.read_at(offset, &mut row[..used])?;
            }
        }
        Ok(row)
    }

    fn column(&self, layout: Layout, index: SliverIndex) -> io::Result<Vec<u8>> {
        let mut column = vec![0; layout.column_bytes()];
        if let Some(repair) = index.as_usize().checked_sub(layout.s()) {
            let offset = repair as u64 * column.len() as u64;
            let used = layout.used_rows() * layout.z();
            if used > 0 {
                self.spill.read_at(offset, &mut column[..used])?;
            }
        } else {
            let z = layout.z();
            for (row, symbol) in column.chunks_exact_mut(z).enumerate() {
                let at = index.as_usize() * z;
                let used = layout.used_bytes(row).saturating_sub(at).min(z);
                if used > 0 {
                    let offset = row as u64 * layout.row_bytes() as u64 + at as u64;
                    self.source.read_at(offset, &mut symbol[..used])?;
                }
            }
        }
        Ok(column)
    }
}

impl fmt::Debug for StreamedBlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamedBlob").field("metadata", &self.metadata).finish_non_exhaustive()
    }
}
