//! The contracts: `walrus chain`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

/// `walrus chain …`
#[derive(Debug, Subcommand)]
pub enum ChainCommand {
    /// Run a development chain
    Dev(ChainDevArgs),
    /// Deploy the contracts
    Deploy(ChainDeployArgs),
    /// Select the first committee from the registered nodes and start the first epoch
    Genesis,
    /// Take every step of the epoch machine that is due
    Crank,
    /// Send WAL and gas money from the configured wallet to an address
    Fund(ChainFundArgs),
}

/// `walrus chain dev`
#[derive(Debug, Args)]
pub struct ChainDevArgs {
    /// Directory that keeps the chain [default: forget it at the end]
    #[arg(long, value_hint = ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1")]
    pub host: String,
    /// Port to listen on
    #[arg(long, default_value_t = 8545)]
    pub port: u16,
    /// Mine every so many milliseconds instead of at every transaction
    #[arg(long, value_name = "MS")]
    pub block_interval_ms: Option<u64>,
}

/// `walrus chain deploy`
#[derive(Debug, Args)]
pub struct ChainDeployArgs {
    /// JSON-RPC address of the chain
    #[arg(long, value_name = "URL")]
    pub rpc: String,
    /// Wallet: an encrypted keystore file [default: the key in WALRUS_PRIVATE_KEY]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub keystore: Option<PathBuf>,
    /// File with the keystore's password
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub password_file: Option<PathBuf>,
    /// What the network is deployed with, unless said otherwise below
    #[arg(long, default_value = "test")]
    pub profile: DeployProfile,
    /// Shards of the network
    #[arg(long)]
    pub shards: Option<u16>,
    /// Seconds of an epoch
    #[arg(long, value_parser = clap::value_parser!(u32).range(4..))]
    pub epoch_seconds: Option<u32>,
    /// Nodes needed before the first committee can be selected
    #[arg(long)]
    pub min_nodes: Option<u8>,
    /// Seconds from now before which the first committee cannot be selected
    #[arg(long)]
    pub first_start_delay: Option<u64>,
    /// Account that may stop new sales for a while, and veto, for the first time of the network
    #[arg(long, value_name = "ADDRESS")]
    pub guardian: Option<String>,
    /// Where to write the description of the deployment
    #[arg(long, default_value = "deployment.json", value_hint = ValueHint::FilePath)]
    pub out: PathBuf,
}

/// A file under `contracts/deployments`.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum DeployProfile {
    /// Epochs of minutes, WAL from an exchange
    Test,
    /// Epochs of two weeks
    Production,
}

/// `walrus chain fund`
#[derive(Debug, Args)]
pub struct ChainFundArgs {
    /// Who gets it: an account, 0x…, or the directory of a node
    #[arg(value_hint = ValueHint::DirPath)]
    pub to: String,
    /// WAL to send
    #[arg(long, default_value_t = 10_000)]
    pub wal: u64,
    /// Gas money to send, in units of 10^18
    #[arg(long, default_value_t = 10)]
    pub ether: u64,
}
