//! From any `k` symbols of a codeword to its source symbols.
//!
//! Let `L` be the product of `x + e` over the erased points `e`, those where nothing is known (see
//! [`Domain`]). The code's polynomial `P` times `L` is zero at the erased points, so all its values are
//! known, and its derivative gives the erased ones: `(P L)' = P L'` there. (In the high rate `P` is meant
//! without its zeros beyond the domain, a product that is constant within the domain and cancels.)
//!
//! `P L` is taken block by block. With `Q_c` the polynomial below the block's length that equals it on
//! block `c`, and `w` the subspace polynomial that is `c` on block `c`, `P L` is the sum of `Q_c` times the
//! Lagrange polynomial that is 1 where `w = c` and 0 on the other blocks. As `w' = 1` and the numbers of
//! the blocks form a subspace too, the derivative on block `o` is
//!
//! ```text
//! Q_o' + sum over c != o of Q_c / (c + o)      (+ Q_o if there are just two blocks)
//! ```
//!
//! and costs an inverse transform for each block in which anything is known and a forward transform for
//! each in which source symbols are missing, all of the size of a block.

use std::ops::Range;
use std::sync::Arc;

use super::domain::{Domain, layers};
use super::kernel::{Job, Kernel};
use super::locator::log_products;
use super::machine::Machine;
use super::packing::{Packing, Strip};
use super::scratch::Scratch;
use super::tower::{Logarithms, ORDER, Tower};
use super::transform::{Result, Shape, Start, forward, inverse};
use super::{Code, Instructions};

/// Computes source symbols from the symbols at some positions of the codeword.
#[derive(Debug, Clone)]
pub(crate) struct Restorer {
    plan: Arc<Plan>,
    machine: Machine,
}

/// What follows from the positions.
#[derive(Debug)]
struct Plan {
    /// The number of known symbols.
    known: usize,
    /// Points in a block.
    block: usize,
    /// The source positions that are not known, ascending.
    missing: Vec<u16>,
    inputs: Vec<Input>,
    outputs: Vec<Output>,
}

/// A symbol of the caller's and what it is multiplied by.
#[derive(Debug, Clone, Copy)]
struct Scaled {
    index: usize,
    factor: Tower,
}

/// A block in which symbols are known.
#[derive(Debug)]
struct Input {
    /// The number of the block.
    block: usize,
    /// By point, up to the last that is known.
    symbols: Vec<Option<Scaled>>,
}

/// A block in which source symbols are missing.
#[derive(Debug)]
struct Output {
    block: usize,
    /// By point, up to the last that is missing.
    symbols: Vec<Option<Scaled>>,
    /// The input of the same block.
    own: Option<usize>,
    /// What each input's polynomial adds to the derivative, by input.
    shares: Vec<Share>,
}

/// How much of a polynomial to add.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Share {
    None,
    One,
    Of(Tower),
}

impl Plan {
    fn new(code: Code, positions: &[u16]) -> Self {
        let domain = Domain::new(code);
        let point = |position: usize| match position.checked_sub(code.source) {
            None => domain.source + position,
            Some(repair) => domain.repair + repair,
        };
        let mut indices = vec![None; code.length()];
        for (index, position) in positions.iter().enumerate() {
            let slot = indices.get_mut(usize::from(*position)).expect("a position of the code");
            assert!(slot.replace(index).is_none(), "positions are distinct");
        }
        assert_eq!(positions.len(), code.source, "as many symbols as the code has sources");
        let missing: Vec<u16> =
            (0..code.source).filter(|at| indices[*at].is_none()).map(|at| at as u16).collect();
        let mut plan = Self {
            known: positions.len(),
            block: domain.block,
            missing,
            inputs: vec![],
            outputs: vec![],
        };
        if plan.missing.is_empty() {
            return plan;
        }

        let (erased, blocks) = domain.erased(code, |position| indices[position].is_none());
        let logs = log_products(&erased);
        let tables = Logarithms::get();
        let mut inputs = vec![vec![]; blocks];
        let mut outputs = vec![vec![]; blocks];
        let place = |blocks: &mut Vec<Vec<Option<Scaled>>>, point: usize, index, log| {
            let symbols = &mut blocks[point / domain.block];
            let at = point % domain.block;
            if symbols.len() <= at {
                symbols.resize(at + 1, None);
            }
            symbols[at] = Some(Scaled { index, factor: Tower::new(tables.exp(log)) });
        };
        for (position, index) in indices.iter().enumerate() {
            if let Some(index) = index {
                let point = point(position);
                place(&mut inputs, point, *index, logs[point]);
            }
        }
        for (index, position) in plan.missing.iter().enumerate() {
            let point = point(usize::from(*position));
            place(&mut outputs, point, index, ORDER - logs[point]);
        }
        let used = |(block, symbols): (usize, Vec<Option<Scaled>>)| {
            (!symbols.is_empty()).then_some(Input { block, symbols })
        };
        plan.inputs = inputs.into_iter().enumerate().filter_map(used).collect();
        let outputs = outputs.into_iter().enumerate().filter_map(used);
        plan.outputs = outputs.map(|output| plan.output(output, blocks)).collect();
        plan
    }

    fn output(&self, Input { block, symbols }: Input, blocks: usize) -> Output {
        let share = |input: &Input| match (input.block ^ block) as u16 {
            0 if blocks == 2 => Share::One,
            0 => Share::None,
            1 => Share::One,
            difference => Share::Of(Tower::new(Logarithms::get().inverse(difference))),
        };
        Output {
            block,
            symbols,
            own: self.inputs.iter().position(|input| input.block == block),
            shares: self.inputs.iter().map(share).collect(),
        }
    }
}

impl Restorer {
    /// A restorer for codewords of `code` of which the symbols at `positions` are known, in any order.
    ///
    /// # Panics
    ///
    /// If the code is not legal, or `positions` are not `code.source` distinct positions of the code.
    pub(crate) fn new(code: Code, positions: &[u16], instructions: Instructions) -> Self {
        let machine = Machine::new(instructions);
        Self { plan: Arc::new(Plan::new(code, positions)), machine }
    }

    /// The source positions that are not known, ascending.
    pub(crate) fn missing(&self) -> &[u16] {
        &self.plan.missing
    }

    /// Overwrites `missing` with the source symbols at the positions [`Self::missing`].
    ///
    /// `known` are the symbols at the positions given to [`Self::new`], in that order. A slice holds the
    /// same symbol of all lanes, `symbol_bytes` (even, not 0) each, side by side; all are of one length,
    /// except that an empty `known` slice stands for zeros in all lanes.
    ///
    /// # Panics
    ///
    /// If the numbers or lengths of slices are not as said.
    pub(crate) fn restore(
        &self,
        scratch: &mut Scratch,
        symbol_bytes: usize,
        known: &[&[u8]],
        missing: &mut [&mut [u8]],
    ) {
        let plan = &*self.plan;
        assert_eq!(known.len(), plan.known, "a slice for each known symbol");
        assert_eq!(missing.len(), self.missing().len(), "a slice for each missing symbol");
        let Some(bytes) = missing.first().map(|symbol| symbol.len()) else {
            return;
        };
        assert!(missing.iter().all(|symbol| symbol.len() == bytes), "slices of one length");
        let fits = |symbol: &&[u8]| symbol.is_empty() || symbol.len() == bytes;
        assert!(known.iter().all(fits), "slices of one length, or empty");
        let packing = Packing::new(symbol_bytes, bytes);
        let call = Call { plan, packing, scratch, known, missing };
        match self.machine {
            Machine::Portable(kernel) => call.restore(kernel),
            #[cfg(target_arch = "x86_64")]
            Machine::Avx2(kernel) => call.restore(kernel),
            #[cfg(target_arch = "x86_64")]
            Machine::Avx512(kernel) => call.restore(kernel),
        }
    }
}

/// The arguments of a call.
struct Call<'a, 'b> {
    plan: &'a Plan,
    packing: Packing,
    scratch: &'a mut Scratch,
    known: &'a [&'a [u8]],
    missing: &'a mut [&'b mut [u8]],
}

impl Call<'_, '_> {
    fn restore<K: Kernel>(self, kernel: K) {
        let plan = self.plan;
        let shuffles = self.packing.shuffles(kernel);
        for strip in self.packing.strips(&shuffles) {
            let columns = strip.columns();
            let block = plan.block * columns;
            let units = (plan.inputs.len() + 1) * block;
            let units = K::units(self.scratch.blocks(units * K::BLOCKS));
            let (work, polynomials) = units.split_at_mut(block);
            let shape = |number: usize, live| {
                let point = number * plan.block;
                Shape { layers: layers(plan.block), point, live, columns }
            };
            for (input, units) in plan.inputs.iter().zip(polynomials.chunks_exact_mut(block)) {
                let shape = shape(input.block, input.symbols.len());
                let mut load = |symbols: Range<usize>, units: &mut [K::Unit]| {
                    let symbols = &input.symbols[symbols];
                    kernel.run(Gather { strip: &strip, symbols, known: self.known, units });
                };
                inverse(kernel, shape, units, Result::Stay, &mut load);
            }
            for output in &plan.outputs {
                let shape = shape(output.block, output.symbols.len());
                let mut store = |symbols: Range<usize>, units: &mut [K::Unit]| {
                    let symbols = &output.symbols[symbols];
                    kernel.run(Scatter { strip: &strip, symbols, missing: self.missing, units });
                };
                if output.own.is_none() && output.shares == [Share::One] {
                    // The only polynomial is the derivative.
                    forward(kernel, shape, work, Start::CopyOf(polynomials), &mut store);
                } else {
                    kernel.run(Derive::<K> { output, columns, polynomials, derivative: work });
                    forward(kernel, shape, work, Start::Here, &mut store);
                }
            }
        }
    }
}

/// Reads known symbols into work memory, multiplied.
struct Gather<'a, K: Kernel> {
    strip: &'a Strip<'a, K>,
    symbols: &'a [Option<Scaled>],
    known: &'a [&'a [u8]],
    units: &'a mut [K::Unit],
}

impl<K: Kernel> Job<K> for Gather<'_, K> {
    #[inline(always)]
    fn run(self, kernel: K) {
        let rows = self.units.chunks_exact_mut(self.strip.columns());
        for (scaled, row) in self.symbols.iter().zip(rows) {
            let symbol = scaled.map_or(&[][..], |scaled| self.known[scaled.index]);
            let factor = scaled.map_or(Tower::new(0), |scaled| scaled.factor);
            let factor = kernel.wide(factor);
            for (unit, places) in row.iter_mut().zip(self.strip.places()) {
                let vector = if symbol.is_empty() {
                    kernel.zero()
                } else {
                    let vector = kernel.gather(symbol, places, &self.strip.shuffles.gather);
                    kernel.add_wide(kernel.zero(), factor, vector)
                };
                kernel.store(vector, unit);
            }
        }
    }
}

/// Multiplies and writes missing symbols out of work memory.
struct Scatter<'a, 'b, K: Kernel> {
    strip: &'a Strip<'a, K>,
    symbols: &'a [Option<Scaled>],
    missing: &'a mut [&'b mut [u8]],
    units: &'a [K::Unit],
}

impl<K: Kernel> Job<K> for Scatter<'_, '_, K> {
    #[inline(always)]
    fn run(self, kernel: K) {
        let rows = self.units.chunks_exact(self.strip.columns());
        for (scaled, row) in self.symbols.iter().zip(rows) {
            let Some(scaled) = scaled else { continue };
            let factor = kernel.wide(scaled.factor);
            let symbol = &mut *self.missing[scaled.index];
            for (unit, places) in row.iter().zip(self.strip.places()) {
                let vector = kernel.add_wide(kernel.zero(), factor, kernel.load(unit));
                kernel.scatter(vector, symbol, places, &self.strip.shuffles.scatter);
            }
        }
    }
}

/// The derivative of the sum on a block of points: from the polynomials of all blocks by the formula at
/// the top.
///
/// Basis polynomial `i` is the product of the subspace polynomials at the set bits of `i`, whose
/// derivatives are all 1, so coefficient `i` of a derivative is the sum of those with one bit more than `i`.
struct Derive<'a, K: Kernel> {
    output: &'a Output,
    columns: usize,
    /// Of all inputs, one after the other.
    polynomials: &'a [K::Unit],
    derivative: &'a mut [K::Unit],
}

impl<K: Kernel> Job<K> for Derive<'_, K> {
    #[inline(always)]
    fn run(self, kernel: K) {
        let symbols = self.derivative.len() / self.columns;
        match K::LAYERS {
            3 if symbols >= 8 => self.rows::<8>(kernel),
            2.. if symbols >= 4 => self.rows::<4>(kernel),
            _ => self.rows::<1>(kernel),
        }
    }
}

impl<K: Kernel> Derive<'_, K> {
    /// Does `ROWS` symbols at a time, which have all but the lowest bits of their indices in common.
    #[inline(always)]
    fn rows<const ROWS: usize>(self, kernel: K) {
        let (block, columns) = (self.derivative.len(), self.columns);
        let own = self.output.own.map(|own| &self.polynomials[own * block..][..block]);
        let groups = block / (ROWS * columns);
        for group in 0..groups {
            let first = group * ROWS * columns;
            for at in first..first + columns {
                let mut sums = [kernel.zero(); ROWS];
                if let Some(own) = own {
                    for (index, sum) in sums.iter_mut().enumerate() {
                        for bit in [1, 2, 4] {
                            if bit < ROWS && index & bit == 0 {
                                let unit = &own[at + (index | bit) * columns];
                                *sum = kernel.add(*sum, kernel.load(unit));
                            }
                        }
                    }
                    let mut bits = !group & (groups - 1);
                    while bits != 0 {
                        let bit = bits & bits.wrapping_neg();
                        bits ^= bit;
                        let at = at + bit * ROWS * columns;
                        for (sum, unit) in sums.iter_mut().zip(own[at..].iter().step_by(columns)) {
                            *sum = kernel.add(*sum, kernel.load(unit));
                        }
                    }
                }
                let inputs = self.polynomials.chunks_exact(block);
                for (share, units) in self.output.shares.iter().zip(inputs) {
                    let units = units[at..].iter().step_by(columns);
                    match *share {
                        Share::None => {}
                        Share::One => {
                            for (sum, unit) in sums.iter_mut().zip(units) {
                                *sum = kernel.add(*sum, kernel.load(unit));
                            }
                        }
                        Share::Of(factor) => {
                            let factor = kernel.wide(factor);
                            for (sum, unit) in sums.iter_mut().zip(units) {
                                *sum = kernel.add_wide(*sum, factor, kernel.load(unit));
                            }
                        }
                    }
                }
                let units = self.derivative[at..].iter_mut().step_by(columns);
                for (sum, unit) in sums.iter().zip(units) {
                    kernel.store(*sum, unit);
                }
            }
        }
    }
}
