//! Serving blobs (docs/protocol/http-api.md section 5).

mod answer;
mod cache;
mod concat;
mod content;
mod failure;
mod manifests;
mod names;
mod patches;
mod quilts;
mod ranges;
pub(crate) mod sites;

use axum::extract::State;
use axum::response::Response;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::Deserialize;

use self::answer::{IMMUTABLE, Origin, Wanted, content_headers, partial};
use crate::error::{Error, Reason};
use crate::query::{PathName, Query, ReadQuery, blob_id};
use crate::state::Shared;

pub(crate) use cache::Cache;
pub(crate) use concat::{get as concat, post as concat_list};
pub(crate) use content::Library;
pub(crate) use manifests::Manifests;
pub(crate) use names::{object, reference};
pub(crate) use patches::Patches;
pub(crate) use quilts::{by_identifier, by_patch_id, patches};
pub(crate) use sites::SiteOfHost;

const STREAMING: HeaderName = HeaderName::from_static("x-walrus-streaming");

/// `GET /v1/blobs/{blob_id}`
pub(crate) async fn blob(
    State(gateway): State<Shared>,
    PathName(id): PathName,
    Query(query): Query<ReadQuery>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let id = blob_id(&id)?;
    let answered = content_headers(&headers, &format!("\"{id}\""), IMMUTABLE);
    let wanted = Wanted { method: &method, headers: &headers, check: query.check()? };
    answer::answer(&gateway.library, id, wanted, answered).await
}

/// `GET /v1alpha/blobs/{blob_id}/stream`: the same, under the name that older clients know.
pub(crate) async fn stream(
    gateway: State<Shared>,
    path: PathName,
    query: Query<ReadQuery>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let mut response = blob(gateway, path, query, method, headers).await?;
    response.headers_mut().insert(STREAMING, HeaderValue::from_static("true"));
    Ok(response)
}

/// Part of a blob, by query parameters.
#[derive(Debug, Deserialize)]
pub(crate) struct ByteRangeQuery {
    start: u64,
    length: u64,
}

/// `GET /v1/blobs/{blob_id}/byte-range`
pub(crate) async fn byte_range(
    State(gateway): State<Shared>,
    PathName(id): PathName,
    Query(query): Query<ByteRangeQuery>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let id = blob_id(&id)?;
    let ByteRangeQuery { start, length } = query;
    let refuse = |message: &str| {
        let mut error = Error::new(Reason::InvalidByteRangeQuery, message);
        error.metadata.insert("start", start.to_string());
        error
    };
    let end = start.checked_add(length).filter(|end| *end > start);
    let end = end.ok_or_else(|| refuse("a range has at least one byte and ends below 2^64"))?;
    let check = ReadQuery::default().check()?;
    let blob_bytes = gateway.library.length(&id).await?;
    if end > blob_bytes {
        return Err(refuse("the range is not within the blob").with("length", blob_bytes));
    }
    let answered = content_headers(&headers, &format!("\"{id}-{start}-{length}\""), IMMUTABLE);
    if method == Method::HEAD {
        let mut answered = answered;
        answered.insert(CONTENT_LENGTH, HeaderValue::from(length));
        return Ok(axum::response::IntoResponse::into_response(answered));
    }
    let range = start..end;
    let origin = match gateway.library.prefers_whole(blob_bytes, length) {
        true => Origin::Here(gateway.library.whole(&id, check).await?),
        false => Origin::Nodes(id, check),
    };
    partial(&gateway.library, origin, blob_bytes, std::slice::from_ref(&range), answered).await
}
