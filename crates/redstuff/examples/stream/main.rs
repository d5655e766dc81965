//! How much memory a blob of any size takes to encode and to decode, and how long it takes.
//!
//! `cargo run --release -p walrus-redstuff --example stream -- --bytes 4GiB --dir DIR [--threads N]`
//! makes a random file of that size (or takes `--file`), computes its blob id, encodes it, and decodes
//! it from its source slivers and again with a third of the slivers missing, everything through files
//! in DIR. It needs about five and a half times the size there; the files have no names and vanish with
//! the process. For Linux.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used
)]

mod files;
mod memory;

use std::error::Error;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use walrus_redstuff::{
    AnySliver, ConsistencyCheck, EncodingParams, Primary, SliverIndex, SliverType, StreamDecoder,
    StreamEncoder, StreamedBlob, Workers,
};

use files::Stored;
use memory::Watch;

const USAGE: &str = "Usage: stream (--bytes SIZE | --file FILE) --dir DIR [--threads N]";
const N_SHARDS: u16 = 1000;

struct Options {
    bytes: Option<u64>,
    file: Option<PathBuf>,
    dir: PathBuf,
    threads: NonZeroUsize,
}

fn main() -> ExitCode {
    match parse(std::env::args().skip(1)).and_then(|options| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("because: {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let params = EncodingParams::new(N_SHARDS)?;
    let source = match (&options.file, options.bytes) {
        (Some(file), None) => Stored::open(file)?,
        (None, Some(bytes)) => Stored::random(&options.dir, bytes)?,
        _ => return Err(USAGE.into()),
    };
    let (length, source) = (source.length()?, Arc::new(source));
    let workers = Workers::start(options.threads)?;
    let encoder = StreamEncoder::new(params, workers.clone());
    println!(
        "{length} bytes, {N_SHARDS} shards, threads: {}; symbols of {} bytes",
        options.threads,
        params.symbol_size(length)?
    );
    println!("                    wall s    MiB/s  resident  anonymous MiB  put aside MiB");

    let spill = Arc::new(Stored::unnamed(&options.dir)?);
    let phase = Phase::start("blob id");
    let metadata = encoder.compute_metadata(source.clone(), length, spill.clone(), &|_| {})?;
    phase.end(length, &spill)?;

    let spill = Arc::new(Stored::unnamed(&options.dir)?);
    let phase = Phase::start("encode");
    let blob = encoder.encode(source.clone(), length, spill.clone(), &|_| {})?;
    phase.end(length, &spill)?;
    assert_eq!(blob.metadata().blob_id(), metadata.blob_id());

    let source_rows: Vec<u16> = (0..params.primary_source_symbols()).collect();
    let rest: Vec<u16> = (0..N_SHARDS).filter(|index| index % 3 != 0).collect();
    for (name, indices) in [("decode", source_rows), ("decode, 1/3 gone", rest)] {
        let (output, spill) = (Stored::unnamed(&options.dir)?, Stored::unnamed(&options.dir)?);
        let (output, spill) = (Arc::new(output), Arc::new(spill));
        let phase = Phase::start(name);
        decode(&blob, &indices, &workers, &output, &spill)?;
        phase.end(length, &spill)?;
        if output.length()? < length {
            return Err("the decoded blob is too short".into());
        }
        if let Some(at) = source.difference(&output, length)? {
            return Err(format!("the decoded blob differs at byte {at}").into());
        }
    }
    println!("blob id {}: all decoded bytes are those of the source", metadata.blob_id());
    Ok(())
}

/// Feeds primary slivers to a decoder, each verified, until it needs no more.
fn decode(
    blob: &StreamedBlob,
    indices: &[u16],
    workers: &Workers,
    output: &Arc<Stored>,
    spill: &Arc<Stored>,
) -> Result<(), Box<dyn Error>> {
    let metadata = blob.metadata().clone();
    let mut decoder = StreamDecoder::<Primary>::new(
        metadata.clone(),
        ConsistencyCheck::Default,
        workers.clone(),
        output.clone(),
        spill.clone(),
    );
    for index in indices.iter().copied().map(SliverIndex) {
        if decoder.missing() == 0 {
            break;
        }
        let sliver = blob.sliver(SliverType::Primary, index)?;
        let Some(AnySliver::Primary(sliver)) = sliver else {
            return Err(format!("no primary sliver {index}").into());
        };
        decoder.add(metadata.verify_sliver(sliver, index)?)?;
    }
    Ok(decoder.finish()?)
}

/// Something whose time and memory are measured.
struct Phase {
    name: &'static str,
    watch: Watch,
    start: Instant,
}

impl Phase {
    fn start(name: &'static str) -> Self {
        Self { name, watch: Watch::start(), start: Instant::now() }
    }

    fn end(self, length: u64, spill: &Stored) -> Result<(), Box<dyn Error>> {
        let wall_s = self.start.elapsed().as_secs_f64();
        let peaks = self.watch.end();
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        println!(
            "{:<17} {wall_s:>8.2} {:>8.1} {:>9.1} {:>14.1} {:>14.1}",
            self.name,
            mib(length) / wall_s,
            peaks.resident_mib,
            peaks.anonymous_mib,
            mib(spill.disk_bytes()?)
        );
        Ok(())
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Options, Box<dyn Error>> {
    let mut options = Options {
        bytes: None,
        file: None,
        dir: Path::new("").to_owned(),
        threads: NonZeroUsize::MIN,
    };
    while let Some(argument) = arguments.next() {
        let value = arguments.next().ok_or(USAGE)?;
        match argument.as_str() {
            "--bytes" => options.bytes = Some(size(&value).ok_or(USAGE)?),
            "--file" => options.file = Some(value.into()),
            "--dir" => options.dir = value.into(),
            "--threads" => options.threads = value.parse()?,
            _ => return Err(USAGE.into()),
        }
    }
    if options.dir.is_dir() { Ok(options) } else { Err(USAGE.into()) }
}

fn size(text: &str) -> Option<u64> {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("", 0)];
    units.into_iter().find_map(|(unit, shift)| {
        let count: u64 = text.strip_suffix(unit)?.parse().ok()?;
        count.checked_mul(1 << shift)
    })
}
