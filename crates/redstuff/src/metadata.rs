//! What a blob id commits to: the hashes of all slivers (docs/protocol/encoding.md section 4).

use std::sync::Arc;

use crate::any_sliver::{AnySliver, AnyVerifiedSliver};
use crate::axis::{Axis, SliverType};
use crate::bcs::{BcsError, Reader, Writer};
use crate::blob_id::{BlobId, Digest};
use crate::engine::{Engine, Fast};
use crate::expanded::{ExpandedSliver, RootBuffers, expand, expanded_root};
use crate::index::{SliverIndex, SliverPairIndex};
use crate::layout::Layout;
use crate::merkle::{Node, root_of_hashes};
use crate::params::{EncodingParams, EncodingType, SymbolSize};
use crate::sliver::{Sliver, SliverError, VerifiedSliver};

/// The bytes of a pair whose two hashes are empty nodes: no pair is shorter.
const MIN_PAIR_BYTES: usize = 2;

/// The hashes of the two slivers of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SliverPairHashes {
    /// The Merkle root over the `n` symbols of the pair's row.
    pub primary: Node,
    /// The Merkle root over the `n` symbols of the pair's column.
    pub secondary: Node,
}

impl SliverPairHashes {
    /// The hash of the sliver of the given type.
    pub const fn sliver(&self, sliver_type: SliverType) -> &Node {
        match sliver_type {
            SliverType::Primary => &self.primary,
            SliverType::Secondary => &self.secondary,
        }
    }
}

/// Why metadata was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// The bytes are not metadata.
    #[error("malformed metadata")]
    Malformed(#[from] BcsError),
    /// The metadata is for another number of shards.
    #[error("metadata has hashes for {got} shards, not {expected}")]
    WrongShardCount {
        /// The number of shards.
        expected: usize,
        /// The number of hash pairs.
        got: usize,
    },
    /// The length is above what the code can hold.
    #[error("metadata claims {length} bytes, of which at most {max} can be encoded")]
    TooLarge {
        /// The length claimed.
        length: u64,
        /// The greatest length for this number of shards.
        max: u64,
    },
    /// The metadata is that of another blob, or altered: whoever sent it is to blame.
    #[error("metadata belongs to blob {got}, not {expected}")]
    WrongBlobId {
        /// The blob asked for.
        expected: BlobId,
        /// The blob id claimed or recomputed.
        got: BlobId,
    },
}

/// Metadata as it is sent and stored, not yet compared with a blob id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobMetadata {
    unencoded_length: u64,
    hashes: Vec<SliverPairHashes>,
}

impl BlobMetadata {
    /// Metadata out of its parts; `hashes[k]` belongs to sliver pair `k`.
    pub fn new(unencoded_length: u64, hashes: Vec<SliverPairHashes>) -> Self {
        Self { unencoded_length, hashes }
    }

    /// The length of the blob in bytes.
    pub fn unencoded_length(&self) -> u64 {
        self.unencoded_length
    }

    /// The way the blob is encoded.
    pub fn encoding_type(&self) -> EncodingType {
        EncodingType::Rs2
    }

    /// The hashes of all sliver pairs.
    pub fn hashes(&self) -> &[SliverPairHashes] {
        &self.hashes
    }

    /// The Merkle root over the hashes of all pairs. Costs about `2n` hashes.
    pub fn compute_root(&self) -> Digest {
        let mut leaves = Vec::with_capacity(64 * self.hashes.len());
        for pair in &self.hashes {
            leaves.extend_from_slice(pair.primary.digest().as_bytes());
            leaves.extend_from_slice(pair.secondary.digest().as_bytes());
        }
        let mut engine = Fast::new();
        let mut level = vec![[0; 32]; self.hashes.len()];
        engine.hash_leaves(64, 64, &leaves, &mut level);
        Digest::from_bytes(root_of_hashes(&mut engine, &mut level, &mut Vec::new()))
    }

    /// The blob id that this metadata belongs to. Costs as [`Self::compute_root`].
    pub fn compute_blob_id(&self) -> BlobId {
        BlobId::from_parts(self.encoding_type(), self.unencoded_length, &self.compute_root())
    }

    /// Compares the metadata with the blob id that the caller asked for or knows from the chain.
    ///
    /// # Errors
    /// [`MetadataError`]: the metadata is of no use for this blob.
    pub fn verify(
        self,
        params: EncodingParams,
        blob_id: &BlobId,
    ) -> Result<VerifiedMetadata, MetadataError> {
        let (expected, got) = (usize::from(params.n_shards()), self.hashes.len());
        if got != expected {
            return Err(MetadataError::WrongShardCount { expected, got });
        }
        let length = self.unencoded_length;
        let too_large =
            |error: crate::DataTooLarge| MetadataError::TooLarge { length, max: error.max };
        let symbol_size = params.symbol_size(length).map_err(too_large)?;
        let root = self.compute_root();
        let got = BlobId::from_parts(self.encoding_type(), length, &root);
        if got != *blob_id {
            return Err(MetadataError::WrongBlobId { expected: *blob_id, got });
        }
        Ok(VerifiedMetadata::new_verified(params, symbol_size, root, got, self))
    }

    /// Parses serialised metadata, which must be for the given number of shards.
    ///
    /// # Errors
    /// [`BcsError`] if the bytes are not the one form of such metadata.
    pub fn from_bcs(bytes: &[u8], params: EncodingParams) -> Result<Self, BcsError> {
        let mut reader = Reader::bounded(bytes, params.max_metadata_bcs_len())?;
        let metadata = Self::read(&mut reader, params)?;
        reader.finish()?;
        Ok(metadata)
    }

    fn read(reader: &mut Reader<'_>, params: EncodingParams) -> Result<Self, BcsError> {
        match reader.uleb()? {
            0 => {}
            got => return Err(BcsError::UnknownVariant { what: "blob metadata", got }),
        }
        let encoding = reader.uleb()?;
        if u8::try_from(encoding).ok().and_then(EncodingType::from_u8).is_none() {
            return Err(BcsError::UnknownVariant { what: "encoding type", got: encoding });
        }
        let unencoded_length = reader.u64()?;
        let n_shards = usize::from(params.n_shards());
        reader.exact_count(n_shards, MIN_PAIR_BYTES)?;
        let mut hashes = Vec::with_capacity(n_shards);
        for _ in 0..n_shards {
            let (primary, secondary) = (Node::read(reader)?, Node::read(reader)?);
            hashes.push(SliverPairHashes { primary, secondary });
        }
        Ok(Self { unencoded_length, hashes })
    }

    /// The serialised metadata.
    pub fn to_bcs(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(13 + 66 * self.hashes.len());
        self.write(&mut writer);
        writer.finish()
    }

    fn write(&self, writer: &mut Writer) {
        writer.uleb(0);
        writer.uleb(self.encoding_type().as_u8().into());
        writer.u64(self.unencoded_length);
        writer.count(self.hashes.len());
        for pair in &self.hashes {
            pair.primary.write(writer);
            pair.secondary.write(writer);
        }
    }
}

/// Metadata behind the blob id it is claimed to belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobMetadataWithId {
    /// The blob id claimed.
    pub blob_id: BlobId,
    /// The metadata.
    pub metadata: BlobMetadata,
}

impl BlobMetadataWithId {
    /// Parses a serialised blob id and metadata.
    ///
    /// # Errors
    /// [`BcsError`] if the bytes are not the one form of such metadata.
    pub fn from_bcs(bytes: &[u8], params: EncodingParams) -> Result<Self, BcsError> {
        let mut reader = Reader::bounded(bytes, params.max_metadata_with_id_bcs_len())?;
        let blob_id = BlobId::from_bytes(reader.array()?);
        let metadata = BlobMetadata::read(&mut reader, params)?;
        reader.finish()?;
        Ok(Self { blob_id, metadata })
    }

    /// The serialised form: the 32 bytes of the blob id, then the metadata.
    pub fn to_bcs(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(45 + 66 * self.metadata.hashes.len());
        writer.raw(self.blob_id.as_bytes());
        self.metadata.write(&mut writer);
        writer.finish()
    }

    /// As [`BlobMetadata::verify`]; the claimed blob id must be the right one too.
    ///
    /// # Errors
    /// As [`BlobMetadata::verify`].
    pub fn verify(
        self,
        params: EncodingParams,
        blob_id: &BlobId,
    ) -> Result<VerifiedMetadata, MetadataError> {
        if self.blob_id != *blob_id {
            return Err(MetadataError::WrongBlobId { expected: *blob_id, got: self.blob_id });
        }
        self.metadata.verify(params, blob_id)
    }
}

/// Metadata that a blob id commits to. Cloning it copies nothing.
///
/// It says nothing about the slivers: whoever made the blob can commit to hashes of anything.
#[derive(Debug, Clone)]
pub struct VerifiedMetadata {
    parts: Arc<Parts>,
}

#[derive(Debug)]
struct Parts {
    params: EncodingParams,
    symbol_size: SymbolSize,
    root: Digest,
    blob_id: BlobId,
    metadata: BlobMetadata,
}

impl VerifiedMetadata {
    pub(crate) fn new_verified(
        params: EncodingParams,
        symbol_size: SymbolSize,
        root: Digest,
        blob_id: BlobId,
        metadata: BlobMetadata,
    ) -> Self {
        Self { parts: Arc::new(Parts { params, symbol_size, root, blob_id, metadata }) }
    }

    /// The blob id.
    pub fn blob_id(&self) -> &BlobId {
        &self.parts.blob_id
    }

    /// The shape of the code.
    pub fn params(&self) -> EncodingParams {
        self.parts.params
    }

    /// The length of the blob in bytes. Whoever stored the blob chose it, up to
    /// [`EncodingParams::max_blob_size`]: a reader needs a limit of its own.
    pub fn unencoded_length(&self) -> u64 {
        self.parts.metadata.unencoded_length
    }

    /// The length of each symbol.
    pub fn symbol_size(&self) -> SymbolSize {
        self.parts.symbol_size
    }

    pub(crate) fn layout(&self) -> Layout {
        let (params, symbol_size) = (self.params(), self.symbol_size());
        Layout { params, symbol_size, length: self.unencoded_length() }
    }

    /// The Merkle root over the hashes of all pairs, which the chain is told at registration.
    pub fn root_hash(&self) -> &Digest {
        &self.parts.root
    }

    /// The hashes of all sliver pairs.
    pub fn hashes(&self) -> &[SliverPairHashes] {
        &self.parts.metadata.hashes
    }

    /// The hashes of a sliver pair, if there is such a pair.
    pub fn pair_hashes(&self, pair: SliverPairIndex) -> Option<&SliverPairHashes> {
        self.hashes().get(pair.as_usize())
    }

    /// The hash of a sliver, if there is such a sliver (section 4.2).
    pub fn sliver_hash(&self, sliver_type: SliverType, index: SliverIndex) -> Option<&Node> {
        let pair = index.to_pair_index(sliver_type, self.params().n_shards());
        Some(self.pair_hashes(pair)?.sliver(sliver_type))
    }

    /// The metadata without the knowledge that it is right.
    pub fn metadata(&self) -> &BlobMetadata {
        &self.parts.metadata
    }

    /// The serialised metadata, without the blob id. Not unique for a blob id: never compare or key
    /// metadata by these bytes.
    pub fn to_bcs(&self) -> Vec<u8> {
        self.parts.metadata.to_bcs()
    }

    /// The serialised blob id and metadata.
    pub fn to_bcs_with_id(&self) -> Vec<u8> {
        let mut bytes = self.blob_id().as_bytes().to_vec();
        bytes.extend(self.to_bcs());
        bytes
    }

    /// Compares a received sliver with what the metadata commits to (section 4.4). `expected` is the
    /// index of the sliver that was asked for. Costs one coder call and about `2n` hashes.
    ///
    /// # Errors
    /// [`SliverError`]: do not store, count or sign for the sliver; blame its sender.
    pub fn verify_sliver<A: Axis>(
        &self,
        sliver: Sliver<A>,
        expected: SliverIndex,
    ) -> Result<VerifiedSliver<A>, SliverError> {
        self.verify_sliver_with(&mut Fast::new(), sliver, expected)
    }

    /// As [`Self::verify_sliver`], by a chosen engine.
    ///
    /// # Errors
    /// As [`Self::verify_sliver`].
    pub fn verify_sliver_with<A: Axis, E: Engine>(
        &self,
        engine: &mut E,
        sliver: Sliver<A>,
        expected: SliverIndex,
    ) -> Result<VerifiedSliver<A>, SliverError> {
        let hash = self.check_sliver_shape(&sliver, expected)?;
        let (params, size) = (self.params(), self.symbol_size());
        let buffers = &mut RootBuffers::default();
        let root = expanded_root(engine, buffers, params, size, A::TYPE, sliver.data());
        if !hash.is_root(&root) {
            return Err(SliverError::WrongHash { sliver_type: A::TYPE, index: expected });
        }
        Ok(VerifiedSliver::new_verified(sliver, *self.blob_id()))
    }

    /// As [`Self::verify_sliver`], and keeps what had to be computed: the symbols of the whole row or
    /// column and their Merkle tree, out of which recovery symbols are made.
    ///
    /// # Errors
    /// As [`Self::verify_sliver`].
    pub fn verify_and_expand<A: Axis>(
        &self,
        sliver: Sliver<A>,
        expected: SliverIndex,
    ) -> Result<ExpandedSliver<A>, SliverError> {
        self.verify_and_expand_with(&mut Fast::new(), sliver, expected)
    }

    /// As [`Self::verify_and_expand`], by a chosen engine.
    ///
    /// # Errors
    /// As [`Self::verify_sliver`].
    pub fn verify_and_expand_with<A: Axis, E: Engine>(
        &self,
        engine: &mut E,
        sliver: Sliver<A>,
        expected: SliverIndex,
    ) -> Result<ExpandedSliver<A>, SliverError> {
        let hash = self.check_sliver_shape(&sliver, expected)?;
        let (symbols, tree) =
            expand::<A, E>(engine, self.params(), self.symbol_size(), sliver.data());
        if !hash.is_root(&tree.root()) {
            return Err(SliverError::WrongHash { sliver_type: A::TYPE, index: expected });
        }
        let sliver = VerifiedSliver::new_verified(sliver, *self.blob_id());
        Ok(ExpandedSliver::new_verified(sliver, symbols, tree))
    }

    /// Everything about a sliver that costs nothing to check; the hash that it must have.
    fn check_sliver_shape<A: Axis>(
        &self,
        sliver: &Sliver<A>,
        expected: SliverIndex,
    ) -> Result<Node, SliverError> {
        let index = sliver.index();
        let n_shards = self.params().n_shards();
        let out_of_range = SliverError::IndexOutOfRange { index, n_shards };
        let hash = *self.sliver_hash(A::TYPE, index).ok_or(out_of_range)?;
        if index != expected {
            return Err(SliverError::WrongIndex { expected, got: index });
        }
        let bytes = self.params().sliver_bytes(A::TYPE, self.symbol_size());
        if sliver.data().len() != bytes {
            return Err(SliverError::WrongLength { expected: bytes, got: sliver.data().len() });
        }
        if sliver.symbol_size() != self.symbol_size() {
            let (expected, got) = (self.symbol_size(), sliver.symbol_size());
            return Err(SliverError::WrongSymbolSize { expected, got });
        }
        Ok(hash)
    }

    /// As [`Self::verify_sliver`] for a type known at run time.
    ///
    /// # Errors
    /// As [`Self::verify_sliver`].
    pub fn verify_any(
        &self,
        sliver: AnySliver,
        expected: SliverIndex,
    ) -> Result<AnyVerifiedSliver, SliverError> {
        Ok(match sliver {
            AnySliver::Primary(sliver) => self.verify_sliver(sliver, expected)?.into(),
            AnySliver::Secondary(sliver) => self.verify_sliver(sliver, expected)?.into(),
        })
    }
}
