//! What handlers read from requests and write into responses. Every refusal is the
//! JSON error body, where the public network's nodes send plain text for some.

use std::str::FromStr;

use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;
use walrus_core::ObjectId;
use walrus_env::http::{HttpError, read_body};
use walrus_redstuff::{BlobId, SliverPairIndex, SliverType};

use crate::error::{ApiError, ErrorReason, ErrorStatus};
use crate::query::{
    ConfirmationQuery, DecodingSymbolsQuery, HealthQuery, PutQuery, RecoverySymbolsQuery,
    SymbolRunQuery,
};
use crate::routes::OCTET_STREAM;
use crate::wire::Envelope;

/// The blob id of the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobPath(pub BlobId);

/// Blob id, pair and type of the path. The pair is not checked against the number of
/// shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SliverPath {
    /// The blob.
    pub blob_id: BlobId,
    /// The sliver pair.
    pub pair: SliverPairIndex,
    /// Which sliver of the pair.
    pub sliver_type: SliverType,
}

/// Blob id and pair of the path. The pair is not checked against the number of shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairPath {
    /// The blob.
    pub blob_id: BlobId,
    /// The sliver pair.
    pub pair: SliverPairIndex,
}

/// Blob id and object of the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectPath {
    /// The blob.
    pub blob_id: BlobId,
    /// The deletable object.
    pub object_id: ObjectId,
}

/// Blob id and sliver type of the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProofPath {
    /// The blob.
    pub blob_id: BlobId,
    /// The type of the sliver that the proof is about.
    pub sliver_type: SliverType,
}

/// The parts of a path by their names in the patterns of [`crate::routes`].
struct Named(RawPathParams);

impl Named {
    async fn read<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        params.map(Self).map_err(|_| malformed("the path is not valid UTF-8"))
    }

    fn get<T: FromStr>(&self, name: &str) -> Result<T, ApiError> {
        let text = self.0.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value);
        // Integers would also be read with a plus sign in front.
        let parsed = if text.starts_with('+') { None } else { text.parse().ok() };
        parsed.ok_or_else(|| malformed(&format!("the {name} in the path is not valid")))
    }
}

fn malformed(message: &str) -> ApiError {
    ApiError::new(ErrorReason::MalformedRequest, message)
}

impl<S: Send + Sync> FromRequestParts<S> for BlobPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Ok(Self(Named::read(parts, state).await?.get("blob_id")?))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SliverPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Named::read(parts, state).await?;
        Ok(Self {
            blob_id: path.get("blob_id")?,
            pair: path.get("pair")?,
            sliver_type: path.get("sliver_type")?,
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PairPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Named::read(parts, state).await?;
        Ok(Self { blob_id: path.get("blob_id")?, pair: path.get("pair")? })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ObjectPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Named::read(parts, state).await?;
        Ok(Self { blob_id: path.get("blob_id")?, object_id: path.get("object_id")? })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ProofPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Named::read(parts, state).await?;
        Ok(Self { blob_id: path.get("blob_id")?, sliver_type: path.get("sliver_type")? })
    }
}

/// Lets handlers take a query type as an argument.
macro_rules! query {
    ($($name:ident)*) => {$(
        impl<S: Send + Sync> FromRequestParts<S> for $name {
            type Rejection = ApiError;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
                Self::parse(parts.uri.query().unwrap_or_default())
            }
        }
    )*};
}

query!(
    PutQuery ConfirmationQuery HealthQuery RecoverySymbolsQuery DecodingSymbolsQuery SymbolRunQuery
);

/// Reads a binary request body of at most `limit` bytes. A longer one is refused
/// without reading it to the end. The caller sets the time limit.
///
/// # Errors
/// [`ErrorReason::BodyTooLarge`], or [`ErrorReason::MalformedRequest`] when the client
/// breaks off.
pub async fn read_request_body(body: Body, limit: usize) -> Result<Bytes, ApiError> {
    read_body(body, limit).await.map_err(|error| match error {
        HttpError::BodyTooLong { limit } => {
            ApiError::new(ErrorReason::BodyTooLarge, "the body is longer than accepted here")
                .with_metadata("limit_bytes", limit)
        }
        HttpError::Transport(_) => malformed("the body broke off"),
    })
}

/// Refuses a declared content type other than a binary one; none at all is fine.
///
/// # Errors
/// [`ErrorReason::InvalidContentType`].
pub fn require_binary(headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(declared) = headers.get(CONTENT_TYPE) else { return Ok(()) };
    let essence = declared.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
    if essence.trim_ascii().eq_ignore_ascii_case(OCTET_STREAM.as_bytes()) {
        return Ok(());
    }
    let message = "the content type of this body is application/octet-stream";
    Err(ApiError::new(ErrorReason::InvalidContentType, message))
}

/// A JSON answer in its envelope.
pub fn success<T: Serialize>(status: StatusCode, data: T) -> Response {
    (status, axum::Json(Envelope::new(status.as_u16(), data))).into_response()
}

/// A binary answer.
pub fn binary(bytes: impl Into<Bytes>) -> Response {
    let mut response = Response::new(Body::from(bytes.into()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(OCTET_STREAM));
    response
}

/// The answer to a path that no route has; a router's fallback.
pub async fn unknown_route() -> ApiError {
    ApiError::new(ErrorReason::UnknownRoute, "no such route")
}

/// The answer to a method that the route does not have; a router's method fallback.
pub async fn unknown_method() -> Response {
    let status = StatusCode::METHOD_NOT_ALLOWED;
    let error = ApiError::new(ErrorReason::UnknownRoute, "the route has no such method")
        .with_status(ErrorStatus::InvalidArgument);
    let mut body = error.body();
    body.error.code = status.as_u16();
    (status, axum::Json(body)).into_response()
}
