//! From slivers back to the blob (docs/protocol/encoding.md section 5).
//!
//! Whichever slivers are there, the missing source symbols are computed strip by strip, in tasks that
//! share nothing ([`restoration`]); then the rows that no verified sliver vouches for are checked
//! ([`check`]). The same code serves blobs in memory and, by [`StreamDecoder`](crate::StreamDecoder),
//! stored ones.

mod check;
pub(crate) mod restoration;

use std::collections::BTreeMap;
use std::io;

use crate::axis::{Axis, SliverType};
use crate::blob_id::BlobId;
use crate::encode::Encoder;
use crate::engine::{Engine, Fast, missing_sources};
use crate::index::SliverIndex;
use crate::metadata::VerifiedMetadata;
use crate::sheet::Sheet;
use crate::sliver::VerifiedSliver;
use crate::storage::Line;
use crate::workers::Workers;
pub(crate) use restoration::Restoration;

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

/// Why the pipeline stopped.
#[derive(Debug)]
pub(crate) enum DecodeFailure {
    Inconsistent(Inconsistency),
    Output(io::Error),
    Spill(io::Error),
}

impl From<Inconsistency> for DecodeFailure {
    fn from(inconsistency: Inconsistency) -> Self {
        Self::Inconsistent(inconsistency)
    }
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
    decode_with(&mut Fast::new(), &Workers::none(), metadata, slivers, check)
}

/// As [`decode`], by a chosen engine on several threads.
///
/// # Errors
/// As [`decode`].
pub fn decode_with<A: Axis, E: Engine>(
    engine: &mut E,
    workers: &Workers,
    metadata: &VerifiedMetadata,
    slivers: impl IntoIterator<Item = VerifiedSliver<A>>,
    check: ConsistencyCheck,
) -> Result<Vec<u8>, DecodeError> {
    let used = choose(metadata, slivers)?;
    let layout = metadata.layout();
    let restoration = Restoration { metadata, layout, workers, in_memory: true };
    let data: Vec<&[u8]> = used.values().map(|sliver| sliver.data()).collect();
    let known: Vec<Line<'_>> = data.iter().map(Line::of).collect();
    let positions: Vec<u16> = used.keys().map(|index| index.get()).collect();
    // The length is at most that of the slivers, which are in memory.
    let length = layout.length as usize;
    let mut matrix;
    let result = match A::TYPE {
        SliverType::Primary => {
            let row_bytes = layout.row_bytes();
            matrix = Vec::with_capacity(layout.p() * row_bytes);
            let missing = missing_sources(layout.column_code(), &positions);
            for row in 0..layout.p() as u16 {
                match used.get(&SliverIndex(row)) {
                    Some(sliver) => matrix.extend_from_slice(sliver.data()),
                    None => matrix.resize(matrix.len() + row_bytes, 0),
                }
            }
            let lines = Sheet::scattered(&mut matrix, row_bytes, &missing);
            restoration.restore_from_rows(engine, &positions, &known, lines).and_then(|_| {
                check_in_memory(&restoration, engine, check, &matrix, length, &missing)
            })
        }
        SliverType::Secondary => {
            matrix = vec![0; layout.p() * layout.row_bytes()];
            let hashed = check == ConsistencyCheck::Default;
            let sheet = Sheet::Memory(&mut matrix);
            restoration.restore_from_columns(engine, &positions, &known, sheet, hashed).and_then(
                |found| {
                    let padding =
                        check_in_memory(&restoration, engine, check, &matrix, length, &[]);
                    padding.and_then(|()| found.verdict(check))
                },
            )
        }
    };
    match result {
        Ok(()) => {}
        Err(DecodeFailure::Inconsistent(inconsistency)) => return Err(inconsistency.into()),
        Err(failure) => unreachable!("memory can be read and written: {failure:?}"),
    }
    matrix.truncate(length);
    Ok(matrix)
}

/// Padding, then the rows `unproven` or the whole blob, as far as asked for.
fn check_in_memory<E: Engine>(
    restoration: &Restoration<'_>,
    engine: &mut E,
    check: ConsistencyCheck,
    matrix: &[u8],
    length: usize,
    unproven: &[u16],
) -> Result<(), DecodeFailure> {
    if check == ConsistencyCheck::Skip {
        return Ok(());
    }
    let (blob, padding) = matrix.split_at(length);
    if padding.iter().any(|byte| *byte != 0) {
        return Err(Inconsistency::Padding.into());
    }
    if check == ConsistencyCheck::Default {
        return restoration.check_rows(engine, &blob, unproven);
    }
    let encoder = Encoder::new(restoration.layout.params);
    let recomputed = encoder.with_workers(restoration.workers.clone());
    let recomputed = recomputed.compute_metadata_with(engine, blob);
    let recomputed = recomputed.expect("the length of verified metadata is within the limit");
    Ok(same_blob(restoration.metadata, &recomputed)?)
}

pub(crate) fn same_blob(
    metadata: &VerifiedMetadata,
    recomputed: &VerifiedMetadata,
) -> Result<(), Inconsistency> {
    let got = *recomputed.blob_id();
    if got == *metadata.blob_id() { Ok(()) } else { Err(Inconsistency::BlobId { got }) }
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
