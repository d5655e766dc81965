//! Reading metadata and slivers: what comes back is verified.

use std::time::Duration;

use bytes::Bytes;
use walrus_redstuff::{
    Axis, BlobId, BlobMetadataWithId, EncodingParams, Sliver, SliverPairIndex, VerifiedMetadata,
    VerifiedSliver,
};

use super::{Misbehaviour, NodeClient, NodeError};
use crate::{limits, routes};

impl NodeClient {
    /// The blob's metadata, verified against its id. The length that it states is bounded
    /// by the code only: a reader checks it against a limit of its own before reserving
    /// anything.
    ///
    /// # Errors
    /// [`Misbehaviour::WrongMetadata`] for metadata of something else; otherwise see
    /// [`NodeError`].
    pub async fn metadata(
        &self,
        params: EncodingParams,
        blob_id: &BlobId,
    ) -> Result<VerifiedMetadata, NodeError> {
        let limit = limits::metadata_get(params);
        let timeout = self.config.timeout_for(limit);
        let bytes = self.transport.get_bytes(&routes::metadata(blob_id), limit, timeout).await?;
        let blob_id = *blob_id;
        let verify = move || {
            let metadata = BlobMetadataWithId::from_bcs(&bytes, params)
                .map_err(|error| Misbehaviour::Undecodable(explain(&error)))?;
            let verified = metadata.verify(params, &blob_id);
            verified.map_err(|error| Misbehaviour::WrongMetadata(explain(&error)))
        };
        let cost = hashing_cost(2 * 64 * usize::from(params.n_shards()));
        Ok(self.env.compute(cost, verify).await?)
    }

    /// One sliver of a pair, verified against the metadata. The node must hold the shard
    /// that this pair of this blob belongs to.
    ///
    /// # Errors
    /// [`Misbehaviour::WrongSliver`] for anything but this sliver; otherwise see
    /// [`NodeError`].
    pub async fn sliver<A: Axis>(
        &self,
        metadata: &VerifiedMetadata,
        pair: SliverPairIndex,
    ) -> Result<VerifiedSliver<A>, NodeError> {
        let params = metadata.params();
        let limit = params.sliver_bcs_len(A::TYPE, metadata.symbol_size());
        let path = routes::sliver(metadata.blob_id(), pair, A::TYPE);
        let timeout = self.config.timeout_for(limit);
        let bytes = self.transport.get_bytes(&path, limit, timeout).await?;
        let metadata = metadata.clone();
        let expanded = usize::from(params.n_shards()) * metadata.symbol_size().bytes();
        let verify = move || verify_sliver(&metadata, pair, bytes);
        Ok(self.env.compute(hashing_cost(expanded), verify).await?)
    }
}

fn verify_sliver<A: Axis>(
    metadata: &VerifiedMetadata,
    pair: SliverPairIndex,
    bytes: Bytes,
) -> Result<VerifiedSliver<A>, Misbehaviour> {
    let params = metadata.params();
    let sliver = Sliver::<A>::from_bcs(&bytes, params)
        .map_err(|error| Misbehaviour::WrongSliver(explain(&error)))?;
    // The sliver has its own copy: two of each in flight would double what reading takes.
    drop(bytes);
    let expected = pair.to_sliver_index(A::TYPE, params.n_shards());
    let verified = metadata.verify_sliver(sliver, expected);
    verified.map_err(|error| Misbehaviour::WrongSliver(explain(&error)))
}

/// What hashing so many bytes takes, roughly; read by simulations only.
pub(super) fn hashing_cost(bytes: usize) -> Duration {
    Duration::from_micros(20) + Duration::from_nanos(2 * bytes as u64)
}

/// An error with its causes on one line.
pub(super) fn explain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
