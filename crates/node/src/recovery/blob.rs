//! Recovering what a node lacks of one blob.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use walrus_node_api::client::ExpectedAttestation;
use walrus_redstuff::{
    AnyInconsistencyProof, BlobId, Primary, Secondary, SliverType, VerifiedMetadata,
};

use super::{
    peers::Peers,
    sliver::{Collected, SliverRecoveryError, recover},
};
use crate::{state::Shared, store::slivers::SliverKey};

/// Slivers of one blob recovered at once.
const SLIVERS_AT_ONCE: usize = 4;

/// Why an attempt did not complete the blob.
#[derive(Debug, thiserror::Error)]
pub(super) enum AttemptError {
    #[error("no peer had the metadata")]
    NoMetadata,
    #[error("{0} slivers could not be recovered yet")]
    Incomplete(usize),
    #[error("the blob is inconsistent; {0} peers attested so")]
    Inconsistent(usize),
    #[error("the store failed: {0}")]
    Store(String),
}

/// Symbols found so far, by the sliver they are for; kept from attempt to attempt.
pub(super) type Attempt = BTreeMap<SliverKey, Collected>;

/// Tries to get everything of the blob that the node has to store; nothing, if the blob
/// is not certified. Never downloads the blob: a sliver costs about its own size and
/// the proofs.
pub(super) async fn attempt(
    node: &Shared,
    peers: &Peers,
    blob: &BlobId,
    collected: &mut Attempt,
) -> Result<(), AttemptError> {
    let store = |error: &dyn std::fmt::Display| AttemptError::Store(error.to_string());
    let state = node.store.blob_state(blob).await.map_err(|e| store(&e))?;
    if !state.is_certified(node.epoch()) || node.membership.get().shards().is_empty() {
        return Ok(());
    }
    let metadata = match node.store.metadata().get(blob).await.map_err(|e| store(&e))? {
        Some(metadata) => metadata,
        None => {
            let found = find_metadata(node, peers, blob).await.ok_or(AttemptError::NoMetadata)?;
            node.store.metadata().put(&found).await.map_err(|e| store(&e))?;
            found
        }
    };
    let missing = node.missing_slivers(blob).await.map_err(|e| store(&e))?;
    if !missing.is_empty() {
        tracing::info!(%blob, missing = missing.len(), "recovering slivers");
    }
    let work = missing.into_iter().map(|key| (key, collected.remove(&key).unwrap_or_default()));
    let one = |(key, mut symbols): (SliverKey, Collected)| {
        let metadata = &metadata;
        async move {
            let result = match key.axis {
                SliverType::Primary => {
                    recover::<Primary>(node, peers, metadata, key, &mut symbols).await
                }
                SliverType::Secondary => {
                    recover::<Secondary>(node, peers, metadata, key, &mut symbols).await
                }
            };
            (key, symbols, result)
        }
    };
    let work: Vec<_> = work.collect();
    let mut results = stream::iter(work).map(one).buffer_unordered(SLIVERS_AT_ONCE);
    let mut incomplete = 0;
    while let Some((key, symbols, result)) = results.next().await {
        match result {
            Ok(()) => {}
            Err(SliverRecoveryError::Inconsistent(proof)) => {
                return Err(AttemptError::Inconsistent(
                    accuse(node, peers, &metadata, &proof).await,
                ));
            }
            Err(error) => {
                tracing::debug!(%blob, ?key, %error, "a sliver could not be recovered yet");
                incomplete += 1;
                collected.insert(key, symbols);
            }
        }
    }
    if incomplete == 0 { Ok(()) } else { Err(AttemptError::Incomplete(incomplete)) }
}

/// Metadata from the first peer that has it; every answer is verified.
async fn find_metadata(node: &Shared, peers: &Peers, blob: &BlobId) -> Option<VerifiedMetadata> {
    for peer in peers.shuffled() {
        match peer.client.metadata(node.params, blob).await {
            Ok(metadata) => return Some(metadata),
            Err(error) => {
                tracing::debug!(peer = %peer.member.node_id, %error, "no metadata from this peer");
            }
        }
    }
    None
}

/// Shows the proof to all peers; returns how many attested that the blob is inconsistent.
async fn accuse(
    node: &Shared,
    peers: &Peers,
    metadata: &VerifiedMetadata,
    proof: &AnyInconsistencyProof,
) -> usize {
    let bytes = Bytes::from(proof.to_bcs());
    let epoch = node.epoch();
    let mut attested = 0;
    for peer in peers.shuffled() {
        let key = &peer.member.public_key;
        let expected = ExpectedAttestation { epoch, context: &node.context, key };
        let (blob, sliver_type) = (metadata.blob_id(), proof.sliver_type());
        let answer =
            peer.client.submit_inconsistency_proof(blob, sliver_type, bytes.clone(), &expected);
        match answer.await {
            Ok(_) => attested += 1,
            Err(error) => {
                tracing::debug!(peer = %peer.member.node_id, %error, "no attestation from this peer");
            }
        }
    }
    attested
}
