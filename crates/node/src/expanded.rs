//! Slivers extended to whole rows and columns, ready for making recovery symbols.
//!
//! Extending and hashing a sliver costs far more than cutting symbols out of it, and a
//! peer that heals asks for symbols from all slivers of a blob, once for each sliver it
//! lacks: so the extended slivers are kept for a while.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use walrus_env::Env;
use walrus_redstuff::{
    BlobId, ExpandedSliver, GeneralRecoverySymbol, MerkleTree, Primary, Secondary, Sliver,
    SliverError, SliverHashProof, SliverIndex, SliverType, VerifiedMetadata,
};

use crate::{lru::Lru, store::slivers::SliverKey, sync::lock};

/// Memory for extended slivers.
const CACHE_BYTES: usize = 64 << 20;

/// Memory for blob trees (66 KB for a blob at 1000 shards).
const TREE_CACHE_BYTES: usize = 4 << 20;

/// What a simulation charges for extending and hashing a sliver.
const EXPAND_COST: Duration = Duration::from_micros(500);

/// What a simulation charges for building a blob's tree.
const TREE_COST: Duration = Duration::from_micros(300);

/// An extended sliver of either type.
#[derive(Clone, Debug)]
pub enum AnyExpanded {
    /// A row.
    Primary(Arc<ExpandedSliver<Primary>>),
    /// A column.
    Secondary(Arc<ExpandedSliver<Secondary>>),
}

impl AnyExpanded {
    /// Checks a sliver against the metadata and extends it.
    ///
    /// # Errors
    /// [`SliverError`] for bytes that are not this sliver.
    pub fn verify(
        metadata: &VerifiedMetadata,
        key: SliverKey,
        bytes: &[u8],
    ) -> Result<Self, SliverError> {
        let params = metadata.params();
        let index = key.pair.to_sliver_index(key.axis, params.n_shards());
        Ok(match key.axis {
            SliverType::Primary => {
                let sliver = Sliver::from_bcs(bytes, params)?;
                Self::Primary(Arc::new(metadata.verify_and_expand(sliver, index)?))
            }
            SliverType::Secondary => {
                let sliver = Sliver::from_bcs(bytes, params)?;
                Self::Secondary(Arc::new(metadata.verify_and_expand(sliver, index)?))
            }
        })
    }

    /// The symbol shared with sliver `target` of the other type, with its proof.
    pub fn recovery_symbol(&self, target: SliverIndex) -> Option<GeneralRecoverySymbol> {
        match self {
            Self::Primary(sliver) => sliver.general_symbol(target),
            Self::Secondary(sliver) => sliver.general_symbol(target),
        }
    }
}

/// The extended slivers used of late, and the trees over the slivers' hashes.
#[derive(Debug)]
pub struct ExpandedSlivers {
    cache: Mutex<Lru<(BlobId, SliverKey), AnyExpanded>>,
    trees: Mutex<Lru<BlobId, Arc<MerkleTree>>>,
}

impl Default for ExpandedSlivers {
    fn default() -> Self {
        Self {
            cache: Mutex::new(Lru::new(CACHE_BYTES)),
            trees: Mutex::new(Lru::new(TREE_CACHE_BYTES)),
        }
    }
}

impl ExpandedSlivers {
    /// The extended form of a sliver, if it was used of late.
    pub fn cached(&self, blob: &BlobId, key: SliverKey) -> Option<AnyExpanded> {
        lock(&self.cache).get(&(*blob, key))
    }

    /// Extends a sliver and keeps it.
    ///
    /// # Errors
    /// [`SliverError`] for bytes that are not this sliver.
    pub async fn expand(
        &self,
        env: &Env,
        metadata: &VerifiedMetadata,
        key: SliverKey,
        bytes: Bytes,
    ) -> Result<AnyExpanded, SliverError> {
        let blob = *metadata.blob_id();
        let n_shards = usize::from(metadata.params().n_shards());
        // The symbols and a tree of two digests for each.
        let cost = n_shards * (metadata.symbol_size().bytes() + 64);
        let metadata = metadata.clone();
        let compute = move || AnyExpanded::verify(&metadata, key, &bytes);
        let expanded = env.compute(EXPAND_COST, compute).await?;
        lock(&self.cache).insert((blob, key), expanded.clone(), cost);
        Ok(expanded)
    }

    /// The tree over the hashes of a blob's slivers.
    pub async fn blob_tree(&self, env: &Env, metadata: &VerifiedMetadata) -> Arc<MerkleTree> {
        let blob = *metadata.blob_id();
        if let Some(found) = lock(&self.trees).get(&blob) {
            return found;
        }
        let (cost, metadata) = (64 * metadata.hashes().len() + 256, metadata.clone());
        let tree = env.compute(TREE_COST, move || SliverHashProof::tree(&metadata)).await;
        let tree = Arc::new(tree);
        lock(&self.trees).insert(blob, tree.clone(), cost);
        tree
    }

    /// Forgets the slivers of a blob.
    pub fn forget(&self, blob: &BlobId) {
        lock(&self.trees).remove(blob);
        lock(&self.cache).remove_all(|(other, _)| other == blob);
    }
}
