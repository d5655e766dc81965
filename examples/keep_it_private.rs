//! Encrypts before storing, and decrypts what was read: only who has the key can.
//!
//!     cargo run --example keep_it_private

#![allow(clippy::print_stdout, clippy::disallowed_methods)]

mod network;

use std::{error::Error, io::Cursor};

use walrus_encryption::{Keys, Opened, Padding, Recipients, generate, seal};
use walrus_sdk::{ProgressSink, ReadOptions, StoreOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, writer) = network::connect().await?;

    // The reader makes a key pair, and gives its public half to whoever stores for them.
    let key = generate();
    let mut recipients = Recipients::default();
    recipients.add(&key.recipient)?;

    let mut sealed = Vec::new();
    seal(&recipients, Padding::Padme, &mut &b"dear diary"[..], &mut sealed)?;
    let quiet = ProgressSink::none();
    let stored = client.store(&writer, sealed, &StoreOptions::default(), &quiet).await?;
    println!("everybody can read blob {}, and nobody understands it", stored.blob_id);

    let read = client.read(&stored.blob_id, &ReadOptions::default(), &quiet).await?;
    let mut keys = Keys::default();
    keys.add_identities(key.identity_file().as_bytes(), "the reader's key", &|_| None)?;
    let mut content = Vec::new();
    Opened::new(Cursor::new(read.bytes), &keys)?.copy_all(&mut content)?;
    assert_eq!(content, b"dear diary");
    println!("but its reader does: {}", String::from_utf8_lossy(&content));
    Ok(())
}
