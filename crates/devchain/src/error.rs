//! Errors of the handle, of the core, and of JSON-RPC.

use alloy::primitives::Bytes;
use serde_json::{Value, json};

/// Why a development chain could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DevChainError {
    /// The directory is in use by another chain: stop that one, or choose another directory.
    #[error("the chain directory {path} is in use by another process")]
    Locked {
        /// The directory.
        path: String,
    },
    /// The directory or its database file cannot be used.
    #[error("cannot use the chain directory {path}")]
    Directory {
        /// The directory.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The address cannot be listened on: choose another port.
    #[error("cannot listen on {address}")]
    Listen {
        /// `host:port` asked for.
        address: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The core refused.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// Why the core could not open, mine or take back blocks.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// The stored chain has another chain id: choose another directory or the stored id.
    #[error("the stored chain has id {stored}, not {asked}")]
    OtherChain {
        /// Id on disk.
        stored: u64,
        /// Id asked for.
        asked: u64,
    },
    /// Reading or writing the database failed; nothing was answered that is not stored.
    #[error("the chain database failed: {0}")]
    Database(String),
    /// The stored bytes do not read as what was written.
    #[error("the chain database is corrupt: {0}")]
    Corrupt(&'static str),
    /// An earlier write failed, so memory and disk may differ: restart the chain.
    #[error("the chain stopped after a failed write; restart it")]
    Stopped,
    /// Fewer blocks can be taken back than asked for.
    #[error("cannot go back {depth} blocks: at most {available} can be taken back")]
    TooDeep {
        /// Blocks asked for.
        depth: u64,
        /// Blocks for which the previous state is known.
        available: u64,
    },
    /// A block must be later than its parent.
    #[error("timestamp {asked} is not after the latest block's {latest}")]
    TimestampTooEarly {
        /// Timestamp asked for.
        asked: u64,
        /// Timestamp of the head.
        latest: u64,
    },
    /// The handle was shut down.
    #[error("the chain was shut down")]
    ShutDown,
}

impl<E: Into<redb::Error>> From<E> for ChainError {
    fn from(error: E) -> Self {
        Self::Database(error.into().to_string())
    }
}

/// A JSON-RPC error object.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message} (code {code})")]
pub struct RpcError {
    /// -32700..-32600 as in JSON-RPC 2.0; -32000 and -32005 as Ethereum nodes use
    /// them; 3 for a revert, whose output is in `data`.
    pub code: i64,
    /// For people.
    pub message: String,
    /// The revert output as a hex string, for code 3.
    pub data: Option<Value>,
}

impl RpcError {
    /// -32600.
    pub(crate) fn invalid_request(message: impl Into<String>) -> Self {
        Self { code: -32600, message: message.into(), data: None }
    }

    /// -32601.
    pub(crate) fn unknown_method(method: &str) -> Self {
        let message = format!("the method {method} does not exist/is not available");
        Self { code: -32601, message, data: None }
    }

    /// -32602.
    pub(crate) fn invalid_params(message: impl Into<String>) -> Self {
        Self { code: -32602, message: message.into(), data: None }
    }

    /// -32000: understood and refused.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self { code: -32000, message: message.into(), data: None }
    }

    /// -32005: more than this chain answers at once.
    pub(crate) fn limit(message: impl Into<String>) -> Self {
        Self { code: -32005, message: message.into(), data: None }
    }

    /// Code 3, with the output that the contract reverted with.
    pub(crate) fn reverted(output: &Bytes) -> Self {
        let reason = alloy::sol_types::decode_revert_reason(output);
        let message = match reason {
            Some(reason) => format!("execution reverted: {reason}"),
            None => "execution reverted".to_owned(),
        };
        Self { code: 3, message, data: Some(json!(output)) }
    }

    /// The error object.
    pub(crate) fn to_json(&self) -> Value {
        let mut object = json!({ "code": self.code, "message": self.message });
        if let Some(data) = &self.data {
            object["data"] = data.clone();
        }
        object
    }
}

impl From<ChainError> for RpcError {
    fn from(error: ChainError) -> Self {
        let code = match error {
            ChainError::TooDeep { .. } | ChainError::TimestampTooEarly { .. } => -32602,
            _ => -32603,
        };
        Self { code, message: error.to_string(), data: None }
    }
}
