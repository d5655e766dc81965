//! Starting and stopping a gateway.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use walrus_chain::ChainWriter;
use walrus_env::http::{ServerConfig, serve};
use walrus_env::{CancellationToken, DiskLock, Env, Listener, Task, split_host_port};
use walrus_sdk::Client;

use crate::aggregator::{Cache, Library, Manifests, Patches};
use crate::auth::{TokenConfigError, Tokens, TokensError};
use crate::config::GatewayConfig;
use crate::metrics::Metrics;
use crate::router::{metrics_router, router};
use crate::spool::Spool;
use crate::state::{SURVEYS, State};
use crate::uploads::Uploads;
use crate::wallets::Wallets;

/// How long running requests may go on after the stop signal.
const DRAIN: Duration = Duration::from_secs(10);
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
    /// The directory cannot be used.
    #[error("cannot use {}: {source}", directory.display())]
    Directory {
        /// The directory.
        directory: PathBuf,
        /// What the system said; `WouldBlock` if another gateway uses it.
        source: io::Error,
    },
    /// The settings for tokens.
    #[error(transparent)]
    Tokens(#[from] TokenConfigError),
    /// A publisher must pay.
    #[error("a publisher needs at least one wallet")]
    NoWallet,
}

/// A gateway at work. Dropping the handle ends it within moments.
pub struct RunningGateway {
    address: String,
    metrics_address: Option<String>,
    stop: CancellationToken,
    serving: Vec<Task>,
    _lock: Box<dyn DiskLock>,
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
    mut config: GatewayConfig,
) -> Result<RunningGateway, StartError> {
    if config.roles.publisher && wallets.is_empty() {
        return Err(StartError::NoWallet);
    }
    let is_loopback = split_host_port(&config.bind)
        .is_some_and(|(host, _)| matches!(host, "127.0.0.1" | "::1" | "localhost"));
    if !is_loopback {
        config.development_key = None;
    }
    let listener = bind(env, &config.bind).await?;
    let metrics_listener = match &config.metrics_bind {
        Some(address) => Some(bind(env, address).await?),
        None => None,
    };
    let (lock, cache, spool) = open(env, &config).await?;
    let tokens = Tokens::open(env, config.tokens.clone(), &config.directory).await;
    let tokens = tokens.map_err(|error| match error {
        TokensError::Config(error) => StartError::Tokens(error),
        TokensError::Used(source) => {
            StartError::Directory { directory: config.directory.clone(), source }
        }
    })?;
    let (address, limits) = (listener.local_address(), config.limits.clone());
    let metrics = Arc::new(Metrics::default());
    let library = Library::new(env, &client, &limits, spool.clone(), cache, metrics.clone());
    let manifests = Manifests::new(env, &client, &library, limits.site_age);
    let state = Arc::new(State {
        env: env.clone(),
        client,
        config,
        wallets: Wallets::new(wallets),
        tokens,
        spool,
        library,
        manifests,
        uploads: Uploads::default(),
        metrics,
        rpc: Semaphore::new(limits.max_rpc_requests),
        surveys: Semaphore::new(SURVEYS),
        patches: Patches::new(limits.patch_cache_bytes),
        patch_reads: Semaphore::new(limits.max_patch_reads),
        watchers: Arc::new(Semaphore::new(limits.max_watchers)),
    });
    let server = ServerConfig {
        max_connections: limits.max_connections,
        max_streams_per_connection: STREAMS,
        handshake_timeout: limits.head_time,
        stall_timeout: limits.body_time,
        drain: DRAIN,
        ..ServerConfig::default()
    };
    let stop = CancellationToken::new();
    let serve = |listener, router| {
        let serving = serve(env.clone(), listener, router, server.clone(), stop.clone());
        env.spawn("gateway", serving)
    };
    let mut serving = vec![serve(listener, router(state.clone()))];
    let mut metrics_address = None;
    if let Some(listener) = metrics_listener {
        metrics_address = Some(listener.local_address());
        serving.push(serve(listener, metrics_router(state)));
    }
    Ok(RunningGateway { address, metrics_address, stop, serving, _lock: lock })
}

async fn bind(env: &Env, address: &str) -> Result<Box<dyn Listener>, StartError> {
    let (host, port) =
        split_host_port(address).ok_or_else(|| StartError::Address(address.to_owned()))?;
    let refused = |source| StartError::Bind { address: address.to_owned(), source };
    env.net.bind(host, port).await.map_err(refused)
}

/// The gateway's directory: its lock, the cache, and the place for what is on its way.
async fn open(
    env: &Env,
    config: &GatewayConfig,
) -> Result<(Box<dyn DiskLock>, Cache, Arc<Spool>), StartError> {
    let (directory, limits) = (&config.directory, &config.limits);
    let spool = directory.join("spool");
    let opened = async {
        env.disk.create_dir_all(&spool).await?;
        let lock = env.disk.lock(&directory.join("lock")).await?;
        let cache = Cache::open(env, directory.join("cache"), limits.cache_bytes).await?;
        Ok((lock, cache, Arc::new(Spool::new(env, spool, limits.spool_bytes))))
    };
    let unusable = |source| StartError::Directory { directory: directory.clone(), source };
    opened.await.map_err(unusable)
}

impl RunningGateway {
    /// Where it listens, as `host:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Where its figures are, if anywhere, as `host:port`.
    pub fn metrics_address(&self) -> Option<&str> {
        self.metrics_address.as_deref()
    }

    /// Takes no more requests, and lets those in progress finish for a while.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        for serving in self.serving.drain(..) {
            serving.await;
        }
    }
}

impl std::fmt::Debug for RunningGateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RunningGateway(at {})", self.address)
    }
}
