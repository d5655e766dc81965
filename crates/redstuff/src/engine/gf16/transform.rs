//! The additive Fourier transform and its inverse over a block of `2^layers` symbols.
//!
//! The inverse takes the values of a polynomial at the points `o .. o + 2^layers` to its coefficients
//! in the basis of subspace polynomials; the forward transform goes back (docs/protocol/encoding.md
//! section 2.4, "fast form"). Layer `j` joins symbols `2^j` apart by butterflies (see [`butterflies`]) with
//! the factor `w_j(p) = p >> j`, where `p` is the first point of the butterfly's group of `2^(j+1)`: in the
//! Cantor basis the subspace polynomials are shifts. So twiddles need no table, and below 2048 points all
//! but those of the three lowest layers lie in the subfield.
//!
//! Each symbol is a row of as many units as the strip has columns. Several layers are done while the
//! symbols are in registers ("a pass"), and a block is divided until its parts fit the first-level
//! cache. Inputs that are zero and outputs that nobody wants are left out, a group at a time.
//!
//! [`butterflies`]: super::butterflies

use std::ops::Range;

use super::butterflies::{AddTo, CopyOf, InPlace, Pass};
use super::kernel::{Job, Kernel};

/// Blocks of up to `2^6` symbols are done pass by pass, larger ones divided first.
const LEAF_LAYERS: usize = 6;

/// What a transform works on, besides the units.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// The block is `2^layers` symbols.
    pub(super) layers: usize,
    /// Its first evaluation point.
    pub(super) point: usize,
    /// The symbols of the block that matter, from the first and at least one: later inputs of the inverse
    /// transform are zero, later outputs of the forward one are not wanted.
    pub(super) live: usize,
    /// Units in a symbol.
    pub(super) columns: usize,
}

impl Shape {
    /// The layers that the last pass of the inverse, or the first of the forward transform, does.
    fn top<K: Kernel>(&self) -> usize {
        (self.layers - 1) % K::LAYERS + 1
    }

    /// The parts that have live symbols when the top layers are taken off, and where their symbols are.
    fn parts<K: Kernel>(&self) -> impl Iterator<Item = (Range<usize>, Self)> {
        let (shape, layers) = (*self, self.layers - self.top::<K>());
        (0..self.live).step_by(1 << layers).map(move |first| {
            let live = (shape.live - first).min(1 << layers);
            let part = Self { layers, point: shape.point + first, live, columns: shape.columns };
            (first..first + (1 << layers), part)
        })
    }

    /// The units of all groups of `2^layers` symbols with a live one.
    fn units(&self, layers: usize) -> usize {
        self.live.next_multiple_of(1 << layers) * self.columns
    }

    /// The pass that does `layers` layers from layer `first` up.
    fn pass<'a, K: Kernel, R, const FORWARD: bool>(
        &self,
        first: usize,
        layers: usize,
        units: &'a mut [K::Unit],
        route: R,
    ) -> Pass<'a, K, R, FORWARD> {
        let stride = self.columns << first;
        let units = &mut units[..self.units(first + layers)];
        Pass { units, stride, layers, twiddle: self.point >> first, route }
    }
}

/// Where the coefficients of an inverse transform go.
pub(super) enum Result<'a, K: Kernel> {
    /// They stay in the units that the transform worked in.
    Stay,
    /// They are added to others; the units are left with something else.
    AddTo(&'a mut [K::Unit]),
}

/// Transforms values into coefficients. `fill(symbols, units)` is called once for each range of live
/// symbols, ascending, to put their values into the units; everything else counts as zero.
pub(super) fn inverse<K: Kernel>(
    kernel: K,
    shape: Shape,
    units: &mut [K::Unit],
    result: Result<'_, K>,
    fill: &mut impl FnMut(Range<usize>, &mut [K::Unit]),
) {
    inverse_part(kernel, shape, 0, units, result, fill);
}

/// The same for a part of a block that begins with symbol `first`.
fn inverse_part<K: Kernel>(
    kernel: K,
    shape: Shape,
    first: usize,
    units: &mut [K::Unit],
    result: Result<'_, K>,
    fill: &mut impl FnMut(Range<usize>, &mut [K::Unit]),
) {
    if shape.layers <= LEAF_LAYERS {
        inverse_leaf(kernel, shape, first, units, fill);
        if let Result::AddTo(sum) = result {
            kernel.run(Add::<K> { sum, units });
        }
        return;
    }
    let top = shape.top::<K>();
    let mut filled = 0;
    for (symbols, part) in shape.parts::<K>() {
        let units = &mut units[symbols.start * shape.columns..symbols.end * shape.columns];
        filled = symbols.end * shape.columns;
        inverse_part(kernel, part, first + symbols.start, units, Result::Stay, fill);
    }
    kernel.run(Clear::<K> { units: &mut units[filled..shape.columns << shape.layers] });
    let lower = shape.layers - top;
    match result {
        Result::Stay => kernel.run(shape.pass::<K, _, false>(lower, top, units, InPlace)),
        Result::AddTo(sum) => {
            kernel.run(shape.pass::<K, _, false>(lower, top, units, AddTo::<K>(sum)));
        }
    }
}

fn inverse_leaf<K: Kernel>(
    kernel: K,
    shape: Shape,
    first: usize,
    units: &mut [K::Unit],
    fill: &mut impl FnMut(Range<usize>, &mut [K::Unit]),
) {
    let mut filled = shape.units(0);
    fill(first..first + shape.live, &mut units[..filled]);
    let mut done = 0;
    while done < shape.layers {
        let layers = K::LAYERS.min(shape.layers - done);
        let end = shape.units(done + layers);
        kernel.run(Clear::<K> { units: &mut units[filled..end] });
        filled = end;
        kernel.run(shape.pass::<K, _, false>(done, layers, units, InPlace));
        done += layers;
    }
}

/// Where the coefficients for a forward transform are.
pub(super) enum Start<'a, K: Kernel> {
    /// In the units that the transform works in.
    Here,
    /// Elsewhere, where they stay.
    CopyOf(&'a [K::Unit]),
}

/// Transforms coefficients into values. `drain(symbols, units)` is called once for each range of live
/// symbols, ascending, to take their values.
pub(super) fn forward<K: Kernel>(
    kernel: K,
    shape: Shape,
    units: &mut [K::Unit],
    start: Start<'_, K>,
    drain: &mut impl FnMut(Range<usize>, &mut [K::Unit]),
) {
    forward_part(kernel, shape, 0, units, start, drain);
}

/// The same for a part of a block that begins with symbol `first`.
fn forward_part<K: Kernel>(
    kernel: K,
    shape: Shape,
    first: usize,
    units: &mut [K::Unit],
    start: Start<'_, K>,
    drain: &mut impl FnMut(Range<usize>, &mut [K::Unit]),
) {
    if shape.layers <= LEAF_LAYERS {
        if let Start::CopyOf(coefficients) = start {
            kernel.run(Copy::<K> { units: coefficients, to: units });
        }
        return forward_leaf(kernel, shape, first, units, drain);
    }
    let top = shape.top::<K>();
    let lower = shape.layers - top;
    match start {
        Start::Here => kernel.run(shape.pass::<K, _, true>(lower, top, units, InPlace)),
        Start::CopyOf(coefficients) => {
            kernel.run(shape.pass::<K, _, true>(lower, top, units, CopyOf::<K>(coefficients)));
        }
    }
    for (symbols, part) in shape.parts::<K>() {
        let units = &mut units[symbols.start * shape.columns..symbols.end * shape.columns];
        forward_part(kernel, part, first + symbols.start, units, Start::Here, drain);
    }
}

fn forward_leaf<K: Kernel>(
    kernel: K,
    shape: Shape,
    first: usize,
    units: &mut [K::Unit],
    drain: &mut impl FnMut(Range<usize>, &mut [K::Unit]),
) {
    let mut left = shape.layers;
    while left > 0 {
        let layers = (left - 1) % K::LAYERS + 1;
        left -= layers;
        kernel.run(shape.pass::<K, _, true>(left, layers, units, InPlace));
    }
    drain(first..first + shape.live, &mut units[..shape.units(0)]);
}

/// Sets units to zero.
struct Clear<'a, K: Kernel> {
    units: &'a mut [K::Unit],
}

impl<K: Kernel> Job<K> for Clear<'_, K> {
    #[inline(always)]
    fn run(self, kernel: K) {
        for unit in self.units {
            kernel.store(kernel.zero(), unit);
        }
    }
}

/// Adds units to others.
struct Add<'a, K: Kernel> {
    sum: &'a mut [K::Unit],
    units: &'a [K::Unit],
}

impl<K: Kernel> Job<K> for Add<'_, K> {
    #[inline(always)]
    fn run(self, kernel: K) {
        for (sum, unit) in self.sum.iter_mut().zip(self.units) {
            kernel.store(kernel.add(kernel.load(sum), kernel.load(unit)), sum);
        }
    }
}

/// Copies units.
struct Copy<'a, K: Kernel> {
    units: &'a [K::Unit],
    to: &'a mut [K::Unit],
}

impl<K: Kernel> Job<K> for Copy<'_, K> {
    #[inline(always)]
    fn run(self, kernel: K) {
        for (unit, to) in self.units.iter().zip(self.to) {
            kernel.store(kernel.load(unit), to);
        }
    }
}
