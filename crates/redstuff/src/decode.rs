//! From slivers back to the blob (docs/protocol/encoding.md section 5).

use std::collections::BTreeMap;

use crate::axis::{Axis, Primary, SliverType};
use crate::blob_id::BlobId;
use crate::encode::Encoder;
use crate::engine::{Engine, Fast};
use crate::expanded::{code, expand};
use crate::index::SliverIndex;
use crate::metadata::VerifiedMetadata;
use crate::sliver::VerifiedSliver;

/// Bytes of codewords restored at a time.
const WORKING_BYTES: usize = 2 << 20;

/// How far a reader makes sure that the blob was encoded honestly (section 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ConsistencyCheck {
    /// Not at all: two readers may get different bytes for one blob id. Only for whoever encoded the
    /// blob or trusts who did.
    Skip,
    /// Every reader who uses this check gets the same bytes, or an error.
    #[default]
    Default,
    /// The blob is encoded again in full: every sliver is as it must be.
    Strict,
}

/// What shows that whoever stored a blob did not encode it honestly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Inconsistency {
    /// The padding after the blob is not zero.
    #[error("the padding after the blob is not zero")]
    Padding,
    /// A row of the decoded blob is not the one committed to.
    #[error("primary sliver {index} of the decoded blob does not match the metadata")]
    PrimarySliver {
        /// The row.
        index: SliverIndex,
    },
    /// The decoded blob has another blob id.
    #[error("the decoded blob has the blob id {got}")]
    BlobId {
        /// The blob id of the decoded bytes.
        got: BlobId,
    },
}

/// Why a blob could not be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// More slivers are needed.
    #[error("{needed} distinct {sliver_type} slivers are needed, {got} are there")]
    TooFewSlivers {
        /// The slivers' type.
        sliver_type: SliverType,
        /// How many are needed.
        needed: usize,
        /// How many distinct ones of this blob were given.
        got: usize,
    },
    /// The blob is invalid: no set of slivers will do, and its bytes must not be used.
    #[error("the blob was not encoded correctly")]
    InvalidBlob(#[from] Inconsistency),
}

/// Decodes a blob from the first `p` primary or `s` secondary slivers with distinct indices.
///
/// Slivers of other blobs and repeated ones are ignored. The output has
/// [`VerifiedMetadata::unencoded_length`] bytes; nothing is reserved before enough slivers are there.
///
/// # Errors
/// [`DecodeError`]; the bytes of an invalid blob are never returned.
pub fn decode<A: Axis>(
    metadata: &VerifiedMetadata,
    slivers: impl IntoIterator<Item = VerifiedSliver<A>>,
    check: ConsistencyCheck,
) -> Result<Vec<u8>, DecodeError> {
    decode_with(&mut Fast::new(), metadata, slivers, check)
}

/// As [`decode`], by a chosen engine.
///
/// # Errors
/// As [`decode`].
pub fn decode_with<A: Axis, E: Engine + ?Sized>(
    engine: &mut E,
    metadata: &VerifiedMetadata,
    slivers: impl IntoIterator<Item = VerifiedSliver<A>>,
    check: ConsistencyCheck,
) -> Result<Vec<u8>, DecodeError> {
    let used = choose(metadata, slivers)?;
    let mut matrix = match A::TYPE {
        SliverType::Primary => restore_columns(engine, metadata, &used),
        SliverType::Secondary => restore_rows(engine, metadata, &used),
    };
    // The length is at most that of the matrix, which is in memory.
    let length = metadata.unencoded_length() as usize;
    if check != ConsistencyCheck::Skip && matrix[length..].iter().any(|byte| *byte != 0) {
        return Err(Inconsistency::Padding.into());
    }
    match check {
        ConsistencyCheck::Skip => {}
        ConsistencyCheck::Default => check_rows(engine, metadata, &used, &matrix)?,
        ConsistencyCheck::Strict => check_blob_id(engine, metadata, &matrix[..length])?,
    }
    matrix.truncate(length);
    Ok(matrix)
}

/// The slivers that enter the decoder, by index. Only these count as checked later on.
fn choose<A: Axis>(
    metadata: &VerifiedMetadata,
    slivers: impl IntoIterator<Item = VerifiedSliver<A>>,
) -> Result<BTreeMap<SliverIndex, VerifiedSliver<A>>, DecodeError> {
    let needed = usize::from(metadata.params().source_symbols(A::TYPE));
    let mut used = BTreeMap::new();
    for sliver in slivers {
        if sliver.blob_id() == metadata.blob_id() {
            used.entry(sliver.index()).or_insert(sliver);
        }
        if used.len() == needed {
            return Ok(used);
        }
    }
    Err(DecodeError::TooFewSlivers { sliver_type: A::TYPE, needed, got: used.len() })
}

fn positions<A>(used: &BTreeMap<SliverIndex, VerifiedSliver<A>>) -> Vec<u16> {
    used.keys().map(|index| index.get()).collect()
}

/// From primary slivers: every column is a codeword of the primary code.
fn restore_columns<A: Axis, E: Engine + ?Sized>(
    engine: &mut E,
    metadata: &VerifiedMetadata,
    used: &BTreeMap<SliverIndex, VerifiedSliver<A>>,
) -> Vec<u8> {
    let (params, z) = (metadata.params(), metadata.symbol_size().bytes());
    let p = usize::from(params.primary_source_symbols());
    let s = usize::from(params.secondary_source_symbols());
    if used.keys().all(|index| index.as_usize() < p) {
        return used.values().flat_map(|sliver| sliver.data()).copied().collect();
    }
    let (code, positions) = (code(params, SliverType::Primary), positions(used));
    let mut matrix = vec![0; p * s * z];
    let group = (WORKING_BYTES / (p * z)).clamp(1, s);
    let (mut known, mut columns) = (Vec::new(), Vec::new());
    for start in (0..s).step_by(group) {
        let count = group.min(s - start);
        known.resize(count * p * z, 0);
        columns.resize(count * p * z, 0);
        for (at, sliver) in used.values().enumerate() {
            let symbols = sliver.data()[start * z..][..count * z].chunks_exact(z);
            for (column, symbol) in known.chunks_exact_mut(p * z).zip(symbols) {
                column[at * z..][..z].copy_from_slice(symbol);
            }
        }
        engine.restore(code, z, &positions, &known, &mut columns);
        for (row, symbols) in matrix.chunks_exact_mut(s * z).enumerate() {
            let symbols = symbols[start * z..][..count * z].chunks_exact_mut(z);
            for (symbol, column) in symbols.zip(columns.chunks_exact(p * z)) {
                symbol.copy_from_slice(&column[row * z..][..z]);
            }
        }
    }
    matrix
}

/// From secondary slivers: every row is a codeword of the secondary code.
fn restore_rows<A: Axis, E: Engine + ?Sized>(
    engine: &mut E,
    metadata: &VerifiedMetadata,
    used: &BTreeMap<SliverIndex, VerifiedSliver<A>>,
) -> Vec<u8> {
    let (params, z) = (metadata.params(), metadata.symbol_size().bytes());
    let p = usize::from(params.primary_source_symbols());
    let s = usize::from(params.secondary_source_symbols());
    let (code, positions) = (code(params, SliverType::Secondary), positions(used));
    let mut matrix = vec![0; p * s * z];
    let group = (WORKING_BYTES / (s * z)).clamp(1, p);
    let mut known = Vec::new();
    for (start, rows) in (0..).step_by(group).zip(matrix.chunks_mut(group * s * z)) {
        known.resize(rows.len(), 0);
        for (at, sliver) in used.values().enumerate() {
            let symbols = sliver.data()[start * z..].chunks_exact(z);
            for (row, symbol) in known.chunks_exact_mut(s * z).zip(symbols) {
                row[at * z..][..z].copy_from_slice(symbol);
            }
        }
        engine.restore(code, z, &positions, &known, rows);
    }
    matrix
}

/// Compares the rows of the blob's matrix with the hashes of the systematic primary slivers. Rows
/// that were themselves decoded from need no second look.
fn check_rows<A: Axis, E: Engine + ?Sized>(
    engine: &mut E,
    metadata: &VerifiedMetadata,
    used: &BTreeMap<SliverIndex, VerifiedSliver<A>>,
    matrix: &[u8],
) -> Result<(), Inconsistency> {
    let (params, symbol_size) = (metadata.params(), metadata.symbol_size());
    let row_bytes = params.sliver_bytes(SliverType::Primary, symbol_size);
    for (index, row) in (0..).map(SliverIndex).zip(matrix.chunks_exact(row_bytes)) {
        if A::TYPE == SliverType::Primary && used.contains_key(&index) {
            continue;
        }
        let (_, tree) = expand::<Primary, E>(engine, params, symbol_size, row);
        let hash = metadata.sliver_hash(SliverType::Primary, index);
        if !hash.is_some_and(|hash| hash.is_root(&tree.root())) {
            return Err(Inconsistency::PrimarySliver { index });
        }
    }
    Ok(())
}

fn check_blob_id<E: Engine + ?Sized>(
    engine: &mut E,
    metadata: &VerifiedMetadata,
    blob: &[u8],
) -> Result<(), Inconsistency> {
    let recomputed = Encoder::new(metadata.params()).compute_metadata_with(engine, blob);
    let recomputed = recomputed.expect("the length of verified metadata is within the limit");
    let got = *recomputed.blob_id();
    if got == *metadata.blob_id() { Ok(()) } else { Err(Inconsistency::BlobId { got }) }
}
