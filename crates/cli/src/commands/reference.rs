//! `walrus ref`: names whose target changes.

use serde_json::json;
use walrus_core::TokenId;
use walrus_env::Env;

use crate::{
    args::{Global, RefCommand},
    client,
    failure::Outcome,
    output::Output,
    session::Session,
};

/// Runs `walrus ref …`.
pub async fn run(env: &Env, global: &Global, command: &RefCommand, output: Output) -> Outcome {
    let session = Session::open(env, global).await?;
    let reference = match command {
        RefCommand::Create { blob_id, object } => {
            let blob = client::blob_id(blob_id)?;
            session.writer().await?.create_reference(&blob, object.map(TokenId)).await?
        }
        RefCommand::Update { reference, blob_id, object } => {
            let blob = client::blob_id(blob_id)?;
            let version = session.chain.reference(*reference).await?.version;
            let writer = session.writer().await?;
            writer.update_reference(*reference, &blob, object.map(TokenId), version).await?;
            *reference
        }
        RefCommand::Freeze { reference } => {
            let version = session.chain.reference(*reference).await?.version;
            session.writer().await?.freeze_reference(*reference, version).await?;
            *reference
        }
        RefCommand::Resolve { reference } => *reference,
    };
    let found = session.chain.reference(reference).await?;
    let report = json!({
        "reference": reference,
        "owner": found.owner.to_string(),
        "blob_id": found.blob_id.to_string(),
        "object": found.token_id.map(|token| token.0),
        "version": found.version,
        "frozen": found.frozen,
        "end_epoch": found.end_epoch.0,
        "available": found.available,
    });
    output.result(&report, |_| {
        let state = if found.available { "available" } else { "not available" };
        let frozen = if found.frozen { ", frozen" } else { "" };
        format!(
            "Reference {reference}, version {}{frozen}: {} ({state})",
            found.version, found.blob_id
        )
    });
    Ok(())
}
