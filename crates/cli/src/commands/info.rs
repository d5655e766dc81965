//! `walrus info` and `walrus health`

use serde_json::{Value, json};
use walrus_core::NodeId;
use walrus_env::Env;

use crate::{
    args::Global,
    client,
    failure::Outcome,
    output::{Output, bytes, table, wal},
    session::Session,
};

/// Runs `walrus info`.
pub async fn info(env: &Env, global: &Global, output: Output) -> Outcome {
    let session = Session::open(env, global).await?;
    let snapshot = session.chain.snapshot().await?;
    let view = snapshot.view;
    let members: Vec<Value> = snapshot
        .committee
        .iter()
        .flat_map(|committee| committee.members())
        .map(|(seat, member)| {
            json!({
                "seat": seat.0, "node_id": member.node_id.0, "name": member.name,
                "shards": member.weight, "address": member.network_address.as_str(),
            })
        })
        .collect();
    // Looking at a network needs no wallet.
    let wallet = match session.wallet().await {
        Ok(wallet) => {
            let address = wallet.address();
            json!({
                "address": address.to_string(),
                "wal": session.chain.wal_balance(address).await?,
                "ether_wei": session.chain.ether_balance(address).await?.to_string(),
            })
        }
        Err(_) => Value::Null,
    };
    let prices = view.prices.are_set().then_some(view.prices);
    let report = json!({
        "context": session.name,
        "chain_id": session.chain.deployment().chain_id,
        "epoch": view.epoch.epoch.0,
        "phase": format!("{:?}", view.epoch.phase),
        "epoch_seconds": view.parameters.epoch_duration,
        "n_shards": view.parameters.n_shards,
        "max_epochs_ahead": view.parameters.max_epochs_ahead,
        "storage_price": prices.map(|prices| prices.storage),
        "write_price": prices.map(|prices| prices.write),
        "total_capacity": view.total_capacity,
        "used_capacity": view.used_capacity,
        "blobs_registered": view.blob_count,
        "blobs_certified": view.certified_count,
        "committee": members,
        "wallet": wallet,
    });
    output.result(&report, human_info);
    Ok(())
}

fn human_info(report: &Value) -> String {
    let number = |name: &str| report[name].as_u64().unwrap_or_default();
    let price = |name: &str| {
        report[name]
            .as_u64()
            .map_or("not set".to_owned(), |price| format!("{} a MiB", wal(price.into())))
    };
    let mut rows = vec![
        vec!["network".to_owned(), report["context"].as_str().unwrap_or_default().to_owned()],
        vec!["chain".to_owned(), report["chain_id"].to_string()],
        vec![
            "epoch".to_owned(),
            format!("{} ({})", number("epoch"), report["phase"].as_str().unwrap_or_default()),
        ],
        vec!["shards".to_owned(), number("n_shards").to_string()],
        vec!["storage price".to_owned(), format!("{} and epoch", price("storage_price"))],
        vec!["write price".to_owned(), price("write_price")],
        vec![
            "capacity".to_owned(),
            format!(
                "{} of {} sold",
                bytes(number("used_capacity")),
                bytes(number("total_capacity"))
            ),
        ],
        vec![
            "blobs".to_owned(),
            format!(
                "{} registered, {} certified",
                number("blobs_registered"),
                number("blobs_certified")
            ),
        ],
    ];
    if let Some(balance) = report["wallet"]["wal"].as_u64() {
        let address = report["wallet"]["address"].as_str().unwrap_or_default();
        rows.push(vec!["wallet".to_owned(), format!("{address}, {}", wal(balance.into()))]);
    }
    let head = ["node", "shards", "name", "address"].map(str::to_owned).to_vec();
    let member = |member: &Value| {
        let text = |name: &str| member[name].as_str().unwrap_or_default().to_owned();
        vec![
            member["node_id"].to_string(),
            member["shards"].to_string(),
            text("name"),
            text("address"),
        ]
    };
    let members = report["committee"].as_array().into_iter().flatten().map(member);
    let members: Vec<_> = std::iter::once(head).chain(members).collect();
    format!("{}\n\n{}", table(&rows), table(&members))
}

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
    let nodes: Vec<Value> = nodes
        .into_iter()
        .map(|node| {
            let (health, error) = match node.health {
                Ok(health) => (serde_json::to_value(health).unwrap_or_default(), None),
                Err(error) => (Value::Null, Some(error.to_string())),
            };
            json!({
                "node_id": node.node.0, "name": node.name, "address": node.address,
                "shards": node.weight, "reachable": error.is_none(), "error": error,
                "health": health,
            })
        })
        .collect();
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
