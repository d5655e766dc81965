//! Symbols that heal slivers, without proofs (docs/protocol/encoding.md sections 6.1 and 6.3).
//!
//! A symbol lies where a row and a column meet. To recover sliver `target` of axis `T`, nodes send the
//! symbols their slivers of the other axis, the *sources*, have in common with it.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use crate::axis::{Axis, Primary, Secondary, SliverType};
use crate::bcs::{BcsError, Reader, Writer};
use crate::index::SliverIndex;
use crate::params::{EncodingParams, SymbolSize};

/// A symbol for recovering a sliver of axis `T`, without proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodingSymbol<T> {
    pub(crate) source: SliverIndex,
    pub(crate) data: Vec<u8>,
    axis: PhantomData<T>,
}

impl<T: Axis> DecodingSymbol<T> {
    /// The symbol cut from sliver `source` of the other axis.
    pub fn new(source: SliverIndex, data: Vec<u8>) -> Self {
        Self { source, data, axis: PhantomData }
    }

    /// The index of the sliver of the other axis that the symbol was cut from.
    pub fn source(&self) -> SliverIndex {
        self.source
    }

    /// The symbol's bytes.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    pub(crate) fn read(reader: &mut Reader<'_>, symbol_size: SymbolSize) -> Result<Self, BcsError> {
        let source = SliverIndex(reader.u16()?);
        reader.exact_count(symbol_size.bytes(), 1)?;
        Ok(Self::new(source, reader.take(symbol_size.bytes())?.to_vec()))
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.u16(self.source.get());
        writer.bytes(&self.data);
    }
}

/// A [`DecodingSymbol`] of either axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EitherDecodingSymbol {
    /// For recovering a primary sliver.
    Primary(DecodingSymbol<Primary>),
    /// For recovering a secondary sliver.
    Secondary(DecodingSymbol<Secondary>),
}

impl EitherDecodingSymbol {
    /// The type of the sliver that the symbol is for.
    pub fn target_type(&self) -> SliverType {
        match self {
            Self::Primary(_) => SliverType::Primary,
            Self::Secondary(_) => SliverType::Secondary,
        }
    }

    /// The index of the sliver of the other type that the symbol was cut from.
    pub fn source(&self) -> SliverIndex {
        match self {
            Self::Primary(symbol) => symbol.source,
            Self::Secondary(symbol) => symbol.source,
        }
    }

    /// The symbol's bytes.
    pub fn data(&self) -> &[u8] {
        match self {
            Self::Primary(symbol) => &symbol.data,
            Self::Secondary(symbol) => &symbol.data,
        }
    }

    /// The symbol, if it is for a sliver of axis `T`.
    pub fn for_axis<T: Axis>(self) -> Option<DecodingSymbol<T>> {
        if self.target_type() != T::TYPE {
            return None;
        }
        Some(DecodingSymbol::new(self.source(), self.into_data()))
    }

    pub(crate) fn into_data(self) -> Vec<u8> {
        match self {
            Self::Primary(symbol) => symbol.data,
            Self::Secondary(symbol) => symbol.data,
        }
    }

    /// Parses one symbol.
    ///
    /// # Errors
    /// [`BcsError`] if the bytes are not the one form of a symbol of this size.
    pub fn from_bcs(bytes: &[u8], symbol_size: SymbolSize) -> Result<Self, BcsError> {
        let mut reader = Reader::bounded(bytes, symbol_size.bytes() + 6)?;
        let symbol = Self::read(&mut reader, symbol_size)?;
        reader.finish()?;
        Ok(symbol)
    }

    /// The serialised symbol: variant 0 or 1 by the type of the target, source index, data.
    pub fn to_bcs(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(self.data().len() + 6);
        self.write(&mut writer);
        writer.finish()
    }

    pub(crate) fn read(reader: &mut Reader<'_>, symbol_size: SymbolSize) -> Result<Self, BcsError> {
        match reader.uleb()? {
            0 => Ok(Self::Primary(DecodingSymbol::read(reader, symbol_size)?)),
            1 => Ok(Self::Secondary(DecodingSymbol::read(reader, symbol_size)?)),
            got => Err(BcsError::UnknownVariant { what: "decoding symbol", got }),
        }
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.uleb(self.target_type() as u32);
        writer.u16(self.source().get());
        writer.bytes(self.data());
    }
}

impl<T: Axis> From<DecodingSymbol<T>> for EitherDecodingSymbol {
    fn from(symbol: DecodingSymbol<T>) -> Self {
        match T::TYPE {
            SliverType::Primary => Self::Primary(DecodingSymbol::new(symbol.source, symbol.data)),
            SliverType::Secondary => {
                Self::Secondary(DecodingSymbol::new(symbol.source, symbol.data))
            }
        }
    }
}

/// Decoding symbols by the index of the sliver they are for.
pub type DecodingSymbols = BTreeMap<SliverIndex, Vec<EitherDecodingSymbol>>;

/// Serialises a map of decoding symbols, whose keys are in the order of their serialised bytes (256
/// before 1).
pub fn decoding_symbols_to_bcs(symbols: &DecodingSymbols) -> Vec<u8> {
    let mut entries: Vec<_> = symbols.iter().collect();
    entries.sort_by_key(|(target, _)| target.get().to_le_bytes());
    let mut writer = Writer::new();
    writer.count(entries.len());
    for (target, list) in entries {
        writer.u16(target.get());
        writer.count(list.len());
        list.iter().for_each(|symbol| symbol.write(&mut writer));
    }
    writer.finish()
}

/// Parses a map of decoding symbols for at most `max_targets` slivers, at most `n` symbols each.
///
/// # Errors
/// [`BcsError`] if the bytes are not the one form of such a map.
pub fn decoding_symbols_from_bcs(
    bytes: &[u8],
    params: EncodingParams,
    symbol_size: SymbolSize,
    max_targets: usize,
) -> Result<DecodingSymbols, BcsError> {
    let mut reader = Reader::new(bytes);
    let mut symbols = DecodingSymbols::new();
    let mut previous = None;
    for _ in 0..reader.count(max_targets, 3)? {
        let key: [u8; 2] = reader.array()?;
        if previous.is_some_and(|previous| previous >= key) {
            return Err(BcsError::MapOrder);
        }
        previous = Some(key);
        let count = reader.count(params.n_shards().into(), symbol_size.bytes() + 4)?;
        let list = (0..count)
            .map(|_| EitherDecodingSymbol::read(&mut reader, symbol_size))
            .collect::<Result<_, _>>()?;
        symbols.insert(SliverIndex(u16::from_le_bytes(key)), list);
    }
    reader.finish()?;
    Ok(symbols)
}
