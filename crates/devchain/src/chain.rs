//! The synchronous core: state, blocks and waiting transactions.

mod block;
mod calls;
mod execution;
mod fees;
mod ledger;
mod logs;
mod mining;
mod pool;
mod reorg;
mod requests;
mod state;
mod submission;
#[cfg(test)]
mod tests;
mod views;

use std::collections::BTreeMap;

use alloy::{
    consensus::{Header, Sealed},
    primitives::{Address, B256, U256},
};
use walrus_env::BlockingFile;

use self::{
    ledger::{Ledger, Meta},
    logs::Filters,
    pool::Pool,
    reorg::Snapshots,
    state::{State, View},
};
use crate::ChainError;

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

/// The chain itself: synchronous, on one thread, without a clock.
///
/// The state is in memory; blocks are read from the database, which is on disk
/// or in memory too. A block joins both or neither: after a failed write the
/// chain refuses everything until it is opened again.
///
/// # The state root
/// A Merkle-Patricia root over the whole state costs more than the rest of a
/// block, and only `eth_getProof` would use it. The header's `stateRoot` is
/// instead the Keccak-256 of the parent's `stateRoot` followed, for each touched
/// account (by address), by address and RLP of nonce, balance and code hash, and
/// then for each touched slot by address, slot and value (32 bytes each).
#[derive(Debug)]
pub struct Chain {
    config: ChainConfig,
    ledger: Ledger,
    meta: Meta,
    state: State,
    head: Sealed<Header>,
    /// Hashes of the latest 256 blocks, for BLOCKHASH.
    hashes: BTreeMap<u64, B256>,
    pool: Pool,
    filters: Filters,
    snapshots: Snapshots,
    /// Timestamp demanded for the next block.
    next_timestamp: Option<u64>,
    /// Why the transaction that was executed last could not be mined, if so.
    rejected: Option<(B256, String)>,
    /// Memory and disk may differ.
    stopped: bool,
}

/// Blocks that BLOCKHASH reaches.
const BLOCKHASH_WINDOW: u64 = 256;

impl Chain {
    /// Opens the chain in `file`, or in memory, creating it when there is none.
    ///
    /// # Errors
    /// If the stored chain cannot be read or is another one.
    pub fn open(
        config: ChainConfig,
        file: Option<Box<dyn BlockingFile>>,
    ) -> Result<Self, ChainError> {
        let ledger = Ledger::open(file)?;
        let meta = match ledger.meta()? {
            Some(meta) => meta,
            None => mining::create(&config, &ledger)?,
        };
        if meta.chain_id != config.chain_id {
            return Err(ChainError::OtherChain { stored: meta.chain_id, asked: config.chain_id });
        }
        let head = ledger.header(meta.head)?.ok_or(ChainError::Corrupt("the head is missing"))?;
        let mut chain = Self {
            state: ledger.load_state()?,
            config,
            ledger,
            meta,
            head,
            hashes: BTreeMap::new(),
            pool: Pool::default(),
            filters: Filters::default(),
            snapshots: Snapshots::default(),
            next_timestamp: None,
            rejected: None,
            stopped: false,
        };
        chain.load_hashes()?;
        Ok(chain)
    }

    /// The number of the latest block.
    pub fn head_number(&self) -> u64 {
        self.head.number
    }

    fn load_hashes(&mut self) -> Result<(), ChainError> {
        self.hashes.clear();
        for number in self.head.number.saturating_sub(BLOCKHASH_WINDOW - 1)..=self.head.number {
            let header = self.ledger.header(number)?;
            let header = header.ok_or(ChainError::Corrupt("a header is missing"))?;
            self.hashes.insert(number, header.hash());
        }
        Ok(())
    }

    fn view(&self) -> View<'_> {
        View { state: &self.state, hashes: &self.hashes }
    }

    fn check_running(&self) -> Result<(), ChainError> {
        if self.stopped { Err(ChainError::Stopped) } else { Ok(()) }
    }
}
