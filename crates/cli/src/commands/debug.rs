//! `walrus debug`: every value of an encoding that another implementation
//! must reproduce.

mod quilt;

use std::time::Duration;

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use walrus_core::SliverPairIndex;
use walrus_env::Env;
use walrus_redstuff::{EncodingParams, SliverIndex, SliverType};
use walrus_sdk::{EncodeError, Encoded};

use crate::{
    args::DebugEncodeArgs,
    client,
    failure::{Failure, Kind, Outcome},
    input::Input,
    output::{Output, table},
};

pub use quilt::quilt;

/// What `debug encode` prints; the names and meanings are those of the conformance vectors.
#[derive(Serialize)]
struct Report {
    n_shards: u16,
    length: u64,
    symbol_size: u16,
    encoded_blob_length: u64,
    blob_id: String,
    blob_id_hex: String,
    blob_id_u256: String,
    root_hash: String,
    shard_index_of_pair_0: u16,
    metadata_bcs_len: usize,
    metadata_bcs_sha256: String,
    metadata_with_id_bcs_sha256: String,
    all_primary_sha256: String,
    all_secondary_sha256: String,
    all_primary_bcs_sha256: String,
    all_secondary_bcs_sha256: String,
}

/// Runs `walrus debug encode`.
pub async fn encode(env: &Env, arguments: &DebugEncodeArgs, output: Output) -> Outcome {
    let params = EncodingParams::new(arguments.n_shards)
        .map_err(|error| Failure::new(Kind::Usage, error))?;
    let coder = client::coder(env, &arguments.coding);
    let source = Input::new(&arguments.input).source(env, &coder, params.max_blob_size()).await?;
    let encoded = coder.encode(params, source, &client::progress(output)).await?;
    let bar = output.spinner("hashing slivers");
    let report = env.compute(Duration::ZERO, move || report(params, &encoded)).await?;
    bar.finish_and_clear();
    output.result(&report, human);
    Ok(())
}

fn report(params: EncodingParams, encoded: &Encoded) -> Result<Report, EncodeError> {
    let metadata = encoded.metadata();
    let id = metadata.blob_id();
    let n = params.n_shards();
    let metadata_bcs = metadata.to_bcs();
    let (all_primary_sha256, all_primary_bcs_sha256) = hashes(SliverType::Primary, n, encoded)?;
    let (all_secondary_sha256, all_secondary_bcs_sha256) =
        hashes(SliverType::Secondary, n, encoded)?;
    Ok(Report {
        n_shards: n,
        length: metadata.unencoded_length(),
        symbol_size: metadata.symbol_size().get(),
        encoded_blob_length: params
            .encoded_blob_length(metadata.unencoded_length())
            .expect("a blob that was encoded has an encoded length"),
        blob_id: id.to_string(),
        blob_id_hex: hex::encode(id.as_bytes()),
        blob_id_u256: id.to_u256_decimal(),
        root_hash: hex::encode(metadata.root_hash().as_bytes()),
        shard_index_of_pair_0: SliverPairIndex(0).to_shard_index(n, id).0,
        metadata_bcs_len: metadata_bcs.len(),
        metadata_bcs_sha256: hex::encode(Sha256::digest(&metadata_bcs)),
        metadata_with_id_bcs_sha256: hex::encode(Sha256::digest(metadata.to_bcs_with_id())),
        all_primary_sha256,
        all_secondary_sha256,
        all_primary_bcs_sha256,
        all_secondary_bcs_sha256,
    })
}

/// SHA-256 over the data, and over the BCS, of all slivers of one axis by sliver index.
fn hashes(
    sliver_type: SliverType,
    n_shards: u16,
    encoded: &Encoded,
) -> Result<(String, String), EncodeError> {
    let (mut data, mut bcs) = (Sha256::new(), Sha256::new());
    for index in 0..n_shards {
        let sliver = encoded
            .sliver(sliver_type, SliverIndex(index))?
            .expect("an encoded blob has a sliver for every shard");
        data.update(sliver.data());
        bcs.update(sliver.to_bcs());
    }
    Ok((hex::encode(data.finalize()), hex::encode(bcs.finalize())))
}

fn human(report: &Report) -> String {
    let value = serde_json::to_value(report).unwrap_or_default();
    let rows = value.as_object().into_iter().flatten().map(|(name, value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        vec![name.clone(), text]
    });
    table(&rows.collect::<Vec<_>>())
}
