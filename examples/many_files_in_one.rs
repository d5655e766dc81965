//! Stores many small files as one blob, a quilt, and reads one of them without the others.
//!
//!     cargo run --example many_files_in_one

#![allow(clippy::print_stdout, clippy::disallowed_methods)]

mod network;

use std::error::Error;

use walrus_redstuff::quilt::Tags;
use walrus_sdk::{PatchName, ProgressSink, QuiltFile, QuiltReadOptions, Source, StoreOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, writer) = network::connect().await?;
    let postcard = |number: u32| QuiltFile {
        identifier: format!("postcards/{number}.txt"),
        tags: Tags::none(),
        content: Source::from(format!("greetings from place {number}").into_bytes()),
    };
    let files = (0..20).map(postcard).collect();
    let quiet = ProgressSink::none();
    let quilt = client.store_quilt(&writer, files, &StoreOptions::default(), &quiet).await?;

    let name = PatchName::Identifier("postcards/7.txt".to_owned());
    let options = QuiltReadOptions::default();
    let (file, report) = client.read_patch(&quilt.stored.blob_id, &name, &options, &quiet).await?;
    assert_eq!(file.bytes, b"greetings from place 7");
    println!("{} of a quilt of {} bytes", file.identifier, report.quilt_bytes);
    Ok(())
}
