//! One lane, in the registers that every machine has.

use super::Digest32;
use super::compress::{BLOCK_BYTES, Lanes};
use super::rows::{Leaves, Rows};
use super::trees::{self, Nodes};

/// One message at a time.
#[derive(Clone, Copy)]
pub(super) struct Portable;

impl Lanes<1> for Portable {
    type Word = u64;

    #[inline(always)]
    fn splat(self, number: u64) -> u64 {
        number
    }

    #[inline(always)]
    fn add(self, a: u64, b: u64) -> u64 {
        a.wrapping_add(b)
    }

    #[inline(always)]
    fn xor(self, a: u64, b: u64) -> u64 {
        a ^ b
    }

    #[inline(always)]
    fn rotate<const BITS: u32>(self, a: u64) -> u64 {
        a.rotate_right(BITS)
    }

    #[inline(always)]
    fn load<const WORDS: usize>(self, rows: Rows<'_, 1>, shift: usize) -> [u64; 16] {
        load_words::<WORDS>(rows.row(0), shift)
    }

    #[inline(always)]
    fn load_nodes(self, left: [&Digest32; 1], right: [&Digest32; 1]) -> [u64; 16] {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(left[0]);
        bytes[32..].copy_from_slice(right[0]);
        let mut words = load_words::<9>(&bytes, 1);
        words[0] |= 1;
        words
    }

    #[inline(always)]
    fn store(self, state: [u64; 4], digests: &mut [Digest32; 1]) {
        for (bytes, word) in digests[0].as_chunks_mut().0.iter_mut().zip(state) {
            *bytes = word.to_le_bytes();
        }
    }

    #[inline(never)]
    fn hash_short<const WORDS: usize>(self, leaves: Leaves<'_>, digests: &mut [Digest32]) {
        trees::hash_short::<WORDS, 1, Self>(self, leaves, digests);
    }

    #[inline(never)]
    fn hash_long(self, leaves: Leaves<'_>, digests: &mut [Digest32]) {
        trees::hash_long(self, leaves, digests);
    }

    #[inline(never)]
    fn hash_nodes(self, nodes: Nodes<'_>, parents: &mut [Digest32]) {
        trees::hash_nodes(self, nodes, parents);
    }
}

/// The words of a block that has `shift` (0 or 1) zero bytes followed by `row`; those from `WORDS`
/// on are zero.
#[inline(always)]
pub(super) fn load_words<const WORDS: usize>(row: &[u8], shift: usize) -> [u64; 16] {
    let mut words = [0; 16];
    if let (0, Ok(block)) = (shift, <&[u8; BLOCK_BYTES]>::try_from(row)) {
        for (word, bytes) in words.iter_mut().zip(block.as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        return words;
    }
    // The first word takes one byte fewer if there is a shift, so the others begin there.
    let (head, tail) = row.split_at(row.len().min(8 - shift));
    words[0] = load_word(head) << (8 * shift);
    let (whole, rest) = tail.as_chunks();
    let mut at = 1;
    for bytes in whole.iter().take(WORDS - 1) {
        words[at] = u64::from_le_bytes(*bytes);
        at += 1;
    }
    if at < WORDS {
        words[at] = load_word(rest);
    }
    words
}

/// At most 8 bytes as a little-endian number. Two overlapping reads are sooner done than a copy of a
/// length that is not known.
#[inline(always)]
fn load_word(bytes: &[u8]) -> u64 {
    let ends = |low: u64, high: u64, width: usize| low | high << (8 * (bytes.len() - width));
    if let (Some(low), Some(high)) = (bytes.first_chunk(), bytes.last_chunk()) {
        ends(u32::from_le_bytes(*low).into(), u32::from_le_bytes(*high).into(), 4)
    } else if let (Some(low), Some(high)) = (bytes.first_chunk(), bytes.last_chunk()) {
        ends(u16::from_le_bytes(*low).into(), u16::from_le_bytes(*high).into(), 2)
    } else {
        bytes.first().map_or(0, |byte| (*byte).into())
    }
}
