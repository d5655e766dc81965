//! The JSON error body (docs/protocol/http-api.md section 2) and the reasons a node
//! gives.
//!
//! ```text
//! {"error": {"status": "FAILED_PRECONDITION", "code": 400, "message": "...",
//!            "details": [{"@type": "ErrorInfo", "reason": "NOT_REGISTERED",
//!                         "domain": "storage.walrus.space", "metadata": {}}]}}
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

/// The domain of every error that a storage node reports.
pub const NODE_ERROR_DOMAIN: &str = "storage.walrus.space";

/// Defines an enum whose text form is one upper-case word for each variant.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// Every variant.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word).ok_or(UnknownWord)
            }
        }
    };
}

/// A word that names no known status or reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a status or reason that this program knows")]
pub struct UnknownWord;

words! {
    /// The general class of an error. Fixes the HTTP status.
    ErrorStatus {
        /// 400: the request is malformed whatever the state of the node.
        InvalidArgument = "INVALID_ARGUMENT",
        /// 400: the node is not in a state in which the request can be met.
        FailedPrecondition = "FAILED_PRECONDITION",
        /// 401: the sender is not known.
        Unauthenticated = "UNAUTHENTICATED",
        /// 403: the sender may not do this.
        PermissionDenied = "PERMISSION_DENIED",
        /// 404: what was asked for is not here.
        NotFound = "NOT_FOUND",
        /// 413: the body is longer than the route accepts.
        SizeExceeded = "SIZE_EXCEEDED",
        /// 416: no such range.
        RangeNotSatisfiable = "RANGE_NOT_SATISFIABLE",
        /// 429: too many requests.
        ResourceExhausted = "RESOURCE_EXHAUSTED",
        /// 451: the operator does not serve this blob.
        UnavailableForLegalReasons = "UNAVAILABLE_FOR_LEGAL_REASONS",
        /// 500: a fault of the node.
        Internal = "INTERNAL",
        /// 503: cannot be served now, but perhaps later.
        Unavailable = "UNAVAILABLE",
        /// 504: something the node waited for did not come in time.
        DeadlineExceeded = "DEADLINE_EXCEEDED",
    }
}

impl ErrorStatus {
    /// The HTTP status that goes with this class.
    pub fn http(self) -> StatusCode {
        match self {
            Self::InvalidArgument | Self::FailedPrecondition => StatusCode::BAD_REQUEST,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::PermissionDenied => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::SizeExceeded => StatusCode::PAYLOAD_TOO_LARGE,
            Self::RangeNotSatisfiable => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
            Self::UnavailableForLegalReasons => StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        }
    }
}

words! {
    /// Why exactly a node refused; what programs decide by.
    ErrorReason {
        /// The blob is not registered here now, or the node holds no metadata for it.
        MetadataNotFound = "METADATA_NOT_FOUND",
        /// The sliver, or what is needed to make the symbol, is not stored here.
        SliverNotFound = "SLIVER_NOT_FOUND",
        /// The operator does not serve this blob.
        ForbiddenBlob = "FORBIDDEN_BLOB",
        /// The node has not (yet) seen the blob's registration.
        NotRegistered = "NOT_REGISTERED",
        /// The blob was marked invalid: it can be neither stored nor read.
        InvalidBlob = "INVALID_BLOB",
        /// The metadata does not hash to the blob id.
        InvalidMetadata = "INVALID_METADATA",
        /// The encoding type is not supported.
        UnsupportedEncodingType = "UNSUPPORTED_ENCODING_TYPE",
        /// The body is not the binary form expected, or is declared as something else.
        InvalidContentType = "INVALID_CONTENT_TYPE",
        /// The sliver does not match the metadata.
        InvalidSliver = "INVALID_SLIVER",
        /// The sliver's own index is not the one in the path.
        SliverIndexMismatch = "SLIVER_INDEX_MISMATCH",
        /// An index is not below the number of shards.
        IndexOutOfRange = "INDEX_OUT_OF_RANGE",
        /// The node does not hold the shard that this sliver pair belongs to.
        ShardNotAssigned = "SHARD_NOT_ASSIGNED",
        /// Nothing is signed yet: slivers are missing here.
        MissingSlivers = "MISSING_SLIVERS",
        /// The cache for blobs that are not registered yet is full.
        CacheSaturated = "CACHE_SATURATED",
        /// The query names no symbol.
        NoSymbolsSpecified = "NO_SYMBOLS_SPECIFIED",
        /// The query names no target sliver.
        NoTargetSliversSpecified = "NO_TARGET_SLIVERS_SPECIFIED",
        /// The symbols asked for lie on no sliver of this node.
        SymbolNotPresentAtShards = "SYMBOL_NOT_PRESENT_AT_SHARDS",
        /// A target sliver is not a source sliver.
        RecoverySymbolOutOfRange = "RECOVERY_SYMBOL_OUT_OF_RANGE",
        /// The inconsistency proof proves nothing.
        InvalidProof = "INVALID_PROOF",
        /// The signer may not ask for this.
        RequestUnauthorized = "REQUEST_UNAUTHORIZED",
        /// A signed message does not verify.
        MessageVerificationFailed = "MESSAGE_VERIFICATION_FAILED",
        /// The request is for another epoch; the metadata has both epochs.
        InvalidEpoch = "INVALID_EPOCH",
        /// More slivers asked for than one answer may hold.
        SliverCountExceedsLimit = "SLIVER_COUNT_EXCEEDS_LIMIT",
        /// A sampled blob during a challenge: ask another node, or later.
        ChallengeSealed = "CHALLENGE_SEALED",
        /// A primary sliver during a challenge: ask for secondary slivers.
        ChallengeCare = "CHALLENGE_CARE",
        /// Path, query or header cannot be understood.
        MalformedRequest = "MALFORMED_REQUEST",
        /// The body is longer than this route accepts.
        BodyTooLarge = "BODY_TOO_LARGE",
        /// No such route.
        UnknownRoute = "UNKNOWN_ROUTE",
        /// Too much to do: come back later.
        Unavailable = "UNAVAILABLE",
        /// A fault of the node, described in its own log only.
        InternalError = "INTERNAL_ERROR",
    }
}

impl ErrorReason {
    /// The class this reason has unless a route says otherwise
    /// ([`ApiError::with_status`]).
    pub fn status(self) -> ErrorStatus {
        match self {
            Self::MetadataNotFound | Self::SliverNotFound | Self::UnknownRoute => {
                ErrorStatus::NotFound
            }
            Self::ForbiddenBlob => ErrorStatus::UnavailableForLegalReasons,
            Self::NotRegistered
            | Self::InvalidBlob
            | Self::ShardNotAssigned
            | Self::MissingSlivers
            | Self::CacheSaturated
            | Self::InvalidEpoch => ErrorStatus::FailedPrecondition,
            Self::InvalidMetadata
            | Self::UnsupportedEncodingType
            | Self::InvalidContentType
            | Self::InvalidSliver
            | Self::SliverIndexMismatch
            | Self::IndexOutOfRange
            | Self::NoSymbolsSpecified
            | Self::NoTargetSliversSpecified
            | Self::SymbolNotPresentAtShards
            | Self::RecoverySymbolOutOfRange
            | Self::InvalidProof
            | Self::MessageVerificationFailed
            | Self::SliverCountExceedsLimit
            | Self::MalformedRequest => ErrorStatus::InvalidArgument,
            Self::RequestUnauthorized => ErrorStatus::PermissionDenied,
            Self::BodyTooLarge => ErrorStatus::SizeExceeded,
            Self::ChallengeSealed | Self::ChallengeCare | Self::Unavailable => {
                ErrorStatus::Unavailable
            }
            Self::InternalError => ErrorStatus::Internal,
        }
    }
}

/// An error on its way from a node to its client. Becomes a response by
/// [`IntoResponse`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {message}")]
pub struct ApiError {
    /// The class, and with it the HTTP status.
    pub status: ErrorStatus,
    /// The exact reason.
    pub reason: ErrorReason,
    /// For people. Never holds internals of the node.
    pub message: String,
    /// Values that belong to the reason, such as the two epochs of
    /// [`ErrorReason::InvalidEpoch`].
    pub metadata: BTreeMap<String, String>,
    /// When to come back; the `Retry-After` header, in whole seconds.
    pub retry_after: Option<Duration>,
}

impl ApiError {
    /// An error with the reason's usual status.
    pub fn new(reason: ErrorReason, message: impl Into<String>) -> Self {
        Self {
            status: reason.status(),
            reason,
            message: message.into(),
            metadata: BTreeMap::new(),
            retry_after: None,
        }
    }

    /// A fault of the node. The cause belongs in the node's log, not in the answer.
    pub fn internal() -> Self {
        Self::new(
            ErrorReason::InternalError,
            "the node could not do this because of a fault of its own",
        )
    }

    /// The same with another class, for the routes on which a reason has one
    /// (metadata missing while a sliver is put is a failed precondition, not a 404).
    #[must_use]
    pub fn with_status(mut self, status: ErrorStatus) -> Self {
        self.status = status;
        self
    }

    /// The same with one more metadata entry.
    #[must_use]
    pub fn with_metadata(mut self, key: &str, value: impl fmt::Display) -> Self {
        self.metadata.insert(key.to_owned(), value.to_string());
        self
    }

    /// The same with a time to come back after, sent rounded up to seconds.
    #[must_use]
    pub fn with_retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// The JSON body.
    pub fn body(&self) -> ErrorBody {
        ErrorBody {
            error: ErrorContent {
                status: self.status.as_str().to_owned(),
                code: self.status.http().as_u16(),
                message: self.message.clone(),
                details: vec![ErrorDetail {
                    kind: "ErrorInfo".to_owned(),
                    reason: Some(self.reason.as_str().to_owned()),
                    domain: Some(NODE_ERROR_DOMAIN.to_owned()),
                    metadata: Some(self.metadata.clone()),
                }],
            },
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status.http(), axum::Json(self.body())).into_response();
        if let Some(after) = self.retry_after {
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// The error body as it is on the wire. Read leniently: another implementation may add
/// words and details that this one does not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The only field.
    pub error: ErrorContent,
}

/// What [`ErrorBody`] holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorContent {
    /// The word of an [`ErrorStatus`].
    pub status: String,
    /// The HTTP status.
    pub code: u16,
    /// For people.
    pub message: String,
    /// First the `ErrorInfo`, then anything else.
    #[serde(default)]
    pub details: Vec<ErrorDetail>,
}

/// One entry of [`ErrorContent::details`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorDetail {
    /// `ErrorInfo` for the entry that carries the reason.
    #[serde(rename = "@type")]
    pub kind: String,
    /// The word of an [`ErrorReason`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who defines the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Values that belong to the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<BTreeMap<String, String>>,
}

impl ErrorBody {
    /// The reason, if there is one that this program knows.
    pub fn reason(&self) -> Option<ErrorReason> {
        let info = self.error.details.iter().find(|detail| detail.kind == "ErrorInfo")?;
        info.reason.as_deref()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_body_has_the_shape_that_clients_parse() {
        // The public client takes details[0].reason and compares status with code.
        let error = ApiError::new(ErrorReason::NotRegistered, "not seen")
            .with_metadata("epoch", 7)
            .with_retry_after(Duration::from_millis(1500));
        let json = serde_json::to_value(error.body()).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"error": {
                "status": "FAILED_PRECONDITION", "code": 400, "message": "not seen",
                "details": [{"@type": "ErrorInfo", "reason": "NOT_REGISTERED",
                    "domain": "storage.walrus.space", "metadata": {"epoch": "7"}}]}})
        );
        let response = error.into_response();
        assert_eq!(response.status(), 400);
        assert_eq!(response.headers()[RETRY_AFTER], "2");
    }

    #[test]
    fn every_word_reads_back_as_itself() {
        for reason in ErrorReason::ALL {
            let body = ApiError::new(*reason, "").body();
            assert_eq!(body.reason(), Some(*reason));
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
        for status in ErrorStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(*status));
            assert!(status.http().is_client_error() || status.http().is_server_error());
        }
        assert_eq!("SOMETHING_NEW".parse::<ErrorReason>(), Err(UnknownWord));
    }

    #[test]
    fn an_unknown_body_is_read_without_its_reason() {
        // A node of another make must not make the client fail to report its error.
        let text = r#"{"error":{"status":"X","code":418,"message":"m","details":[
            {"@type":"DebugInfo","stackEntries":[]},{"@type":"ErrorInfo","reason":"NEW"}]}}"#;
        let body: ErrorBody = serde_json::from_str(text).unwrap();
        assert_eq!(body.reason(), None);
        assert_eq!(body.error.message, "m");
    }
}
