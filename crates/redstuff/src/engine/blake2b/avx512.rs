//! Eight messages at a time with AVX-512.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::Digest32;
use super::compress::Lanes;
use super::rows::{Leaves, Rows};
use super::trees::{self, Nodes};
use crate::engine::Instructions;

/// Eight messages at a time. Whoever has a value knows that the machine has what
/// [`Instructions::Avx512`] stands for.
#[derive(Clone, Copy)]
pub(super) struct Avx512(());

impl Avx512 {
    /// The lanes, if the machine has them.
    pub(super) fn detect() -> Option<Self> {
        Instructions::Avx512.available().then_some(Self(()))
    }

    /// Bytes `start..start + 64` of each row as eight words; those outside the row are zero. `start`
    /// may be -1.
    #[inline(always)]
    fn load_columns(self, rows: Rows<'_, 8>, start: isize) -> [__m512i; 8] {
        let end = rows.bytes().saturating_add_signed(-start).min(64) as u32;
        let until_end = u64::MAX.checked_shr(64 - end).unwrap_or(0);
        let mask = if start < 0 { until_end & !1 } else { until_end };
        let load = |lane: usize| {
            let address = rows.row(lane).as_ptr().wrapping_offset(start);
            // SAFETY: the mask leaves only bytes that lie in the row, which is `rows.bytes()` long:
            // not the one before it, nor any after its end. The others are not accessed. `self` shows
            // that the machine has the instructions.
            unsafe { _mm512_maskz_loadu_epi8(mask, address.cast()) }
        };
        let rows = [load(0), load(1), load(2), load(3), load(4), load(5), load(6), load(7)];
        // SAFETY: `self` shows that the machine has the instructions.
        unsafe { transpose(rows) }
    }

    /// The words of eight digests.
    #[inline(always)]
    fn load_digests(self, digests: [&Digest32; 8]) -> [__m512i; 4] {
        // SAFETY: each reference is to the 32 bytes loaded; `self` shows that the machine has the
        // instructions.
        let row = |low: usize, high: usize| unsafe {
            let low = _mm256_loadu_si256(digests[low].as_ptr().cast());
            let high = _mm256_loadu_si256(digests[high].as_ptr().cast());
            _mm512_inserti64x4::<1>(_mm512_castsi256_si512(low), high)
        };
        // Rows of two digests each, so chosen that the pairs of words fall into place.
        let (r02, r13, r46, r57) = (row(0, 2), row(1, 3), row(4, 6), row(5, 7));
        // SAFETY: `self` shows that the machine has the instructions.
        unsafe {
            let even_low = _mm512_unpacklo_epi64(r02, r13);
            let odd_low = _mm512_unpackhi_epi64(r02, r13);
            let even_high = _mm512_unpacklo_epi64(r46, r57);
            let odd_high = _mm512_unpackhi_epi64(r46, r57);
            [
                even_quarters(even_low, even_high),
                even_quarters(odd_low, odd_high),
                odd_quarters(even_low, even_high),
                odd_quarters(odd_low, odd_high),
            ]
        }
    }
}

/// Of the four pairs of words of `a` and then of `b`, the first and third.
#[target_feature(enable = "avx512f")]
#[inline]
fn even_quarters(a: __m512i, b: __m512i) -> __m512i {
    _mm512_shuffle_i64x2::<0b10_00_10_00>(a, b)
}

/// Of the four pairs of words of `a` and then of `b`, the second and fourth.
#[target_feature(enable = "avx512f")]
#[inline]
fn odd_quarters(a: __m512i, b: __m512i) -> __m512i {
    _mm512_shuffle_i64x2::<0b11_01_11_01>(a, b)
}

/// Turns eight rows of eight words into eight columns.
#[target_feature(enable = "avx512f")]
#[inline]
fn transpose(rows: [__m512i; 8]) -> [__m512i; 8] {
    let [r0, r1, r2, r3, r4, r5, r6, r7] = rows;
    // Columns 0, 2, 4 and 6 out of the even words of the rows, 1, 3, 5 and 7 out of the odd ones.
    let columns = |p01, p23, p45, p67| {
        let even_low = even_quarters(p01, p23);
        let even_high = even_quarters(p45, p67);
        let odd_low = odd_quarters(p01, p23);
        let odd_high = odd_quarters(p45, p67);
        [
            even_quarters(even_low, even_high),
            even_quarters(odd_low, odd_high),
            odd_quarters(even_low, even_high),
            odd_quarters(odd_low, odd_high),
        ]
    };
    let [c0, c2, c4, c6] = columns(
        _mm512_unpacklo_epi64(r0, r1),
        _mm512_unpacklo_epi64(r2, r3),
        _mm512_unpacklo_epi64(r4, r5),
        _mm512_unpacklo_epi64(r6, r7),
    );
    let [c1, c3, c5, c7] = columns(
        _mm512_unpackhi_epi64(r0, r1),
        _mm512_unpackhi_epi64(r2, r3),
        _mm512_unpackhi_epi64(r4, r5),
        _mm512_unpackhi_epi64(r6, r7),
    );
    [c0, c1, c2, c3, c4, c5, c6, c7]
}

impl Lanes<8> for Avx512 {
    type Word = __m512i;

    #[inline(always)]
    fn splat(self, number: u64) -> __m512i {
        // SAFETY: `self` shows that the machine has the instructions.
        unsafe { _mm512_set1_epi64(number.cast_signed()) }
    }

    #[inline(always)]
    fn add(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` shows that the machine has the instructions.
        unsafe { _mm512_add_epi64(a, b) }
    }

    #[inline(always)]
    fn xor(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` shows that the machine has the instructions.
        unsafe { _mm512_xor_si512(a, b) }
    }

    #[inline(always)]
    fn rotate<const BITS: u32>(self, a: __m512i) -> __m512i {
        // SAFETY: `self` shows that the machine has the instructions.
        unsafe {
            match BITS {
                32 => _mm512_ror_epi64::<32>(a),
                24 => _mm512_ror_epi64::<24>(a),
                16 => _mm512_ror_epi64::<16>(a),
                63 => _mm512_ror_epi64::<63>(a),
                _ => unreachable!("BLAKE2b has four rotations"),
            }
        }
    }

    #[inline(always)]
    fn load<const WORDS: usize>(self, rows: Rows<'_, 8>, shift: usize) -> [__m512i; 16] {
        let zero = self.splat(0);
        let mut block = [zero; 16];
        let start = -(shift as isize);
        block[..8].copy_from_slice(&self.load_columns(rows, start));
        if WORDS > 8 {
            block[8..].copy_from_slice(&self.load_columns(rows, start + 64));
        }
        block[WORDS..].fill(zero);
        block
    }

    #[inline(always)]
    fn load_nodes(self, left: [&Digest32; 8], right: [&Digest32; 8]) -> [__m512i; 16] {
        let [l0, l1, l2, l3] = self.load_digests(left);
        let [r0, r1, r2, r3] = self.load_digests(right);
        // SAFETY: `self` shows that the machine has the instructions.
        let after = |low, high| unsafe { _mm512_shldi_epi64::<8>(high, low) };
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
    fn store(self, [h0, h1, h2, h3]: [__m512i; 4], digests: &mut [Digest32; 8]) {
        // SAFETY: the digests lie one after the other, so that each two of them are the 64 bytes
        // stored; `self` shows that the machine has the instructions.
        unsafe {
            // The halves of digests 0, 2, 4, 6 and of digests 1, 3, 5, 7.
            let (even_low, even_high) =
                (_mm512_unpacklo_epi64(h0, h1), _mm512_unpacklo_epi64(h2, h3));
            let (odd_low, odd_high) =
                (_mm512_unpackhi_epi64(h0, h1), _mm512_unpackhi_epi64(h2, h3));
            let d02 = _mm512_shuffle_i64x2::<0b01_00_01_00>(even_low, even_high);
            let d13 = _mm512_shuffle_i64x2::<0b01_00_01_00>(odd_low, odd_high);
            let d46 = _mm512_shuffle_i64x2::<0b11_10_11_10>(even_low, even_high);
            let d57 = _mm512_shuffle_i64x2::<0b11_10_11_10>(odd_low, odd_high);
            let address = digests.as_mut_ptr().cast::<__m512i>();
            _mm512_storeu_si512(address, even_quarters(d02, d13));
            _mm512_storeu_si512(address.add(1), odd_quarters(d02, d13));
            _mm512_storeu_si512(address.add(2), even_quarters(d46, d57));
            _mm512_storeu_si512(address.add(3), odd_quarters(d46, d57));
        }
    }

    fn hash_short<const WORDS: usize>(self, leaves: Leaves<'_>, digests: &mut [Digest32]) {
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2")]
        fn enabled<const WORDS: usize>(
            lanes: Avx512,
            leaves: Leaves<'_>,
            digests: &mut [Digest32],
        ) {
            trees::hash_short::<WORDS, 8, Avx512>(lanes, leaves, digests);
        }
        // SAFETY: `self` shows that the machine has the instructions.
        unsafe { enabled::<WORDS>(self, leaves, digests) }
    }

    fn hash_long(self, leaves: Leaves<'_>, digests: &mut [Digest32]) {
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2")]
        fn enabled(lanes: Avx512, leaves: Leaves<'_>, digests: &mut [Digest32]) {
            trees::hash_long(lanes, leaves, digests);
        }
        // SAFETY: `self` shows that the machine has the instructions.
        unsafe { enabled(self, leaves, digests) }
    }

    fn hash_nodes(self, nodes: Nodes<'_>, parents: &mut [Digest32]) {
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2")]
        fn enabled(lanes: Avx512, nodes: Nodes<'_>, parents: &mut [Digest32]) {
            trees::hash_nodes(lanes, nodes, parents);
        }
        // SAFETY: `self` shows that the machine has the instructions.
        unsafe { enabled(self, nodes, parents) }
    }
}
