//! A blob, or parts of it, as an HTTP answer.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream;
use http::header::{
    ACCEPT, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, ETAG, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use walrus_redstuff::{BlobId, ConsistencyCheck};

use super::content::{Blob, Library};
use super::ranges::{Condition, condition, requested};
use crate::error::{Error, Reason};

/// What others may embed, and what a stored page may not do: run scripts, or act as this
/// origin.
const POLICY: &str = "sandbox; default-src 'none'; img-src 'self' data:; \
                      media-src 'self' data:; style-src 'unsafe-inline'";
pub(super) const RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");

/// Content that never changes may be kept for a day, as on the public network.
pub(crate) const IMMUTABLE: &str = "public, max-age=86400, stale-while-revalidate=3600";
/// A name whose target may change is asked for again each time.
pub(crate) const CHANGING: &str = "public, no-cache";

/// What is asked for, and of which kind of check.
pub(crate) struct Wanted<'a> {
    pub(crate) method: &'a Method,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) check: ConsistencyCheck,
}

/// Headers of every answer with content of users.
pub(crate) fn content_headers(request: &HeaderMap, etag: &str, cache: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(VARY, HeaderValue::from_static("accept"));
    if let Ok(etag) = HeaderValue::from_str(etag) {
        headers.insert(ETAG, etag);
    }
    // Who asks for one type by name gets the bytes as that, as on the public network. There
    // is no default: browsers then find out by themselves, and show images but run nothing.
    if let Some(accepted) = request.get(ACCEPT)
        && accepted.to_str().is_ok_and(is_one_type)
    {
        headers.insert(CONTENT_TYPE, accepted.clone());
    }
    headers
}

/// Whether it is one media type, without stars, lists and weights.
fn is_one_type(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"/+-._".contains(&b);
    text.len() <= 100 && text.bytes().all(allowed) && text.split('/').count() == 2
}

/// Answers for the blob `id` with these headers.
pub(crate) async fn answer(
    library: &Arc<Library>,
    id: BlobId,
    wanted: Wanted<'_>,
    mut headers: HeaderMap,
) -> Result<Response, Error> {
    let etag = headers.get(ETAG).and_then(|tag| tag.to_str().ok()).unwrap_or_default().to_owned();
    let simple = !wanted.headers.keys().any(|name| {
        [http::header::RANGE, http::header::IF_MATCH, http::header::IF_NONE_MATCH].contains(name)
    });
    if simple && wanted.method != Method::HEAD {
        let blob = library.whole(&id, wanted.check).await?;
        return whole(library, blob, headers).await;
    }
    let length = library.length(&id).await?;
    match condition(wanted.headers, &etag) {
        Condition::Met => {}
        Condition::NotModified => {
            headers.remove(CONTENT_TYPE);
            return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
        }
        Condition::Failed => {
            let message = "the blob is not the one that the condition names";
            return Err(Error::new(Reason::ConditionFailed, message));
        }
    }
    // Ranges are defined for GET only.
    if wanted.method == Method::HEAD {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        return Ok((headers, Body::empty()).into_response());
    }
    let Some(ranges) = requested(wanted.headers, &etag, length)? else {
        let blob = library.whole(&id, wanted.check).await?;
        return whole(library, blob, headers).await;
    };
    let total: u64 = ranges.iter().map(|range| range.end - range.start).sum();
    let origin = if library.cache.length(&id).is_some() || library.prefers_whole(length, total) {
        Origin::Here(library.whole(&id, wanted.check).await?)
    } else {
        Origin::Nodes(id, wanted.check)
    };
    partial(library, origin, length, &ranges, headers).await
}

/// Where the bytes of an answer come from.
#[derive(Clone)]
pub(crate) enum Origin {
    Here(Blob),
    Nodes(BlobId, ConsistencyCheck),
}

/// All of a blob.
pub(crate) async fn whole(
    library: &Arc<Library>,
    blob: Blob,
    mut headers: HeaderMap,
) -> Result<Response, Error> {
    let length = blob.length();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    let body = pieces(library, Origin::Here(blob), [Part::Range(0..length)].into()).await?;
    Ok((headers, body).into_response())
}

impl Library {
    /// Bytes that are in memory already, or parts of them.
    pub(super) async fn answer_bytes(
        self: &Arc<Self>,
        bytes: Bytes,
        ranges: Option<Vec<Range<u64>>>,
        headers: HeaderMap,
    ) -> Result<Response, Error> {
        let blob = self.in_memory(bytes)?;
        let length = blob.length();
        match ranges {
            None => whole(self, blob, headers).await,
            Some(ranges) => partial(self, Origin::Here(blob), length, &ranges, headers).await,
        }
    }
}

/// Some parts of a blob: one as it is, several as one document.
pub(crate) async fn partial(
    library: &Arc<Library>,
    origin: Origin,
    length: u64,
    ranges: &[Range<u64>],
    mut headers: HeaderMap,
) -> Result<Response, Error> {
    let content_range =
        |range: &Range<u64>| format!("bytes {}-{}/{length}", range.start, range.end - 1);
    if let [range] = ranges {
        let value = HeaderValue::try_from(content_range(range)).map_err(Error::internal)?;
        headers.insert(CONTENT_RANGE, value);
        headers.insert(CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
        let body = pieces(library, origin, [Part::Range(range.clone())].into()).await?;
        return Ok((StatusCode::PARTIAL_CONTENT, headers, body).into_response());
    }
    let boundary = format!("walrus-{:016x}", library.boundary());
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.map_or_else(String::new, |kind| format!("content-type: {kind}\r\n"));
    let mut parts = VecDeque::new();
    for range in ranges {
        let head =
            format!("\r\n--{boundary}\r\n{kind}content-range: {}\r\n\r\n", content_range(range));
        parts.push_back(Part::Text(head.into()));
        parts.push_back(Part::Range(range.clone()));
    }
    parts.push_back(Part::Text(format!("\r\n--{boundary}--\r\n").into()));
    let total: u64 = parts.iter().map(Part::length).sum();
    let kind = format!("multipart/byteranges; boundary={boundary}");
    headers.insert(CONTENT_TYPE, HeaderValue::try_from(kind).map_err(Error::internal)?);
    headers.insert(CONTENT_LENGTH, HeaderValue::from(total));
    let body = pieces(library, origin, parts).await?;
    Ok((StatusCode::PARTIAL_CONTENT, headers, body).into_response())
}

/// A part of an answer.
enum Part {
    Text(Bytes),
    Range(Range<u64>),
}

impl Part {
    fn length(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::Range(range) => range.end - range.start,
        }
    }
}

struct Pieces {
    library: Arc<Library>,
    origin: Origin,
    parts: VecDeque<Part>,
}

impl Pieces {
    /// The next bytes; nothing after the last.
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            let range = match self.parts.pop_front() {
                None => return Ok(None),
                Some(Part::Text(text)) => return Ok(Some(text)),
                Some(Part::Range(range)) if range.is_empty() => continue,
                Some(Part::Range(range)) => range,
            };
            let bytes = match &self.origin {
                Origin::Here(blob) => {
                    self.library.read(blob, range.clone()).await.map_err(Error::internal)?
                }
                Origin::Nodes(id, check) => {
                    self.library.read_remote(id, range.clone(), *check).await?
                }
            };
            let rest = range.start + bytes.len() as u64..range.end;
            if !rest.is_empty() {
                self.parts.push_front(Part::Range(rest));
            }
            return Ok(Some(bytes));
        }
    }
}

/// The bytes as they are taken. The first are fetched now, so that a failure is still an
/// answer; a later one breaks the answer off, which its length shows.
async fn pieces(
    library: &Arc<Library>,
    origin: Origin,
    parts: VecDeque<Part>,
) -> Result<Body, Error> {
    let mut pieces = Pieces { library: library.clone(), origin, parts };
    let Some(first) = pieces.next().await? else { return Ok(Body::empty()) };
    if pieces.parts.is_empty() {
        return Ok(Body::from(first));
    }
    let stream = stream::unfold((Some(first), pieces), |(first, mut pieces)| async move {
        let next = match first {
            Some(bytes) => Ok(Some(bytes)),
            None => pieces.next().await,
        };
        next.transpose().map(|bytes| (bytes, (None, pieces)))
    });
    Ok(Body::from_stream(stream))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_plain_type_becomes_the_content_type() {
        // A header that is copied without a look is a header that others write.
        for good in ["image/png", "text/html", "application/vnd.a+json"] {
            assert!(is_one_type(good), "{good}");
        }
        for bad in ["*/*", "image/*", "text/html,application/xhtml+xml", "text/html;q=0.9", "x", ""]
        {
            assert!(!is_one_type(bad), "{bad}");
        }
    }
}
