//! What the command line says.

mod chain;
mod data;
mod debug;
mod encryption;
mod gateway;
mod governance;
mod life;
mod network;
mod node;
mod objects;
mod quilt;
mod site;
mod stake;

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueHint};
use walrus_core::BlobId;

pub use chain::{ChainCommand, ChainDeployArgs, ChainDevArgs, ChainFundArgs, DeployProfile};
pub use data::{BlobIdArgs, BlobStatusArgs, Check, CodingArgs, ReadArgs, StoreArgs};
pub use debug::{DebugCommand, DebugEncodeArgs, DebugQuiltArgs};
pub use encryption::{
    DecryptArgs, DecryptKeyArgs, EncryptArgs, KeyCommand, KeygenArgs, PaddingChoice,
};
pub use gateway::GatewayArgs;
pub use governance::{GovernanceCommand, ProposeArgs, VoteChoice};
pub use life::{CostArgs, ExtendArgs, GcArgs, ListArgs, ManArgs, SendArgs, ShareArgs, VerifyArgs};
pub use network::{DemoArgs, LocalArgs};
pub use node::{NodeCommand, NodeCommissionArgs, NodeRegisterArgs, NodeSetupArgs, NodeVoteArgs};
pub use objects::{BlobCommand, CapacityCommand, RefCommand};
pub use quilt::{
    PatchNameArgs, QuiltCommand, QuiltExtractArgs, QuiltListArgs, QuiltReadArgs, QuiltStoreArgs,
};
pub use site::{SiteCommand, SitePublishArgs};
pub use stake::{GetWalArgs, PositionArgs, StakeArgs};

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
    /// Serve and store blobs over plain HTTP, with a web page
    Gateway(GatewayArgs),
    /// Store a file
    Store(StoreArgs),
    /// Read a blob
    Read(ReadArgs),
    /// Say whether a blob is stored, and until when
    BlobStatus(BlobStatusArgs),
    /// Compute the blob id of a file without storing it
    BlobId(BlobIdArgs),
    /// List what is mine: until when, in what state, what it cost
    List(ListArgs),
    /// Keep blobs alive until a date
    Extend(ExtendArgs),
    /// Say what storing would cost, in WAL and gas, before anything is paid
    Cost(CostArgs),
    /// Find what was paid for and never finished
    Gc(GcArgs),
    /// Prove that a blob can be read without downloading it
    Verify(VerifyArgs),
    /// Say how others get a blob: links, and what they need to decrypt it
    Share(ShareArgs),
    /// Give a blob object to another account
    Send(SendArgs),
    /// Publish a directory as a website
    #[command(subcommand)]
    Site(SiteCommand),
    /// Make a key pair to encrypt to
    Keygen(KeygenArgs),
    /// Change or destroy the key of a blob that was stored with --key-file
    #[command(subcommand)]
    Key(KeyCommand),
    /// Show the network: epoch, committee, capacity, prices
    Info,
    /// Many files in one blob: store, list, read one, extract
    #[command(subcommand)]
    Quilt(QuiltCommand),
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
    /// Propose changes, vote on them, carry them out
    #[command(subcommand)]
    Governance(GovernanceCommand),
    /// Set up and run a storage node
    #[command(subcommand)]
    Node(NodeCommand),
    /// Deploy and drive the contracts
    #[command(subcommand)]
    Chain(ChainCommand),
    /// Look at what the encoder makes
    #[command(subcommand)]
    Debug(DebugCommand),
    /// Write manual pages
    Man(ManArgs),
    /// Print completions for a shell
    Completions {
        /// The shell to print them for
        shell: clap_complete::Shell,
    },
}

/// The arguments, with blob ids that begin with a hyphen where they are taken for what they are:
/// `walrus extend` takes several, and after the first one clap would take options for ids too.
/// Their order does not matter, so that they can go to the end, behind `--`.
pub fn with_ids_last(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    let Some(command) = arguments.iter().position(|word| word == "extend") else {
        return arguments;
    };
    let literal = arguments.iter().position(|word| word == "--").unwrap_or(arguments.len());
    let is_id = |word: &OsString| {
        let id = word.to_str().filter(|text| text.starts_with('-'));
        id.is_some_and(|text| text.parse::<BlobId>().is_ok())
    };
    let behind = arguments.split_off(literal);
    let rest = arguments.split_off(command.min(literal));
    let (ids, rest): (Vec<_>, Vec<_>) = rest.into_iter().partition(is_id);
    arguments.extend(rest);
    if !ids.is_empty() || !behind.is_empty() {
        arguments.push("--".into());
    }
    arguments.extend(ids);
    arguments.extend(behind.into_iter().skip(1));
    arguments
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::{CommandFactory, Parser as _};

    use super::{Arguments, Command, with_ids_last};

    #[test]
    fn the_command_line_is_consistent() {
        // clap checks names and defaults only when asked.
        Arguments::command().debug_assert();
    }

    #[test]
    fn blob_ids_may_begin_with_a_hyphen() {
        // One in 64 does: it would be taken for an option, and its blob be out of reach.
        for id in [
            "-0Dqy5jI_l0zQlF34e1z5sVeKqVNGX_cG6jbZNHz6k4",
            "--0Dqy5jI_l0zQlF34e1z5sVeKqVNGX_cG6jbZNHz6k",
            "-oDqy5jI_l0zQlF34e1z5sVeKqVNGX_cG6jbZNHz6k4",
        ] {
            for line in [
                &["walrus", "read", id, "--out", "file", "-i", "key"][..],
                &["walrus", "read", "--out", "file", "-i", "key", id],
            ] {
                let Command::Read(read) = Arguments::parse_from(line).command else { panic!() };
                assert_eq!(read.blob_id, id);
                assert_eq!(read.out.as_deref(), Some("file".as_ref()));
                assert_eq!(read.decryption.identity.len(), 1);
            }
            for name in ["verify", "share", "blob-status"] {
                assert!(
                    Arguments::try_parse_from(["walrus", name, id, "--json"]).is_ok(),
                    "{name}"
                );
            }
            for line in [
                &["walrus", "extend", "--until", "90d", "7", "--", id][..],
                &["walrus", "extend", "--until", "90d", "7", id],
                &["walrus", "extend", "7", id, "--until", "90d"],
                &["walrus", "--json", "extend", id, "--until", "90d", "--", "7"],
            ] {
                let line = with_ids_last(line.iter().map(OsString::from));
                let Command::Extend(extend) = Arguments::parse_from(line).command else { panic!() };
                let mut targets = extend.targets;
                targets.sort_by_key(String::len);
                assert_eq!(
                    (targets, extend.until.as_deref()),
                    (vec!["7".into(), id.into()], Some("90d"))
                );
            }
        }
        assert!(Arguments::try_parse_from(["walrus", "read", "id", "--no-such-option"]).is_err());
        let wrong = ["walrus", "extend", "7", "--no-such-option"].map(OsString::from);
        assert!(Arguments::try_parse_from(with_ids_last(wrong)).is_err());
    }
}
