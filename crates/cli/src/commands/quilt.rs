//! `walrus quilt …`: many files in one blob.

mod collect;
mod extract;
mod names;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use walrus_chain::{ChainWriter, SendConfig};
use walrus_core::BlobId;
use walrus_env::Env;
use walrus_redstuff::quilt::{IndexError, PlanError, QuiltIndex, QuiltPatchId, Tags};
use walrus_sdk::{
    PatchName, QuiltReadOptions, QuiltReport, ReadPatch, ReadQuiltError, SourceError, StoreOptions,
    StoreQuiltError, StoredQuilt,
};

use crate::{
    args::{Global, PatchNameArgs, QuiltCommand, QuiltListArgs, QuiltReadArgs, QuiltStoreArgs},
    catalog::{Catalog, Record},
    client,
    failure::{Failure, Kind, Outcome},
    node_file::write_file,
    output::{self, Output, bytes, table, wal},
    session::Session,
};

/// Most paths in the name of a quilt.
const NAMES_MAX: usize = 3;

/// Runs `walrus quilt …`.
pub async fn run(env: &Env, global: &Global, command: &QuiltCommand, output: Output) -> Outcome {
    match command {
        QuiltCommand::Store(arguments) => store(env, global, arguments, output).await,
        QuiltCommand::List(arguments) => list(env, global, arguments, output).await,
        QuiltCommand::Read(arguments) => read(env, global, arguments, output).await,
        QuiltCommand::Extract(arguments) => extract::run(env, global, arguments, output).await,
    }
}

async fn store(env: &Env, global: &Global, arguments: &QuiltStoreArgs, output: Output) -> Outcome {
    let files = collect::files(&arguments.paths, &arguments.tag)?;
    let session = Session::open(env, global).await?;
    let client = client::open_with(&session, &arguments.coding);
    let writer =
        ChainWriter::new(session.chain.clone(), session.wallet().await?, SendConfig::default());
    let options = StoreOptions {
        epochs: arguments.epochs,
        deletable: arguments.deletable,
        force: arguments.force,
        ..StoreOptions::default()
    };
    let catalog = Catalog::new(&client::state_directory(&session), session.chain.deployment());
    let record = Record::begun(env, name(&arguments.paths));
    let progress = catalog.watch(record.clone(), &client::progress(output));
    let stored = client.store_quilt(&writer, files, &options, &progress).await;
    let quilt = stored.map_err(store_failure)?;
    catalog.remember(&quilt.stored, record)?;
    let id = quilt.stored.blob_id;
    let mut report = super::store::report(&quilt.stored);
    report["patches"] = patches_json(&quilt.index, id);
    output.result(&report, |_| human_store(&quilt));
    Ok(())
}

/// What a quilt is called in `walrus list`: by what it was made of.
fn name(paths: &[PathBuf]) -> String {
    let first = paths.iter().take(NAMES_MAX).map(|path| path.display().to_string());
    let first = first.collect::<Vec<_>>().join(", ");
    match paths.len().saturating_sub(NAMES_MAX) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

fn human_store(quilt: &StoredQuilt) -> String {
    let StoredQuilt { stored, index } = quilt;
    format!(
        "Stored {} files as one blob of {} until epoch {}.\nQuilt  {id}\nPaid   {}\nList them with `walrus quilt list {id}`, read one with `walrus quilt read {id} --identifier NAME`.",
        index.patches().len(),
        bytes(stored.unencoded_bytes),
        stored.end_epoch,
        wal(stored.cost.total().into()),
        id = stored.blob_id,
    )
}

async fn list(env: &Env, global: &Global, arguments: &QuiltListArgs, output: Output) -> Outcome {
    let id = client::blob_id(&arguments.blob_id)?;
    let session = Session::open(env, global).await?;
    let (options, progress) = (QuiltReadOptions::default(), client::progress(output));
    let read = client::open(&session).quilt_index(&id, &options, &progress).await;
    let (index, report) = read.map_err(|error| read_failure(&id, error))?;
    let mut value = report_json(&id, &report);
    value["patches"] = patches_json(&index, id);
    output.result(&value, |_| human_list(&index, id, &report));
    Ok(())
}

fn human_list(index: &QuiltIndex, id: BlobId, report: &QuiltReport) -> String {
    let mut rows = vec![["name", "columns", "patch id", "tags"].map(str::to_owned).to_vec()];
    for patch in index.patches() {
        let tags: Vec<String> =
            patch.tags().iter().map(|(key, value)| format!("{key}={value}")).collect();
        // Names are from whoever stored the quilt: nothing of them reaches the terminal as a command.
        rows.push(vec![
            patch.identifier().escape_debug().to_string(),
            patch.columns().len().to_string(),
            patch.id(id).to_string(),
            tags.join(" ").escape_debug().to_string(),
        ]);
    }
    format!(
        "{}\n{} files in a quilt of {}; {} were fetched.",
        table(&rows),
        index.patches().len(),
        bytes(report.quilt_bytes),
        bytes(report.bytes_fetched),
    )
}

async fn read(env: &Env, global: &Global, arguments: &QuiltReadArgs, output: Output) -> Outcome {
    let (id, name) = which(arguments.blob_id.as_deref(), &arguments.name)?;
    if output.is_json() && arguments.out.is_none() {
        return Err(Failure::message(Kind::Usage, "--json needs --out FILE")
            .hint("the file and the report cannot both go to standard output"));
    }
    let session = Session::open(env, global).await?;
    let options = QuiltReadOptions {
        max_patch_bytes: arguments.max_bytes,
        max_quilt_bytes: arguments.max_bytes.max(QuiltReadOptions::default().max_quilt_bytes),
        check_index: !arguments.no_index,
    };
    let progress = client::progress(output);
    let read = client::open(&session).read_patch(&id, &name, &options, &progress).await;
    let (patch, report) = read.map_err(|error| read_failure(&id, error))?;
    warn(&report, output);
    let text = format!(
        "Read `{}` ({}) of a quilt of {}, for which {} were fetched.",
        patch.identifier.escape_debug(),
        bytes(patch.bytes.len() as u64),
        bytes(report.quilt_bytes),
        bytes(report.bytes_fetched),
    );
    let Some(out) = &arguments.out else {
        output::write_content(&patch.bytes)?;
        output.remark(text);
        return Ok(());
    };
    write_file(out, &patch.bytes, false)?;
    output.result(&patch_json(&id, &patch, &report, out), |_| text);
    Ok(())
}

/// The quilt and what is wanted of it.
fn which(quilt: Option<&str>, name: &PatchNameArgs) -> Result<(BlobId, PatchName), Failure> {
    if let Some(text) = &name.patch {
        let id: QuiltPatchId = text.parse().map_err(|error| {
            Failure::message(Kind::Usage, format!("{text} is not a quilt patch id: {error}"))
                .hint("`walrus quilt list` prints the patch ids of a quilt")
        })?;
        let quilt_id = quilt.map(client::blob_id).transpose()?.unwrap_or(*id.quilt_id());
        if quilt_id != *id.quilt_id() {
            let text = format!("patch id {text} belongs to quilt {}", id.quilt_id());
            return Err(Failure::message(Kind::Usage, text).hint("leave the quilt's id out"));
        }
        return Ok((quilt_id, PatchName::Id(id)));
    }
    let quilt_id = client::blob_id(quilt.unwrap_or_default())?;
    let name = match (&name.identifier, &name.tag) {
        (Some(identifier), _) => PatchName::Identifier(identifier.clone()),
        (None, Some((key, value))) => PatchName::Tag { key: key.clone(), value: value.clone() },
        (None, None) => return Err(Failure::message(Kind::Usage, "which file is not said")),
    };
    Ok((quilt_id, name))
}

/// What reading from a quilt took.
fn report_json(id: &BlobId, report: &QuiltReport) -> Value {
    let names = |nodes: &std::collections::BTreeMap<walrus_core::NodeId, String>| -> Vec<Value> {
        nodes.iter().map(|(node, why)| json!({ "node_id": node.0, "reason": why })).collect()
    };
    json!({
        "blob_id": id.to_string(),
        "quilt_size": report.quilt_bytes,
        "bytes_fetched": report.bytes_fetched,
        "columns": report.columns,
        "columns_recovered": report.columns_recovered,
        "whole_quilt": report.whole_quilt,
        "misbehaved": names(&report.misbehaved),
        "failed": names(&report.failed),
        "seconds": { "total": report.time.as_secs_f64() },
    })
}

fn patch_json(id: &BlobId, patch: &ReadPatch, report: &QuiltReport, out: &Path) -> Value {
    let mut value = report_json(id, report);
    value["identifier"] = patch.identifier.clone().into();
    value["patch_id"] = patch.id.to_string().into();
    value["tags"] = tags_json(&patch.tags);
    value["size"] = patch.bytes.len().into();
    value["out"] = json!(out);
    value
}

/// The files of a quilt in the form of the conformance vectors.
pub fn patches_json(index: &QuiltIndex, quilt_id: BlobId) -> Value {
    let patch = |patch: &walrus_redstuff::quilt::QuiltPatch| {
        json!({
            "identifier": patch.identifier(),
            "start_index": patch.columns().start,
            "end_index": patch.columns().end,
            "tags": tags_json(patch.tags()),
            "patch_id": patch.id(quilt_id).to_string(),
        })
    };
    index.patches().iter().map(patch).collect()
}

fn tags_json(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| (key.to_owned(), Value::from(value))).collect()
}

fn warn(report: &QuiltReport, output: Output) {
    for (node, lie) in &report.misbehaved {
        output.remark(format!("node {node} sent wrong data, which was not used: {lie}"));
    }
}

/// A quilt that was not stored, in the user's words.
pub fn store_failure(error: StoreQuiltError) -> Failure {
    match error {
        StoreQuiltError::Plan(error @ PlanError::TooManyFiles { .. }) => {
            Failure::new(Kind::Usage, error).hint("store them as several quilts, or as an archive")
        }
        StoreQuiltError::Plan(error @ PlanError::DuplicateIdentifier { .. }) => {
            Failure::new(Kind::Usage, error)
                .hint("files are called by their names, those in a directory by their paths in it")
        }
        StoreQuiltError::Plan(error) => Failure::new(Kind::Usage, error),
        StoreQuiltError::Source(error @ SourceError::Unreadable { .. }) => {
            Failure::new(Kind::Usage, error)
        }
        StoreQuiltError::Network(error) => error.into(),
        StoreQuiltError::Store(error) => error.into(),
        error => Failure::new(Kind::Failed, error),
    }
}

/// A quilt, or a file of one, that was not read, in the user's words.
fn read_failure(id: &BlobId, error: ReadQuiltError) -> Failure {
    match error {
        ReadQuiltError::Read(error) => client::read_failure(id, error),
        error @ ReadQuiltError::Index(IndexError::NotAQuilt(_) | IndexError::Version { .. }) => {
            Failure::new(Kind::Usage, error).hint(format!("read it with `walrus read {id}`"))
        }
        error @ ReadQuiltError::NoSuchPatch { .. } => Failure::new(Kind::NotFound, error)
            .hint(format!("see what is in it with `walrus quilt list {id}`")),
        error @ ReadQuiltError::Ambiguous { .. } => {
            Failure::new(Kind::Usage, error).hint("name one of them with --identifier")
        }
        error @ ReadQuiltError::TooLong { .. } => {
            Failure::new(Kind::Usage, error).hint("raise the limit with --max-bytes")
        }
        error @ ReadQuiltError::OutOfReach { .. } => Failure::new(Kind::Unavailable, error)
            .hint("too many nodes are away or lying; try again later, and see `walrus health`"),
        error => Failure::new(Kind::Failed, error),
    }
}
