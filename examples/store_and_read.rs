//! Stores a few bytes, reads them back, and prints what happened on the way.
//!
//!     cargo run --example store_and_read

#![allow(clippy::print_stdout, clippy::disallowed_methods)]

mod network;

use std::error::Error;

use walrus_sdk::{ProgressSink, ReadOptions, StoreOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, writer) = network::connect().await?;

    // For two epochs, and only if it costs at most 1 WAL.
    let options =
        StoreOptions { epochs: 2, max_cost: Some(1_000_000_000), ..StoreOptions::default() };
    let progress = ProgressSink::new(|step| println!("  {step:?}"));
    let stored = client.store(&writer, "hello, walrus", &options, &progress).await?;
    println!("blob id {}, stored until epoch {}", stored.blob_id, stored.end_epoch);

    // Storing the same bytes again neither sends nor pays anything.
    let again = client.store(&writer, "hello, walrus", &options, &ProgressSink::none()).await?;
    assert_eq!(again.cost.total(), 0);

    let read = client.read(&stored.blob_id, &ReadOptions::default(), &ProgressSink::none()).await?;
    assert_eq!(read.bytes, b"hello, walrus");
    println!("read back {} bytes", read.bytes.len());
    Ok(())
}
