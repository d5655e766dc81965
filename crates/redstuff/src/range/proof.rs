//! Compact Merkle proofs for neighbouring leaves.

use std::ops::Range;

use crate::bcs::{BcsError, Reader, Writer};
use crate::blob_id::Digest;
use crate::engine::{Engine, Fast};
use crate::merkle::{MerkleProof, MerkleTree, Node, RawDigest, path_length};

/// What is needed of a tree to compute its root from some neighbouring leaves: on every level the node
/// before the first known one, if that has a sibling before it, and the node after the last known one,
/// if that has one after it. Leaf level first, left before right.
///
/// The padding of odd levels is not among them, as everyone knows where it is and what. So a proof has
/// exactly one length and one form. For one leaf it is the [`MerkleProof`] without padding.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RunProof {
    siblings: Vec<Digest>,
}

/// The edges of the known nodes on one level.
struct Level {
    /// The node before the first known one is needed.
    left: bool,
    /// What stands after the last known node, if that is a left child.
    right: Option<Right>,
}

#[derive(PartialEq)]
enum Right {
    Sibling,
    Padding,
}

/// The levels below the root over a run that is within the leaves and not empty.
fn levels(run: Range<usize>, leaves: usize) -> impl Iterator<Item = Level> {
    let (mut first, mut last, mut nodes) = (run.start, run.end - 1, leaves);
    std::iter::from_fn(move || {
        if nodes <= 1 {
            return None;
        }
        let right = match last.is_multiple_of(2) {
            true if last + 1 < nodes => Some(Right::Sibling),
            true => Some(Right::Padding),
            false => None,
        };
        let level = Level { left: !first.is_multiple_of(2), right };
        (first, last, nodes) = (first / 2, last / 2, nodes.div_ceil(2));
        Some(level)
    })
}

fn is_run(run: &Range<usize>, leaves: usize) -> bool {
    run.start < run.end && run.end <= leaves
}

impl RunProof {
    /// The proof of a run, cut from the proofs of its first and its last leaf in a tree with so many
    /// leaves. Nothing if the run is empty or not within the tree, or a proof is not of this tree.
    pub fn between(
        run: Range<usize>,
        leaves: usize,
        first: &MerkleProof,
        last: &MerkleProof,
    ) -> Option<Self> {
        let length = path_length(leaves);
        if !is_run(&run, leaves) || first.path().len() != length || last.path().len() != length {
            return None;
        }
        let mut siblings = Vec::with_capacity(Self::digests(run.clone(), leaves));
        let paths = first.path().iter().zip(last.path());
        for (level, (before, after)) in levels(run, leaves).zip(paths) {
            siblings.extend(level.left.then(|| before.digest()));
            siblings.extend((level.right == Some(Right::Sibling)).then(|| after.digest()));
        }
        Some(Self { siblings })
    }

    /// The proof of a run of a tree's leaves, of which there are so many.
    pub fn of_tree(tree: &MerkleTree, run: Range<usize>, leaves: usize) -> Option<Self> {
        let last = tree.proof(run.end.checked_sub(1)?)?;
        Self::between(run.clone(), leaves, &tree.proof(run.start)?, &last)
    }

    /// How many digests the proof of a run has; at most twice the length of a path.
    pub fn digests(run: Range<usize>, leaves: usize) -> usize {
        if !is_run(&run, leaves) {
            return 0;
        }
        let needed = |level: Level| {
            usize::from(level.left) + usize::from(level.right == Some(Right::Sibling))
        };
        levels(run, leaves).map(needed).sum()
    }

    /// The digests.
    pub fn siblings(&self) -> &[Digest] {
        &self.siblings
    }

    /// Whether the leaves of the run hold `data`, `leaf_bytes` each, in the tree of `leaves` leaves
    /// with this root. All but `data` comes from what the verifier expects.
    pub fn verify(
        &self,
        root: &Node,
        data: &[u8],
        leaf_bytes: usize,
        run: Range<usize>,
        leaves: usize,
    ) -> bool {
        self.root(data, leaf_bytes, run, leaves).is_some_and(|computed| root.is_root(&computed))
    }

    /// The root that these leaves lead to; nothing if data or proof are not of the right length.
    pub(super) fn root(
        &self,
        data: &[u8],
        leaf_bytes: usize,
        run: Range<usize>,
        leaves: usize,
    ) -> Option<Digest> {
        let fits = is_run(&run, leaves)
            && leaf_bytes > 0
            && data.len() == run.len() * leaf_bytes
            && self.siblings.len() == Self::digests(run.clone(), leaves);
        if !fits {
            return None;
        }
        let mut engine = Fast::new();
        // Room for a sibling on each side.
        let mut known = vec![[0; 32]; run.len()];
        engine.hash_leaves(leaf_bytes, leaf_bytes, data, &mut known);
        let mut siblings = self.siblings.iter().map(|digest| *digest.as_bytes());
        let mut level: Vec<RawDigest> = Vec::with_capacity(known.len() + 2);
        for Level { left, right } in levels(run, leaves) {
            level.clear();
            if left {
                level.push(siblings.next()?);
            }
            level.extend_from_slice(&known);
            match right {
                Some(Right::Sibling) => level.push(siblings.next()?),
                Some(Right::Padding) => level.push(*Digest::EMPTY.as_bytes()),
                None => {}
            }
            known.resize(level.len() / 2, [0; 32]);
            engine.hash_siblings(&level, &mut known);
        }
        known.first().copied().map(Digest::from_bytes)
    }

    pub(super) fn read(reader: &mut Reader<'_>, leaves: usize) -> Result<Self, BcsError> {
        let count = reader.count(2 * path_length(leaves), 32)?;
        let digests = (0..count).map(|_| reader.array().map(Digest::from_bytes));
        Ok(Self { siblings: digests.collect::<Result<_, _>>()? })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.count(self.siblings.len());
        self.siblings.iter().for_each(|digest| writer.raw(digest.as_bytes()));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::engine::Plain;

    /// If this failed, a run would not be provable, or a proof would hold for other leaves, another
    /// place, another number of leaves or an empty root.
    #[test]
    fn every_run_of_every_small_tree_is_proven_and_nothing_else() {
        for leaves in 1..=19_usize {
            let data: Vec<u8> = (0..leaves as u8 * 3).collect();
            let tree = MerkleTree::build(&mut Plain::new(), 3, &data);
            let root = Node::Digest(tree.root());
            for first in 0..leaves {
                for end in first + 1..=leaves {
                    let run = first..end;
                    let proof = RunProof::of_tree(&tree, run.clone(), leaves).unwrap();
                    let some = &data[3 * first..3 * end];
                    let holds = |run, leaves| proof.verify(&root, some, 3, run, leaves);
                    assert!(holds(run.clone(), leaves), "{run:?} of {leaves}");
                    assert!(proof.siblings().len() <= 2 * path_length(leaves));
                    assert!(!proof.verify(&Node::Empty, some, 3, run.clone(), leaves));
                    assert!(!holds(first + 1..end + 1, leaves));
                    assert!(!holds(first..end - 1, leaves));
                    assert!(!holds(run.clone(), 2 * leaves));
                    assert!(!proof.verify(&root, &data[..0], 0, run.clone(), leaves));
                    let mut longer = proof.clone();
                    longer.siblings.push(Digest::EMPTY);
                    assert!(!longer.verify(&root, some, 3, run.clone(), leaves));
                }
            }
            assert_eq!(RunProof::of_tree(&tree, 0..leaves + 1, leaves), None);
            assert_eq!(RunProof::of_tree(&tree, 1..1, leaves), None);
        }
    }

    /// If this failed, a run of one symbol would be proven by something else than a Merkle path.
    #[test]
    fn a_run_of_one_is_a_path_without_padding() {
        let data: Vec<u8> = (0..11).collect();
        let tree = MerkleTree::build(&mut Plain::new(), 1, &data);
        for leaf in 0..11 {
            let path = tree.proof(leaf).unwrap();
            let real = path.path().iter().filter(|node| **node != Node::Empty);
            let digests: Vec<_> = real.map(Node::digest).collect();
            assert_eq!(RunProof::of_tree(&tree, leaf..leaf + 1, 11).unwrap().siblings, digests);
        }
    }
}
