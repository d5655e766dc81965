//! What the network promised, kept outside of it and checked against disks and readers.

use std::collections::BTreeMap;

use bytes::Bytes;
use walrus_core::NodeId;
use walrus_redstuff::{BlobId, EncodedBlob, Encoder, SliverPairIndex, SliverType};
use walrus_sdk::{CommitteeView, Node};
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
    fn slivers(
        &self,
        view: &CommitteeView,
        node: NodeId,
    ) -> Vec<(SliverPairIndex, SliverType, Bytes)> {
        let node = view.nodes().iter().find(|other| other.id() == node).unwrap();
        let pairs = node.pairs(view.committee().n_shards(), &self.blob_id());
        let both = pairs.into_iter().flat_map(|index| {
            let pair = self.encoded.pair(index).unwrap();
            let primary = (index, SliverType::Primary, pair.primary.to_bcs().into());
            [primary, (index, SliverType::Secondary, pair.secondary.to_bcs().into())]
        });
        both.collect()
    }

    /// Slivers of a node that would be lost if its power went now.
    pub(crate) fn missing(&self, cluster: &Cluster, view: &CommitteeView, node: NodeId) -> usize {
        let disk = cluster.host_of(node).disk();
        let slivers = self.slivers(view, node);
        slivers.iter().filter(|(.., sliver)| !disk.holds_durably(sliver)).count()
    }

    /// Sends a registered blob's slivers to a node and demands of each that is accepted
    /// that it is on disk. Returns how many were.
    pub(crate) async fn check_puts(
        &self,
        cluster: &Cluster,
        view: &CommitteeView,
        node: &Node,
    ) -> u64 {
        let (client, blob) = (node.client.as_ref().unwrap(), self.blob_id());
        let metadata = self.encoded.metadata().to_bcs().into();
        if client.put_metadata(&blob, metadata).await.is_err() {
            return 0;
        }
        let mut accepted = 0;
        for (pair, axis, sliver) in self.slivers(view, node.id()) {
            if client.put_sliver(&blob, pair, axis, sliver.clone()).await.is_ok() {
                // Asked of the disk when the answer is here; what is durable stays so.
                let durable = cluster.host_of(node.id()).disk().holds_durably(&sliver);
                assert!(
                    durable,
                    "{} acknowledged {axis:?} {pair:?} of {blob}: not on disk",
                    node.id()
                );
                accepted += 1;
            }
        }
        accepted
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
            let blob = self.blob_id();
            assert!(missing == 0, "node {signer} signed for {blob}: {missing} slivers not on disk");
        }
    }
}
