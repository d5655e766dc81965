//! Runs an embedded EVM development chain behind JSON-RPC.
//!
//! One honest block producer at Prague rules, for tests, demos and local
//! networks; nothing here is consensus, and its keys are public.
//!
//! ```no_run
//! # async fn example(env: walrus_env::Env) -> Result<(), walrus_devchain::DevChainError> {
//! use walrus_devchain::{DevChain, DevChainConfig};
//!
//! let chain = DevChain::start(&env, DevChainConfig::default()).await?;
//! let endpoint = chain.endpoint(); // "http://127.0.0.1:<port>", for any Ethereum client
//! let payer = &chain.accounts()[0]; // 10,000 ether
//! chain.mine(3).await?;
//! chain.shutdown().await;
//! # Ok(()) }
//! ```
//!
//! Reading order: [`DevChain`] (the handle and its tasks), `server` (HTTP and
//! JSON-RPC framing), [`Chain`] (the synchronous core, which owns all state).
//!
//! # What holds
//!
//! - **Mined means durable.** With a directory, a block is on disk before any
//!   answer shows it. Transactions that wait for a block are not kept.
//! - **Same seed, same calls, same blocks.** The core has no clock, no thread
//!   and no randomness of its own.
//! - **Real hashes.** A block hash is the Keccak-256 of the RLP of its 21 header
//!   fields; transactions root, receipts root and bloom are those of the block.
//!   The *state root* is a running commitment instead of a Merkle-Patricia root
//!   (see [`Chain`]), so there is no `eth_getProof`.
//! - **Final at once.** `safe` and `finalized` name the latest block. Only the
//!   development methods (reorg, revert) take a block back.
//! - **No history of states.** Balances, code, storage and calls are answered at
//!   the head only; any other block is refused with a clear error.
//!
//! # JSON-RPC methods beyond the standard ones
//!
//! | method | parameters | effect |
//! | --- | --- | --- |
//! | `evm_mine` | `[timestamp?]` | mines one block |
//! | `anvil_mine`, `hardhat_mine` | `[count?, secondsBetween?]` | mines blocks |
//! | `evm_increaseTime` | `[seconds]` | moves the clock; answers the total offset |
//! | `evm_setNextBlockTimestamp` | `[timestamp]` | the next block has it, later ones follow on |
//! | `evm_snapshot`, `evm_revert` | `[]`, `[id]` | marks a block, returns to it |
//! | `walrus_reorg` | `[depth, keepTransactions = true]` | replaces the last blocks by as many others |

mod accounts;
mod chain;
mod config;
mod devchain;
mod error;
mod server;

pub use accounts::DevAccount;
pub use alloy::primitives::{Address, B256, U256};
pub use chain::{Chain, ChainConfig};
pub use config::DevChainConfig;
pub use devchain::DevChain;
pub use error::{ChainError, DevChainError, RpcError};
