//! The oracle: field arithmetic by logarithm tables, generator coefficients straight from the
//! formulas of docs/protocol/encoding.md section 2.4, Gaussian elimination, one hash at a time.
//!
//! Written to be checked by reading, not to be quick: restoring takes `k^3` field operations.

use std::fmt;

use super::{Code, Engine};
use crate::hash::prefixed;

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
pub struct Plain {
    field: Field,
    /// The coefficients of the code used last: `repair` rows of `source`.
    generator: Option<(Code, Vec<Vec<u16>>)>,
}

impl Plain {
    /// An engine with the field's tables.
    pub fn new() -> Self {
        Self { field: Field::new(), generator: None }
    }

    /// The coefficients `G` of a code: `repair_j = XOR over i of G[j][i] * source_i`.
    pub fn generator(&mut self, code: Code) -> &[Vec<u16>] {
        if self.generator.as_ref().is_none_or(|(known, _)| *known != code) {
            let (source, repair) =
                (code.source.next_power_of_two(), code.repair.next_power_of_two());
            let high = source > repair || (source == repair && code.source <= code.repair);
            let rows = if high { self.high_rate(code) } else { self.low_rate(code) };
            self.generator = Some((code, rows));
        }
        self.generator.as_ref().map(|(_, rows)| rows.as_slice()).unwrap_or_default()
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
        let generator = self.generator(code).to_vec();
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

    /// The combination of `symbols` with the given coefficients.
    fn combine(&self, coefficients: &[u16], symbols: &[u8], symbol_bytes: usize) -> Vec<u8> {
        let mut sum = vec![0_u16; symbol_bytes / 2];
        for (coefficient, symbol) in coefficients.iter().zip(symbols.chunks_exact(symbol_bytes)) {
            for (sum, element) in sum.iter_mut().zip(elements(symbol)) {
                *sum ^= self.field.multiply(*coefficient, element);
            }
        }
        let mut bytes = vec![0; symbol_bytes];
        for (element, (low, high)) in sum.iter().zip(element_places(symbol_bytes)) {
            [bytes[low], bytes[high]] = element.to_le_bytes();
        }
        bytes
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
    fn extend(&mut self, code: Code, symbol_bytes: usize, codewords: &mut [u8]) {
        let generator = self.generator(code).to_vec();
        for codeword in codewords.chunks_exact_mut(code.length() * symbol_bytes) {
            let (source, repair) = codeword.split_at_mut(code.source * symbol_bytes);
            for (symbol, coefficients) in repair.chunks_exact_mut(symbol_bytes).zip(&generator) {
                symbol.copy_from_slice(&self.combine(coefficients, source, symbol_bytes));
            }
        }
    }

    fn restore(
        &mut self,
        code: Code,
        symbol_bytes: usize,
        positions: &[u16],
        known: &[u8],
        source: &mut [u8],
    ) {
        let inverse = self.inverse(code, positions);
        let stride = code.source * symbol_bytes;
        for (known, source) in known.chunks_exact(stride).zip(source.chunks_exact_mut(stride)) {
            for (symbol, coefficients) in source.chunks_exact_mut(symbol_bytes).zip(&inverse) {
                symbol.copy_from_slice(&self.combine(coefficients, known, symbol_bytes));
            }
        }
    }

    fn hash_many(
        &mut self,
        prefix: u8,
        message_bytes: usize,
        messages: &[u8],
        digests: &mut [[u8; 32]],
    ) {
        for (message, digest) in messages.chunks_exact(message_bytes).zip(digests) {
            *digest = *prefixed(&[prefix], message).as_bytes();
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
        Plain::new().generator(Code { source, repair }).iter().map(row).collect()
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
