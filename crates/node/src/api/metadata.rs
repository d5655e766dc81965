//! Metadata: PUT, GET, status (docs/protocol/http-api.md sections 3.1 to 3.3).

use std::time::Duration;

use axum::{body::Body, extract::State, response::Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use walrus_node_api::{
    ApiError, ErrorReason,
    extract::{BlobPath, binary, require_binary, success},
    limits,
    query::PutQuery,
    wire::{METADATA_ALREADY_STORED, METADATA_STORED, StoredStatus},
};
use walrus_redstuff::{BlobId, BlobMetadata, EncodingParams, VerifiedMetadata, bcs::BcsError};

use super::{ApiState, internal, invalid_blob, not_registered};

/// What a simulation charges for verifying metadata.
const VERIFY_COST: Duration = Duration::from_millis(1);

pub(super) async fn get(
    State(state): State<ApiState>,
    BlobPath(blob): BlobPath,
) -> Result<Response, ApiError> {
    let missing = || ApiError::new(ErrorReason::MetadataNotFound, "no metadata of this blob here");
    if !state.blob_state(&blob).await?.is_registered(state.epoch()) {
        return Err(missing());
    }
    let metadata = state.store.metadata().get(&blob).await.map_err(internal)?;
    Ok(binary(metadata.ok_or_else(missing)?.to_bcs_with_id()))
}

pub(super) async fn status(
    State(state): State<ApiState>,
    BlobPath(blob): BlobPath,
) -> Result<Response, ApiError> {
    let status = match state.store.metadata().get(&blob).await.map_err(internal)? {
        Some(_) => StoredStatus::Stored,
        None => StoredStatus::Nonexistent,
    };
    Ok(success(StatusCode::OK, status))
}

pub(super) async fn put(
    State(state): State<ApiState>,
    BlobPath(blob): BlobPath,
    _: PutQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    require_binary(&headers)?;
    let limit = limits::metadata_put(state.params);
    let (bytes, _memory) = state.admission.receive(&headers, body, limit).await?;
    if state.blob_state(&blob).await?.invalid.is_some() {
        return Err(invalid_blob());
    }
    if state.store.metadata().get(&blob).await.map_err(internal)?.is_some() {
        return Ok(success(StatusCode::OK, METADATA_ALREADY_STORED));
    }
    let params = state.params;
    let metadata = state.env.compute(VERIFY_COST, move || verify(&bytes, params, &blob)).await?;
    let (blob_state, epoch) = state.fresh_state(&blob).await?;
    if blob_state.invalid.is_some() {
        return Err(invalid_blob());
    }
    if !blob_state.is_registered(epoch) {
        // Nothing is buffered for blobs that are not registered, whatever `pending` says.
        return Err(not_registered());
    }
    state.store.metadata().put(&metadata).await.map_err(internal)?;
    Ok(success(StatusCode::CREATED, METADATA_STORED))
}

fn verify(
    bytes: &Bytes,
    params: EncodingParams,
    blob: &BlobId,
) -> Result<VerifiedMetadata, ApiError> {
    let malformed = |error: BcsError| match error {
        BcsError::UnknownVariant { what: "encoding type", .. } => {
            ApiError::new(ErrorReason::UnsupportedEncodingType, "only encoding type 1 is supported")
        }
        // Readable, but for a network of another size.
        BcsError::WrongCount { .. } => {
            ApiError::new(ErrorReason::InvalidMetadata, error.to_string())
        }
        error => ApiError::new(ErrorReason::InvalidContentType, format!("not metadata: {error}")),
    };
    let metadata = BlobMetadata::from_bcs(bytes, params).map_err(malformed)?;
    metadata
        .verify(params, blob)
        .map_err(|error| ApiError::new(ErrorReason::InvalidMetadata, error.to_string()))
}
