//! Storing blobs for others (docs/protocol/http-api.md section 6).

mod answer;
mod multipart;
mod quilt;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use http::HeaderMap;
use serde_json::{Value, json};
use walrus_core::NodeId;
use walrus_sdk::{StoreState, Stored};

use crate::auth::{Announced, Grant};
use crate::body::{declared_length, too_large};
use crate::error::Error;
use crate::query::{Query, StoreQuery, StoreWish};
use crate::state::Shared;
use crate::uploads::Reporter;

pub(crate) use answer::encode_failure;
pub(crate) use quilt::put as put_quilt;

/// `PUT /v1/blobs`
pub(crate) async fn put_blob(
    State(gateway): State<Shared>,
    Query(query): Query<StoreQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Error> {
    let (wish, grant) = admit(&gateway, query, &headers, false).await?;
    let reporter = gateway.uploads.begin(wish.upload.as_deref(), names(&gateway).await?)?;
    let stored = async {
        let limits = &gateway.config.limits;
        let (limit, max) = (grant.limit(limits.max_upload_bytes), limits.max_upload_bytes);
        let watch = |done, total| reporter.received(done, total);
        let body = gateway.spool.receive(limits, &headers, body, limit, &watch).await;
        let body = body.map_err(|error| grant.refusal(error, max))?;
        grant.check_size(body.length)?;
        let wallet = gateway.wallets.take(&body.sha256).await;
        let (source, sink) = (body.source(), reporter.sink());
        let store = gateway.client.store(wallet.writer(), source, &wish.options, &sink);
        let stored = store.await.map_err(answer::store_failure)?;
        gateway.metrics.add("stored_bytes", body.length);
        finish(&gateway, &wish, stored).await
    };
    conclude(&gateway, &reporter, stored.await)
}

/// Checks wish and token before a byte of the body is taken.
async fn admit(
    gateway: &Shared,
    query: StoreQuery,
    headers: &HeaderMap,
    quilt: bool,
) -> Result<(StoreWish, Grant), Error> {
    let network = gateway.client.network().await?.network;
    let max = gateway.config.limits.max_epochs.min(network.parameters.max_epochs_ahead);
    // What is refused for something else uses no token up.
    let wish = query.clone().check(max, quilt)?;
    let limits = &gateway.config.limits;
    let most = if quilt { limits.max_quilt_bytes } else { limits.max_upload_bytes };
    let announced = match declared_length(headers) {
        Some(length) if length > most => return Err(too_large(most)),
        Some(length) if quilt => Announced::AtMost(length),
        Some(length) => Announced::Exactly(length),
        None => Announced::Nothing,
    };
    let grant = gateway.tokens.check(headers, &query, announced).await?;
    Ok((wish, grant))
}

/// What the nodes are called, for those who watch an upload.
pub(crate) async fn names(gateway: &Shared) -> Result<BTreeMap<NodeId, String>, Error> {
    let view = gateway.client.network().await?.committee;
    Ok(view.nodes().iter().map(|node| (node.id(), node.member.name.clone())).collect())
}

/// A stored blob and its answer.
struct Finished {
    stored: Stored,
    answer: Value,
}

/// Describes what happened.
async fn finish(gateway: &Shared, wish: &StoreWish, stored: Stored) -> Result<Finished, Error> {
    let answer = answer::describe(gateway, &stored, wish.options.epochs).await?;
    Ok(Finished { stored, answer })
}

/// Tells the watchers how it ended.
fn conclude(
    gateway: &Shared,
    reporter: &Arc<Reporter>,
    finished: Result<Finished, Error>,
) -> Result<Json<Value>, Error> {
    match finished {
        Ok(Finished { stored, answer }) => {
            gateway.metrics.count("stores");
            let blob_id = stored.blob_id.to_string();
            match stored.state {
                StoreState::Certified { token, .. } => {
                    let message = json!({"blob_id": blob_id, "object_id": token.0});
                    reporter.done("certified", message);
                }
                StoreState::AlreadyCertified { .. } => {
                    reporter.done("stored", json!({"blob_id": blob_id}));
                }
            }
            Ok(Json(answer))
        }
        Err(error) => {
            gateway.metrics.count("failed_stores");
            reporter.fail(&error.message);
            Err(error)
        }
    }
}
