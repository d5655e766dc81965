//! The handle: starts the tasks around the core and ends them with its scope.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::sync::watch;
use walrus_env::{
    CancellationToken, DiskLock, Env, Task,
    http::{ServerConfig, serve},
};

use crate::{
    Chain, ChainConfig, ChainError, DevAccount, DevChainConfig, DevChainError,
    accounts::{DEV_BALANCE, dev_accounts},
    server,
};

/// What a simulation lets a call of the core take.
const CALL_COST: Duration = Duration::from_micros(200);

/// The database's name in the directory, and its name while it is made.
const DATABASE: &str = "chain.redb";
const NEW_DATABASE: &str = "chain.redb.new";

/// A running development chain; ends when dropped.
///
/// Its methods work without the network: a test can mine or reorganise while
/// the chain's clients are cut off.
#[derive(Debug)]
pub struct DevChain {
    shared: Arc<Shared>,
    address: String,
    chain_id: u64,
    accounts: Vec<DevAccount>,
    shutdown: CancellationToken,
    tasks: Vec<Task>,
}

impl DevChain {
    /// Opens or creates the chain and listens.
    ///
    /// # Errors
    /// If the directory, the stored chain or the address cannot be used.
    pub async fn start(env: &Env, config: DevChainConfig) -> Result<Self, DevChainError> {
        let address = format!("{}:{}", config.host, config.port);
        let listener = env
            .net
            .bind(&config.host, config.port)
            .await
            .map_err(|source| DevChainError::Listen { address, source })?;
        let address = listener.local_address();

        let accounts = dev_accounts();
        let core = core_config(env, &config, &accounts);
        let opened = match &config.dir {
            Some(dir) => open_directory(env, dir, core).await?,
            None => Open { chain: Chain::open(core, None)?, _lock: None },
        };
        let shared = Arc::new(Shared {
            env: env.clone(),
            head: watch::Sender::new(opened.chain.head_number()),
            open: Mutex::new(Some(opened)),
        });

        let shutdown = CancellationToken::new();
        let router = server::router(shared.clone());
        let server = ServerConfig { drain: Duration::from_secs(1), ..ServerConfig::default() };
        let mut tasks = vec![env.spawn(
            "devchain server",
            serve(env.clone(), listener, router, server, shutdown.clone()),
        )];
        if let Some(interval) = config.block_interval {
            let miner = mine_at_interval(shared.clone(), interval, shutdown.clone());
            tasks.push(env.spawn("devchain miner", miner));
        } else if let Some(interval) = config.empty_block_interval {
            let miner = mine_when_quiet(shared.clone(), interval, shutdown.clone());
            tasks.push(env.spawn("devchain miner", miner));
        }
        Ok(Self { shared, address, chain_id: config.chain_id, accounts, shutdown, tasks })
    }

    /// The JSON-RPC address, `http://host:port`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The chain id.
    pub fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// The ten development accounts.
    pub fn accounts(&self) -> &[DevAccount] {
        &self.accounts
    }

    /// The number of the latest block.
    pub fn head_number(&self) -> u64 {
        *self.shared.head.borrow()
    }

    /// Mines `count` blocks, the first with as many waiting transactions as fit.
    ///
    /// # Errors
    /// If a block cannot be stored.
    pub async fn mine(&self, count: u64) -> Result<(), ChainError> {
        self.shared
            .call(move |chain, now| (0..count).try_for_each(|_| chain.mine(now).map(|_| ())))
            .await?
    }

    /// Moves the chain's clock forward and mines a block there.
    ///
    /// # Errors
    /// If the block cannot be stored.
    pub async fn advance_time(&self, seconds: u64) -> Result<(), ChainError> {
        self.shared
            .call(move |chain, now| {
                chain.increase_time(seconds);
                chain.mine(now).map(|_| ())
            })
            .await?
    }

    /// Replaces the last `depth` blocks by `depth` others with other hashes; the
    /// dropped transactions are mined again, all in the first replacement that
    /// has room for them.
    ///
    /// # Errors
    /// [`ChainError::TooDeep`] beyond block 1 or the last 256 blocks.
    pub async fn reorg(&self, depth: u64) -> Result<(), ChainError> {
        self.shared.call(move |chain, now| chain.reorg(now, depth, true)).await?
    }

    /// As [`DevChain::reorg`], but the dropped transactions stay out and are forgotten.
    ///
    /// # Errors
    /// As [`DevChain::reorg`].
    pub async fn reorg_without_transactions(&self, depth: u64) -> Result<(), ChainError> {
        self.shared.call(move |chain, now| chain.reorg(now, depth, false)).await?
    }

    /// Stops listening, lets running requests end, and closes the database.
    pub async fn shutdown(mut self) {
        self.shutdown.cancel();
        for task in std::mem::take(&mut self.tasks) {
            task.await;
        }
        let shared = self.shared.clone();
        let close = move || drop(shared.take());
        self.shared.env.compute(CALL_COST, close).await;
    }
}

impl Drop for DevChain {
    fn drop(&mut self) {
        self.shutdown.cancel();
        // Idle connections may outlive the handle; the database and its lock must not.
        drop(self.shared.take());
    }
}

/// The core, shared between the server, the miner and the handle.
pub(crate) struct Shared {
    env: Env,
    open: Mutex<Option<Open>>,
    head: watch::Sender<u64>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

/// The core, and what guards its directory; fields drop in this order.
struct Open {
    chain: Chain,
    _lock: Option<Box<dyn DiskLock>>,
}

impl Shared {
    /// Runs `call` on the core with the clock's Unix seconds.
    pub(crate) async fn call<T, F>(self: &Arc<Self>, call: F) -> Result<T, ChainError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Chain, u64) -> T + Send + 'static,
    {
        let shared = self.clone();
        let work = move || {
            let Ok(mut open) = shared.open.lock() else {
                return Err(ChainError::Stopped); // a call panicked halfway
            };
            let chain = &mut open.as_mut().ok_or(ChainError::ShutDown)?.chain;
            let result = call(chain, shared.env.clock.unix().as_secs());
            let number = chain.head_number();
            shared.head.send_if_modified(|head| std::mem::replace(head, number) != number);
            Ok(result)
        };
        self.env.compute(CALL_COST, work).await
    }

    fn take(&self) -> Option<Open> {
        match self.open.lock() {
            Ok(mut open) => open.take(),
            Err(poisoned) => poisoned.into_inner().take(),
        }
    }
}

/// Opens the chain in a directory. A new one is made under another name first:
/// a database that a power cut left half made would not open again.
async fn open_directory(env: &Env, dir: &Path, core: ChainConfig) -> Result<Open, DevChainError> {
    let path = dir.display().to_string();
    let failed = |source| DevChainError::Directory { path: path.clone(), source };
    env.disk.create_dir_all(dir).await.map_err(failed)?;
    let lock = match env.disk.lock(&dir.join("lock")).await {
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            return Err(DevChainError::Locked { path });
        }
        other => other.map_err(failed)?,
    };
    let names = env.disk.list(dir).await.map_err(failed)?;
    if !names.iter().any(|entry| entry.name == DATABASE) {
        if names.iter().any(|entry| entry.name == NEW_DATABASE) {
            env.disk.remove_file(&dir.join(NEW_DATABASE)).await.map_err(failed)?;
        }
        drop(open_chain(env, dir.join(NEW_DATABASE), core.clone()).await?);
        let (from, to) = (dir.join(NEW_DATABASE), dir.join(DATABASE));
        env.disk.rename(&from, &to).await.map_err(failed)?;
        env.disk.sync_dir(dir).await.map_err(failed)?;
    }
    let chain = open_chain(env, dir.join(DATABASE), core).await?;
    Ok(Open { chain, _lock: Some(lock) })
}

async fn open_chain(env: &Env, path: PathBuf, core: ChainConfig) -> Result<Chain, DevChainError> {
    let disk = env.disk.clone();
    let open = move || {
        let file = disk.open_blocking(&path).map_err(|source| DevChainError::Directory {
            path: path.display().to_string(),
            source,
        })?;
        Ok(Chain::open(core, Some(file))?)
    };
    env.compute(CALL_COST, open).await
}

fn core_config(env: &Env, config: &DevChainConfig, accounts: &[DevAccount]) -> ChainConfig {
    let funded = accounts.iter().map(|account| (account.address, DEV_BALANCE));
    ChainConfig {
        chain_id: config.chain_id,
        gas_limit: config.gas_limit,
        mine_on_transaction: config.mine_on_transaction,
        seed: config.seed,
        genesis_time: config.genesis_time.unwrap_or_else(|| env.clock.unix().as_secs()),
        accounts: funded.chain(config.accounts.iter().copied()).collect(),
    }
}

async fn mine_at_interval(shared: Arc<Shared>, interval: Duration, shutdown: CancellationToken) {
    loop {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(interval) => {}
        }
        if !mine_one(&shared).await {
            return;
        }
    }
}

async fn mine_when_quiet(shared: Arc<Shared>, interval: Duration, shutdown: CancellationToken) {
    let mut head = shared.head.subscribe();
    loop {
        head.mark_unchanged();
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            _ = head.changed() => continue,
            () = tokio::time::sleep(interval) => {}
        }
        if !mine_one(&shared).await {
            return;
        }
    }
}

/// Mines a block; whether the chain is still there.
async fn mine_one(shared: &Arc<Shared>) -> bool {
    match shared.call(|chain, now| chain.mine(now).map(|_| ())).await.flatten() {
        Ok(()) => true,
        Err(ChainError::ShutDown) => false,
        Err(error) => {
            tracing::error!(%error, "mining failed");
            false
        }
    }
}
