//! The JSON-RPC methods that are used, typed, with only the fields that are read.

use alloy::primitives::{Address, B256, Bytes, U64, U256};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    challenge::FullHeader,
    endpoints::{Endpoints, RpcError},
};

/// A block named by number or by role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BlockTag {
    Latest,
    Pending,
    Finalized,
    Number(u64),
}

impl Serialize for BlockTag {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Latest => serializer.serialize_str("latest"),
            Self::Pending => serializer.serialize_str("pending"),
            Self::Finalized => serializer.serialize_str("finalized"),
            Self::Number(number) => serializer.collect_str(&format_args!("{number:#x}")),
        }
    }
}

/// The head of a block.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Head {
    pub(crate) number: U64,
    pub(crate) hash: B256,
    pub(crate) parent_hash: B256,
    pub(crate) timestamp: U64,
    #[serde(default)]
    pub(crate) mix_hash: B256,
    pub(crate) base_fee_per_gas: Option<U256>,
}

impl Head {
    pub(crate) fn number(&self) -> u64 {
        self.number.to()
    }
}

/// One log of a mined block.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Log {
    pub(crate) address: Address,
    pub(crate) topics: Vec<B256>,
    pub(crate) data: Bytes,
    pub(crate) block_number: U64,
    pub(crate) block_hash: B256,
    pub(crate) transaction_hash: B256,
    pub(crate) log_index: U64,
    #[serde(default)]
    pub(crate) removed: bool,
}

/// The outcome of a mined transaction.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RawReceipt {
    pub(crate) transaction_hash: B256,
    pub(crate) block_number: U64,
    pub(crate) block_hash: B256,
    pub(crate) status: U64,
    pub(crate) gas_used: U64,
    pub(crate) contract_address: Option<Address>,
    pub(crate) logs: Vec<Log>,
}

/// What `eth_call` and `eth_estimateGas` take.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct CallRequest {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<Address>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<Address>,
    #[serde(skip_serializing_if = "U256::is_zero")]
    pub(crate) value: U256,
    pub(crate) data: Bytes,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gas: Option<U64>,
}

/// Which logs are wanted.
#[derive(Clone, Debug)]
pub(crate) enum LogQuery<'a> {
    /// Those in the blocks `from..=to`.
    Range { from: u64, to: u64, addresses: &'a [Address] },
    /// Those of one block, whatever becomes of the chain around it.
    Block { hash: B256, addresses: &'a [Address] },
    /// Those in the blocks `from..=to` whose first topics are these.
    Topics { from: u64, to: u64, address: Address, topics: &'a [B256] },
}

impl Endpoints {
    pub(crate) async fn chain_id(&self) -> Result<u64, RpcError> {
        self.request::<_, U64>("eth_chainId", ()).await.map(|id| id.to())
    }

    /// The head of a block without its transactions; `None` when there is none.
    pub(crate) async fn head(&self, tag: BlockTag) -> Result<Option<Head>, RpcError> {
        self.request("eth_getBlockByNumber", (tag, false)).await
    }

    /// The newest block.
    /// Time of the newest block, Unix seconds.
    ///
    /// # Errors
    /// When the chain cannot be reached.
    pub async fn block_time(&self) -> Result<u64, RpcError> {
        Ok(self.latest().await?.timestamp.to())
    }

    pub(crate) async fn latest(&self) -> Result<Head, RpcError> {
        // Every chain has a newest block, so `null` is the address's fault.
        self.request("eth_getBlockByNumber", (BlockTag::Latest, false)).await
    }

    /// All of a block's header; `None` when there is no such block.
    pub(crate) async fn full_header(&self, tag: BlockTag) -> Result<Option<FullHeader>, RpcError> {
        self.request("eth_getBlockByNumber", (tag, false)).await
    }

    pub(crate) async fn call(&self, call: &CallRequest, at: BlockTag) -> Result<Bytes, RpcError> {
        self.request("eth_call", (call, at)).await
    }

    pub(crate) async fn estimate_gas(
        &self,
        call: &CallRequest,
        at: BlockTag,
    ) -> Result<u64, RpcError> {
        self.request::<_, U64>("eth_estimateGas", (call, at)).await.map(|gas| gas.to())
    }

    pub(crate) async fn balance(&self, account: Address) -> Result<U256, RpcError> {
        self.request("eth_getBalance", (account, BlockTag::Latest)).await
    }

    pub(crate) async fn code(&self, account: Address) -> Result<Bytes, RpcError> {
        self.request("eth_getCode", (account, BlockTag::Latest)).await
    }

    /// Number of transactions of an account, those waiting to be mined counted for
    /// [`BlockTag::Pending`].
    pub(crate) async fn nonce(&self, account: Address, at: BlockTag) -> Result<u64, RpcError> {
        self.request::<_, U64>("eth_getTransactionCount", (account, at)).await.map(|n| n.to())
    }

    pub(crate) async fn priority_fee(&self) -> Result<u128, RpcError> {
        let fee: U256 = self.request("eth_maxPriorityFeePerGas", ()).await?;
        Ok(fee.saturating_to())
    }

    pub(crate) async fn receipt(&self, hash: B256) -> Result<Option<RawReceipt>, RpcError> {
        self.request("eth_getTransactionReceipt", (hash,)).await
    }

    /// Whether the chain has heard of a transaction, mined or waiting.
    pub(crate) async fn knows_transaction(&self, hash: B256) -> Result<bool, RpcError> {
        let found: serde_json::Value = self.request("eth_getTransactionByHash", (hash,)).await?;
        Ok(!found.is_null())
    }

    /// Sends signed bytes. Also returns how many requests were made: with more than one,
    /// an earlier one may have had its effect although its answer was lost.
    pub(crate) async fn send_raw(&self, bytes: &Bytes) -> (Result<B256, RpcError>, u32) {
        self.request_counted("eth_sendRawTransaction", (bytes,)).await
    }

    pub(crate) async fn logs(&self, query: &LogQuery<'_>) -> Result<Vec<Log>, RpcError> {
        let filter = match query {
            LogQuery::Range { from, to, addresses } => json!({
                "fromBlock": BlockTag::Number(*from),
                "toBlock": BlockTag::Number(*to),
                "address": addresses,
            }),
            LogQuery::Block { hash, addresses } => {
                json!({ "blockHash": hash, "address": addresses })
            }
            LogQuery::Topics { from, to, address, topics } => json!({
                "fromBlock": BlockTag::Number(*from),
                "toBlock": BlockTag::Number(*to),
                "address": address,
                "topics": topics,
            }),
        };
        self.request("eth_getLogs", (filter,)).await
    }
}
