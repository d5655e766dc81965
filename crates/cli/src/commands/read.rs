//! `walrus read`

use std::{collections::BTreeMap, io::Write, path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use serde_json::{Value, json};
use walrus_core::{BlobId, NodeId};
use walrus_encryption::Keys;
use walrus_env::{BlockingFile, Env};
use walrus_redstuff::ConsistencyCheck;
use walrus_sdk::{ByteRange, Client, Content, RangeReport, ReadOptions, ReadReport};

use crate::{
    args::{Check, Global, ReadArgs},
    client,
    commands::decrypt,
    failure::{Failure, Kind, Outcome},
    node_file::write_file,
    output::{self, Output, bytes},
    privacy,
    session::Session,
    signals::wait_for_stop,
};

/// Longest range that is read when no limit is given: it is in memory at once.
const RANGE_BYTES_MAX: u64 = 1 << 30;
/// A blob is copied in steps of this length.
const STEP_BYTES: u64 = 1 << 20;

/// Runs `walrus read`.
pub async fn run(env: &Env, global: &Global, arguments: &ReadArgs, output: Output) -> Outcome {
    let id = client::blob_id(&arguments.blob_id)?;
    if output.is_json() && arguments.out.is_none() {
        return Err(Failure::message(Kind::Usage, "--json needs --out FILE")
            .hint("the blob and the report cannot both go to standard output"));
    }
    let session = Session::open(env, global).await?;
    let client = client::open_with(&session, &arguments.coding);
    let keys = privacy::decryption(&arguments.decryption)?;
    let read = Read { env, client: &client, id, arguments, output };
    let work = async {
        if let Some(keys) = keys {
            return read.decrypted(keys).await;
        }
        match (arguments.range, &arguments.out) {
            (Some(range), _) => read.range(range).await,
            (None, Some(out)) if is_file_or_new(out)? => read.to_file(out).await,
            (None, out) => read.through(out.as_deref()).await,
        }
    };
    tokio::select! {
        biased;
        outcome = work => outcome,
        // Dropping the read removes what it has written.
        () = wait_for_stop() => Err(Failure::message(Kind::Failed, "stopped")),
    }
}

/// Whether a file can be put there, as a whole. Devices and pipes are written to instead.
fn is_file_or_new(path: &Path) -> Result<bool, Failure> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            let text = format!("{} is a directory", path.display());
            Err(Failure::message(Kind::Usage, text).hint("name a file in it with --out"))
        }
        Ok(metadata) => Ok(metadata.is_file()),
        Err(_) => Ok(true),
    }
}

/// One read.
struct Read<'a> {
    env: &'a Env,
    client: &'a Client,
    id: BlobId,
    arguments: &'a ReadArgs,
    output: Output,
}

impl Read<'_> {
    fn options(&self, max_default: u64) -> ReadOptions {
        ReadOptions {
            max_blob_bytes: self.arguments.max_bytes.unwrap_or(max_default),
            consistency: match self.arguments.check {
                Check::Default => ConsistencyCheck::Default,
                Check::Strict => ConsistencyCheck::Strict,
                Check::Skip => ConsistencyCheck::Skip,
            },
        }
    }

    async fn to_file(&self, out: &Path) -> Outcome {
        let (options, progress) = (self.options(u64::MAX), client::progress(self.output));
        let read = self.client.read_to_file(&self.id, out, &options, &progress).await;
        let report = read.map_err(|error| client::read_failure(&self.id, error))?;
        self.warn(&report.misbehaved);
        self.report(out, &report);
        Ok(())
    }

    /// Reads a blob whole before its first byte leaves: nobody sees any that are wrong.
    async fn through(&self, out: Option<&Path>) -> Outcome {
        let (options, progress) = (self.options(u64::MAX), client::progress(self.output));
        let read = self.client.read_aside(&self.id, &options, &progress).await;
        let read = read.map_err(|error| client::read_failure(&self.id, error))?;
        self.warn(&read.report.misbehaved);
        let target = out.map(Path::to_owned);
        let name = out.map_or("standard output".to_owned(), |out| out.display().to_string());
        let write = move || -> std::io::Result<()> {
            match target {
                Some(path) => {
                    copy(&read.content, std::fs::OpenOptions::new().write(true).open(path)?)
                }
                None => copy(&read.content, output::content()),
            }
        };
        self.env.compute(Duration::ZERO, write).await.context(name)?;
        if let Some(out) = out {
            self.report(out, &read.report);
        }
        Ok(())
    }

    /// Reads and decrypts the blob, or part of its content.
    async fn decrypted(&self, keys: Keys) -> Outcome {
        if let Some(range) = self.arguments.range {
            return self.decrypted_range(range, keys).await;
        }
        let is_file = self.arguments.out.as_deref().map(is_file_or_new).transpose()?;
        let (options, progress) = (self.options(u64::MAX), client::progress(self.output));
        let read = self.client.read_aside(&self.id, &options, &progress).await;
        let read = read.map_err(|error| client::read_failure(&self.id, error))?;
        self.warn(&read.report.misbehaved);
        let (out, content) = (self.arguments.out.as_deref(), read.content);
        let is_file = is_file.unwrap_or(false);
        let found = decrypt::whole(self.env, &self.id, content, keys, out, is_file).await?;
        if let Some(out) = out {
            let mut value = self.report_json(out, &read.report);
            value["blob_size"] = read.report.blob_bytes.into();
            value["size"] = found.content.into();
            value["padding"] = found.padding.into();
            value["decrypted"] = true.into();
            self.output.result(&value, |_| {
                format!("Read and decrypted {} into {}.", bytes(found.content), out.display())
            });
        }
        Ok(())
    }

    async fn decrypted_range(&self, range: ByteRange, keys: Keys) -> Outcome {
        let (options, progress) = (self.options(RANGE_BYTES_MAX), client::progress(self.output));
        let part = decrypt::part(self.client, &self.id, range, &keys, &options, &progress).await?;
        self.warn(&part.report.misbehaved);
        let text = format!(
            "Decrypted bytes {}-{} of {}, for which {} of {} were fetched.",
            part.range.start,
            part.range.end.saturating_sub(1),
            part.content,
            bytes(part.report.bytes_fetched),
            bytes(part.report.blob_bytes),
        );
        self.hand_out(&part.bytes, true, text, |out| {
            let mut value = self.range_json(out, &part.report);
            value["size"] = part.bytes.len().into();
            value["first"] = part.range.start.into();
            value["last"] = part.range.end.saturating_sub(1).into();
            value["content_size"] = part.content.into();
            value["decrypted"] = true.into();
            value
        })
    }

    async fn range(&self, range: ByteRange) -> Outcome {
        let (options, progress) = (self.options(RANGE_BYTES_MAX), client::progress(self.output));
        let read = self.client.read_range(&self.id, range, &options, &progress).await;
        let read = read.map_err(|error| client::range_failure(&self.id, error))?;
        self.warn(&read.report.misbehaved);
        let report = &read.report;
        let text = format!(
            "Read bytes {}-{} of {} ({}), for which {} were fetched.",
            report.range.start,
            report.range.end.saturating_sub(1),
            report.blob_bytes,
            bytes(read.bytes.len() as u64),
            bytes(report.bytes_fetched),
        );
        self.hand_out(&read.bytes, false, text, |out| self.range_json(out, report))
    }

    /// Writes what was asked for to standard output or a file, which is nobody else's to read if
    /// it is new and what it holds was `secret`.
    fn hand_out(
        &self,
        part: &[u8],
        secret: bool,
        text: String,
        json: impl Fn(&Path) -> Value,
    ) -> Outcome {
        let Some(out) = &self.arguments.out else {
            output::write_content(part)?;
            self.output.remark(text);
            return Ok(());
        };
        write_file(out, part, secret)?;
        self.output.result(&json(out), |_| text);
        Ok(())
    }

    fn range_json(&self, out: &Path, report: &RangeReport) -> Value {
        json!({
            "blob_id": self.id.to_string(),
            "out": out,
            "size": report.range.end - report.range.start,
            "blob_size": report.blob_bytes,
            "first": report.range.start,
            "last": report.range.end.saturating_sub(1),
            "bytes_fetched": report.bytes_fetched,
            "whole_blob": report.whole_blob,
            "misbehaved": names(&report.misbehaved),
            "failed": names(&report.failed),
            "seconds": { "total": report.time.as_secs_f64() },
        })
    }

    fn warn(&self, misbehaved: &BTreeMap<NodeId, String>) {
        for (node, lie) in misbehaved {
            self.output.remark(format!("node {node} sent wrong data, which was not used: {lie}"));
        }
    }

    fn report(&self, out: &Path, report: &ReadReport) {
        let (value, size) = (self.report_json(out, report), bytes(report.blob_bytes));
        self.output.result(&value, |_| format!("Read {size} into {}.", out.display()));
    }

    fn report_json(&self, out: &Path, report: &ReadReport) -> Value {
        json!({
            "blob_id": self.id.to_string(),
            "out": out,
            "size": report.blob_bytes,
            "slivers": report.slivers,
            "misbehaved": names(&report.misbehaved),
            "failed": names(&report.failed),
            "seconds": {
                "metadata": report.metadata_time.as_secs_f64(),
                "slivers": report.slivers_time.as_secs_f64(),
                "decode": report.decode_time.as_secs_f64(),
            },
        })
    }
}

fn names(nodes: &BTreeMap<NodeId, String>) -> Vec<Value> {
    nodes.iter().map(|(node, why)| json!({ "node_id": node.0, "reason": why })).collect()
}

/// Writes a blob that is complete and verified.
fn copy(content: &Content, mut to: impl Write) -> std::io::Result<()> {
    let file: &Arc<dyn BlockingFile> = match content {
        Content::Memory(bytes) => return to.write_all(bytes).and_then(|()| to.flush()),
        Content::File(file) => file,
    };
    let length = file.len()?;
    let mut buffer = Vec::new();
    for start in (0..length).step_by(STEP_BYTES as usize) {
        buffer.resize(STEP_BYTES.min(length - start) as usize, 0);
        file.read_at(start, &mut buffer)?;
        to.write_all(&buffer)?;
    }
    to.flush()
}
