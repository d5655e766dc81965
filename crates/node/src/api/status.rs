//! What the node knows of a blob id (docs/protocol/http-api.md section 3.7).

use axum::{extract::State, response::Response};
use http::StatusCode;
use walrus_node_api::{
    ApiError,
    extract::{BlobPath, success},
};

use super::ApiState;

pub(super) async fn get(
    State(state): State<ApiState>,
    BlobPath(blob): BlobPath,
) -> Result<Response, ApiError> {
    let status = state.blob_state(&blob).await?.status(state.epoch());
    Ok(success(StatusCode::OK, status))
}
