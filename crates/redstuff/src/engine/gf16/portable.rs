//! Vectors as arrays: for every machine, in a form that compilers turn into what vector instructions
//! there are. Multiplication goes bit by bit, without tables.

use super::kernel::{Block, Job, Kernel};
use super::packing::Place;
use super::tower::{COLUMNS, CORRECTION, Tower};

/// The kernel that needs nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Portable;

type Half = [u8; 32];

/// The sum of the images of the bits of each byte.
#[inline(always)]
fn apply(columns: &[u8; 8], bytes: &Half) -> Half {
    let mut sum = [0; 32];
    for (sum, byte) in sum.iter_mut().zip(bytes) {
        for (bit, column) in columns.iter().enumerate() {
            let mask = ((byte << (7 - bit)) as i8 >> 7) as u8;
            *sum ^= mask & column;
        }
    }
    sum
}

#[inline(always)]
fn add(a: &Half, b: &Half) -> Half {
    let mut sum = *a;
    for (a, b) in sum.iter_mut().zip(b) {
        *a ^= b;
    }
    sum
}

/// The rearrangement of a block.
fn shuffled(block: &Block, from: &[u8; 64]) -> Block {
    let mut moved = Block([0; 64]);
    for (to, from) in moved.0.iter_mut().zip(from) {
        *to = block.0[usize::from(from & 63)];
    }
    moved
}

impl Kernel for Portable {
    const BLOCKS: usize = 1;
    const LAYERS: usize = 2;
    type Unit = Block;
    /// Low and high bytes.
    type Vector = [Half; 2];
    type Narrow = &'static [u8; 8];
    /// Low to low, high to low, and what the sum of low and high takes to high.
    type Wide = [&'static [u8; 8]; 3];
    type Shuffle = [u8; 64];

    fn run<J: Job<Self>>(self, job: J) {
        job.run(self);
    }

    fn units(blocks: &mut [Block]) -> &mut [Block] {
        blocks
    }

    #[inline(always)]
    fn zero(self) -> [Half; 2] {
        [[0; 32]; 2]
    }

    #[inline(always)]
    fn load(self, unit: &Block) -> [Half; 2] {
        let (low, high) = unit.0.split_at(32);
        let mut vector = [[0; 32]; 2];
        vector[0].copy_from_slice(low);
        vector[1].copy_from_slice(high);
        vector
    }

    #[inline(always)]
    fn store(self, [low, high]: [Half; 2], unit: &mut Block) {
        unit.0[..32].copy_from_slice(&low);
        unit.0[32..].copy_from_slice(&high);
    }

    #[inline(always)]
    fn add(self, a: [Half; 2], b: [Half; 2]) -> [Half; 2] {
        [add(&a[0], &b[0]), add(&a[1], &b[1])]
    }

    #[inline(always)]
    fn narrow(self, factor: u8) -> Self::Narrow {
        &COLUMNS[usize::from(factor)]
    }

    #[inline(always)]
    fn wide(self, factor: Tower) -> Self::Wide {
        let [low, high_to_low, _, both] = factor.parts();
        [low, high_to_low, both].map(|part| self.narrow(part))
    }

    #[inline(always)]
    fn add_narrow(self, sum: [Half; 2], factor: Self::Narrow, vector: [Half; 2]) -> [Half; 2] {
        [add(&sum[0], &apply(factor, &vector[0])), add(&sum[1], &apply(factor, &vector[1]))]
    }

    #[inline(always)]
    fn add_wide(self, sum: [Half; 2], factor: Self::Wide, [low, high]: [Half; 2]) -> [Half; 2] {
        // Three products for four: (a+b)(c+d) = ac + (ad + bc + bd).
        let ac = apply(factor[0], &low);
        let bd = apply(factor[1], &high);
        let all = apply(factor[2], &add(&low, &high));
        [add(&sum[0], &add(&ac, &bd)), add(&sum[1], &add(&ac, &all))]
    }

    fn shuffle(self, from: &[u8; 64]) -> [u8; 64] {
        *from
    }

    #[inline(always)]
    fn gather(self, symbol: &[u8], places: &[Place], shuffle: &[u8; 64]) -> [Half; 2] {
        let mut block = places[0].collect(symbol);
        if places[0].shuffled {
            block = shuffled(&block, shuffle);
        }
        let [low, high] = self.load(&block);
        [add(&low, &apply(&CORRECTION, &high)), high]
    }

    #[inline(always)]
    fn scatter(
        self,
        [low, high]: [Half; 2],
        symbol: &mut [u8],
        places: &[Place],
        shuffle: &[u8; 64],
    ) {
        let mut block = Block([0; 64]);
        self.store([add(&low, &apply(&CORRECTION, &high)), high], &mut block);
        if places[0].shuffled {
            block = shuffled(&block, shuffle);
        }
        places[0].distribute(&block, symbol);
    }
}
