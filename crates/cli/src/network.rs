//! A whole network in this process: an embedded chain and storage nodes, speaking
//! to each other over real sockets. `walrus demo` and `walrus local` run on it.
//!
//! ```text
//! DIR/network.json     its shape; written last, so that its presence means complete
//! DIR/chain/           the chain
//! DIR/deployment.json  where the contracts are
//! DIR/walrus.toml      configuration for clients
//! DIR/wallet.json      the client's key, with DIR/password.txt
//! DIR/node-0/ …        one directory for each node, as `walrus node setup` makes them
//! ```

mod genesis;
mod node;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use walrus_chain::{ChainClient, ChainWriter, SendConfig, Wallet};
use walrus_devchain::DevChain;
use walrus_env::{AbortOnDrop, Env};
use walrus_gateway::{GatewayConfig, RunningGateway, StartError};

use self::genesis::{create, prepare, start_chain};
pub use self::node::{LocalNode, Setup, registration, set_up_node, start_node};
use crate::{
    args::Global,
    client,
    commands::gateway::DEFAULT_PORT,
    config::{Config, Context},
    crank,
    failure::Failure,
    node_file::write_file,
    session,
};

/// WAL the client gets.
const CLIENT_WAL: u64 = 1_000_000;
/// The chain's accounts that a gateway pays from.
const PUBLISHERS: std::ops::Range<usize> = 3..6;
/// FROST in a WAL.
const FROST: u64 = 1_000_000_000;
/// Seconds of an epoch.
pub const EPOCH_SECONDS: u32 = 24 * 3600;

/// The shape of a network.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Shape {
    /// Number of nodes.
    pub nodes: u16,
    /// Number of shards.
    pub shards: u16,
    /// Seconds of an epoch.
    #[serde(default = "epoch_seconds_default")]
    pub epoch_seconds: u32,
}

fn epoch_seconds_default() -> u32 {
    EPOCH_SECONDS
}

/// A running network.
pub struct LocalNetwork {
    /// Its chain.
    pub chain: DevChain,
    /// Its nodes; `None` where one was stopped.
    pub nodes: Vec<Option<LocalNode>>,
    /// A client of its contracts.
    pub client: ChainClient,
    dir: PathBuf,
    _crank: AbortOnDrop,
}

impl LocalNetwork {
    /// Starts the network kept in `dir`, making it first when there is none. `say` is
    /// told what happens.
    pub async fn start(
        env: &Env,
        dir: &Path,
        shape: Shape,
        rpc_port: u16,
        say: &(dyn Fn(&str) + Sync),
    ) -> Result<Self, Failure> {
        let dir = prepare(dir, shape)?;
        let complete = dir.join("network.json").exists();
        say("starting the chain");
        let chain = start_chain(env, &dir, rpc_port).await?;
        if !complete {
            create(env, &dir, shape, &chain, say).await?;
        }
        write_config(&dir, &chain, None)?;
        let deployment = session::read_deployment(&dir.join("deployment.json"))?;
        let client = session::connect(env, &[chain.endpoint()], deployment).await?;
        say("starting the nodes");
        let mut nodes = Vec::new();
        for index in 0..shape.nodes {
            let node = start_node(env, &node_dir(&dir, index), Some(chain.endpoint())).await?;
            nodes.push(Some(node));
        }
        // An account of its own, so that its transactions never wait for others.
        let account = chain.accounts().last().map(|account| account.secret_key);
        let account = account.ok_or_else(|| anyhow::anyhow!("the chain has no accounts"))?;
        let wallet = Wallet::from_bytes(&account).map_err(anyhow::Error::from)?;
        let writer = ChainWriter::new(client.clone(), wallet, SendConfig::default());
        let crank = env.spawn("crank", crank::run(writer)).abort_on_drop();
        Ok(Self { chain, nodes, client, dir, _crank: crank })
    }

    /// The configuration file for clients.
    pub fn config(&self) -> PathBuf {
        self.dir.join("walrus.toml")
    }

    /// The client's wallet.
    pub async fn wallet(&self, env: &Env) -> Result<Wallet, Failure> {
        let (keystore, password) = (self.dir.join("wallet.json"), self.dir.join("password.txt"));
        session::wallet(env, Some(&keystore), Some(&password)).await
    }

    /// A gateway of this network in all roles, with accounts of its own to pay from. The
    /// page may use the client's account, whose key everybody knows. Without a port it
    /// listens on the usual one, or on any if that is taken.
    pub async fn start_gateway(
        &self,
        env: &Env,
        global: &Global,
        port: Option<u16>,
    ) -> Result<RunningGateway, Failure> {
        let global = Global { config: Some(self.config()), context: None, ..global.clone() };
        let session = session::Session::open(env, &global).await?;
        let wallet = self.wallet(env).await?;
        let bind = format!("127.0.0.1:{}", port.unwrap_or(DEFAULT_PORT));
        let config = GatewayConfig {
            development_key: Some(wallet.to_hex().to_string()),
            // Browsers look for every name below it on this machine.
            sites_domain: Some("localhost".parse().map_err(anyhow::Error::from)?),
            // Its money is worth nothing: pages that are being developed may store.
            open_to_pages: true,
            ..GatewayConfig::new(bind, self.dir.join("gateway"))
        };
        let (client, writers) = (client::for_gateway(&session), self.publishers().await?);
        let start = |config| walrus_gateway::start(env, client.clone(), writers.clone(), config);
        let gateway = match start(config.clone()).await {
            Err(StartError::Bind { .. }) if port.is_none() => {
                let bind = "127.0.0.1:0".to_owned();
                start(GatewayConfig { bind, ..config }).await?
            }
            started => started?,
        };
        write_config(&self.dir, &self.chain, Some(format!("http://{}", gateway.address())))?;
        Ok(gateway)
    }

    /// The accounts that a gateway pays from, with WAL.
    async fn publishers(&self) -> Result<Vec<ChainWriter>, Failure> {
        let accounts = self.chain.accounts();
        let writer = |secret_key: &[u8; 32]| {
            let wallet = Wallet::from_bytes(secret_key).map_err(anyhow::Error::from)?;
            Ok::<_, Failure>(ChainWriter::new(self.client.clone(), wallet, SendConfig::default()))
        };
        let treasury = writer(&accounts[0].secret_key)?;
        let mut publishers = Vec::new();
        for account in &accounts[PUBLISHERS] {
            let publisher = writer(&account.secret_key)?;
            if self.client.wal_balance(publisher.address()).await? < CLIENT_WAL * FROST / 2 {
                treasury.transfer_wal(publisher.address(), CLIENT_WAL * FROST).await?;
            }
            publishers.push(publisher);
        }
        Ok(publishers)
    }

    /// Stops one node; its name.
    pub async fn stop_node(&mut self, index: usize) -> Option<String> {
        let LocalNode { node, name, .. } = self.nodes.get_mut(index)?.take()?;
        node.shutdown().await;
        Some(name)
    }

    /// Stops everything.
    pub async fn shutdown(mut self) {
        for index in 0..self.nodes.len() {
            self.stop_node(index).await;
        }
        self.chain.shutdown().await;
    }
}

fn node_dir(dir: &Path, index: u16) -> PathBuf {
    dir.join(format!("node-{index}"))
}

/// Tells clients where everything is.
fn write_config(dir: &Path, chain: &DevChain, gateway: Option<String>) -> Result<(), Failure> {
    let context = Context {
        rpc: vec![chain.endpoint()],
        deployment: "deployment.json".into(),
        keystore: Some("wallet.json".into()),
        password_file: Some("password.txt".into()),
        state_dir: Some("client".into()),
        spill_dir: None,
        threads: None,
        plain_http: false,
        gateway_url: gateway,
        gateway: None,
    };
    let config = Config {
        default_context: Some("local".to_owned()),
        contexts: [("local".to_owned(), context)].into(),
    };
    let text = toml::to_string(&config).map_err(anyhow::Error::from)?;
    write_file(&dir.join("walrus.toml"), text.as_bytes(), false)
}
