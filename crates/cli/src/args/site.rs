//! Static websites: `walrus site`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::CodingArgs;

/// `walrus site …`
#[derive(Debug, Subcommand)]
pub enum SiteCommand {
    /// Store a directory as a website, named by a reference that later publishes update
    Publish(SitePublishArgs),
    /// List the files of a website
    List {
        /// Number of the reference
        reference: u64,
    },
    /// Read one file of a website, as a gateway would serve it
    Read {
        /// Number of the reference
        reference: u64,
        /// Path in the website; `/` is its index
        path: String,
        /// Where to write it [default: standard output]
        #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
        out: Option<PathBuf>,
    },
}

/// `walrus site publish`
#[derive(Debug, Args)]
pub struct SitePublishArgs {
    /// The directory
    #[arg(value_hint = ValueHint::DirPath)]
    pub directory: PathBuf,
    /// Update this website instead of making a new one
    #[arg(long, value_name = "NUMBER")]
    pub reference: Option<u64>,
    /// Epochs to store it for, the current one included
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub epochs: u32,
    /// Store until this date at least: 2027-03-01, 90d, 6w
    #[arg(long, value_name = "DATE", conflicts_with = "epochs")]
    pub until: Option<String>,
    /// File that a path ending in `/` means
    #[arg(long, value_name = "NAME", default_value = "index.html")]
    pub index: String,
    /// File that is served where there is none [default: 404.html, if there is one]
    #[arg(long, value_name = "PATH")]
    pub not_found: Option<String>,
    /// Publish names that begin with a dot too; without it only `.well-known` is
    #[arg(long)]
    pub hidden: bool,
    /// Address of a gateway, for the link [default: `gateway_url` of the context]
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub gateway: Option<String>,
    /// What the command may use.
    #[command(flatten)]
    pub coding: CodingArgs,
}
