//! How the bytes of symbols become blocks of elements.
//!
//! In a symbol of `z` bytes, element `e` of a whole block of 64 bytes is the bytes `e` and `32 + e`, and
//! element `e` of the tail of `t` bytes is the bytes `e` and `t/2 + e` (docs/protocol/encoding.md
//! section 2.4). The same symbol of many lanes lies side by side in memory. Whole blocks are taken as
//! they are; as many tails as 64 bytes hold are set side by side and their bytes rearranged, so that
//! low and high bytes lie 32 apart again. Symbols below 64 bytes are nothing but tails.

use super::kernel::{Block, Kernel};

/// Where a block's bytes lie in a symbol of all lanes: `pieces` of `piece` bytes, at most 64 in all,
/// the first at `offset` and each `step` after the one before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) offset: usize,
    pub(super) piece: usize,
    pub(super) pieces: usize,
    pub(super) step: usize,
    /// Whether the bytes are tails, to be rearranged.
    pub(super) shuffled: bool,
}

impl Place {
    /// The bytes up to the last one of the block.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn end(&self) -> usize {
        self.offset + (self.pieces - 1) * self.step + self.piece
    }

    /// The bytes of the block in the order of the symbol, then zeros.
    #[inline]
    pub(super) fn collect(&self, symbol: &[u8]) -> Block {
        let mut block = Block([0; 64]);
        for (piece, bytes) in block.0.chunks_mut(self.piece).take(self.pieces).enumerate() {
            copy(&symbol[self.offset + piece * self.step..][..self.piece], bytes);
        }
        block
    }

    /// The inverse of [`Self::collect`].
    #[inline]
    pub(super) fn distribute(&self, block: &Block, symbol: &mut [u8]) {
        for (piece, bytes) in block.0.chunks(self.piece).take(self.pieces).enumerate() {
            copy(bytes, &mut symbol[self.offset + piece * self.step..][..self.piece]);
        }
    }
}

/// Copies 2 to 64 bytes, faster than a call would: both ends, which may overlap.
#[inline]
fn copy(from: &[u8], to: &mut [u8]) {
    match from.len() {
        32.. => copy_ends::<32>(from, to),
        16.. => copy_ends::<16>(from, to),
        8.. => copy_ends::<8>(from, to),
        4.. => copy_ends::<4>(from, to),
        _ => copy_ends::<2>(from, to),
    }
}

#[inline]
fn copy_ends<const BYTES: usize>(from: &[u8], to: &mut [u8]) {
    let last = from.len() - BYTES;
    to[..BYTES].copy_from_slice(&from[..BYTES]);
    to[last..].copy_from_slice(&from[last..]);
}

/// The blocks of a symbol of some lanes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packing {
    lanes: usize,
    symbol_bytes: usize,
    /// Whole blocks in a lane.
    whole: usize,
    /// Bytes in a lane after its whole blocks.
    tail: usize,
}

/// Blocks of each symbol that are worked on together: enough to spread the cost of finding the twiddles,
/// few enough for the symbols of a code of 1000 to stay in the second-level cache.
pub(super) const STRIP_BLOCKS: usize = 4;

/// The places of a strip's blocks, and both rearrangements of tails.
pub(super) struct Strip<'a, K: Kernel> {
    places: [Place; STRIP_BLOCKS],
    count: usize,
    pub(super) shuffles: &'a Shuffles<K>,
}

/// From bytes to elements and back.
pub(super) struct Shuffles<K: Kernel> {
    pub(super) gather: K::Shuffle,
    pub(super) scatter: K::Shuffle,
}

impl Packing {
    /// # Panics
    ///
    /// If `symbol_bytes` is odd or zero, or does not divide `bytes`, the length of a symbol of all lanes.
    pub(super) fn new(symbol_bytes: usize, bytes: usize) -> Self {
        assert!(symbol_bytes > 0 && symbol_bytes.is_multiple_of(2), "symbols are whole elements");
        assert!(bytes.is_multiple_of(symbol_bytes), "lanes are whole symbols");
        let (whole, tail) = (symbol_bytes / 64, symbol_bytes % 64);
        Self { lanes: bytes / symbol_bytes, symbol_bytes, whole, tail }
    }

    /// Tails that share a block.
    fn together(&self) -> usize {
        64_usize.checked_div(self.tail).unwrap_or(1)
    }

    fn blocks(&self) -> usize {
        let tails = if self.tail == 0 { 0 } else { self.lanes.div_ceil(self.together()) };
        self.lanes * self.whole + tails
    }

    /// All whole blocks come before all tails.
    fn place(&self, block: usize) -> Place {
        let whole = self.lanes * self.whole;
        if block < whole {
            let (lane, within) = (block / self.whole, block % self.whole);
            let offset = lane * self.symbol_bytes + within * 64;
            return Place { offset, piece: 64, pieces: 1, step: 64, shuffled: false };
        }
        let first = (block - whole) * self.together();
        let pieces = self.together().min(self.lanes - first);
        let offset = first * self.symbol_bytes + self.whole * 64;
        if self.whole == 0 {
            // Tails that are side by side anyway are one piece.
            let piece = pieces * self.tail;
            return Place { offset, piece, pieces: 1, step: piece, shuffled: true };
        }
        Place { offset, piece: self.tail, pieces, step: self.symbol_bytes, shuffled: true }
    }

    /// The rearrangements of a block of tails.
    pub(super) fn shuffles<K: Kernel>(&self, kernel: K) -> Shuffles<K> {
        let (mut gather, mut scatter) = ([0; 64], [0; 64]);
        let half = self.tail / 2;
        for lane in 0..self.together() {
            for element in 0..half {
                let elements_before = lane * half;
                for (from, to) in [(0, 0), (half, 32)] {
                    let from = lane * self.tail + from + element;
                    let to = to + elements_before + element;
                    gather[to] = from as u8;
                    scatter[from] = to as u8;
                }
            }
        }
        Shuffles { gather: kernel.shuffle(&gather), scatter: kernel.shuffle(&scatter) }
    }

    /// The strips that all blocks fall into.
    pub(super) fn strips<'a, K: Kernel>(
        self,
        shuffles: &'a Shuffles<K>,
    ) -> impl Iterator<Item = Strip<'a, K>> {
        (0..self.blocks()).step_by(STRIP_BLOCKS).map(move |first| {
            let count = STRIP_BLOCKS.min(self.blocks() - first);
            let last = first + count - 1;
            let places = std::array::from_fn(|block| self.place(last.min(first + block)));
            Strip { places, count, shuffles }
        })
    }
}

impl<K: Kernel> Strip<'_, K> {
    /// The number of units that the strip has of each symbol.
    pub(super) fn columns(&self) -> usize {
        self.count.div_ceil(K::BLOCKS)
    }

    /// The places of each column's blocks.
    #[inline(always)]
    pub(super) fn places(&self) -> impl Iterator<Item = &[Place]> {
        self.places[..self.count].chunks(K::BLOCKS)
    }
}
