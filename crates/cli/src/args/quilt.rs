//! Many files in one blob: `walrus quilt …`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::CodingArgs;

/// `walrus quilt …`
#[derive(Debug, Subcommand)]
pub enum QuiltCommand {
    /// Store files, and all files in directories, as one blob
    Store(QuiltStoreArgs),
    /// List the files in a quilt, without fetching them
    List(QuiltListArgs),
    /// Read one file of a quilt, without fetching the others
    Read(QuiltReadArgs),
    /// Write all files of a quilt into a directory
    Extract(QuiltExtractArgs),
}

/// `walrus quilt store`
#[derive(Debug, Args)]
pub struct QuiltStoreArgs {
    /// Files, each stored under its name, and directories, whose files are stored under their paths
    /// within it
    #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
    /// Tag for every file, besides `content-type` which is guessed from its name
    #[arg(long, value_name = "KEY=VALUE", value_parser = tag)]
    pub tag: Vec<(String, String)>,
    /// Epochs to store it for, the current one included
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub epochs: u32,
    /// Let the owner delete it before its end
    #[arg(long)]
    pub deletable: bool,
    /// Pay for a new registration even if the quilt is stored already
    #[arg(long)]
    pub force: bool,
    /// What the command may use.
    #[command(flatten)]
    pub coding: CodingArgs,
}

/// `walrus quilt list`
#[derive(Debug, Args)]
pub struct QuiltListArgs {
    /// Blob id of the quilt, 43 characters
    #[arg(allow_hyphen_values = true)]
    pub blob_id: String,
}

/// `walrus quilt read`
#[derive(Debug, Args)]
pub struct QuiltReadArgs {
    /// Blob id of the quilt, 43 characters
    #[arg(required_unless_present = "patch", allow_hyphen_values = true)]
    pub blob_id: Option<String>,
    /// Which file.
    #[command(flatten)]
    pub name: PatchNameArgs,
    /// Where to write it [default: standard output]
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
    /// With --patch: do not fetch the index to see whether the quilt has such a file
    #[arg(long, requires = "patch")]
    pub no_index: bool,
    /// Refuse files whose columns are larger than this many bytes; they are held in memory
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 30)]
    pub max_bytes: u64,
}

/// What a file of a quilt is asked for by.
#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = false)]
pub struct PatchNameArgs {
    /// The file of this name
    #[arg(long, value_name = "NAME")]
    pub identifier: Option<String>,
    /// The file with this quilt patch id, 50 characters
    #[arg(long, value_name = "ID")]
    pub patch: Option<String>,
    /// The one file that carries this tag
    #[arg(long, value_name = "KEY=VALUE", value_parser = tag)]
    pub tag: Option<(String, String)>,
}

/// `walrus quilt extract`
#[derive(Debug, Args)]
pub struct QuiltExtractArgs {
    /// Blob id of the quilt, 43 characters
    #[arg(allow_hyphen_values = true)]
    pub blob_id: String,
    /// Directory to write to; it is made if it is missing, and nothing in it is replaced
    #[arg(long, short, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
    /// Refuse quilts larger than this many bytes [default: no limit]
    #[arg(long, value_name = "BYTES")]
    pub max_bytes: Option<u64>,
    /// What the command may use.
    #[command(flatten)]
    pub coding: CodingArgs,
}

fn tag(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("a tag has the form KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}
