//! What the command line says.

use std::{num::NonZeroUsize, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueHint};
use walrus_sdk::ByteRange;

const AFTER_HELP: &str = "\
Try it:
  walrus demo                      store a sample on a network made for it, lose a third, read it back
  walrus local                     keep such a network running
  walrus store photo.jpg           store a file, print its blob id
  walrus read BLOB_ID -o photo.jpg read it back

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no such blob, 4 network not reachable (try again), 5 refused by the chain";

/// Stores blobs on a network of independent nodes, and reads them back.
#[derive(Debug, Parser)]
#[command(name = "walrus", version, after_help = AFTER_HELP, max_term_width = 100)]
pub struct Arguments {
    /// Settings that every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Settings that every command takes.
#[derive(Clone, Debug, Args)]
pub struct Global {
    /// Print one JSON object on standard output instead of text
    #[arg(long, global = true)]
    pub json: bool,
    /// Configuration file [default: walrus.toml here, then in ~/.config/walrus]
    #[arg(long, global = true, env = "WALRUS_CONFIG", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Network to use, one of the contexts in the configuration file
    #[arg(long, global = true, env = "WALRUS_CONTEXT", value_name = "NAME")]
    pub context: Option<String>,
    /// Say nothing but the result; no progress bars
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the whole system at work: store a file on ten nodes, stop a third, read it back
    Demo(DemoArgs),
    /// Run a network of nodes on this machine until stopped
    Local(LocalArgs),
    /// Store a file
    Store(StoreArgs),
    /// Read a blob
    Read(ReadArgs),
    /// Say whether a blob is stored, and until when
    BlobStatus(BlobStatusArgs),
    /// Compute the blob id of a file without storing it
    BlobId(BlobIdArgs),
    /// Show the network: epoch, committee, capacity, prices
    Info,
    /// List, extend, delete or give away blob objects
    #[command(subcommand)]
    Blob(BlobCommand),
    /// Buy, list, cut, join or give away storage capacity
    #[command(subcommand)]
    Capacity(CapacityCommand),
    /// Names whose target changes
    #[command(subcommand)]
    Ref(RefCommand),
    /// Show the committee: nodes, shards, stake, commission, votes
    Committee,
    /// Ask every node how it is
    Health,
    /// Stake WAL with a node
    Stake(StakeArgs),
    /// Ask for a stake position to leave its pool
    Unstake(PositionArgs),
    /// Take out a stake position that has left its pool
    Withdraw(PositionArgs),
    /// List the stake positions of the wallet
    Positions,
    /// Get WAL for gas money, on test networks
    GetWal(GetWalArgs),
    /// Set up and run a storage node
    #[command(subcommand)]
    Node(NodeCommand),
    /// Deploy and drive the contracts
    #[command(subcommand)]
    Chain(ChainCommand),
    /// Look at what the encoder makes
    #[command(subcommand)]
    Debug(DebugCommand),
    /// Print completions for a shell
    Completions {
        /// The shell to print them for
        shell: clap_complete::Shell,
    },
}

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
    /// Seconds of an epoch
    #[arg(long, default_value_t = crate::network::EPOCH_SECONDS, value_parser = clap::value_parser!(u32).range(4..))]
    pub epoch_seconds: u32,
}

/// `walrus store`
#[derive(Debug, Args)]
pub struct StoreArgs {
    /// File to store; `-` reads standard input
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Epochs to store it for, the current one included
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub epochs: u32,
    /// Let the owner delete it before its end
    #[arg(long)]
    pub deletable: bool,
    /// Pay for a new registration even if the blob is stored already
    #[arg(long)]
    pub force: bool,
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

/// `walrus blob …`
#[derive(Debug, Subcommand)]
pub enum BlobCommand {
    /// List the blob objects of the wallet
    List,
    /// Move the end of a certified blob; anyone may pay for it
    Extend {
        /// Number of the object
        object: u64,
        /// Epochs to add
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
        epochs: u32,
    },
    /// Delete a deletable blob and get the rest of its capacity
    Delete {
        /// Number of the object
        object: u64,
    },
    /// Give a blob object to another account
    Transfer {
        /// Number of the object
        object: u64,
        /// Who gets it, 0x…
        to: String,
    },
    /// Drop a blob object; the data stays stored until its end
    Burn {
        /// Number of the object
        object: u64,
    },
    /// Show, set and remove attributes of a blob object
    Attributes {
        /// Number of the object
        object: u64,
        /// Attribute to set; may be repeated
        #[arg(long, value_name = "KEY=VALUE")]
        set: Vec<String>,
        /// Attribute to remove; may be repeated
        #[arg(long, value_name = "KEY")]
        remove: Vec<String>,
    },
}

/// `walrus capacity …`
#[derive(Debug, Subcommand)]
pub enum CapacityCommand {
    /// List the capacity of the wallet
    List,
    /// Buy capacity from the current epoch on
    Buy {
        /// Bytes of encoded size, at least 1 MiB
        #[arg(long, value_name = "BYTES")]
        size: u64,
        /// Epochs, the current one included
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
        epochs: u32,
    },
    /// Cut capacity in two at an epoch
    Split {
        /// First epoch of the capacity
        #[arg(long)]
        start: u32,
        /// Its end: the first epoch it does not cover
        #[arg(long)]
        end: u32,
        /// First epoch of the second part
        #[arg(long)]
        middle: u32,
        /// Bytes to cut
        #[arg(long, value_name = "BYTES")]
        size: u64,
    },
    /// Join two capacities, of which one ends where the other starts
    Fuse {
        /// First epoch of the first one
        #[arg(long)]
        start: u32,
        /// First epoch of the second one
        #[arg(long)]
        middle: u32,
        /// End of the second one: the first epoch it does not cover
        #[arg(long)]
        end: u32,
        /// Bytes to join
        #[arg(long, value_name = "BYTES")]
        size: u64,
    },
    /// Give capacity to another account
    Transfer {
        /// Who gets it, 0x…
        to: String,
        /// First epoch of the capacity
        #[arg(long)]
        start: u32,
        /// Its end: the first epoch it does not cover
        #[arg(long)]
        end: u32,
        /// Bytes to give
        #[arg(long, value_name = "BYTES")]
        size: u64,
    },
}

/// `walrus ref …`
#[derive(Debug, Subcommand)]
pub enum RefCommand {
    /// Create a reference to a blob
    Create {
        /// Blob id, 43 characters
        blob_id: String,
        /// Blob object of it whose end the reference shows
        #[arg(long)]
        object: Option<u64>,
    },
    /// Point a reference at another blob
    Update {
        /// Number of the reference
        reference: u64,
        /// Blob id, 43 characters
        blob_id: String,
        /// Blob object of it whose end the reference shows
        #[arg(long)]
        object: Option<u64>,
    },
    /// Show where a reference points
    Resolve {
        /// Number of the reference
        reference: u64,
    },
    /// Make the target of a reference final
    Freeze {
        /// Number of the reference
        reference: u64,
    },
}

/// `walrus stake`
#[derive(Debug, Args)]
pub struct StakeArgs {
    /// Number of the node; `walrus committee` lists them
    pub node: u32,
    /// WAL to stake
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub wal: u64,
}

/// Commands about one stake position.
#[derive(Debug, Args)]
pub struct PositionArgs {
    /// Number of the position; `walrus positions` lists them
    pub position: u64,
}

/// `walrus get-wal`
#[derive(Debug, Args)]
pub struct GetWalArgs {
    /// Gas money to give for it, in units of 10^18
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub ether: u64,
}

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
    /// Who gets it, 0x…
    pub to: String,
    /// WAL to send
    #[arg(long, default_value_t = 10_000)]
    pub wal: u64,
    /// Gas money to send, in units of 10^18
    #[arg(long, default_value_t = 10)]
    pub ether: u64,
}

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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        // clap checks names and defaults only when asked.
        super::Arguments::command().debug_assert();
    }
}
