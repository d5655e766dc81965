//! Healing a sliver from symbols of others (docs/protocol/encoding.md section 6.3).

use std::collections::BTreeSet;

use crate::axis::Axis;
use crate::decoding_symbol::DecodingSymbol;
use crate::engine::{Engine, Fast};
use crate::inconsistency::InconsistencyProof;
use crate::index::SliverIndex;
use crate::layout::code;
use crate::metadata::VerifiedMetadata;
use crate::sliver::{Sliver, SliverError, VerifiedSliver};
use crate::symbol::VerifiedSymbol;

/// Why a sliver could not be recovered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecoverError<A: Axis> {
    /// More symbols are needed.
    #[error("{needed} distinct symbols are needed, {got} are there")]
    TooFewSymbols {
        /// How many are needed.
        needed: usize,
        /// How many distinct ones for this sliver were given.
        got: usize,
    },
    /// There is no such sliver.
    #[error("sliver index {index} is not below the number of shards, {n_shards}")]
    IndexOutOfRange {
        /// The index asked for.
        index: SliverIndex,
        /// The number of shards.
        n_shards: u16,
    },
    /// Some symbol is wrong, or the blob is inconsistent, and nothing shows which. Try again with
    /// other symbols, or with symbols proven by slivers of the other axis.
    #[error("the recovered sliver does not match the blob's metadata")]
    Mismatch,
    /// The blob was not encoded honestly; this proves it to anyone.
    #[error("the blob was not encoded correctly")]
    Inconsistent(Box<InconsistencyProof<A>>),
}

/// Recovers sliver `target` from verified symbols: `s` for a primary sliver, `p` for a secondary one.
///
/// Symbols of other blobs or for other slivers are ignored, and of several from one source the first
/// is used. Symbols that can be part of an inconsistency proof are preferred.
///
/// # Errors
/// [`RecoverError`]; a sliver that does not match the metadata is never returned.
pub fn recover_sliver<A: Axis>(
    metadata: &VerifiedMetadata,
    target: SliverIndex,
    symbols: impl IntoIterator<Item = VerifiedSymbol<A>>,
) -> Result<VerifiedSliver<A>, RecoverError<A>> {
    let mut usable: Vec<_> = symbols
        .into_iter()
        .filter(|symbol| symbol.blob_id() == metadata.blob_id() && symbol.target() == target)
        .collect();
    usable.sort_by_key(|symbol| !symbol.has_source_proof());
    let mut seen = BTreeSet::new();
    usable.retain(|symbol| seen.insert(symbol.source()));
    usable.truncate(symbols_needed::<A>(metadata));
    let parts = usable.iter().map(|symbol| (symbol.source(), symbol.data()));
    match restore_and_verify(&mut Fast::new(), metadata, target, parts) {
        Err(RecoverError::Mismatch) => {
            let proof: Option<Vec<_>> =
                usable.into_iter().map(VerifiedSymbol::into_recovery_symbol).collect();
            Err(proof.map_or(RecoverError::Mismatch, |symbols| {
                RecoverError::Inconsistent(Box::new(InconsistencyProof::new(target, symbols)))
            }))
        }
        result => result,
    }
}

/// Recovers sliver `target` from symbols that carry no proof. Of several symbols from one source the
/// first is used; symbols of a wrong length or from no sliver are ignored.
///
/// # Errors
/// [`RecoverError`]; [`RecoverError::Mismatch`] here says only that some symbol may be wrong.
pub fn recover_sliver_unproven<A: Axis>(
    metadata: &VerifiedMetadata,
    target: SliverIndex,
    symbols: impl IntoIterator<Item = DecodingSymbol<A>>,
) -> Result<VerifiedSliver<A>, RecoverError<A>> {
    let (n_shards, symbol_bytes) = (metadata.params().n_shards(), metadata.symbol_size().bytes());
    let mut seen = BTreeSet::new();
    let usable: Vec<_> = symbols
        .into_iter()
        .filter(|symbol| symbol.source().get() < n_shards && symbol.data().len() == symbol_bytes)
        .filter(|symbol| seen.insert(symbol.source()))
        .take(symbols_needed::<A>(metadata))
        .collect();
    let parts = usable.iter().map(|symbol| (symbol.source(), symbol.data()));
    restore_and_verify(&mut Fast::new(), metadata, target, parts)
}

pub(crate) fn symbols_needed<A: Axis>(metadata: &VerifiedMetadata) -> usize {
    metadata.params().symbols_per_sliver(A::TYPE).into()
}

/// The sliver data that follows from exactly as many symbols as a sliver has, from distinct sources
/// below `n`, each of the blob's symbol size.
pub(crate) fn restore<A: Axis, E: Engine>(
    engine: &mut E,
    metadata: &VerifiedMetadata,
    sources: &[u16],
    symbols: &[&[u8]],
) -> Vec<u8> {
    let code = code(metadata.params(), A::TYPE.orthogonal());
    let z = metadata.symbol_size().bytes();
    let mut data = vec![0; code.source * z];
    let mut places: Vec<Option<&mut [u8]>> = data.chunks_exact_mut(z).map(Some).collect();
    for (source, symbol) in sources.iter().zip(symbols) {
        if let Some(place) = places.get_mut(usize::from(*source)).and_then(Option::take) {
            place.copy_from_slice(symbol);
        }
    }
    let mut missing: Vec<&mut [u8]> = places.into_iter().flatten().collect();
    engine.restore(code, z, sources, symbols, &mut missing);
    data
}

fn restore_and_verify<'a, A: Axis, E: Engine>(
    engine: &mut E,
    metadata: &VerifiedMetadata,
    target: SliverIndex,
    symbols: impl Iterator<Item = (SliverIndex, &'a [u8])>,
) -> Result<VerifiedSliver<A>, RecoverError<A>> {
    let (params, needed) = (metadata.params(), symbols_needed::<A>(metadata));
    if target.get() >= params.n_shards() {
        return Err(RecoverError::IndexOutOfRange { index: target, n_shards: params.n_shards() });
    }
    let (sources, symbols): (Vec<u16>, Vec<&[u8]>) =
        symbols.map(|(source, symbol)| (source.get(), symbol)).unzip();
    if sources.len() < needed {
        return Err(RecoverError::TooFewSymbols { needed, got: sources.len() });
    }
    let data = restore::<A, E>(engine, metadata, &sources, &symbols);
    Sliver::new(params, target, metadata.symbol_size(), data)
        .and_then(|sliver| metadata.verify_sliver_with(engine, sliver, target))
        .map_err(|_: SliverError| RecoverError::Mismatch)
}
