//! Codewords computed by each kernel, and by the `reed-solomon-simd` crate, in one run.
//!
//! Throughput is in bytes of source symbols. A call has as many lanes as make symbols of about 1 KiB. The
//! crate is given all lanes as one long symbol, which is its best case: it would need the bytes of
//! shorter symbols to be rearranged, and that is not counted.
//! Look at the fastest column on a machine that does other things too.

use std::fmt;

use divan::Bencher;
use divan::counter::BytesCount;
use reed_solomon_simd::engine::{DefaultEngine, Engine, NoSimd};
use reed_solomon_simd::rate::{
    DefaultRateDecoder, DefaultRateEncoder, RateDecoder as _, RateEncoder as _,
};

use engine::Instructions;
use engine::gf16::{Extender, Restorer, Scratch};
use walrus_redstuff::engine::Code;

/// The kernels are private to the crate, so the bench compiles them as its own, with their tests.
#[path = "../src/engine"]
#[allow(dead_code, unused_imports, unreachable_pub, reason = "the crate uses more of it")]
mod engine {
    pub(crate) mod gf16;
    mod instructions;

    pub(crate) use instructions::Instructions;
    pub(crate) use walrus_redstuff::engine::{Code, Engine, Plain};
}

fn main() {
    divan::main();
}

/// The code of the columns of 1000 shards: low rate.
const PRIMARY: Code = Code { source: 334, repair: 666 };
/// The code of the rows: high rate.
const SECONDARY: Code = Code { source: 667, repair: 333 };

/// Who computes.
#[derive(Clone, Copy)]
enum Coder {
    Kernel(Instructions),
    Crate,
    CrateWithoutSimd,
}

impl fmt::Display for Coder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kernel(instructions) => instructions.fmt(f),
            Self::Crate => f.write_str("crate"),
            Self::CrateWithoutSimd => f.write_str("crate, no simd"),
        }
    }
}

fn cases() -> impl Iterator<Item = (usize, Coder)> {
    let kernels = Instructions::ALL.into_iter().filter(|set| set.available()).map(Coder::Kernel);
    let coders: Vec<Coder> =
        [Coder::CrateWithoutSimd, Coder::Crate].into_iter().chain(kernels).collect();
    [2, 6, 64, 66, 152, 512, 4800]
        .into_iter()
        .flat_map(move |bytes| coders.clone().into_iter().map(move |coder| (bytes, coder)))
}

/// Shows a case as its name.
struct Case(usize, Coder);

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "z={} {}", self.0, self.1)
    }
}

fn named() -> impl Iterator<Item = Case> {
    cases().map(|(bytes, coder)| Case(bytes, coder))
}

#[divan::bench(args = named())]
fn extend_334_to_1000(bencher: Bencher<'_, '_>, case: &Case) {
    extend(bencher, PRIMARY, case);
}

#[divan::bench(args = named())]
fn extend_667_to_1000(bencher: Bencher<'_, '_>, case: &Case) {
    extend(bencher, SECONDARY, case);
}

/// All source symbols missing.
#[divan::bench(args = named())]
fn restore_334_from_repair(bencher: Bencher<'_, '_>, case: &Case) {
    restore(bencher, PRIMARY, case, &(334..668).collect::<Vec<_>>());
}

/// As many missing as may be, all over the place.
#[divan::bench(args = named())]
fn restore_667_with_repair(bencher: Bencher<'_, '_>, case: &Case) {
    restore(bencher, SECONDARY, case, &(0..667).step_by(2).chain(667..1000).collect::<Vec<_>>());
}

/// What depends on the positions only.
#[divan::bench]
fn restorer_new() -> Restorer {
    Restorer::new(PRIMARY, &(334..668).collect::<Vec<_>>(), Instructions::detect())
}

/// Symbols of the given number of bytes, with any contents.
fn symbols(count: usize, bytes: usize) -> Vec<Vec<u8>> {
    let byte = |symbol: usize, at: usize| (symbol * 37 + at * 11 + symbol * at) as u8;
    (0..count).map(|symbol| (0..bytes).map(|at| byte(symbol, at)).collect()).collect()
}

/// The bytes of a symbol of all lanes.
fn long(symbol_bytes: usize) -> usize {
    (1024 / symbol_bytes).max(1) * symbol_bytes
}

fn extend(bencher: Bencher<'_, '_>, code: Code, Case(symbol_bytes, coder): &Case) {
    let bytes = long(*symbol_bytes);
    let source = symbols(code.source, bytes);
    let bencher = bencher.counter(BytesCount::new(code.source * bytes));
    match coder {
        Coder::Kernel(instructions) => {
            let mut repair = symbols(code.repair, bytes);
            let source: Vec<&[u8]> = source.iter().map(Vec::as_slice).collect();
            let mut repair: Vec<&mut [u8]> = repair.iter_mut().map(Vec::as_mut_slice).collect();
            let extender = Extender::new(code, *instructions);
            let mut scratch = Scratch::default();
            bencher.bench_local(|| {
                extender.extend(&mut scratch, *symbol_bytes, &source, &mut repair);
            });
        }
        Coder::Crate => extend_by_crate(bencher, code, &source, DefaultEngine::new()),
        Coder::CrateWithoutSimd => extend_by_crate(bencher, code, &source, NoSimd::new()),
    }
}

fn extend_by_crate(bencher: Bencher<'_, '_>, code: Code, source: &[Vec<u8>], engine: impl Engine) {
    // Longer symbols than the crate allows for do not occur.
    let bytes = source[0].len();
    let encoder = DefaultRateEncoder::new(code.source, code.repair, bytes, engine, None);
    let mut encoder = encoder.expect("a legal code");
    let mut repair = symbols(code.repair, bytes);
    bencher.bench_local(|| {
        for symbol in source {
            encoder.add_original_shard(symbol).expect("a symbol of the code");
        }
        let encoded = encoder.encode().expect("all symbols were added");
        for (symbol, encoded) in repair.iter_mut().zip(encoded.recovery_iter()) {
            symbol.copy_from_slice(encoded);
        }
    });
}

fn restore(
    bencher: Bencher<'_, '_>,
    code: Code,
    Case(symbol_bytes, coder): &Case,
    positions: &[u16],
) {
    let bytes = long(*symbol_bytes);
    let known = symbols(code.source, bytes);
    let bencher = bencher.counter(BytesCount::new(code.source * bytes));
    match coder {
        Coder::Kernel(instructions) => {
            let restorer = Restorer::new(code, positions, *instructions);
            let mut missing = symbols(restorer.missing().len(), bytes);
            let known: Vec<&[u8]> = known.iter().map(Vec::as_slice).collect();
            let mut missing: Vec<&mut [u8]> = missing.iter_mut().map(Vec::as_mut_slice).collect();
            let mut scratch = Scratch::default();
            bencher.bench_local(|| {
                restorer.restore(&mut scratch, *symbol_bytes, &known, &mut missing);
            });
        }
        Coder::Crate => restore_by_crate(bencher, code, positions, &known, DefaultEngine::new()),
        Coder::CrateWithoutSimd => {
            restore_by_crate(bencher, code, positions, &known, NoSimd::new());
        }
    }
}

fn restore_by_crate(
    bencher: Bencher<'_, '_>,
    code: Code,
    positions: &[u16],
    known: &[Vec<u8>],
    engine: impl Engine,
) {
    let bytes = known[0].len();
    let decoder = DefaultRateDecoder::new(code.source, code.repair, bytes, engine, None);
    let mut decoder = decoder.expect("a legal code");
    let mut source = symbols(code.source, bytes);
    bencher.bench_local(|| {
        for (position, symbol) in positions.iter().zip(known) {
            let position = usize::from(*position);
            if position < code.source {
                decoder.add_original_shard(position, symbol)
            } else {
                decoder.add_recovery_shard(position - code.source, symbol)
            }
            .expect("a symbol of the code");
        }
        let decoded = decoder.decode().expect("enough symbols were added");
        for (position, symbol) in decoded.restored_original_iter() {
            source[position].copy_from_slice(symbol);
        }
    });
}
