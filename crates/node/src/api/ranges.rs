//! Parts of slivers with all that proves them (docs/protocol/node.md, "Runs of symbols").

use axum::{extract::State, response::Response};
use bytes::Bytes;
use walrus_node_api::{ApiError, ErrorReason, extract, extract::PairPath, query::SymbolRunQuery};
use walrus_redstuff::{
    RowRun, SliverHashProof, SliverIndex, SliverPairIndex, SliverType, SymbolRun, VerifiedMetadata,
};

use super::{
    ApiState,
    admission::binary,
    internal,
    symbols::{expanded, metadata},
};
use crate::{expanded::AnyExpanded, store::slivers::SliverKey};

pub(super) async fn hashes(
    State(state): State<ApiState>,
    PairPath { blob_id, pair }: PairPath,
) -> Result<Response, ApiError> {
    state.check_range(pair)?;
    let metadata = metadata(&state, &blob_id).await?;
    Ok(extract::binary(hash_proof(&state, &metadata, pair).await?.to_bcs()))
}

pub(super) async fn run(
    State(state): State<ApiState>,
    PairPath { blob_id, pair }: PairPath,
    SymbolRunQuery { first, count }: SymbolRunQuery,
) -> Result<Response, ApiError> {
    state.check_range(pair)?;
    let row = pair.to_sliver_index(SliverType::Primary, state.params.n_shards());
    let run = RowRun { row, first, count };
    if !run.is_on_sliver(state.params) {
        return Err(beyond_sliver(run, state.params.secondary_source_symbols()));
    }
    let metadata = metadata(&state, &blob_id).await?;
    state.check_shard(&blob_id, pair)?;
    let length = run.bcs_len(state.params, metadata.symbol_size());
    let memory = state.admission.reserve_sending(length).await?;
    let hashes = hash_proof(&state, &metadata, pair).await?;
    let key = SliverKey { pair, axis: SliverType::Primary };
    let AnyExpanded::Primary(sliver) = expanded_in_turn(&state, &metadata, key).await? else {
        return Err(internal("a primary sliver was extended as a secondary one"));
    };
    let cut = SymbolRun::cut(&sliver, run, hashes, state.params);
    let cut = cut.ok_or_else(|| internal("a run on the sliver could not be cut out of it"))?;
    Ok(binary(Bytes::from(cut.to_bcs()), memory))
}

fn beyond_sliver(run: RowRun, symbols: u16) -> ApiError {
    let RowRun { first: SliverIndex(first), count, .. } = run;
    let message = format!(
        "{count} symbols from column {first} on are not within a primary sliver of {symbols} symbols"
    );
    ApiError::new(ErrorReason::IndexOutOfRange, message)
}

/// The extended sliver; one that is not at hand is extended when its turn comes.
async fn expanded_in_turn(
    state: &ApiState,
    metadata: &VerifiedMetadata,
    key: SliverKey,
) -> Result<AnyExpanded, ApiError> {
    if let Some(found) = state.expanded.cached(metadata.blob_id(), key) {
        return Ok(found);
    }
    let _turn = state.admission.turn_for_symbols().await?;
    expanded(state, metadata, key).await
}

async fn hash_proof(
    state: &ApiState,
    metadata: &VerifiedMetadata,
    pair: SliverPairIndex,
) -> Result<SliverHashProof, ApiError> {
    let tree = state.expanded.blob_tree(&state.env, metadata).await;
    let proof = SliverHashProof::from_tree(metadata, &tree, pair);
    proof.ok_or_else(|| internal("a pair within range has no hashes"))
}
