//! `walrus store` of several files and directories.
//!
//! Files are stored independently of each other, some at once. What was interrupted is
//! continued by the same command: files that are stored are found to be, those that are paid
//! for are uploaded, the rest is bought.

use std::{
    collections::BTreeSet,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use futures::StreamExt as _;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use walrus_sdk::{JournalError, Progress, ProgressSink, StoreError, StoreState, Stored};

use super::store::{Storing, report};
use crate::{
    failure::{Failure, Kind, Outcome},
    outbox::Busy,
    output::{Output, bytes, plain, shorten, table, wal},
    tree::{self, Hidden},
};

/// Most files of one command.
const FILES_MAX: usize = 100_000;
/// Widest name in a table of 80 columns beside a blob id.
const NAME_WIDTH: usize = 24;

/// Stores files, and every file in directories, `parallel` of them at once.
pub async fn run(
    storing: &Storing<'_>,
    paths: &[PathBuf],
    parallel: NonZeroUsize,
    output: Output,
) -> Outcome {
    let files = expand(paths)?;
    if storing.outbox.as_ref().is_some_and(|outbox| outbox.key_file.is_some()) {
        return Err(Failure::message(Kind::Usage, "--key-file is for one file")
            .hint("store each with a key file of its own, or pack them into one file first"));
    }
    announce(storing, &files, output).await?;
    let shown = Shown::new(output, files.len());
    let one = async |file: &PathBuf| {
        let bar = shown.begin(file);
        let stored = storing.store(file, &sink(&bar)).await;
        shown.end(&bar);
        (file.clone(), stored)
    };
    let work = futures::stream::iter(&files).map(one).buffer_unordered(parallel.get());
    let mut results: Vec<(PathBuf, Result<Stored, Failure>)> = work.collect().await;
    // Files of equal contents are one blob: of those at once only one was let in.
    for (file, result) in &mut results {
        if result.as_ref().is_err_and(is_busy) {
            *result = storing.store(file, &ProgressSink::none()).await;
        }
    }
    shown.total.finish_and_clear();
    results.sort_by(|one, other| one.0.cmp(&other.0));
    tell(&results, output)
}

/// The files meant by these paths, each once, in order: of directories all, hidden ones too.
pub fn expand(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = BTreeSet::new();
    for path in paths {
        if path == Path::new("-") {
            return Err(Failure::message(Kind::Usage, "standard input is stored alone"));
        }
        if std::fs::metadata(path).map_err(|error| tree::unreadable(path, &error))?.is_dir() {
            files.extend(tree::find(path, Hidden::Kept, FILES_MAX)?.files);
        } else {
            files.insert(path.clone());
        }
        if files.len() > FILES_MAX {
            return Err(Failure::message(Kind::Usage, format!("more than {FILES_MAX} files"))
                .hint("store them in several commands"));
        }
    }
    if files.is_empty() {
        return Err(Failure::message(Kind::Usage, "there is no file in it"));
    }
    Ok(files.into_iter().collect())
}

/// Says what all of it costs at most.
async fn announce(storing: &Storing<'_>, files: &[PathBuf], output: Output) -> Outcome {
    let snapshot = storing.client.network().await?;
    let (params, prices) = (snapshot.committee.params(), snapshot.network.prices);
    let mut most = 0_u64;
    for file in files {
        let length = std::fs::metadata(file).map_or(0, |metadata| metadata.len());
        let padded = storing
            .outbox
            .as_ref()
            .map_or(length, |outbox| outbox.encryption.padding.padded(length));
        if let Ok(encoded) = params.encoded_blob_length(padded) {
            most = most.saturating_add(prices.cost(encoded, storing.options.epochs).total());
        }
    }
    let held = storing.client.chain().wal_balance(storing.writer.address()).await?;
    output.remark(format!(
        "{} files, at most {}; what is stored already costs nothing again",
        files.len(),
        wal(most.into())
    ));
    if held < most {
        output
            .remark(format!("the account holds {}: perhaps too little for all", wal(held.into())));
    }
    Ok(())
}

fn is_busy(failure: &Failure) -> bool {
    // The same file by another of its names.
    if failure.cause.is::<Busy>() {
        return true;
    }
    let error = failure.cause.downcast_ref::<StoreError>();
    matches!(error, Some(StoreError::Journal(JournalError::Busy { .. })))
}

/// Shows or prints what became of each file; fails if one was not stored.
fn tell(results: &[(PathBuf, Result<Stored, Failure>)], output: Output) -> Outcome {
    let cost: u64 = results.iter().flat_map(|(_, r)| r).map(|stored| stored.cost.total()).sum();
    let entry = |(file, result): &(PathBuf, Result<Stored, Failure>)| {
        let mut entry = match result {
            Ok(stored) => report(stored),
            Err(failure) => serde_json::from_str(&failure.to_json()).unwrap_or(Value::Null),
        };
        entry["path"] = file.display().to_string().into();
        entry
    };
    let failed: Vec<&Failure> = results.iter().filter_map(|(_, r)| r.as_ref().err()).collect();
    let value = json!({
        "files": results.iter().map(entry).collect::<Vec<_>>(),
        "stored": results.len() - failed.len(),
        "failed": failed.len(),
        "cost_frost": cost,
    });
    output.result(&value, |_| {
        let row = |(file, result): &(PathBuf, Result<Stored, Failure>)| {
            let name = shorten(&file.display().to_string(), NAME_WIDTH);
            match result {
                Ok(stored) => {
                    vec![name, bytes(stored.unencoded_bytes), stored.blob_id.to_string()]
                }
                Err(failure) => vec![name, "failed".to_owned(), failure.text()],
            }
        };
        let already = results.iter().flat_map(|(_, r)| r);
        let already = already.filter(|s| matches!(s.state, StoreState::AlreadyCertified { .. }));
        let summary = format!(
            "\n\nStored {} of {} files, {} of them before; paid {}.",
            results.len() - failed.len(),
            results.len(),
            already.count(),
            wal(cost.into())
        );
        table(&results.iter().map(row).collect::<Vec<_>>()) + &summary
    });
    let Some(first) = failed.first() else { return Ok(()) };
    let text = format!("{} of {} files were not stored", failed.len(), results.len());
    Err(Failure::message(first.kind, text)
        .hint("run the same command again: it continues and does not pay twice"))
}

/// One bar for each file under way, and one for all.
struct Shown {
    bars: MultiProgress,
    total: ProgressBar,
}

impl Shown {
    fn new(output: Output, files: usize) -> Self {
        let bars = output.bars();
        let total = bars.add(output.bar(files as u64, "files"));
        Self { bars, total }
    }

    fn begin(&self, file: &Path) -> ProgressBar {
        let bar = self.bars.insert_before(&self.total, ProgressBar::new(0));
        let style = ProgressStyle::with_template("  {prefix:24} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.set_prefix(shorten(&file.display().to_string(), NAME_WIDTH));
        bar
    }

    fn end(&self, bar: &ProgressBar) {
        bar.finish_and_clear();
        self.total.inc(1);
    }
}

fn sink(bar: &ProgressBar) -> ProgressSink {
    let bar = bar.clone();
    ProgressSink::new(move |step| {
        let text = match step {
            Progress::Encoding { .. } => "encoding".to_owned(),
            Progress::EncodingBytes { done, total } => percent("encoding", done, total),
            Progress::Registering => "registering".to_owned(),
            Progress::Uploading { slivers_done, slivers_total } => {
                percent("uploading", slivers_done, slivers_total)
            }
            Progress::Certifying => "certifying".to_owned(),
            Progress::Retrying { reason, .. } => format!("again: {}", plain(&reason.to_string())),
            _ => return,
        };
        bar.set_message(text);
    })
}

fn percent(what: &str, done: u64, total: u64) -> String {
    format!("{what} {} %", (done * 100).checked_div(total).unwrap_or(100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_mean_each_file_once() {
        // A file that is named and lies in a directory that is named would be paid for twice.
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("root");
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        for name in ["z", "a/y", "a/b/.x"] {
            std::fs::write(root.join(name), b"1").unwrap();
        }
        let files = expand(&[root.clone(), root.join("z")]).unwrap();
        assert_eq!(files, [root.join("a/b/.x"), root.join("a/y"), root.join("z")]);
        assert!(expand(&[root.join("missing")]).is_err());
        assert!(expand(&["-".into()]).is_err());
        std::os::unix::fs::symlink("/etc/hostname", root.join("link")).unwrap();
        assert!(expand(&[root]).is_err(), "a link was passed over, or followed");
    }
}
