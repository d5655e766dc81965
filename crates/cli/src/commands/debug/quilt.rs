//! `walrus debug quilt`: every value of a quilt that another implementation must reproduce.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use walrus_env::Env;
use walrus_redstuff::EncodingParams;
use walrus_redstuff::ReadAt as _;
use walrus_redstuff::quilt::{PlanError, QuiltSource, Tags};
use walrus_sdk::{PreparedQuilt, QuiltFile, Source, StoreQuiltError};

use crate::{
    args::DebugQuiltArgs,
    client,
    commands::quilt::{patches_json, store_failure},
    failure::{Failure, Kind, Outcome},
    output::{Output, bytes, table},
};

/// Longest manifest accepted.
const MANIFEST_BYTES_MAX: u64 = 64 << 20;
/// A quilt is hashed in steps of this length.
const STEP_BYTES: u64 = 1 << 20;

/// What goes into the quilt, in any order.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    files: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    identifier: String,
    path: PathBuf,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

/// What `debug quilt` prints; the first names are those of the conformance vectors.
#[derive(Serialize)]
struct Report {
    n_shards: u16,
    quilt_len: u64,
    quilt_sha256: String,
    blob_id: String,
    index_bcs_hex: String,
    patches: Value,
    symbol_size: u16,
    /// Bytes of all files.
    files_len: u64,
    /// What storage is priced by, for the quilt and for all files each on its own.
    encoded_blob_length: u64,
    encoded_length_of_single_blobs: u64,
}

/// Runs `walrus debug quilt`.
pub async fn quilt(env: &Env, arguments: &DebugQuiltArgs, output: Output) -> Outcome {
    let params = EncodingParams::new(arguments.n_shards)
        .map_err(|error| Failure::new(Kind::Usage, error))?;
    let files = manifest(&arguments.manifest)?;
    let mut lengths = Vec::new();
    for (path, _) in &files {
        lengths.push(std::fs::metadata(path).map(|metadata| metadata.len()).unwrap_or(0));
    }
    let files = files.into_iter().map(|(_, file)| file).collect();
    let quilt = PreparedQuilt::new(env, params, files).await.map_err(failure)?;
    let coder = client::coder(env, &arguments.coding);
    let source = Source::quilt(quilt.clone());
    let metadata = coder.metadata(params, source, &client::progress(output)).await?;
    let content = quilt.content();
    let hash = env.compute(Duration::ZERO, move || sha256(&content)).await;
    let encoded = |length| {
        params.encoded_blob_length(length).map_err(|error| Failure::new(Kind::Usage, error))
    };
    let mut single = 0;
    for length in &lengths {
        single += encoded(*length)?;
    }
    let plan = quilt.plan();
    let report = Report {
        n_shards: params.n_shards(),
        quilt_len: plan.shape().quilt_bytes(),
        quilt_sha256: hash.context("the files cannot be read")?,
        blob_id: metadata.blob_id().to_string(),
        index_bcs_hex: hex::encode(plan.index().to_bcs()),
        patches: patches_json(plan.index(), *metadata.blob_id()),
        symbol_size: plan.shape().symbol_size().get(),
        files_len: lengths.iter().sum(),
        encoded_blob_length: encoded(plan.shape().quilt_bytes())?,
        encoded_length_of_single_blobs: single,
    };
    output.result(&report, |report| human(report, plan.index().patches().len()));
    Ok(())
}

/// The files that a manifest names, each with where it lies.
fn manifest(path: &Path) -> Result<Vec<(PathBuf, QuiltFile)>, Failure> {
    let name = path.display();
    let length = std::fs::metadata(path).map(|metadata| metadata.len());
    let length = length.with_context(|| format!("cannot read {name}"))?;
    if length > MANIFEST_BYTES_MAX {
        let text = format!("{name} has {length} bytes, a manifest at most {MANIFEST_BYTES_MAX}");
        return Err(Failure::message(Kind::Usage, text));
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
    let manifest: Manifest = serde_json::from_str(&text).map_err(|error| {
        Failure::message(Kind::Usage, format!("{name} is not a manifest: {error}"))
            .hint("it is {\"files\": [{\"identifier\": \"…\", \"path\": \"…\", \"tags\": {}}]}")
    })?;
    let beside = path.parent().unwrap_or(Path::new(""));
    let file = |entry: Entry| {
        let near = beside.join(&entry.path);
        let path = if near.exists() { near } else { entry.path };
        let tags = Tags::new(entry.tags).map_err(|error| Failure::new(Kind::Usage, error))?;
        let content = Source::file(&path);
        Ok((path, QuiltFile { identifier: entry.identifier, tags, content }))
    };
    manifest.files.into_iter().map(file).collect()
}

/// The names that the conformance vectors have for these errors stand in front.
fn failure(error: StoreQuiltError) -> Failure {
    let name = match &error {
        StoreQuiltError::Plan(PlanError::TooManyFiles { .. }) => "too_many_files",
        StoreQuiltError::Plan(PlanError::DuplicateIdentifier { .. }) => "duplicate_identifier",
        _ => return store_failure(error),
    };
    let failure = store_failure(error);
    Failure { cause: failure.cause.context(name), ..failure }
}

fn sha256(quilt: &QuiltSource) -> std::io::Result<String> {
    let mut hasher = Sha256::new();
    let mut buffer = Vec::new();
    for start in (0..quilt.len()).step_by(STEP_BYTES as usize) {
        buffer.resize(STEP_BYTES.min(quilt.len() - start) as usize, 0);
        quilt.read_at(start, &mut buffer)?;
        hasher.update(&buffer);
    }
    Ok(hex::encode(hasher.finalize()))
}

fn human(report: &Report, files: usize) -> String {
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    table(&[
        row("Files", format!("{files} of {}", bytes(report.files_len))),
        row("Quilt", format!("{} of {}", report.blob_id, bytes(report.quilt_len))),
        row("SHA-256", report.quilt_sha256.clone()),
        row("Symbol", format!("{} bytes", report.symbol_size)),
        row("Priced as", bytes(report.encoded_blob_length)),
        row("One by one", bytes(report.encoded_length_of_single_blobs)),
    ])
}
