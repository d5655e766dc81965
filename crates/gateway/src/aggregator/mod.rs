//! Serving blobs.

mod failure;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_SECURITY_POLICY, ETAG, X_CONTENT_TYPE_OPTIONS};
use walrus_redstuff::BlobId;
use walrus_sdk::{ProgressSink, ReadOptions};

use crate::error::{Error, Reason};
use crate::state::Shared;

/// `GET /v1/blobs/{blob_id}`
pub(crate) async fn blob(
    State(gateway): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let id: BlobId =
        id.parse().map_err(|_| Error::new(Reason::InvalidIdFormat, "this is not a blob id"))?;
    let options = ReadOptions {
        max_blob_bytes: gateway.config.limits.max_blob_bytes,
        ..ReadOptions::default()
    };
    let read = gateway.client.read(&id, &options, &ProgressSink::none()).await?;
    let headers = [
        (ETAG, format!("\"{id}\"")),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'".to_owned()),
    ];
    Ok((headers, read.bytes).into_response())
}
