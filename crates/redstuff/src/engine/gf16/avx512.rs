//! Vectors of 64 low and 64 high bytes in AVX-512 registers, multiplied by GFNI bit matrices.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::super::Instructions;
use super::kernel::{Block, Job, Kernel};
use super::packing::Place;
use super::tower::{COLUMNS_CONST, CORRECTION, Tower};

/// The proof that the machine has AVX-512 (F, BW, VL, VBMI) and GFNI.
#[derive(Debug, Clone, Copy)]
pub(super) struct Avx512(());

/// The matrix of a linear map of bytes, given the images of the bits, as the instruction wants it: bit
/// `i` of the image is the parity of the byte and the matrix's byte `7 - i`.
const fn matrix(columns: &[u8; 8]) -> i64 {
    let (mut matrix, mut row) = (0_u64, 0);
    while row < 8 {
        let mut column = 0;
        while column < 8 {
            if columns[column] >> row & 1 == 1 {
                matrix |= 1 << ((7 - row) * 8 + column);
            }
            column += 1;
        }
        row += 1;
    }
    matrix as i64
}

/// Multiplication by each subfield element.
static MATRICES: [i64; 256] = {
    let mut matrices = [0; 256];
    let mut factor = 0;
    while factor < 256 {
        matrices[factor] = matrix(&COLUMNS_CONST[factor]);
        factor += 1;
    }
    matrices
};

/// Between values and tower coordinates, for the low bytes.
const CORRECT: i64 = matrix(&CORRECTION);

impl Avx512 {
    pub(super) fn detect() -> Option<Self> {
        Instructions::Avx512.available().then_some(Self(()))
    }
}

/// The mask of bytes `from..to`, which is within 0..=64.
#[inline(always)]
fn mask(from: usize, to: usize) -> u64 {
    debug_assert!(from < to && to <= 64, "a range of bytes in a block");
    (u64::MAX >> (64 - (to - from))) << from
}

impl Avx512 {
    /// The bytes at `place` in the order of the symbol; what is open is zero.
    #[inline(always)]
    fn collect(self, symbol: &[u8], place: &Place) -> __m512i {
        assert!(symbol.len() >= place.end() && place.piece * place.pieces <= 64);
        // SAFETY: `self` proves the instructions. The masks leave of each load only the bytes of a piece,
        // and all pieces lie before `place.end()`, within the symbol; no other byte is accessed.
        unsafe {
            let start = symbol.as_ptr().wrapping_add(place.offset);
            let first = mask(0, place.piece);
            let mut bytes = _mm512_maskz_loadu_epi8(first, start.cast());
            for piece in 1..place.pieces {
                let to = piece * place.piece;
                let from = start.wrapping_add(piece * place.step).wrapping_sub(to);
                let mask = mask(to, to + place.piece);
                bytes = _mm512_mask_loadu_epi8(bytes, mask, from.cast());
            }
            bytes
        }
    }

    /// The inverse of [`Self::collect`]; writes nothing else.
    #[inline(always)]
    fn distribute(self, bytes: __m512i, symbol: &mut [u8], place: &Place) {
        assert!(symbol.len() >= place.end() && place.piece * place.pieces <= 64);
        // SAFETY: as in `collect`.
        unsafe {
            let start = symbol.as_mut_ptr().wrapping_add(place.offset);
            for piece in 0..place.pieces {
                let from = piece * place.piece;
                let to = start.wrapping_add(piece * place.step).wrapping_sub(from);
                _mm512_mask_storeu_epi8(to.cast(), mask(from, from + place.piece), bytes);
            }
        }
    }

    /// A block of elements, low bytes first.
    #[inline(always)]
    fn block(self, symbol: &[u8], place: &Place, shuffle: &Block) -> __m512i {
        if !place.shuffled {
            let bytes = &symbol[place.offset..][..64];
            // SAFETY: `self` proves the instructions, and 64 bytes are there.
            return unsafe { _mm512_loadu_epi8(bytes.as_ptr().cast()) };
        }
        let bytes = self.collect(symbol, place);
        // SAFETY: `self` proves the instructions, and a `Block` is 64 bytes.
        unsafe { _mm512_permutexvar_epi8(_mm512_load_si512(shuffle.0.as_ptr().cast()), bytes) }
    }

    /// The inverse of [`Self::block`].
    #[inline(always)]
    fn unblock(self, elements: __m512i, symbol: &mut [u8], place: &Place, shuffle: &Block) {
        if !place.shuffled {
            let bytes = &mut symbol[place.offset..][..64];
            // SAFETY: `self` proves the instructions, and 64 bytes are there.
            return unsafe { _mm512_storeu_epi8(bytes.as_mut_ptr().cast(), elements) };
        }
        // SAFETY: `self` proves the instructions, and a `Block` is 64 bytes.
        let bytes = unsafe {
            _mm512_permutexvar_epi8(_mm512_load_si512(shuffle.0.as_ptr().cast()), elements)
        };
        self.distribute(bytes, symbol, place);
    }

    /// The low bytes with the correction by the high ones, which is its own inverse.
    #[inline(always)]
    fn corrected(self, [low, high]: [__m512i; 2]) -> [__m512i; 2] {
        // SAFETY: `self` proves the instructions.
        unsafe {
            let matrix = _mm512_set1_epi64(CORRECT);
            [_mm512_xor_si512(low, _mm512_gf2p8affine_epi64_epi8::<0>(high, matrix)), high]
        }
    }
}

/// Compiles a job for the instructions.
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vbmi,gfni")]
fn run<J: Job<Avx512>>(kernel: Avx512, job: J) {
    job.run(kernel);
}

impl Kernel for Avx512 {
    const BLOCKS: usize = 2;
    const LAYERS: usize = 3;
    type Unit = [Block; 2];
    /// Low and high bytes.
    type Vector = [__m512i; 2];
    type Narrow = i64;
    /// Low to low, high to low, low to high, high to high.
    type Wide = [i64; 4];
    /// Where each byte comes from.
    type Shuffle = Block;

    #[inline(always)]
    fn run<J: Job<Self>>(self, job: J) {
        // SAFETY: `self` proves the instructions.
        unsafe { run(self, job) }
    }

    fn units(blocks: &mut [Block]) -> &mut [Self::Unit] {
        blocks.as_chunks_mut().0
    }

    #[inline(always)]
    fn zero(self) -> Self::Vector {
        // SAFETY: `self` proves the instructions.
        unsafe { [_mm512_setzero_si512(); 2] }
    }

    #[inline(always)]
    fn load(self, [low, high]: &Self::Unit) -> Self::Vector {
        // SAFETY: `self` proves the instructions, and a `Block` is 64 aligned bytes.
        unsafe {
            [_mm512_load_si512(low.0.as_ptr().cast()), _mm512_load_si512(high.0.as_ptr().cast())]
        }
    }

    #[inline(always)]
    fn store(self, vector: Self::Vector, [low, high]: &mut Self::Unit) {
        // SAFETY: `self` proves the instructions, and a `Block` is 64 aligned bytes.
        unsafe {
            _mm512_store_si512(low.0.as_mut_ptr().cast(), vector[0]);
            _mm512_store_si512(high.0.as_mut_ptr().cast(), vector[1]);
        }
    }

    #[inline(always)]
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
        // SAFETY: `self` proves the instructions.
        unsafe { [_mm512_xor_si512(a[0], b[0]), _mm512_xor_si512(a[1], b[1])] }
    }

    #[inline(always)]
    fn narrow(self, factor: u8) -> i64 {
        MATRICES[usize::from(factor)]
    }

    #[inline(always)]
    fn wide(self, factor: Tower) -> [i64; 4] {
        factor.parts().map(|part| MATRICES[usize::from(part)])
    }

    #[inline(always)]
    fn add_narrow(self, sum: Self::Vector, factor: i64, vector: Self::Vector) -> Self::Vector {
        // SAFETY: `self` proves the instructions.
        unsafe {
            let matrix = _mm512_set1_epi64(factor);
            let low = _mm512_gf2p8affine_epi64_epi8::<0>(vector[0], matrix);
            let high = _mm512_gf2p8affine_epi64_epi8::<0>(vector[1], matrix);
            self.add(sum, [low, high])
        }
    }

    #[inline(always)]
    fn add_wide(self, sum: Self::Vector, factor: [i64; 4], vector: Self::Vector) -> Self::Vector {
        /// The truth table of the exclusive or of three.
        const XOR: i32 = 0b1001_0110;
        // SAFETY: `self` proves the instructions.
        unsafe {
            let product = |part: usize, matrix: usize| {
                _mm512_gf2p8affine_epi64_epi8::<0>(vector[part], _mm512_set1_epi64(factor[matrix]))
            };
            [
                _mm512_ternarylogic_epi64::<XOR>(sum[0], product(0, 0), product(1, 1)),
                _mm512_ternarylogic_epi64::<XOR>(sum[1], product(0, 2), product(1, 3)),
            ]
        }
    }

    fn shuffle(self, from: &[u8; 64]) -> Block {
        Block(*from)
    }

    #[inline(always)]
    fn gather(self, symbol: &[u8], places: &[Place], shuffle: &Block) -> Self::Vector {
        let first = self.block(symbol, &places[0], shuffle);
        // SAFETY: `self` proves the instructions.
        unsafe {
            let second = match places.get(1) {
                Some(place) => self.block(symbol, place, shuffle),
                None => _mm512_setzero_si512(),
            };
            self.corrected([
                _mm512_shuffle_i64x2::<0b01_00_01_00>(first, second),
                _mm512_shuffle_i64x2::<0b11_10_11_10>(first, second),
            ])
        }
    }

    #[inline(always)]
    fn scatter(self, vector: Self::Vector, symbol: &mut [u8], places: &[Place], shuffle: &Block) {
        let [low, high] = self.corrected(vector);
        // SAFETY: `self` proves the instructions.
        let (first, second) = unsafe {
            (
                _mm512_shuffle_i64x2::<0b01_00_01_00>(low, high),
                _mm512_shuffle_i64x2::<0b11_10_11_10>(low, high),
            )
        };
        self.unblock(first, symbol, &places[0], shuffle);
        if let Some(place) = places.get(1) {
            self.unblock(second, symbol, place, shuffle);
        }
    }
}
