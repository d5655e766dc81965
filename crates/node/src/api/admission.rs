//! How much a node does at once. What exceeds it is refused with 503 at once or after
//! a short wait, before memory is spent on it.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::stream;
use http::{
    HeaderMap, HeaderValue,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit},
    time::timeout,
};
use walrus_node_api::{
    ApiError, ErrorReason, ErrorStatus, extract::read_request_body, routes::OCTET_STREAM,
};

/// Requests in progress.
const MAX_REQUESTS: usize = 512;
/// Requests for symbols in progress: each may extend and hash many slivers.
const MAX_SYMBOL_REQUESTS: usize = 16;
/// Requests that wait for a registration.
const MAX_WAITING: usize = 128;
/// Memory for bodies being received, and as much for those being sent.
const BODY_MEMORY_BYTES: usize = 256 << 20;
/// Unit in which that memory is counted.
const UNIT_BYTES: usize = 64 << 10;
/// Longest wait for memory.
const MEMORY_WAIT: Duration = Duration::from_secs(5);
/// Time for a body to arrive, besides the time of its bytes at [`MIN_BYTES_PER_SECOND`].
const BODY_TIME: Duration = Duration::from_secs(10);
/// Slowest sender that is waited for.
const MIN_BYTES_PER_SECOND: usize = 256 << 10;
/// When refused clients should come back.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The bounds in use.
#[derive(Debug)]
pub(super) struct Admission {
    requests: Semaphore,
    symbols: Semaphore,
    waiting: Semaphore,
    receiving: Semaphore,
    sending: Arc<Semaphore>,
}

impl Default for Admission {
    fn default() -> Self {
        Self {
            requests: Semaphore::new(MAX_REQUESTS),
            symbols: Semaphore::new(MAX_SYMBOL_REQUESTS),
            waiting: Semaphore::new(MAX_WAITING),
            receiving: Semaphore::new(BODY_MEMORY_BYTES / UNIT_BYTES),
            sending: Arc::new(Semaphore::new(BODY_MEMORY_BYTES / UNIT_BYTES)),
        }
    }
}

/// The refusal of a busy node.
pub(super) fn overloaded() -> ApiError {
    ApiError::new(ErrorReason::Unavailable, "the node has too much to do; come back later")
        .with_retry_after(RETRY_AFTER)
}

fn units(bytes: usize) -> u32 {
    let units = bytes.div_ceil(UNIT_BYTES).clamp(1, BODY_MEMORY_BYTES / UNIT_BYTES);
    u32::try_from(units).unwrap_or(u32::MAX)
}

impl Admission {
    /// Leave to make symbols.
    pub(super) fn symbols(&self) -> Result<SemaphorePermit<'_>, ApiError> {
        self.symbols.try_acquire().map_err(|_| overloaded())
    }

    /// As [`Self::symbols`], waiting for a turn for a while.
    pub(super) async fn turn_for_symbols(&self) -> Result<SemaphorePermit<'_>, ApiError> {
        let turn = timeout(MEMORY_WAIT, self.symbols.acquire()).await.map_err(|_| overloaded())?;
        turn.map_err(|_| overloaded())
    }

    /// Leave to wait for a registration, if there is room.
    pub(super) fn waiting(&self) -> Option<SemaphorePermit<'_>> {
        self.waiting.try_acquire().ok()
    }

    /// Receives a body of at most `limit` bytes. The memory stays reserved as long as
    /// the permit lives.
    pub(super) async fn receive(
        &self,
        headers: &HeaderMap,
        body: Body,
        limit: usize,
    ) -> Result<(Bytes, SemaphorePermit<'_>), ApiError> {
        let declared =
            headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        let expected = declared.unwrap_or(limit).min(limit);
        let reserved = self.receiving.acquire_many(units(expected));
        let permit = timeout(MEMORY_WAIT, reserved).await.map_err(|_| overloaded())?;
        let permit = permit.map_err(|_| overloaded())?;
        let time = BODY_TIME + Duration::from_secs((expected / MIN_BYTES_PER_SECOND) as u64);
        let received = timeout(time, read_request_body(body, limit)).await;
        let bytes = received.map_err(|_| {
            ApiError::new(ErrorReason::MalformedRequest, "the body did not arrive in time")
                .with_status(ErrorStatus::DeadlineExceeded)
        })??;
        Ok((bytes, permit))
    }

    /// Reserves memory for sending `bytes`.
    pub(super) async fn reserve_sending(
        &self,
        bytes: usize,
    ) -> Result<OwnedSemaphorePermit, ApiError> {
        let reserved = self.sending.clone().acquire_many_owned(units(bytes));
        let permit = timeout(MEMORY_WAIT, reserved).await.map_err(|_| overloaded())?;
        permit.map_err(|_| overloaded())
    }
}

/// A binary answer whose memory stays reserved until the client has taken it.
pub(super) fn binary(bytes: Bytes, permit: OwnedSemaphorePermit) -> Response {
    let length = bytes.len();
    let pieces = stream::unfold((bytes, permit), |(mut rest, permit)| async move {
        if rest.is_empty() {
            return None;
        }
        let piece = rest.split_to(rest.len().min(UNIT_BYTES));
        Some((Ok::<_, std::convert::Infallible>(piece), (rest, permit)))
    });
    let mut response = Response::new(Body::from_stream(pieces));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(OCTET_STREAM));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    response
}

/// Lets a request in or refuses it.
pub(super) async fn admit(
    State(state): State<super::ApiState>,
    request: Request,
    next: Next,
) -> Response {
    match state.admission.requests.try_acquire() {
        Ok(_permit) => next.run(request).await,
        Err(_) => overloaded().into_response(),
    }
}
