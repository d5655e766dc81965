//! One request, bounded in time and in bytes, up to the HTTP status.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::Full;
use serde::de::DeserializeOwned;
use walrus_env::http::{HttpClient, HttpError, read_body};

use super::{Misbehaviour, NodeError};
use crate::error::{ErrorBody, ErrorReason};
use crate::limits::{MAX_ERROR_BODY_BYTES, MAX_JSON_BODY_BYTES};
use crate::routes::OCTET_STREAM;
use crate::wire::Envelope;

/// Longest message of a node that is kept, in characters.
const MAX_MESSAGE_CHARS: usize = 300;

/// Counts the bytes of answers' bodies. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<AtomicU64>);

impl Meter {
    /// Bytes received so far, whether they were of use or not.
    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// A successful answer.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

impl Answer {
    /// The payload of a JSON answer.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, NodeError> {
        let envelope: Envelope<T> = serde_json::from_slice(&self.body)
            .map_err(|error| Misbehaviour::Undecodable(error.to_string()))?;
        Ok(envelope.success.data)
    }
}

/// Sends requests to one node.
#[derive(Clone)]
pub(super) struct Transport {
    pub(super) http: HttpClient,
    /// Scheme and authority, without a slash at the end.
    pub(super) base: String,
    pub(super) meter: Meter,
}

impl Transport {
    /// GET with a JSON answer.
    pub(super) async fn get_json<T: DeserializeOwned>(
        &self,
        path: &str,
        timeout: Duration,
    ) -> Result<T, NodeError> {
        self.send(Method::GET, path, None, MAX_JSON_BODY_BYTES, timeout).await?.json()
    }

    /// GET with a binary answer of at most `limit` bytes.
    pub(super) async fn get_bytes(
        &self,
        path: &str,
        limit: usize,
        timeout: Duration,
    ) -> Result<Bytes, NodeError> {
        Ok(self.send(Method::GET, path, None, limit, timeout).await?.body)
    }

    /// One request and its whole answer. `limit` bounds a successful body.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
        limit: usize,
        timeout: Duration,
    ) -> Result<Answer, NodeError> {
        let request = self.request(method, path, body)?;
        tokio::time::timeout(timeout, self.exchange(request, limit))
            .await
            .unwrap_or(Err(NodeError::Timeout { after: timeout }))
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<Request<Full<Bytes>>, NodeError> {
        // The host comes from the chain: whoever registered it may have written anything.
        let uri: Uri = format!("{}{path}", self.base)
            .parse()
            .map_err(|_| NodeError::Unreachable("the registered address is not valid".into()))?;
        let has_body = body.is_some();
        let mut request = Request::new(Full::new(body.unwrap_or_default()));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        if has_body {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(OCTET_STREAM));
        }
        Ok(request)
    }

    async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
        limit: usize,
    ) -> Result<Answer, NodeError> {
        let response = self.http.send(request).await.map_err(transport_error)?;
        let (head, body) = response.into_parts();
        if head.status.is_success() {
            let body = read_body(body, limit).await.map_err(|error| {
                if matches!(error, HttpError::BodyTooLong { .. }) {
                    self.meter.add(limit);
                }
                transport_error(error)
            })?;
            self.meter.add(body.len());
            return Ok(Answer { status: head.status, body });
        }
        // An error body that breaks off or is too long still came with a status.
        let body = read_body(body, MAX_ERROR_BODY_BYTES).await.unwrap_or_default();
        Err(refusal(head.status, &head.headers, &body))
    }
}

fn transport_error(error: HttpError) -> NodeError {
    match error {
        HttpError::Transport(message) => NodeError::Unreachable(message),
        HttpError::BodyTooLong { limit } => Misbehaviour::BodyTooLong { limit }.into(),
    }
}

/// Reads an answer that is no success.
pub(super) fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> NodeError {
    let parsed: Option<ErrorBody> = serde_json::from_slice(body).ok();
    let reason = parsed.as_ref().and_then(ErrorBody::reason);
    let text = match parsed {
        Some(body) => body.error.message,
        None => String::from_utf8_lossy(body).into_owned(),
    };
    let message: String =
        text.chars().filter(|c| !c.is_control()).take(MAX_MESSAGE_CHARS).collect();
    match reason {
        Some(ErrorReason::NotRegistered) => return NodeError::NotRegistered,
        Some(ErrorReason::MissingSlivers) => return NodeError::MissingSlivers,
        Some(ErrorReason::ShardNotAssigned) => return NodeError::ShardNotAssigned,
        Some(ErrorReason::InvalidBlob) => return NodeError::InvalidBlob,
        Some(ErrorReason::ForbiddenBlob) => return NodeError::Forbidden,
        _ => {}
    }
    match status {
        StatusCode::NOT_FOUND => NodeError::NotFound { message },
        StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS => NodeError::Forbidden,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            NodeError::Busy { reason, message, retry_after: retry_after(headers) }
        }
        _ if status.is_client_error() => {
            NodeError::Refused { status: status.as_u16(), reason, message }
        }
        _ if status.is_server_error() => NodeError::Failed { status: status.as_u16(), message },
        _ => Misbehaviour::UnexpectedStatus(status.as_u16()).into(),
    }
}

/// The `Retry-After` header in its form of whole seconds, at most an hour.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds.min(3600)))
}
