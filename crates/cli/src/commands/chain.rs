//! `walrus chain`: a development chain, the contracts, the steps of an epoch.

use std::{path::Path, time::Duration};

use serde_json::json;
use walrus_chain::{DeployParams, Endpoints, EndpointsConfig, EpochPhase, Profile, deploy};
use walrus_core::{EvmAddress, NodeId};
use walrus_devchain::{DevChain, DevChainConfig};
use walrus_env::Env;

use crate::{
    args::{ChainCommand, ChainDeployArgs, ChainDevArgs, ChainFundArgs, DeployProfile, Global},
    failure::{Failure, Kind, Outcome},
    node_file::{NodeFile, write_file},
    output::{Output, wal},
    session::{self, Session},
    signals,
};

/// Runs `walrus chain …`.
pub async fn run(env: &Env, global: &Global, command: &ChainCommand, output: Output) -> Outcome {
    match command {
        ChainCommand::Dev(arguments) => dev(env, arguments, output).await,
        ChainCommand::Deploy(arguments) => deploy_contracts(env, arguments, output).await,
        ChainCommand::Genesis => genesis(&Session::open(env, global).await?, output).await,
        ChainCommand::Crank => crank(&Session::open(env, global).await?, output).await,
        ChainCommand::Fund(arguments) => {
            fund(&Session::open(env, global).await?, arguments, output).await
        }
    }
}

async fn dev(env: &Env, arguments: &ChainDevArgs, output: Output) -> Outcome {
    let interval = arguments.block_interval_ms.map(Duration::from_millis);
    let mut seed = [0; 32];
    env.entropy.fill("chain seed", &mut seed);
    let config = DevChainConfig {
        host: arguments.host.clone(),
        port: arguments.port,
        block_interval: interval,
        mine_on_transaction: interval.is_none(),
        empty_block_interval: Some(Duration::from_secs(1)),
        dir: arguments.dir.clone(),
        seed,
        ..DevChainConfig::default()
    };
    let chain = DevChain::start(env, config).await.map_err(anyhow::Error::from)?;
    let accounts: Vec<_> = chain.accounts().iter().map(|a| a.address.to_string()).collect();
    let report = json!({
        "rpc": chain.endpoint(), "chain_id": chain.chain_id(), "accounts": accounts,
    });
    output.result(&report, |_| {
        format!(
            "Development chain {} at {}; Ctrl-C stops it.\nFunded accounts (public keys: never send them anything of value):\n  {}",
            chain.chain_id(), chain.endpoint(), accounts.join("\n  ")
        )
    });
    signals::wait_for_stop().await;
    chain.shutdown().await;
    Ok(())
}

async fn deploy_contracts(env: &Env, arguments: &ChainDeployArgs, output: Output) -> Outcome {
    let (keystore, password) = (arguments.keystore.as_deref(), arguments.password_file.as_deref());
    let wallet = session::wallet(env, keystore, password).await?;
    let endpoints = Endpoints::new(env, &[&arguments.rpc], EndpointsConfig::default())?;
    let params = deploy_params(&endpoints, arguments).await?;
    let bar = output.spinner("checking the chain, deploying the contracts");
    let deployment = deploy(&endpoints, &wallet, &params).await?;
    bar.finish_and_clear();
    let text = serde_json::to_vec_pretty(&deployment).map_err(anyhow::Error::from)?;
    write_file(&arguments.out, &text, false)?;
    output.result(&deployment, |deployment| {
        format!(
            "Deployed on chain {} at block {}; described in {}.\nNext: operators run `walrus node setup` and `walrus node register` with this file, then `walrus chain genesis` starts the first epoch.",
            deployment.chain_id, deployment.deploy_block, arguments.out.display()
        )
    });
    Ok(())
}

/// The profile, and what differs from it.
async fn deploy_params(
    endpoints: &Endpoints,
    arguments: &ChainDeployArgs,
) -> Result<DeployParams, Failure> {
    let mut profile = match arguments.profile {
        DeployProfile::Test => Profile::test(),
        DeployProfile::Production => Profile::production(),
    };
    let p = &mut profile.parameters;
    p.n_shards = arguments.shards.unwrap_or(p.n_shards);
    p.epoch_duration = arguments.epoch_seconds.unwrap_or(p.epoch_duration);
    p.min_nodes = arguments.min_nodes.map_or(p.min_nodes, u16::from);
    let delay = arguments.first_start_delay.unwrap_or(p.first_start_delay);
    p.first_start_delay = delay;
    let params = profile.deploy_params(endpoints.block_time().await?);
    let guardian = arguments.guardian.as_deref().map(parse_address).transpose()?;
    Ok(DeployParams { guardian, ..params })
}

/// Reads an account's address.
pub fn parse_address(text: &str) -> Result<EvmAddress, Failure> {
    text.parse().map_err(|error| {
        Failure::message(Kind::Usage, format!("{text} is not an address: {error}"))
    })
}

/// Selects the first committee and starts the first epoch. The nodes report that they
/// are in sync when they run.
async fn genesis(session: &Session, output: Output) -> Outcome {
    let writer = session.writer().await?;
    let state = session.chain.epoch_state().await?;
    if state.epoch.0 > 0 {
        return Err(Failure::message(
            Kind::Usage,
            format!("the network is in epoch {} already", state.epoch),
        )
        .hint("later epochs are driven by `walrus chain crank`"));
    }
    if state.phase == EpochPhase::Done {
        writer.select_committee().await?;
    }
    writer.start_epoch().await?;
    writer.update_prices().await?;
    let committee = session.chain.snapshot().await?.committee;
    let nodes: Vec<NodeId> = committee
        .iter()
        .flat_map(|committee| committee.members().map(|(_, member)| member.node_id))
        .collect();
    let report =
        json!({ "epoch": 1, "nodes": nodes.iter().map(|node| node.0).collect::<Vec<_>>() });
    output.result(&report, |_| {
        format!(
            "Epoch 1 has begun with {} nodes. Next: run each with `walrus node run`.",
            nodes.len()
        )
    });
    Ok(())
}

/// Takes every step that is due and open to anyone.
async fn crank(session: &Session, output: Output) -> Outcome {
    let writer = session.writer().await?;
    let mut steps = Vec::new();
    while let Some(step) = writer.crank().await? {
        output.remark(format!("{step}: done"));
        steps.push(step.to_string());
    }
    let state = session.chain.epoch_state().await?;
    let report = json!({ "steps": steps, "epoch": state.epoch.0 });
    output.result(&report, |_| {
        if steps.is_empty() {
            format!("Nothing is due; epoch {}.", state.epoch)
        } else {
            format!("Epoch {}.", state.epoch)
        }
    });
    Ok(())
}

async fn fund(session: &Session, arguments: &ChainFundArgs, output: Output) -> Outcome {
    let to = recipient(session, &arguments.to).await?;
    let writer = session.writer().await?;
    let frost = arguments.wal.saturating_mul(1_000_000_000);
    let wei = u128::from(arguments.ether) * 1_000_000_000_000_000_000;
    if wei > 0 {
        writer.transfer_ether(to, wei).await?;
    }
    if frost > 0 {
        writer.transfer_wal(to, frost).await?;
    }
    let report = json!({ "to": to.to_string(), "frost": frost, "ether": arguments.ether });
    output.result(&report, |_| {
        format!("Sent {} and {} ether to {to}.", wal(frost.into()), arguments.ether)
    });
    Ok(())
}

/// An account, or the operator of the node in a directory.
async fn recipient(session: &Session, to: &str) -> Result<EvmAddress, Failure> {
    if to.starts_with("0x") {
        return parse_address(to);
    }
    let file = NodeFile::read(Path::new(to))?;
    let (keystore, password) = (Some(&*file.keystore), Some(&*file.password_file));
    Ok(session::wallet(&session.env, keystore, password).await?.address())
}
