//! The oracle: field arithmetic by logarithm tables, generator coefficients straight from the
//! formulas of docs/protocol/encoding.md section 2.4, Gaussian elimination, one hash at a time.
//!
//! Written to be checked by reading, not to be quick: restoring takes `k^3` field operations.

use std::fmt;
use std::sync::Arc;

use super::{Code, Engine, missing_sources};
use crate::hash::{LEAF, NODE, prefixed};

/// The field polynomial `x^16 + x^5 + x^3 + x^2 + 1`.
const POLYNOMIAL: u32 = 0x1002d;
/// The number of non-zero field elements.
const ORDER: u32 = 65_535;
/// The Cantor basis: a value stands for the exclusive or of the entries at its set bits.
const BASIS: [u16; 16] = [
    0x0001, 0xacca, 0x3c0e, 0x163e, 0xc582, 0xed2e, 0x914c, 0x4012, 0x6c98, 0x10d8, 0x6a72, 0xb900,
    0xfdb8, 0xfb34, 0xff38, 0x991e,
];

/// The field GF(2^16) in the code's representation; addition is exclusive or.
struct Field {
    /// Logarithms by value; that of zero is never used.
    log: Vec<u16>,
    exp: Vec<u16>,
}

impl Field {
    fn new() -> Self {
        let mut ordinary_log = vec![0_u16; 1 << 16];
        let mut power = 1_u32;
        for exponent in 0..ORDER {
            ordinary_log[power as usize] = exponent as u16;
            power <<= 1;
            if power > ORDER {
                power ^= POLYNOMIAL;
            }
        }
        let (mut log, mut exp) = (vec![0; 1 << 16], vec![0; 1 << 16]);
        for value in 1..=u16::MAX {
            let ordinary =
                (0..16).filter(|bit| value >> bit & 1 == 1).fold(0, |sum, bit| sum ^ BASIS[bit]);
            log[usize::from(value)] = ordinary_log[usize::from(ordinary)];
            exp[usize::from(ordinary_log[usize::from(ordinary)])] = value;
        }
        Self { log, exp }
    }

    fn log(&self, value: u16) -> u32 {
        debug_assert_ne!(value, 0, "zero has no logarithm");
        u32::from(self.log[usize::from(value)])
    }

    fn exp(&self, exponent: u64) -> u16 {
        self.exp[(exponent % u64::from(ORDER)) as usize]
    }

    fn multiply(&self, a: u16, b: u16) -> u16 {
        if a == 0 || b == 0 { 0 } else { self.exp(u64::from(self.log(a) + self.log(b))) }
    }

    fn inverse(&self, a: u16) -> u16 {
        self.exp(u64::from(ORDER - self.log(a)))
    }

    /// The product of non-zero values.
    fn product(&self, values: impl Iterator<Item = usize>) -> u16 {
        self.exp(values.map(|value| u64::from(self.log(value as u16))).sum())
    }

    fn quotient(&self, a: u16, b: u16) -> u16 {
        self.multiply(a, self.inverse(b))
    }
}

/// Computes as the specification is written.
#[derive(Clone)]
pub struct Plain {
    field: Arc<Field>,
    /// The coefficients of the code used last: `repair` rows of `source`.
    generator: Option<(Code, Arc<Vec<Vec<u16>>>)>,
}

impl Plain {
    /// An engine with the field's tables.
    pub fn new() -> Self {
        Self { field: Arc::new(Field::new()), generator: None }
    }

    /// The coefficients `G` of a code: `repair_j = XOR over i of G[j][i] * source_i`.
    pub fn generator(&mut self, code: Code) -> &Arc<Vec<Vec<u16>>> {
        if self.generator.as_ref().is_none_or(|(known, _)| *known != code) {
            let (source, repair) =
                (code.source.next_power_of_two(), code.repair.next_power_of_two());
            let high = source > repair || (source == repair && code.source <= code.repair);
            let rows = if high { self.high_rate(code) } else { self.low_rate(code) };
            self.generator = Some((code, Arc::new(rows)));
        }
        &self.generator.as_ref().expect("it was just made").1
    }

    /// `G[j][i] = prod over m in [0,K), m != i of ((K+j) xor m) / (i xor m)`.
    fn low_rate(&self, code: Code) -> Vec<Vec<u16>> {
        let (field, k2) = (&self.field, code.source.next_power_of_two());
        let below = |i: usize| field.product((0..k2).filter(|m| *m != i).map(|m| i ^ m));
        let denominators: Vec<u16> = (0..code.source).map(below).collect();
        let row = |j: usize| {
            let point = k2 + j;
            // The product over all m, out of which each coefficient divides its own factor.
            let all = field.product((0..k2).map(|m| point ^ m));
            let coefficient = |i: usize| {
                let numerator = field.quotient(all, (point ^ i) as u16);
                field.quotient(numerator, denominators[i])
            };
            (0..code.source).map(coefficient).collect()
        };
        (0..code.repair).map(row).collect()
    }

    /// `G[j][i] = W(K+i)/W(j) * prod over m in [0,k), m != i of (j xor (K+m)) / ((K+i) xor (K+m))` with
    /// `W(a) = prod over t in [0,K+k), t != a of (a xor t)`.
    fn high_rate(&self, code: Code) -> Vec<Vec<u16>> {
        let (field, k, k2) = (&self.field, code.source, code.repair.next_power_of_two());
        let w = |a: usize| field.product((0..k2 + k).filter(|t| *t != a).map(|t| a ^ t));
        let below =
            |i: usize| field.product((0..k).filter(|m| *m != i).map(|m| (k2 + i) ^ (k2 + m)));
        let factors: Vec<u16> = (0..k).map(|i| field.quotient(w(k2 + i), below(i))).collect();
        let row = |j: usize| {
            let all = field.product((0..k).map(|m| j ^ (k2 + m)));
            let common = field.quotient(all, w(j));
            let coefficient = |i: usize| {
                let others = field.quotient(common, (j ^ (k2 + i)) as u16);
                field.multiply(others, factors[i])
            };
            (0..k).map(coefficient).collect()
        };
        (0..code.repair).map(row).collect()
    }

    /// The matrix that turns the symbols at `positions` into the source symbols.
    fn inverse(&mut self, code: Code, positions: &[u16]) -> Vec<Vec<u16>> {
        let k = code.source;
        let generator = Arc::clone(self.generator(code));
        let unit = |i: usize| (0..k).map(|c| u16::from(c == i)).collect::<Vec<_>>();
        // Each row: how a known symbol follows from the sources, then a row of the identity.
        let mut rows: Vec<Vec<u16>> = (positions.iter().enumerate())
            .map(|(at, position)| {
                let position = usize::from(*position);
                let mut row =
                    if position < k { unit(position) } else { generator[position - k].clone() };
                row.extend(unit(at));
                row
            })
            .collect();
        let field = &self.field;
        for column in 0..k {
            let pivot = (column..k).find(|row| rows[*row][column] != 0);
            rows.swap(column, pivot.expect("any k distinct symbols determine the sources"));
            let scale = field.inverse(rows[column][column]);
            rows[column].iter_mut().for_each(|value| *value = field.multiply(*value, scale));
            let pivot_row = rows[column].clone();
            for (_, row) in rows.iter_mut().enumerate().filter(|(index, _)| *index != column) {
                let factor = row[column];
                for (value, pivot) in row.iter_mut().zip(&pivot_row) {
                    *value ^= field.multiply(factor, *pivot);
                }
            }
        }
        rows.into_iter().map(|row| row[k..].to_vec()).collect()
    }

    /// Each line of `out` as the combination of the lines of `input` with a row of coefficients.
    fn combine_lines(
        &self,
        rows: &[Vec<u16>],
        symbol_bytes: usize,
        input: &[&[u8]],
        out: &mut [&mut [u8]],
    ) {
        assert_eq!(rows.len(), out.len(), "each row of coefficients gives a line");
        for (line, coefficients) in out.iter_mut().zip(rows) {
            for (lane, symbol) in line.chunks_exact_mut(symbol_bytes).enumerate() {
                let at = lane * symbol_bytes..(lane + 1) * symbol_bytes;
                let symbols = input.iter().map(|line| line.get(at.clone()));
                self.combine(coefficients, symbols, symbol);
            }
        }
    }

    /// The combination of `symbols`, of which those of empty lines are zero, with the coefficients.
    fn combine<'a>(
        &self,
        coefficients: &[u16],
        symbols: impl Iterator<Item = Option<&'a [u8]>>,
        out: &mut [u8],
    ) {
        let mut sum = vec![0_u16; out.len() / 2];
        for (coefficient, symbol) in coefficients.iter().zip(symbols) {
            for (sum, element) in sum.iter_mut().zip(elements(symbol.unwrap_or_default())) {
                *sum ^= self.field.multiply(*coefficient, element);
            }
        }
        for (element, (low, high)) in sum.iter().zip(element_places(out.len())) {
            [out[low], out[high]] = element.to_le_bytes();
        }
    }
}

/// Where the low and the high byte of each element of a symbol lie.
fn element_places(symbol_bytes: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..symbol_bytes).step_by(64).flat_map(move |block| {
        let half = (symbol_bytes - block).min(64) / 2;
        (block..block + half).map(move |low| (low, low + half))
    })
}

fn elements(symbol: &[u8]) -> impl Iterator<Item = u16> {
    element_places(symbol.len()).map(|(low, high)| u16::from_le_bytes([symbol[low], symbol[high]]))
}

impl Engine for Plain {
    fn extend(
        &mut self,
        code: Code,
        symbol_bytes: usize,
        source: &[&[u8]],
        repair: &mut [&mut [u8]],
    ) {
        let generator = Arc::clone(self.generator(code));
        self.combine_lines(&generator, symbol_bytes, source, repair);
    }

    fn restore(
        &mut self,
        code: Code,
        symbol_bytes: usize,
        positions: &[u16],
        known: &[&[u8]],
        missing: &mut [&mut [u8]],
    ) {
        let inverse = self.inverse(code, positions);
        let rows: Vec<_> = missing_sources(code, positions)
            .into_iter()
            .map(|source| inverse[usize::from(source)].clone())
            .collect();
        self.combine_lines(&rows, symbol_bytes, known, missing);
    }

    fn hash_leaves(
        &mut self,
        message_bytes: usize,
        stride: usize,
        messages: &[u8],
        digests: &mut [[u8; 32]],
    ) {
        for (index, digest) in digests.iter_mut().enumerate() {
            let message = &messages[index * stride..][..message_bytes];
            *digest = *prefixed(&[LEAF], message).as_bytes();
        }
    }

    fn hash_pairs(&mut self, left: &[[u8; 32]], right: &[[u8; 32]], parents: &mut [[u8; 32]]) {
        for ((left, right), parent) in left.iter().zip(right).zip(parents) {
            *parent = *prefixed(&[NODE], [*left, *right].as_flattened()).as_bytes();
        }
    }

    fn hash_siblings(&mut self, level: &[[u8; 32]], parents: &mut [[u8; 32]]) {
        for (pair, parent) in level.chunks_exact(2).zip(parents) {
            *parent = *prefixed(&[NODE], pair.as_flattened()).as_bytes();
        }
    }
}

impl Default for Plain {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plain").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// If this failed, the field would be another one (test values of section 2.4).
    #[test]
    fn products() {
        let field = Field::new();
        let table = [
            (0x0002, 0x0002, 0x0003),
            (0x0002, 0x0003, 0x0001),
            (0x1234, 0xabcd, 0x43c1),
            (0x8000, 0x8000, 0xc000),
            (0xffff, 0xffff, 0x8000),
            (0x0000, 0x1234, 0x0000),
        ];
        for (a, b, product) in table {
            assert_eq!(field.multiply(a, b), product, "{a:04x} * {b:04x}");
        }
        assert!((1..=u16::MAX).all(|a| field.multiply(a, field.inverse(a)) == 1));
    }

    fn rows(source: usize, repair: usize) -> Vec<String> {
        let row =
            |row: &Vec<u16>| row.iter().map(|c| format!("{c:04x}")).collect::<Vec<_>>().join(" ");
        let mut plain = Plain::new();
        plain.generator(Code { source, repair }).iter().map(row).collect()
    }

    /// If this failed, the code would be another one (check matrices of section 2.4).
    #[test]
    fn small_generators() {
        assert_eq!(
            rows(3, 4),
            ["000c 000f 000a", "000f 000c 0008", "000a 0008 000c", "0008 000a 000f"]
        );
        assert_eq!(rows(5, 2), ["0003 0002 0005 0004 0007", "0002 0003 0004 0005 0006"]);
        assert_eq!(
            rows(4, 6),
            [
                "000c 000f 000a 0008",
                "000f 000c 0008 000a",
                "000a 0008 000c 000f",
                "0008 000a 000f 000c",
                "000a 000f 0008 000c",
                "000f 000a 000c 0008",
            ]
        );
        assert_eq!(
            rows(7, 3),
            [
                "000c 000f 000a 0008 000a 000f 0008",
                "000f 000c 0008 000a 000f 000a 000c",
                "000a 0008 000c 000f 0008 000c 000a",
            ]
        );
    }

    /// The same for the corners of the matrices of 1000 shards.
    #[test]
    fn large_generators() {
        let corners = |source, repair| {
            let mut plain = Plain::new();
            let g = plain.generator(Code { source, repair });
            [g[0][0], g[0][source - 1], g[repair - 1][0], g[repair - 1][source - 1]]
        };
        assert_eq!(corners(334, 666), [0xe146, 0xbbcc, 0x7e79, 0x5073]);
        assert_eq!(corners(667, 333), [0xe146, 0x678e, 0xa711, 0xfb96]);
    }
}
