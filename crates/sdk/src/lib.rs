//! Stores blobs on a network of nodes and reads them back.
//!
//! Nobody is believed: what nodes send is checked against the blob id, what they sign
//! against the committee, and every length before memory is spent on it. Up to `f`
//! shards' worth of nodes may be dead, slow or lying while a blob is stored, and up to
//! `2f` while it is read.
//!
//! It is not a node, prints nothing, and has no sockets, files, clocks or threads but
//! those of the [`walrus_env::Env`] that the chain client was made with.
//!
//! ```no_run
//! use walrus_chain::{ChainClient, ChainWriter};
//! use walrus_sdk::{Client, ClientConfig, ProgressSink, ReadOptions, StoreOptions};
//!
//! # async fn example(chain: ChainClient, writer: ChainWriter) -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::new(chain, ClientConfig::default());
//! let options = StoreOptions { epochs: 5, ..StoreOptions::default() };
//! let progress = ProgressSink::new(|step| println!("{step:?}"));
//! let stored = client.store(&writer, "hello", &options, &progress).await?;
//!
//! let read = client.read(&stored.blob_id, &ReadOptions::default(), &ProgressSink::none()).await?;
//! assert_eq!(read.bytes, b"hello");
//! # Ok(())
//! # }
//! ```
//!
//! Reading order: [`Client`] and [`ClientConfig`]; [`StoreOptions`], [`Stored`] and
//! [`StoreError`]; [`ReadOptions`], [`ReadBlob`] and [`ReadBlobError`]; [`Progress`];
//! [`QuiltFile`] and [`QuiltReader`] for many files in one blob; [`site`] for websites;
//! [`CommitteeView`] for those who speak to nodes themselves.

mod backoff;
mod budget;
mod cache;
mod client;
mod coding;
mod files;
mod network;
mod progress;
mod quilt;
mod range;
mod read;
mod relay;
pub mod site;
mod source;
mod status;
mod store;
#[cfg(test)]
mod testing;
mod upload;

pub use backoff::Backoff;
pub use cache::{NetworkError, Snapshot};
pub use client::{
    BlobStatusError, Client, ClientConfig, ReadBlob, ReadBlobError, ReadOptions, StatusReport,
};
pub use coding::{Coder, CodingConfig, EncodeError, Encoded};
pub use network::{CommitteeView, Node, NodeAccess};
pub use progress::{Progress, ProgressSink};
pub use quilt::{
    PatchName, PreparedQuilt, QuiltFile, QuiltReadOptions, QuiltReader, QuiltReport, ReadPatch,
    ReadQuiltError, StoreQuiltError, StoredQuilt,
};
pub use range::{
    ByteRange, ByteRangeParseError, RangeNotInBlob, RangeRead, RangeReport, ReadRangeError,
};
pub use read::{Content, FetchError, OutputError, ReadConfig, ReadReport, Spooled};
pub use relay::RelayError;
pub use source::{Source, SourceError};
pub use status::{NodeHealth, StatusError};
pub use store::{
    CertificateSummary, JournalError, StoreError, StoreOptions, StoreState, StoreTimings, Stored,
};
pub use upload::{FailureReason, NodeFailure, NotEnoughConfirmations, UploadConfig};
