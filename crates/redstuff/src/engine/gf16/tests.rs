//! Our codewords against those of the plain engine and of the `reed-solomon-simd` crate, with every set of
//! instructions that the machine has.
//!
//! Symbols lie at odd addresses with guard bytes between them, and work memory is used again and again,
//! so that a test also fails when a kernel needs aligned slices, writes beyond them, or relies on clean
//! memory.
#![allow(clippy::unwrap_used)]

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};
use reed_solomon_simd::ReedSolomonEncoder;

use super::super::{Engine as _, Plain};
use super::{Code, Extender, Instructions, Restorer, Scratch};

/// The byte between symbols.
const GUARD: u8 = 0xa5;

/// Symbols of equal length, apart from each other.
#[derive(Clone, PartialEq, Eq)]
struct Symbols {
    memory: Vec<u8>,
    offset: usize,
    bytes: usize,
    count: usize,
}

impl Symbols {
    /// Symbols of `bytes` guard bytes each, beginning `offset` bytes into the memory.
    fn new(count: usize, bytes: usize, offset: usize) -> Self {
        let memory = vec![GUARD; offset + count * (bytes + 65) + 64];
        Self { memory, offset, bytes, count }
    }

    fn random(count: usize, bytes: usize, offset: usize, rng: &mut ChaCha8Rng) -> Self {
        let mut symbols = Self::new(count, bytes, offset);
        symbols.slices_mut().into_iter().for_each(|symbol| rng.fill_bytes(symbol));
        symbols
    }

    fn slices(&self) -> Vec<&[u8]> {
        let symbols = self.memory[self.offset..].chunks(self.bytes + 65);
        symbols.take(self.count).map(|symbol| &symbol[..self.bytes]).collect()
    }

    fn slices_mut(&mut self) -> Vec<&mut [u8]> {
        let symbols = self.memory[self.offset..].chunks_mut(self.bytes + 65);
        symbols.take(self.count).map(|symbol| &mut symbol[..self.bytes]).collect()
    }

    /// Whether all bytes that belong to no symbol are as they were.
    fn guarded(&self) -> bool {
        let mut rest = self.clone();
        rest.slices_mut().into_iter().for_each(|symbol| symbol.fill(GUARD));
        rest.memory.iter().all(|byte| *byte == GUARD)
    }
}

/// The sets of instructions to test, and what they need.
struct Bench {
    scratch: Scratch,
    rng: ChaCha8Rng,
    /// Where symbols begin; another offset each time.
    offset: usize,
}

impl Bench {
    fn new(seed: u64) -> Self {
        let rng = ChaCha8Rng::seed_from_u64(seed);
        Self { scratch: Scratch::default(), rng, offset: 1 }
    }

    fn instructions() -> impl Iterator<Item = Instructions> {
        Instructions::ALL.into_iter().filter(|set| set.available())
    }

    fn symbols(&mut self, count: usize, bytes: usize) -> Symbols {
        self.offset = self.offset % 63 + 1;
        Symbols::random(count, bytes, self.offset, &mut self.rng)
    }

    /// Extends with each set of instructions and compares with `expected`.
    fn check_extend(&mut self, code: Code, z: usize, source: &[&[u8]], expected: &Symbols) {
        for set in Self::instructions() {
            self.offset = self.offset % 63 + 1;
            let mut repair = Symbols::new(code.repair, expected.bytes, self.offset);
            let extender = Extender::new(code, set);
            extender.extend(&mut self.scratch, z, source, &mut repair.slices_mut());
            let lanes = expected.bytes / z;
            assert!(repair.slices() == expected.slices(), "{code:?}, {lanes} of {z} bytes, {set}");
            assert!(repair.guarded(), "wrote elsewhere: {code:?}, {lanes} of {z} bytes, {set}");
        }
    }

    /// Restores with each set of instructions from the symbols of `codeword` at `positions`.
    fn check_restore(&mut self, code: Code, z: usize, codeword: &[&[u8]], positions: &[u16]) {
        let known: Vec<&[u8]> = positions.iter().map(|at| codeword[usize::from(*at)]).collect();
        for set in Self::instructions() {
            self.offset = self.offset % 63 + 1;
            let restorer = Restorer::new(code, positions, set);
            let lacking = |at: &u16| !positions.contains(at);
            let missing: Vec<u16> = (0..code.source as u16).filter(lacking).collect();
            assert_eq!(restorer.missing(), missing, "what is missing of {code:?}");
            let mut symbols = Symbols::new(missing.len(), codeword[0].len(), self.offset);
            restorer.restore(&mut self.scratch, z, &known, &mut symbols.slices_mut());
            for (at, symbol) in missing.iter().zip(symbols.slices()) {
                let right = symbol == codeword[usize::from(*at)];
                assert!(right, "symbol {at} of {code:?}, {z} bytes, {set}, from {positions:?}");
            }
            assert!(symbols.guarded(), "wrote elsewhere: {code:?}, {z} bytes, {set}");
        }
    }

    /// Compares extending some lanes with the crate.
    fn compare(&mut self, code: Code, z: usize, lanes: usize) {
        let source = self.symbols(code.source, z * lanes);
        let expected = by_crate(code, z, &source);
        self.check_extend(code, z, &source.slices(), &expected);
    }

    /// A codeword of `code` in some lanes.
    fn codeword(&mut self, code: Code, z: usize, lanes: usize) -> (Symbols, Symbols) {
        let source = self.symbols(code.source, z * lanes);
        let mut repair = Symbols::new(code.repair, z * lanes, 1);
        let extender = Extender::new(code, Instructions::Portable);
        extender.extend(&mut self.scratch, z, &source.slices(), &mut repair.slices_mut());
        (source, repair)
    }

    /// That many distinct positions below `length` in any order.
    fn positions(&mut self, count: usize, length: usize) -> Vec<u16> {
        let mut all: Vec<u16> = (0..length as u16).collect();
        for at in 0..count {
            let other = at + self.rng.next_u32() as usize % (length - at);
            all.swap(at, other);
        }
        all.truncate(count);
        all
    }
}

/// Both codes of a committee of `n`.
fn codes(n: usize) -> [Code; 2] {
    let f = (n - 1) / 3;
    [n - 2 * f, n - f].map(|source| Code { source, repair: n - source })
}

/// The repair symbols according to the crate, one lane at a time.
fn by_crate(code: Code, z: usize, source: &Symbols) -> Symbols {
    let mut encoder = ReedSolomonEncoder::new(code.source, code.repair, z).unwrap();
    let mut repair = Symbols::new(code.repair, source.bytes, 0);
    for lane in (0..source.bytes).step_by(z) {
        for symbol in source.slices() {
            encoder.add_original_shard(&symbol[lane..lane + z]).unwrap();
        }
        let encoded = encoder.encode().unwrap();
        for (symbol, encoded) in repair.slices_mut().into_iter().zip(encoded.recovery_iter()) {
            symbol[lane..lane + z].copy_from_slice(encoded);
        }
    }
    repair
}

/// The repair symbols according to the plain engine.
fn by_plain(plain: &mut Plain, code: Code, z: usize, source: &Symbols) -> Symbols {
    let mut repair = Symbols::new(code.repair, source.bytes, 0);
    plain.extend(code, z, &source.slices(), &mut repair.slices_mut());
    repair
}

/// If this failed, the code would not be that of the specification (docs/protocol/encoding.md section
/// 10, both codes of 7 shards).
#[test]
fn extends_the_worked_example() {
    let mut bench = Bench::new(1);
    let row = ["5761", "6c72", "7573", "2073", "746f", "5805", "4279"];
    let column = ["5761", "7265", "7320", "7831", "0f07", "a4df", "85cd"];
    for (code, codeword) in codes(7).into_iter().zip([column, row]) {
        // The example in the first of some lanes and zeros in the others, at either end.
        for (lanes, at) in [(1, 0), (33, 0), (33, 32)] {
            let lane = |symbol: &str| {
                let mut bytes = vec![0; 2 * lanes];
                bytes[2 * at..2 * at + 2].copy_from_slice(&hex::decode(symbol).unwrap());
                bytes
            };
            let codeword: Vec<Vec<u8>> = codeword.iter().map(|symbol| lane(symbol)).collect();
            let source: Vec<&[u8]> = codeword[..code.source].iter().map(|s| &s[..]).collect();
            let mut expected = Symbols::new(code.repair, 2 * lanes, 0);
            for (to, from) in expected.slices_mut().into_iter().zip(&codeword[code.source..]) {
                to.copy_from_slice(from);
            }
            bench.check_extend(code, 2, &source, &expected);
        }
    }
}

/// The same for codes and symbols of other sizes.
#[test]
#[cfg_attr(miri, ignore = "takes too long")]
fn extends_as_the_plain_engine() {
    let (mut bench, mut plain) = (Bench::new(1), Plain::new());
    for code in [4, 5, 6, 7, 8, 9, 10, 17, 31, 100].into_iter().flat_map(codes) {
        for (z, lanes) in [(2, 33), (6, 11), (66, 3)] {
            let source = bench.symbols(code.source, z * lanes);
            let expected = by_plain(&mut plain, code, z, &source);
            bench.check_extend(code, z, &source.slices(), &expected);
        }
    }
}

/// If this failed, large codes would differ where small ones do not.
#[test]
#[cfg_attr(miri, ignore = "the crate's tables take too long")]
fn extends_every_code_as_the_crate() {
    let mut bench = Bench::new(2);
    for n in [4, 5, 6, 7, 8, 9, 10, 16, 17, 31, 50, 100, 301, 1000] {
        for code in codes(n) {
            for (z, lanes) in [(2, 1), (2, 70), (64, 3), (130, 5)] {
                bench.compare(code, z, lanes);
            }
        }
    }
    for (source, repair) in [(1, 1), (1, 9), (9, 1), (64, 64), (65, 1000), (1000, 65), (513, 512)] {
        bench.compare(Code { source, repair }, 6, 12);
    }
    codes(20_000).into_iter().for_each(|code| bench.compare(code, 2, 2));
}

/// If this failed, elements would be taken from or put in the wrong places at some symbol size.
#[test]
#[cfg_attr(miri, ignore = "the crate's tables take too long")]
fn extends_every_symbol_size_as_the_crate() {
    let mut bench = Bench::new(3);
    let large = [1022, 1024, 1026, 4094, 4096, 4098, 65_534];
    for z in (2..=200).step_by(2).chain(large) {
        for code in codes(10) {
            bench.compare(code, z, 1);
            bench.compare(code, z, 3 + z % 5);
        }
    }
    for z in (2..=200).step_by(2).chain([1022, 1026, 4098]) {
        codes(1000).into_iter().for_each(|code| bench.compare(code, z, 1 + z / 2 % 2));
    }
}

/// The same at some number of lanes: where vectors are filled in part.
#[test]
#[cfg_attr(miri, ignore = "the crate's tables take too long")]
fn extends_every_number_of_lanes_as_the_crate() {
    let mut bench = Bench::new(4);
    for lanes in [1, 2, 3, 4, 5, 7, 8, 31, 32, 33, 63, 64, 65, 100, 127, 129] {
        for z in [2, 4, 6, 22, 32, 34, 62, 64, 66, 96, 126, 152, 192] {
            codes(7).into_iter().for_each(|code| bench.compare(code, z, lanes));
        }
        codes(100).into_iter().for_each(|code| bench.compare(code, 6, lanes));
    }
}

/// If this failed, symbols left out because they are zero would count as something else.
#[test]
fn empty_slices_are_zeros() {
    let mut bench = Bench::new(5);
    let committees = if cfg!(miri) { &[7][..] } else { &[7, 31, 100, 1000] };
    for code in committees.iter().flat_map(|n| codes(*n)) {
        for pattern in 0..5 {
            let mut source = bench.symbols(code.source, 12);
            let empty = |at: usize| match pattern {
                0 => true,
                1 => at > 0,
                2 => at.is_multiple_of(2),
                3 => at * 3 >= code.source,
                _ => at + 1 < code.source,
            };
            let zero = |(_, symbol): (usize, &mut [u8])| symbol.fill(0);
            source.slices_mut().into_iter().enumerate().filter(|s| empty(s.0)).for_each(zero);
            let mut expected = Symbols::new(code.repair, 12, 0);
            let extender = Extender::new(code, Instructions::Portable);
            let slices = source.slices();
            extender.extend(&mut bench.scratch, 4, &slices, &mut expected.slices_mut());
            let hollow: Vec<&[u8]> =
                slices.iter().enumerate().map(|(at, s)| if empty(at) { &[] } else { *s }).collect();
            bench.check_extend(code, 4, &hollow, &expected);

            let codeword = [slices.clone(), expected.slices()].concat();
            let all = (0..code.length()).rev().take(code.source);
            let positions: Vec<u16> = all.map(|at| at as u16).collect();
            let symbol = |at: &u16| match usize::from(*at) {
                at if at < code.source && empty(at) => &[],
                at => codeword[at],
            };
            let known: Vec<&[u8]> = positions.iter().map(symbol).collect();
            for set in Bench::instructions() {
                let restorer = Restorer::new(code, &positions, set);
                let mut missing = Symbols::new(restorer.missing().len(), 12, 3);
                restorer.restore(&mut bench.scratch, 4, &known, &mut missing.slices_mut());
                for (at, symbol) in restorer.missing().iter().zip(missing.slices()) {
                    assert_eq!(symbol, codeword[usize::from(*at)], "{at} of {code:?}, {set}");
                }
            }
        }
    }
}

/// If this failed, some set of symbols would give another codeword. All sets of a committee of 7, or of 5
/// under Miri.
#[test]
fn restores_from_every_set_of_few() {
    let mut bench = Bench::new(6);
    let n = if cfg!(miri) { 5 } else { 7 };
    for code in codes(n) {
        let (source, repair) = bench.codeword(code, 66, 3);
        let codeword = [source.slices(), repair.slices()].concat();
        for set in (0_u32..1 << n).filter(|set| set.count_ones() as usize == code.source) {
            let positions: Vec<u16> = (0..n as u16).rev().filter(|at| set >> at & 1 == 1).collect();
            bench.check_restore(code, 66, &codeword, &positions);
        }
    }
}

/// The same for larger committees: none, one, any, and as many as possible missing.
#[test]
#[cfg_attr(miri, ignore = "takes too long")]
fn restores_from_many_sets() {
    let mut bench = Bench::new(7);
    for n in [4, 6, 8, 9, 10, 16, 31, 50, 100] {
        for code in codes(n) {
            let (source, repair) = bench.codeword(code, 10, 3);
            let codeword = [source.slices(), repair.slices()].concat();
            let (k, n) = (code.source as u16, n as u16);
            bench.check_restore(code, 10, &codeword, &(0..k).collect::<Vec<_>>());
            bench.check_restore(code, 10, &codeword, &(n - k..n).collect::<Vec<_>>());
            for one in 0..k {
                let some_repair = k + one % (n - k);
                let others = (0..k).filter(|at| *at != one).chain([some_repair]);
                bench.check_restore(code, 10, &codeword, &others.collect::<Vec<_>>());
            }
            for _ in 0..10 {
                let positions = bench.positions(code.source, code.length());
                bench.check_restore(code, 10, &codeword, &positions);
            }
        }
    }
}

/// The same for 1000 and 5000 shards and codes of other proportions.
#[test]
#[cfg_attr(miri, ignore = "takes too long")]
fn restores_large_codes() {
    let mut bench = Bench::new(8);
    let odd = [(1, 9), (9, 1), (64, 64), (65, 1000), (1000, 65), (300, 2)];
    let odd = odd.into_iter().map(|(source, repair)| Code { source, repair });
    for code in codes(1000).into_iter().chain(codes(5000)).chain(odd) {
        let (source, repair) = bench.codeword(code, 2, 3);
        let codeword = [source.slices(), repair.slices()].concat();
        let (k, n) = (code.source as u16, code.length() as u16);
        bench.check_restore(code, 2, &codeword, &(n - k..n).collect::<Vec<_>>());
        bench.check_restore(code, 2, &codeword, &(0..k - 1).chain([n - 1]).collect::<Vec<_>>());
        bench.check_restore(code, 2, &codeword, &(1..=k).rev().collect::<Vec<_>>());
        for _ in 0..3 {
            let positions = bench.positions(code.source, code.length());
            bench.check_restore(code, 2, &codeword, &positions);
        }
    }
}

/// If this failed, restored elements would go to the wrong places at some symbol size or lane count.
#[test]
#[cfg_attr(miri, ignore = "takes too long")]
fn restores_every_symbol_size() {
    let mut bench = Bench::new(9);
    let code = codes(10)[1];
    for z in (2..=200).step_by(2).chain([1022, 1026, 4096, 4098, 65_534]) {
        for lanes in [1, 2, 33] {
            let lanes = if z > 2000 { 1 } else { lanes };
            let (source, repair) = bench.codeword(code, z, lanes);
            let codeword = [source.slices(), repair.slices()].concat();
            let positions = bench.positions(code.source, code.length());
            bench.check_restore(code, z, &codeword, &positions);
        }
    }
}
