//! Taking in what clients send, within bounds of length, memory and time.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, header::CONTENT_LENGTH};
use tokio::time::timeout;
use walrus_env::http::{HttpError, read_body};

use crate::config::Limits;
use crate::error::{Error, Reason};

/// The refusal of a body that is too long.
pub(crate) fn too_large(limit: u64) -> Error {
    let message = format!("the body is longer than the {limit} bytes accepted here");
    Error::new(Reason::BodyTooLarge, message).with("limit_bytes", limit)
}

/// The length that a client announced.
pub(crate) fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The time in which so many bytes must have arrived.
pub(crate) fn time_for(limits: &Limits, bytes: u64) -> Duration {
    limits.body_time + Duration::from_secs(bytes / limits.min_bytes_per_second.max(1))
}

/// Reads a short body into memory.
pub(crate) async fn collect(
    limits: &Limits,
    headers: &HeaderMap,
    body: Body,
    limit: usize,
) -> Result<Bytes, Error> {
    if declared_length(headers).is_some_and(|length| length > limit as u64) {
        return Err(too_large(limit as u64));
    }
    let received = timeout(time_for(limits, limit as u64), read_body(body, limit)).await;
    let received =
        received.map_err(|_| Error::new(Reason::BodyTooSlow, "the body did not arrive in time"))?;
    received.map_err(|error| match error {
        HttpError::BodyTooLong { limit } => too_large(limit as u64),
        HttpError::Transport(_) => Error::malformed("the body broke off"),
    })
}
