//! The synchronous core.

use std::collections::BTreeMap;

use alloy::primitives::{Address, U256};
use serde_json::Value;
use walrus_env::BlockingFile;

use crate::{ChainError, RpcError};

/// What the core is opened with.
#[derive(Clone, Debug)]
pub struct ChainConfig {
    /// Chain id.
    pub chain_id: u64,
    /// Gas of a block.
    pub gas_limit: u64,
    /// Mine each executable transaction in a block of its own before answering.
    pub mine_on_transaction: bool,
    /// Seed of PREVRANDAO; that of a stored chain prevails.
    pub seed: [u8; 32],
    /// Timestamp of block 0 in Unix seconds; that of a stored chain prevails.
    pub genesis_time: u64,
    /// Balances at genesis in wei.
    pub accounts: BTreeMap<Address, U256>,
}

/// The chain itself: state, blocks, waiting transactions.
#[derive(Debug)]
pub struct Chain {
    head: u64,
}

impl Chain {
    /// Opens the chain in `file`, or in memory, creating it when there is none.
    ///
    /// # Errors
    /// If the stored chain cannot be read or is another one.
    pub fn open(
        _config: ChainConfig,
        _file: Option<Box<dyn BlockingFile>>,
    ) -> Result<Self, ChainError> {
        Ok(Self { head: 0 })
    }

    /// The number of the latest block.
    pub fn head_number(&self) -> u64 {
        self.head
    }

    /// Answers a JSON-RPC call at the Unix time `now`.
    ///
    /// # Errors
    /// As JSON-RPC has them.
    pub fn rpc(&mut self, _now: u64, method: &str, _params: &Value) -> Result<Value, RpcError> {
        Err(RpcError::unknown_method(method))
    }

    /// Mines a block at the Unix time `now`; answers its number.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub fn mine(&mut self, _now: u64) -> Result<u64, ChainError> {
        self.head += 1;
        Ok(self.head)
    }

    /// Moves the chain's clock.
    pub fn increase_time(&mut self, _seconds: u64) {}

    /// Replaces the last `depth` blocks.
    ///
    /// # Errors
    /// [`ChainError::TooDeep`].
    pub fn reorg(&mut self, _now: u64, _depth: u64, _keep: bool) -> Result<(), ChainError> {
        Ok(())
    }
}
