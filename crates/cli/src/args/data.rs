//! Storing and reading: `walrus store`, `read`, `blob-status`, `blob-id`.

use std::{num::NonZeroUsize, path::PathBuf};

use clap::{Args, ValueHint};
use walrus_sdk::ByteRange;

use super::{DecryptArgs, EncryptArgs};

/// `walrus store`
#[derive(Debug, Args)]
pub struct StoreArgs {
    /// Files to store, and directories, of which every file is stored; `-` reads standard input
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub files: Vec<PathBuf>,
    /// Epochs to store it for, the current one included
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub epochs: u32,
    /// Store until this date at least: 2027-03-01, 90d, 6w
    #[arg(long, value_name = "DATE", conflicts_with = "epochs")]
    pub until: Option<String>,
    /// Let the owner delete it before its end
    #[arg(long)]
    pub deletable: bool,
    /// Pay for a new registration even if the blob is stored already
    #[arg(long)]
    pub force: bool,
    /// Files that are under way at once
    #[arg(long, value_name = "COUNT", default_value = "4")]
    pub parallel: NonZeroUsize,
    /// Whether and for whom it is encrypted.
    #[command(flatten)]
    pub encryption: EncryptArgs,
    /// What the command may use.
    #[command(flatten)]
    pub coding: CodingArgs,
}

/// What encoding and decoding may use.
#[derive(Clone, Debug, Default, Args)]
pub struct CodingArgs {
    /// Directory for what does not fit into memory: 2.5 times a large file that is stored
    /// [default: `spill_dir` of the context, else in its `state_dir`]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub spill_dir: Option<PathBuf>,
    /// Threads that encode and decode [default: `threads` of the context, else one a processor]
    #[arg(long, value_name = "COUNT")]
    pub threads: Option<NonZeroUsize>,
}

/// `walrus read`
#[derive(Debug, Args)]
pub struct ReadArgs {
    /// Blob id, 43 characters
    #[arg(allow_hyphen_values = true)]
    pub blob_id: String,
    /// Where to write it [default: standard output]
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
    /// How the decoded blob is checked against its id
    #[arg(long, default_value = "default")]
    pub check: Check,
    /// Only these bytes: A-B with both ends counted, A- from A on, -N the last N
    #[arg(long, value_name = "A-B", allow_hyphen_values = true)]
    pub range: Option<ByteRange>,
    /// Refuse blobs, or ranges, larger than this many bytes [default: no limit, 1 GiB for ranges]
    #[arg(long, value_name = "BYTES")]
    pub max_bytes: Option<u64>,
    /// What decrypts it.
    #[command(flatten)]
    pub decryption: DecryptArgs,
    /// What the command may use.
    #[command(flatten)]
    pub coding: CodingArgs,
}

/// How a decoded blob is checked against its id.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Check {
    /// Every reader gets the same bytes, or an error
    Default,
    /// The blob was encoded correctly in every sliver
    Strict,
    /// None: only for blobs you stored yourself
    Skip,
}

/// `walrus blob-status`
#[derive(Debug, Args)]
pub struct BlobStatusArgs {
    /// Blob id, 43 characters
    #[arg(allow_hyphen_values = true)]
    pub blob_id: String,
    /// Ask every node to sign that it holds its part now
    #[arg(long)]
    pub nodes: bool,
}

/// `walrus blob-id`
#[derive(Debug, Args)]
pub struct BlobIdArgs {
    /// File to hash; `-` reads standard input
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Shards of the network [default: ask the network, else 1000]
    #[arg(long)]
    pub n_shards: Option<u16>,
    /// What the command may use.
    #[command(flatten)]
    pub coding: CodingArgs,
}
