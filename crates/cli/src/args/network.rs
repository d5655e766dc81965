//! Networks on this machine: `walrus demo`, `walrus local`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

/// `walrus demo`
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// File to store [default: a built-in sample]
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    /// Nodes to run
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(4..=100))]
    pub nodes: u16,
    /// Shards of the network
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u16).range(4..=1000))]
    pub shards: u16,
}

/// `walrus local`
#[derive(Debug, Args)]
pub struct LocalArgs {
    /// Nodes to run
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(4..=100))]
    pub nodes: u16,
    /// Shards of the network
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u16).range(4..=1000))]
    pub shards: u16,
    /// Directory that keeps the network between runs
    #[arg(long, default_value = "walrus-local", value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,
    /// Port of the chain's JSON-RPC server
    #[arg(long, default_value_t = 8545)]
    pub rpc_port: u16,
    /// Port of the gateway with the web page [default: 31415, or any if that is taken]
    #[arg(long)]
    pub gateway_port: Option<u16>,
    /// Start no gateway
    #[arg(long)]
    pub no_gateway: bool,
    /// Seconds of an epoch
    #[arg(long, default_value_t = crate::network::EPOCH_SECONDS, value_parser = clap::value_parser!(u32).range(4..))]
    pub epoch_seconds: u32,
}
