//! From source symbols to repair symbols.

use std::ops::Range;

use super::domain::{Domain, layers};
use super::kernel::{Job, Kernel};
use super::machine::Machine;
use super::packing::{Packing, Strip};
use super::scratch::Scratch;
use super::transform::{Result, Shape, Start, forward, inverse};
use super::{Code, Instructions};

/// Computes the repair symbols of a code.
#[derive(Debug, Clone)]
pub(crate) struct Extender {
    code: Code,
    machine: Machine,
}

impl Extender {
    /// An extender for `code`, which has to be legal, with the given instructions if the machine has
    /// them and the portable ones otherwise.
    pub(crate) fn new(code: Code, instructions: Instructions) -> Self {
        Self { code, machine: Machine::new(instructions) }
    }

    /// Overwrites `repair` with the repair symbols that belong to `source`.
    ///
    /// A slice holds the same symbol of all lanes, `symbol_bytes` (even, not 0) each, side by side; all
    /// are of one length, except that an empty `source` slice stands for zeros in all lanes. There are
    /// as many slices as the code has symbols.
    ///
    /// # Panics
    ///
    /// If the numbers or lengths of slices are not as said.
    pub(crate) fn extend(
        &self,
        scratch: &mut Scratch,
        symbol_bytes: usize,
        source: &[&[u8]],
        repair: &mut [&mut [u8]],
    ) {
        assert_eq!(source.len(), self.code.source, "a slice for each source symbol");
        assert_eq!(repair.len(), self.code.repair, "a slice for each repair symbol");
        let bytes = repair[0].len();
        assert!(repair.iter().all(|symbol| symbol.len() == bytes), "slices of one length");
        let fits = |symbol: &&[u8]| symbol.is_empty() || symbol.len() == bytes;
        assert!(source.iter().all(fits), "slices of one length, or empty");
        let live = source.iter().rposition(|symbol| !symbol.is_empty()).map_or(0, |last| last + 1);
        if live == 0 {
            repair.iter_mut().for_each(|symbol| symbol.fill(0));
            return;
        }
        let packing = Packing::new(symbol_bytes, bytes);
        let call = Call { code: self.code, packing, scratch, source: &source[..live], repair };
        match self.machine {
            Machine::Portable(kernel) => call.extend(kernel),
            #[cfg(target_arch = "x86_64")]
            Machine::Avx2(kernel) => call.extend(kernel),
            #[cfg(target_arch = "x86_64")]
            Machine::Avx512(kernel) => call.extend(kernel),
        }
    }
}

/// The arguments of a call.
struct Call<'a, 'b> {
    code: Code,
    packing: Packing,
    scratch: &'a mut Scratch,
    /// Without the empty slices at the end.
    source: &'a [&'a [u8]],
    repair: &'a mut [&'b mut [u8]],
}

impl Call<'_, '_> {
    fn extend<K: Kernel>(self, kernel: K) {
        let domain = Domain::new(self.code);
        let shuffles = self.packing.shuffles(kernel);
        for strip in self.packing.strips(&shuffles) {
            let columns = strip.columns();
            let block = domain.block * columns;
            let units = K::units(self.scratch.blocks(2 * block * K::BLOCKS));
            let (sum, work) = units.split_at_mut(block);
            let shape = |point, live| Shape { layers: layers(domain.block), point, live, columns };
            // The coefficients of a polynomial that has the source symbols as values, or in the high
            // rate of the sum of several.
            for (index, first) in (0..self.source.len()).step_by(domain.block).enumerate() {
                let live = (self.source.len() - first).min(domain.block);
                let shape = shape(domain.source + first, live);
                let mut load = |symbols: Range<usize>, units: &mut [K::Unit]| {
                    let symbols = &self.source[first..][symbols];
                    kernel.run(Gather { strip: &strip, symbols, units });
                };
                if index == 0 {
                    inverse(kernel, shape, sum, Result::Stay, &mut load);
                } else {
                    inverse(kernel, shape, work, Result::AddTo(sum), &mut load);
                }
            }
            for first in (0..self.code.repair).step_by(domain.block) {
                let live = (self.code.repair - first).min(domain.block);
                let shape = shape(domain.repair + first, live);
                let mut store = |symbols: Range<usize>, units: &mut [K::Unit]| {
                    let symbols = &mut self.repair[first..][symbols];
                    kernel.run(Scatter { strip: &strip, symbols, units });
                };
                if first + live < self.code.repair {
                    forward(kernel, shape, work, Start::CopyOf(sum), &mut store);
                } else {
                    forward(kernel, shape, sum, Start::Here, &mut store);
                }
            }
        }
    }
}

/// Reads symbols into work memory.
pub(super) struct Gather<'a, K: Kernel> {
    pub(super) strip: &'a Strip<'a, K>,
    pub(super) symbols: &'a [&'a [u8]],
    pub(super) units: &'a mut [K::Unit],
}

impl<K: Kernel> Job<K> for Gather<'_, K> {
    #[inline(always)]
    fn run(self, kernel: K) {
        let rows = self.units.chunks_exact_mut(self.strip.columns());
        for (symbol, row) in self.symbols.iter().zip(rows) {
            for (unit, places) in row.iter_mut().zip(self.strip.places()) {
                let vector = if symbol.is_empty() {
                    kernel.zero()
                } else {
                    kernel.gather(symbol, places, &self.strip.shuffles.gather)
                };
                kernel.store(vector, unit);
            }
        }
    }
}

/// Writes symbols out of work memory.
struct Scatter<'a, 'b, K: Kernel> {
    strip: &'a Strip<'a, K>,
    symbols: &'a mut [&'b mut [u8]],
    units: &'a [K::Unit],
}

impl<K: Kernel> Job<K> for Scatter<'_, '_, K> {
    #[inline(always)]
    fn run(self, kernel: K) {
        let rows = self.units.chunks_exact(self.strip.columns());
        for (symbol, row) in self.symbols.iter_mut().zip(rows) {
            for (unit, places) in row.iter().zip(self.strip.places()) {
                let vector = kernel.load(unit);
                kernel.scatter(vector, symbol, places, &self.strip.shuffles.scatter);
            }
        }
    }
}
