//! Merkle trees over symbols and over sliver pairs, and proofs in them
//! (docs/protocol/encoding.md sections 3.1 and 3.2).
//!
//! Each level with an odd number of nodes above one is padded with one empty node, which is 32 zero
//! bytes and not the hash of anything.

use crate::bcs::{BcsError, Reader, Writer};
use crate::blob_id::Digest;
use crate::engine::Engine;
use crate::hash::{LEAF, NODE, prefixed};

/// A digest as plain bytes, so that a level of a tree is one flat run of bytes.
pub(crate) type RawDigest = [u8; 32];

/// The number of nodes on a path from one of `leaves` leaves to the root.
pub const fn path_length(leaves: usize) -> usize {
    if leaves <= 1 { 0 } else { (leaves - 1).ilog2() as usize + 1 }
}

/// A node as it is serialised: one byte `00`, or `01` and 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Node {
    /// The padding of an odd level; hashed as 32 zero bytes.
    Empty,
    /// A hash.
    Digest(Digest),
}

impl Node {
    /// What the node contributes to the hash of its parent.
    pub const fn digest(&self) -> Digest {
        match self {
            Self::Empty => Digest::EMPTY,
            Self::Digest(digest) => *digest,
        }
    }

    /// Whether this node, as the root of a tree, is the root `computed` from leaves. An empty root
    /// never is.
    pub fn is_root(&self, computed: &Digest) -> bool {
        matches!(self, Self::Digest(digest) if digest == computed)
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, BcsError> {
        match reader.uleb()? {
            0 => Ok(Self::Empty),
            1 => Ok(Self::Digest(Digest::from_bytes(reader.array()?))),
            got => Err(BcsError::UnknownVariant { what: "Merkle node", got }),
        }
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        match self {
            Self::Empty => writer.uleb(0),
            Self::Digest(digest) => {
                writer.uleb(1);
                writer.raw(digest.as_bytes());
            }
        }
    }
}

/// The siblings on the way from a leaf to the root, leaf level first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MerkleProof {
    path: Vec<Node>,
}

impl MerkleProof {
    /// The proof with this path.
    pub fn new(path: Vec<Node>) -> Self {
        Self { path }
    }

    /// The siblings, leaf level first.
    pub fn path(&self) -> &[Node] {
        &self.path
    }

    /// Whether `leaf` is the data of leaf `index` of `leaves` in a tree with the given root
    /// (section 3.2). `leaves`, `index` and the length of `leaf` come from what the verifier expects,
    /// never from whoever sent the proof.
    pub fn verify(&self, root: &Node, leaf: &[u8], index: usize, leaves: usize) -> bool {
        if self.path.len() != path_length(leaves) || index >= leaves {
            return false;
        }
        let mut position = index;
        let mut hash = prefixed(&[LEAF], leaf);
        for sibling in &self.path {
            let sibling = sibling.digest();
            let (left, right) =
                if position.is_multiple_of(2) { (&hash, &sibling) } else { (&sibling, &hash) };
            hash = inner_hash(left, right);
            position /= 2;
        }
        root.is_root(&hash)
    }

    /// Parses a proof of at most `max_nodes` nodes.
    ///
    /// # Errors
    /// [`BcsError`] if the bytes are not the one form of such a proof.
    pub fn from_bcs(bytes: &[u8], max_nodes: usize) -> Result<Self, BcsError> {
        let mut reader = Reader::bounded(bytes, 1 + 33 * max_nodes)?;
        let proof = Self::read(&mut reader, max_nodes)?;
        reader.finish()?;
        Ok(proof)
    }

    /// The serialised proof: a vector of nodes.
    pub fn to_bcs(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(1 + 33 * self.path.len());
        self.write(&mut writer);
        writer.finish()
    }

    pub(crate) fn read(reader: &mut Reader<'_>, max_nodes: usize) -> Result<Self, BcsError> {
        let count = reader.count(max_nodes, 1)?;
        let path = (0..count).map(|_| Node::read(reader)).collect::<Result<_, _>>()?;
        Ok(Self { path })
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.count(self.path.len());
        self.path.iter().for_each(|node| node.write(writer));
    }
}

/// The hash of two neighbours.
pub(crate) fn inner_hash(left: &Digest, right: &Digest) -> Digest {
    let mut pair = [0; 64];
    pair[..32].copy_from_slice(left.as_bytes());
    pair[32..].copy_from_slice(right.as_bytes());
    prefixed(&[NODE], &pair)
}

/// A whole tree, from which proofs can be cut.
#[derive(Debug, Clone)]
pub struct MerkleTree {
    /// Leaf hashes first; every level but the root's is padded to an even count.
    levels: Vec<Vec<RawDigest>>,
    leaves: usize,
}

impl MerkleTree {
    /// The tree over `messages`, which are `message_bytes` long each and lie one after the other.
    ///
    /// # Panics
    /// If `message_bytes` is 0 or does not divide the length of `messages`.
    pub fn build<E: Engine>(engine: &mut E, message_bytes: usize, messages: &[u8]) -> Self {
        assert_eq!(messages.len() % message_bytes, 0, "leaves of a tree are of equal length");
        let leaves = messages.len() / message_bytes;
        let mut level = vec![[0; 32]; leaves];
        engine.hash_leaves(message_bytes, message_bytes, messages, &mut level);
        let mut levels = Vec::with_capacity(path_length(leaves) + 1);
        while level.len() > 1 {
            if level.len() % 2 == 1 {
                level.push(*Digest::EMPTY.as_bytes());
            }
            let mut parents = vec![[0; 32]; level.len() / 2];
            engine.hash_siblings(&level, &mut parents);
            levels.push(std::mem::replace(&mut level, parents));
        }
        levels.push(level);
        Self { levels, leaves }
    }

    /// The root; [`Digest::EMPTY`] for a tree without leaves.
    pub fn root(&self) -> Digest {
        let root = self.levels.last().and_then(|level| level.first());
        root.map_or(Digest::EMPTY, |root| Digest::from_bytes(*root))
    }

    /// The proof of leaf `index`, or nothing if there is no such leaf.
    pub fn proof(&self, index: usize) -> Option<MerkleProof> {
        if index >= self.leaves {
            return None;
        }
        let mut path = Vec::with_capacity(self.levels.len() - 1);
        // Only real nodes are hashes; the padding of an odd level is not.
        let (mut position, mut nodes) = (index, self.leaves);
        for level in &self.levels[..self.levels.len() - 1] {
            let sibling = position ^ 1;
            let real = sibling < nodes;
            path.push(if real {
                Node::Digest(Digest::from_bytes(level[sibling]))
            } else {
                Node::Empty
            });
            position /= 2;
            nodes = nodes.div_ceil(2);
        }
        Some(MerkleProof { path })
    }
}

/// The root over leaf hashes, for callers that need no proofs. `level` is used up.
pub(crate) fn root_of_hashes<E: Engine>(
    engine: &mut E,
    level: &mut Vec<RawDigest>,
    parents: &mut Vec<RawDigest>,
) -> RawDigest {
    while level.len() > 1 {
        if level.len() % 2 == 1 {
            level.push(*Digest::EMPTY.as_bytes());
        }
        parents.resize(level.len() / 2, [0; 32]);
        engine.hash_siblings(level, parents);
        std::mem::swap(level, parents);
    }
    level.first().copied().unwrap_or(*Digest::EMPTY.as_bytes())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::engine::Plain;

    /// If this failed, a proof would not lead to the root, or would hold for another leaf, another
    /// position, another number of leaves or an empty root.
    #[test]
    fn proofs_hold_only_for_their_leaf() {
        for leaves in 1..=33_usize {
            let data: Vec<u8> = (0..leaves as u8 * 3).collect();
            let tree = MerkleTree::build(&mut Plain::new(), 3, &data);
            let root = Node::Digest(tree.root());
            for index in 0..leaves {
                let proof = tree.proof(index).unwrap();
                let leaf = &data[3 * index..3 * index + 3];
                assert!(proof.verify(&root, leaf, index, leaves));
                assert!(!proof.verify(&root, b"no!", index, leaves));
                assert!(!proof.verify(&Node::Empty, leaf, index, leaves));
                assert!(!proof.verify(&root, leaf, index + leaves, leaves));
                assert!(!proof.verify(&root, leaf, index, 2 * leaves));
                if leaves > 1 {
                    assert!(!proof.verify(&root, leaf, index ^ 1, leaves));
                }
                let bytes = proof.to_bcs();
                assert_eq!(MerkleProof::from_bcs(&bytes, path_length(leaves)), Ok(proof));
            }
            assert_eq!(tree.proof(leaves), None);
        }
    }

    /// If this failed, path lengths would differ from section 3.1, and with them all proof checks.
    #[test]
    fn path_lengths() {
        for (leaves, length) in
            [(0, 0), (1, 0), (2, 1), (3, 2), (7, 3), (8, 3), (9, 4), (10, 4), (1000, 10)]
        {
            assert_eq!(path_length(leaves), length, "{leaves}");
        }
    }

    /// If this failed, the neighbour of a last odd node would be serialised as a hash of zeros.
    #[test]
    fn padding_is_serialised_as_empty() {
        let tree = MerkleTree::build(&mut Plain::new(), 1, b"abc");
        assert_eq!(tree.proof(2).unwrap().path()[0], Node::Empty);
        assert_eq!(MerkleTree::build(&mut Plain::new(), 1, b"").root(), Digest::EMPTY);
    }
}
