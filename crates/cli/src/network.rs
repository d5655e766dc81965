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

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use walrus_chain::{
    ChainClient, ChainWriter, Confirmations, DeployParams, Deployment, Endpoints, EndpointsConfig,
    GenesisNode, KeystoreStrength, NodeRegistration, Parameters, Prices, Profile, SendConfig,
    Wallet, deploy, start_network,
};
use walrus_devchain::{DevChain, DevChainConfig};
use walrus_env::{AbortOnDrop, Env, split_host_port};
use walrus_gateway::{GatewayConfig, RunningGateway, StartError};
use walrus_node::{Node, NodeConfig, RunningNode, Tls};
use zeroize::Zeroizing;

use crate::{
    args::Global,
    client,
    commands::gateway::DEFAULT_PORT,
    config::{Config, Context},
    crank,
    failure::{Failure, Kind},
    key_watch,
    node_file::{NodeFile, NodeKeys, data_dir, write_file},
    session, sync_report,
};

/// WAL each node is staked with.
const STAKE_WAL: u64 = 1_000;
/// WAL the client gets.
const CLIENT_WAL: u64 = 1_000_000;
/// The chain's accounts that a gateway pays from.
const PUBLISHERS: std::ops::Range<usize> = 3..6;
/// FROST in a WAL.
const FROST: u64 = 1_000_000_000;
/// Gas money for each operator: one unit of the chain's coin.
const OPERATOR_WEI: u128 = 1_000_000_000_000_000_000;
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

/// A running node and its errands.
pub struct LocalNode {
    /// The node.
    pub node: RunningNode,
    /// Its name.
    pub name: String,
    _errands: Vec<AbortOnDrop>,
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
        write_config(&dir, &chain)?;
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
            ..GatewayConfig::new(bind, self.dir.join("gateway"))
        };
        let (client, writers) = (client::for_gateway(&session), self.publishers().await?);
        let start = |config| walrus_gateway::start(env, client.clone(), writers.clone(), config);
        match start(config.clone()).await {
            Err(StartError::Bind { .. }) if port.is_none() => {
                let bind = "127.0.0.1:0".to_owned();
                Ok(start(GatewayConfig { bind, ..config }).await?)
            }
            started => Ok(started?),
        }
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

/// Opens a node's directory and runs the node, reporting it in sync at each epoch.
/// `rpc` overrides the configured addresses of the chain.
pub async fn start_node(env: &Env, dir: &Path, rpc: Option<String>) -> Result<LocalNode, Failure> {
    let file = NodeFile::read(dir)?;
    let node_id = file.node_id()?;
    let keys = NodeKeys::read(dir)?;
    let deployment = session::read_deployment(&file.deployment)?;
    let rpc = rpc.map_or_else(|| file.rpc.clone(), |rpc| vec![rpc]);
    let chain = session::connect(env, &rpc, deployment).await?;
    // During a rotation, the key that the present committee knows.
    let committee = chain.snapshot().await?.committee;
    let named = committee.as_ref().and_then(|committee| committee.member_of(node_id));
    let first = keys
        .protocol
        .iter()
        .find(|key| named.is_some_and(|member| member.public_key == *key.public_key()));
    let first = first.unwrap_or(keys.first()).clone();
    let (bind_host, bind_port) = split_host_port(&file.bind).ok_or_else(|| {
        Failure::message(Kind::Usage, format!("`bind = \"{}\"` is not host:port", file.bind))
    })?;
    let config = NodeConfig {
        dir: data_dir(dir),
        bind_host: bind_host.to_owned(),
        bind_port,
        public_address: file.public_address.parse().map_err(anyhow::Error::from)?,
        protocol_key: first,
        network_key: keys.network,
        tls: if file.plain_http { Tls::PlainLoopbackOnly } else { Tls::Enabled },
        node_id,
        chain: chain.clone(),
        confirmations: Confirmations::Finalized,
        poll_interval: Duration::from_millis(500),
    };
    let wallet = session::wallet(env, Some(&file.keystore), Some(&file.password_file)).await?;
    let writer = ChainWriter::new(chain, wallet, SendConfig::default());
    let node = Node::start(env.clone(), config).await.map_err(anyhow::Error::from)?;
    let reporter = env.spawn("report in sync", sync_report::run(writer, node_id));
    let watch = key_watch::run(dir.to_owned(), node.protocol_keys().clone());
    let errands =
        vec![reporter.abort_on_drop(), env.spawn("look for new keys", watch).abort_on_drop()];
    Ok(LocalNode { node, name: file.name, _errands: errands })
}

/// Makes the directory, or checks that it holds a network of this shape. What an
/// interrupted first start left behind is removed.
fn prepare(dir: &Path, shape: Shape) -> Result<PathBuf, Failure> {
    let refuse = |error: std::io::Error| {
        Failure::message(Kind::Usage, format!("cannot use {}: {error}", dir.display()))
    };
    fs::create_dir_all(dir).map_err(refuse)?;
    let dir = dir.canonicalize().map_err(refuse)?;
    if let Ok(text) = fs::read_to_string(dir.join("network.json")) {
        let found: Shape = serde_json::from_str(&text).map_err(anyhow::Error::from)?;
        if found != shape {
            let text = format!(
                "{} holds a network of {} nodes and {} shards with epochs of {} seconds",
                dir.display(),
                found.nodes,
                found.shards,
                found.epoch_seconds
            );
            return Err(Failure::message(Kind::Usage, text)
                .hint("use the same numbers, or another directory with --dir"));
        }
        return Ok(dir);
    }
    for entry in fs::read_dir(&dir).map_err(refuse)? {
        let entry = entry.map_err(refuse)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let ours = name == "chain" || name == "deployment.json" || name.starts_with("node-");
        if !ours && !["walrus.toml", "wallet.json", "password.txt"].contains(&name.as_str()) {
            return Err(Failure::message(
                Kind::Usage,
                format!("{} holds other files", dir.display()),
            )
            .hint("name an empty or new directory with --dir"));
        }
        let path = entry.path();
        let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        removed.map_err(refuse)?;
    }
    Ok(dir)
}

async fn start_chain(env: &Env, dir: &Path, port: u16) -> Result<DevChain, Failure> {
    let config = DevChainConfig {
        port,
        dir: Some(dir.join("chain")),
        empty_block_interval: Some(Duration::from_secs(1)),
        ..DevChainConfig::default()
    };
    DevChain::start(env, config).await.map_err(|error| {
        Failure::new(Kind::Failed, error).hint("is another network running? try another --rpc-port")
    })
}

/// Deploys the contracts, makes the nodes and starts their first epoch.
async fn create(
    env: &Env,
    dir: &Path,
    shape: Shape,
    chain: &DevChain,
    say: &(dyn Fn(&str) + Sync),
) -> Result<(), Failure> {
    say("deploying the contracts");
    let treasury =
        Wallet::from_bytes(&chain.accounts()[0].secret_key).map_err(anyhow::Error::from)?;
    let endpoints = Endpoints::new(env, &[chain.endpoint()], EndpointsConfig::default())?;
    let params = Profile::test().deploy_params(0);
    let params = DeployParams {
        parameters: Parameters {
            n_shards: shape.shards,
            epoch_duration: shape.epoch_seconds,
            // At once: the nodes are staked one after the other, and then selected.
            first_start: 0,
            min_nodes: shape.nodes,
            ..params.parameters
        },
        local_proposer: Some(treasury.address()),
        ..params
    };
    let deployment = deploy(&endpoints, &treasury, &params).await?;
    let text = serde_json::to_vec_pretty(&deployment).map_err(anyhow::Error::from)?;
    write_file(&dir.join("deployment.json"), &text, false)?;
    say("registering the nodes");
    start_epoch_one(env, dir, shape, chain, treasury, deployment).await?;
    let text = serde_json::to_vec(&shape).map_err(anyhow::Error::from)?;
    write_file(&dir.join("network.json"), &text, false)
}

async fn start_epoch_one(
    env: &Env,
    dir: &Path,
    shape: Shape,
    chain: &DevChain,
    treasury: Wallet,
    deployment: Deployment,
) -> Result<(), Failure> {
    let client = session::connect(env, &[chain.endpoint()], deployment).await?;
    let treasury = ChainWriter::new(client, treasury, SendConfig::default());
    let mut files = Vec::new();
    let mut nodes = Vec::new();
    for index in 0..shape.nodes {
        let name = format!("node-{index}");
        let address = free_address(env).await?;
        let setup = Setup {
            dir: &node_dir(dir, index),
            name: &name,
            public_address: &address,
            bind: &address,
            rpc: vec![chain.endpoint()],
            deployment: dir.join("deployment.json"),
            password_file: None,
            plain_http: false,
            strength: KeystoreStrength::Light,
        };
        let (file, keys, operator) = set_up_node(env, setup).await?;
        let registration = registration(&file, &keys)?;
        nodes.push(GenesisNode { operator, registration, stake: STAKE_WAL * FROST });
        files.push(file);
    }
    let ids = start_network(&treasury, &nodes, OPERATOR_WEI).await?;
    for (index, (mut file, id)) in (0..).zip(files.into_iter().zip(ids)) {
        file.node_id = Some(id.0);
        file.write(&node_dir(dir, index))?;
    }
    let client =
        Wallet::from_bytes(&chain.accounts()[1].secret_key).map_err(anyhow::Error::from)?;
    treasury.transfer_wal(client.address(), CLIENT_WAL * FROST).await?;
    write_wallet(
        env,
        &client,
        dir,
        "wallet.json",
        &dir.join("password.txt"),
        KeystoreStrength::Light,
    )
    .await
}

/// Ports for the nodes of local networks: below the range from which systems take the
/// ports of outgoing connections, which would come and go on a node's port.
const PORTS: std::ops::Range<u16> = 20_000..26_000;

/// An address of this machine that nobody listens on now.
async fn free_address(env: &Env) -> Result<String, Failure> {
    let mut refused = None;
    for _ in 0..100 {
        let offset = env.random_u64("node port") % PORTS.len() as u64;
        // The offset is below the length of a range of `u16`.
        let port = PORTS.start + offset as u16;
        match env.net.bind("127.0.0.1", port).await {
            Ok(listener) => return Ok(listener.local_address()),
            Err(error) => refused = Some(error),
        }
    }
    Err(anyhow::anyhow!("no free port for a node: {refused:?}").into())
}

/// What a new node is made of.
pub struct Setup<'a> {
    /// Its directory; made if missing.
    pub dir: &'a Path,
    /// Name shown to others.
    pub name: &'a str,
    /// Where others reach it.
    pub public_address: &'a str,
    /// Where it listens.
    pub bind: &'a str,
    /// JSON-RPC addresses of the chain.
    pub rpc: Vec<String>,
    /// Description of the contracts.
    pub deployment: PathBuf,
    /// The wallet's password; a new one when absent.
    pub password_file: Option<PathBuf>,
    /// Plain HTTP instead of TLS.
    pub plain_http: bool,
    /// Strength of the wallet's encryption.
    pub strength: KeystoreStrength,
}

/// Makes a node's directory with keys, wallet and configuration.
pub async fn set_up_node(
    env: &Env,
    setup: Setup<'_>,
) -> Result<(NodeFile, NodeKeys, Wallet), Failure> {
    let dir = setup.dir;
    fs::create_dir_all(dir).map_err(anyhow::Error::from)?;
    let dir = &dir.canonicalize().map_err(anyhow::Error::from)?;
    if dir.join("node.toml").exists() {
        return Err(Failure::message(
            Kind::Usage,
            format!("{} holds a node already", dir.display()),
        )
        .hint("its keys cannot be replaced; choose another --dir"));
    }
    let mut randomness = [[0; 32]; 2];
    for key in &mut randomness {
        env.entropy.fill("node keys", key);
    }
    let keys = NodeKeys::create(dir, &randomness)?;
    let operator = Wallet::random(env);
    let password_file = setup.password_file.unwrap_or_else(|| dir.join("password.txt"));
    write_wallet(env, &operator, dir, "operator.json", &password_file, setup.strength).await?;
    let file = NodeFile {
        name: setup.name.to_owned(),
        public_address: setup.public_address.to_owned(),
        bind: setup.bind.to_owned(),
        rpc: setup.rpc,
        deployment: setup.deployment.canonicalize().map_err(anyhow::Error::from)?,
        keystore: dir.join("operator.json"),
        password_file: password_file.canonicalize().map_err(anyhow::Error::from)?,
        plain_http: setup.plain_http,
        node_id: None,
    };
    file.write(dir)?;
    Ok((file, keys, operator))
}

/// What a node registers on the chain.
pub fn registration(file: &NodeFile, keys: &NodeKeys) -> Result<NodeRegistration, Failure> {
    Ok(NodeRegistration {
        protocol_key: keys.first().clone(),
        network_key: keys.network.public_key(),
        name: file.name.clone(),
        network_address: file.public_address.parse().map_err(anyhow::Error::from)?,
        metadata_uri: String::new(),
        commission_bp: 500,
        price_votes: Prices { storage: 100_000, write: 20_000 },
        capacity_vote: 250_000_000_000,
    })
}

/// Encrypts a key into `dir/name`, with the password in `password_file`, which is made
/// when it does not exist.
async fn write_wallet(
    env: &Env,
    wallet: &Wallet,
    dir: &Path,
    name: &str,
    password_file: &Path,
    strength: KeystoreStrength,
) -> Result<(), Failure> {
    if !password_file.exists() {
        let mut random = [0; 24];
        env.entropy.fill("wallet password", &mut random);
        write_file(password_file, hex::encode(random).as_bytes(), true)?;
    }
    let password = fs::read_to_string(password_file).map_err(anyhow::Error::from)?;
    let password = Zeroizing::new(password.trim_end().to_owned());
    let keystore = wallet.to_keystore(env, password, strength).await;
    write_file(&dir.join(name), &keystore, true)
}

fn node_dir(dir: &Path, index: u16) -> PathBuf {
    dir.join(format!("node-{index}"))
}

fn write_config(dir: &Path, chain: &DevChain) -> Result<(), Failure> {
    let context = Context {
        rpc: vec![chain.endpoint()],
        deployment: "deployment.json".into(),
        keystore: Some("wallet.json".into()),
        password_file: Some("password.txt".into()),
        state_dir: Some("client".into()),
        spill_dir: None,
        threads: None,
        plain_http: false,
        gateway_url: None,
        gateway: None,
    };
    let config = Config {
        default_context: Some("local".to_owned()),
        contexts: [("local".to_owned(), context)].into(),
    };
    let text = toml::to_string(&config).map_err(anyhow::Error::from)?;
    write_file(&dir.join("walrus.toml"), text.as_bytes(), false)
}
