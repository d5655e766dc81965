//! Why a read or a write failed, and whether to try it again.

use walrus_core::{CommitteeError, EvmAddress};

use crate::{contract_error::ContractError, endpoints::RpcError};

/// Why a question to the contracts was not answered.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ReadError {
    /// The chain cannot be reached, or refused.
    #[error(transparent)]
    Rpc(RpcError),
    /// A contract refused.
    #[error(transparent)]
    Contract(ContractError),
    /// There is no contract of this network at the address: wrong deployment file, or a
    /// chain that was started afresh.
    #[error("there is no contract at {address}: is this the deployment file of this chain?")]
    NoContract {
        /// The address asked.
        address: EvmAddress,
    },
    /// The answer does not have the form the contract gives it: the deployment does not
    /// fit this version of the program, or the RPC address lies.
    #[error("the answer to {what} is not understood: {reason}")]
    Malformed {
        /// What was asked.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The committee on chain breaks its own rules.
    #[error("the committee on chain is inconsistent: {0}")]
    Committee(#[from] CommitteeError),
}

impl ReadError {
    /// Whether the same question may be answered later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Rpc(error) if error.is_retryable())
    }

    /// The contract's refusal, if it is one.
    pub fn contract_error(&self) -> Option<&ContractError> {
        match self {
            Self::Contract(error) => Some(error),
            _ => None,
        }
    }
}

impl From<RpcError> for ReadError {
    /// Separates a contract's refusal from the chain's.
    fn from(error: RpcError) -> Self {
        match error.refusal().and_then(|refusal| refusal.data.as_deref()) {
            Some(data) if data.len() >= 4 => Self::Contract(ContractError::decode(data)),
            _ => Self::Rpc(error),
        }
    }
}

/// A transaction's hash, for messages and explorers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionHash(pub [u8; 32]);

impl std::fmt::Display for TransactionHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "0x{}", hex::encode(self.0))
    }
}

impl std::fmt::Debug for TransactionHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// Why a transaction did not have its effect.
#[derive(Clone, Debug, thiserror::Error)]
pub enum WriteError {
    /// The chain cannot be reached, or refused; nothing was sent.
    #[error("{action}: {source}")]
    Rpc {
        /// What was attempted.
        action: &'static str,
        /// The failure.
        source: RpcError,
    },
    /// A contract refuses the call. Found before sending where possible.
    #[error("{action}: {error}")]
    Contract {
        /// What was attempted.
        action: &'static str,
        /// The contract's answer.
        error: Box<ContractError>,
        /// The failed transaction; `None` when nothing was sent.
        transaction: Option<TransactionHash>,
    },
    /// The account cannot pay the gas or the value.
    #[error("{action}: account {account} cannot pay for the transaction: send it ether ({reason})")]
    InsufficientFunds {
        /// What was attempted.
        action: &'static str,
        /// The account.
        account: EvmAddress,
        /// The chain's words.
        reason: String,
    },
    /// A read that the action needs failed.
    #[error("{action}: {source}")]
    Read {
        /// What was attempted.
        action: &'static str,
        /// The failure.
        source: ReadError,
    },
    /// Another program used the same account and its transaction took this one's place:
    /// this one has no effect and never will. It may be sent again.
    #[error("{action}: another transaction of the same account took the place of {transaction}")]
    Replaced {
        /// What was attempted.
        action: &'static str,
        /// The transaction without effect.
        transaction: TransactionHash,
    },
    /// Sent, but not seen in a block within the time limit. It may still take effect:
    /// look at it before doing the same again.
    #[error(
        "{action}: transaction {transaction} is not confirmed yet; check it before trying again"
    )]
    Unresolved {
        /// What was attempted.
        action: &'static str,
        /// The transaction.
        transaction: TransactionHash,
    },
    /// The transaction succeeded without the event that it must emit.
    #[error("{action}: transaction {transaction} succeeded but did not report {event}")]
    MissingEvent {
        /// What was attempted.
        action: &'static str,
        /// The transaction.
        transaction: TransactionHash,
        /// The missing event.
        event: &'static str,
    },
    /// The certificate cannot be put in the contract's form.
    #[error("{action}: {reason}")]
    Certificate {
        /// What was attempted.
        action: &'static str,
        /// What is wrong.
        reason: String,
    },
}

impl WriteError {
    /// Whether the same call may be made again without risk of doing it twice, with hope
    /// of success.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Rpc { source, .. } => source.is_retryable(),
            Self::Read { source, .. } => source.is_retryable(),
            Self::Replaced { .. } => true,
            _ => false,
        }
    }

    /// The contract's refusal, if it is one.
    pub fn contract_error(&self) -> Option<&ContractError> {
        match self {
            Self::Contract { error, .. } => Some(error),
            Self::Read { source, .. } => source.contract_error(),
            _ => None,
        }
    }
}
