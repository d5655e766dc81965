//! Parts of a blob, each provable by itself (docs/protocol/node.md, "Runs of symbols").
//!
//! The bytes of a blob are the symbols of its first `p` rows, one row after the other, so that a range
//! of bytes is covered by one run of neighbouring symbols in each row that it touches. A run is proven
//! in two steps, neither of which needs the blob's metadata of `66 n` bytes:
//!
//! 1. [`SliverHashProof`]: the blob id commits to these hashes of a sliver pair, and to the length.
//! 2. [`RunProof`]: the hash of the row commits to these symbols at these columns.
//!
//! [`SymbolRun`] carries both with the symbols. With `D` the nodes on a Merkle path, a run of `c`
//! symbols of `z` bytes takes at most `c z + 96 D + 83` bytes, and a range of `L` bytes takes at most
//! `L + 2 z + R (96 D + 83)` bytes in `R = 2 + L / (s z)` rows or fewer.

mod proof;
mod sliver_hash;
mod symbol_run;

use std::ops::Range;

use crate::axis::SliverType;
use crate::bcs::uleb_len;
use crate::index::{SliverIndex, SliverPairIndex};
use crate::params::{DataTooLarge, EncodingParams, SymbolSize};

pub use proof::RunProof;
pub use sliver_hash::{ProvenSliverHashes, SliverHashError, SliverHashProof};
pub use symbol_run::{RunError, SymbolRun, VerifiedRun};

/// Neighbouring symbols of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowRun {
    /// The row: the index of the primary sliver, which is also that of its pair.
    pub row: SliverIndex,
    /// The column of the first symbol.
    pub first: SliverIndex,
    /// The number of symbols, at least 1.
    pub count: u16,
}

impl RowRun {
    /// The sliver pair whose primary sliver the symbols lie on.
    pub const fn pair(self) -> SliverPairIndex {
        SliverPairIndex(self.row.0)
    }

    /// The columns of the symbols.
    pub const fn columns(self) -> Range<usize> {
        let first = self.first.as_usize();
        first..first + self.count as usize
    }

    /// Whether the run is all that a primary sliver holds.
    pub const fn is_whole_sliver(self, params: EncodingParams) -> bool {
        self.first.0 == 0 && self.count == params.secondary_source_symbols()
    }

    /// Whether all symbols lie on a primary sliver, and there are any.
    pub const fn is_on_sliver(self, params: EncodingParams) -> bool {
        self.row.0 < params.n_shards()
            && self.count > 0
            && self.columns().end <= params.secondary_source_symbols() as usize
    }

    /// The length of the symbols in bytes.
    pub const fn bytes(self, symbol_size: SymbolSize) -> usize {
        self.count as usize * symbol_size.bytes()
    }

    /// The serialised length of the [`SymbolRun`] of these symbols.
    pub fn bcs_len(self, params: EncodingParams, symbol_size: SymbolSize) -> usize {
        let (n, bytes) = (usize::from(params.n_shards()), self.bytes(symbol_size));
        let proof = RunProof::digests(self.columns(), n);
        let pair = usize::from(self.row.get());
        let path = RunProof::digests(pair..pair + 1, n);
        SliverHashProof::FIXED_BYTES + 2 + uleb_len(bytes) + bytes + 1 + 32 * (proof + path)
    }
}

/// Why bytes of a blob cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// The range is not within the blob.
    #[error("bytes {start} to {end} are not within a blob of {length} bytes")]
    OutOfBlob {
        /// The first byte asked for.
        start: u64,
        /// The first byte that is not.
        end: u64,
        /// The blob's length.
        length: u64,
    },
    /// There is no blob of this length.
    #[error(transparent)]
    TooLarge(#[from] DataTooLarge),
    /// Symbols are missing.
    #[error("symbols from column {first} on of row {row} are missing")]
    Missing {
        /// The row.
        row: SliverIndex,
        /// The column of the first missing symbol.
        first: SliverIndex,
    },
}

/// The symbols that hold a range of a blob's bytes: exactly those with a byte of the range in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeCover {
    params: EncodingParams,
    symbol_size: SymbolSize,
    range: Range<u64>,
}

impl RangeCover {
    /// The cover of `range` in a blob of `length` bytes. An empty range is covered by nothing.
    ///
    /// # Errors
    /// [`RangeError::OutOfBlob`] or [`RangeError::TooLarge`].
    pub fn new(params: EncodingParams, length: u64, range: Range<u64>) -> Result<Self, RangeError> {
        let Range { start, end } = range;
        if start > end || end > length {
            return Err(RangeError::OutOfBlob { start, end, length });
        }
        Ok(Self { params, symbol_size: params.symbol_size(length)?, range })
    }

    /// The range.
    pub fn range(&self) -> Range<u64> {
        self.range.clone()
    }

    /// The blob's symbol size.
    pub fn symbol_size(&self) -> SymbolSize {
        self.symbol_size
    }

    /// The rows that the range touches.
    pub fn rows(&self) -> Range<u16> {
        if self.range.is_empty() {
            return 0..0;
        }
        let row = |offset: u64| (offset / self.row_bytes()) as u16;
        row(self.range.start)..row(self.range.end - 1) + 1
    }

    /// One run for each row that the range touches, in order.
    pub fn runs(&self) -> impl Iterator<Item = RowRun> + '_ {
        let z = self.symbol_size.bytes() as u64;
        self.rows().map(move |row| {
            let part = self.part_in_row(SliverIndex(row));
            let (first, end) = (part.start / z, part.end.div_ceil(z));
            RowRun {
                row: SliverIndex(row),
                first: SliverIndex(first as u16),
                count: (end - first) as u16,
            }
        })
    }

    /// Puts the range together from the runs of [`Self::runs`], or from longer ones, in any order.
    /// Runs that are not needed, or are of another blob size, are ignored.
    ///
    /// # Errors
    /// [`RangeError::Missing`].
    pub fn assemble<'a>(
        &self,
        runs: impl IntoIterator<Item = &'a VerifiedRun>,
    ) -> Result<Vec<u8>, RangeError> {
        let rows = self.rows();
        let mut parts: Vec<Option<&[u8]>> = vec![None; rows.len()];
        for run in runs {
            let wanted =
                run.symbol_size() == self.symbol_size && rows.contains(&run.run().row.get());
            if wanted && let Some(part) = self.part_of(run) {
                parts[usize::from(run.run().row.get() - rows.start)] = Some(part);
            }
        }
        let mut bytes = Vec::with_capacity((self.range.end - self.range.start) as usize);
        for (part, run) in parts.into_iter().zip(self.runs()) {
            let missing = RangeError::Missing { row: run.row, first: run.first };
            bytes.extend_from_slice(part.ok_or(missing)?);
        }
        Ok(bytes)
    }

    /// What a run gives of the range, unless it lacks a part of its row's.
    fn part_of<'a>(&self, run: &'a VerifiedRun) -> Option<&'a [u8]> {
        let part = self.part_in_row(run.run().row);
        let start = (run.run().first.as_usize() * self.symbol_size.bytes()) as u64;
        let from = part.start.checked_sub(start)? as usize;
        run.data().get(from..from + (part.end - part.start) as usize)
    }

    /// The bytes of the range in a row that it touches, counted from the row's first byte.
    fn part_in_row(&self, row: SliverIndex) -> Range<u64> {
        let start = u64::from(row.get()) * self.row_bytes();
        let end = start + self.row_bytes();
        self.range.start.max(start) - start..self.range.end.min(end) - start
    }

    fn row_bytes(&self) -> u64 {
        self.params.sliver_bytes(SliverType::Primary, self.symbol_size) as u64
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn run(row: u16, first: u16, count: u16) -> RowRun {
        RowRun { row: SliverIndex(row), first: SliverIndex(first), count }
    }

    /// If this failed, a reader would fetch symbols that hold nothing of the range, or too few.
    #[test]
    fn covers_are_exact() {
        // n = 7: 3 rows of 5 symbols; 61 bytes: symbols of 6 bytes, rows of 30.
        let params = EncodingParams::new(7).unwrap();
        let cover = |range| RangeCover::new(params, 61, range).unwrap().runs().collect::<Vec<_>>();
        assert_eq!(cover(0..1), [run(0, 0, 1)]);
        assert_eq!(cover(5..7), [run(0, 0, 2)]);
        assert_eq!(cover(6..12), [run(0, 1, 1)]);
        assert_eq!(cover(29..31), [run(0, 4, 1), run(1, 0, 1)]);
        assert_eq!(cover(0..61), [run(0, 0, 5), run(1, 0, 5), run(2, 0, 1)]);
        assert_eq!(cover(60..61), [run(2, 0, 1)]);
        assert_eq!(cover(17..17), []);
        for (start, end) in [(0, 62), (62, 62), (7, 6), (u64::MAX, u64::MAX)] {
            let refused = RangeError::OutOfBlob { start, end, length: 61 };
            assert_eq!(RangeCover::new(params, 61, start..end), Err(refused));
        }
        let large = params.max_blob_size();
        let last = RangeCover::new(params, large, large - 1..large).unwrap();
        assert_eq!(last.runs().collect::<Vec<_>>(), [run(2, 4, 1)]);
        assert!(RangeCover::new(params, large + 1, 0..1).is_err());
    }
}
