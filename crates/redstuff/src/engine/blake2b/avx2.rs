//! Four messages at a time with AVX2.
#![allow(unsafe_code)]

use std::arch::x86_64::*;
use std::hint::black_box;

use super::Digest32;
use super::compress::{BLOCK_BYTES, Lanes};
use super::portable::load_words;
use super::rows::{Leaves, Rows};
use super::trees::{self, Nodes};
use crate::engine::Instructions;

/// Four messages at a time. Whoever has a value knows that the machine has AVX2.
#[derive(Clone, Copy)]
pub(super) struct Avx2 {
    /// [`BY_16`], but the compiler does not know: it would make two shuffles of words out of one of
    /// bytes, and then four by moving them before the exclusive or.
    by_16: [u8; 32],
}

/// From where each byte comes when all words are rotated to the right by 24 bits.
const BY_24: [u8; 32] = bytes_rotated(3);
/// The same for 16 bits.
const BY_16: [u8; 32] = bytes_rotated(2);

const fn bytes_rotated(by: u8) -> [u8; 32] {
    let mut from = [0; 32];
    let mut at = 0;
    while at < 32 {
        let byte = at as u8 % 16;
        from[at] = byte / 8 * 8 + (byte + by) % 8;
        at += 1;
    }
    from
}

impl Avx2 {
    /// The lanes, if the machine has them.
    pub(super) fn detect() -> Option<Self> {
        Instructions::Avx2.available().then(|| Self { by_16: black_box(BY_16) })
    }

    /// Words `0..4` of the four rows that begin at these addresses.
    #[inline(always)]
    fn load_columns(self, rows: [&[u8; 32]; 4]) -> [__m256i; 4] {
        // SAFETY: each reference is to the 32 bytes loaded; `self` shows that the machine has AVX2.
        unsafe {
            let r0 = _mm256_loadu_si256(rows[0].as_ptr().cast());
            let r1 = _mm256_loadu_si256(rows[1].as_ptr().cast());
            let r2 = _mm256_loadu_si256(rows[2].as_ptr().cast());
            let r3 = _mm256_loadu_si256(rows[3].as_ptr().cast());
            transpose([r0, r1, r2, r3])
        }
    }

    /// Words of four rows, 32 bytes from `start` on of each, which must be there.
    #[inline(always)]
    fn load_part(self, rows: Rows<'_, 4>, start: usize) -> [__m256i; 4] {
        let part = |lane: usize| {
            rows.row(lane)[start..].first_chunk().expect("the caller has looked at the length")
        };
        self.load_columns([part(0), part(1), part(2), part(3)])
    }
}

/// The words of each row, one row after the other.
#[inline(always)]
fn each_row<const WORDS: usize>(rows: Rows<'_, 4>, shift: usize) -> [[u64; 16]; 4] {
    [
        load_words::<WORDS>(rows.row(0), shift),
        load_words::<WORDS>(rows.row(1), shift),
        load_words::<WORDS>(rows.row(2), shift),
        load_words::<WORDS>(rows.row(3), shift),
    ]
}

/// Turns four rows of four words into four columns.
#[target_feature(enable = "avx2")]
#[inline]
fn transpose([r0, r1, r2, r3]: [__m256i; 4]) -> [__m256i; 4] {
    let even_low = _mm256_unpacklo_epi64(r0, r1);
    let odd_low = _mm256_unpackhi_epi64(r0, r1);
    let even_high = _mm256_unpacklo_epi64(r2, r3);
    let odd_high = _mm256_unpackhi_epi64(r2, r3);
    [
        _mm256_permute2x128_si256::<0x20>(even_low, even_high),
        _mm256_permute2x128_si256::<0x20>(odd_low, odd_high),
        _mm256_permute2x128_si256::<0x31>(even_low, even_high),
        _mm256_permute2x128_si256::<0x31>(odd_low, odd_high),
    ]
}

impl Lanes<4> for Avx2 {
    type Word = __m256i;

    #[inline(always)]
    fn splat(self, number: u64) -> __m256i {
        // SAFETY: `self` shows that the machine has AVX2.
        unsafe { _mm256_set1_epi64x(number.cast_signed()) }
    }

    #[inline(always)]
    fn add(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: `self` shows that the machine has AVX2.
        unsafe { _mm256_add_epi64(a, b) }
    }

    #[inline(always)]
    fn xor(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: `self` shows that the machine has AVX2.
        unsafe { _mm256_xor_si256(a, b) }
    }

    /// There is no rotation, but whole bytes can be moved at once.
    #[inline(always)]
    fn rotate<const BITS: u32>(self, a: __m256i) -> __m256i {
        // SAFETY: both orders are the 32 bytes loaded; `self` shows that the machine has AVX2.
        unsafe {
            match BITS {
                32 => _mm256_shuffle_epi32::<0b10_11_00_01>(a),
                24 => _mm256_shuffle_epi8(a, _mm256_loadu_si256(BY_24.as_ptr().cast())),
                16 => _mm256_shuffle_epi8(a, _mm256_loadu_si256(self.by_16.as_ptr().cast())),
                63 => _mm256_xor_si256(_mm256_srli_epi64::<63>(a), _mm256_add_epi64(a, a)),
                _ => unreachable!("BLAKE2b has four rotations"),
            }
        }
    }

    #[inline(always)]
    fn load<const WORDS: usize>(self, rows: Rows<'_, 4>, shift: usize) -> [__m256i; 16] {
        let mut block = [self.splat(0); 16];
        if WORDS == 16 && shift + rows.bytes() == BLOCK_BYTES {
            // The words after the first lie 8 bytes apart from `8 - shift` on; the last four overlap.
            block[12..].copy_from_slice(&self.load_part(rows, 96 - shift));
            block[8..12].copy_from_slice(&self.load_part(rows, 64 - shift));
            block[4..8].copy_from_slice(&self.load_part(rows, 32 - shift));
            let first = self.load_part(rows, 8 - shift);
            block[1..4].copy_from_slice(&first[..3]);
            let rows = each_row::<1>(rows, shift);
            block[0] = self.gather([rows[0][0], rows[1][0], rows[2][0], rows[3][0]]);
        } else {
            let rows = each_row::<WORDS>(rows, shift);
            for (at, word) in block[..WORDS].iter_mut().enumerate() {
                *word = self.gather([rows[0][at], rows[1][at], rows[2][at], rows[3][at]]);
            }
        }
        block
    }

    #[inline(always)]
    fn load_nodes(self, left: [&Digest32; 4], right: [&Digest32; 4]) -> [__m256i; 16] {
        let [l0, l1, l2, l3] = self.load_columns(left);
        let [r0, r1, r2, r3] = self.load_columns(right);
        // SAFETY: `self` shows that the machine has AVX2.
        let after = |low, high| unsafe {
            _mm256_or_si256(_mm256_srli_epi64::<56>(low), _mm256_slli_epi64::<8>(high))
        };
        let zero = self.splat(0);
        let prefix = self.splat(1 << 56);
        [
            after(prefix, l0),
            after(l0, l1),
            after(l1, l2),
            after(l2, l3),
            after(l3, r0),
            after(r0, r1),
            after(r1, r2),
            after(r2, r3),
            after(r3, zero),
            zero,
            zero,
            zero,
            zero,
            zero,
            zero,
            zero,
        ]
    }

    #[inline(always)]
    fn store(self, state: [__m256i; 4], digests: &mut [Digest32; 4]) {
        // SAFETY: each digest has the 32 bytes stored; `self` shows that the machine has AVX2.
        unsafe {
            for (digest, row) in digests.iter_mut().zip(transpose(state)) {
                _mm256_storeu_si256(digest.as_mut_ptr().cast(), row);
            }
        }
    }

    fn hash_short<const WORDS: usize>(self, leaves: Leaves<'_>, digests: &mut [Digest32]) {
        #[target_feature(enable = "avx2")]
        fn enabled<const WORDS: usize>(lanes: Avx2, leaves: Leaves<'_>, digests: &mut [Digest32]) {
            trees::hash_short::<WORDS, 4, Avx2>(lanes, leaves, digests);
        }
        // SAFETY: `self` shows that the machine has AVX2.
        unsafe { enabled::<WORDS>(self, leaves, digests) }
    }

    fn hash_long(self, leaves: Leaves<'_>, digests: &mut [Digest32]) {
        #[target_feature(enable = "avx2")]
        fn enabled(lanes: Avx2, leaves: Leaves<'_>, digests: &mut [Digest32]) {
            trees::hash_long(lanes, leaves, digests);
        }
        // SAFETY: `self` shows that the machine has AVX2.
        unsafe { enabled(self, leaves, digests) }
    }

    fn hash_nodes(self, nodes: Nodes<'_>, parents: &mut [Digest32]) {
        #[target_feature(enable = "avx2")]
        fn enabled(lanes: Avx2, nodes: Nodes<'_>, parents: &mut [Digest32]) {
            trees::hash_nodes(lanes, nodes, parents);
        }
        // SAFETY: `self` shows that the machine has AVX2.
        unsafe { enabled(self, nodes, parents) }
    }
}

impl Avx2 {
    /// One number a lane.
    #[inline(always)]
    fn gather(self, words: [u64; 4]) -> __m256i {
        let [w0, w1, w2, w3] = words.map(u64::cast_signed);
        // SAFETY: `self` shows that the machine has AVX2.
        unsafe { _mm256_set_epi64x(w3, w2, w1, w0) }
    }
}
