//! Inconsistency proofs (docs/protocol/http-api.md section 3.10).

use std::time::Duration;

use axum::{body::Body, extract::State, response::Response};
use http::{HeaderMap, StatusCode};
use walrus_core::{InvalidBlobId, Message, SignedMessage};
use walrus_node_api::{
    ApiError, ErrorReason, ErrorStatus,
    extract::{ProofPath, success},
    limits,
};
use walrus_redstuff::AnyInconsistencyProof;

use super::{ApiState, internal};

/// What a simulation charges for verifying a proof.
const VERIFY_COST: Duration = Duration::from_millis(5);

/// Signs that a blob is inconsistent, if the proof shows it against metadata that this
/// node itself verified.
pub(super) async fn post(
    State(state): State<ApiState>,
    path: ProofPath,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let metadata = state.store.metadata().get(&path.blob_id).await.map_err(internal)?;
    let metadata = metadata.ok_or_else(|| {
        ApiError::new(ErrorReason::MetadataNotFound, "no metadata of this blob here")
            .with_status(ErrorStatus::FailedPrecondition)
    })?;
    let limit = limits::inconsistency_proof(state.params, path.sliver_type, metadata.symbol_size());
    let (bytes, _memory) = state.admission.receive(&headers, body, limit).await?;
    let _permit = state.admission.symbols()?;
    let (node, membership) = (state.node.clone(), state.membership.get());
    let verify_and_sign = move || {
        let proves_nothing = |error: String| ApiError::new(ErrorReason::InvalidProof, error);
        AnyInconsistencyProof::from_bcs(
            path.sliver_type,
            &bytes,
            node.params,
            metadata.symbol_size(),
        )
        .map_err(|error| proves_nothing(error.to_string()))?
        .verify(&metadata)
        .map_err(|error| proves_nothing(error.to_string()))?;
        let body = InvalidBlobId { blob_id: path.blob_id };
        let message = Message::new(membership.epoch(), body);
        let key = node.protocol_keys.of(&membership);
        Ok(SignedMessage::sign(&key, &node.context, &message))
    };
    let signed: Result<_, ApiError> = state.env.compute(VERIFY_COST, verify_and_sign).await;
    Ok(success(StatusCode::OK, signed?))
}
