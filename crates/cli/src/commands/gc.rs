//! `walrus gc`: what was paid for and never finished.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use walrus_chain::BlobRecord;
use walrus_env::{DiskLock, Env};

use super::list::Mine;
use crate::{
    args::{GcArgs, Global},
    client,
    failure::{Failure, Kind, Outcome},
    output::{Output, bytes, shorten, table},
    secret_file,
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
    let copies = copies(env, &client::state_directory(&session).join("outbox")).await?;
    let kept: u64 = copies.iter().map(|copy| copy.length).sum();
    if arguments.drop_copies {
        for copy in &copies {
            copy.remove(env)?;
        }
    }
    let report = json!({
        "unfinished": entries,
        "encrypted_copies": { "count": copies.len(), "bytes": kept, "dropped": arguments.drop_copies },
    });
    output.result(&report, human);
    Ok(())
}

/// An encrypted copy that waits to be stored, or its key, and that no store uses now.
struct Copy {
    path: PathBuf,
    length: u64,
    _lock: Option<Box<dyn DiskLock>>,
}

impl Copy {
    fn remove(&self, env: &Env) -> Outcome {
        let is_key = self.path.extension().is_some_and(|extension| extension == "key");
        let removed = match is_key {
            true => secret_file::destroy(env, &self.path),
            false => std::fs::remove_file(&self.path),
        };
        removed.map_err(|error| {
            let text = format!("cannot remove {}: {error}", self.path.display());
            Failure::message(Kind::Failed, text)
        })
    }
}

/// The copies in the outbox, each pair of copy and key locked against stores that begin now.
async fn copies(env: &Env, directory: &Path) -> Result<Vec<Copy>, Failure> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Ok(Vec::new()) };
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(anyhow::Error::from)?.path());
    }
    paths.retain(|path| path.extension().is_some_and(|end| end == "age" || end == "key"));
    paths.sort();
    let mut found: Vec<Copy> = Vec::new();
    for path in paths {
        let lock = path.with_extension("lock");
        let is_held = found.last().is_some_and(|copy| copy.path.with_extension("lock") == lock);
        let lock = match is_held {
            true => None,
            false => match env.disk.lock(&lock).await {
                Ok(lock) => Some(lock),
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                Err(error) => return Err(anyhow::Error::from(error).into()),
            },
        };
        let length = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
        found.push(Copy { path, length, _lock: lock });
    }
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use walrus_env::real;

    use super::*;

    #[tokio::test]
    async fn copies_that_a_store_uses_are_left_alone() {
        // What was paid for under a key that is gone can never be read.
        let directory = tempfile::tempdir().unwrap();
        let env = real::env();
        for name in ["idle.age", "idle.key", "busy.age", "busy.key"] {
            std::fs::write(directory.path().join(name), name).unwrap();
        }
        let busy = env.disk.lock(&directory.path().join("busy.lock")).await.unwrap();
        let found = copies(&env, directory.path()).await.unwrap();
        let names: Vec<_> = found.iter().map(|copy| copy.path.file_name().unwrap()).collect();
        assert_eq!(names, ["idle.age", "idle.key"]);
        let begun = env.disk.lock(&directory.path().join("idle.lock")).await;
        assert_eq!(begun.err().unwrap().kind(), ErrorKind::WouldBlock);
        found.iter().for_each(|copy| copy.remove(&env).unwrap());
        assert!(!directory.path().join("idle.key").exists());
        assert!(directory.path().join("busy.key").exists());
        drop(busy);
    }
}
