//! Where the arithmetic and the hashing are done.
//!
//! An [`Engine`] knows nothing of blobs: it extends and restores codewords and hashes many messages.
//! [`Plain`] does it as the specification is written and serves as the oracle; [`Fast`] is what
//! everything else uses. All engines give the same bytes.

mod blake2b;
mod fast;
mod gf16;
mod instructions;
mod plain;

pub use fast::Fast;
pub use instructions::Instructions;
pub use plain::Plain;

/// One of the two codes of a committee: `source` symbols are extended by `repair` more.
///
/// Symbol `t` of a codeword is source symbol `t` below `source` and repair symbol `t - source` above
/// (docs/protocol/encoding.md section 2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code {
    /// The number of source symbols, at least 1.
    pub source: usize,
    /// The number of repair symbols, at least 1.
    pub repair: usize,
}

impl Code {
    /// The length of a codeword in symbols.
    pub const fn length(self) -> usize {
        self.source + self.repair
    }
}

/// Arithmetic and hashing, many at a time.
///
/// Codewords are worked on side by side. A *line* is the same symbol of several codewords, one after
/// the other: its length is a multiple of `symbol_bytes`, which is even and not 0, and all lines of a
/// call are equally long. An empty line stands for zeros.
///
/// Methods take `&mut self` so that an engine can keep tables and buffers between calls. Clones share
/// tables, not buffers: every thread has its own.
pub trait Engine: Clone + Send {
    /// Computes the repair symbols of codewords: [`Code::source`] lines give [`Code::repair`] lines, of
    /// which every byte is overwritten.
    fn extend(
        &mut self,
        code: Code,
        symbol_bytes: usize,
        source: &[&[u8]],
        repair: &mut [&mut [u8]],
    );

    /// Computes the source symbols that are missing from any `code.source` symbols of codewords.
    ///
    /// `positions` are the distinct indices below [`Code::length`] of the symbols that are known, and
    /// `known` their lines in the same order. `missing` receives the lines of the source symbols that
    /// are not among them, in ascending order.
    fn restore(
        &mut self,
        code: Code,
        symbol_bytes: usize,
        positions: &[u16],
        known: &[&[u8]],
        missing: &mut [&mut [u8]],
    );

    /// Computes the hashes of Merkle leaves: `digests[i]` is BLAKE2b-256 of a zero byte and the
    /// `message_bytes` (not 0) bytes at `messages[i * stride..]`.
    fn hash_leaves(
        &mut self,
        message_bytes: usize,
        stride: usize,
        messages: &[u8],
        digests: &mut [[u8; 32]],
    );

    /// Computes the hashes of Merkle nodes: `parents[i]` is BLAKE2b-256 of a one byte, `left[i]` and
    /// `right[i]`.
    fn hash_pairs(&mut self, left: &[[u8; 32]], right: &[[u8; 32]], parents: &mut [[u8; 32]]);

    /// As [`Self::hash_pairs`] for neighbours: the children of `parents[i]` are `level[2 * i]` and
    /// `level[2 * i + 1]`.
    fn hash_siblings(&mut self, level: &[[u8; 32]], parents: &mut [[u8; 32]]);
}

/// The source symbols that are not among `positions`, ascending.
pub(crate) fn missing_sources(code: Code, positions: &[u16]) -> Vec<u16> {
    let mut known = vec![false; code.source];
    for position in positions.iter().map(|position| usize::from(*position)) {
        if let Some(known) = known.get_mut(position) {
            *known = true;
        }
    }
    // A position is a u16, and so is every source symbol that can be one.
    (0..code.source as u16).filter(|source| !known[usize::from(*source)]).collect()
}
