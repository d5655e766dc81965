//! What an instruction set has to offer: a few operations on vectors of field elements.
//!
//! The algorithms are written once, over [`Kernel`]. A kernel is a token that exists only where its
//! instructions do, so that holding one is the proof that they may be used, and its methods are safe.
//! A [`Job`] is a loop to be compiled for a kernel's instructions: whatever is to run at full speed is
//! in the body of a job, all of it inlined.

use super::packing::Place;
use super::tower::Tower;

/// 64 aligned bytes, the grain of work memory.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Block(pub(super) [u8; 64]);

/// Something to be done with one kind of instructions.
pub(super) trait Job<K: Kernel> {
    /// To be inlined, with everything it calls.
    fn run(self, kernel: K);
}

/// Vectors of field elements in the registers of a machine.
///
/// A [`Kernel::Unit`] holds the elements of [`Kernel::BLOCKS`] blocks of 64 bytes in tower coordinates,
/// first all their low bytes and then all their high bytes.
pub(super) trait Kernel: Copy {
    /// Blocks in a unit.
    const BLOCKS: usize;
    /// The most layers of butterflies that the registers have room for at a time, at most 3.
    const LAYERS: usize;
    /// A vector in memory.
    type Unit;
    /// A vector in registers.
    type Vector: Copy;
    /// Multiplication by an element of the subfield.
    type Narrow: Copy;
    /// Multiplication by any element.
    type Wide: Copy;
    /// A rearrangement of the bytes of a block.
    type Shuffle;

    /// Runs a job compiled for these instructions.
    fn run<J: Job<Self>>(self, job: J);
    /// Work memory as units.
    fn units(blocks: &mut [Block]) -> &mut [Self::Unit];

    fn zero(self) -> Self::Vector;
    fn load(self, unit: &Self::Unit) -> Self::Vector;
    fn store(self, vector: Self::Vector, unit: &mut Self::Unit);
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;

    fn narrow(self, factor: u8) -> Self::Narrow;
    fn wide(self, factor: Tower) -> Self::Wide;
    /// `sum + factor * vector`.
    fn add_narrow(
        self,
        sum: Self::Vector,
        factor: Self::Narrow,
        vector: Self::Vector,
    ) -> Self::Vector;
    /// `sum + factor * vector`.
    fn add_wide(self, sum: Self::Vector, factor: Self::Wide, vector: Self::Vector) -> Self::Vector;

    /// A shuffle that puts at each index the byte that was at `from[index]`.
    fn shuffle(self, from: &[u8; 64]) -> Self::Shuffle;
    /// Reads the elements of up to [`Kernel::BLOCKS`] blocks of a symbol, rearranging by `shuffle` what
    /// is marked so, and changes to tower coordinates. What `places` leave open is any element.
    fn gather(self, symbol: &[u8], places: &[Place], shuffle: &Self::Shuffle) -> Self::Vector;
    /// The inverse of [`Kernel::gather`], with the inverse shuffle: writes only the bytes at `places`.
    fn scatter(
        self,
        vector: Self::Vector,
        symbol: &mut [u8],
        places: &[Place],
        shuffle: &Self::Shuffle,
    );
}
