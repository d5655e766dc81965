//! The compression function of BLAKE2b (RFC 7693 section 3), for several messages side by side.

use super::Digest32;
use super::rows::{Leaves, Rows};
#[cfg(doc)]
use super::trees;
use super::trees::Nodes;

/// The bytes of one block.
pub(super) const BLOCK_BYTES: usize = 128;

/// The first 64 bits of the fractional parts of the square roots of the first eight primes.
const IV: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

/// The parameters of an unkeyed 32-byte hash that is no part of a tree in the sense of BLAKE2.
const PARAMETERS: u64 = 0x0101_0020;

/// The order in which each round takes the words of the block.
const SCHEDULE: [[usize; 16]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

/// The arithmetic of `N` messages at a time.
///
/// A value of an implementing type is the proof that the machine has its instructions. The methods
/// are inlined into the functions that enable these, so they must not be called from elsewhere in
/// code that is to be fast.
pub(super) trait Lanes<const N: usize>: Copy {
    /// One 64-bit word of each message.
    type Word: Copy;

    /// The same number in each lane.
    fn splat(self, number: u64) -> Self::Word;
    /// The sums modulo 2^64.
    fn add(self, a: Self::Word, b: Self::Word) -> Self::Word;
    /// The bits that differ.
    fn xor(self, a: Self::Word, b: Self::Word) -> Self::Word;
    /// A rotation to the right by 32, 24, 16 or 63 bits.
    fn rotate<const BITS: u32>(self, a: Self::Word) -> Self::Word;

    /// The block that has `shift` (0 or 1) zero bytes followed by the bytes of a row, and zeros up
    /// to its end. They fit into the first `WORDS` words; the others are known to be zero.
    fn load<const WORDS: usize>(self, rows: Rows<'_, N>, shift: usize) -> [Self::Word; 16];

    /// The block that has a one byte followed by both digests: nine words, the others zero.
    fn load_nodes(self, left: [&Digest32; N], right: [&Digest32; N]) -> [Self::Word; 16];

    /// The first four words of a state as bytes.
    fn store(self, state: [Self::Word; 4], digests: &mut [Digest32; N]);

    /// [`trees::hash_short`] with the instructions enabled.
    fn hash_short<const WORDS: usize>(self, leaves: Leaves<'_>, digests: &mut [Digest32]);
    /// [`trees::hash_long`] with the instructions enabled.
    fn hash_long(self, leaves: Leaves<'_>, digests: &mut [Digest32]);
    /// [`trees::hash_nodes`] with the instructions enabled.
    fn hash_nodes(self, nodes: Nodes<'_>, parents: &mut [Digest32]);
}

/// The state before the first block.
#[inline(always)]
pub(super) fn initial<const N: usize, L: Lanes<N>>(lanes: L) -> [L::Word; 8] {
    [
        lanes.splat(IV[0] ^ PARAMETERS),
        lanes.splat(IV[1]),
        lanes.splat(IV[2]),
        lanes.splat(IV[3]),
        lanes.splat(IV[4]),
        lanes.splat(IV[5]),
        lanes.splat(IV[6]),
        lanes.splat(IV[7]),
    ]
}

/// The state after one more block, with which `hashed` bytes of the message have been taken in.
///
/// Words of `block` that the compiler can see to be zero cost nothing; nor do the words of the
/// result that are not used.
#[inline(always)]
pub(super) fn compress<const N: usize, L: Lanes<N>>(
    lanes: L,
    state: [L::Word; 8],
    block: &[L::Word; 16],
    hashed: usize,
    is_last: bool,
) -> [L::Word; 8] {
    let last = if is_last { u64::MAX } else { 0 };
    let [s0, s1, s2, s3, s4, s5, s6, s7] = state;
    let mut v = [
        [s0, s1, s2, s3],
        [s4, s5, s6, s7],
        [lanes.splat(IV[0]), lanes.splat(IV[1]), lanes.splat(IV[2]), lanes.splat(IV[3])],
        [
            lanes.splat(IV[4] ^ hashed as u64),
            lanes.splat(IV[5]),
            lanes.splat(IV[6] ^ last),
            lanes.splat(IV[7]),
        ],
    ];
    // Written out, because every index must be known for the zero words to vanish.
    round::<0, N, L>(lanes, &mut v, block);
    round::<1, N, L>(lanes, &mut v, block);
    round::<2, N, L>(lanes, &mut v, block);
    round::<3, N, L>(lanes, &mut v, block);
    round::<4, N, L>(lanes, &mut v, block);
    round::<5, N, L>(lanes, &mut v, block);
    round::<6, N, L>(lanes, &mut v, block);
    round::<7, N, L>(lanes, &mut v, block);
    round::<8, N, L>(lanes, &mut v, block);
    round::<9, N, L>(lanes, &mut v, block);
    round::<0, N, L>(lanes, &mut v, block);
    round::<1, N, L>(lanes, &mut v, block);

    let [[a0, a1, a2, a3], [b0, b1, b2, b3], [c0, c1, c2, c3], [d0, d1, d2, d3]] = v;
    [
        lanes.xor(s0, lanes.xor(a0, c0)),
        lanes.xor(s1, lanes.xor(a1, c1)),
        lanes.xor(s2, lanes.xor(a2, c2)),
        lanes.xor(s3, lanes.xor(a3, c3)),
        lanes.xor(s4, lanes.xor(b0, d0)),
        lanes.xor(s5, lanes.xor(b1, d1)),
        lanes.xor(s6, lanes.xor(b2, d2)),
        lanes.xor(s7, lanes.xor(b3, d3)),
    ]
}

/// Mixes the columns of the 4 by 4 matrix `v`, then its diagonals.
#[inline(always)]
fn round<const SCHEDULED: usize, const N: usize, L: Lanes<N>>(
    lanes: L,
    v: &mut [[L::Word; 4]; 4],
    block: &[L::Word; 16],
) {
    let s = SCHEDULE[SCHEDULED];
    mix::<32, 24, 0, N, L>(lanes, v, [block[s[0]], block[s[2]], block[s[4]], block[s[6]]]);
    mix::<16, 63, 0, N, L>(lanes, v, [block[s[1]], block[s[3]], block[s[5]], block[s[7]]]);
    mix::<32, 24, 1, N, L>(lanes, v, [block[s[8]], block[s[10]], block[s[12]], block[s[14]]]);
    mix::<16, 63, 1, N, L>(lanes, v, [block[s[9]], block[s[11]], block[s[13]], block[s[15]]]);
}

/// Half of the function `G`, with its two rotations, on all four columns (`SKEW` 0) or diagonals
/// (`SKEW` 1). These do not depend on each other: each step is done for all four, so that the others
/// fill the time that one takes.
#[inline(always)]
fn mix<const D: u32, const B: u32, const SKEW: usize, const N: usize, L: Lanes<N>>(
    lanes: L,
    v: &mut [[L::Word; 4]; 4],
    words: [L::Word; 4],
) {
    let [row_a, row_b, row_c, row_d] = v;
    for (a, word) in words.into_iter().enumerate() {
        // The word first: `b` comes out of the longest chain.
        let b = (a + SKEW) % 4;
        row_a[a] = lanes.add(lanes.add(row_a[a], word), row_b[b]);
    }
    for (a, sum) in row_a.iter().enumerate() {
        let d = (a + 3 * SKEW) % 4;
        row_d[d] = lanes.rotate::<D>(lanes.xor(row_d[d], *sum));
    }
    for a in 0..4 {
        let (c, d) = ((a + 2 * SKEW) % 4, (a + 3 * SKEW) % 4);
        row_c[c] = lanes.add(row_c[c], row_d[d]);
    }
    for a in 0..4 {
        let (b, c) = ((a + SKEW) % 4, (a + 2 * SKEW) % 4);
        row_b[b] = lanes.rotate::<B>(lanes.xor(row_b[b], row_c[c]));
    }
}
