//! `walrus local`

use serde_json::json;
use walrus_env::Env;

use crate::{
    args::{Global, LocalArgs},
    failure::Outcome,
    network::{LocalNetwork, Shape},
    output::Output,
    signals,
};

/// Runs `walrus local`.
pub async fn run(env: &Env, global: &Global, arguments: &LocalArgs, output: Output) -> Outcome {
    let shape = Shape {
        nodes: arguments.nodes,
        shards: arguments.shards,
        epoch_seconds: arguments.epoch_seconds,
    };
    let say = |text: &str| output.remark(format!("{text} …"));
    let network = LocalNetwork::start(env, &arguments.dir, shape, arguments.rpc_port, &say).await?;
    let gateway = match arguments.no_gateway {
        true => None,
        false => Some(network.start_gateway(env, global, arguments.gateway_port).await?),
    };
    let page = gateway.as_ref().map(|gateway| format!("http://{}", gateway.address()));
    let config = network.config();
    let nodes: Vec<_> = network
        .nodes
        .iter()
        .flatten()
        .map(|node| json!({ "name": node.name, "address": node.node.address() }))
        .collect();
    let report = json!({
        "rpc": network.chain.endpoint(),
        "config": config,
        "gateway": page,
        "n_shards": shape.shards,
        "nodes": nodes,
    });
    output.result(&report, |_| {
        let config = config.display();
        format!(
            "A network of {} nodes and {} shards is up; Ctrl-C stops it, the same command continues it.\n\
             \n\
             chain   {}\n\
             config  {config}\n\
             page    {}\n\
             \n\
             Try, in another terminal:\n  \
             export WALRUS_CONFIG={config}\n  \
             walrus store README.md\n  \
             walrus read BLOB_ID --out copy\n  \
             walrus blob-status BLOB_ID --nodes\n  \
             walrus info\n  \
             walrus health",
            shape.nodes, shape.shards, network.chain.endpoint(), page.as_deref().unwrap_or("none")
        )
    });
    signals::wait_for_stop().await;
    output.remark("stopping …");
    if let Some(gateway) = gateway {
        gateway.shutdown().await;
    }
    network.shutdown().await;
    Ok(())
}
