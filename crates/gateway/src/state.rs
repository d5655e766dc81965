//! What all handlers work with.

use std::sync::Arc;

use tokio::sync::Semaphore;
use walrus_chain::ChainWriter;
use walrus_sdk::Client;

use crate::config::GatewayConfig;

/// The state of a running gateway.
pub(crate) struct State {
    pub(crate) client: Client,
    pub(crate) wallets: Vec<ChainWriter>,
    pub(crate) config: GatewayConfig,
    /// Questions to the chain in progress.
    pub(crate) rpc: Semaphore,
}

/// Shared by all handlers.
pub(crate) type Shared = Arc<State>;
