//! Storing blobs for others.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use http::HeaderMap;
use serde_json::{Value, json};
use walrus_sdk::{ProgressSink, StoreOptions};

use crate::body;
use crate::error::Error;
use crate::state::Shared;

/// `PUT /v1/blobs`
pub(crate) async fn put_blob(
    State(gateway): State<Shared>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Error> {
    let limits = &gateway.config.limits;
    let limit = usize::try_from(limits.max_upload_bytes).unwrap_or(usize::MAX);
    let bytes = body::collect(limits, &headers, body, limit).await?;
    let wallet = gateway.wallets.first().ok_or_else(|| Error::overloaded("no wallet"))?;
    let stored = gateway
        .client
        .store(wallet, bytes, &StoreOptions::default(), &ProgressSink::none())
        .await
        .map_err(Error::internal)?;
    Ok(Json(json!({"newlyCreated": {"blobObject": {"blobId": stored.blob_id.to_string()}}})))
}
