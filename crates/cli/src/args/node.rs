//! Storage nodes: `walrus node`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

/// `walrus node …`
#[derive(Debug, Subcommand)]
pub enum NodeCommand {
    /// Make the keys, the wallet and the configuration of a node
    Setup(NodeSetupArgs),
    /// Register the node on the chain and stake for it
    Register(NodeRegisterArgs),
    /// Run the node
    Run(NodeDirArgs),
    /// Vote on prices and capacity
    Vote(NodeVoteArgs),
    /// Make a new signing key and use it in the committees selected from now on
    RotateKey(NodeDirArgs),
    /// Pay the commission out to the operator
    Collect(NodeDirArgs),
    /// Change the commission, with effect from the epoch after the next one on
    Commission(NodeCommissionArgs),
}

/// `walrus node setup`
#[derive(Debug, Args)]
pub struct NodeSetupArgs {
    /// Directory of the node: configuration, keys and data
    #[arg(long, value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,
    /// Name shown to others
    #[arg(long)]
    pub name: String,
    /// Address others reach the node at, host:port
    #[arg(long)]
    pub public_address: String,
    /// Address to listen on, host:port [default: the public address]
    #[arg(long)]
    pub bind: Option<String>,
    /// JSON-RPC address of the chain; repeat for fallbacks
    #[arg(long, required = true, value_name = "URL")]
    pub rpc: Vec<String>,
    /// File that describes the deployed contracts, from `walrus chain deploy`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub deployment: PathBuf,
    /// File with the wallet's password [default: a new one in the node's directory]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub password_file: Option<PathBuf>,
    /// Speak plain HTTP; only possible on a loopback address
    #[arg(long)]
    pub plain_http: bool,
    /// Encrypt the wallet quickly and weakly, for networks that hold nothing of value
    #[arg(long)]
    pub weak_keystore: bool,
}

/// `walrus node register`
#[derive(Debug, Args)]
pub struct NodeRegisterArgs {
    /// Directory of the node
    #[arg(long, value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,
    /// WAL to stake for it
    #[arg(long, default_value_t = 1000)]
    pub stake: u64,
}

/// `walrus node vote`
#[derive(Debug, Args)]
pub struct NodeVoteArgs {
    /// Directory of the node
    #[arg(long, value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,
    /// FROST per MiB of encoded size and epoch
    #[arg(long)]
    pub storage_price: u64,
    /// FROST per MiB of encoded size written
    #[arg(long)]
    pub write_price: u64,
    /// Bytes the node can store
    #[arg(long)]
    pub capacity: u64,
}

/// `walrus node commission`
#[derive(Debug, Args)]
pub struct NodeCommissionArgs {
    /// Directory of the node
    #[arg(long, value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,
    /// The operator's share of rewards, in hundredths of a percent
    #[arg(long, value_parser = clap::value_parser!(u16).range(..=10_000))]
    pub basis_points: u16,
}

/// Commands about one node's directory.
#[derive(Debug, Args)]
pub struct NodeDirArgs {
    /// Directory of the node
    #[arg(long, value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,
}
