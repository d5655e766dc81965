//! Our side, and what both sides' results are compared by.

use std::hint::black_box;

use sha2::{Digest as _, Sha256};
use walrus_redstuff::engine::{Fast, Instructions};
use walrus_redstuff::{
    Axis, ConsistencyCheck, EncodedBlob, Encoder, EncodingParams, ExpandedSliver, Primary,
    RecoverySymbol, Secondary, Sliver, SliverIndex, VerifiedMetadata, VerifiedSliver,
    VerifiedSymbol, Workers, decode_with,
};

use crate::contest::Evidence;
use crate::naive::{Encoded, Hash, Metadata, ProvenSymbol};

/// The numbers of threads that operations on whole blobs are measured with.
pub(crate) const THREADS: [usize; 2] = [1, 2];

/// An engine and the threads it works with, used again and again.
pub(crate) struct Ours {
    pub(crate) threads: usize,
    encoder: Encoder,
    engine: Fast,
    workers: Workers,
}

impl Ours {
    pub(crate) fn new(params: EncodingParams, instructions: Instructions, threads: usize) -> Self {
        let engine = Fast::with(instructions).expect("checked when the options were read");
        let workers = Workers::start(threads.try_into().unwrap()).unwrap();
        let encoder = Encoder::new(params).with_workers(workers.clone());
        Self { threads, encoder, engine, workers }
    }

    pub(crate) fn encode(&mut self, data: &[u8]) -> EncodedBlob {
        let blob = self.encoder.encode_with(&mut self.engine, data).unwrap();
        // Some slivers are put together only when they are asked for.
        blob.pairs().for_each(|pair| drop(black_box(pair)));
        blob
    }

    pub(crate) fn metadata(&mut self, data: &[u8]) -> VerifiedMetadata {
        self.encoder.compute_metadata_with(&mut self.engine, data).unwrap()
    }

    pub(crate) fn decode<A: Axis>(
        &mut self,
        metadata: &VerifiedMetadata,
        slivers: &[VerifiedSliver<A>],
        check: ConsistencyCheck,
    ) -> Vec<u8> {
        let slivers = slivers.iter().cloned();
        decode_with(&mut self.engine, &self.workers, metadata, slivers, check).unwrap()
    }

    pub(crate) fn expand(
        &mut self,
        metadata: &VerifiedMetadata,
        sliver: &Sliver<Primary>,
    ) -> ExpandedSliver<Primary> {
        let index = sliver.index();
        metadata.verify_and_expand_with(&mut self.engine, sliver.clone(), index).unwrap()
    }
}

impl Evidence for Vec<u8> {
    fn bytes(&self) -> Vec<u8> {
        self.clone()
    }
}

impl Evidence for () {
    fn bytes(&self) -> Vec<u8> {
        Vec::new()
    }
}

impl Evidence for Metadata {
    fn bytes(&self) -> Vec<u8> {
        [self.id.as_bytes().as_slice(), self.pairs.as_flattened().as_flattened()].concat()
    }
}

impl Evidence for VerifiedMetadata {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.blob_id().as_bytes().to_vec();
        for pair in self.hashes() {
            bytes.extend_from_slice(pair.primary.digest().as_bytes());
            bytes.extend_from_slice(pair.secondary.digest().as_bytes());
        }
        bytes
    }
}

impl Evidence for Encoded {
    fn bytes(&self) -> Vec<u8> {
        let slivers = Sha256::new().chain_update(&self.primary).chain_update(&self.secondary);
        [self.metadata.bytes(), slivers.finalize().to_vec()].concat()
    }
}

impl Evidence for EncodedBlob {
    fn bytes(&self) -> Vec<u8> {
        let mut slivers = Sha256::new();
        let indices = (0..self.metadata().params().n_shards()).map(SliverIndex);
        for index in indices.clone() {
            slivers.update(self.sliver::<Primary>(index).unwrap().data());
        }
        for index in indices {
            slivers.update(self.sliver::<Secondary>(index).unwrap().data());
        }
        [self.metadata().bytes(), slivers.finalize().to_vec()].concat()
    }
}

impl<A: Axis> Evidence for VerifiedSliver<A> {
    fn bytes(&self) -> Vec<u8> {
        self.data().to_vec()
    }
}

impl<A: Axis> Evidence for VerifiedSymbol<A> {
    fn bytes(&self) -> Vec<u8> {
        self.data().to_vec()
    }
}

impl<A: Axis> Evidence for RecoverySymbol<A> {
    fn bytes(&self) -> Vec<u8> {
        [self.data().to_vec(), path(self).concat()].concat()
    }
}

impl Evidence for ProvenSymbol {
    fn bytes(&self) -> Vec<u8> {
        [self.data.clone(), self.path.concat()].concat()
    }
}

/// The digests of a symbol's proof.
pub(crate) fn path<A: Axis>(symbol: &RecoverySymbol<A>) -> Vec<Hash> {
    symbol.proof().path().iter().map(|node| *node.digest().as_bytes()).collect()
}
