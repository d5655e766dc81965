//! Files in quilts.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};
use walrus_redstuff::BlobId;
use walrus_redstuff::quilt::QuiltPatchId;
use walrus_sdk::{PatchName, ProgressSink, QuiltReadOptions, ReadQuiltError};

use super::answer::{IMMUTABLE, content_headers};
use super::names::add;
use super::patches::Patch;
use super::ranges::{Condition, condition, requested};
use crate::error::{Error, Reason};
use crate::query::{PathName, PathNames, blob_id};
use crate::router::PATCH_IDENTIFIER;
use crate::state::Shared;

/// `GET /v1/blobs/by-quilt-patch-id/{patch_id}`
pub(crate) async fn by_patch_id(
    State(gateway): State<Shared>,
    PathName(id): PathName,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let id: QuiltPatchId =
        id.parse().map_err(|error| Error::new(Reason::InvalidIdFormat, format!("{error}")))?;
    let etag = format!("\"{id}\"");
    // The tag names the file for ever: whoever has it needs nothing to be read. A star would
    // ask whether there is one.
    let tags = headers.get(IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    let named = tags.is_some_and(|tags| tags.contains(&etag));
    if named && condition(&headers, &etag) == Condition::NotModified {
        let mut answered = content_headers(&headers, &etag, IMMUTABLE);
        answered.remove(CONTENT_TYPE);
        return Ok((StatusCode::NOT_MODIFIED, answered).into_response());
    }
    answer(&gateway, *id.quilt_id(), PatchName::Id(id), &method, &headers).await
}

/// `GET /v1/blobs/by-quilt-id/{quilt_id}/{identifier}`
pub(crate) async fn by_identifier(
    State(gateway): State<Shared>,
    PathNames(quilt, identifier): PathNames,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let name = PatchName::Identifier(identifier);
    answer(&gateway, blob_id(&quilt)?, name, &method, &headers).await
}

/// `GET /v1/quilts/{quilt_id}/patches`
pub(crate) async fn patches(
    State(gateway): State<Shared>,
    PathName(quilt): PathName,
) -> Result<Json<Value>, Error> {
    let id = blob_id(&quilt)?;
    let _turn = gateway.patch_reads.acquire().await.map_err(Error::internal)?;
    let read = gateway.client.quilt_index(&id, &options(&gateway), &ProgressSink::none()).await;
    let (index, _) = read.map_err(failure)?;
    let describe = |patch: &walrus_redstuff::quilt::QuiltPatch| {
        let tags: serde_json::Map<_, _> =
            patch.tags().iter().map(|(k, v)| (k.to_owned(), v.into())).collect();
        json!({
            "identifier": patch.identifier(),
            "patch_id": patch.id(id).to_string(),
            "tags": tags,
        })
    };
    Ok(Json(index.patches().iter().map(describe).collect()))
}

fn options(gateway: &Shared) -> QuiltReadOptions {
    let limits = &gateway.config.limits;
    QuiltReadOptions {
        max_patch_bytes: limits.max_patch_bytes,
        max_quilt_bytes: limits.max_blob_bytes,
        ..QuiltReadOptions::default()
    }
}

/// Answers with a file whose headers are known before it is read.
pub(super) async fn answer_id(
    gateway: &Shared,
    id: &QuiltPatchId,
    method: &Method,
    headers: &HeaderMap,
    answered: HeaderMap,
) -> Result<Response, Error> {
    let patch = read(gateway, id.quilt_id(), &PatchName::Id(*id)).await?;
    answer_bytes(gateway, &patch, method, headers, answered).await
}

async fn read(gateway: &Shared, quilt_id: &BlobId, name: &PatchName) -> Result<Arc<Patch>, Error> {
    let kept = || match name {
        PatchName::Id(id) => gateway.patches.get(id),
        _ => None,
    };
    if let Some(patch) = kept() {
        return Ok(patch);
    }
    let _turn = gateway.patch_reads.acquire().await.map_err(Error::internal)?;
    // Another may have read it meanwhile.
    if let Some(patch) = kept() {
        return Ok(patch);
    }
    let none = ProgressSink::none();
    let read = gateway.client.read_patch(quilt_id, name, &options(gateway), &none).await;
    let patch = Arc::new(Patch::from(read.map_err(failure)?.0));
    gateway.patches.keep(&patch);
    Ok(patch)
}

async fn answer(
    gateway: &Shared,
    quilt_id: BlobId,
    name: PatchName,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, Error> {
    let patch = read(gateway, &quilt_id, &name).await?;
    // Of its own, not the quilt's: the files of a quilt are not the same.
    let etag = format!("\"{}\"", patch.id);
    let mut answered = content_headers(headers, &etag, IMMUTABLE);
    add(&gateway.config, patch.tags.iter(), &mut answered);
    if let Ok(identifier) = HeaderValue::from_str(&patch.identifier) {
        answered.insert(PATCH_IDENTIFIER, identifier);
    }
    answer_bytes(gateway, &patch, method, headers, answered).await
}

async fn answer_bytes(
    gateway: &Shared,
    patch: &Patch,
    method: &Method,
    headers: &HeaderMap,
    mut answered: HeaderMap,
) -> Result<Response, Error> {
    let etag = format!("\"{}\"", patch.id);
    answered.insert(ETAG, HeaderValue::try_from(&etag).map_err(Error::internal)?);
    match condition(headers, &etag) {
        Condition::Met => {}
        Condition::NotModified => return Ok((StatusCode::NOT_MODIFIED, answered).into_response()),
        Condition::Failed => {
            let message = "the file is not the one that the condition names";
            return Err(Error::new(Reason::ConditionFailed, message));
        }
    }
    let length = patch.bytes.len() as u64;
    if *method == Method::HEAD {
        answered.insert(CONTENT_LENGTH, HeaderValue::from(length));
        return Ok(answered.into_response());
    }
    gateway
        .library
        .answer_bytes(patch.bytes.clone(), requested(headers, &etag, length)?, answered)
        .await
}

fn failure(error: ReadQuiltError) -> Error {
    match error {
        ReadQuiltError::NoSuchPatch { .. }
        | ReadQuiltError::Index(_)
        | ReadQuiltError::Patch(_) => Error::new(Reason::QuiltPatchNotFound, error.to_string()),
        ReadQuiltError::TooLong { length, max } => {
            let message = format!(
                "the file has {length} bytes with its padding, this gateway serves files of quilts of up to {max}"
            );
            let error = Error::new(Reason::BlobTooLarge, message);
            error.with("blob_bytes", length).with("limit_bytes", max)
        }
        ReadQuiltError::Read(error) => error.into(),
        ReadQuiltError::OutOfReach { .. } => {
            tracing::warn!(%error, "a quilt cannot be read");
            Error::new(Reason::BlobUnavailable, "too few nodes answered; try again")
                .retry_after(std::time::Duration::from_secs(5))
        }
        error => Error::internal(error),
    }
}
