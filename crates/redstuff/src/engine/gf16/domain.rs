//! Where the symbols of a codeword lie among the evaluation points.

use super::Code;

/// The placement of a code's symbols (docs/protocol/encoding.md section 2.4).
///
/// The points fall into blocks of a power of two. The shorter of source and repair symbols has the
/// first block, the longer the following ones. In the low rate, where the source symbols come first, the
/// rest of their block is known to be zero, and beyond the last repair symbol nothing is known; in the
/// high rate nothing is known of the rest of the first block, and all beyond the last source symbol is
/// zero.
#[derive(Debug, Clone, Copy)]
pub(super) struct Domain {
    /// Points in a block.
    pub(super) block: usize,
    /// The point of the first source symbol.
    pub(super) source: usize,
    /// The point of the first repair symbol.
    pub(super) repair: usize,
}

impl Domain {
    /// # Panics
    ///
    /// If the code is not legal.
    pub(super) fn new(code: Code) -> Self {
        assert!(code.source > 0 && code.repair > 0, "a code has source and repair symbols");
        let (source, repair) = (code.source.next_power_of_two(), code.repair.next_power_of_two());
        let high = source > repair || (source == repair && code.source <= code.repair);
        let (block, others) = if high { (repair, code.source) } else { (source, code.repair) };
        assert!(block + others <= 1 << 16, "the field has a point for each symbol");
        if high {
            Self { block, source: block, repair: 0 }
        } else {
            Self { block, source: 0, repair: block }
        }
    }
}

impl Domain {
    /// Whether nothing is known at each point of the domain, a power of two of blocks of which the number
    /// comes second. `lacking` tells whether the symbol at a position is unknown.
    pub(super) fn erased(&self, code: Code, lacking: impl Fn(usize) -> bool) -> (Vec<bool>, usize) {
        let low = self.source == 0;
        let others = if low { code.repair } else { code.source };
        let blocks = (1 + others.div_ceil(self.block)).next_power_of_two();
        let mut erased = vec![low; blocks * self.block];
        erased[..self.block].fill(!low);
        for position in 0..code.source {
            erased[self.source + position] = lacking(position);
        }
        for repair in 0..code.repair {
            erased[self.repair + repair] = lacking(code.source + repair);
        }
        (erased, blocks)
    }
}

/// The logarithm of a power of two.
pub(super) fn layers(block: usize) -> usize {
    block.trailing_zeros() as usize
}
