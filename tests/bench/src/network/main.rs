//! What storing and reading cost on a whole network of processes on this machine.
//!
//! `cargo run --release -p walrus-bench --bin network` builds the `walrus` command, starts a chain and
//! ten nodes over TLS, stores and reads random blobs of several sizes with the `walrus` client, stops
//! three nodes, reads and stores again, and prints wall time, processor time of all processes, peak
//! memory and bytes on disk. What was read is compared byte for byte. For Linux.

// It measures the outside world, and is no part of what the simulation controls.
#![allow(clippy::disallowed_methods, clippy::print_stderr, clippy::print_stdout)]

mod cluster;
mod content;
mod measure;
mod process;
mod report;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, ensure};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use cluster::{Cluster, Shape};
use measure::{Meter, Operation, Sample};
use report::{Machine, Report, Row, size_text};

/// Measures stores and reads on a network of processes on this machine
#[derive(Debug, Parser)]
#[command(max_term_width = 100)]
struct Options {
    /// Sizes of the blobs
    #[arg(long, value_delimiter = ',', default_value = "1KiB,1MiB,100MiB,1GiB", value_parser = parse_size)]
    sizes: Vec<u64>,
    /// How often each is stored and read [default: 5 up to 1 MiB, 3 up to 100 MiB, 1 above]
    #[arg(long)]
    repeats: Option<usize>,
    /// Nodes to run
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(4..=100))]
    nodes: u16,
    /// Shards of the network
    #[arg(long, default_value_t = 1000)]
    shards: u16,
    /// Mine every so many milliseconds instead of at every transaction
    #[arg(long, value_name = "MS")]
    block_interval_ms: Option<u64>,
    /// Where to make the network's directory, which is removed at the end [default: the system's]
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
    /// The binary to measure [default: built from here]
    #[arg(long, value_name = "FILE")]
    walrus: Option<PathBuf>,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
    /// Run a command and write what it used to this file
    #[arg(long, hide = true, value_name = "FILE")]
    observe: Option<PathBuf>,
    #[arg(last = true, hide = true)]
    command: Vec<String>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let result = match &options.observe {
        Some(usage) => process::observe(usage, &options.command),
        None => run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("network: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> anyhow::Result<()> {
    let walrus = match &options.walrus {
        Some(walrus) => walrus.canonicalize().context("cannot find the binary to measure")?,
        None => build()?,
    };
    let scratch = match &options.scratch {
        Some(parent) => tempfile::tempdir_in(parent)?,
        None => tempfile::tempdir()?,
    };
    clean_up_at_signals(scratch.path().to_owned())?;
    let shape = Shape {
        nodes: options.nodes,
        shards: options.shards,
        block_interval_ms: options.block_interval_ms,
    };
    eprintln!("starting {} nodes …", shape.nodes);
    let meter = Meter::new(Cluster::start(&walrus, &scratch.path().canonicalize()?, shape)?)?;
    let idle_cpu = meter.idle;
    let rows = measure(options, meter)?;
    let report = Report {
        nodes: shape.nodes,
        n_shards: shape.shards,
        block_interval_ms: shape.block_interval_ms,
        idle_cpu,
        machine: Machine::this()?,
        rows,
    };
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        report.print();
    }
    Ok(())
}

/// Everything up first; then without as many nodes as a network must bear to lose.
fn measure(options: &Options, mut meter: Meter) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    let mut stored = Vec::new();
    for (seed, bytes) in (0..).step_by(1000).zip(options.sizes.iter().copied()) {
        let runs = repeats(options, bytes);
        let (mut stores, mut reads) = (Vec::new(), Vec::new());
        for seed in (seed..).take(runs) {
            say("storing", bytes, options.nodes);
            let (id, sample) = meter.store(seed, bytes)?;
            stores.push(sample);
            say("reading", bytes, options.nodes);
            reads.push(meter.read(&id, seed, bytes)?);
            stored.push((id, seed, bytes));
        }
        rows.push(row(Operation::Store, options.nodes, bytes, &stores));
        rows.push(row(Operation::Read, options.nodes, bytes, &reads));
    }
    let left = options.nodes - (options.nodes - 1) / 3;
    ensure!(usize::from(left) < meter.cluster.nodes.len(), "there is no third to stop");
    meter.cluster.nodes.truncate(left.into());
    meter.watch_idle()?;
    for (seed, bytes) in (500..).step_by(1000).zip(options.sizes.iter().copied()) {
        let (mut stores, mut reads) = (Vec::new(), Vec::new());
        for (id, seed, bytes) in stored.iter().filter(|blob| blob.2 == bytes) {
            say("reading", *bytes, left);
            reads.push(meter.read(id, *seed, *bytes)?);
        }
        for seed in (seed..).take(repeats(options, bytes)) {
            say("storing", bytes, left);
            let (id, sample) = meter.store(seed, bytes)?;
            stores.push(sample);
            // Not measured: it must only be there.
            meter.read(&id, seed, bytes)?;
        }
        rows.push(row(Operation::Read, left, bytes, &reads));
        rows.push(row(Operation::Store, left, bytes, &stores));
    }
    Ok(rows)
}

fn row(op: Operation, nodes_up: u16, blob_bytes: u64, samples: &[Sample]) -> Row {
    Row { op, nodes_up, blob_bytes, runs: samples.len(), sample: Sample::median(samples) }
}

fn say(what: &str, bytes: u64, nodes: u16) {
    eprintln!("{what} {} with {nodes} nodes up …", size_text(bytes));
}

fn repeats(options: &Options, bytes: u64) -> usize {
    let usual = match bytes {
        0..=0x10_0000 => 5,
        0x10_0001..=0x640_0000 => 3,
        _ => 1,
    };
    options.repeats.unwrap_or(usual).clamp(1, 500)
}

/// Builds the binary beside this one.
fn build() -> anyhow::Result<PathBuf> {
    let this = std::env::current_exe()?;
    let target = this.ancestors().nth(2).context("this program is not where cargo puts it")?;
    eprintln!("building the walrus command …");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--release", "-p", "walrus-cli", "--target-dir"]).arg(target);
    ensure!(cargo.current_dir(root).status()?.success(), "the walrus command does not build");
    Ok(target.join("release/walrus"))
}

/// Ctrl-C must not leave a network behind. (A panic or an error does not either: whoever holds the
/// processes kills them.)
fn clean_up_at_signals(scratch: PathBuf) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let (mut interrupt, mut terminate) = {
        let _context = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    std::thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                biased;
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
        process::abandon(&scratch)
    });
    Ok(())
}

fn parse_size(text: &str) -> Result<u64, String> {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("", 0)];
    let parsed = units.into_iter().find_map(|(unit, shift)| {
        let count: u64 = text.trim().strip_suffix(unit)?.trim().parse().ok()?;
        count.checked_mul(1 << shift).filter(|bytes| *bytes > 0)
    });
    parsed.ok_or_else(|| format!("{text} is no size such as 1KiB, 100MiB or 1GiB"))
}
