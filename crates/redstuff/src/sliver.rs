//! Slivers, checked and verified (docs/protocol/encoding.md sections 2.2 and 2.5).

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, Range};
use std::sync::Arc;

use crate::any_sliver::AnyVerifiedSliver;
use crate::axis::{Axis, Primary, Secondary, SliverType};
use crate::bcs::{BcsError, Reader, Writer};
use crate::blob_id::BlobId;
use crate::buffer::Buffer;
use crate::index::SliverIndex;
use crate::params::{EncodingParams, SymbolSize};

/// Part of a buffer that several slivers share, so that cloning a sliver copies nothing.
#[derive(Clone)]
pub(crate) struct SharedBytes {
    buffer: Arc<Buffer>,
    range: Range<usize>,
}

impl SharedBytes {
    pub(crate) fn new(buffer: Arc<Buffer>, range: Range<usize>) -> Self {
        Self { buffer, range }
    }
}

impl From<Vec<u8>> for SharedBytes {
    fn from(bytes: Vec<u8>) -> Self {
        let range = 0..bytes.len();
        Self::new(Arc::new(bytes.into()), range)
    }
}

impl Deref for SharedBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.buffer[self.range.clone()]
    }
}

/// Why data is not a sliver, or not the right one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SliverError {
    /// The index is not below the number of shards.
    #[error("sliver index {index} is not below the number of shards, {n_shards}")]
    IndexOutOfRange {
        /// The sliver's index.
        index: SliverIndex,
        /// The number of shards.
        n_shards: u16,
    },
    /// Another sliver was asked for.
    #[error("sliver {expected} was asked for, not {got}")]
    WrongIndex {
        /// The index asked for.
        expected: SliverIndex,
        /// The sliver's index.
        got: SliverIndex,
    },
    /// The data is longer or shorter than every sliver of this type of this blob.
    #[error("sliver data must be {expected} bytes long, not {got}")]
    WrongLength {
        /// The length needed.
        expected: usize,
        /// The data's length.
        got: usize,
    },
    /// The symbol size is not that of the blob.
    #[error("symbols must be {expected} bytes long, not {got}")]
    WrongSymbolSize {
        /// The blob's symbol size.
        expected: SymbolSize,
        /// The sliver's symbol size.
        got: SymbolSize,
    },
    /// The data is not what the metadata commits to: whoever sent it is to blame, unless the blob is
    /// inconsistent.
    #[error("{sliver_type} sliver {index} does not match the blob's metadata")]
    WrongHash {
        /// The sliver's type.
        sliver_type: SliverType,
        /// The sliver's index.
        index: SliverIndex,
    },
    /// The bytes are not a sliver at all.
    #[error("malformed sliver")]
    Malformed(#[from] BcsError),
}

/// Sliver data whose length, symbol size and index fit the number of shards. Its hash has not been
/// checked, nor that the symbol size is that of a certain blob.
///
/// A primary sliver is `s` symbols of a row, a secondary sliver `p` symbols of a column.
#[derive(Clone)]
pub struct Sliver<A> {
    index: SliverIndex,
    symbol_size: SymbolSize,
    data: SharedBytes,
    axis: PhantomData<A>,
}

impl<A: Axis> Sliver<A> {
    /// A sliver out of its parts.
    ///
    /// # Errors
    /// [`SliverError::IndexOutOfRange`] or [`SliverError::WrongLength`].
    pub fn new(
        params: EncodingParams,
        index: SliverIndex,
        symbol_size: SymbolSize,
        data: Vec<u8>,
    ) -> Result<Self, SliverError> {
        check_shape::<A>(params, index, symbol_size, data.len())?;
        Ok(Self::from_checked(index, symbol_size, data.into()))
    }

    pub(crate) fn from_checked(
        index: SliverIndex,
        symbol_size: SymbolSize,
        data: SharedBytes,
    ) -> Self {
        Self { index, symbol_size, data, axis: PhantomData }
    }

    /// Parses a serialised sliver: data, symbol size and index. The bytes do not tell the axis.
    ///
    /// # Errors
    /// [`SliverError`] if the bytes are not the one form of a sliver of this axis, whatever the blob.
    pub fn from_bcs(bytes: &[u8], params: EncodingParams) -> Result<Self, SliverError> {
        let mut reader = Reader::bounded(bytes, params.max_sliver_bcs_len())?;
        let sliver = Self::read(&mut reader, params)?;
        reader.finish()?;
        Ok(sliver)
    }

    /// Reads a sliver from within other data, as [`Self::from_bcs`].
    ///
    /// # Errors
    /// As [`Self::from_bcs`].
    pub fn read(reader: &mut Reader<'_>, params: EncodingParams) -> Result<Self, SliverError> {
        let data = reader.bytes(params.max_sliver_bcs_len())?;
        let symbol_bytes = reader.u16()?;
        let invalid = BcsError::InvalidValue { what: "symbol size", got: symbol_bytes.into() };
        let symbol_size = SymbolSize::new(symbol_bytes).ok_or(invalid)?;
        let index = SliverIndex(reader.u16()?);
        check_shape::<A>(params, index, symbol_size, data.len())?;
        Ok(Self::from_checked(index, symbol_size, data.to_vec().into()))
    }

    /// The serialised sliver.
    pub fn to_bcs(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(self.data.len() + 9);
        self.write(&mut writer);
        writer.finish()
    }

    /// Appends the serialised sliver to other data.
    pub fn write(&self, writer: &mut Writer) {
        writer.bytes(&self.data);
        writer.u16(self.symbol_size.get());
        writer.u16(self.index.get());
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
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// Symbol `position` of the sliver, if it has that many.
    pub fn symbol(&self, position: usize) -> Option<&[u8]> {
        self.data.chunks_exact(self.symbol_size.bytes()).nth(position)
    }
}

fn check_shape<A: Axis>(
    params: EncodingParams,
    index: SliverIndex,
    symbol_size: SymbolSize,
    length: usize,
) -> Result<(), SliverError> {
    if index.get() >= params.n_shards() {
        return Err(SliverError::IndexOutOfRange { index, n_shards: params.n_shards() });
    }
    let expected = params.sliver_bytes(A::TYPE, symbol_size);
    if length != expected {
        return Err(SliverError::WrongLength { expected, got: length });
    }
    Ok(())
}

impl<A> PartialEq for Sliver<A> {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index
            && self.symbol_size == other.symbol_size
            && *self.data == *other.data
    }
}

impl<A> Eq for Sliver<A> {}

impl<A: Axis> fmt::Debug for Sliver<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sliver({} {}, {} bytes)", A::TYPE, self.index, self.data.len())
    }
}

/// A sliver known to be the one that the metadata of a blob commits to.
///
/// It comes from [`VerifiedMetadata::verify_sliver`](crate::VerifiedMetadata::verify_sliver), from an
/// [`Encoder`](crate::Encoder) or from [`recover_sliver`](crate::recover_sliver), and remembers the blob.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifiedSliver<A> {
    sliver: Sliver<A>,
    blob_id: BlobId,
}

impl<A: Axis> VerifiedSliver<A> {
    pub(crate) fn new_verified(sliver: Sliver<A>, blob_id: BlobId) -> Self {
        Self { sliver, blob_id }
    }

    /// The blob that the sliver is part of.
    pub fn blob_id(&self) -> &BlobId {
        &self.blob_id
    }

    /// The sliver without the knowledge that it is right.
    pub fn into_sliver(self) -> Sliver<A> {
        self.sliver
    }
}

impl<A> Deref for VerifiedSliver<A> {
    type Target = Sliver<A>;

    fn deref(&self) -> &Sliver<A> {
        &self.sliver
    }
}

impl<A> AsRef<Sliver<A>> for VerifiedSliver<A> {
    fn as_ref(&self) -> &Sliver<A> {
        &self.sliver
    }
}

impl<A: Axis> fmt::Debug for VerifiedSliver<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verified{:?}", self.sliver)
    }
}

/// The two slivers of a blob that one shard keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SliverPair {
    /// Primary sliver `k` of pair `k`.
    pub primary: VerifiedSliver<Primary>,
    /// Secondary sliver `n - 1 - k` of pair `k`.
    pub secondary: VerifiedSliver<Secondary>,
}

impl SliverPair {
    /// The sliver of the given type.
    pub fn sliver(&self, sliver_type: SliverType) -> AnyVerifiedSliver {
        match sliver_type {
            SliverType::Primary => AnyVerifiedSliver::Primary(self.primary.clone()),
            SliverType::Secondary => AnyVerifiedSliver::Secondary(self.secondary.clone()),
        }
    }
}
