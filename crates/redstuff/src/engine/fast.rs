//! The engine in use: the `reed-solomon-simd` crate fed with many codewords a call, and several
//! hashes at a time by `blake2b_simd`.

use std::fmt;

use blake2b_simd::Params;
use blake2b_simd::many::{HashManyJob, hash_many};
use reed_solomon_simd::{ReedSolomonDecoder, ReedSolomonEncoder};

use super::lanes::Packing;
use super::{Code, Engine};
use crate::hash::LEAF;

/// Long symbols of about this many bytes keep a coder call's fixed cost small and its working set in
/// the second-level cache.
const EXTEND_BYTES: usize = 512;
/// The same for restoring, where every call has a further fixed cost that no size shrinks.
const RESTORE_BYTES: usize = 8 * 1024;
/// Messages handed to the hash function together; a multiple of the lanes of every instruction set.
const HASH_BATCH: usize = 16;
/// A table of all two-byte leaves pays once this many have been hashed.
const PAIR_TABLE_AFTER: usize = 1 << 16;

/// Computes many codewords and many hashes at a time.
pub struct Fast {
    encoder: Option<(Code, usize, ReedSolomonEncoder)>,
    decoder: Option<(Code, usize, ReedSolomonDecoder)>,
    long: Vec<u8>,
    messages: Vec<u8>,
    hash_params: Params,
    /// Leaf hashes of all two-byte symbols, by the symbol read as a little-endian number.
    pair_table: Vec<[u8; 32]>,
    pairs_hashed: usize,
}

impl Fast {
    /// An engine without buffers or tables yet; they grow with use.
    pub fn new() -> Self {
        Self {
            encoder: None,
            decoder: None,
            long: Vec::new(),
            messages: Vec::new(),
            hash_params: Params::new().hash_length(32).clone(),
            pair_table: Vec::new(),
            pairs_hashed: 0,
        }
    }

    /// A coder for long symbols of `bytes`, and the buffer to pack them in.
    fn encoder(&mut self, code: Code, bytes: usize) -> (&mut ReedSolomonEncoder, &mut Vec<u8>) {
        const LEGAL: &str = "committee sizes in range give legal codes and symbols are even";
        let (source, repair) = (code.source, code.repair);
        let (known_code, known_bytes, encoder) = self.encoder.get_or_insert_with(|| {
            (code, bytes, ReedSolomonEncoder::new(source, repair, bytes).expect(LEGAL))
        });
        if (*known_code, *known_bytes) != (code, bytes) {
            encoder.reset(source, repair, bytes).expect(LEGAL);
            (*known_code, *known_bytes) = (code, bytes);
        }
        (encoder, &mut self.long)
    }

    fn decoder(&mut self, code: Code, bytes: usize) -> (&mut ReedSolomonDecoder, &mut Vec<u8>) {
        const LEGAL: &str = "committee sizes in range give legal codes and symbols are even";
        let (source, repair) = (code.source, code.repair);
        let (known_code, known_bytes, decoder) = self.decoder.get_or_insert_with(|| {
            (code, bytes, ReedSolomonDecoder::new(source, repair, bytes).expect(LEGAL))
        });
        if (*known_code, *known_bytes) != (code, bytes) {
            decoder.reset(source, repair, bytes).expect(LEGAL);
            (*known_code, *known_bytes) = (code, bytes);
        }
        (decoder, &mut self.long)
    }

    /// Extends codewords that go through the coder in one call.
    fn extend_together(&mut self, code: Code, symbol_bytes: usize, codewords: &mut [u8]) {
        let stride = code.length() * symbol_bytes;
        let packing = Packing::new(codewords.len() / stride, symbol_bytes);
        let (encoder, long) = self.encoder(code, packing.bytes());
        long.clear();
        long.resize(packing.bytes(), 0);
        for symbol in 0..code.source {
            packing.pack(codewords, stride, symbol * symbol_bytes, long);
            encoder.add_original_shard(&long).expect("the coder asked for this many symbols");
        }
        let result = encoder.encode().expect("all source symbols were added");
        for (symbol, long) in (code.source..).zip(result.recovery_iter()) {
            packing.unpack(long, codewords, stride, symbol * symbol_bytes);
        }
    }

    /// Extends one codeword whose symbols are long enough to go in as they are.
    fn extend_one(&mut self, code: Code, symbol_bytes: usize, codeword: &mut [u8]) {
        let (encoder, _) = self.encoder(code, symbol_bytes);
        let (source, repair) = codeword.split_at_mut(code.source * symbol_bytes);
        for symbol in source.chunks_exact(symbol_bytes) {
            encoder.add_original_shard(symbol).expect("the coder asked for this many symbols");
        }
        let result = encoder.encode().expect("all source symbols were added");
        for (symbol, repaired) in repair.chunks_exact_mut(symbol_bytes).zip(result.recovery_iter())
        {
            symbol.copy_from_slice(repaired);
        }
    }

    fn restore_together(
        &mut self,
        code: Code,
        symbol_bytes: usize,
        positions: &[u16],
        known: &[u8],
        source: &mut [u8],
    ) {
        let stride = code.source * symbol_bytes;
        let packing = Packing::new(known.len() / stride, symbol_bytes);
        let (decoder, long) = self.decoder(code, packing.bytes());
        long.clear();
        long.resize(packing.bytes(), 0);
        for (at, position) in positions.iter().map(|position| usize::from(*position)).enumerate() {
            packing.pack(known, stride, at * symbol_bytes, long);
            if position < code.source {
                packing.unpack(long, source, stride, position * symbol_bytes);
                decoder.add_original_shard(position, &long)
            } else {
                decoder.add_recovery_shard(position - code.source, &long)
            }
            .expect("positions are distinct and within the code");
        }
        let result = decoder.decode().expect("as many symbols as the code has sources were added");
        for (position, long) in result.restored_original_iter() {
            packing.unpack(long, source, stride, position * symbol_bytes);
        }
    }

    /// Leaf hashes of two-byte symbols out of a table, once enough were asked for to build it.
    fn hash_pairs_by_table(&mut self, messages: &[u8], digests: &mut [[u8; 32]]) -> bool {
        self.pairs_hashed = self.pairs_hashed.saturating_add(digests.len());
        if self.pairs_hashed < PAIR_TABLE_AFTER {
            return false;
        }
        if self.pair_table.is_empty() {
            let all: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_le_bytes).collect();
            let mut table = vec![[0; 32]; 1 << 16];
            self.hash_directly(LEAF, 2, &all, &mut table);
            self.pair_table = table;
        }
        for (pair, digest) in messages.chunks_exact(2).zip(digests) {
            *digest = self.pair_table[usize::from(u16::from_le_bytes([pair[0], pair[1]]))];
        }
        true
    }

    /// Hashes in batches. A message equal to the one before it, as in the padding of a small blob,
    /// is hashed once.
    fn hash_directly(
        &mut self,
        prefix: u8,
        message_bytes: usize,
        messages: &[u8],
        digests: &mut [[u8; 32]],
    ) {
        let stride = 1 + message_bytes;
        self.messages.resize(HASH_BATCH * stride, 0);
        let mut batch = Batch {
            prefix,
            stride,
            buffer: &mut self.messages,
            params: &self.hash_params,
            starts: [0; HASH_BATCH],
            filled: 0,
        };
        let mut previous: Option<&[u8]> = None;
        let mut end = 0;
        for message in messages.chunks_exact(message_bytes) {
            if previous != Some(message) {
                if batch.filled == HASH_BATCH {
                    batch.flush(end, digests);
                }
                batch.push(message, end);
                previous = Some(message);
            }
            end += 1;
        }
        batch.flush(end, digests);
    }
}

/// Distinct messages waiting to be hashed, and where the run of each begins.
struct Batch<'a> {
    prefix: u8,
    stride: usize,
    buffer: &'a mut [u8],
    params: &'a Params,
    starts: [usize; HASH_BATCH],
    filled: usize,
}

impl Batch<'_> {
    fn push(&mut self, message: &[u8], start: usize) {
        let slot = &mut self.buffer[self.filled * self.stride..][..self.stride];
        slot[0] = self.prefix;
        slot[1..].copy_from_slice(message);
        self.starts[self.filled] = start;
        self.filled += 1;
    }

    /// Hashes what waits; the last run ends before `end`.
    fn flush(&mut self, end: usize, digests: &mut [[u8; 32]]) {
        let mut jobs: [HashManyJob<'_>; HASH_BATCH] = std::array::from_fn(|i| {
            HashManyJob::new(self.params, &self.buffer[i * self.stride..][..self.stride])
        });
        let jobs = &mut jobs[..self.filled];
        hash_many(jobs.iter_mut());
        for (i, job) in jobs.iter().enumerate() {
            let run_end = if i + 1 < self.filled { self.starts[i + 1] } else { end };
            let hash = job.to_hash();
            let mut digest = [0; 32];
            digest.copy_from_slice(hash.as_bytes());
            digests[self.starts[i]..run_end].fill(digest);
        }
        self.filled = 0;
    }
}

impl Engine for Fast {
    fn extend(&mut self, code: Code, symbol_bytes: usize, codewords: &mut [u8]) {
        let stride = code.length() * symbol_bytes;
        let together = EXTEND_BYTES / symbol_bytes;
        if together <= 1 {
            codewords
                .chunks_exact_mut(stride)
                .for_each(|one| self.extend_one(code, symbol_bytes, one));
        } else {
            for some in codewords.chunks_mut(together * stride) {
                self.extend_together(code, symbol_bytes, some);
            }
        }
    }

    fn restore(
        &mut self,
        code: Code,
        symbol_bytes: usize,
        positions: &[u16],
        known: &[u8],
        source: &mut [u8],
    ) {
        let together = (RESTORE_BYTES / symbol_bytes).max(1) * code.source * symbol_bytes;
        for (known, source) in known.chunks(together).zip(source.chunks_mut(together)) {
            self.restore_together(code, symbol_bytes, positions, known, source);
        }
    }

    fn hash_many(
        &mut self,
        prefix: u8,
        message_bytes: usize,
        messages: &[u8],
        digests: &mut [[u8; 32]],
    ) {
        let by_table = prefix == LEAF && message_bytes == 2;
        if !by_table || !self.hash_pairs_by_table(messages, digests) {
            self.hash_directly(prefix, message_bytes, messages, digests);
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
        f.debug_struct("Fast").finish_non_exhaustive()
    }
}
