//! What all handlers work with.

use std::sync::Arc;

use tokio::sync::Semaphore;
use walrus_env::Env;
use walrus_sdk::Client;

use crate::aggregator::{Library, Manifests, Patches};
use crate::auth::Tokens;
use crate::config::GatewayConfig;
use crate::metrics::Metrics;
use crate::spool::Spool;
use crate::uploads::Uploads;
use crate::wallets::Wallets;

/// Times all nodes are asked something at once.
pub(crate) const SURVEYS: usize = 4;

/// The state of a running gateway.
pub(crate) struct State {
    pub(crate) env: Env,
    pub(crate) client: Client,
    pub(crate) config: GatewayConfig,
    pub(crate) wallets: Wallets,
    pub(crate) tokens: Tokens,
    pub(crate) spool: Arc<Spool>,
    pub(crate) library: Arc<Library>,
    pub(crate) manifests: Manifests,
    pub(crate) uploads: Uploads,
    pub(crate) metrics: Arc<Metrics>,
    /// Questions to the chain in progress.
    pub(crate) rpc: Semaphore,
    /// Questions to all nodes in progress.
    pub(crate) surveys: Semaphore,
    /// Files of quilts in memory.
    pub(crate) patches: Patches,
    /// Files of quilts that are being read.
    pub(crate) patch_reads: Semaphore,
    /// Uploads that are being watched.
    pub(crate) watchers: Arc<Semaphore>,
}

/// Shared by all handlers.
pub(crate) type Shared = Arc<State>;
