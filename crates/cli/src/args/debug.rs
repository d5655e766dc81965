//! Values for other implementations: `walrus debug`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::CodingArgs;

/// `walrus debug …`
#[derive(Debug, Subcommand)]
pub enum DebugCommand {
    /// Encode a blob and print every value that other implementations must reproduce
    Encode(DebugEncodeArgs),
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
