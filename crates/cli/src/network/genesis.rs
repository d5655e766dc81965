//! Making the network: its directory, its chain with the contracts, its nodes, its first epoch.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use walrus_chain::{
    ChainWriter, DeployParams, Deployment, Endpoints, EndpointsConfig, GenesisNode,
    KeystoreStrength, Parameters, Profile, SendConfig, Wallet, deploy, start_network,
};
use walrus_devchain::{DevChain, DevChainConfig};
use walrus_env::Env;

use super::{
    CLIENT_WAL, FROST, Shape,
    node::{Setup, registration, set_up_node, write_wallet},
    node_dir,
};
use crate::{
    failure::{Failure, Kind},
    node_file::write_file,
    session,
};

/// WAL each node is staked with.
const STAKE_WAL: u64 = 1_000;
/// Gas money for each operator: one unit of the chain's coin.
const OPERATOR_WEI: u128 = 1_000_000_000_000_000_000;

/// Makes the directory, or checks that it holds a network of this shape. What an
/// interrupted first start left behind is removed.
pub(super) fn prepare(dir: &Path, shape: Shape) -> Result<PathBuf, Failure> {
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

pub(super) async fn start_chain(env: &Env, dir: &Path, port: u16) -> Result<DevChain, Failure> {
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
pub(super) async fn create(
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
