//! `walrus node`: set-up, registration, running.

use std::path::Path;

use serde_json::json;
use walrus_chain::{ChainWriter, KeystoreStrength, Prices, SendConfig};
use walrus_core::NodeId;
use walrus_env::{Env, split_host_port};

use crate::{
    args::{NodeCommand, NodeCommissionArgs, NodeRegisterArgs, NodeSetupArgs, NodeVoteArgs},
    failure::{Failure, Kind, Outcome},
    network::{self, Setup, registration, set_up_node},
    node_file::{NodeFile, NodeKeys},
    output::{Output, bytes, wal},
    session, signals,
};

/// FROST in a WAL.
const FROST: u64 = 1_000_000_000;

/// Runs `walrus node …`.
pub async fn run(env: &Env, command: &NodeCommand, output: Output) -> Outcome {
    match command {
        NodeCommand::Setup(arguments) => setup(env, arguments, output).await,
        NodeCommand::Register(arguments) => register(env, arguments, output).await,
        NodeCommand::Run(arguments) => run_node(env, &arguments.dir, output).await,
        NodeCommand::Vote(arguments) => vote(env, arguments, output).await,
        NodeCommand::RotateKey(arguments) => rotate_key(env, &arguments.dir, output).await,
        NodeCommand::Collect(arguments) => collect(env, &arguments.dir, output).await,
        NodeCommand::Commission(arguments) => commission(env, arguments, output).await,
    }
}

async fn setup(env: &Env, arguments: &NodeSetupArgs, output: Output) -> Outcome {
    let bind = arguments.bind.as_ref().unwrap_or(&arguments.public_address);
    for address in [&arguments.public_address, bind] {
        if split_host_port(address).is_none() {
            return Err(Failure::message(Kind::Usage, format!("{address} is not host:port")));
        }
    }
    // Fails now rather than at the first start.
    session::read_deployment(&arguments.deployment)?;
    let setup = Setup {
        dir: &arguments.dir,
        name: &arguments.name,
        public_address: &arguments.public_address,
        bind,
        rpc: arguments.rpc.clone(),
        deployment: arguments.deployment.clone(),
        password_file: arguments.password_file.clone(),
        plain_http: arguments.plain_http,
        strength: if arguments.weak_keystore {
            KeystoreStrength::Light
        } else {
            KeystoreStrength::Standard
        },
    };
    let (_, keys, operator) = set_up_node(env, setup).await?;
    let report = json!({
        "dir": arguments.dir,
        "operator": operator.address().to_string(),
        "protocol_key": hex::encode(keys.first().public_key().as_bytes()),
        "network_key": hex::encode(keys.network.public_key().0),
    });
    output.result(&report, |_| {
        format!(
            "Made a node in {}.\nNext: send gas money and WAL to its operator {}, then run `walrus node register --dir {}`.",
            arguments.dir.display(), operator.address(), arguments.dir.display()
        )
    });
    Ok(())
}

async fn register(env: &Env, arguments: &NodeRegisterArgs, output: Output) -> Outcome {
    let dir = &arguments.dir;
    let mut file = NodeFile::read(dir)?;
    let keys = NodeKeys::read(dir)?;
    let deployment = session::read_deployment(&file.deployment)?;
    let chain = session::connect(env, &file.rpc, deployment).await?;
    let wallet = session::wallet(env, Some(&file.keystore), Some(&file.password_file)).await?;
    let writer = ChainWriter::new(chain.clone(), wallet, SendConfig::default());
    // An interrupted registration is found on the chain instead of being tried twice.
    let found = match file.node_id {
        Some(id) => Some(NodeId(id)),
        None => chain.node_of_key(keys.first().public_key()).await?,
    };
    let node_id = match found {
        Some(node_id) => node_id,
        None => writer.register_node(&registration(&file, &keys)?).await?,
    };
    file.node_id = Some(node_id.0);
    file.write(dir)?;
    let stake = arguments.stake.saturating_mul(FROST);
    let held = chain.wal_balance(writer.address()).await?;
    if stake > 0 && held < stake {
        let text = format!(
            "operator {} holds {} WAL, less than the stake",
            writer.address(),
            held / FROST
        );
        return Err(Failure::message(Kind::Refused, text).hint(
            "send it WAL (on a network of your own: `walrus chain fund`), then run this again",
        ));
    }
    if stake > 0 {
        writer.stake(node_id, stake).await?;
    }
    let report =
        json!({ "node_id": node_id.0, "operator": writer.address().to_string(), "stake": stake });
    output.result(&report, |_| {
        format!(
            "Registered as node {node_id} with {} WAL staked.\nNext: `walrus node run --dir {}`.",
            arguments.stake,
            dir.display()
        )
    });
    Ok(())
}

/// The registered node of a directory and its operator.
pub async fn operator(env: &Env, dir: &Path) -> Result<(NodeId, ChainWriter), Failure> {
    let file = NodeFile::read(dir)?;
    let deployment = session::read_deployment(&file.deployment)?;
    let chain = session::connect(env, &file.rpc, deployment).await?;
    let wallet = session::wallet(env, Some(&file.keystore), Some(&file.password_file)).await?;
    Ok((file.node_id()?, ChainWriter::new(chain, wallet, SendConfig::default())))
}

async fn vote(env: &Env, arguments: &NodeVoteArgs, output: Output) -> Outcome {
    let (node, writer) = operator(env, &arguments.dir).await?;
    let prices = Prices { storage: arguments.storage_price, write: arguments.write_price };
    writer.set_votes(node, prices, arguments.capacity).await?;
    let report = json!({
        "node_id": node.0, "storage_price": prices.storage, "write_price": prices.write,
        "capacity": arguments.capacity,
    });
    output.result(&report, |_| {
        format!(
            "Node {node} votes for {} a MiB and epoch, {} a MiB written, {}.",
            wal(prices.storage.into()),
            wal(prices.write.into()),
            bytes(arguments.capacity)
        )
    });
    Ok(())
}

async fn commission(env: &Env, arguments: &NodeCommissionArgs, output: Output) -> Outcome {
    let (node, writer) = operator(env, &arguments.dir).await?;
    writer.set_commission(node, arguments.basis_points).await?;
    let report = json!({ "node_id": node.0, "commission_bp": arguments.basis_points });
    output.result(&report, |_| {
        let (whole, rest) = (arguments.basis_points / 100, arguments.basis_points % 100);
        format!("The commission of node {node} becomes {whole}.{rest:02} %.")
    });
    Ok(())
}

/// Puts a new key on disk, then on the chain. Running it again after a crash in between
/// goes on with the key that is on disk.
async fn rotate_key(env: &Env, dir: &Path, output: Output) -> Outcome {
    let (node, writer) = operator(env, dir).await?;
    let mut keys = NodeKeys::read(dir)?;
    let record = writer.client().node(node).await?;
    let registered = record.and_then(|record| {
        keys.protocol.iter().rposition(|key| *key.public_key() == record.protocol_key)
    });
    let registered = registered.ok_or_else(|| {
        Failure::message(Kind::Usage, "the key that the chain knows is not in this directory")
            .hint("put its file back: the present committee goes on using it")
    })?;
    let next = match keys.protocol.get(registered + 1) {
        Some(prepared) => prepared.clone(),
        None => {
            let mut randomness = [0; 32];
            env.entropy.fill("node keys", &mut randomness);
            keys.add_protocol(dir, &randomness)?
        }
    };
    let epoch = writer.set_next_key(node, &next).await?;
    let report = json!({
        "node_id": node.0,
        "protocol_key": hex::encode(next.public_key().as_bytes()),
        "from_epoch": epoch.0,
    });
    output.result(&report, |_| {
        format!(
            "Node {node} signs with a new key from epoch {epoch} on; until then, with the old one.\nA running node takes it by itself. Keep both key files."
        )
    });
    Ok(())
}

async fn collect(env: &Env, dir: &Path, output: Output) -> Outcome {
    let (node, writer) = operator(env, dir).await?;
    let received = writer.collect_commission(node).await?;
    let report = json!({
        "node_id": node.0, "received": received, "to": writer.address().to_string(),
    });
    output.result(&report, |_| {
        format!("Received {} of commission of node {node}.", wal(received.into()))
    });
    Ok(())
}

async fn run_node(env: &Env, dir: &Path, output: Output) -> Outcome {
    let running = network::start_node(env, dir, None).await?;
    let report = json!({
        "node_id": running.node.node_id().0,
        "name": running.name,
        "address": running.node.address(),
    });
    output.result(&report, |_| {
        format!(
            "Node {} ({}) listens on {}; Ctrl-C stops it.",
            running.node.node_id(),
            running.name,
            running.node.address()
        )
    });
    let failed = tokio::select! {
        biased;
        () = signals::wait_for_stop() => false,
        () = running.node.failed() => true,
    };
    running.node.shutdown().await;
    if failed {
        return Err(Failure::message(
            Kind::Failed,
            "the node's database failed; nothing acknowledged is lost",
        )
        .hint("check the disk, then start the node again"));
    }
    Ok(())
}
