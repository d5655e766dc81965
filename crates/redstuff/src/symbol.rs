//! Symbols that heal slivers, with proofs that they are genuine (docs/protocol/encoding.md section
//! 6.2).

use crate::axis::{Axis, Primary, Secondary, SliverType};
use crate::bcs::{BcsError, Reader, Writer};
use crate::blob_id::BlobId;
use crate::decoding_symbol::{DecodingSymbol, EitherDecodingSymbol};
use crate::index::{SliverIndex, SymbolId};
use crate::merkle::MerkleProof;
use crate::metadata::VerifiedMetadata;
use crate::params::{EncodingParams, SymbolSize};

/// Why a recovery symbol was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SymbolError {
    /// The source or the target is not below the number of shards.
    #[error("symbol index {index} is not below the number of shards, {n_shards}")]
    IndexOutOfRange {
        /// The index.
        index: SliverIndex,
        /// The number of shards.
        n_shards: u16,
    },
    /// The symbol is of the wrong length.
    #[error("the symbol must be {expected} bytes long, not {got}")]
    WrongLength {
        /// The blob's symbol size.
        expected: SymbolSize,
        /// The symbol's length.
        got: usize,
    },
    /// The symbol does not lie on the sliver to recover.
    #[error("symbol {got} does not lie on {sliver_type} sliver {target}")]
    WrongTarget {
        /// The type of the sliver to recover.
        sliver_type: SliverType,
        /// The index of the sliver to recover.
        target: SliverIndex,
        /// Where the symbol lies.
        got: SymbolId,
    },
    /// The proof does not lead to the hash of the source sliver: whoever sent the symbol is to blame.
    #[error("symbol {symbol} is not proven by {source_type} sliver")]
    WrongProof {
        /// Where the symbol lies.
        symbol: SymbolId,
        /// The type of the sliver it was said to be cut from.
        source_type: SliverType,
    },
}

/// A symbol for recovering a sliver of axis `T`, with the proof that the source sliver contains it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoverySymbol<T> {
    symbol: DecodingSymbol<T>,
    proof: MerkleProof,
}

impl<T: Axis> RecoverySymbol<T> {
    /// A symbol and its path in the tree of its source sliver.
    pub fn new(symbol: DecodingSymbol<T>, proof: MerkleProof) -> Self {
        Self { symbol, proof }
    }

    /// The index of the sliver of the other axis that the symbol was cut from.
    pub fn source(&self) -> SliverIndex {
        self.symbol.source
    }

    /// The symbol's bytes.
    pub fn data(&self) -> &[u8] {
        &self.symbol.data
    }

    /// The symbol without its proof.
    pub fn decoding_symbol(&self) -> &DecodingSymbol<T> {
        &self.symbol
    }

    /// The path in the tree of the source sliver.
    pub fn proof(&self) -> &MerkleProof {
        &self.proof
    }

    /// Checks that the symbol is the one that its source and sliver `target` have in common.
    ///
    /// # Errors
    /// [`SymbolError`]: do not use the symbol; blame its sender.
    pub fn verify(
        self,
        metadata: &VerifiedMetadata,
        target: SliverIndex,
    ) -> Result<VerifiedSymbol<T>, SymbolError> {
        let position = SymbolId::of(T::TYPE, target, self.symbol.source);
        check_shape(metadata, position, &self.symbol.data, &self.proof, T::TYPE.orthogonal())?;
        check_proof(metadata, position, &self.symbol.data, &self.proof, T::TYPE.orthogonal())?;
        Ok(VerifiedSymbol {
            blob_id: *metadata.blob_id(),
            target,
            symbol: self.symbol,
            source_proof: Some(self.proof),
        })
    }

    /// Parses a symbol of known size.
    ///
    /// # Errors
    /// [`BcsError`] if the bytes are not the one form of such a symbol.
    pub fn from_bcs(
        bytes: &[u8],
        params: EncodingParams,
        symbol_size: SymbolSize,
    ) -> Result<Self, BcsError> {
        let mut reader = Reader::bounded(bytes, params.max_recovery_symbol_bcs_len(symbol_size))?;
        let symbol = Self::read(&mut reader, params, symbol_size)?;
        reader.finish()?;
        Ok(symbol)
    }

    /// The serialised symbol: source index, data, proof.
    pub fn to_bcs(&self) -> Vec<u8> {
        let mut writer =
            Writer::with_capacity(self.data().len() + 6 + 33 * self.proof.path().len());
        self.write(&mut writer);
        writer.finish()
    }

    pub(crate) fn read(
        reader: &mut Reader<'_>,
        params: EncodingParams,
        symbol_size: SymbolSize,
    ) -> Result<Self, BcsError> {
        let symbol = DecodingSymbol::read(reader, symbol_size)?;
        Ok(Self { symbol, proof: MerkleProof::read(reader, params.merkle_path_length())? })
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        self.symbol.write(writer);
        self.proof.write(writer);
    }
}

/// A [`RecoverySymbol`] of either axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EitherRecoverySymbol {
    /// For recovering a primary sliver.
    Primary(RecoverySymbol<Primary>),
    /// For recovering a secondary sliver.
    Secondary(RecoverySymbol<Secondary>),
}

impl EitherRecoverySymbol {
    /// Parses a symbol behind its variant byte.
    ///
    /// # Errors
    /// [`BcsError`] if the bytes are not the one form of such a symbol.
    pub fn from_bcs(
        bytes: &[u8],
        params: EncodingParams,
        symbol_size: SymbolSize,
    ) -> Result<Self, BcsError> {
        let mut reader =
            Reader::bounded(bytes, 1 + params.max_recovery_symbol_bcs_len(symbol_size))?;
        let symbol = match reader.uleb()? {
            0 => Self::Primary(RecoverySymbol::read(&mut reader, params, symbol_size)?),
            1 => Self::Secondary(RecoverySymbol::read(&mut reader, params, symbol_size)?),
            got => return Err(BcsError::UnknownVariant { what: "recovery symbol", got }),
        };
        reader.finish()?;
        Ok(symbol)
    }

    /// The serialised symbol: variant 0 or 1 by the type of the target, then the symbol.
    pub fn to_bcs(&self) -> Vec<u8> {
        let (variant, symbol) = match self {
            Self::Primary(symbol) => (0, symbol.to_bcs()),
            Self::Secondary(symbol) => (1, symbol.to_bcs()),
        };
        [&[variant], symbol.as_slice()].concat()
    }
}

/// What one source pair gives for recovering both slivers of a target pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoverySymbolPair {
    /// For the primary sliver of the target pair.
    pub primary: RecoverySymbol<Primary>,
    /// For the secondary sliver of the target pair.
    pub secondary: RecoverySymbol<Secondary>,
}

impl RecoverySymbolPair {
    /// Parses both symbols.
    ///
    /// # Errors
    /// [`BcsError`] if the bytes are not the one form of such a pair.
    pub fn from_bcs(
        bytes: &[u8],
        params: EncodingParams,
        symbol_size: SymbolSize,
    ) -> Result<Self, BcsError> {
        let mut reader =
            Reader::bounded(bytes, 2 * params.max_recovery_symbol_bcs_len(symbol_size))?;
        let primary = RecoverySymbol::read(&mut reader, params, symbol_size)?;
        let secondary = RecoverySymbol::read(&mut reader, params, symbol_size)?;
        reader.finish()?;
        Ok(Self { primary, secondary })
    }

    /// The serialised pair: one symbol after the other.
    pub fn to_bcs(&self) -> Vec<u8> {
        let mut bytes = self.primary.to_bcs();
        bytes.extend(self.secondary.to_bcs());
        bytes
    }
}

/// A recovery symbol that names the sliver it was made for.
///
/// It lies on a row and a column, so it can serve to recover either, whichever tree proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneralRecoverySymbol {
    symbol: EitherDecodingSymbol,
    target: SliverIndex,
    proof: MerkleProof,
}

impl GeneralRecoverySymbol {
    /// The symbol made for sliver `target` of axis `T`.
    pub fn new<T: Axis>(symbol: RecoverySymbol<T>, target: SliverIndex) -> Self {
        Self { symbol: symbol.symbol.into(), target, proof: symbol.proof }
    }

    /// Where the symbol lies.
    pub fn id(&self) -> SymbolId {
        SymbolId::of(self.symbol.target_type(), self.target, self.symbol.source())
    }

    /// The type of the sliver that the symbol was made for.
    pub fn target_type(&self) -> SliverType {
        self.symbol.target_type()
    }

    /// The index of the sliver that the symbol was made for.
    pub fn target(&self) -> SliverIndex {
        self.target
    }

    /// The type of the sliver that the symbol was cut from, in whose tree the proof lies.
    pub fn proof_axis(&self) -> SliverType {
        self.target_type().orthogonal()
    }

    /// The symbol's bytes.
    pub fn data(&self) -> &[u8] {
        self.symbol.data()
    }

    /// Checks the symbol for use in recovering sliver `target` of axis `T` (section 6.2).
    ///
    /// # Errors
    /// [`SymbolError`]: do not use the symbol; blame its sender.
    pub fn verify<T: Axis>(
        self,
        metadata: &VerifiedMetadata,
        target: SliverIndex,
    ) -> Result<VerifiedSymbol<T>, SymbolError> {
        let (id, proof_axis) = (self.id(), self.proof_axis());
        check_shape(metadata, id, self.data(), &self.proof, proof_axis)?;
        if id.position(T::TYPE) != target {
            return Err(SymbolError::WrongTarget { sliver_type: T::TYPE, target, got: id });
        }
        check_proof(metadata, id, self.data(), &self.proof, proof_axis)?;
        let source = id.position(T::TYPE.orthogonal());
        Ok(VerifiedSymbol {
            blob_id: *metadata.blob_id(),
            target,
            symbol: DecodingSymbol::new(source, self.symbol.into_data()),
            source_proof: (proof_axis == T::TYPE.orthogonal()).then_some(self.proof),
        })
    }

    /// Parses one symbol of known size.
    ///
    /// # Errors
    /// [`BcsError`] if the bytes are not the one form of such a symbol.
    pub fn from_bcs(
        bytes: &[u8],
        params: EncodingParams,
        symbol_size: SymbolSize,
    ) -> Result<Self, BcsError> {
        let mut reader = Reader::bounded(bytes, params.max_general_symbol_bcs_len(symbol_size))?;
        let symbol = Self::read(&mut reader, params, symbol_size)?;
        reader.finish()?;
        Ok(symbol)
    }

    /// The serialised symbol: variant 0 or 1 by the type of the target, source index, data, target
    /// index, proof.
    pub fn to_bcs(&self) -> Vec<u8> {
        let mut writer =
            Writer::with_capacity(self.data().len() + 9 + 33 * self.proof.path().len());
        self.write(&mut writer);
        writer.finish()
    }

    /// Parses a list of at most `max_count` symbols: the number asked for.
    ///
    /// # Errors
    /// [`BcsError`] if the bytes are not the one form of such a list.
    pub fn list_from_bcs(
        bytes: &[u8],
        params: EncodingParams,
        symbol_size: SymbolSize,
        max_count: usize,
    ) -> Result<Vec<Self>, BcsError> {
        let one = params.max_general_symbol_bcs_len(symbol_size);
        let mut reader = Reader::bounded(bytes, max_count.saturating_mul(one).saturating_add(5))?;
        let count = reader.count(max_count, symbol_size.bytes() + 7)?;
        let list = (0..count)
            .map(|_| Self::read(&mut reader, params, symbol_size))
            .collect::<Result<_, _>>()?;
        reader.finish()?;
        Ok(list)
    }

    /// The serialised list.
    pub fn list_to_bcs(symbols: &[Self]) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.count(symbols.len());
        symbols.iter().for_each(|symbol| symbol.write(&mut writer));
        writer.finish()
    }

    fn read(
        reader: &mut Reader<'_>,
        params: EncodingParams,
        symbol_size: SymbolSize,
    ) -> Result<Self, BcsError> {
        let symbol = EitherDecodingSymbol::read(reader, symbol_size)?;
        let target = SliverIndex(reader.u16()?);
        let proof = MerkleProof::read(reader, params.merkle_path_length())?;
        Ok(Self { symbol, target, proof })
    }

    fn write(&self, writer: &mut Writer) {
        self.symbol.write(writer);
        writer.u16(self.target.get());
        self.proof.write(writer);
    }
}

/// Steps 1 and 2 of section 6.2, which cost nothing.
fn check_shape(
    metadata: &VerifiedMetadata,
    id: SymbolId,
    data: &[u8],
    proof: &MerkleProof,
    source_type: SliverType,
) -> Result<(), SymbolError> {
    let n_shards = metadata.params().n_shards();
    for index in [id.row, id.column] {
        if index.get() >= n_shards {
            return Err(SymbolError::IndexOutOfRange { index, n_shards });
        }
    }
    let expected = metadata.symbol_size();
    if data.len() != expected.bytes() {
        return Err(SymbolError::WrongLength { expected, got: data.len() });
    }
    if proof.path().len() > metadata.params().merkle_path_length() {
        return Err(SymbolError::WrongProof { symbol: id, source_type });
    }
    Ok(())
}

/// Step 4 of section 6.2: about as many hashes as the tree has levels.
fn check_proof(
    metadata: &VerifiedMetadata,
    id: SymbolId,
    data: &[u8],
    proof: &MerkleProof,
    source_type: SliverType,
) -> Result<(), SymbolError> {
    let leaves = usize::from(metadata.params().n_shards());
    let leaf = id.position(source_type.orthogonal()).as_usize();
    let root = metadata.sliver_hash(source_type, id.position(source_type));
    if root.is_some_and(|root| proof.verify(root, data, leaf, leaves)) {
        Ok(())
    } else {
        Err(SymbolError::WrongProof { symbol: id, source_type })
    }
}

/// A symbol known to be what the metadata of a blob commits to at its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedSymbol<T> {
    blob_id: BlobId,
    target: SliverIndex,
    symbol: DecodingSymbol<T>,
    /// The proof in the tree of the source sliver; missing if the target's own tree proved the symbol,
    /// which cannot show an inconsistency.
    source_proof: Option<MerkleProof>,
}

impl<T: Axis> VerifiedSymbol<T> {
    /// The blob.
    pub fn blob_id(&self) -> &BlobId {
        &self.blob_id
    }

    /// The sliver of axis `T` that the symbol recovers.
    pub fn target(&self) -> SliverIndex {
        self.target
    }

    /// The sliver of the other axis on which the symbol lies too.
    pub fn source(&self) -> SliverIndex {
        self.symbol.source
    }

    /// The symbol's bytes.
    pub fn data(&self) -> &[u8] {
        &self.symbol.data
    }

    /// Whether the symbol can be part of an inconsistency proof.
    pub fn has_source_proof(&self) -> bool {
        self.source_proof.is_some()
    }

    pub(crate) fn into_recovery_symbol(self) -> Option<RecoverySymbol<T>> {
        Some(RecoverySymbol { symbol: self.symbol, proof: self.source_proof? })
    }
}
