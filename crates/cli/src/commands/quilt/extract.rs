//! `walrus quilt extract`: all files of a quilt into a directory.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::json;
use walrus_env::Env;
use walrus_sdk::QuiltReadOptions;

use super::{names, read_failure, report_json, warn};
use crate::{
    args::{Global, QuiltExtractArgs},
    client,
    failure::{Failure, Kind, Outcome},
    output::{Output, bytes},
    session::Session,
};

/// Runs `walrus quilt extract`. Names are looked at before anything but the index is fetched; then the
/// whole quilt is, with the strict check, since all of it is wanted.
pub async fn run(
    env: &Env,
    global: &Global,
    arguments: &QuiltExtractArgs,
    output: Output,
) -> Outcome {
    let id = client::blob_id(&arguments.blob_id)?;
    let session = Session::open(env, global).await?;
    let max = arguments.max_bytes.unwrap_or(u64::MAX);
    let options =
        QuiltReadOptions { max_patch_bytes: max, max_quilt_bytes: max, check_index: true };
    let failed = |error| read_failure(&id, error);
    let client = client::open_with(&session, &arguments.coding);
    let mut quilt = client.quilt(&id, &options, &client::progress(output)).await.map_err(failed)?;
    let index = quilt.index().await.map_err(failed)?.clone();
    names::check(index.patches().iter().map(|patch| patch.identifier())).map_err(|error| {
        Failure::new(Kind::Failed, error)
            .hint("nothing was written; read single files with `walrus quilt read --identifier`")
    })?;
    for patch in index.patches() {
        let target = Target::new(&arguments.out, patch.identifier());
        target.check()?;
    }
    quilt.fetch_whole().await.map_err(failed)?;
    let mut size = 0;
    for patch in index.patches() {
        let target = Target::new(&arguments.out, patch.identifier());
        let copied = quilt.copy(patch, target.create()?).await;
        // Half a file looks like one.
        let file = copied.inspect_err(|_| target.remove()).map_err(failed)?;
        size += env.compute(Duration::ZERO, move || target.finish(&file)).await?;
    }
    let report = quilt.report();
    warn(&report, output);
    let mut value = report_json(&id, &report);
    value["out"] = json!(arguments.out);
    value["files"] = index.patches().len().into();
    value["size"] = size.into();
    output.result(&value, |_| {
        let (count, out) = (index.patches().len(), arguments.out.display());
        format!("Extracted {count} files ({}) into {out}.", bytes(size))
    });
    Ok(())
}

/// Where a file is to be written.
struct Target {
    root: PathBuf,
    name: String,
}

impl Target {
    /// `name` was checked: it leads below `root`.
    fn new(root: &Path, name: &str) -> Self {
        Self { root: root.to_owned(), name: name.to_owned() }
    }

    fn path(&self) -> PathBuf {
        self.root.join(&self.name)
    }

    /// The directories between the root and the file.
    fn directories(&self) -> impl Iterator<Item = PathBuf> {
        self.name.match_indices('/').map(|(end, _)| self.root.join(&self.name[..end]))
    }

    /// Fails if something is there that must not be: the file, or anything but a directory on the way to
    /// it. A link on the way would lead out of the root.
    fn check(&self) -> Outcome {
        for directory in self.directories() {
            match std::fs::symlink_metadata(&directory) {
                Ok(metadata) if metadata.is_symlink() => {
                    return Err(self.refused(&directory, "is a symbolic link"));
                }
                Ok(metadata) if !metadata.is_dir() => {
                    return Err(self.refused(&directory, "is not a directory"));
                }
                _ => {}
            }
        }
        match std::fs::symlink_metadata(self.path()) {
            Ok(_) => Err(self.refused(&self.path(), "exists already")),
            Err(_) => Ok(()),
        }
    }

    fn refused(&self, place: &Path, reason: &str) -> Failure {
        let text = format!("`{}` cannot be written: {} {reason}", self.name, place.display());
        Failure::message(Kind::Usage, text).hint("extract into a new directory")
    }

    /// Creates the file, which must not exist.
    fn create(&self) -> Result<File, Failure> {
        self.check()?;
        let path = self.path();
        let create = || {
            let parent = path.parent().unwrap_or(&self.root);
            DirBuilder::new().recursive(true).create(parent)?;
            OpenOptions::new().write(true).create_new(true).open(&path)
        };
        create().map_err(|error| self.failed(&error))
    }

    /// Takes away what was not written to its end.
    fn remove(&self) {
        if let Err(error) = std::fs::remove_file(self.path()) {
            tracing::warn!(%error, path = %self.path().display(), "half a file stays");
        }
    }

    /// Makes sure that the file stays; its length.
    fn finish(&self, file: &File) -> Result<u64, Failure> {
        let length = || {
            file.sync_all()?;
            Ok(file.metadata()?.len())
        };
        length().map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &std::io::Error) -> Failure {
        let path = self.path();
        Failure::message(Kind::Failed, format!("cannot write {}: {error}", path.display()))
    }
}
