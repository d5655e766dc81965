//! Where a quilt's columns lie among the bytes of its blob (section 8.1).

use std::io;
use std::ops::Range;

use super::{INDEX_HEADER_BYTES, MAX_INDEX_COLUMNS};
use crate::params::{EncodingParams, SymbolSize};
use crate::storage::ReadAt;

/// The matrix of a quilt: `p` rows by `s` columns of symbols. The quilt fills all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuiltShape {
    params: EncodingParams,
    symbol_size: SymbolSize,
}

/// A blob whose length shows that it is no quilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the blob is not a quilt: quilts on {n_shards} shards are not {length} bytes long")]
pub struct NotAQuilt {
    /// The blob's length.
    pub length: u64,
    /// The number of shards.
    pub n_shards: u16,
}

impl QuiltShape {
    /// The shape with symbols of this size.
    pub const fn new(params: EncodingParams, symbol_size: SymbolSize) -> Self {
        Self { params, symbol_size }
    }

    /// The shape of a blob of `length` bytes, if it can be a quilt: quilts fill their matrix, and their
    /// first column can hold the head of an index.
    ///
    /// # Errors
    /// [`NotAQuilt`].
    pub fn of_blob(params: EncodingParams, length: u64) -> Result<Self, NotAQuilt> {
        let refused = NotAQuilt { length, n_shards: params.n_shards() };
        let shape = Self::new(params, params.symbol_size(length).map_err(|_| refused)?);
        let fits = shape.quilt_bytes() == length && shape.column_bytes() >= INDEX_HEADER_BYTES;
        fits.then_some(shape).ok_or(refused)
    }

    /// The shape of the code.
    pub const fn params(&self) -> EncodingParams {
        self.params
    }

    /// The length of a symbol.
    pub const fn symbol_size(&self) -> SymbolSize {
        self.symbol_size
    }

    /// How many columns there are, `s`.
    pub const fn columns(&self) -> u16 {
        self.params.secondary_source_symbols()
    }

    /// How many rows there are, `p`.
    pub const fn rows(&self) -> u16 {
        self.params.primary_source_symbols()
    }

    /// Bytes of a column, which are those of a secondary sliver.
    pub const fn column_bytes(&self) -> usize {
        self.rows() as usize * self.symbol_size.bytes()
    }

    /// Bytes of a row.
    pub const fn row_bytes(&self) -> usize {
        self.columns() as usize * self.symbol_size.bytes()
    }

    /// Bytes of the whole quilt.
    pub const fn quilt_bytes(&self) -> u64 {
        self.rows() as u64 * self.row_bytes() as u64
    }

    /// The most files a quilt of this shape can hold: one per column that the index leaves.
    pub const fn max_patches(&self) -> usize {
        self.columns() as usize - 1
    }

    /// The most columns that the index can take.
    pub const fn max_index_columns(&self) -> u16 {
        if self.columns() < MAX_INDEX_COLUMNS { self.columns() } else { MAX_INDEX_COLUMNS }
    }

    /// The bytes of these columns, one column after the other, out of a whole quilt.
    ///
    /// # Errors
    /// If the quilt cannot be read or has fewer columns.
    pub fn read_columns(&self, quilt: &dyn ReadAt, columns: Range<u16>) -> io::Result<Vec<u8>> {
        let columns = self.column_stream(quilt, columns)?;
        let mut bytes = vec![0; usize::try_from(columns.len()).map_err(io::Error::other)?];
        columns.read_at(0, &mut bytes)?;
        Ok(bytes)
    }

    /// The same without holding all of them.
    ///
    /// # Errors
    /// If the quilt has fewer columns.
    pub fn column_stream<'a>(
        &self,
        quilt: &'a dyn ReadAt,
        columns: Range<u16>,
    ) -> io::Result<ColumnBytes<'a>> {
        if columns.start > columns.end || columns.end > self.columns() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(ColumnBytes { shape: *self, quilt, columns })
    }
}

/// Columns of a quilt as one run of bytes.
pub struct ColumnBytes<'a> {
    shape: QuiltShape,
    quilt: &'a dyn ReadAt,
    columns: Range<u16>,
}

impl ColumnBytes<'_> {
    /// Bytes of all the columns.
    pub fn len(&self) -> u64 {
        (self.columns.end - self.columns.start) as u64 * self.shape.column_bytes() as u64
    }

    /// Whether there are no columns.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Fills `buffer` with the bytes from `at` on.
    ///
    /// # Errors
    /// `UnexpectedEof` beyond the columns, or if the quilt cannot be read.
    pub fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        let end = at.checked_add(buffer.len() as u64);
        if end.is_none_or(|end| end > self.len()) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let (z, column_bytes) = (self.shape.symbol_size.bytes(), self.shape.column_bytes() as u64);
        let (mut at, mut rest) = (at, buffer);
        while !rest.is_empty() {
            let column = u64::from(self.columns.start) + at / column_bytes;
            let (row, within) = (at % column_bytes / z as u64, (at % z as u64) as usize);
            let (symbol, later) = rest.split_at_mut(rest.len().min(z - within));
            let offset = row * self.shape.row_bytes() as u64 + column * z as u64 + within as u64;
            self.quilt.read_at(offset, symbol)?;
            at += symbol.len() as u64;
            rest = later;
        }
        Ok(())
    }
}
