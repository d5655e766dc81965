//! `walrus share` and `walrus send`: giving others what is stored.

use serde_json::{Value, json};
use walrus_core::TokenId;
use walrus_env::Env;

use super::{chain::parse_address, list::Mine};
use crate::{
    args::{Global, SendArgs, ShareArgs},
    client,
    failure::{Failure, Kind, Outcome},
    output::Output,
    session::Session,
};

/// Runs `walrus share`.
pub async fn share(env: &Env, global: &Global, arguments: &ShareArgs, output: Output) -> Outcome {
    let id = client::blob_id(&arguments.blob_id)?;
    let session = Session::open(env, global).await?;
    let found = session.chain.objects_of(&id).await?;
    let now = session.chain.network().await?.epoch.epoch;
    let mut best = None;
    for token in found {
        let record = session.chain.blob(token).await?;
        best = best.max(record.filter(|r| r.is_certified_in(now)).map(|r| r.end_epoch));
    }
    let Some(end) = best else {
        return Err(Failure::message(Kind::NotFound, format!("blob {id} is not stored now"))
            .hint("check the id and the network (--context)"));
    };
    let gateway = arguments.gateway.as_ref().or(session.context.gateway_url.as_ref());
    let gateway = gateway.map(|url| url.trim_end_matches('/'));
    let reference = match arguments.reference {
        Some(number) => {
            let record = session.chain.reference(number).await?;
            if record.blob_id != id {
                let text = format!("reference {number} names blob {}", record.blob_id);
                return Err(Failure::message(Kind::Usage, text)
                    .hint("`walrus ref update` makes it name this one"));
            }
            Some(number)
        }
        None => None,
    };
    // Only the owner's machine knows how it was encrypted.
    let known = match Mine::load(&session).await {
        Ok(mine) => mine
            .blobs
            .iter()
            .filter(|blob| blob.blob_id == id)
            .find_map(|blob| mine.catalog.get(blob.token_id.0)),
        Err(_) => None,
    };
    let encrypted = known.as_ref().is_some_and(|known| known.encrypted);
    let key_file = known.as_ref().and_then(|known| known.key_file.clone());
    let report = json!({
        "blob_id": id.to_string(),
        "end_epoch": end.0,
        "link": gateway.map(|url| format!("{url}/v1/blobs/{id}")),
        "reference": reference,
        "reference_link": gateway.zip(reference).map(|(url, number)| format!("{url}/v1/blobs/by-reference/{number}")),
        "encrypted": encrypted,
        "key_file": key_file,
    });
    output.result(&report, human);
    Ok(())
}

fn human(report: &Value) -> String {
    let id = report["blob_id"].as_str().unwrap_or_default();
    let mut lines = Vec::new();
    match report["link"].as_str() {
        Some(link) => lines.push(link.to_owned()),
        None => lines.push("For a link, name a gateway: --gateway URL".to_owned()),
    }
    lines.extend(report["reference_link"].as_str().map(str::to_owned));
    let mut how = String::new();
    if report["encrypted"] == true {
        how.push_str(" --identity KEY");
    }
    if report["key_file"].is_string() {
        how.push_str(" --key-file KEYFILE");
    }
    lines.push(format!("walrus read {id} --out FILE{how}"));
    if report["encrypted"] == true {
        lines.push("It is encrypted: the link shows nothing to who has no key.".to_owned());
    }
    if let Some(file) = report["key_file"].as_str() {
        lines.push(format!("Send the key file along: {file}"));
        lines.push(
            "`walrus key rotate` decides who can open it; without --out it replaces yours."
                .to_owned(),
        );
    }
    lines.join("\n")
}

/// Runs `walrus send`.
pub async fn send(env: &Env, global: &Global, arguments: &SendArgs, output: Output) -> Outcome {
    let to = parse_address(&arguments.to)?;
    let session = Session::open(env, global).await?;
    let writer = session.writer().await?;
    let token = TokenId(arguments.object);
    if session.chain.owner_of(token).await? != Some(writer.address()) {
        let text = format!("object {token} does not belong to this wallet");
        return Err(Failure::message(Kind::Refused, text).hint("`walrus list` shows what does"));
    }
    let mine = Mine::load(&session).await?;
    let encrypted = mine.catalog.get(token.0).is_some_and(|known| known.encrypted);
    let receipt = writer.transfer_blob(to, token).await?;
    let report = json!({
        "object": token.0, "to": to.to_string(), "transaction": receipt.transaction.to_string(),
        "encrypted": encrypted,
    });
    output.result(&report, |_| {
        let key = if encrypted { "\nIt is encrypted: they need a key, too." } else { "" };
        format!("Object {token} belongs to {to} now.{key}")
    });
    Ok(())
}
