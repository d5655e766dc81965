//! Keeps what is stored private: seals it before it leaves and opens what was sealed.
//!
//! A sealed blob is one age v1 file (`age-encryption.org/v1`), so that everybody who has the
//! key needs nothing of ours to read it. What is added is within that format:
//!
//! - [`Padding`] hides the length, with the true one at the end of what is encrypted;
//! - [`Opened`] reads any part of a sealed blob of which only [`Parts`] were fetched;
//! - a [`BlobKey`] is a key for one blob, itself sealed to those who may read the blob, so
//!   that they can change without the blob being encrypted again.
//!
//! This is the only crate that knows age. It has no files, clock or sockets: callers hand in
//! readers and writers. Randomness for keys is drawn by age from the system itself.
//!
//! ```
//! use std::io::Cursor;
//! use walrus_encryption::{Keys, Opened, Padding, Recipients, generate, seal};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let key = generate();
//! let mut recipients = Recipients::default();
//! recipients.add(&key.recipient)?;
//! let mut sealed = Vec::new();
//! seal(&recipients, Padding::Padme, &mut &b"a secret"[..], &mut sealed)?;
//! assert!(sealed.len() > 65536, "short contents all look alike");
//!
//! let mut keys = Keys::default();
//! keys.add_identities(key.identity_file().as_bytes(), "key.txt", &|_| None)?;
//! let mut content = Vec::new();
//! Opened::new(Cursor::new(sealed), &keys)?.copy_all(&mut content)?;
//! assert_eq!(content, b"a secret");
//! # Ok(())
//! # }
//! ```
//!
//! Reading order: [`Recipients`] and [`seal`]; [`Keys`] and [`Opened`]; [`Padding`];
//! [`Parts`]; [`BlobKey`]. What it promises and what not: `docs/encryption.md`.

mod blob_key;
mod error;
mod header;
mod keys;
mod open;
mod padding;
mod parts;
mod recipients;
mod seal;
#[cfg(test)]
mod tests;

pub use blob_key::BlobKey;
pub use error::{CopyError, KeyError, OpenError, RecipientError, SealError};
pub use header::{HEADER_BYTES_MAX, Scan, scan};
pub use keys::{AskPassphrase, Keys, NewKey, generate};
pub use open::{Opened, fits};
pub use padding::{Padding, TRAILER_BYTES, padme};
pub use parts::{CHUNK_BYTES, Layout, Parts, SEALED_CHUNK_BYTES};
pub use recipients::Recipients;
pub use seal::{Sealed, seal};
