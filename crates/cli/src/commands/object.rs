//! `walrus blob`: the objects that stand for stored blobs.

use serde_json::{Value, json};
use walrus_chain::BlobRecord;
use walrus_core::{Epoch, TokenId};
use walrus_env::Env;

use super::chain::parse_address;
use crate::{
    args::{BlobCommand, Global},
    failure::{Failure, Kind, Outcome},
    output::{Output, bytes, table},
    session::Session,
};

/// Runs `walrus blob …`.
pub async fn run(env: &Env, global: &Global, command: &BlobCommand, output: Output) -> Outcome {
    let session = Session::open(env, global).await?;
    let writer = session.writer().await?;
    let (object, done) = match command {
        BlobCommand::List => return list(&session, output).await,
        BlobCommand::Extend { object, epochs, with_capacity } => {
            let record = record(&session, *object).await?;
            let token = TokenId(*object);
            if *with_capacity {
                let end = Epoch(record.end_epoch.0.saturating_add(*epochs));
                writer.extend_with_capacity(token, record.end_epoch, end).await?;
            } else {
                let prices = session.chain.network().await?.prices;
                let most = prices.cost(record.encoded_size, *epochs).storage;
                writer.extend(token, *epochs, most).await?;
            }
            (*object, "extended")
        }
        BlobCommand::Delete { object } => {
            writer.delete(TokenId(*object)).await?;
            (*object, "deleted")
        }
        BlobCommand::Burn { object } => {
            writer.burn(TokenId(*object)).await?;
            (*object, "burned")
        }
        BlobCommand::Transfer { object, to } => {
            writer.transfer_blob(parse_address(to)?, TokenId(*object)).await?;
            (*object, "transferred")
        }
        BlobCommand::Attributes { object, set, remove } => {
            for pair in set {
                let (key, value) = pair.split_once('=').ok_or_else(|| {
                    Failure::message(Kind::Usage, format!("{pair:?} is not KEY=VALUE"))
                })?;
                writer.set_attribute(TokenId(*object), key, value).await?;
            }
            for key in remove {
                writer.remove_attribute(TokenId(*object), key).await?;
            }
            return attributes(&session, *object, output).await;
        }
    };
    let mut report = describe(&record(&session, object).await?);
    report["done"] = done.into();
    output.result(&report, |report| {
        format!("Blob object {object} is {done}; its end is epoch {}.", report["end_epoch"])
    });
    Ok(())
}

async fn record(session: &Session, object: u64) -> Result<BlobRecord, Failure> {
    session.chain.blob(TokenId(object)).await?.ok_or_else(|| {
        Failure::message(Kind::Usage, format!("there is no blob object {object}"))
            .hint("`walrus blob list` shows those of the wallet")
    })
}

fn describe(record: &BlobRecord) -> Value {
    json!({
        "object": record.token_id.0,
        "blob_id": record.blob_id.to_string(),
        "size": record.size,
        "encoded_size": record.encoded_size,
        "end_epoch": record.end_epoch.0,
        "certified": record.certified_epoch.is_some(),
        "deletable": record.deletable,
    })
}

async fn attributes(session: &Session, object: u64, output: Output) -> Outcome {
    let found = session.chain.attributes(TokenId(object)).await?;
    let found: Vec<_> =
        found.into_iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
    output.result(&json!({ "object": object, "attributes": found }), |report| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let row = |pair: &Value| vec![text(&pair["key"]), text(&pair["value"])];
        let rows = report["attributes"].as_array().into_iter().flatten().map(row);
        table(&rows.collect::<Vec<_>>())
    });
    Ok(())
}

async fn list(session: &Session, output: Output) -> Outcome {
    let owner = session.wallet().await?.address();
    let blobs: Vec<_> = session.chain.blobs_of(owner).await?.iter().map(describe).collect();
    output.result(&json!({ "owner": owner.to_string(), "blobs": blobs }), |report| {
        let head = ["object", "size", "end", "state", "blob id"].map(str::to_owned).to_vec();
        let row = |blob: &Value| {
            let certified = blob["certified"].as_bool().unwrap_or_default();
            vec![
                blob["object"].to_string(),
                bytes(blob["size"].as_u64().unwrap_or_default()),
                blob["end_epoch"].to_string(),
                if certified { "certified" } else { "registered" }.to_owned(),
                blob["blob_id"].as_str().unwrap_or_default().to_owned(),
            ]
        };
        let rows = report["blobs"].as_array().into_iter().flatten().map(row);
        table(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
    });
    Ok(())
}
