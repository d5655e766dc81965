//! From a blob to its slivers and metadata (docs/protocol/encoding.md sections 2 and 3).
//!
//! Rows first: every row of the blob's matrix is extended to `n` columns ([`rows`]). Then all columns
//! are extended to `n` rows and hashed, a few at a time ([`columns`]). Both halves are tasks that
//! share nothing, for as many threads as there are. [`pipeline`] is the whole, whether the blob and
//! its slivers are in memory ([`Encoder`]) or stored ([`StreamEncoder`](crate::StreamEncoder)).

mod columns;
mod pipeline;
pub(crate) mod rows;

use std::io;
use std::sync::Arc;

use crate::any_sliver::AnyVerifiedSliver;
use crate::axis::{Axis, Primary, Secondary, SliverType};
use crate::buffer::Buffer;
use crate::engine::{Engine, Fast};
use crate::index::{SliverIndex, SliverPairIndex};
use crate::layout::Layout;
use crate::metadata::VerifiedMetadata;
use crate::params::{DataTooLarge, EncodingParams};
use crate::sheet::Sheet;
use crate::sliver::{SharedBytes, Sliver, SliverPair, VerifiedSliver};
use crate::storage::Line;
use crate::workers::Workers;
pub(crate) use pipeline::{Pipeline, RepairColumns};

/// What storage failed.
#[derive(Debug)]
pub(crate) enum EncodeFailure {
    Source(io::Error),
    Spill(io::Error),
}

fn spill_error(error: io::Error) -> EncodeFailure {
    EncodeFailure::Spill(error)
}

/// Encodes blobs that fit into memory.
///
/// Memory beside the blob: 3.5 times its length for the slivers, or half its length for the metadata
/// alone, and some MiB.
#[derive(Debug, Clone)]
pub struct Encoder {
    params: EncodingParams,
    workers: Workers,
}

impl Encoder {
    /// An encoder for codes of the given shape, which works on the caller's thread.
    pub fn new(params: EncodingParams) -> Self {
        Self { params, workers: Workers::none() }
    }

    /// The same on threads of its own.
    #[must_use]
    pub fn with_workers(self, workers: Workers) -> Self {
        Self { workers, ..self }
    }

    /// The shape of the code.
    pub fn params(&self) -> EncodingParams {
        self.params
    }

    /// Encodes a blob: all slivers, and the metadata that names it.
    ///
    /// # Errors
    /// [`DataTooLarge`] above [`EncodingParams::max_blob_size`].
    pub fn encode(&self, data: &[u8]) -> Result<EncodedBlob, DataTooLarge> {
        self.encode_with(&mut Fast::new(), data)
    }

    /// As [`Self::encode`], by a chosen engine, whose tables serve the next blob again.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn encode_with<E: Engine>(
        &self,
        engine: &mut E,
        data: &[u8],
    ) -> Result<EncodedBlob, DataTooLarge> {
        let layout = Layout::new(self.params, data.len() as u64)?;
        let mut rows = Buffer::zeroed(layout.n() * layout.row_bytes());
        rows[..data.len()].copy_from_slice(data);
        let mut columns = Buffer::zeroed((layout.n() - layout.s()) * layout.column_bytes());
        let pipeline = self.pipeline(layout, &data);
        let found = pipeline.extend_rows(engine, Sheet::Memory(&mut columns)).and_then(|()| {
            let columns: &[u8] = &columns;
            let columns = RepairColumns { columns: Line::of(&columns), in_memory: true };
            let repair_rows = Sheet::Memory(&mut rows[layout.p() * layout.row_bytes()..]);
            pipeline.extend_columns(engine, columns, repair_rows)
        });
        let metadata = found.expect("memory can be read and written");
        Ok(EncodedBlob { metadata, rows: Arc::new(rows), repair_columns: Arc::new(columns) })
    }

    /// Computes the metadata and with it the blob id, without keeping the slivers.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn compute_metadata(&self, data: &[u8]) -> Result<VerifiedMetadata, DataTooLarge> {
        self.compute_metadata_with(&mut Fast::new(), data)
    }

    /// As [`Self::compute_metadata`], by a chosen engine.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn compute_metadata_with<E: Engine>(
        &self,
        engine: &mut E,
        data: &[u8],
    ) -> Result<VerifiedMetadata, DataTooLarge> {
        let layout = Layout::new(self.params, data.len() as u64)?;
        let mut repair_columns = Buffer::zeroed((layout.n() - layout.s()) * layout.column_bytes());
        let pipeline = self.pipeline(layout, &data);
        let found =
            pipeline.extend_rows(engine, Sheet::Memory(&mut repair_columns)).and_then(|()| {
                let repair_columns: &[u8] = &repair_columns;
                let keep = RepairColumns { columns: Line::of(&repair_columns), in_memory: true };
                pipeline.extend_columns(engine, keep, Sheet::Nothing)
            });
        Ok(found.expect("memory can be read and written"))
    }

    fn pipeline<'a>(&'a self, layout: Layout, data: &'a &'a [u8]) -> Pipeline<'a> {
        Pipeline { layout, source: data, workers: &self.workers, progress: &|_| () }
    }
}

/// All slivers of a blob, and its metadata. Slivers taken out share its memory, but for the secondary
/// ones that are pieces of the blob: these are put together when they are asked for.
#[derive(Debug, Clone)]
pub struct EncodedBlob {
    metadata: VerifiedMetadata,
    rows: Arc<Buffer>,
    repair_columns: Arc<Buffer>,
}

impl EncodedBlob {
    /// The metadata.
    pub fn metadata(&self) -> &VerifiedMetadata {
        &self.metadata
    }

    /// A sliver, if there is one of this index.
    pub fn sliver<A: Axis>(&self, index: SliverIndex) -> Option<VerifiedSliver<A>> {
        let layout = self.metadata.layout();
        if index.as_usize() >= layout.n() {
            return None;
        }
        let (row_bytes, column_bytes) = (layout.row_bytes(), layout.column_bytes());
        let shared = |buffer: &Arc<Buffer>, start: usize, bytes: usize| {
            SharedBytes::new(Arc::clone(buffer), start..start + bytes)
        };
        let data = match A::TYPE {
            SliverType::Primary => shared(&self.rows, index.as_usize() * row_bytes, row_bytes),
            SliverType::Secondary => match index.as_usize().checked_sub(layout.s()) {
                Some(repair) => shared(&self.repair_columns, repair * column_bytes, column_bytes),
                None => self.source_column(layout, index).into(),
            },
        };
        let sliver = Sliver::from_checked(index, layout.symbol_size, data);
        Some(VerifiedSliver::new_verified(sliver, *self.metadata.blob_id()))
    }

    /// The symbols of a column of the blob.
    fn source_column(&self, layout: Layout, index: SliverIndex) -> Vec<u8> {
        let z = layout.z();
        let rows = self.rows.chunks_exact(layout.row_bytes()).take(layout.p());
        let mut column = Vec::with_capacity(layout.column_bytes());
        rows.for_each(|row| column.extend_from_slice(&row[index.as_usize() * z..][..z]));
        column
    }

    /// A sliver of a type known at run time, if there is one of this index.
    pub fn any_sliver(
        &self,
        sliver_type: SliverType,
        index: SliverIndex,
    ) -> Option<AnyVerifiedSliver> {
        Some(match sliver_type {
            SliverType::Primary => self.sliver::<Primary>(index)?.into(),
            SliverType::Secondary => self.sliver::<Secondary>(index)?.into(),
        })
    }

    /// The two slivers of a pair, if there is such a pair.
    pub fn pair(&self, pair: SliverPairIndex) -> Option<SliverPair> {
        let n_shards = self.metadata.params().n_shards();
        Some(SliverPair {
            primary: self.sliver(pair.to_sliver_index(SliverType::Primary, n_shards))?,
            secondary: self.sliver(pair.to_sliver_index(SliverType::Secondary, n_shards))?,
        })
    }

    /// All pairs in the order of their indices.
    pub fn pairs(&self) -> impl Iterator<Item = (SliverPairIndex, SliverPair)> + '_ {
        let indices = (0..self.metadata.params().n_shards()).map(SliverPairIndex);
        indices.filter_map(|index| Some((index, self.pair(index)?)))
    }
}
