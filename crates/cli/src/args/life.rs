//! The life of what was stored: `walrus list`, `extend`, `cost`, `gc`, `verify`, `share`, `send`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::PaddingChoice;

/// `walrus list`
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Also what has ended
    #[arg(long)]
    pub all: bool,
}

/// `walrus extend`
#[derive(Debug, Args)]
pub struct ExtendArgs {
    /// Numbers of objects, or blob ids
    #[arg(value_name = "OBJECT")]
    pub targets: Vec<String>,
    /// Store until this date at least: 2027-03-01, 90d, 6w
    #[arg(long, value_name = "DATE", required_unless_present = "epochs")]
    pub until: Option<String>,
    /// Add so many epochs
    #[arg(long, value_name = "COUNT", conflicts_with = "until", value_parser = clap::value_parser!(u32).range(1..))]
    pub epochs: Option<u32>,
    /// Every blob of the wallet
    #[arg(long, conflicts_with = "targets")]
    pub all: bool,
    /// Every blob of the wallet that ends before this date
    #[arg(long, value_name = "DATE", conflicts_with_all = ["targets", "all"])]
    pub ending_before: Option<String>,
    /// Only say what it would cost
    #[arg(long)]
    pub dry_run: bool,
    /// Pay without asking for whole rules (`--all`, `--ending-before`)
    #[arg(long)]
    pub yes: bool,
}

/// `walrus cost`
#[derive(Debug, Args)]
pub struct CostArgs {
    /// Files whose storage is to be priced
    #[arg(value_name = "FILE", value_hint = ValueHint::AnyPath, required_unless_present = "size")]
    pub files: Vec<PathBuf>,
    /// A length in bytes instead of a file
    #[arg(long, value_name = "BYTES", conflicts_with = "files")]
    pub size: Option<u64>,
    /// Epochs to store for, the current one included
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub epochs: u32,
    /// Store until this date at least: 2027-03-01, 90d, 6w
    #[arg(long, value_name = "DATE", conflicts_with = "epochs")]
    pub until: Option<String>,
    /// As if it were encrypted, with this padding
    #[arg(long, value_name = "PADDING", num_args = 0..=1, default_missing_value = "padme")]
    pub encrypt: Option<PaddingChoice>,
}

/// `walrus gc`
#[derive(Debug, Args)]
pub struct GcArgs {
    /// Delete the deletable ones among them: their capacity comes back. With --yes
    #[arg(long)]
    pub delete: bool,
    /// Delete without asking: stores of this wallet on other machines would be cut off
    #[arg(long, requires = "delete")]
    pub yes: bool,
    /// Remove encrypted copies that wait to be stored; what was paid for them is lost
    #[arg(long)]
    pub drop_copies: bool,
}

/// `walrus verify`
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Blob id, 43 characters
    #[arg(allow_hyphen_values = true)]
    pub blob_id: String,
    /// Shards whose slivers are sampled
    #[arg(long, value_name = "COUNT", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..))]
    pub samples: u16,
}

/// `walrus share`
#[derive(Debug, Args)]
pub struct ShareArgs {
    /// Blob id, 43 characters
    #[arg(allow_hyphen_values = true)]
    pub blob_id: String,
    /// Address of a gateway that reads for others [default: `gateway_url` of the context]
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub gateway: Option<String>,
    /// A reference that names it, for a link whose target can change
    #[arg(long, value_name = "NUMBER")]
    pub reference: Option<u64>,
}

/// `walrus send`
#[derive(Debug, Args)]
pub struct SendArgs {
    /// Number of the object
    pub object: u64,
    /// Who gets it, 0x…
    pub to: String,
}

/// `walrus man`
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Directory for one page of each command; it is made when missing
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
}
