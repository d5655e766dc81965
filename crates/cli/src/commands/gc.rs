//! `walrus gc`: what was paid for and never finished.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use walrus_chain::BlobRecord;
use walrus_env::Env;

use super::list::Mine;
use crate::{
    args::{GcArgs, Global},
    client,
    failure::{Failure, Kind, Outcome},
    output::{Output, bytes, shorten, table},
    session::Session,
};

const NAME_WIDTH: usize = 26;

/// Runs `walrus gc`.
pub async fn run(env: &Env, global: &Global, arguments: &GcArgs, output: Output) -> Outcome {
    let session = Session::open(env, global).await?;
    let mine = Mine::load(&session).await?;
    let now = mine.calendar.now();
    let unfinished =
        |blob: &&BlobRecord| blob.certified_epoch.is_none() && blob.is_registered_in(now);
    let unfinished: Vec<&BlobRecord> = mine.blobs.iter().filter(unfinished).collect();
    let mut entries: Vec<Value> = unfinished.iter().map(|blob| mine.describe(blob)).collect();
    let client = client::open(&session);
    for (blob, entry) in unfinished.iter().zip(&mut entries) {
        let running = client.is_storing(mine.owner, &blob.blob_id, blob.deletable).await;
        entry["running"] = running.map_err(|error| Failure::new(Kind::Failed, error))?.into();
    }
    let deletable = |entry: &Value| entry["deletable"] == true && entry["running"] == false;
    let count = entries.iter().filter(|entry| deletable(entry)).count();
    if arguments.delete && count > 0 && !arguments.yes {
        let text = format!("nothing was deleted: {count} unfinished blobs would be");
        return Err(Failure::message(Kind::Usage, text).hint(
            "look at them with `walrus gc`; if no other machine is storing them with this wallet, say --yes",
        ));
    }
    if arguments.delete {
        let writer = session.writer().await?;
        for (blob, entry) in unfinished.iter().zip(&mut entries) {
            if deletable(entry) {
                writer.delete(blob.token_id).await?;
                entry["deleted"] = true.into();
            }
        }
    }
    let copies = copies(&client::state_directory(&session).join("outbox"))?;
    let kept: u64 = copies.iter().map(|(_, length)| length).sum();
    if arguments.drop_copies {
        for (path, _) in &copies {
            std::fs::remove_file(path).map_err(|error| {
                Failure::message(Kind::Failed, format!("cannot remove {}: {error}", path.display()))
            })?;
        }
    }
    let report = json!({
        "unfinished": entries,
        "encrypted_copies": { "count": copies.len(), "bytes": kept, "dropped": arguments.drop_copies },
    });
    output.result(&report, human);
    Ok(())
}

/// Encrypted copies that wait to be stored.
fn copies(directory: &Path) -> Result<Vec<(PathBuf, u64)>, Failure> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(anyhow::Error::from)?.path();
        if path.extension().is_some_and(|extension| extension == "age" || extension == "key") {
            let length = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
            found.push((path, length));
        }
    }
    found.sort();
    Ok(found)
}

fn human(report: &Value) -> String {
    let blobs = report["unfinished"].as_array().cloned().unwrap_or_default();
    let copies = &report["encrypted_copies"];
    let kept = match copies["count"].as_u64().unwrap_or_default() {
        0 => String::new(),
        count => format!(
            "\n\n{count} encrypted copies ({}) {}.",
            bytes(copies["bytes"].as_u64().unwrap_or_default()),
            if copies["dropped"] == true { "were removed" } else { "wait to be stored" },
        ),
    };
    if blobs.is_empty() {
        return format!("Nothing is unfinished.{kept}");
    }
    let head = ["object", "name", "size", "until (UTC)", ""].map(str::to_owned).to_vec();
    let row = |blob: &Value| {
        let text = |name: &str| blob[name].as_str().unwrap_or_default().to_owned();
        let name = blob["name"].as_str().map_or_else(|| text("blob_id"), str::to_owned);
        let state = match () {
            () if blob["deleted"] == true => "deleted",
            () if blob["running"] == true => "being stored now",
            () if blob["deletable"] == true => "deletable",
            () => "permanent",
        };
        vec![
            blob["object"].to_string(),
            shorten(&name, NAME_WIDTH),
            bytes(blob["size"].as_u64().unwrap_or_default()),
            text("ends"),
            state.to_owned(),
        ]
    };
    let rows: Vec<_> = std::iter::once(head).chain(blobs.iter().map(row)).collect();
    format!(
        "{}\n\nFinish one by the same `walrus store` again: what is paid is not paid again.\n`walrus gc --delete --yes` deletes the deletable ones and gives their capacity back.{kept}",
        table(&rows)
    )
}
