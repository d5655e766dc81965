//! Storage confirmations (docs/protocol/http-api.md section 3.6).
//!
//! The rule (docs/protocol/node-and-client.md A.6). The node signs for a blob only if,
//! in the epoch that goes into the message and as seen on chain,
//!
//! 1. the node is a member of the committee,
//! 2. the blob id is not invalid,
//! 3. a permanent object asks for the blob; or, for a deletable confirmation, the very
//!    object named does,
//! 4. metadata and both slivers of every shard the committee gives to this node are
//!    stored durably,
//!
//! and the committee is still the same when all this has been checked.

use std::time::Duration;

use axum::{extract::State, response::Response};
use http::StatusCode;
use tokio::time::{Instant, timeout_at};
use walrus_core::{Message, Persistence, SignedConfirmation, SignedMessage, StorageConfirmation};
use walrus_node_api::{
    ApiError, ErrorReason,
    extract::{BlobPath, ObjectPath, success},
    query::ConfirmationQuery,
};
use walrus_redstuff::BlobId;

use super::{ApiState, internal, invalid_blob, not_registered};
use crate::store::blobs::BlobState;

/// Longest wait for a registration, whatever the client asks for.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// What a simulation charges for a signature.
const SIGN_COST: Duration = Duration::from_micros(400);

pub(super) async fn permanent(
    State(state): State<ApiState>,
    BlobPath(blob): BlobPath,
    query: ConfirmationQuery,
) -> Result<Response, ApiError> {
    answer(&state, blob, Persistence::Permanent, query).await
}

pub(super) async fn deletable(
    State(state): State<ApiState>,
    path: ObjectPath,
    query: ConfirmationQuery,
) -> Result<Response, ApiError> {
    answer(&state, path.blob_id, Persistence::Deletable(path.object_id), query).await
}

async fn answer(
    state: &ApiState,
    blob: BlobId,
    persistence: Persistence,
    query: ConfirmationQuery,
) -> Result<Response, ApiError> {
    if query.wait_for_registration
        && let Some(_permit) = state.admission.waiting()
    {
        let wait = query.wait.unwrap_or(MAX_WAIT).min(MAX_WAIT);
        wait_for_registration(state, &blob, persistence, wait).await?;
    }
    let signed = confirm(state, blob, persistence).await?;
    Ok(success(StatusCode::OK, SignedConfirmation::Signed(signed)))
}

/// Returns when the object asked about is registered, or after `wait`.
async fn wait_for_registration(
    state: &ApiState,
    blob: &BlobId,
    persistence: Persistence,
    wait: Duration,
) -> Result<(), ApiError> {
    let deadline = Instant::now() + wait;
    loop {
        let seen = state.progress.position();
        let blob_state = state.blob_state(blob).await?;
        if is_asked_for(state, &blob_state, persistence)
            || timeout_at(deadline, state.progress.beyond(seen)).await.is_err()
        {
            return Ok(());
        }
    }
}

fn is_asked_for(state: &ApiState, blob_state: &BlobState, persistence: Persistence) -> bool {
    let epoch = state.epoch();
    match persistence {
        Persistence::Permanent => blob_state.is_registered_permanently(epoch),
        Persistence::Deletable(object) => {
            object.token().is_some_and(|token| blob_state.is_registered_deletable(token, epoch))
        }
    }
}

/// Signs, if the rule at the top of this module allows it.
async fn confirm(
    state: &ApiState,
    blob: BlobId,
    persistence: Persistence,
) -> Result<SignedMessage, ApiError> {
    let mut blob_state = state.blob_state(&blob).await?;
    if !is_asked_for(state, &blob_state, persistence) {
        state.progress.catch_up(crate::state::CATCH_UP_LIMIT).await;
        blob_state = state.blob_state(&blob).await?;
    }
    let membership = state.membership.get();
    if blob_state.invalid.is_some() {
        return Err(invalid_blob());
    }
    if !is_asked_for(state, &blob_state, persistence) {
        return Err(not_registered());
    }
    if membership.shards().is_empty() {
        let message = "this node is not in the committee of the current epoch";
        return Err(ApiError::new(ErrorReason::ShardNotAssigned, message));
    }
    let has_metadata = state.store.metadata().get(&blob).await.map_err(internal)?.is_some();
    let missing = state.missing_slivers(&blob).await.map_err(internal)?;
    if !has_metadata || !missing.is_empty() {
        let message = format!("{} slivers of this blob are missing here", missing.len());
        return Err(ApiError::new(ErrorReason::MissingSlivers, message));
    }
    if state.membership.get().epoch() != membership.epoch() {
        let message = "the epoch changed meanwhile; ask again";
        return Err(ApiError::new(ErrorReason::MissingSlivers, message));
    }
    let body = StorageConfirmation { blob_id: blob, persistence };
    let message = Message::new(membership.epoch(), body);
    let node = state.node.clone();
    let key = node.protocol_keys.of(&membership);
    let sign = move || SignedMessage::sign(&key, &node.context, &message);
    Ok(state.env.compute(SIGN_COST, sign).await)
}
