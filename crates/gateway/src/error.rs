//! Why a request is refused, and the one JSON form in which clients read it
//! (docs/protocol/http-api.md section 2).

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_RANGE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde_json::json;

/// Who defines most reasons.
const DAEMON: &str = "daemon.walrus.space";
/// Who defines the reasons about tokens.
const AUTHENTICATION: &str = "auth.publisher.walrus.space";
/// Reasons that any service may give.
const GLOBAL: &str = "global";

/// Defines the reasons: each with its word, the class of the error, the HTTP status and
/// the domain.
macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $word:literal, $status:literal, $code:literal, $domain:ident;)*) => {
        /// Why exactly a request is refused; what programs decide by.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Reason {
            $($(#[$doc])* $variant,)*
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The general class of the error.
            pub fn class(self) -> &'static str {
                match self { $(Self::$variant => $status,)* }
            }

            /// The HTTP status.
            pub fn http(self) -> StatusCode {
                let code: u16 = match self { $(Self::$variant => $code,)* };
                StatusCode::from_u16(code).expect("the table holds valid codes")
            }

            /// Who defines the reason.
            pub fn domain(self) -> &'static str {
                match self { $(Self::$variant => $domain,)* }
            }
        }
    };
}

reasons! {
    /// No such blob is stored.
    BlobNotFound = "BLOB_NOT_FOUND", "NOT_FOUND", 404, DAEMON;
    /// The blob object or reference does not exist.
    ObjectNotFound = "OBJECT_ID_RESOLUTION_FAILED", "NOT_FOUND", 404, DAEMON;
    /// The quilt has no such patch.
    QuiltPatchNotFound = "QUILT_PATCH_NOT_FOUND", "NOT_FOUND", 404, DAEMON;
    /// The reference names something else than a website.
    NotAWebsite = "NOT_A_WEBSITE", "NOT_FOUND", 404, DAEMON;
    /// The website has no such file.
    SiteFileNotFound = "SITE_FILE_NOT_FOUND", "NOT_FOUND", 404, DAEMON;
    /// The blob cannot be read now, but perhaps later.
    BlobUnavailable = "BLOB_UNAVAILABLE", "UNAVAILABLE", 503, DAEMON;
    /// Nodes do not serve this blob.
    ForbiddenBlob = "FORBIDDEN_BLOB", "UNAVAILABLE_FOR_LEGAL_REASONS", 451, DAEMON;
    /// The blob is larger than this gateway serves or takes.
    BlobTooLarge = "BLOB_TOO_LARGE", "SIZE_EXCEEDED", 413, DAEMON;
    /// The range is not within the blob.
    InvalidByteRange = "INVALID_BYTE_RANGE", "RANGE_NOT_SATISFIABLE", 416, DAEMON;
    /// The same, where the range is a parameter of the query.
    InvalidByteRangeQuery = "INVALID_BYTE_RANGE", "INVALID_ARGUMENT", 400, DAEMON;
    /// The two kinds of consistency check exclude each other.
    InvalidConsistencyCheck = "INVALID_CONSISTENCY_CHECK", "INVALID_ARGUMENT", 400, DAEMON;
    /// The text names no blob, object, reference or patch.
    InvalidIdFormat = "INVALID_ID_FORMAT", "INVALID_ARGUMENT", 400, DAEMON;
    /// A condition of the request does not hold.
    ConditionFailed = "CONDITION_FAILED", "FAILED_PRECONDITION", 412, DAEMON;
    /// A blob is permanent or deletable, not both.
    InvalidBlobPersistence = "INVALID_BLOB_PERSISTENCE", "INVALID_ARGUMENT", 400, DAEMON;
    /// Too few nodes confirmed that they store the blob.
    InsufficientConfirmations = "INSUFFICIENT_CONFIRMATIONS", "DEADLINE_EXCEEDED", 504, DAEMON;
    /// The publisher's accounts cannot pay.
    InsufficientFunds = "INSUFFICIENT_FUNDS", "UNAVAILABLE", 503, DAEMON;
    /// The chain refuses what was asked for.
    ChainRefused = "CHAIN_REFUSED", "FAILED_PRECONDITION", 400, DAEMON;
    /// The blob is not registered, so the relay will not send it.
    NotRegistered = "NOT_REGISTERED", "FAILED_PRECONDITION", 400, DAEMON;
    /// The bytes sent have another blob id than the one named.
    BlobIdMismatch = "BLOB_ID_MISMATCH", "INVALID_ARGUMENT", 400, DAEMON;
    /// The relay wants a tip that was not paid.
    TipRequired = "TIP_REQUIRED", "FAILED_PRECONDITION", 402, DAEMON;
    /// The tip's transaction does not count.
    InvalidTip = "INVALID_TIP", "INVALID_ARGUMENT", 400, DAEMON;
    /// The tip was paid for other bytes.
    TipNotForThis = "TIP_NOT_FOR_THIS", "UNAUTHENTICATED", 401, DAEMON;
    /// Path, query, header or body cannot be understood.
    MalformedRequest = "MALFORMED_REQUEST", "INVALID_ARGUMENT", 400, DAEMON;
    /// The body is longer than this route accepts.
    BodyTooLarge = "BODY_TOO_LARGE", "SIZE_EXCEEDED", 413, DAEMON;
    /// The body did not arrive in time.
    BodyTooSlow = "BODY_TOO_SLOW", "DEADLINE_EXCEEDED", 408, DAEMON;
    /// The body is of another type than the route takes.
    UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE", "INVALID_ARGUMENT", 415, DAEMON;
    /// A page of another origin wants to spend the publisher's money.
    ForeignOrigin = "FOREIGN_ORIGIN", "PERMISSION_DENIED", 403, DAEMON;
    /// The sender asks too often.
    RateLimited = "RATE_LIMITED", "RESOURCE_EXHAUSTED", 429, DAEMON;
    /// Too much to do: come back later.
    Overloaded = "OVERLOADED", "UNAVAILABLE", 503, DAEMON;
    /// No such route.
    UnknownRoute = "UNKNOWN_ROUTE", "NOT_FOUND", 404, GLOBAL;
    /// The route has no such method.
    MethodNotAllowed = "METHOD_NOT_ALLOWED", "INVALID_ARGUMENT", 405, GLOBAL;
    /// A fault of the gateway, described in its own log only.
    InternalError = "INTERNAL_ERROR", "INTERNAL", 500, GLOBAL;
    /// No token, or not one at all.
    MissingToken = "MISSING_TOKEN", "UNAUTHENTICATED", 401, AUTHENTICATION;
    /// The token cannot be understood.
    InvalidToken = "INVALID_TOKEN", "UNAUTHENTICATED", 401, AUTHENTICATION;
    /// The token is signed by somebody else.
    InvalidSignature = "INVALID_SIGNATURE", "UNAUTHENTICATED", 401, AUTHENTICATION;
    /// The token's time is over.
    ExpiredSignature = "EXPIRED_SIGNATURE", "UNAUTHENTICATED", 401, AUTHENTICATION;
    /// The token's lifetime is not the one demanded.
    InvalidExpiration = "INVALID_EXPIRATION", "INVALID_ARGUMENT", 400, AUTHENTICATION;
    /// The token's times make no sense.
    InvalidTimestamp = "INVALID_TIMESTAMP", "INVALID_ARGUMENT", 400, AUTHENTICATION;
    /// The token allows other numbers of epochs.
    InvalidEpochs = "INVALID_EPOCHS", "INVALID_ARGUMENT", 400, AUTHENTICATION;
    /// The token allows other sizes.
    InvalidSize = "INVALID_SIZE", "INVALID_ARGUMENT", 400, AUTHENTICATION;
    /// The token names another receiver.
    InvalidSendObjectTo = "INVALID_SEND_OBJECT_TO", "INVALID_ARGUMENT", 400, AUTHENTICATION;
    /// The token contradicts itself.
    InconsistentToken = "INCONSISTENT_TOKEN", "INVALID_ARGUMENT", 400, AUTHENTICATION;
    /// The token was used before.
    TokenAlreadyUsed = "TOKEN_ALREADY_USED", "RESOURCE_EXHAUSTED", 429, AUTHENTICATION;
}

/// A refusal on its way to the client. Becomes a response by [`IntoResponse`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason:?}: {message}")]
pub struct Error {
    /// The exact reason.
    pub reason: Reason,
    /// For people. Never holds internals of the gateway.
    pub message: String,
    /// Values that belong to the reason.
    pub metadata: BTreeMap<&'static str, String>,
    /// When to come back.
    pub retry_after: Option<Duration>,
}

impl Error {
    /// An error.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        let (metadata, retry_after) = (BTreeMap::new(), None);
        Self { reason, message: message.into(), metadata, retry_after }
    }

    /// A request that cannot be understood.
    pub fn malformed(message: impl Into<String>) -> Self {
        Self::new(Reason::MalformedRequest, message)
    }

    /// A fault of the gateway: logged, and hidden from the client.
    pub fn internal(cause: impl fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed");
        Self::new(Reason::InternalError, "the gateway could not do this because of its own fault")
    }

    /// A busy gateway.
    pub fn overloaded(message: impl Into<String>) -> Self {
        Self::new(Reason::Overloaded, message).retry_after(Duration::from_secs(5))
    }

    /// The same with one more value.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.metadata.insert(key, value.to_string());
        self
    }

    /// The same with a time to come back after, sent rounded up to seconds.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = self.reason.http();
        let length = self.metadata.get("length").cloned();
        let body = json!({"error": {
            "status": self.reason.class(),
            "code": status.as_u16(),
            "message": self.message,
            "details": [{
                "@type": "ErrorInfo",
                "reason": self.reason.as_str(),
                "domain": self.reason.domain(),
                "metadata": self.metadata,
            }],
        }});
        let mut response = (status, axum::Json(body)).into_response();
        let headers = response.headers_mut();
        // A cache that kept a miss would hide the blob after it was stored.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(after) = self.retry_after {
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let (StatusCode::RANGE_NOT_SATISFIABLE, Some(length)) = (status, &length)
            && let Ok(value) = HeaderValue::try_from(format!("bytes */{length}"))
        {
            headers.insert(CONTENT_RANGE, value);
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// The answer to a path that no route has.
pub(crate) async fn unknown_route() -> Error {
    Error::new(Reason::UnknownRoute, "no such route")
}

/// The answer to a method that the route does not have.
pub(crate) async fn unknown_method() -> Response {
    let error = Error::new(Reason::MethodNotAllowed, "the route has no such method");
    let mut response = error.into_response();
    // The router knows which methods there are and says so where this is missing.
    response.headers_mut().remove(ALLOW);
    response
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn an_error_has_the_shape_that_clients_parse_and_is_never_kept() {
        // Clients take details[0].reason; a cached miss would outlive the upload.
        let error = Error::new(Reason::InvalidByteRange, "no")
            .with("length", 5)
            .retry_after(Duration::from_millis(1500));
        let response = error.into_response();
        assert_eq!(response.status(), 416);
        assert_eq!(response.headers()[RETRY_AFTER], "2");
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(
            serde_json::from_slice::<serde_json::Value>(&body).unwrap(),
            json!({"error": {"status": "RANGE_NOT_SATISFIABLE", "code": 416, "message": "no",
                "details": [{"@type": "ErrorInfo", "reason": "INVALID_BYTE_RANGE",
                    "domain": "daemon.walrus.space", "metadata": {"length": "5"}}]}})
        );
    }

    #[test]
    fn every_reason_is_an_error_with_a_word_of_its_own() {
        let words: std::collections::BTreeSet<_> =
            Reason::ALL.iter().map(|reason| (reason.as_str(), reason.http())).collect();
        assert_eq!(words.len(), Reason::ALL.len());
        for reason in Reason::ALL {
            let status = reason.http();
            assert!(status.is_client_error() || status.is_server_error(), "{reason:?}");
        }
    }
}
