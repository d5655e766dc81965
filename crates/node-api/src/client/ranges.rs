//! Parts of slivers, proven by the blob id alone: what comes back is verified.

use walrus_redstuff::{
    BlobId, EncodingParams, ProvenSliverHashes, RowRun, RunError, SliverHashProof, SliverPairIndex,
    SymbolRun, SymbolSize, VerifiedRun,
};

use super::blob_data::{explain, hashing_cost};
use super::{Misbehaviour, NodeClient, NodeError};
use crate::query::SymbolRunQuery;
use crate::routes;

impl NodeClient {
    /// The hashes of one sliver pair and the blob's length, verified against the blob id. Any node
    /// that has the blob's metadata can tell them.
    ///
    /// # Errors
    /// [`Misbehaviour::WrongMetadata`] for hashes of something else; otherwise see
    /// [`NodeError`].
    pub async fn sliver_hashes(
        &self,
        params: EncodingParams,
        blob_id: &BlobId,
        pair: SliverPairIndex,
    ) -> Result<ProvenSliverHashes, NodeError> {
        let limit = SliverHashProof::max_bcs_len(params);
        let path = routes::sliver_hashes(blob_id, pair);
        let timeout = self.config.timeout_for(limit);
        let bytes = self.transport.get_bytes(&path, limit, timeout).await?;
        // Some twenty hashes: less than it takes to hand them to another thread.
        let proof = SliverHashProof::from_bcs(&bytes, params)
            .map_err(|error| Misbehaviour::Undecodable(explain(&error)))?;
        let wrong = |message| NodeError::from(Misbehaviour::WrongMetadata(message));
        let proven = proof.verify(params, blob_id).map_err(|error| wrong(explain(&error)))?;
        if proven.pair() != pair {
            return Err(wrong(format!("the hashes are those of pair {}", proven.pair())));
        }
        Ok(proven)
    }

    /// Some symbols of a row, verified against the blob id. The node must hold the row's primary
    /// sliver; `symbol_size` is that of the blob.
    ///
    /// # Errors
    /// [`Misbehaviour::WrongSymbol`] for anything but these symbols; otherwise see
    /// [`NodeError`].
    pub async fn symbol_run(
        &self,
        params: EncodingParams,
        blob_id: &BlobId,
        symbol_size: SymbolSize,
        run: RowRun,
    ) -> Result<VerifiedRun, NodeError> {
        let limit = run.bcs_len(params, symbol_size);
        let query = SymbolRunQuery { first: run.first, count: run.count };
        let path = routes::symbol_run(blob_id, run.pair(), &query);
        let timeout = self.config.timeout_for(limit);
        let bytes = self.transport.get_bytes(&path, limit, timeout).await?;
        let (cost, blob_id) = (hashing_cost(bytes.len()), *blob_id);
        let verify = move || {
            let received = SymbolRun::from_bcs(&bytes, params).map_err(RunError::from)?;
            drop(bytes);
            received.verify(params, &blob_id, run)
        };
        let verified = self.env.compute(cost, verify).await;
        verified.map_err(|error| match error {
            RunError::Malformed(error) => Misbehaviour::Undecodable(explain(&error)).into(),
            error => Misbehaviour::WrongSymbol(explain(&error)).into(),
        })
    }
}
