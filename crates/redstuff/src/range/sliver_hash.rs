//! The hashes of one sliver pair, proven by the blob id alone.

use crate::axis::SliverType;
use crate::bcs::{BcsError, Reader, Writer};
use crate::blob_id::{BlobId, Digest};
use crate::engine::Fast;
use crate::index::SliverPairIndex;
use crate::merkle::{MerkleTree, Node};
use crate::metadata::{SliverPairHashes, VerifiedMetadata};
use crate::params::{EncodingParams, EncodingType, SymbolSize};

use super::proof::RunProof;

/// Bytes of the two hashes: a leaf of the blob tree.
const LEAF_BYTES: usize = 64;

/// Why the hashes of a pair were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SliverHashError {
    /// There is no such pair.
    #[error("sliver pair {pair} is not below the number of shards, {n_shards}")]
    IndexOutOfRange {
        /// The pair.
        pair: SliverPairIndex,
        /// The number of shards.
        n_shards: u16,
    },
    /// The length is above what the code can hold.
    #[error("the proof claims a blob of {length} bytes, of which at most {max} can be encoded")]
    TooLarge {
        /// The length claimed.
        length: u64,
        /// The greatest length for this number of shards.
        max: u64,
    },
    /// The path is longer or shorter than every path to this pair.
    #[error("the path has {got} digests, not {expected}")]
    WrongPathLength {
        /// The digests needed.
        expected: usize,
        /// The digests there.
        got: usize,
    },
    /// The hashes, the length or the path are not those of the blob: whoever sent them is to blame.
    #[error("the hashes of sliver pair {pair} belong to blob {got}, not {expected}")]
    WrongBlobId {
        /// The pair.
        pair: SliverPairIndex,
        /// The blob asked for.
        expected: BlobId,
        /// The blob id that they lead to.
        got: BlobId,
    },
}

/// The hashes of the two slivers of a pair with their path in the blob tree, and the blob's length.
///
/// With a blob id and the number of shards it proves both hashes and the length, in `O(log n)` bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SliverHashProof {
    unencoded_length: u64,
    pair: SliverPairIndex,
    primary: Digest,
    secondary: Digest,
    path: RunProof,
}

impl SliverHashProof {
    /// Serialised bytes besides the path's digests.
    pub(super) const FIXED_BYTES: usize = 1 + 8 + 2 + LEAF_BYTES + 1;

    /// The proof for one pair; nothing if there is no such pair. Costs about `2n` hashes, for all
    /// pairs together when the tree is kept: see [`Self::from_tree`].
    pub fn new(metadata: &VerifiedMetadata, pair: SliverPairIndex) -> Option<Self> {
        Self::from_tree(metadata, &Self::tree(metadata), pair)
    }

    /// The blob tree (docs/protocol/encoding.md section 3.3).
    pub fn tree(metadata: &VerifiedMetadata) -> MerkleTree {
        let leaf = |pair: &SliverPairHashes| {
            [*pair.primary.digest().as_bytes(), *pair.secondary.digest().as_bytes()]
        };
        let leaves: Vec<[u8; 32]> = metadata.hashes().iter().flat_map(leaf).collect();
        MerkleTree::build(&mut Fast::new(), LEAF_BYTES, leaves.as_flattened())
    }

    /// As [`Self::new`] with the tree of [`Self::tree`].
    pub fn from_tree(
        metadata: &VerifiedMetadata,
        tree: &MerkleTree,
        pair: SliverPairIndex,
    ) -> Option<Self> {
        let hashes = metadata.pair_hashes(pair)?;
        let (leaf, leaves) = (pair.as_usize(), metadata.hashes().len());
        Some(Self {
            unencoded_length: metadata.unencoded_length(),
            pair,
            primary: hashes.primary.digest(),
            secondary: hashes.secondary.digest(),
            path: RunProof::of_tree(tree, leaf..leaf + 1, leaves)?,
        })
    }

    /// The pair that the hashes are said to be of.
    pub fn pair(&self) -> SliverPairIndex {
        self.pair
    }

    /// The length that the blob is said to have.
    pub fn unencoded_length(&self) -> u64 {
        self.unencoded_length
    }

    /// Compares hashes and length with the blob id.
    ///
    /// # Errors
    /// [`SliverHashError`]: nothing in the proof is of use.
    pub fn verify(
        &self,
        params: EncodingParams,
        blob_id: &BlobId,
    ) -> Result<ProvenSliverHashes, SliverHashError> {
        let (pair, n_shards) = (self.pair, params.n_shards());
        if pair.get() >= n_shards {
            return Err(SliverHashError::IndexOutOfRange { pair, n_shards });
        }
        let length = self.unencoded_length;
        let symbol_size = params
            .symbol_size(length)
            .map_err(|error| SliverHashError::TooLarge { length, max: error.max })?;
        let (place, leaves) = (pair.as_usize()..pair.as_usize() + 1, usize::from(n_shards));
        let leaf = [*self.primary.as_bytes(), *self.secondary.as_bytes()];
        let root = self.path.root(leaf.as_flattened(), LEAF_BYTES, place.clone(), leaves);
        let root = root.ok_or_else(|| SliverHashError::WrongPathLength {
            expected: RunProof::digests(place, leaves),
            got: self.path.siblings().len(),
        })?;
        let got = BlobId::from_parts(EncodingType::Rs2, length, &root);
        if got != *blob_id {
            return Err(SliverHashError::WrongBlobId { pair, expected: *blob_id, got });
        }
        let hashes =
            SliverPairHashes { primary: node(self.primary), secondary: node(self.secondary) };
        Ok(ProvenSliverHashes { blob_id: got, params, length, symbol_size, pair, hashes })
    }

    /// Parses a proof for a network of this size.
    ///
    /// # Errors
    /// [`BcsError`] if the bytes are not the one form of such a proof.
    pub fn from_bcs(bytes: &[u8], params: EncodingParams) -> Result<Self, BcsError> {
        let mut reader = Reader::bounded(bytes, Self::max_bcs_len(params))?;
        let proof = Self::read(&mut reader, params)?;
        reader.finish()?;
        Ok(proof)
    }

    /// The longest serialised proof.
    pub fn max_bcs_len(params: EncodingParams) -> usize {
        Self::FIXED_BYTES + 32 * params.merkle_path_length()
    }

    /// The serialised proof: encoding type, length, pair, primary hash, secondary hash, path.
    pub fn to_bcs(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(Self::FIXED_BYTES + 32 * self.path.siblings().len());
        self.write(&mut writer);
        writer.finish()
    }

    pub(super) fn read(reader: &mut Reader<'_>, params: EncodingParams) -> Result<Self, BcsError> {
        let encoding = reader.uleb()?;
        if u8::try_from(encoding).ok().and_then(EncodingType::from_u8).is_none() {
            return Err(BcsError::UnknownVariant { what: "encoding type", got: encoding });
        }
        Ok(Self {
            unencoded_length: reader.u64()?,
            pair: SliverPairIndex(reader.u16()?),
            primary: Digest::from_bytes(reader.array()?),
            secondary: Digest::from_bytes(reader.array()?),
            path: RunProof::read(reader, params.n_shards().into())?,
        })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.uleb(EncodingType::Rs2.as_u8().into());
        writer.u64(self.unencoded_length);
        writer.u16(self.pair.get());
        writer.raw(self.primary.as_bytes());
        writer.raw(self.secondary.as_bytes());
        self.path.write(writer);
    }
}

/// An empty hash and one of zeros are the same in the blob tree; nothing verifies against either.
fn node(digest: Digest) -> Node {
    if digest == Digest::EMPTY { Node::Empty } else { Node::Digest(digest) }
}

/// Hashes of a sliver pair that a blob id commits to, and the blob's length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProvenSliverHashes {
    blob_id: BlobId,
    params: EncodingParams,
    length: u64,
    symbol_size: SymbolSize,
    pair: SliverPairIndex,
    hashes: SliverPairHashes,
}

impl ProvenSliverHashes {
    /// The blob.
    pub fn blob_id(&self) -> &BlobId {
        &self.blob_id
    }

    /// The shape of the code.
    pub fn params(&self) -> EncodingParams {
        self.params
    }

    /// The length of the blob in bytes.
    pub fn unencoded_length(&self) -> u64 {
        self.length
    }

    /// The length of each symbol.
    pub fn symbol_size(&self) -> SymbolSize {
        self.symbol_size
    }

    /// The pair.
    pub fn pair(&self) -> SliverPairIndex {
        self.pair
    }

    /// The hash of a sliver of the pair.
    pub fn sliver(&self, sliver_type: SliverType) -> &Node {
        self.hashes.sliver(sliver_type)
    }
}
