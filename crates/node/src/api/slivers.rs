//! Slivers: PUT, GET, status (docs/protocol/http-api.md sections 3.3 to 3.5).

use std::time::Duration;

use axum::{body::Body, extract::State, response::Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use walrus_node_api::{
    ApiError, ErrorReason, ErrorStatus,
    extract::{SliverPath, success},
    limits,
    query::PutQuery,
    wire::{SLIVER_ALREADY_STORED, SLIVER_STORED, StoredStatus},
};
use walrus_redstuff::{EncodingParams, SliverError, SliverView, VerifiedMetadata};

use super::{
    ApiState,
    admission::{binary, overloaded},
    internal, invalid_blob, not_registered,
};
use crate::{
    state::NodeState,
    store::slivers::{Put, PutError, ReadError, SliverKey},
};

/// What a simulation charges for verifying a sliver.
const VERIFY_COST: Duration = Duration::from_micros(500);

fn key(path: &SliverPath) -> SliverKey {
    SliverKey { pair: path.pair, axis: path.sliver_type }
}

fn not_found() -> ApiError {
    ApiError::new(ErrorReason::SliverNotFound, "the sliver is not stored here")
}

pub(super) async fn get(
    State(state): State<ApiState>,
    path: SliverPath,
) -> Result<Response, ApiError> {
    state.check_range(path.pair)?;
    if !state.blob_state(&path.blob_id).await?.is_registered(state.epoch()) {
        return Err(not_found());
    }
    state.check_shard(&path.blob_id, path.pair)?;
    // The length is known from the metadata, without which no sliver was stored.
    let metadata = state.store.metadata().get(&path.blob_id).await.map_err(internal)?;
    let metadata = metadata.ok_or_else(not_found)?;
    let length = state.params.sliver_bcs_len(path.sliver_type, metadata.symbol_size());
    let permit = state.admission.reserve_sending(length).await?;
    match state.store.slivers().get(&path.blob_id, key(&path)).await {
        Ok(Some(bytes)) => Ok(binary(bytes, permit)),
        Ok(None) | Err(ReadError::Damaged) => Err(not_found()),
        Err(ReadError::Io(error)) => Err(internal(error)),
    }
}

pub(super) async fn status(
    State(state): State<ApiState>,
    path: SliverPath,
) -> Result<Response, ApiError> {
    state.check_shard(&path.blob_id, path.pair)?;
    let stored = state.store.slivers().contains(&path.blob_id, key(&path)).await;
    let status = match stored.map_err(internal)? {
        true => StoredStatus::Stored,
        false => StoredStatus::Nonexistent,
    };
    Ok(success(StatusCode::OK, status))
}

pub(super) async fn put(
    State(state): State<ApiState>,
    path: SliverPath,
    query: PutQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    state.check_range(path.pair)?;
    let limit = limits::sliver_put(state.params);
    let (bytes, _memory) = state.admission.receive(&headers, body, limit).await?;
    parse(&path, &bytes, state.params)?;
    let metadata = metadata_for(&state, &path, query).await?;
    state.check_shard(&path.blob_id, path.pair)?;
    let stored = state.store.slivers().contains(&path.blob_id, key(&path)).await;
    if stored.map_err(internal)? {
        return Ok(success(StatusCode::OK, SLIVER_ALREADY_STORED));
    }
    let (node, sliver) = (state.node.clone(), bytes.clone());
    state.env.compute(VERIFY_COST, move || verify(&node, &path, &metadata, &sliver)).await?;
    match state.store.slivers().put(&path.blob_id, key(&path), bytes).await {
        Ok(Put::Stored) => Ok(success(StatusCode::CREATED, SLIVER_STORED)),
        Ok(Put::AlreadyStored) => Ok(success(StatusCode::OK, SLIVER_ALREADY_STORED)),
        Err(PutError::Abandoned) => Err(overloaded()),
        Err(error @ PutError::Io(_)) => Err(internal(error)),
    }
}

/// Looks at the sliver and compares its own index with the one in the path.
fn parse<'a>(
    path: &SliverPath,
    bytes: &'a Bytes,
    params: EncodingParams,
) -> Result<SliverView<'a>, ApiError> {
    let expected = path.pair.to_sliver_index(path.sliver_type, params.n_shards());
    let mismatch = |got| {
        let message =
            format!("pair {} has {} sliver {expected}, not {got}", path.pair, path.sliver_type);
        ApiError::new(ErrorReason::SliverIndexMismatch, message)
    };
    match SliverView::from_bcs(path.sliver_type, bytes, params) {
        Ok(sliver) if sliver.index() == expected => Ok(sliver),
        Ok(sliver) => Err(mismatch(sliver.index())),
        Err(SliverError::IndexOutOfRange { index, .. }) => Err(mismatch(index)),
        Err(error) => Err(invalid(&error)),
    }
}

/// The metadata to check a sliver against; a sliver is only taken for a registered blob.
async fn metadata_for(
    state: &ApiState,
    path: &SliverPath,
    query: PutQuery,
) -> Result<VerifiedMetadata, ApiError> {
    let (blob_state, epoch) = state.fresh_state(&path.blob_id).await?;
    if blob_state.invalid.is_some() {
        return Err(invalid_blob());
    }
    let registered = blob_state.is_registered(epoch);
    let metadata = state.store.metadata().get(&path.blob_id).await.map_err(internal)?;
    match metadata.filter(|_| registered) {
        Some(metadata) => Ok(metadata),
        None if registered || query.pending => {
            let message = "store the blob's metadata before its slivers";
            Err(ApiError::new(ErrorReason::MetadataNotFound, message)
                .with_status(ErrorStatus::FailedPrecondition))
        }
        None => Err(not_registered()),
    }
}

fn verify(
    node: &NodeState,
    path: &SliverPath,
    metadata: &VerifiedMetadata,
    bytes: &Bytes,
) -> Result<(), ApiError> {
    let sliver = parse(path, bytes, node.params)?;
    let checked = node.checkers.check(metadata, &sliver, sliver.index());
    checked.map_err(|error| invalid(&error))
}

fn invalid(error: &SliverError) -> ApiError {
    ApiError::new(ErrorReason::InvalidSliver, error.to_string())
}
