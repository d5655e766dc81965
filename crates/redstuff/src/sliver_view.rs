//! Checking many received slivers without copying or keeping any of them.

use std::fmt;

use crate::axis::SliverType;
use crate::bcs::{BcsError, Reader};
use crate::engine::Fast;
use crate::expanded::{RootBuffers, expanded_root};
use crate::index::SliverIndex;
use crate::metadata::VerifiedMetadata;
use crate::params::{EncodingParams, SymbolSize};
use crate::sliver::SliverError;

/// A serialised sliver looked at where it lies: its length, symbol size and index fit the number of
/// shards. As [`Sliver`](crate::Sliver), its hash has not been checked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SliverView<'a> {
    sliver_type: SliverType,
    index: SliverIndex,
    symbol_size: SymbolSize,
    data: &'a [u8],
}

impl<'a> SliverView<'a> {
    /// Parses a serialised sliver as [`Sliver::from_bcs`](crate::Sliver::from_bcs) does.
    ///
    /// # Errors
    /// [`SliverError`] if the bytes are not the one form of a sliver of this type, whatever the blob.
    pub fn from_bcs(
        sliver_type: SliverType,
        bytes: &'a [u8],
        params: EncodingParams,
    ) -> Result<Self, SliverError> {
        let mut reader = Reader::bounded(bytes, params.max_sliver_bcs_len())?;
        let data = reader.bytes(params.max_sliver_bcs_len())?;
        let symbol_bytes = reader.u16()?;
        let invalid = BcsError::InvalidValue { what: "symbol size", got: symbol_bytes.into() };
        let symbol_size = SymbolSize::new(symbol_bytes).ok_or(invalid)?;
        let index = SliverIndex(reader.u16()?);
        let n_shards = params.n_shards();
        if index.get() >= n_shards {
            return Err(SliverError::IndexOutOfRange { index, n_shards });
        }
        let expected = params.sliver_bytes(sliver_type, symbol_size);
        if data.len() != expected {
            return Err(SliverError::WrongLength { expected, got: data.len() });
        }
        reader.finish()?;
        Ok(Self { sliver_type, index, symbol_size, data })
    }

    /// The sliver's position among those of its type.
    pub fn index(&self) -> SliverIndex {
        self.index
    }

    /// The length of each symbol.
    pub fn symbol_size(&self) -> SymbolSize {
        self.symbol_size
    }

    /// The symbols, one after the other.
    pub fn data(&self) -> &'a [u8] {
        self.data
    }

    /// Symbol `position` of the sliver, if it has that many.
    pub fn symbol(&self, position: usize) -> Option<&'a [u8]> {
        let bytes = self.symbol_size.bytes();
        self.data.get(position.checked_mul(bytes)?..)?.get(..bytes)
    }
}

impl fmt::Debug for SliverView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SliverView({} {}, {} bytes)", self.sliver_type, self.index, self.data.len())
    }
}

/// Compares slivers with metadata, one after the other, in buffers and tables that it keeps.
#[derive(Default)]
pub struct SliverChecker {
    engine: Fast,
    buffers: RootBuffers,
}

impl SliverChecker {
    /// A checker whose buffers grow with use.
    pub fn new() -> Self {
        Self::default()
    }

    /// The bytes that the checker holds on to for the repair symbols of a row or column.
    pub fn buffer_bytes(&self) -> usize {
        self.buffers.symbol_bytes()
    }

    /// Compares a sliver with what the metadata commits to, as
    /// [`VerifiedMetadata::verify_sliver`] does.
    ///
    /// # Errors
    /// [`SliverError`]: do not store, count or sign for the sliver; blame its sender.
    pub fn check(
        &mut self,
        metadata: &VerifiedMetadata,
        sliver: &SliverView<'_>,
        expected: SliverIndex,
    ) -> Result<(), SliverError> {
        let (index, sliver_type) = (sliver.index, sliver.sliver_type);
        let n_shards = metadata.params().n_shards();
        let hash = metadata
            .sliver_hash(sliver_type, index)
            .ok_or(SliverError::IndexOutOfRange { index, n_shards })?;
        if index != expected {
            return Err(SliverError::WrongIndex { expected, got: index });
        }
        let bytes = metadata.params().sliver_bytes(sliver_type, metadata.symbol_size());
        if sliver.data.len() != bytes {
            return Err(SliverError::WrongLength { expected: bytes, got: sliver.data.len() });
        }
        if sliver.symbol_size != metadata.symbol_size() {
            let (expected, got) = (metadata.symbol_size(), sliver.symbol_size);
            return Err(SliverError::WrongSymbolSize { expected, got });
        }
        let (params, size) = (metadata.params(), sliver.symbol_size);
        let (engine, buffers) = (&mut self.engine, &mut self.buffers);
        let root = expanded_root(engine, buffers, params, size, sliver_type, sliver.data);
        if !hash.is_root(&root) {
            return Err(SliverError::WrongHash { sliver_type, index });
        }
        Ok(())
    }
}

impl fmt::Debug for SliverChecker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SliverChecker")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{Encoder, Primary, Secondary, Sliver};

    /// What the copying, forgetful way says about the same bytes.
    fn slowly(
        metadata: &VerifiedMetadata,
        sliver_type: SliverType,
        bytes: &[u8],
        expected: SliverIndex,
    ) -> Result<(), SliverError> {
        let params = metadata.params();
        match sliver_type {
            SliverType::Primary => {
                let sliver = Sliver::<Primary>::from_bcs(bytes, params)?;
                metadata.verify_sliver(sliver, expected).map(drop)
            }
            SliverType::Secondary => {
                let sliver = Sliver::<Secondary>::from_bcs(bytes, params)?;
                metadata.verify_sliver(sliver, expected).map(drop)
            }
        }
    }

    /// If this failed, a node would store what the metadata does not commit to, or refuse what it
    /// does; or one sliver would leave traces in the check of the next.
    #[test]
    fn the_checker_says_what_verifying_says() {
        let mut checker = SliverChecker::new();
        for (n, length) in [(10, 5000), (7, 40), (31, 100_000), (10, 0), (13, 2000)] {
            let params = EncodingParams::new(n).unwrap();
            let data: Vec<u8> = (0..length).map(|i: u32| (i * 7 + i / 250) as u8).collect();
            let blob = Encoder::new(params).encode(&data).unwrap();
            let metadata = blob.metadata();
            let mut check = |sliver_type, bytes: &[u8], expected| {
                let result = SliverView::from_bcs(sliver_type, bytes, params)
                    .and_then(|view| checker.check(metadata, &view, expected));
                assert_eq!(result, slowly(metadata, sliver_type, bytes, expected));
                result
            };
            for index in (0..n).map(SliverIndex) {
                for sliver_type in SliverType::BOTH {
                    let bytes = blob.any_sliver(sliver_type, index).unwrap().to_bcs();
                    assert_eq!(check(sliver_type, &bytes, index), Ok(()));
                    assert!(check(sliver_type, &bytes, SliverIndex(index.get() ^ 1)).is_err());
                    assert!(check(sliver_type.orthogonal(), &bytes, index).is_err());
                    let step = (bytes.len() / 7).max(1);
                    for position in (0..bytes.len()).step_by(step).chain([bytes.len() - 1]) {
                        let mut bytes = bytes.clone();
                        bytes[position] ^= 0x10;
                        assert!(check(sliver_type, &bytes, index).is_err(), "byte {position}");
                    }
                    assert!(check(sliver_type, &bytes[..bytes.len() - 1], index).is_err());
                }
            }
        }
    }
}
