//! The butterflies of a transform, some layers at a time.
//!
//! ```text
//! inverse: b += a, a += w b        forward: a += w b, b += a
//! ```

use std::array::from_fn;
use std::mem::take;

use super::kernel::{Job, Kernel};
use super::tower::Tower;

/// Some layers of a transform of groups of `stride << layers` units: from the lowest up, or in the forward
/// transform from the highest down.
pub(super) struct Pass<'a, K: Kernel, R, const FORWARD: bool> {
    pub(super) units: &'a mut [K::Unit],
    /// Units from a symbol to the one it meets in the lowest of the layers.
    pub(super) stride: usize,
    /// At most [`Kernel::LAYERS`].
    pub(super) layers: usize,
    /// The twiddle of the first group in the lowest of the layers.
    pub(super) twiddle: usize,
    pub(super) route: R,
}

/// Where a pass takes its units from and puts them; all but [`InPlace`] are for passes of one group.
pub(super) trait Route<K: Kernel> {
    /// Takes the unit at an index.
    fn load(&self, kernel: K, unit: &K::Unit, at: usize) -> K::Vector;
    /// Puts the unit at an index.
    fn store(&mut self, kernel: K, vector: K::Vector, unit: &mut K::Unit, at: usize);
}

/// From the pass's units to the same.
pub(super) struct InPlace;

/// From others to the pass's units.
pub(super) struct CopyOf<'a, K: Kernel>(pub(super) &'a [K::Unit]);

/// From the pass's units, adding to others.
pub(super) struct AddTo<'a, K: Kernel>(pub(super) &'a mut [K::Unit]);

impl<K: Kernel> Route<K> for InPlace {
    #[inline(always)]
    fn load(&self, kernel: K, unit: &K::Unit, _: usize) -> K::Vector {
        kernel.load(unit)
    }

    #[inline(always)]
    fn store(&mut self, kernel: K, vector: K::Vector, unit: &mut K::Unit, _: usize) {
        kernel.store(vector, unit);
    }
}

impl<K: Kernel> Route<K> for CopyOf<'_, K> {
    #[inline(always)]
    fn load(&self, kernel: K, _: &K::Unit, at: usize) -> K::Vector {
        kernel.load(&self.0[at])
    }

    #[inline(always)]
    fn store(&mut self, kernel: K, vector: K::Vector, unit: &mut K::Unit, _: usize) {
        kernel.store(vector, unit);
    }
}

impl<K: Kernel> Route<K> for AddTo<'_, K> {
    #[inline(always)]
    fn load(&self, kernel: K, unit: &K::Unit, _: usize) -> K::Vector {
        kernel.load(unit)
    }

    #[inline(always)]
    fn store(&mut self, kernel: K, vector: K::Vector, _: &mut K::Unit, at: usize) {
        let sum = kernel.add(kernel.load(&self.0[at]), vector);
        kernel.store(sum, &mut self.0[at]);
    }
}

impl<K: Kernel, R: Route<K>, const FORWARD: bool> Job<K> for Pass<'_, K, R, FORWARD> {
    #[inline(always)]
    fn run(mut self, kernel: K) {
        while !self.units.is_empty() {
            match self.layers {
                1 => self.group::<2>(kernel),
                2 => self.group::<4>(kernel),
                _ if K::LAYERS == 3 => self.group::<8>(kernel),
                _ => unreachable!("no more layers than the kernel has room for"),
            }
            self.twiddle += 1 << self.layers;
        }
    }
}

impl<K: Kernel, R: Route<K>, const FORWARD: bool> Pass<'_, K, R, FORWARD> {
    /// Does the next group, of `ROWS` strides.
    ///
    /// Twiddles halve from layer to layer, so those outside the subfield are in the lowest layers.
    #[inline(always)]
    fn group<const ROWS: usize>(&mut self, kernel: K) {
        match self.twiddle {
            0 => self.butterflies::<ROWS, 0, true>(kernel),
            1..0x100 => self.butterflies::<ROWS, 0, false>(kernel),
            0x100..0x200 => self.butterflies::<ROWS, 1, false>(kernel),
            0x200..0x400 if ROWS >= 4 => self.butterflies::<ROWS, 2, false>(kernel),
            _ if ROWS >= 8 => self.butterflies::<ROWS, 3, false>(kernel),
            _ if ROWS >= 4 => self.butterflies::<ROWS, 2, false>(kernel),
            _ => self.butterflies::<ROWS, 1, false>(kernel),
        }
    }

    /// The same with factors from the whole field in the lowest `WIDE` layers and from the subfield above;
    /// if `ZERO`, the first factor of each layer is zero.
    #[inline(always)]
    fn butterflies<const ROWS: usize, const WIDE: usize, const ZERO: bool>(&mut self, kernel: K) {
        let stride = self.stride;
        let mut rows: [&mut [K::Unit]; ROWS] = from_fn(|_| {
            let (row, rest) = take(&mut self.units).split_at_mut(stride);
            self.units = rest;
            row
        });
        let factors = Factors::<K, ROWS, WIDE, ZERO>::new(kernel, self.twiddle);
        for column in 0..stride {
            let mut v = [kernel.zero(); ROWS];
            for (index, (vector, row)) in v.iter_mut().zip(&rows).enumerate() {
                *vector = self.route.load(kernel, &row[column], index * stride + column);
            }
            if FORWARD {
                factors.forward(kernel, &mut v);
            } else {
                factors.inverse(kernel, &mut v);
            }
            for (index, (vector, row)) in v.iter().zip(&mut rows).enumerate() {
                self.route.store(kernel, *vector, &mut row[column], index * stride + column);
            }
        }
    }
}

/// The factors of the butterflies of `ROWS` symbols: those of layer `j`, counted from the lowest of the
/// pass, are from `ROWS >> (j + 1)` on.
struct Factors<K: Kernel, const ROWS: usize, const WIDE: usize, const ZERO: bool> {
    narrow: [K::Narrow; ROWS],
    wide: [K::Wide; ROWS],
}

/// Butterflies written out, `[a b factor]` each, so that vectors stay in registers.
macro_rules! butterflies {
    ($one:ident, $factors:ident, $kernel:ident, $v:ident;
     $($layer:literal: $([$a:literal $b:literal $factor:literal])*;)*) => {{
        $($($factors.$one($kernel, $v, $layer, $a, $b, $factor);)*)*
    }};
}

impl<K: Kernel, const ROWS: usize, const WIDE: usize, const ZERO: bool>
    Factors<K, ROWS, WIDE, ZERO>
{
    #[inline(always)]
    fn new(kernel: K, twiddle: usize) -> Self {
        let mut narrow = [kernel.narrow(0); ROWS];
        let mut wide = [kernel.wide(Tower { low: 0, high: 0 }); ROWS];
        for layer in 0..ROWS.trailing_zeros() as usize {
            let factors = ROWS >> (layer + 1);
            for index in 0..factors {
                let twiddle = (twiddle >> layer) + 2 * index;
                if layer < WIDE {
                    wide[factors + index] = kernel.wide(Tower::new(twiddle as u16));
                } else {
                    narrow[factors + index] = kernel.narrow(twiddle as u8);
                }
            }
        }
        Self { narrow, wide }
    }

    #[inline(always)]
    fn inverse(&self, kernel: K, v: &mut [K::Vector; ROWS]) {
        match ROWS {
            2 => butterflies!(inverse_one, self, kernel, v; 0: [0 1 1];),
            4 => butterflies!(inverse_one, self, kernel, v;
                0: [0 1 2] [2 3 3];
                1: [0 2 1] [1 3 1];
            ),
            _ => butterflies!(inverse_one, self, kernel, v;
                0: [0 1 4] [2 3 5] [4 5 6] [6 7 7];
                1: [0 2 2] [1 3 2] [4 6 3] [5 7 3];
                2: [0 4 1] [1 5 1] [2 6 1] [3 7 1];
            ),
        }
    }

    #[inline(always)]
    fn forward(&self, kernel: K, v: &mut [K::Vector; ROWS]) {
        match ROWS {
            2 => butterflies!(forward_one, self, kernel, v; 0: [0 1 1];),
            4 => butterflies!(forward_one, self, kernel, v;
                1: [0 2 1] [1 3 1];
                0: [0 1 2] [2 3 3];
            ),
            _ => butterflies!(forward_one, self, kernel, v;
                2: [0 4 1] [1 5 1] [2 6 1] [3 7 1];
                1: [0 2 2] [1 3 2] [4 6 3] [5 7 3];
                0: [0 1 4] [2 3 5] [4 5 6] [6 7 7];
            ),
        }
    }

    #[inline(always)]
    fn inverse_one(
        &self,
        kernel: K,
        v: &mut [K::Vector; ROWS],
        layer: usize,
        a: usize,
        b: usize,
        factor: usize,
    ) {
        v[b] = kernel.add(v[b], v[a]);
        v[a] = self.add_product(kernel, v[a], layer, factor, v[b]);
    }

    #[inline(always)]
    fn forward_one(
        &self,
        kernel: K,
        v: &mut [K::Vector; ROWS],
        layer: usize,
        a: usize,
        b: usize,
        factor: usize,
    ) {
        v[a] = self.add_product(kernel, v[a], layer, factor, v[b]);
        v[b] = kernel.add(v[b], v[a]);
    }

    #[inline(always)]
    fn add_product(
        &self,
        kernel: K,
        sum: K::Vector,
        layer: usize,
        factor: usize,
        vector: K::Vector,
    ) -> K::Vector {
        if layer < WIDE {
            kernel.add_wide(sum, self.wide[factor], vector)
        } else if ZERO && factor.is_power_of_two() {
            sum
        } else {
            kernel.add_narrow(sum, self.narrow[factor], vector)
        }
    }
}
