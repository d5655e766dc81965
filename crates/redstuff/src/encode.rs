//! From a blob to its slivers and metadata (docs/protocol/encoding.md sections 2 and 3).
//!
//! Rows first: every row of the blob's matrix is extended to `n` columns. Then a few columns at a time
//! are extended to `n` rows and hashed while they are in cache; their symbols below row `p` are the
//! repair primary slivers, and the repair-by-repair corner is dropped at once. The `n * n` leaf hashes
//! are kept to build the row trees from, so that each symbol is hashed once.

use std::sync::Arc;

use crate::any_sliver::AnyVerifiedSliver;
use crate::axis::{Axis, Primary, Secondary, SliverType};
use crate::blob_id::Digest;
use crate::engine::{Engine, Fast};
use crate::expanded::code;
use crate::hash::LEAF;
use crate::index::{SliverIndex, SliverPairIndex};
use crate::merkle::{Node, RawDigest, root_of_hashes};
use crate::metadata::{BlobMetadata, SliverPairHashes, VerifiedMetadata};
use crate::params::{DataTooLarge, EncodingParams};
use crate::sliver::{SharedBytes, Sliver, SliverPair, VerifiedSliver};

/// Bytes of codewords worked on at a time, so that they stay in cache.
const WORKING_BYTES: usize = 1 << 20;
/// Row trees built at a time: their leaf hashes lie side by side in every column.
const ROW_TREES: usize = 16;

/// Encodes blobs for a certain number of shards.
///
/// Memory beside the blob: 4.5 times its length for the slivers, or 1.5 times for the metadata alone,
/// and `32 n^2` bytes for leaf hashes.
#[derive(Debug, Clone, Copy)]
pub struct Encoder {
    params: EncodingParams,
}

impl Encoder {
    /// An encoder for codes of the given shape.
    pub fn new(params: EncodingParams) -> Self {
        Self { params }
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

    /// As [`Self::encode`], by a chosen engine, whose tables and buffers serve the next blob again.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn encode_with<E: Engine + ?Sized>(
        &self,
        engine: &mut E,
        data: &[u8],
    ) -> Result<EncodedBlob, DataTooLarge> {
        let mut matrix = Matrix::new(self.params, data)?;
        matrix.keep_primary(data);
        let metadata = matrix.encode(engine, data);
        let (primary, secondary) = (Arc::new(matrix.primary), Arc::new(matrix.secondary));
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
    pub fn compute_metadata_with<E: Engine + ?Sized>(
        &self,
        engine: &mut E,
        data: &[u8],
    ) -> Result<VerifiedMetadata, DataTooLarge> {
        Ok(Matrix::new(self.params, data)?.encode(engine, data))
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

/// The buffers of one encoding.
struct Matrix {
    params: EncodingParams,
    symbol_bytes: usize,
    /// All `n` rows of `s` symbols, or nothing if slivers are not wanted.
    primary: Vec<u8>,
    /// All `n` columns of `p` symbols.
    secondary: Vec<u8>,
}

impl Matrix {
    fn new(params: EncodingParams, data: &[u8]) -> Result<Self, DataTooLarge> {
        let symbol_size = params.symbol_size(data.len() as u64)?;
        let column = params.sliver_bytes(SliverType::Secondary, symbol_size);
        let secondary = vec![0; usize::from(params.n_shards()) * column];
        Ok(Self { params, symbol_bytes: symbol_size.bytes(), primary: Vec::new(), secondary })
    }

    fn n(&self) -> usize {
        self.params.n_shards().into()
    }

    fn row_bytes(&self) -> usize {
        usize::from(self.params.secondary_source_symbols()) * self.symbol_bytes
    }

    fn column_bytes(&self) -> usize {
        usize::from(self.params.primary_source_symbols()) * self.symbol_bytes
    }

    /// Makes room for the primary slivers; the systematic ones are the padded blob.
    fn keep_primary(&mut self, data: &[u8]) {
        self.primary = vec![0; self.n() * self.row_bytes()];
        self.primary[..data.len()].copy_from_slice(data);
    }

    fn encode<E: Engine + ?Sized>(&mut self, engine: &mut E, data: &[u8]) -> VerifiedMetadata {
        self.extend_rows(engine, data);
        let mut leaves = vec![[0; 32]; self.n() * self.n()];
        let mut columns = Vec::with_capacity(self.n());
        self.extend_columns(engine, &mut leaves, &mut columns);
        let used_rows = data.len().div_ceil(self.row_bytes());
        let rows = self.row_roots(engine, &leaves, used_rows);
        drop(leaves);
        let node = |root: &RawDigest| Node::Digest(Digest::from_bytes(*root));
        // Pair k is row k with column n - 1 - k.
        let hashes = (rows.iter().zip(columns.iter().rev()))
            .map(|(row, column)| SliverPairHashes { primary: node(row), secondary: node(column) })
            .collect();
        let metadata = BlobMetadata::new(data.len() as u64, hashes);
        let root = metadata.compute_root();
        let blob_id =
            crate::BlobId::from_parts(metadata.encoding_type(), metadata.unencoded_length(), &root);
        let symbol_size = self.params.symbol_size(data.len() as u64);
        let symbol_size = symbol_size.expect("checked when the matrix was made");
        VerifiedMetadata::new_verified(self.params, symbol_size, root, blob_id, metadata)
    }

    /// Extends the rows that hold data to `n` symbols and writes them down as columns. Rows of padding
    /// extend to zeros, which the columns hold already.
    fn extend_rows<E: Engine + ?Sized>(&mut self, engine: &mut E, data: &[u8]) {
        let code = code(self.params, SliverType::Secondary);
        let (z, row_bytes, column_bytes) =
            (self.symbol_bytes, self.row_bytes(), self.column_bytes());
        let extended_bytes = self.n() * z;
        let group = (WORKING_BYTES / extended_bytes).max(1);
        let mut rows = Vec::new();
        for (start, some) in (0..).step_by(group).zip(data.chunks(group * row_bytes)) {
            rows.clear();
            rows.resize(some.len().div_ceil(row_bytes) * extended_bytes, 0);
            for (row, source) in rows.chunks_exact_mut(extended_bytes).zip(some.chunks(row_bytes)) {
                row[..source.len()].copy_from_slice(source);
            }
            engine.extend(code, z, &mut rows);
            for (column, symbols) in self.secondary.chunks_exact_mut(column_bytes).enumerate() {
                let symbols = symbols[start * z..].chunks_exact_mut(z);
                for (symbol, row) in symbols.zip(rows.chunks_exact(extended_bytes)) {
                    symbol.copy_from_slice(&row[column * z..][..z]);
                }
            }
        }
    }

    /// Extends all columns to `n` symbols, hashes them, and writes down the rows below the blob's own.
    /// `leaves` receives the leaf hashes column by column, `roots` the columns' Merkle roots.
    fn extend_columns<E: Engine + ?Sized>(
        &mut self,
        engine: &mut E,
        leaves: &mut [RawDigest],
        roots: &mut Vec<RawDigest>,
    ) {
        let code = code(self.params, SliverType::Primary);
        let (n, z, column_bytes) = (self.n(), self.symbol_bytes, self.column_bytes());
        let group = (WORKING_BYTES / (n * z)).max(1);
        let (mut columns, mut level, mut parents) = (Vec::new(), Vec::new(), Vec::new());
        for start in (0..n).step_by(group) {
            let count = group.min(n - start);
            columns.resize(count * n * z, 0);
            let sources = self.secondary[start * column_bytes..].chunks_exact(column_bytes);
            for (column, source) in columns.chunks_exact_mut(n * z).zip(sources) {
                column[..column_bytes].copy_from_slice(source);
            }
            engine.extend(code, z, &mut columns);
            self.keep_repair_rows(start, &columns);
            let leaves = &mut leaves[start * n..][..count * n];
            engine.hash_many(LEAF, z, &columns, leaves);
            for column in leaves.chunks_exact(n) {
                level.clear();
                level.extend_from_slice(column);
                roots.push(root_of_hashes(engine, &mut level, &mut parents));
            }
        }
    }

    /// Writes the repair symbols of extended columns, the first of which is `start`, into the repair
    /// primary slivers.
    fn keep_repair_rows(&mut self, start: usize, columns: &[u8]) {
        let (n, z, row_bytes) = (self.n(), self.symbol_bytes, self.row_bytes());
        let p = usize::from(self.params.primary_source_symbols());
        let s = usize::from(self.params.secondary_source_symbols());
        if self.primary.is_empty() || start >= s {
            return;
        }
        for (row, sliver) in self.primary.chunks_exact_mut(row_bytes).enumerate().skip(p) {
            let symbols = sliver[start * z..].chunks_exact_mut(z);
            for (symbol, column) in symbols.zip(columns.chunks_exact(n * z)) {
                symbol.copy_from_slice(&column[row * z..][..z]);
            }
        }
    }

    /// The Merkle roots of all rows. Source rows from `used_rows` on hold only zeros and share a root.
    fn row_roots<E: Engine + ?Sized>(
        &self,
        engine: &mut E,
        leaves: &[RawDigest],
        used_rows: usize,
    ) -> Vec<RawDigest> {
        let (n, p) = (self.n(), usize::from(self.params.primary_source_symbols()));
        let mut rows = vec![Vec::new(); ROW_TREES];
        let mut parents = Vec::new();
        let mut roots: Vec<RawDigest> = Vec::with_capacity(n);
        while roots.len() < n {
            let start = roots.len();
            if start > used_rows && start < p {
                roots.resize(p, roots[start - 1]);
                continue;
            }
            // End a group with the first row of zeros, whose root the others take over.
            let end = if start <= used_rows && used_rows < p { used_rows + 1 } else { n };
            let count = ROW_TREES.min(end - start);
            rows.iter_mut().for_each(Vec::clear);
            for column in leaves.chunks_exact(n) {
                for (row, leaf) in rows.iter_mut().zip(&column[start..start + count]) {
                    row.push(*leaf);
                }
            }
            for row in &mut rows[..count] {
                roots.push(root_of_hashes(engine, row, &mut parents));
            }
        }
        roots
    }
}
