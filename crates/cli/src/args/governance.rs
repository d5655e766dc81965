//! Deciding together: `walrus governance`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

/// `walrus governance …`
#[derive(Debug, Subcommand)]
pub enum GovernanceCommand {
    /// List proposals with their votes, and what comes next for each
    List,
    /// Show the tunables: values, bounds, decided changes
    Parameters,
    /// Give the votes of the wallet's WAL and stake to an account; undelegated WAL does not vote
    Delegate {
        /// Who votes with them, 0x… [default: the wallet itself]
        to: Option<String>,
    },
    /// Propose a change
    Propose(ProposeArgs),
    /// Vote on a proposal
    Vote {
        /// Its number in the list, or its id
        proposal: String,
        /// The vote
        choice: VoteChoice,
        /// Why, for others to read
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Put a proposal that won into the timelock
    Queue {
        /// Its number in the list, or its id
        proposal: String,
    },
    /// Carry out a proposal that has waited in the timelock
    Execute {
        /// Its number in the list, or its id
        proposal: String,
    },
    /// Take back a proposal of one's own, before the vote begins
    Cancel {
        /// Its number in the list, or its id
        proposal: String,
    },
    /// Give a node's approval to the upgrades of a proposal: the nodes' half of the decision
    Approve {
        /// Its number in the list, or its id
        proposal: String,
        /// Directory of the node
        #[arg(long, value_hint = ValueHint::DirPath)]
        dir: PathBuf,
    },
}

/// `walrus governance propose`
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("what").required(true).multiple(true).args(["set", "upgrade", "call"])))]
pub struct ProposeArgs {
    /// What is proposed and why, in words
    #[arg(long)]
    pub description: String,
    /// Tunable to change; may be repeated. `walrus governance parameters` lists them
    #[arg(long, value_name = "NAME=VALUE")]
    pub set: Vec<String>,
    /// First epoch with the new values [default: two epochs after the earliest execution]
    #[arg(long, value_name = "EPOCH", requires = "set")]
    pub from_epoch: Option<u32>,
    /// New code for a contract, as addresses: 0x…:0x…; may be repeated. Two thirds of the shards must approve too
    #[arg(long, value_name = "PROXY:CODE")]
    pub upgrade: Vec<String>,
    /// Any call by the timelock, as address and data: 0x…:0x…; may be repeated
    #[arg(long, value_name = "TARGET:DATA")]
    pub call: Vec<String>,
}

/// A vote.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum VoteChoice {
    /// Yes
    For,
    /// No
    Against,
    /// Counts for the quorum alone
    Abstain,
}
