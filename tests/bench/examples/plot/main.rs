//! Draws how fast blobs of every size are encoded and decoded, ours against the baseline.
//!
//! ```text
//! cargo run --release -p walrus-redstuff --example compare -- --json --large > target/compare.json
//! cargo run --release -p walrus-bench --example plot -- target/compare.json
//! ```
//!
//! writes `docs/performance/throughput.svg` and, beside it, the rows it was drawn from. Several files,
//! such as one for each engine, go into one drawing. The drawing can be made again from the rows.

#![allow(clippy::disallowed_methods, clippy::print_stderr)]

mod chart;
mod svg;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

use chart::{Panel, Point, Series};

/// What is drawn, in this order.
const PANELS: [(&str, &str); 4] = [
    ("encode", "Encode: metadata and all slivers"),
    ("metadata", "Metadata and blob id alone"),
    ("decode-repair", "Decode from repair slivers alone"),
    ("decode-strict", "Decode, blob id recomputed"),
];

/// What the comparison prints.
#[derive(Serialize, Deserialize)]
struct Rows {
    /// What kind of time it is: `wall` or `processor`.
    clock: String,
    rows: Vec<Row>,
}

#[derive(Serialize, Deserialize)]
struct Row {
    op: String,
    n_shards: u16,
    blob_bytes: u64,
    threads: usize,
    engine: String,
    ours_ms: f64,
    naive_ms: f64,
    ratio: f64,
}

impl Row {
    fn ours(&self) -> String {
        let threads = if self.threads == 1 { "1 thread" } else { "threads" };
        let count = if self.threads == 1 { String::new() } else { format!("{} ", self.threads) };
        format!("ours, {}, {count}{threads}", self.engine)
    }

    /// The baseline has as good an engine as the crate it is made of gives it.
    fn naive(&self) -> String {
        let engine = if self.engine == "portable" { "portable" } else { "avx2" };
        format!("baseline, {engine}, 1 thread")
    }

    fn throughput(&self, ms: f64) -> f64 {
        self.blob_bytes as f64 / f64::from(1 << 20) / (ms / 1000.0)
    }
}

fn main() -> ExitCode {
    let files: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    match run(&files) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("plot: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(files: &[PathBuf]) -> anyhow::Result<()> {
    ensure!(!files.is_empty(), "name the files that `compare --json` wrote");
    let mut all = Rows { clock: String::new(), rows: Vec::new() };
    for file in files {
        let text = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let rows: Rows = serde_json::from_slice(&text)
            .with_context(|| format!("{} is not what `compare --json` prints", file.display()))?;
        ensure!(
            all.rows.is_empty() || all.clock == rows.clock,
            "times of two kinds do not compare"
        );
        all.clock = rows.clock;
        all.rows.extend(rows.rows);
    }
    let panels: Vec<Panel> = PANELS
        .iter()
        .map(|(op, title)| panel(&all.rows, op, title))
        .filter(|panel| !panel.series.is_empty())
        .collect();
    ensure!(!panels.is_empty(), "the files have none of the operations that are drawn");
    let n_shards = all.rows.first().map_or(0, |row| row.n_shards);
    let heading = format!(
        "Throughput by blob size, {n_shards} shards, {} time (numbers: ratio to the baseline)",
        all.clock
    );
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/performance");
    fs::create_dir_all(&directory)?;
    fs::write(directory.join("throughput.svg"), chart::draw(&panels, &heading))?;
    let lines: Vec<String> =
        all.rows.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
    let json = format!("{{\"clock\": \"{}\", \"rows\": [\n{}\n]}}\n", all.clock, lines.join(",\n"));
    Ok(fs::write(directory.join("throughput.json"), json)?)
}

fn panel(rows: &[Row], op: &str, title: &str) -> Panel {
    let mut panel = Panel { title: title.to_owned(), series: Vec::new() };
    for row in rows.iter().filter(|row| row.op == op) {
        let ours = Point {
            bytes: row.blob_bytes as f64,
            throughput: row.throughput(row.ours_ms),
            label: Some(format!("{:.1}x", row.ratio)),
        };
        let naive = Point {
            bytes: row.blob_bytes as f64,
            throughput: row.throughput(row.naive_ms),
            label: None,
        };
        panel.add(row.ours(), ours);
        panel.add(row.naive(), naive);
    }
    panel.series.sort_by_key(|series: &Series| !series.name.starts_with("ours"));
    panel
}
