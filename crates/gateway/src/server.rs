//! Starting and stopping a gateway.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use walrus_chain::ChainWriter;
use walrus_env::http::{ServerConfig, serve};
use walrus_env::{CancellationToken, Env, Task, split_host_port};
use walrus_sdk::Client;

use crate::config::GatewayConfig;
use crate::router::router;
use crate::state::State;

/// How long running requests may go on after the stop signal.
const DRAIN: Duration = Duration::from_secs(10);
/// Longest wait for the head of a request, on a connection that is idle too.
const HEAD_TIME: Duration = Duration::from_secs(15);
/// Requests at once on one HTTP/2 connection.
const STREAMS: u32 = 32;

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is not `host:port`.
    #[error("`{0}` is not host:port")]
    Address(String),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// A publisher must pay.
    #[error("a publisher needs at least one wallet")]
    NoWallet,
}

/// A gateway at work. Dropping the handle ends it within moments.
#[derive(Debug)]
pub struct RunningGateway {
    address: String,
    stop: CancellationToken,
    serving: Option<Task>,
}

impl Drop for RunningGateway {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Starts a gateway. `wallets` pay for what the publisher stores, each for one store at a
/// time.
///
/// # Errors
/// See [`StartError`].
pub async fn start(
    env: &Env,
    client: Client,
    wallets: Vec<ChainWriter>,
    config: GatewayConfig,
) -> Result<RunningGateway, StartError> {
    if config.roles.publisher && wallets.is_empty() {
        return Err(StartError::NoWallet);
    }
    let bind = config.bind.clone();
    let (host, port) = split_host_port(&bind).ok_or_else(|| StartError::Address(bind.clone()))?;
    let mut config = config;
    if !matches!(host, "127.0.0.1" | "::1" | "localhost") {
        config.development_key = None;
    }
    let listener = env.net.bind(host, port).await;
    let listener =
        listener.map_err(|source| StartError::Bind { address: config.bind.clone(), source })?;
    let address = listener.local_address();
    let server = ServerConfig {
        max_connections: config.limits.max_connections,
        max_streams_per_connection: STREAMS,
        handshake_timeout: HEAD_TIME,
        drain: DRAIN,
        ..ServerConfig::default()
    };
    let rpc = Semaphore::new(config.limits.max_rpc_requests);
    let state = Arc::new(State { client, wallets, config, rpc });
    let stop = CancellationToken::new();
    let serving = serve(env.clone(), listener, router(state), server, stop.clone());
    let serving = Some(env.spawn("gateway", serving));
    Ok(RunningGateway { address, stop, serving })
}

impl RunningGateway {
    /// Where it listens, as `host:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Takes no more requests, and lets those in progress finish for a while.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        if let Some(serving) = self.serving.take() {
            serving.await;
        }
    }
}
