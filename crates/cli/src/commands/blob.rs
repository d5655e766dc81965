//! `walrus blob-id` and `walrus blob-status`

use std::time::Duration;

use serde_json::{Value, json};
use walrus_core::{BlobId, Persistence, StorageConfirmation};
use walrus_env::Env;
use walrus_node_api::{client::ExpectedConfirmation, query::ConfirmationQuery, wire::BlobStatus};
use walrus_redstuff::EncodingParams;
use walrus_sdk::{Node, Snapshot};

use crate::{
    args::{BlobIdArgs, BlobStatusArgs, Global},
    client,
    failure::{Failure, Kind, Outcome},
    input::Input,
    output::{Output, table},
    session::Session,
};

/// Shards of a network when none is named or reachable.
const SHARDS_DEFAULT: u16 = 1000;
/// Longest wait for the nodes' words.
const STATUS_TIMEOUT: Duration = Duration::from_secs(10);
/// Most pages of the chain's records looked through for a blob that the nodes do not know.
const RECORDS_MAX: u64 = 5_000;

/// Runs `walrus blob-id`.
pub async fn id(env: &Env, global: &Global, arguments: &BlobIdArgs, output: Output) -> Outcome {
    let n_shards = match arguments.n_shards {
        Some(n_shards) => n_shards,
        None => network_shards(env, global).await.unwrap_or(SHARDS_DEFAULT),
    };
    let params = EncodingParams::new(n_shards).map_err(|error| Failure::new(Kind::Usage, error))?;
    let coder = client::coder(env, &arguments.coding);
    let source = Input::new(&arguments.file).source(env, &coder, params.max_blob_size()).await?;
    let metadata = coder.metadata(params, source, &client::progress(output)).await?;
    let id = metadata.blob_id();
    let report = json!({
        "blob_id": id.to_string(),
        "blob_id_u256": id.to_u256_decimal(),
        "file": arguments.file,
        "size": metadata.unencoded_length(),
        "n_shards": n_shards,
    });
    output.result(&report, |_| id.to_string());
    Ok(())
}

async fn network_shards(env: &Env, global: &Global) -> Option<u16> {
    let session = Session::open(env, global).await.ok()?;
    Some(session.chain.network().await.ok()?.parameters.n_shards)
}

/// Runs `walrus blob-status`.
pub async fn status(
    env: &Env,
    global: &Global,
    arguments: &BlobStatusArgs,
    output: Output,
) -> Outcome {
    let id = client::blob_id(&arguments.blob_id)?;
    let session = Session::open(env, global).await?;
    let client = client::open(&session);
    let snapshot = client.network().await?;
    let found = client.blob_status(&id, STATUS_TIMEOUT).await?;
    let mut report = describe(&found.status);
    if found.status == BlobStatus::Nonexistent
        && let Some(end) = ended(&session, &snapshot, &id).await?
    {
        report = json!({ "status": "expired", "end_epoch": end });
    }
    report["blob_id"] = id.to_string().into();
    report["epoch"] = snapshot.network.epoch.epoch.0.into();
    report["confirmed_by_chain"] = found.confirmed_by_chain.into();
    if arguments.nodes {
        report["nodes"] = holdings(&snapshot, &id).await.into();
    }
    output.result(&report, human);
    Ok(())
}

fn describe(status: &BlobStatus) -> Value {
    match status {
        BlobStatus::Nonexistent => json!({ "status": "unknown" }),
        BlobStatus::Invalid { .. } => json!({ "status": "invalid" }),
        BlobStatus::Permanent { end_epoch, is_certified, .. } => json!({
            "status": if *is_certified { "certified" } else { "registered" },
            "deletable": false,
            "end_epoch": end_epoch.0,
        }),
        BlobStatus::Deletable { initial_certified_epoch, .. } => json!({
            "status": if initial_certified_epoch.is_some() { "certified" } else { "registered" },
            "deletable": true,
        }),
    }
}

/// The end epoch of a blob whose time is over, looked up in the chain's latest records.
async fn ended(
    session: &Session,
    snapshot: &Snapshot,
    id: &BlobId,
) -> Result<Option<u32>, Failure> {
    let chain = &session.chain;
    let mut last = snapshot.network.blob_count;
    let lowest = last.saturating_sub(RECORDS_MAX);
    let mut end = None;
    while last > lowest && end.is_none() {
        let count = walrus_chain::BLOBS_PER_CALL.min(last - lowest);
        let first = walrus_core::TokenId(last + 1 - count);
        let records = chain.blobs(first, count).await?;
        end = records.iter().filter(|record| record.blob_id == *id).map(|r| r.end_epoch.0).max();
        last -= count;
    }
    Ok(end.filter(|end| *end <= snapshot.network.epoch.epoch.0))
}

/// Asks every node to sign that it holds its part, now.
async fn holdings(snapshot: &Snapshot, id: &BlobId) -> Vec<Value> {
    let ask = |node: &Node| {
        let node = node.clone();
        let expected = ExpectedConfirmation {
            context: snapshot.committee.context(),
            epoch: snapshot.committee.epoch(),
            body: StorageConfirmation { blob_id: *id, persistence: Persistence::Permanent },
            key: &snapshot
                .committee
                .committee()
                .member_of(node.id())
                .expect("a node is a member")
                .public_key,
        };
        async move {
            let answer = match &node.client {
                Ok(client) => client
                    .confirmation(&expected, &ConfirmationQuery::default())
                    .await
                    .map_err(|error| error.to_string()),
                Err(reason) => Err(reason.clone()),
            };
            json!({
                "node_id": node.id().0,
                "name": node.member.name,
                "shards": node.weight(),
                "holds": answer.is_ok(),
                "reason": answer.err(),
            })
        }
    };
    futures::future::join_all(snapshot.committee.nodes().iter().map(ask)).await
}

fn human(report: &Value) -> String {
    let mut rows = Vec::new();
    for name in ["blob_id", "status", "end_epoch", "deletable", "epoch"] {
        if let Some(value) = report.get(name).filter(|value| !value.is_null()) {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            rows.push(vec![name.replace('_', " "), text]);
        }
    }
    let mut text = table(&rows);
    if let Some(nodes) = report["nodes"].as_array() {
        let row = |node: &Value| {
            let answer = node["reason"].as_str().unwrap_or("holds its part").to_owned();
            vec![
                node["name"].as_str().unwrap_or_default().to_owned(),
                node["shards"].to_string(),
                answer,
            ]
        };
        let head = vec!["node".to_owned(), "shards".to_owned(), "answer".to_owned()];
        let rows: Vec<_> = std::iter::once(head).chain(nodes.iter().map(row)).collect();
        text = format!("{text}\n\n{}", table(&rows));
    }
    text
}
