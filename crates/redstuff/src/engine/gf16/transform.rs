//! The additive Fourier transform and its inverse over a block of `2^layers` symbols.
//!
//! The inverse takes the values of a polynomial at the points `o .. o + 2^layers` to its coefficients
//! in the basis of subspace polynomials; the forward transform goes back (docs/protocol/encoding.md
//! section 2.4, "fast form"). A butterfly of layer `j` joins symbols `2^j` apart:
//!
//! ```text
//! inverse: b += a, a += w b        forward: a += w b, b += a        w = w_j(p) = p >> j
//! ```
//!
//! with `p` the first point of the butterfly's group of `2^(j+1)`: in the Cantor basis the subspace
//! polynomials are shifts. So twiddles need no table, and below 2048 points all but those of the three
//! lowest layers lie in the subfield.
//!
//! Each symbol is a row of as many units as the strip has columns. Several layers are done while the
//! symbols are in registers ("a pass"), and a block is divided until its parts fit the first-level
//! cache. Inputs that are zero and outputs that nobody wants are left out, a group at a time.

use std::ops::Range;

use super::kernel::{Job, Kernel};
use super::tower::Tower;

/// Blocks of up to `2^6` symbols are done pass by pass, larger ones divided first.
const LEAF_LAYERS: usize = 6;

/// What a transform works on, besides the units.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// The block is `2^layers` symbols.
    pub(super) layers: usize,
    /// Its first evaluation point.
    pub(super) point: usize,
    /// The symbols of the block that matter, from the first: later inputs of the inverse transform are
    /// zero, later outputs of the forward one are not wanted.
    pub(super) live: usize,
    /// Units in a symbol.
    pub(super) columns: usize,
}

impl Shape {
    /// The layers that the last pass of the inverse, or the first of the forward transform, does.
    fn top<K: Kernel>(&self) -> usize {
        (self.layers - 1) % K::LAYERS + 1
    }

    /// The parts that have live symbols when the top layers are taken off.
    fn parts<K: Kernel>(&self) -> impl Iterator<Item = (Range<usize>, Self)> {
        let layers = self.layers - self.top::<K>();
        (0..self.live).step_by(1 << layers).map(move |first| {
            let live = (self.live - first).min(1 << layers);
            let units = first * self.columns..(first + (1 << layers)) * self.columns;
            (units, Self { layers, point: self.point + first, live, columns: self.columns })
        })
    }

    /// The units of all groups of `2^layers` symbols with a live one.
    fn units(&self, layers: usize) -> usize {
        self.live.next_multiple_of(1 << layers).min(1 << self.layers) * self.columns
    }
}

/// Transforms values into coefficients. `fill(symbols, units)` is called once for each range of live
/// symbols (ascending) to put their values into the units; everything else counts as zero.
pub(super) fn inverse<K: Kernel>(
    kernel: K,
    shape: Shape,
    first: usize,
    units: &mut [K::Unit],
    fill: &mut impl FnMut(Range<usize>, &mut [K::Unit]),
) {
    if shape.layers <= LEAF_LAYERS {
        let live = shape.live * shape.columns;
        fill(first..first + shape.live, &mut units[..live]);
        let mut done = 0;
        let mut filled = live;
        while done < shape.layers {
            let layers = K::LAYERS.min(shape.layers - done);
            let end = shape.units(done + layers);
            kernel.run(Clear::<K> { units: &mut units[filled..end] });
            filled = end;
            kernel.run(InversePass::<K> {
                units: &mut units[..end],
                stride: shape.columns << done,
                layers,
                twiddle: shape.point >> done,
            });
            done += layers;
        }
        return;
    }
    let top = shape.top::<K>();
    let mut filled = 0;
    for (range, part) in shape.parts::<K>() {
        filled = range.end;
        inverse(kernel, part, first + range.start / shape.columns, &mut units[range], fill);
    }
    kernel.run(Clear::<K> { units: &mut units[filled..shape.columns << shape.layers] });
    kernel.run(InversePass::<K> {
        units: &mut units[..shape.columns << shape.layers],
        stride: shape.columns << (shape.layers - top),
        layers: top,
        twiddle: shape.point >> (shape.layers - top),
    });
}

/// Transforms coefficients into values. `drain(symbols, units)` is called once for each range of live
/// symbols (ascending) to take their values.
pub(super) fn forward<K: Kernel>(
    kernel: K,
    shape: Shape,
    first: usize,
    units: &mut [K::Unit],
    drain: &mut impl FnMut(Range<usize>, &mut [K::Unit]),
) {
    if shape.layers <= LEAF_LAYERS {
        let mut left = shape.layers;
        while left > 0 {
            let layers = (left - 1) % K::LAYERS + 1;
            left -= layers;
            kernel.run(ForwardPass::<K> {
                units: &mut units[..shape.units(left + layers)],
                stride: shape.columns << left,
                layers,
                twiddle: shape.point >> left,
            });
        }
        drain(first..first + shape.live, &mut units[..shape.live * shape.columns]);
        return;
    }
    let top = shape.top::<K>();
    kernel.run(ForwardPass::<K> {
        units: &mut units[..shape.columns << shape.layers],
        stride: shape.columns << (shape.layers - top),
        layers: top,
        twiddle: shape.point >> (shape.layers - top),
    });
    for (range, part) in shape.parts::<K>() {
        forward(kernel, part, first + range.start / shape.columns, &mut units[range], drain);
    }
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

/// Some layers of an inverse transform, from the lowest up.
struct InversePass<'a, K: Kernel> {
    /// Groups of `stride << layers` units.
    units: &'a mut [K::Unit],
    /// Units from a symbol to the one it meets in the lowest of the layers.
    stride: usize,
    layers: usize,
    /// The twiddle of the first group in the lowest of the layers.
    twiddle: usize,
}

/// The same for a forward transform, from the highest layer down.
struct ForwardPass<'a, K: Kernel> {
    units: &'a mut [K::Unit],
    stride: usize,
    layers: usize,
    twiddle: usize,
}

impl<K: Kernel> Job<K> for InversePass<'_, K> {
    #[inline(always)]
    fn run(self, kernel: K) {
        let mut twiddle = self.twiddle;
        for group in self.units.chunks_exact_mut(self.stride << self.layers) {
            match self.layers {
                1 => pass::<K, 2, false>(kernel, group, twiddle),
                2 => pass::<K, 4, false>(kernel, group, twiddle),
                _ if K::LAYERS == 3 => pass::<K, 8, false>(kernel, group, twiddle),
                _ => {}
            }
            twiddle += 1 << self.layers;
        }
    }
}

impl<K: Kernel> Job<K> for ForwardPass<'_, K> {
    #[inline(always)]
    fn run(self, kernel: K) {
        let mut twiddle = self.twiddle;
        for group in self.units.chunks_exact_mut(self.stride << self.layers) {
            match self.layers {
                1 => pass::<K, 2, true>(kernel, group, twiddle),
                2 => pass::<K, 4, true>(kernel, group, twiddle),
                _ if K::LAYERS == 3 => pass::<K, 8, true>(kernel, group, twiddle),
                _ => {}
            }
            twiddle += 1 << self.layers;
        }
    }
}

/// One group of a pass. Twiddles halve from layer to layer, so those outside the subfield are in the
/// lowest layers.
#[inline(always)]
fn pass<K: Kernel, const ROWS: usize, const FORWARD: bool>(
    kernel: K,
    group: &mut [K::Unit],
    twiddle: usize,
) {
    match twiddle {
        0..0x100 => butterflies::<K, ROWS, 0, FORWARD>(kernel, group, twiddle),
        0x100..0x200 => butterflies::<K, ROWS, 1, FORWARD>(kernel, group, twiddle),
        0x200..0x400 if ROWS >= 4 => butterflies::<K, ROWS, 2, FORWARD>(kernel, group, twiddle),
        _ if ROWS >= 8 => butterflies::<K, ROWS, 3, FORWARD>(kernel, group, twiddle),
        _ if ROWS >= 4 => butterflies::<K, ROWS, 2, FORWARD>(kernel, group, twiddle),
        _ => butterflies::<K, ROWS, 1, FORWARD>(kernel, group, twiddle),
    }
}

/// The butterflies of `ROWS` equal parts of a group, with any factors in the lowest `WIDE` layers and
/// factors out of the subfield above.
#[inline(always)]
fn butterflies<K: Kernel, const ROWS: usize, const WIDE: usize, const FORWARD: bool>(
    kernel: K,
    group: &mut [K::Unit],
    twiddle: usize,
) {
    let stride = group.len() / ROWS;
    let mut parts = group.chunks_exact_mut(stride);
    let mut rows: [&mut [K::Unit]; ROWS] =
        std::array::from_fn(|_| parts.next().unwrap_or_default());
    // Twiddles of layer `j`, counted from the lowest of the pass, are at `ROWS >> (j + 1)`.
    let mut narrow = [kernel.narrow(0); ROWS];
    let mut wide = [kernel.wide(Tower { low: 0, high: 0 }); ROWS];
    let (mut at, mut layer) = (ROWS / 2, 0);
    while at > 0 {
        for index in 0..at {
            let twiddle = (twiddle >> layer) + 2 * index;
            if layer < WIDE {
                wide[at + index] = kernel.wide(Tower::new(twiddle as u16));
            } else {
                narrow[at + index] = kernel.narrow(twiddle as u8);
            }
        }
        at /= 2;
        layer += 1;
    }
    let layers = ROWS.trailing_zeros() as usize;
    for column in 0..stride {
        let mut v = [kernel.zero(); ROWS];
        for (vector, row) in v.iter_mut().zip(&rows) {
            *vector = kernel.load(&row[column]);
        }
        for step in 0..layers {
            let layer = if FORWARD { layers - 1 - step } else { step };
            let (distance, twiddles) = (1 << layer, ROWS >> (layer + 1));
            for index in 0..twiddles {
                for pair in 0..distance {
                    let a = 2 * distance * index + pair;
                    let b = a + distance;
                    if !FORWARD {
                        v[b] = kernel.add(v[b], v[a]);
                    }
                    v[a] = if layer < WIDE {
                        kernel.add_wide(v[a], wide[twiddles + index], v[b])
                    } else {
                        kernel.add_narrow(v[a], narrow[twiddles + index], v[b])
                    };
                    if FORWARD {
                        v[b] = kernel.add(v[b], v[a]);
                    }
                }
            }
        }
        for (vector, row) in v.iter().zip(&mut rows) {
            kernel.store(*vector, &mut row[column]);
        }
    }
}
