//! Many codewords through one call of the coder (docs/protocol/encoding.md section 2.6).
//!
//! The code acts on 16-bit elements independently, but the bytes of an element do not lie side by
//! side: within each whole 64-byte block element `e` is the bytes `e` and `32 + e`, and within a tail
//! of `t` bytes the bytes `e` and `t/2 + e`. The same symbol of many codewords ("lanes") is therefore
//! packed into one long symbol by elements: first the whole blocks of every lane as they are, then the
//! elements of all tails, laid out as blocks.

/// The layout of one symbol of each of `lanes` codewords in one long symbol.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packing {
    lanes: usize,
    /// Bytes of a symbol in whole blocks.
    whole: usize,
    /// Elements of a symbol after its whole blocks.
    tail: usize,
}

const BLOCK: usize = 64;
const HALF: usize = BLOCK / 2;

impl Packing {
    pub(super) fn new(lanes: usize, symbol_bytes: usize) -> Self {
        let whole = symbol_bytes / BLOCK * BLOCK;
        Self { lanes, whole, tail: (symbol_bytes - whole) / 2 }
    }

    /// The length of the long symbol: a multiple of the block.
    pub(super) fn bytes(&self) -> usize {
        self.lanes * self.whole + (self.lanes * self.tail).div_ceil(HALF) * BLOCK
    }

    /// Packs the symbol that begins at `offset` within each lane of `stride` bytes.
    pub(super) fn pack(&self, lanes: &[u8], stride: usize, offset: usize, long: &mut [u8]) {
        let (blocks, tails) = long.split_at_mut(self.lanes * self.whole);
        for lane in 0..self.lanes {
            let symbol = &lanes[lane * stride + offset..][..self.whole + 2 * self.tail];
            let (whole, tail) = symbol.split_at(self.whole);
            blocks[lane * self.whole..][..self.whole].copy_from_slice(whole);
            let (low, high) = tail.split_at(self.tail);
            for (element, (low, high)) in (lane * self.tail..).zip(low.iter().zip(high)) {
                let at = place(element);
                tails[at] = *low;
                tails[at + HALF] = *high;
            }
        }
    }

    /// The inverse of [`Self::pack`].
    pub(super) fn unpack(&self, long: &[u8], lanes: &mut [u8], stride: usize, offset: usize) {
        let (blocks, tails) = long.split_at(self.lanes * self.whole);
        for lane in 0..self.lanes {
            let symbol = &mut lanes[lane * stride + offset..][..self.whole + 2 * self.tail];
            let (whole, tail) = symbol.split_at_mut(self.whole);
            whole.copy_from_slice(&blocks[lane * self.whole..][..self.whole]);
            let (low, high) = tail.split_at_mut(self.tail);
            for (element, (low, high)) in (lane * self.tail..).zip(low.iter_mut().zip(high)) {
                let at = place(element);
                *low = tails[at];
                *high = tails[at + HALF];
            }
        }
    }
}

/// Where the low byte of a tail element lies; the high byte is half a block further.
fn place(element: usize) -> usize {
    element / HALF * BLOCK + element % HALF
}
