//! The routes of a node: the pattern each is served under, and the path a client asks
//! for (docs/protocol/http-api.md section 3).
//!
//! | route | pattern | path |
//! | --- | --- | --- |
//! | GET, PUT metadata | [`METADATA`] | [`metadata`] |
//! | GET metadata status | [`METADATA_STATUS`] | [`metadata_status`] |
//! | GET, PUT sliver | [`SLIVER`] | [`sliver`] |
//! | GET sliver status | [`SLIVER_STATUS`] | [`sliver_status`] |
//! | GET confirmation, permanent blob | [`CONFIRMATION_PERMANENT`] | [`confirmation`] |
//! | GET confirmation, deletable blob | [`CONFIRMATION_DELETABLE`] | [`confirmation`] |
//! | GET blob status | [`BLOB_STATUS`] | [`blob_status`] |
//! | GET recovery symbols | [`RECOVERY_SYMBOLS`] | [`recovery_symbols`] |
//! | GET decoding symbols | [`DECODING_SYMBOLS`] | [`decoding_symbols`] |
//! | POST inconsistency proof | [`INCONSISTENCY_PROOF`] | [`inconsistency_proof`] |
//! | GET hashes of a sliver pair | [`SLIVER_HASHES`] | [`sliver_hashes`] |
//! | GET run of symbols | [`SYMBOL_RUN`] | [`symbol_run`] |
//! | GET health | [`HEALTH`] | [`health`] |
//!
//! Names in braces are what [`crate::extract`] reads.

use walrus_core::Persistence;
use walrus_redstuff::{BlobId, SliverPairIndex, SliverType};

use crate::query::{DecodingSymbolsQuery, RecoverySymbolsQuery, SymbolRunQuery};

/// Content type of every binary body.
pub const OCTET_STREAM: &str = "application/octet-stream";

/// Pattern: metadata of a blob.
pub const METADATA: &str = "/v1/blobs/{blob_id}/metadata";
/// Pattern: whether the metadata is stored.
pub const METADATA_STATUS: &str = "/v1/blobs/{blob_id}/metadata/status";
/// Pattern: one sliver of a pair.
pub const SLIVER: &str = "/v1/blobs/{blob_id}/slivers/{pair}/{sliver_type}";
/// Pattern: whether the sliver is stored.
pub const SLIVER_STATUS: &str = "/v1/blobs/{blob_id}/slivers/{pair}/{sliver_type}/status";
/// Pattern: confirmation for a permanent blob.
pub const CONFIRMATION_PERMANENT: &str = "/v1/blobs/{blob_id}/confirmation/permanent";
/// Pattern: confirmation for a deletable object.
pub const CONFIRMATION_DELETABLE: &str = "/v1/blobs/{blob_id}/confirmation/deletable/{object_id}";
/// Pattern: what the node knows of the blob id.
pub const BLOB_STATUS: &str = "/v1/blobs/{blob_id}/status";
/// Pattern: symbols with proofs.
pub const RECOVERY_SYMBOLS: &str = "/v1/blobs/{blob_id}/recoverySymbols";
/// Pattern: symbols without proofs.
pub const DECODING_SYMBOLS: &str = "/v1/blobs/{blob_id}/decodingSymbols";
/// Pattern: the hashes of one sliver pair, proven by the blob id.
pub const SLIVER_HASHES: &str = "/v1/blobs/{blob_id}/sliverHashes/{pair}";
/// Pattern: neighbouring symbols of one primary sliver, proven by the blob id.
pub const SYMBOL_RUN: &str = "/v1/blobs/{blob_id}/symbolRun/{pair}";
/// Pattern: a proof that a blob is encoded inconsistently.
pub const INCONSISTENCY_PROOF: &str = "/v1/blobs/{blob_id}/inconsistencyProof/{sliver_type}";
/// Pattern and path: the node about itself.
pub const HEALTH: &str = "/v1/health";

/// Path of [`METADATA`].
pub fn metadata(blob_id: &BlobId) -> String {
    format!("/v1/blobs/{blob_id}/metadata")
}

/// Path of [`METADATA_STATUS`].
pub fn metadata_status(blob_id: &BlobId) -> String {
    format!("/v1/blobs/{blob_id}/metadata/status")
}

/// Path of [`SLIVER`].
pub fn sliver(blob_id: &BlobId, pair: SliverPairIndex, sliver_type: SliverType) -> String {
    format!("/v1/blobs/{blob_id}/slivers/{pair}/{sliver_type}")
}

/// Path of [`SLIVER_STATUS`].
pub fn sliver_status(blob_id: &BlobId, pair: SliverPairIndex, sliver_type: SliverType) -> String {
    format!("{}/status", sliver(blob_id, pair, sliver_type))
}

/// Path of [`CONFIRMATION_PERMANENT`] or [`CONFIRMATION_DELETABLE`].
pub fn confirmation(blob_id: &BlobId, persistence: &Persistence) -> String {
    match persistence {
        Persistence::Permanent => format!("/v1/blobs/{blob_id}/confirmation/permanent"),
        Persistence::Deletable(object_id) => {
            format!("/v1/blobs/{blob_id}/confirmation/deletable/{object_id}")
        }
    }
}

/// Path of [`BLOB_STATUS`].
pub fn blob_status(blob_id: &BlobId) -> String {
    format!("/v1/blobs/{blob_id}/status")
}

/// Path and query of [`RECOVERY_SYMBOLS`].
pub fn recovery_symbols(blob_id: &BlobId, query: &RecoverySymbolsQuery) -> String {
    format!("/v1/blobs/{blob_id}/recoverySymbols?{query}")
}

/// Path and query of [`DECODING_SYMBOLS`].
pub fn decoding_symbols(blob_id: &BlobId, query: &DecodingSymbolsQuery) -> String {
    format!("/v1/blobs/{blob_id}/decodingSymbols?{query}")
}

/// Path of [`SLIVER_HASHES`].
pub fn sliver_hashes(blob_id: &BlobId, pair: SliverPairIndex) -> String {
    format!("/v1/blobs/{blob_id}/sliverHashes/{pair}")
}

/// Path and query of [`SYMBOL_RUN`].
pub fn symbol_run(blob_id: &BlobId, pair: SliverPairIndex, query: &SymbolRunQuery) -> String {
    format!("/v1/blobs/{blob_id}/symbolRun/{pair}?{query}")
}

/// Path of [`INCONSISTENCY_PROOF`].
pub fn inconsistency_proof(blob_id: &BlobId, sliver_type: SliverType) -> String {
    format!("/v1/blobs/{blob_id}/inconsistencyProof/{sliver_type}")
}

/// Path and query of [`HEALTH`].
pub fn health(detailed: bool) -> String {
    if detailed { format!("{HEALTH}?detailed=true") } else { HEALTH.to_owned() }
}
