//! What a development chain is started with.

use std::{path::PathBuf, time::Duration};

use alloy::primitives::{Address, U256};

/// Settings of a [`DevChain`](crate::DevChain). The default mines each
/// transaction at once and an empty block after two quiet seconds, in memory,
/// on a free loopback port.
#[derive(Clone, Debug)]
pub struct DevChainConfig {
    /// Where to listen. Anyone who can connect can move the clock and rewrite
    /// the chain, so think before leaving loopback.
    pub host: String,
    /// Port; 0 picks a free one.
    pub port: u16,
    /// Chain id; fixed once a directory holds a chain.
    pub chain_id: u64,
    /// Gas of a block, and so of a transaction (Prague has no lower cap).
    pub gas_limit: u64,
    /// Mine each executable transaction in a block of its own before answering.
    pub mine_on_transaction: bool,
    /// Mine a block with all that waits, or none, at this interval.
    pub block_interval: Option<Duration>,
    /// With `mine_on_transaction`: an empty block when none was mined for so long,
    /// so that the chain's time passes.
    pub empty_block_interval: Option<Duration>,
    /// Where to keep the chain; in memory when absent.
    pub dir: Option<PathBuf>,
    /// Seed of PREVRANDAO. Fixed once a directory holds a chain.
    pub seed: [u8; 32],
    /// Timestamp of block 0 in Unix seconds; the clock's when absent.
    pub genesis_time: Option<u64>,
    /// Balances at genesis, in wei, besides those of the ten development accounts.
    pub accounts: Vec<(Address, U256)>,
}

impl Default for DevChainConfig {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 0,
            chain_id: 31_337,
            gas_limit: 30_000_000,
            mine_on_transaction: true,
            block_interval: None,
            empty_block_interval: Some(Duration::from_secs(2)),
            dir: None,
            seed: [0; 32],
            genesis_time: None,
            accounts: Vec::new(),
        }
    }
}
