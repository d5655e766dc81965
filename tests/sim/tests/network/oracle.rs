//! What the network promised, kept outside of it and checked against disks and readers.

use std::collections::BTreeMap;

use bytes::Bytes;
use walrus_core::NodeId;
use walrus_redstuff::{BlobId, EncodedBlob, Encoder};
use walrus_sdk::CommitteeView;
use walrus_sim::World;

use crate::cluster::Cluster;

/// A blob with everything that nodes may have to hold of it.
pub(crate) struct Expected {
    pub(crate) bytes: Bytes,
    pub(crate) encoded: EncodedBlob,
}

/// Certified blobs.
#[derive(Default)]
pub(crate) struct Oracle {
    pub(crate) certified: BTreeMap<BlobId, Expected>,
}

impl Expected {
    pub(crate) fn new(view: &CommitteeView, bytes: Bytes) -> Self {
        let encoded = Encoder::new(view.params()).encode(&bytes).unwrap();
        Self { bytes, encoded }
    }

    pub(crate) fn blob_id(&self) -> BlobId {
        *self.encoded.metadata().blob_id()
    }

    /// The slivers that a node answers for, as they are sent.
    fn slivers(&self, cluster: &Cluster, view: &CommitteeView, node: NodeId) -> Vec<Vec<u8>> {
        let node = view.nodes().iter().find(|other| other.id() == node).unwrap();
        let pairs = node.pairs(cluster.n_shards, &self.blob_id());
        let pairs = pairs.into_iter().map(|pair| self.encoded.pair(pair).unwrap());
        pairs.flat_map(|pair| [pair.primary.to_bcs(), pair.secondary.to_bcs()]).collect()
    }

    /// Slivers of a node that would be lost if its power went now.
    pub(crate) fn missing(
        &self,
        cluster: &Cluster,
        view: &CommitteeView,
        node: NodeId,
    ) -> usize {
        let disk = cluster.host_of(node).disk();
        let slivers = self.slivers(cluster, view, node);
        slivers.iter().filter(|sliver| !disk.holds_durably(sliver)).count()
    }

    /// A signed confirmation says that every sliver of the signer is on disk, now and later.
    pub(crate) fn check_signers(
        &self,
        world: &World,
        cluster: &Cluster,
        view: &CommitteeView,
        signers: &[NodeId],
    ) {
        for signer in signers {
            let missing = self.missing(cluster, view, *signer);
            world.event(0, "check", &[u64::from(signer.0), missing as u64]);
            if missing > 0 {
                let blob = self.blob_id();
                world.fail(format!("node {signer} signed for {blob} with {missing} slivers not on disk"));
            }
        }
    }
}
