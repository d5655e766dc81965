//! The engine in use: our own kernels, by the fastest instructions that the machine has.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::gf16::{Extender, Restorer, Scratch};
use super::{Code, Engine, Instructions, blake2b};

/// Codes whose tables are kept for the life of the process. There is one committee size, with two
/// codes, in most processes; tests have more, and begin anew.
const KEPT_CODES: usize = 16;

/// Two-byte leaves are looked up rather than hashed from this many in a call: there are only 65,536
/// different ones, and the blob that has so many is small.
const PAIRS_BY_TABLE: usize = 256;

/// Computes many codewords and many hashes at a time.
pub struct Fast {
    instructions: Instructions,
    extenders: Vec<(Code, Extender)>,
    restorer: Option<(Code, Vec<u16>, Restorer)>,
    scratch: Scratch,
}

impl Fast {
    /// An engine that uses all that the machine has. Costs nothing; buffers grow with use.
    pub fn new() -> Self {
        static BEST: OnceLock<Instructions> = OnceLock::new();
        Self::of(*BEST.get_or_init(Instructions::detect))
    }

    /// An engine restricted to some instructions, or nothing if the machine does not have them.
    pub fn with(instructions: Instructions) -> Option<Self> {
        instructions.available().then(|| Self::of(instructions))
    }

    fn of(instructions: Instructions) -> Self {
        Self { instructions, extenders: Vec::new(), restorer: None, scratch: Scratch::default() }
    }

    /// The instructions that it uses.
    pub fn instructions(&self) -> Instructions {
        self.instructions
    }

    /// The place of the code's extender in `self.extenders`.
    fn extender(&mut self, code: Code) -> usize {
        if let Some(place) = self.extenders.iter().position(|(known, _)| *known == code) {
            return place;
        }
        if self.extenders.len() == KEPT_CODES {
            self.extenders.clear();
        }
        self.extenders.push((code, shared_extender(code, self.instructions)));
        self.extenders.len() - 1
    }
}

/// The extender of a code, made once for all engines.
fn shared_extender(code: Code, instructions: Instructions) -> Extender {
    static MADE: Mutex<BTreeMap<(Code, Instructions), Extender>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if made.len() >= KEPT_CODES && !made.contains_key(&(code, instructions)) {
        made.clear();
    }
    made.entry((code, instructions)).or_insert_with(|| Extender::new(code, instructions)).clone()
}

/// Leaf hashes of all two-byte symbols, by the symbol read as a little-endian number.
fn pair_table(instructions: Instructions) -> &'static [[u8; 32]] {
    static TABLE: OnceLock<Vec<[u8; 32]>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let all: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_le_bytes).collect();
        let mut table = vec![[0; 32]; 1 << 16];
        blake2b::hash_leaves(instructions, 2, 2, &all, &mut table);
        table
    })
}

impl Engine for Fast {
    fn extend(
        &mut self,
        code: Code,
        symbol_bytes: usize,
        source: &[&[u8]],
        repair: &mut [&mut [u8]],
    ) {
        let place = self.extender(code);
        self.extenders[place].1.extend(&mut self.scratch, symbol_bytes, source, repair);
    }

    fn restore(
        &mut self,
        code: Code,
        symbol_bytes: usize,
        positions: &[u16],
        known: &[&[u8]],
        missing: &mut [&mut [u8]],
    ) {
        let same = |(c, p, _): &(Code, Vec<u16>, Restorer)| *c == code && p == positions;
        if !self.restorer.as_ref().is_some_and(same) {
            let restorer = Restorer::new(code, positions, self.instructions);
            self.restorer = Some((code, positions.to_vec(), restorer));
        }
        if let Some((_, _, restorer)) = &self.restorer {
            restorer.restore(&mut self.scratch, symbol_bytes, known, missing);
        }
    }

    fn hash_leaves(
        &mut self,
        message_bytes: usize,
        stride: usize,
        messages: &[u8],
        digests: &mut [[u8; 32]],
    ) {
        if message_bytes != 2 || digests.len() < PAIRS_BY_TABLE {
            blake2b::hash_leaves(self.instructions, message_bytes, stride, messages, digests);
            return;
        }
        let table = pair_table(self.instructions);
        for (message, digest) in messages.chunks(stride).zip(digests) {
            *digest = table[usize::from(u16::from_le_bytes([message[0], message[1]]))];
        }
    }

    fn hash_pairs(&mut self, left: &[[u8; 32]], right: &[[u8; 32]], parents: &mut [[u8; 32]]) {
        blake2b::hash_pairs(self.instructions, left, right, parents);
    }

    fn hash_siblings(&mut self, level: &[[u8; 32]], parents: &mut [[u8; 32]]) {
        blake2b::hash_siblings(self.instructions, level, parents);
    }
}

impl Clone for Fast {
    /// Shares tables. Buffers are each engine's own.
    fn clone(&self) -> Self {
        Self {
            instructions: self.instructions,
            extenders: self.extenders.clone(),
            restorer: self.restorer.clone(),
            scratch: Scratch::default(),
        }
    }
}

impl Default for Fast {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Fast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fast").field("instructions", &self.instructions).finish_non_exhaustive()
    }
}
