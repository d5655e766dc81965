//! One storage node of this machine: making its directory, and running it.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use walrus_chain::{
    ChainWriter, Confirmations, KeystoreStrength, NodeRegistration, Prices, SendConfig, Wallet,
};
use walrus_env::{AbortOnDrop, Env, split_host_port};
use walrus_node::{Node, NodeConfig, RunningNode, Tls};
use zeroize::Zeroizing;

use crate::{
    failure::{Failure, Kind},
    key_watch,
    node_file::{NodeFile, NodeKeys, data_dir, write_file},
    session, sync_report,
};

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
pub(super) async fn write_wallet(
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

/// A running node and its errands.
pub struct LocalNode {
    /// The node.
    pub node: RunningNode,
    /// Its name.
    pub name: String,
    _errands: Vec<AbortOnDrop>,
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
