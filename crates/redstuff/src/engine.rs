//! Where the arithmetic and the hashing are done.
//!
//! An [`Engine`] knows nothing of blobs: it extends and restores codewords and hashes many messages.
//! [`Plain`] does it as the specification is written and serves as the oracle; [`Fast`] is what
//! everything else uses. All engines give the same bytes.

mod blake2b;
mod fast;
mod gf16;
mod instructions;
mod lanes;
mod plain;

pub use fast::Fast;
pub use instructions::Instructions;
pub use plain::Plain;

/// One of the two codes of a committee: `source` symbols are extended by `repair` more.
///
/// Symbol `t` of a codeword is source symbol `t` below `source` and repair symbol `t - source` above
/// (docs/protocol/encoding.md section 2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
/// Methods take `&mut self` so that an engine can keep tables and buffers between calls.
pub trait Engine {
    /// Computes the repair symbols of codewords.
    ///
    /// `codewords` holds whole codewords one after the other, each [`Code::length`] symbols of
    /// `symbol_bytes` (even, not 0). The source symbols are given; the repair symbols are overwritten.
    fn extend(&mut self, code: Code, symbol_bytes: usize, codewords: &mut [u8]);

    /// Computes the source symbols of codewords from any `code.source` of their symbols.
    ///
    /// `positions` are the `code.source` distinct indices below [`Code::length`] of the symbols that
    /// are known, the same for all codewords. `known` holds, codeword by codeword, the symbols at
    /// these positions in this order; `source` receives the source symbols in the order of the code.
    /// Both have `code.source` symbols a codeword.
    fn restore(
        &mut self,
        code: Code,
        symbol_bytes: usize,
        positions: &[u16],
        known: &[u8],
        source: &mut [u8],
    );

    /// Computes BLAKE2b-256 of the byte `prefix` followed by each of `messages`, which are
    /// `message_bytes` (not 0) long each and lie one after the other.
    fn hash_many(
        &mut self,
        prefix: u8,
        message_bytes: usize,
        messages: &[u8],
        digests: &mut [[u8; 32]],
    );
}
