//! Puts the parts of a node together, starts and stops them.

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep, timeout};
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
    checkers::Checkers,
    committee::{Membership, MembershipWatch},
    config::{NodeConfig, Tls},
    events::{FollowError, Follower, Progress},
    expanded::ExpandedSlivers,
    keys::ProtocolKeys,
    recovery::Recovery,
    scope::Scope,
    state::{NodeState, Shared},
    store::{OpenError, Store},
};

/// How long requests in progress may go on when the node is told to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// Longest wait for the background tasks to end.
const TASKS_END: Duration = Duration::from_secs(5);

/// Longest wait for the folder's lock, and the pause between attempts.
const LOCK_WAIT: Duration = Duration::from_secs(1);
const LOCK_RETRY: Duration = Duration::from_millis(50);

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
        let (scope, env) = Scope::new(&env, lock);
        // Ends what was started if anything below fails.
        let scope = Ending(scope);
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
        let serving = env.spawn("api", server.run(env.clone(), stop.clone()));
        let background = [
            env.spawn("follow chain", follow(node.clone(), follower)),
            env.spawn("recovery", recover(recovery.clone())),
        ];
        let background = background.map(Task::abort_on_drop);
        Ok(RunningNode { node, recovery, address, stop, serving, background, scope })
    }
}

async fn follow(node: Shared, mut follower: Follower) {
    if let Err(error) = follower.run().await {
        tracing::error!(%error, "the chain cannot be followed any more");
        node.store.database().broken().cancel();
    }
}

async fn recover(recovery: Arc<Recovery>) {
    recovery.run().await;
}

async fn lock_folder(env: &Env, config: &NodeConfig) -> Result<Box<dyn DiskLock>, NodeError> {
    let dir = &config.dir;
    let refuse = |source| NodeError::Folder { dir: dir.clone(), source };
    if config.tls == Tls::PlainLoopbackOnly && !is_loopback(&config.bind_host) {
        return Err(NodeError::PlainNotLoopback { host: config.bind_host.clone() });
    }
    env.disk.create_dir_all(dir).await.map_err(refuse)?;
    // The predecessor may be about to let go.
    let deadline = Instant::now() + LOCK_WAIT;
    loop {
        match env.disk.lock(&dir.join("LOCK")).await {
            Ok(lock) => return Ok(lock),
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(refuse(error)),
            Err(_) if Instant::now() >= deadline => {
                return Err(NodeError::Locked { dir: dir.clone() });
            }
            Err(_) => sleep(LOCK_RETRY).await,
        }
    }
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
        protocol_keys: ProtocolKeys::new(config.protocol_key.clone()),
        progress: Progress::default(),
        checkers: Checkers::default(),
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

/// Ends the node's tasks when dropped.
struct Ending(Arc<Scope>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// A node at work. Dropping the handle stops it as a crash would, within moments;
/// nothing acknowledged is lost by that. To use its folder again in the same process,
/// [`Self::shutdown`] it.
pub struct RunningNode {
    node: Shared,
    recovery: Arc<Recovery>,
    address: String,
    stop: CancellationToken,
    serving: Task,
    background: [AbortOnDrop; 2],
    scope: Ending,
}

impl RunningNode {
    /// The signing keys, to add one to during a rotation.
    pub fn protocol_keys(&self) -> &ProtocolKeys {
        &self.node.protocol_keys
    }

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
        let Self { node, recovery, address: _, stop, serving, background, scope } = self;
        stop.cancel();
        let _ = timeout(DRAIN + TASKS_END, serving).await;
        drop((background, recovery));
        // Writes under way are let finish; connections that will not end are ended.
        let _ = timeout(TASKS_END, scope.0.idle()).await;
        scope.0.end();
        let _ = timeout(TASKS_END, scope.0.idle()).await;
        if let Some(state) = Arc::into_inner(node) {
            state.store.close().await;
        }
    }
}

impl std::fmt::Debug for RunningNode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RunningNode({} at {})", self.node.node_id, self.address)
    }
}
