//! The node's HTTP routes (docs/protocol/http-api.md section 3).
//!
//! Each handler makes its checks in the order of the protocol page, because clients
//! decide by the first reason that applies. Nothing is stored or served that was not
//! verified against the blob id, and nothing is signed by a rule other than that of
//! `confirmation`.

mod admission;
mod confirmation;
mod health;
mod metadata;
mod proof;
mod ranges;
mod slivers;
mod status;
mod symbols;
#[cfg(test)]
mod tests;

use std::{ops::Deref, sync::Arc};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post},
};
use tower_http::cors::CorsLayer;
use walrus_core::Epoch;
use walrus_node_api::{ApiError, ErrorReason, extract, routes};
use walrus_redstuff::{BlobId, SliverPairIndex};

use self::admission::Admission;
use crate::{state::Shared, store::blobs::BlobState};

/// What handlers work with.
#[derive(Clone)]
pub(super) struct ApiState {
    node: Shared,
    admission: Arc<Admission>,
}

impl Deref for ApiState {
    type Target = crate::state::NodeState;

    fn deref(&self) -> &Self::Target {
        &self.node
    }
}

/// The routes of a node.
pub fn router(node: Shared) -> Router {
    let state = ApiState { node, admission: Arc::default() };
    Router::new()
        .route(routes::METADATA, get(metadata::get).put(metadata::put))
        .route(routes::METADATA_STATUS, get(metadata::status))
        .route(routes::SLIVER, get(slivers::get).put(slivers::put))
        .route(routes::SLIVER_STATUS, get(slivers::status))
        .route(routes::CONFIRMATION_PERMANENT, get(confirmation::permanent))
        .route(routes::CONFIRMATION_DELETABLE, get(confirmation::deletable))
        .route(routes::BLOB_STATUS, get(status::get))
        .route(routes::RECOVERY_SYMBOLS, get(symbols::recovery))
        .route(routes::DECODING_SYMBOLS, get(symbols::decoding))
        .route(routes::SLIVER_HASHES, get(ranges::hashes))
        .route(routes::SYMBOL_RUN, get(ranges::run))
        .route(routes::INCONSISTENCY_PROOF, post(proof::post))
        .route(routes::HEALTH, get(health::get))
        .fallback(extract::unknown_route)
        .method_not_allowed_fallback(extract::unknown_method)
        // Each route has a limit of its own, enforced where the body is read.
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(state.clone(), admission::admit))
        .layer(CorsLayer::permissive())
        .with_state(state)
}

/// Logs a fault of the node and hides it from the client.
fn internal(error: impl std::fmt::Display) -> ApiError {
    tracing::error!(%error, "a request failed");
    ApiError::internal()
}

impl ApiState {
    fn check_range(&self, pair: SliverPairIndex) -> Result<(), ApiError> {
        let n_shards = self.params.n_shards();
        if pair.get() < n_shards {
            return Ok(());
        }
        let message = format!("sliver pair {pair} is not below the number of shards, {n_shards}");
        Err(ApiError::new(ErrorReason::IndexOutOfRange, message))
    }

    fn check_shard(&self, blob: &BlobId, pair: SliverPairIndex) -> Result<(), ApiError> {
        let shard = pair.to_shard_index(self.params.n_shards(), blob);
        if self.membership.get().owns(shard) {
            return Ok(());
        }
        let message =
            format!("sliver pair {pair} belongs to shard {shard}, which this node does not hold");
        Err(ApiError::new(ErrorReason::ShardNotAssigned, message))
    }

    async fn blob_state(&self, blob: &BlobId) -> Result<BlobState, ApiError> {
        self.store.blob_state(blob).await.map_err(internal)
    }

    /// The blob's state, after asking the chain if the blob is not known to be registered.
    async fn fresh_state(&self, blob: &BlobId) -> Result<(BlobState, Epoch), ApiError> {
        let state = self.fresh_blob_state(blob).await.map_err(internal)?;
        Ok((state, self.epoch()))
    }
}

fn not_registered() -> ApiError {
    ApiError::new(
        ErrorReason::NotRegistered,
        "the blob is not registered in the current epoch, as far as this node has seen",
    )
}

fn invalid_blob() -> ApiError {
    ApiError::new(ErrorReason::InvalidBlob, "the blob id was marked invalid")
}
