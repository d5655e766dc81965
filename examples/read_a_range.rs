//! Reads a part of a large blob: only what is needed is fetched, and all of it is checked.
//!
//!     cargo run --example read_a_range

#![allow(clippy::print_stdout, clippy::disallowed_methods)]

mod network;

use std::error::Error;

use walrus_sdk::{ByteRange, ProgressSink, ReadOptions, StoreOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, writer) = network::connect().await?;
    let video: Vec<u8> = (0..4_000_000_u32).map(|i| (i * 7 / 3) as u8).collect();
    let stored = client
        .store(&writer, video.clone(), &StoreOptions::default(), &ProgressSink::none())
        .await?;

    // Both ends are counted, as in HTTP.
    let range: ByteRange = "1000000-1000999".parse()?;
    let part = client
        .read_range(&stored.blob_id, range, &ReadOptions::default(), &ProgressSink::none())
        .await?;
    assert_eq!(part.bytes, video[1_000_000..1_001_000]);
    println!(
        "{} of {} bytes, for which {} were fetched",
        part.bytes.len(),
        video.len(),
        part.report.bytes_fetched
    );
    Ok(())
}
