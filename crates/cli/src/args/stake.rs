//! WAL and stake: `walrus stake`, `unstake`, `withdraw`, `get-wal`.

use clap::Args;

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
