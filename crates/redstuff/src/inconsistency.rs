//! Proof that a blob was not encoded honestly (docs/protocol/encoding.md section 6.4).

use std::collections::BTreeSet;

use crate::axis::{Axis, Primary, Secondary, SliverType};
use crate::bcs::{BcsError, Reader, Writer};
use crate::engine::Fast;
use crate::expanded::{RootBuffers, expanded_root};
use crate::index::SliverIndex;
use crate::metadata::VerifiedMetadata;
use crate::params::{EncodingParams, SymbolSize};
use crate::recovery::{restore, symbols_needed};
use crate::symbol::{RecoverySymbol, SymbolError};

/// Why an inconsistency proof shows nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// There is no such sliver.
    #[error("sliver index {index} is not below the number of shards, {n_shards}")]
    IndexOutOfRange {
        /// The index of the sliver that is said to be wrong.
        index: SliverIndex,
        /// The number of shards.
        n_shards: u16,
    },
    /// The number of symbols is not the number that a sliver has.
    #[error("a proof has {expected} symbols, not {got}")]
    WrongCount {
        /// How many are needed, exactly.
        expected: usize,
        /// How many there are.
        got: usize,
    },
    /// Two symbols were cut from the same sliver.
    #[error("two symbols come from sliver {source_index}")]
    DuplicateSource {
        /// The sliver they come from.
        source_index: SliverIndex,
    },
    /// A symbol is not what the metadata commits to.
    #[error("the symbol from sliver {source_index} does not verify")]
    Symbol {
        /// The sliver it is said to come from.
        source_index: SliverIndex,
        /// What is wrong with it.
        #[source]
        error: SymbolError,
    },
    /// The symbols give the very sliver that the metadata commits to.
    #[error("the symbols agree with the metadata")]
    Consistent,
}

/// Symbols, all committed to by the metadata, that together give a sliver other than the one the same
/// metadata commits to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InconsistencyProof<A> {
    target: SliverIndex,
    symbols: Vec<RecoverySymbol<A>>,
}

impl<A: Axis> InconsistencyProof<A> {
    /// The claim that `symbols` do not give sliver `target`.
    pub fn new(target: SliverIndex, symbols: Vec<RecoverySymbol<A>>) -> Self {
        Self { target, symbols }
    }

    /// The sliver that is said to be wrong.
    pub fn target(&self) -> SliverIndex {
        self.target
    }

    /// The symbols of its row or column.
    pub fn symbols(&self) -> &[RecoverySymbol<A>] {
        &self.symbols
    }

    /// Checks the proof against metadata that the verifier has itself compared with the blob id.
    ///
    /// # Errors
    /// [`ProofError`]: nothing is proven.
    pub fn verify(&self, metadata: &VerifiedMetadata) -> Result<(), ProofError> {
        let (params, expected) = (metadata.params(), symbols_needed::<A>(metadata));
        if self.symbols.len() != expected {
            return Err(ProofError::WrongCount { expected, got: self.symbols.len() });
        }
        let out_of_range =
            ProofError::IndexOutOfRange { index: self.target, n_shards: params.n_shards() };
        let hash = metadata.sliver_hash(A::TYPE, self.target).ok_or(out_of_range)?;
        let mut distinct = BTreeSet::new();
        for symbol in &self.symbols {
            if !distinct.insert(symbol.source()) {
                return Err(ProofError::DuplicateSource { source_index: symbol.source() });
            }
        }
        let mut sources = Vec::with_capacity(expected);
        let mut symbols = Vec::with_capacity(expected);
        for symbol in &self.symbols {
            let source_index = symbol.source();
            symbol
                .clone()
                .verify(metadata, self.target)
                .map_err(|error| ProofError::Symbol { source_index, error })?;
            sources.push(source_index.get());
            symbols.push(symbol.data());
        }
        let mut engine = Fast::new();
        let data = restore::<A, _>(&mut engine, metadata, &sources, &symbols);
        let (size, buffers) = (metadata.symbol_size(), &mut RootBuffers::default());
        let root = expanded_root(&mut engine, buffers, params, size, A::TYPE, &data);
        if hash.is_root(&root) { Err(ProofError::Consistent) } else { Ok(()) }
    }

    /// Parses a proof about a blob with symbols of a known size.
    ///
    /// # Errors
    /// [`BcsError`] if the bytes are not the one form of such a proof.
    pub fn from_bcs(
        bytes: &[u8],
        params: EncodingParams,
        symbol_size: SymbolSize,
    ) -> Result<Self, BcsError> {
        let max = params.max_inconsistency_proof_bcs_len(A::TYPE, symbol_size);
        let mut reader = Reader::bounded(bytes, max)?;
        let proof = Self::read(&mut reader, params, symbol_size)?;
        reader.finish()?;
        Ok(proof)
    }

    /// The serialised proof: index of the sliver, then the symbols.
    pub fn to_bcs(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.write(&mut writer);
        writer.finish()
    }

    fn read(
        reader: &mut Reader<'_>,
        params: EncodingParams,
        symbol_size: SymbolSize,
    ) -> Result<Self, BcsError> {
        let target = SliverIndex(reader.u16()?);
        let count = usize::from(params.symbols_per_sliver(A::TYPE));
        reader.exact_count(count, symbol_size.bytes() + 4)?;
        let symbols = (0..count)
            .map(|_| RecoverySymbol::read(reader, params, symbol_size))
            .collect::<Result<_, _>>()?;
        Ok(Self { target, symbols })
    }

    fn write(&self, writer: &mut Writer) {
        writer.u16(self.target.get());
        writer.count(self.symbols.len());
        self.symbols.iter().for_each(|symbol| symbol.write(writer));
    }
}

/// An [`InconsistencyProof`] about a sliver of either type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnyInconsistencyProof {
    /// About a row.
    Primary(InconsistencyProof<Primary>),
    /// About a column.
    Secondary(InconsistencyProof<Secondary>),
}

impl AnyInconsistencyProof {
    /// As [`InconsistencyProof::verify`].
    ///
    /// # Errors
    /// As [`InconsistencyProof::verify`].
    pub fn verify(&self, metadata: &VerifiedMetadata) -> Result<(), ProofError> {
        match self {
            Self::Primary(proof) => proof.verify(metadata),
            Self::Secondary(proof) => proof.verify(metadata),
        }
    }

    /// The type of the sliver that is said to be wrong.
    pub fn sliver_type(&self) -> SliverType {
        match self {
            Self::Primary(_) => SliverType::Primary,
            Self::Secondary(_) => SliverType::Secondary,
        }
    }

    /// Parses a proof about a sliver of the given type, which the bytes do not tell.
    ///
    /// # Errors
    /// As [`InconsistencyProof::from_bcs`].
    pub fn from_bcs(
        sliver_type: SliverType,
        bytes: &[u8],
        params: EncodingParams,
        symbol_size: SymbolSize,
    ) -> Result<Self, BcsError> {
        Ok(match sliver_type {
            SliverType::Primary => {
                Self::Primary(InconsistencyProof::from_bcs(bytes, params, symbol_size)?)
            }
            SliverType::Secondary => {
                Self::Secondary(InconsistencyProof::from_bcs(bytes, params, symbol_size)?)
            }
        })
    }

    /// Parses the form that carries its type: variant 0 primary or 1 secondary, then the proof.
    ///
    /// # Errors
    /// As [`InconsistencyProof::from_bcs`].
    pub fn from_tagged_bcs(
        bytes: &[u8],
        params: EncodingParams,
        symbol_size: SymbolSize,
    ) -> Result<Self, BcsError> {
        let mut reader = Reader::new(bytes);
        let sliver_type = match reader.uleb()? {
            0 => SliverType::Primary,
            1 => SliverType::Secondary,
            got => return Err(BcsError::UnknownVariant { what: "inconsistency proof", got }),
        };
        Self::from_bcs(sliver_type, reader.take(reader.left())?, params, symbol_size)
    }

    /// The serialised proof, without its type.
    pub fn to_bcs(&self) -> Vec<u8> {
        match self {
            Self::Primary(proof) => proof.to_bcs(),
            Self::Secondary(proof) => proof.to_bcs(),
        }
    }

    /// The form that carries its type.
    pub fn to_tagged_bcs(&self) -> Vec<u8> {
        [&[self.sliver_type() as u8], self.to_bcs().as_slice()].concat()
    }
}
