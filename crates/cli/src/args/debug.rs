//! Values for other implementations: `walrus debug`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::CodingArgs;

/// `walrus debug …`
#[derive(Debug, Subcommand)]
pub enum DebugCommand {
    /// Encode a blob and print every value that other implementations must reproduce
    Encode(DebugEncodeArgs),
    /// Put files together as a quilt and print what other implementations must reproduce
    Quilt(DebugQuiltArgs),
}

/// `walrus debug encode`
#[derive(Debug, Args)]
pub struct DebugEncodeArgs {
    /// Shards of the network
    #[arg(long)]
    pub n_shards: u16,
    /// File to encode; `-` reads standard input
    #[arg(long, default_value = "-", value_hint = ValueHint::FilePath)]
    pub input: PathBuf,
    /// What the command may use.
    #[command(flatten)]
    pub coding: CodingArgs,
}

/// `walrus debug quilt`
#[derive(Debug, Args)]
pub struct DebugQuiltArgs {
    /// Shards of the network
    #[arg(long)]
    pub n_shards: u16,
    /// JSON: `{"files": [{"identifier": "…", "path": "…", "tags": {"…": "…"}}]}`; a relative path is
    /// looked for beside the manifest, then in the current directory
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub manifest: PathBuf,
    /// What the command may use.
    #[command(flatten)]
    pub coding: CodingArgs,
}
