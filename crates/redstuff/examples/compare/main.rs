//! How long encoding, decoding and healing take, as a ratio to the naive way in the same run.
//!
//! `cargo run --release -p walrus-redstuff --example compare -- [--json] [--quick] [--large]`, further
//! options as `--help` says. Times are wall clock, medians of turns: run it on a machine that has
//! nothing else to do, or with `--cpu-time`. Only ratios of one run mean anything.
//!
//! All of the baseline is in `naive.rs`. Both sides must give the same bytes, or the run ends. What is
//! on a row:
//!
//! | operation | what |
//! | --- | --- |
//! | `encode` | all slivers and the metadata |
//! | `metadata` | the metadata alone |
//! | `decode-source` | the blob from the first `p` primary slivers, default check |
//! | `decode-repair` | the blob from the last `p` primary slivers, default check |
//! | `decode-secondary` | the blob from the last `s` secondary slivers, default check |
//! | `decode-strict` | the blob from the first `p` primary slivers, blob id recomputed |
//! | `recover-sliver` | a primary sliver from symbols of the last `s` secondary slivers, checked |
//! | `make-symbol` | a primary sliver extended and checked, one symbol with its proof cut out |
//! | `verify-symbol` | the proof of one symbol followed to the root |
//! | `verify-sliver` | a primary sliver extended and its root compared |
//!
//! The baseline has one thread on every row. `--engine` chooses our instructions; the baseline then
//! uses the portable engine of `reed-solomon-simd`, or its AVX2 engine, the fastest it has. Not measured
//! for any but the fastest engine: `recover-sliver` and `verify-symbol`, which choose by themselves.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used
)]

mod contest;
mod naive;
mod operations;
mod options;
mod ours;

use std::process::ExitCode;

use reed_solomon_simd::engine::{DefaultEngine, NoSimd};
use serde_json::{Value, json};
use walrus_redstuff::EncodingParams;
use walrus_redstuff::engine::Instructions;

use contest::Row;
use operations::Bench;
use options::Options;

const N_SHARDS: u16 = 1000;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    let params = EncodingParams::new(N_SHARDS).unwrap();
    let sizes = options.sizes.iter();
    let rows: Vec<Row> = match options.instructions {
        Instructions::Portable => {
            sizes.flat_map(|size| Bench::<NoSimd>::new(&options, params, *size).run()).collect()
        }
        _ => sizes
            .flat_map(|size| Bench::<DefaultEngine>::new(&options, params, *size).run())
            .collect(),
    };
    if options.json {
        let rows: Vec<Value> = rows.iter().map(Row::to_json).collect();
        println!("{}", json!({ "clock": options.clock.to_string(), "rows": rows }));
    } else {
        println!("n = {N_SHARDS}, {} times in ms", options.clock);
        print_table(&rows);
    }
    ExitCode::SUCCESS
}

fn print_table(rows: &[Row]) {
    println!(
        "operation           blob bytes threads       engine         ours        naive  ratio"
    );
    for row in rows {
        println!(
            "{:<16} {:>13} {:>7} {:>12} {:>12.4} {:>12.4} {:>6.2}",
            row.op,
            row.blob_bytes,
            row.threads,
            row.engine,
            row.ours_ms,
            row.naive_ms,
            row.ratio()
        );
    }
}
