//! Several blobs one after the other.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use futures::stream;
use http::header::{ACCEPT_RANGES, CONTENT_TYPE};
use http::{HeaderMap, Method};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use walrus_redstuff::{BlobId, ConsistencyCheck};

use super::answer::{IMMUTABLE, content_headers};
use super::content::{Blob, Library};
use super::names::blob_of;
use crate::body;
use crate::error::{Error, Reason};
use crate::query::{Query, ReadQuery, token_id};
use crate::state::Shared;

/// Blobs in one answer.
const BLOBS: usize = 100;
/// Longest list of them.
const LIST_BYTES: usize = 64 << 10;

/// Which blobs, in the query.
#[derive(Debug, Deserialize)]
pub(crate) struct ConcatQuery {
    ids: String,
    #[serde(default)]
    strict_consistency_check: bool,
    #[serde(default)]
    skip_consistency_check: bool,
}

/// Which blobs, in a body.
#[derive(Debug, Deserialize)]
struct ConcatList {
    ids: Vec<String>,
    #[serde(default)]
    strict_consistency_check: bool,
    #[serde(default)]
    skip_consistency_check: bool,
}

/// `GET /v1alpha/blobs/concat`
pub(crate) async fn get(
    State(gateway): State<Shared>,
    Query(query): Query<ConcatQuery>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let flags = ReadQuery::new(query.strict_consistency_check, query.skip_consistency_check);
    let ids = query.ids.split(',').map(str::to_owned).collect();
    answer(&gateway, ids, flags, &method, &headers).await
}

/// `POST /v1alpha/blobs/concat`
pub(crate) async fn post(
    State(gateway): State<Shared>,
    method: Method,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Error> {
    let is_json = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
    if !is_json.is_some_and(|kind| kind.starts_with("application/json")) {
        return Err(Error::new(Reason::UnsupportedMediaType, "the list is application/json"));
    }
    let bytes = body::collect(&gateway.config.limits, &headers, body, LIST_BYTES).await?;
    let list: ConcatList = serde_json::from_slice(&bytes)
        .map_err(|error| Error::malformed(format!("the list cannot be read: {error}")))?;
    let flags = ReadQuery::new(list.strict_consistency_check, list.skip_consistency_check);
    answer(&gateway, list.ids, flags, &method, &headers).await
}

async fn answer(
    gateway: &Shared,
    ids: Vec<String>,
    flags: ReadQuery,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, Error> {
    let check = flags.check()?;
    if ids.is_empty() || ids.len() > BLOBS || ids.iter().all(String::is_empty) {
        return Err(Error::malformed(format!("name 1 to {BLOBS} blobs")));
    }
    let mut blobs = VecDeque::with_capacity(ids.len());
    for id in &ids {
        blobs.push_back(match id.parse::<BlobId>() {
            Ok(id) => id,
            Err(_) => blob_of(gateway, token_id(id)?).await?,
        });
    }
    let tag = URL_SAFE_NO_PAD.encode(Sha256::digest(ids.join(",")));
    let mut answered = content_headers(headers, &format!("\"{tag}\""), IMMUTABLE);
    answered.remove(ACCEPT_RANGES);
    if *method == Method::HEAD {
        return Ok(answered.into_response());
    }
    let library = gateway.library.clone();
    // The first is here before the answer begins, so that its failure is still an answer.
    let first = blobs.pop_front().ok_or_else(|| Error::malformed("name a blob"))?;
    let mut chain =
        Chain { left: gateway.config.limits.max_blob_bytes, library, check, open: None, blobs };
    chain.open(&first).await?;
    let stream = stream::unfold(chain, |mut chain| async move {
        chain.next().await.transpose().map(|bytes| (bytes, chain))
    });
    Ok((answered, Body::from_stream(stream)).into_response())
}

/// Blobs that are being sent; one at a time is here.
struct Chain {
    /// Bytes that the blobs that follow may have: all together no more than one may have.
    left: u64,
    library: Arc<Library>,
    check: ConsistencyCheck,
    open: Option<(Blob, u64)>,
    blobs: VecDeque<BlobId>,
}

impl Chain {
    async fn open(&mut self, id: &BlobId) -> Result<(), Error> {
        let blob = self.library.whole(id, self.check).await?;
        let left = self.left.checked_sub(blob.length());
        self.left = left.ok_or_else(|| {
            let message = "the blobs together are longer than this gateway serves";
            Error::new(Reason::BlobTooLarge, message)
        })?;
        self.open = Some((blob, 0));
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            if let Some((blob, at)) = &mut self.open
                && *at < blob.length()
            {
                let bytes = self.library.read(blob, *at..blob.length()).await;
                let bytes = bytes.map_err(Error::internal)?;
                *at += bytes.len() as u64;
                return Ok(Some(bytes));
            }
            self.open = None;
            let Some(id) = self.blobs.pop_front() else { return Ok(None) };
            self.open(&id).await?;
        }
    }
}
