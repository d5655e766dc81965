//! Making blocks.

use alloy::{
    consensus::{
        EMPTY_OMMER_ROOT_HASH, Header, Sealed, TxReceipt,
        constants::EMPTY_WITHDRAWALS,
        proofs::{calculate_receipt_root, calculate_transaction_root},
    },
    eips::{
        eip1559::{BaseFeeParams, INITIAL_BASE_FEE},
        eip2935::{HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CODE},
        eip7685::EMPTY_REQUESTS_HASH,
    },
    primitives::{B64, B256, Bloom, Keccak256, U256},
};
use revm::{bytecode::Bytecode, context::BlockEnv};

use super::{
    BLOCKHASH_WINDOW, Chain, ChainConfig,
    block::{Block, Mined, receipts},
    execution::{block_env, system_call, transact, transaction_env},
    ledger::{Ledger, Meta, Step},
    state::{Account, Change, State},
};
use crate::ChainError;

/// Writes block 0: the funded accounts and the history contract.
pub(super) fn create(config: &ChainConfig, ledger: &Ledger) -> Result<Meta, ChainError> {
    let (mut state, mut change) = (State::default(), Change::default());
    for (address, balance) in &config.accounts {
        let account = Account { balance: *balance, ..Account::default() };
        state.set_account(*address, Some(account), &mut change);
    }
    let code_hash = state.add_code(Bytecode::new_legacy(HISTORY_STORAGE_CODE.clone()), &mut change);
    let contract = Account { nonce: 1, code_hash, ..Account::default() };
    state.set_account(HISTORY_STORAGE_ADDRESS, Some(contract), &mut change);

    let meta = Meta {
        chain_id: config.chain_id,
        seed: config.seed.into(),
        head: 0,
        branch: 0,
        time_offset: 0,
    };
    let mut env = block_env();
    env.timestamp = U256::from(config.genesis_time);
    env.gas_limit = config.gas_limit;
    env.basefee = INITIAL_BASE_FEE;
    env.prevrandao = Some(randomness(&meta, B256::ZERO, 0));
    let root = state.commitment(B256::ZERO, &change);
    let block = seal(&env, B256::ZERO, root, Vec::new());
    let step =
        Step { meta: &meta, state: &state, touched: &change, dropped: &[], mined: Some(&block) };
    ledger.commit(&step)?;
    Ok(meta)
}

impl Chain {
    /// Mines a block at the Unix time `now` with as many waiting transactions as
    /// fit; answers its number.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub fn mine(&mut self, now: u64) -> Result<u64, ChainError> {
        self.mine_block(now, usize::MAX)
    }

    /// Mines a block of its own for each transaction that can be executed now.
    pub(super) fn mine_waiting(&mut self, now: u64) -> Result<(), ChainError> {
        loop {
            let env = self.next_environment(now);
            if self.pool.next(&self.state, env.basefee, env.gas_limit).is_none() {
                return Ok(());
            }
            self.mine_block(now, 1)?;
        }
    }

    /// The block that would be mined at `now`.
    pub(super) fn next_environment(&self, now: u64) -> BlockEnv {
        let number = self.head.number + 1;
        let mut env = block_env();
        env.number = U256::from(number);
        env.timestamp = U256::from(self.timestamp_at(now).max(self.head.timestamp + 1));
        env.gas_limit = self.config.gas_limit;
        env.basefee = next_base_fee(&self.head);
        env.prevrandao = Some(randomness(&self.meta, self.head.hash(), number));
        env
    }

    /// The block at the head, as calls see it.
    pub(super) fn head_environment(&self) -> BlockEnv {
        let mut env = block_env();
        env.number = U256::from(self.head.number);
        env.timestamp = U256::from(self.head.timestamp);
        env.gas_limit = self.head.gas_limit;
        env.basefee = self.head.base_fee_per_gas.unwrap_or_default();
        env.prevrandao = Some(self.head.mix_hash);
        env
    }

    /// The chain's time when the clock says `now`.
    fn timestamp_at(&self, now: u64) -> u64 {
        self.next_timestamp.unwrap_or_else(|| now.wrapping_add(self.meta.time_offset))
    }

    /// Chain time minus clock time, in seconds.
    pub(super) fn time_offset(&self) -> u64 {
        self.meta.time_offset
    }

    /// Moves the chain's clock forward; lasting from the next block on.
    pub fn increase_time(&mut self, seconds: u64) {
        self.meta.time_offset = self.meta.time_offset.wrapping_add(seconds);
    }

    /// Gives the next block this timestamp; later blocks follow on from it.
    ///
    /// # Errors
    /// [`ChainError::TimestampTooEarly`] unless it is after the head's.
    pub fn set_next_timestamp(&mut self, now: u64, timestamp: u64) -> Result<(), ChainError> {
        let latest = self.head.timestamp;
        if timestamp <= latest {
            return Err(ChainError::TimestampTooEarly { asked: timestamp, latest });
        }
        self.meta.time_offset = timestamp.wrapping_sub(now);
        self.next_timestamp = Some(timestamp);
        Ok(())
    }

    fn mine_block(&mut self, now: u64, transactions_max: usize) -> Result<u64, ChainError> {
        self.check_running()?;
        let env = self.next_environment(now);
        let mut change = Change::default();
        self.record_parent(&env, &mut change);
        let transactions = self.execute_waiting(&env, transactions_max, &mut change);
        let root = self.state.commitment(self.head.state_root, &change);
        let block = seal(&env, self.head.hash(), root, transactions);
        self.append(block, &change)?;
        self.next_timestamp = None;
        self.pool.prune(&self.state);
        Ok(self.head.number)
    }

    /// EIP-2935: the parent's hash goes into the history contract first.
    fn record_parent(&mut self, env: &BlockEnv, change: &mut Change) {
        let parent = self.head.hash().into();
        match system_call(self.view(), env.clone(), HISTORY_STORAGE_ADDRESS, parent) {
            Ok(outcome) => self.state.apply(outcome, change),
            Err(error) => tracing::error!(error, "the history contract refused the parent hash"),
        }
    }

    fn execute_waiting(
        &mut self,
        env: &BlockEnv,
        transactions_max: usize,
        change: &mut Change,
    ) -> Vec<Mined> {
        let mut mined = Vec::new();
        let mut gas_left = env.gas_limit;
        while mined.len() < transactions_max {
            let Some(next) = self.pool.next(&self.state, env.basefee, gas_left) else { break };
            let (transaction, sender) = (next.transaction.clone(), next.sender);
            let hash = *transaction.tx_hash();
            self.pool.remove(hash);
            let tx_env = transaction_env(&transaction, sender);
            match transact(self.view(), env.clone(), self.config.chain_id, tx_env) {
                Ok((result, outcome)) => {
                    self.state.apply(outcome, change);
                    gas_left -= result.tx_gas_used();
                    mined.push(Mined {
                        transaction,
                        sender,
                        success: result.is_success(),
                        gas_used: result.tx_gas_used(),
                        logs: if result.is_success() { result.into_logs() } else { Vec::new() },
                    });
                }
                Err(reason) => self.rejected = Some((hash, reason)),
            }
        }
        mined
    }

    /// Makes a block the head, on disk first.
    fn append(&mut self, block: Block, change: &Change) -> Result<(), ChainError> {
        let mut meta = self.meta.clone();
        meta.head = block.number();
        let step = Step {
            meta: &meta,
            state: &self.state,
            touched: change,
            dropped: &[],
            mined: Some(&block),
        };
        if let Err(error) = self.ledger.commit(&step) {
            self.stopped = true;
            return Err(error);
        }
        self.meta = meta;
        self.hashes.insert(block.number(), block.header.hash());
        if let Some(old) = block.number().checked_sub(BLOCKHASH_WINDOW) {
            self.hashes.remove(&old);
        }
        self.head = block.header;
        Ok(())
    }
}

/// The base fee after this block, EIP-1559.
pub(super) fn next_base_fee(header: &Header) -> u64 {
    header
        .next_block_base_fee(BaseFeeParams::ethereum())
        .expect("every header of this chain has a base fee")
}

/// PREVRANDAO: fresh in each block, and another in a block that replaces one.
fn randomness(meta: &Meta, parent: B256, number: u64) -> B256 {
    let mut hasher = Keccak256::new();
    hasher.update(meta.seed);
    hasher.update(parent);
    hasher.update(meta.branch.to_be_bytes());
    hasher.update(number.to_be_bytes());
    hasher.finalize()
}

/// Puts a Prague header on executed transactions.
fn seal(env: &BlockEnv, parent: B256, state_root: B256, transactions: Vec<Mined>) -> Block {
    let receipts = receipts(&transactions);
    let signed: Vec<_> = transactions.iter().map(|mined| &mined.transaction).collect();
    let header = Header {
        parent_hash: parent,
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        beneficiary: env.beneficiary,
        state_root,
        transactions_root: calculate_transaction_root(&signed),
        receipts_root: calculate_receipt_root(&receipts),
        logs_bloom: receipts.iter().fold(Bloom::ZERO, |bloom, receipt| bloom | receipt.bloom()),
        difficulty: U256::ZERO,
        number: env.number.to(),
        gas_limit: env.gas_limit,
        gas_used: transactions.iter().map(|mined| mined.gas_used).sum(),
        timestamp: env.timestamp.to(),
        mix_hash: env.prevrandao.unwrap_or_default(),
        nonce: B64::ZERO,
        base_fee_per_gas: Some(env.basefee),
        withdrawals_root: Some(EMPTY_WITHDRAWALS),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        parent_beacon_block_root: Some(B256::ZERO),
        requests_hash: Some(EMPTY_REQUESTS_HASH),
        ..Header::default()
    };
    Block { header: Sealed::new(header), transactions }
}
