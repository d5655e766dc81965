//! `walrus committee` and `walrus health`

use serde_json::{Value, json};
use walrus_core::NodeId;
use walrus_env::Env;
use walrus_sdk::NodeHealth;

use crate::{
    args::Global,
    client,
    failure::Outcome,
    output::{Output, bytes, table, wal},
    session::Session,
};

/// Runs `walrus committee`.
pub async fn committee(env: &Env, global: &Global, output: Output) -> Outcome {
    let session = Session::open(env, global).await?;
    let snapshot = session.chain.snapshot().await?;
    let count = NodeId(snapshot.view.node_count);
    let nodes = session.chain.nodes(NodeId(1), count).await?;
    let seat = |node| snapshot.committee.as_ref().and_then(|committee| committee.member_of(node));
    let nodes: Vec<Value> = nodes
        .iter()
        .map(|node| {
            json!({
                "node_id": node.node_id.0,
                "name": node.name,
                "shards": seat(node.node_id).map_or(0, |member| member.weight),
                "stake": node.stake,
                "commission_bp": node.commission_bp,
                "storage_price_vote": node.price_votes.storage,
                "write_price_vote": node.price_votes.write,
                "capacity_vote": node.capacity_vote,
                "in_active_set": node.in_active_set,
            })
        })
        .collect();
    let report = json!({ "epoch": snapshot.view.epoch.epoch.0, "nodes": nodes });
    output.result(&report, human_committee);
    Ok(())
}

fn human_committee(report: &Value) -> String {
    let head = ["node", "shards", "stake", "commission", "capacity vote", "name"];
    let row = |node: &Value| {
        let number = |name: &str| node[name].as_u64().unwrap_or_default();
        let points = number("commission_bp");
        vec![
            node["node_id"].to_string(),
            node["shards"].to_string(),
            wal(number("stake").into()),
            format!("{}.{:02} %", points / 100, points % 100),
            bytes(number("capacity_vote")),
            node["name"].as_str().unwrap_or_default().to_owned(),
        ]
    };
    let rows = report["nodes"].as_array().into_iter().flatten().map(row);
    let head = std::iter::once(head.map(str::to_owned).to_vec());
    format!("Epoch {}\n\n{}", report["epoch"], table(&head.chain(rows).collect::<Vec<_>>()))
}

/// Runs `walrus health`.
pub async fn health(env: &Env, global: &Global, output: Output) -> Outcome {
    let session = Session::open(env, global).await?;
    let nodes = client::open(&session).health(false).await?;
    let nodes: Vec<Value> = nodes.iter().map(NodeHealth::report).collect();
    output.result(&json!({ "nodes": nodes }), human_health);
    Ok(())
}

fn human_health(report: &Value) -> String {
    let head = ["node", "shards", "name", "state", "up"].map(str::to_owned).to_vec();
    let row = |node: &Value| {
        let health = &node["health"];
        let state = health["nodeStatus"].as_str().or(node["error"].as_str()).unwrap_or("unknown");
        let up = health["uptime"]["secs"].as_u64().map_or(String::new(), |s| format!("{s} s"));
        let name = node["name"].as_str().unwrap_or_default().to_owned();
        vec![node["node_id"].to_string(), node["shards"].to_string(), name, state.to_owned(), up]
    };
    let rows = report["nodes"].as_array().into_iter().flatten().map(row);
    table(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}
