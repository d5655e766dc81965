//! Vectors of 32 low and 32 high bytes in AVX2 registers, multiplied by looking up half bytes.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::super::Instructions;
use super::kernel::{Block, Job, Kernel};
use super::packing::Place;
use super::tower::{COLUMNS_CONST, CORRECTION, Tower, apply};

/// The proof that the machine has AVX2.
#[derive(Debug, Clone, Copy)]
pub(super) struct Avx2(());

/// The images of the lower and of the upper half bytes under a linear map.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(32))]
pub(super) struct Halves([[u8; 16]; 2]);

const fn halves(columns: &[u8; 8]) -> Halves {
    let mut halves = [[0; 16]; 2];
    let mut value = 0;
    while value < 16 {
        halves[0][value] = apply(columns, value as u8);
        halves[1][value] = apply(columns, (value as u8) << 4);
        value += 1;
    }
    Halves(halves)
}

/// Multiplication by each subfield element.
static PRODUCTS: [Halves; 256] = {
    let mut products = [Halves([[0; 16]; 2]); 256];
    let mut factor = 0;
    while factor < 256 {
        products[factor] = halves(&COLUMNS_CONST[factor]);
        factor += 1;
    }
    products
};

/// Between values and tower coordinates, for the low bytes.
static CORRECT: Halves = halves(&CORRECTION);

/// For each 16 bytes of a block and each half of the result, where its bytes go: at each index the
/// index within the 16 bytes, or 128 for bytes that come from elsewhere.
#[derive(Debug)]
#[repr(C, align(32))]
pub(super) struct Shuffle([[[u8; 32]; 2]; 4]);

impl Avx2 {
    pub(super) fn detect() -> Option<Self> {
        Instructions::Avx2.available().then_some(Self(()))
    }

    /// The lower and the upper half of each byte.
    #[inline(always)]
    fn split(self, bytes: __m256i) -> [__m256i; 2] {
        // SAFETY: `self` proves the instructions.
        unsafe {
            let mask = _mm256_set1_epi8(15);
            let upper = _mm256_srli_epi16::<4>(bytes);
            [_mm256_and_si256(bytes, mask), _mm256_and_si256(upper, mask)]
        }
    }

    /// The images of split bytes, still to be added up.
    #[inline(always)]
    fn apply(self, map: &Halves, bytes: [__m256i; 2]) -> [__m256i; 2] {
        // SAFETY: `self` proves the instructions, and the tables are 16 bytes each.
        unsafe {
            let lower = _mm256_broadcastsi128_si256(_mm_load_si128(map.0[0].as_ptr().cast()));
            let upper = _mm256_broadcastsi128_si256(_mm_load_si128(map.0[1].as_ptr().cast()));
            [_mm256_shuffle_epi8(lower, bytes[0]), _mm256_shuffle_epi8(upper, bytes[1])]
        }
    }

    #[inline(always)]
    fn xor(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: `self` proves the instructions.
        unsafe { _mm256_xor_si256(a, b) }
    }

    /// The low bytes with the correction by the high ones, which is its own inverse.
    #[inline(always)]
    fn corrected(self, [low, high]: [__m256i; 2]) -> [__m256i; 2] {
        let [a, b] = self.apply(&CORRECT, self.split(high));
        [self.xor(low, self.xor(a, b)), high]
    }

    /// The first 64 bytes as low and high bytes.
    #[inline(always)]
    fn load_bytes(self, bytes: &[u8]) -> [__m256i; 2] {
        let (low, high) = bytes[..64].split_at(32);
        // SAFETY: `self` proves the instructions, and both halves are 32 bytes.
        unsafe {
            [_mm256_loadu_si256(low.as_ptr().cast()), _mm256_loadu_si256(high.as_ptr().cast())]
        }
    }

    /// The inverse of [`Self::load_bytes`].
    #[inline(always)]
    fn store_bytes(self, [a, b]: [__m256i; 2], bytes: &mut [u8]) {
        let (low, high) = bytes[..64].split_at_mut(32);
        // SAFETY: `self` proves the instructions, and both halves are 32 bytes.
        unsafe {
            _mm256_storeu_si256(low.as_mut_ptr().cast(), a);
            _mm256_storeu_si256(high.as_mut_ptr().cast(), b);
        }
    }

    /// The first 64 bytes rearranged.
    #[inline(always)]
    fn shuffled(self, bytes: &[u8], shuffle: &Shuffle) -> [__m256i; 2] {
        let bytes = bytes[..64].as_chunks::<16>().0;
        // SAFETY: `self` proves the instructions; there are 16 bytes and 32 aligned indices each time.
        unsafe {
            let mut halves = [_mm256_setzero_si256(); 2];
            for (bytes, indices) in bytes.iter().zip(&shuffle.0) {
                let bytes = _mm256_broadcastsi128_si256(_mm_loadu_si128(bytes.as_ptr().cast()));
                for (half, indices) in halves.iter_mut().zip(indices) {
                    let indices = _mm256_load_si256(indices.as_ptr().cast());
                    *half = _mm256_or_si256(*half, _mm256_shuffle_epi8(bytes, indices));
                }
            }
            halves
        }
    }
}

/// Compiles a job for the instructions.
#[target_feature(enable = "avx2")]
fn run<J: Job<Avx2>>(kernel: Avx2, job: J) {
    job.run(kernel);
}

impl Kernel for Avx2 {
    const BLOCKS: usize = 1;
    const LAYERS: usize = 2;
    type Unit = Block;
    /// Low and high bytes.
    type Vector = [__m256i; 2];
    type Narrow = &'static Halves;
    /// Low to low, high to low, and what the sum of low and high takes to high.
    type Wide = [&'static Halves; 3];
    type Shuffle = Shuffle;

    #[inline(always)]
    fn run<J: Job<Self>>(self, job: J) {
        // SAFETY: `self` proves the instructions.
        unsafe { run(self, job) }
    }

    fn units(blocks: &mut [Block]) -> &mut [Block] {
        blocks
    }

    #[inline(always)]
    fn zero(self) -> Self::Vector {
        // SAFETY: `self` proves the instructions.
        unsafe { [_mm256_setzero_si256(); 2] }
    }

    #[inline(always)]
    fn load(self, unit: &Block) -> Self::Vector {
        let (low, high) = unit.0.split_at(32);
        // SAFETY: `self` proves the instructions, and a half `Block` is 32 aligned bytes.
        unsafe { [_mm256_load_si256(low.as_ptr().cast()), _mm256_load_si256(high.as_ptr().cast())] }
    }

    #[inline(always)]
    fn store(self, vector: Self::Vector, unit: &mut Block) {
        let (low, high) = unit.0.split_at_mut(32);
        // SAFETY: `self` proves the instructions, and a half `Block` is 32 aligned bytes.
        unsafe {
            _mm256_store_si256(low.as_mut_ptr().cast(), vector[0]);
            _mm256_store_si256(high.as_mut_ptr().cast(), vector[1]);
        }
    }

    #[inline(always)]
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
        [self.xor(a[0], b[0]), self.xor(a[1], b[1])]
    }

    #[inline(always)]
    fn narrow(self, factor: u8) -> &'static Halves {
        &PRODUCTS[usize::from(factor)]
    }

    #[inline(always)]
    fn wide(self, factor: Tower) -> Self::Wide {
        let [low, high_to_low, _, both] = factor.parts();
        [self.narrow(low), self.narrow(high_to_low), self.narrow(both)]
    }

    #[inline(always)]
    fn add_narrow(
        self,
        sum: Self::Vector,
        factor: &'static Halves,
        vector: Self::Vector,
    ) -> Self::Vector {
        let low = self.apply(factor, self.split(vector[0]));
        let high = self.apply(factor, self.split(vector[1]));
        self.add(self.add(sum, [low[0], high[0]]), [low[1], high[1]])
    }

    #[inline(always)]
    fn add_wide(self, sum: Self::Vector, factor: Self::Wide, vector: Self::Vector) -> Self::Vector {
        // Three products for four: (a + b)(c + d) = ac + (ad + bc + bd).
        let (low, high) = (self.split(vector[0]), self.split(vector[1]));
        let both = self.add(low, high);
        let sum_up = |[a, b]: [__m256i; 2]| self.xor(a, b);
        let ac = sum_up(self.apply(factor[0], low));
        let bd = sum_up(self.apply(factor[1], high));
        let all = sum_up(self.apply(factor[2], both));
        self.add(sum, [self.xor(ac, bd), self.xor(ac, all)])
    }

    fn shuffle(self, from: &[u8; 64]) -> Shuffle {
        let mut shuffle = Shuffle([[[128; 32]; 2]; 4]);
        for (to, from) in from.iter().map(|from| usize::from(*from)).enumerate() {
            shuffle.0[from / 16][to / 32][to % 32] = (from % 16) as u8;
        }
        shuffle
    }

    #[inline(always)]
    fn gather(self, symbol: &[u8], places: &[Place], shuffle: &Shuffle) -> Self::Vector {
        let [place] = places else { unreachable!("a unit is one block") };
        if !place.shuffled {
            return self.corrected(self.load_bytes(&symbol[place.offset..]));
        }
        // Bytes beyond those of the block do no harm.
        let vector = match symbol.get(place.offset..place.offset + 64) {
            Some(bytes) if place.pieces == 1 => self.shuffled(bytes, shuffle),
            _ => self.shuffled(&place.collect(symbol).0, shuffle),
        };
        self.corrected(vector)
    }

    #[inline(always)]
    fn scatter(self, vector: Self::Vector, symbol: &mut [u8], places: &[Place], shuffle: &Shuffle) {
        let [place] = places else { unreachable!("a unit is one block") };
        let vector = self.corrected(vector);
        if !place.shuffled {
            return self.store_bytes(vector, &mut symbol[place.offset..]);
        }
        let mut block = Block([0; 64]);
        self.store(vector, &mut block);
        let vector = self.shuffled(&block.0, shuffle);
        if place.piece == 64 {
            return self.store_bytes(vector, &mut symbol[place.offset..]);
        }
        self.store(vector, &mut block);
        place.distribute(&block, symbol);
    }
}
