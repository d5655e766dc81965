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
/// Memory beside the blob: 4.5 times its length for the slivers, or half its length for the metadata
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
        let (p, s) = (layout.p() * layout.row_bytes(), layout.s() * layout.column_bytes());
        let mut primary = Vec::with_capacity(layout.n() * layout.row_bytes());
        primary.extend_from_slice(data);
        primary.resize(layout.n() * layout.row_bytes(), 0);
        let mut secondary = vec![0; layout.n() * layout.column_bytes()];
        let (source_columns, repair_columns) = secondary.split_at_mut(s);
        let pipeline = self.pipeline(layout, &data);
        let found = pipeline.extend_rows(engine, Sheet::Memory(repair_columns)).and_then(|()| {
            let repair_columns: &[u8] = repair_columns;
            let keep = RepairColumns { columns: Line::of(&repair_columns), in_memory: true };
            let repair_rows = Sheet::Memory(&mut primary[p..]);
            pipeline.extend_columns(engine, keep, repair_rows, Some(source_columns))
        });
        let metadata = found.expect("memory can be read and written");
        let (primary, secondary) = (Arc::new(primary), Arc::new(secondary));
        Ok(EncodedBlob { metadata, primary, secondary })
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
        let mut repair_columns = vec![0; (layout.n() - layout.s()) * layout.column_bytes()];
        let pipeline = self.pipeline(layout, &data);
        let found =
            pipeline.extend_rows(engine, Sheet::Memory(&mut repair_columns)).and_then(|()| {
                let repair_columns: &[u8] = &repair_columns;
                let keep = RepairColumns { columns: Line::of(&repair_columns), in_memory: true };
                pipeline.extend_columns(engine, keep, Sheet::Nothing, None)
            });
        Ok(found.expect("memory can be read and written"))
    }

    fn pipeline<'a>(&'a self, layout: Layout, data: &'a &'a [u8]) -> Pipeline<'a> {
        Pipeline { layout, source: data, workers: &self.workers, progress: &|_| () }
    }
}

/// All slivers of a blob, and its metadata. Slivers taken out share its memory.
#[derive(Debug, Clone)]
pub struct EncodedBlob {
    metadata: VerifiedMetadata,
    primary: Arc<Vec<u8>>,
    secondary: Arc<Vec<u8>>,
}

impl EncodedBlob {
    /// The metadata.
    pub fn metadata(&self) -> &VerifiedMetadata {
        &self.metadata
    }

    /// A sliver, if there is one of this index. Copies nothing.
    pub fn sliver<A: Axis>(&self, index: SliverIndex) -> Option<VerifiedSliver<A>> {
        let params = self.metadata.params();
        if index.get() >= params.n_shards() {
            return None;
        }
        let symbol_size = self.metadata.symbol_size();
        let bytes = params.sliver_bytes(A::TYPE, symbol_size);
        let buffer = match A::TYPE {
            SliverType::Primary => &self.primary,
            SliverType::Secondary => &self.secondary,
        };
        let start = index.as_usize() * bytes;
        let data = SharedBytes::new(Arc::clone(buffer), start..start + bytes);
        let sliver = Sliver::from_checked(index, symbol_size, data);
        Some(VerifiedSliver::new_verified(sliver, *self.metadata.blob_id()))
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
