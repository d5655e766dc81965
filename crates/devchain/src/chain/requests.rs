//! From a method's name and parameters to its answer.

use alloy::{
    eips::{BlockId, BlockNumberOrTag},
    primitives::{Address, B256, Bytes, U64, keccak256},
    rpc::types::{Filter, TransactionRequest},
    serde::JsonStorageKey,
};
use revm::context::BlockEnv;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{
    Chain,
    block::Block,
    fees::SUGGESTED_TIP,
    views::{self, json},
};
use crate::{ChainError, RpcError};

/// Most blocks mined by one call.
const MINE_MAX: u64 = 10_000;

/// A call's parameters, by position.
struct Params<'a>(&'a [Value]);

impl Params<'_> {
    /// The parameter at `index`, which must be there.
    fn get<T: DeserializeOwned>(&self, index: usize) -> Result<T, RpcError> {
        let found = self.optional(index)?;
        found.ok_or_else(|| RpcError::invalid_params(format!("missing value for argument {index}")))
    }

    /// The parameter at `index`, if given and not null.
    fn optional<T: DeserializeOwned>(&self, index: usize) -> Result<Option<T>, RpcError> {
        match self.0.get(index) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => T::deserialize(value)
                .map(Some)
                .map_err(|e| RpcError::invalid_params(format!("invalid argument {index}: {e}"))),
        }
    }

    /// A quantity: a hex string, or a number as people type it.
    fn quantity(&self, index: usize) -> Result<Option<u64>, RpcError> {
        match self.0.get(index).and_then(Value::as_u64) {
            Some(number) => Ok(Some(number)),
            None => Ok(self.optional::<U64>(index)?.map(|quantity| quantity.to())),
        }
    }
}

impl Chain {
    /// Answers a JSON-RPC call at the Unix time `now`.
    ///
    /// # Errors
    /// As JSON-RPC has them.
    pub fn rpc(&mut self, now: u64, method: &str, params: &Value) -> Result<Value, RpcError> {
        self.check_running()?;
        let params = match params {
            Value::Null => Params(&[]),
            Value::Array(params) => Params(params),
            _ => return Err(RpcError::invalid_params("parameters go in an array")),
        };
        if let Some(answer) = self.answer_about_chain(method) {
            return Ok(answer);
        }
        match method.split_once('_') {
            Some(("eth", name)) => match name {
                "getBalance" | "getCode" | "getStorageAt" | "getTransactionCount" => {
                    self.answer_about_account(name, &params)
                }
                "call" | "estimateGas" => self.answer_by_executing(now, name, &params),
                "getLogs" | "newFilter" | "newBlockFilter" | "getFilterChanges"
                | "getFilterLogs" | "uninstallFilter" => self.answer_about_logs(name, &params),
                "sendRawTransaction" => self.send_raw(now, &params.get(0)?).map(json),
                "feeHistory" => self.answer_fee_history(&params),
                _ => self.answer_about_blocks(name, &params),
            },
            Some(("evm", "mine")) => self.mine_at(now, params.quantity(0)?),
            Some(("anvil" | "hardhat", "mine")) => self.mine_many(now, &params),
            Some(("evm" | "anvil" | "hardhat" | "walrus", name)) => {
                self.control(now, name, &params)
            }
            Some(("web3", "sha3")) => Ok(json(keccak256(params.get::<Bytes>(0)?))),
            _ => Err(RpcError::unknown_method(method)),
        }
    }

    fn answer_about_chain(&self, method: &str) -> Option<Value> {
        Some(match method {
            "web3_clientVersion" => {
                json!(concat!("walrus-devchain/v", env!("CARGO_PKG_VERSION")))
            }
            "net_version" => json!(self.config.chain_id.to_string()),
            "net_listening" => json!(true),
            "net_peerCount" => json!("0x0"),
            "eth_chainId" => quantity(self.config.chain_id),
            "eth_blockNumber" => quantity(self.head.number),
            "eth_gasPrice" => quantity(self.gas_price()),
            "eth_maxPriorityFeePerGas" => quantity(SUGGESTED_TIP),
            "eth_blobBaseFee" => json!("0x1"),
            "eth_syncing" => json!(false),
            "eth_mining" => json!(true),
            // Keys stay with the clients.
            "eth_accounts" => json!([]),
            _ => return None,
        })
    }

    fn answer_about_account(&self, name: &str, params: &Params<'_>) -> Result<Value, RpcError> {
        let address: Address = params.get(0)?;
        let slot_given = name == "getStorageAt";
        let block = params.optional(if slot_given { 2 } else { 1 })?;
        let pending = self.check_state_block(block.unwrap_or_default())?;
        Ok(match name {
            "getBalance" => json(self.state.account(address).balance),
            "getCode" => json(self.state.code(address).original_bytes()),
            "getStorageAt" => {
                let slot: JsonStorageKey = params.get(1)?;
                json(B256::from(self.state.slot(address, slot.as_b256().into())))
            }
            _ => {
                let nonce = self.state.account(address).nonce;
                quantity(if pending { self.pool.nonce_after(address, nonce) } else { nonce })
            }
        })
    }

    fn answer_by_executing(
        &self,
        now: u64,
        name: &str,
        params: &Params<'_>,
    ) -> Result<Value, RpcError> {
        let request: TransactionRequest = params.get(0)?;
        if params.optional::<Value>(2)?.is_some() || params.optional::<Value>(3)?.is_some() {
            return Err(RpcError::invalid_params("state and block overrides are not supported"));
        }
        let block: Option<BlockId> = params.optional(1)?;
        if name == "call" {
            let env = self.environment(now, block.unwrap_or_default())?;
            return self.call(env, &request).map(json);
        }
        // The transaction would go into the next block, so that is where it is tried.
        let env = self.environment(now, block.unwrap_or(BlockId::pending()))?;
        self.estimate_gas(env, &request).map(quantity)
    }

    fn environment(&self, now: u64, block: BlockId) -> Result<BlockEnv, RpcError> {
        Ok(match self.check_state_block(block)? {
            true => self.next_environment(now),
            false => self.head_environment(),
        })
    }

    fn answer_about_logs(&mut self, name: &str, params: &Params<'_>) -> Result<Value, RpcError> {
        let id = || -> Result<u64, RpcError> {
            let id = params.quantity(0)?;
            id.ok_or_else(|| RpcError::invalid_params("missing filter id"))
        };
        match name {
            "getLogs" => self.logs(&params.get(0)?).map(json),
            "newFilter" => self.install_log_filter(params.get::<Filter>(0)?).map(quantity),
            "newBlockFilter" => Ok(quantity(self.install_block_filter())),
            "getFilterChanges" => self.filter_changes(id()?),
            "getFilterLogs" => self.filter_logs(id()?).map(json),
            _ => Ok(json!(self.uninstall_filter(id()?))),
        }
    }

    fn answer_fee_history(&self, params: &Params<'_>) -> Result<Value, RpcError> {
        let count = params.quantity(0)?;
        let count = count.ok_or_else(|| RpcError::invalid_params("missing block count"))?;
        let newest = self.number_of(params.get(1)?);
        self.fee_history(count, newest, params.optional(2)?).map(json)
    }

    fn answer_about_blocks(&self, name: &str, params: &Params<'_>) -> Result<Value, RpcError> {
        let full = || Ok::<bool, RpcError>(params.optional(1)?.unwrap_or(false));
        match name {
            "getBlockByNumber" | "getBlockByHash" => {
                let (block, full) = (self.find_block(name, params)?, full()?);
                Ok(block.map_or(Value::Null, |block| views::block(&block, full)))
            }
            "getBlockTransactionCountByNumber" | "getBlockTransactionCountByHash" => {
                let block = self.find_block(name, params)?;
                Ok(block.map_or(Value::Null, |block| quantity(block.transactions.len() as u64)))
            }
            "getUncleCountByBlockNumber" | "getUncleCountByBlockHash" => Ok(json!("0x0")),
            "getBlockReceipts" => {
                let block = self.block_of(params.get(0)?)?;
                Ok(block.map_or(Value::Null, |block| json(views::block_receipts(&block))))
            }
            "getTransactionByHash" => self.transaction(params.get(0)?),
            "getTransactionReceipt" => {
                let Some((block, index)) = self.mined(params.get(0)?)? else {
                    return Ok(Value::Null);
                };
                Ok(json(views::block_receipts(&block).swap_remove(index)))
            }
            "getTransactionByBlockNumberAndIndex" | "getTransactionByBlockHashAndIndex" => {
                let block = self.find_block(name, params)?;
                let index = params.quantity(1)?.unwrap_or_default() as usize;
                let found = block.filter(|block| index < block.transactions.len());
                Ok(found.map_or(Value::Null, |block| views::mined(&block, index)))
            }
            _ => Err(RpcError::unknown_method(&format!("eth_{name}"))),
        }
    }

    /// Time, mining and faults, for tests.
    fn control(&mut self, now: u64, name: &str, params: &Params<'_>) -> Result<Value, RpcError> {
        match (name, params.quantity(0).unwrap_or_default()) {
            ("increaseTime", Some(seconds)) => {
                self.increase_time(seconds);
                Ok(json!(self.time_offset() as i64))
            }
            ("setNextBlockTimestamp", Some(timestamp)) => {
                self.set_next_timestamp(now, timestamp)?;
                Ok(Value::Null)
            }
            ("snapshot", _) => Ok(quantity(self.snapshot())),
            ("revert", Some(id)) => Ok(json!(self.revert(id)?)),
            ("reorg", Some(depth)) => {
                self.reorg(now, depth, params.optional(1)?.unwrap_or(true))?;
                Ok(quantity(self.head.number))
            }
            ("increaseTime" | "setNextBlockTimestamp" | "revert" | "reorg", None) => {
                Err(RpcError::invalid_params("the first argument is a number"))
            }
            _ => Err(RpcError::unknown_method(name)),
        }
    }

    /// Mines a block, with the timestamp if one is given.
    fn mine_at(&mut self, now: u64, timestamp: Option<u64>) -> Result<Value, RpcError> {
        if let Some(timestamp) = timestamp {
            self.set_next_timestamp(now, timestamp)?;
        }
        self.mine(now)?;
        Ok(json!("0x0"))
    }

    /// Mines blocks, so many seconds apart if the second argument says so.
    fn mine_many(&mut self, now: u64, params: &Params<'_>) -> Result<Value, RpcError> {
        let count = params.quantity(0)?.unwrap_or(1);
        if count > MINE_MAX {
            return Err(RpcError::limit(format!("at most {MINE_MAX} blocks at once")));
        }
        let spacing = params.quantity(1)?.unwrap_or_default();
        for index in 0..count {
            if index > 0 && spacing > 0 {
                self.set_next_timestamp(now, self.head.timestamp.saturating_add(spacing))?;
            }
            self.mine(now)?;
        }
        Ok(Value::Null)
    }

    /// Whether `block` is the pending one; any other than that and the head is refused.
    fn check_state_block(&self, block: BlockId) -> Result<bool, RpcError> {
        let number = match block {
            BlockId::Number(BlockNumberOrTag::Pending) => return Ok(true),
            BlockId::Number(number) => self.number_of(number),
            BlockId::Hash(hash) => {
                let number = self.ledger.number(hash.block_hash)?;
                number.ok_or_else(|| RpcError::refused("header not found"))?
            }
        };
        let head = self.head.number;
        match number == head {
            true => Ok(false),
            false if number > head => {
                Err(RpcError::refused(format!("header not found: block {number}, head {head}")))
            }
            false => Err(RpcError::refused(format!(
                "historical state is not available: block {number}, head {head}"
            ))),
        }
    }

    /// The block number a tag stands for; everything is final at once.
    fn number_of(&self, block: BlockNumberOrTag) -> u64 {
        match block {
            BlockNumberOrTag::Number(number) => number,
            BlockNumberOrTag::Earliest => 0,
            _ => self.head.number,
        }
    }

    /// The block that a `...ByNumber` or `...ByHash` method asks for.
    fn find_block(&self, name: &str, params: &Params<'_>) -> Result<Option<Block>, RpcError> {
        if name.contains("ByHash") || name.contains("ByBlockHash") {
            let hash: B256 = params.get(0)?;
            return self.block_of(hash.into());
        }
        let number: BlockNumberOrTag = params.get(0)?;
        self.block_of(number.into())
    }

    fn block_of(&self, id: BlockId) -> Result<Option<Block>, RpcError> {
        let number = match id {
            BlockId::Number(number) => self.number_of(number),
            BlockId::Hash(hash) => match self.ledger.number(hash.block_hash)? {
                Some(number) => number,
                None => return Ok(None),
            },
        };
        Ok(self.ledger.block(number)?)
    }

    fn transaction(&self, hash: B256) -> Result<Value, RpcError> {
        if let Some(waiting) = self.pool.get(hash) {
            return Ok(views::waiting(waiting));
        }
        let mined = self.mined(hash)?;
        Ok(mined.map_or(Value::Null, |(block, index)| views::mined(&block, index)))
    }

    fn mined(&self, hash: B256) -> Result<Option<(Block, usize)>, ChainError> {
        let Some((number, index)) = self.ledger.position(hash)? else { return Ok(None) };
        let block = self.ledger.block(number)?.ok_or(ChainError::Corrupt("a block is missing"))?;
        match index < block.transactions.len() {
            true => Ok(Some((block, index))),
            false => Err(ChainError::Corrupt("a transaction's position")),
        }
    }
}

/// A number as JSON-RPC writes it: hex without leading zeros.
fn quantity(value: impl Into<u128>) -> Value {
    json!(format!("{:#x}", value.into()))
}
