//! Puts the parts of a node together, starts and stops them.

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use tokio::time::{Instant, timeout};
use walrus_chain::ReadError;
use walrus_core::NodeId;
use walrus_env::{
    AbortOnDrop, CancellationToken, DiskLock, Env, Task,
    http::{ServerConfig, serve},
};
use walrus_node_api::{
    client::NodeAddress,
    tls::{TlsError, server_config},
    wire::ServiceHealth,
};
use walrus_redstuff::{EncodingParams, ParamsError};

use crate::{
    api,
    committee::{Membership, MembershipWatch},
    config::{NodeConfig, Tls},
    events::{FollowError, Follower, Progress},
    expanded::ExpandedSlivers,
    recovery::Recovery,
    state::{NodeState, Shared},
    store::{OpenError, Store},
};

/// How long requests in progress may go on when the node is told to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// Longest wait for the background tasks to end.
const TASKS_END: Duration = Duration::from_secs(5);

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// Plain HTTP was asked for on an address that others can reach.
    #[error("without TLS a node listens on a loopback address only, not on {host}")]
    PlainNotLoopback {
        /// The address asked for.
        host: String,
    },
    /// Another process uses the folder.
    #[error("{} is in use by another process", dir.display())]
    Locked {
        /// The folder.
        dir: PathBuf,
    },
    /// The folder cannot be used.
    #[error("the folder {} cannot be used: {source}", dir.display())]
    Folder {
        /// The folder.
        dir: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The stored data cannot be used.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The position in the chain's events cannot be read.
    #[error(transparent)]
    Follow(#[from] FollowError),
    /// The chain could not be asked for network and committee.
    #[error("the chain could not be asked: {0}")]
    Chain(#[from] ReadError),
    /// The network has a number of shards that cannot be encoded for.
    #[error("the network cannot be served: {0}")]
    Params(#[from] ParamsError),
    /// The certificate could not be made.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The address cannot be listened on.
    #[error("{host}:{port} cannot be listened on: {source}")]
    Bind {
        /// The address.
        host: String,
        /// The port.
        port: u16,
        /// What the system says.
        source: io::Error,
    },
}

/// A storage node; see [`Node::start`].
#[derive(Debug)]
pub struct Node;

impl Node {
    /// Starts a node. When this returns the node answers requests, follows the chain
    /// and recovers what it lacks, until [`RunningNode::shutdown`] or until the handle
    /// is dropped.
    ///
    /// # Errors
    /// [`NodeError`].
    pub async fn start(env: Env, config: NodeConfig) -> Result<RunningNode, NodeError> {
        let lock = lock_folder(&env, &config).await?;
        let node = open(&env, &config).await?;
        let recovery = Arc::new(Recovery::new(node.clone(), config.tls));
        let follower = Follower::new(
            node.clone(),
            recovery.clone(),
            config.chain.clone(),
            config.confirmations,
            config.poll_interval,
        );
        let follower = follower.await?;
        let (address, server) = serve_api(&env, &config, &node).await?;

        let stop = CancellationToken::new();
        let shutdown = stop.clone();
        let serving = env.spawn("api", server.run(env.clone(), shutdown));
        let following = {
            let node = node.clone();
            let mut follower = follower;
            env.spawn("follow chain", async move {
                if let Err(error) = follower.run().await {
                    tracing::error!(%error, "the chain cannot be followed any more");
                    node.store.database().broken().cancel();
                }
            })
        };
        let recovering = {
            let recovery = recovery.clone();
            env.spawn("recovery", async move { recovery.run().await })
        };
        let background = [following, recovering].map(Task::abort_on_drop);
        let serving = Serving(Some(serving));
        Ok(RunningNode { env, node, recovery, address, stop, serving, background, lock })
    }
}

async fn lock_folder(env: &Env, config: &NodeConfig) -> Result<Box<dyn DiskLock>, NodeError> {
    let dir = &config.dir;
    let refuse = |source| NodeError::Folder { dir: dir.clone(), source };
    if config.tls == Tls::PlainLoopbackOnly && !is_loopback(&config.bind_host) {
        return Err(NodeError::PlainNotLoopback { host: config.bind_host.clone() });
    }
    env.disk.create_dir_all(dir).await.map_err(refuse)?;
    env.disk.lock(&dir.join("LOCK")).await.map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => NodeError::Locked { dir: dir.clone() },
        _ => refuse(error),
    })
}

fn is_loopback(host: &str) -> bool {
    NodeAddress { host: host.to_owned(), port: 0 }.is_loopback()
}

/// Opens the data and reads the present committee.
async fn open(env: &Env, config: &NodeConfig) -> Result<Shared, NodeError> {
    let chain = &config.chain;
    let snapshot = chain.snapshot().await?;
    let params = EncodingParams::new(snapshot.view.parameters.n_shards)?;
    let identity = format!("node {} of network {}", config.node_id, chain.domain());
    let store = Store::open(env.clone(), &config.dir, params, &identity).await?;
    let epoch = snapshot.view.epoch.epoch;
    let membership = Membership::new(config.node_id, epoch, snapshot.committee);
    Ok(Arc::new(NodeState {
        env: env.clone(),
        params,
        node_id: config.node_id,
        store,
        membership: MembershipWatch::new(membership),
        context: chain.deployment().signing_context(),
        protocol_key: config.protocol_key.clone(),
        progress: Progress::default(),
        expanded: ExpandedSlivers::default(),
        started: Instant::now(),
    }))
}

/// A bound server that does not run yet.
struct Server {
    listener: Box<dyn walrus_env::Listener>,
    router: axum::Router,
    config: ServerConfig,
}

impl Server {
    async fn run(self, env: Env, stop: CancellationToken) {
        serve(env, self.listener, self.router, self.config, stop).await;
    }
}

async fn serve_api(
    env: &Env,
    config: &NodeConfig,
    node: &Shared,
) -> Result<(String, Server), NodeError> {
    let tls = match config.tls {
        Tls::PlainLoopbackOnly => None,
        Tls::Enabled => {
            let public = NodeAddress::try_from(&config.public_address);
            let host = public.map_or_else(|_| config.bind_host.clone(), |address| address.host);
            Some(server_config(env, &config.network_key, &host)?)
        }
    };
    let (host, port) = (config.bind_host.clone(), config.bind_port);
    let listener = env.net.bind(&host, port).await;
    let listener = listener.map_err(|source| NodeError::Bind { host, port, source })?;
    let address = listener.local_address();
    let config = ServerConfig { tls, drain: DRAIN, ..ServerConfig::default() };
    Ok((address, Server { listener, router: api::router(node.clone()), config }))
}

/// The server's task: waited for in a shutdown, aborted when dropped before.
struct Serving(Option<Task>);

impl Serving {
    async fn ended(mut self) {
        if let Some(task) = self.0.take() {
            task.await;
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

/// A node at work. Dropping the handle stops it at once, as a crash would; nothing
/// acknowledged is lost by that.
pub struct RunningNode {
    env: Env,
    node: Shared,
    recovery: Arc<Recovery>,
    address: String,
    stop: CancellationToken,
    serving: Serving,
    background: [AbortOnDrop; 2],
    lock: Box<dyn DiskLock>,
}

impl RunningNode {
    /// Where the node listens, as `host:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Which node this is.
    pub fn node_id(&self) -> NodeId {
        self.node.node_id
    }

    /// The node's account of itself, as its health route gives it.
    pub fn status(&self) -> ServiceHealth {
        self.node.health(false)
    }

    /// How many blobs wait for recovery.
    pub fn recovery_backlog(&self) -> usize {
        self.recovery.waiting()
    }

    /// Resolves when the node cannot go on, because its database failed: shut it down
    /// and start it again.
    pub async fn failed(&self) {
        self.node.store.database().broken().cancelled().await;
    }

    /// Stops taking requests, lets those in progress finish for a while, then stops
    /// everything and closes the files.
    pub async fn shutdown(self) {
        let Self { env, node, recovery, address: _, stop, serving, background, lock } = self;
        stop.cancel();
        let _ = timeout(DRAIN + TASKS_END, serving.ended()).await;
        drop(background);
        drop(recovery);
        // The tasks let go of the data at their next step.
        let closing = async {
            while Arc::strong_count(&node) > 1 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let _ = timeout(TASKS_END, closing).await;
        if let Some(state) = Arc::into_inner(node) {
            state.store.close().await;
        }
        drop((env, lock));
    }
}

impl std::fmt::Debug for RunningNode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RunningNode({} at {})", self.node.node_id, self.address)
    }
}
