//! The Merkle trees over all rows and columns of a blob, built while its columns go by
//! (docs/protocol/encoding.md section 3).
//!
//! Each symbol is hashed once, for its column's tree and its row's. The hashes of eight neighbouring
//! columns are at once folded into the nodes three levels up the row trees, so that a blob never needs
//! room for all of its `n * n` leaf hashes; and rows of padding, whose symbols and subtrees are all
//! alike, are not hashed at all.

use std::ops::Range;

use crate::blob_id::Digest;
use crate::engine::Engine;
use crate::merkle::{RawDigest, path_length};

/// Columns whose leaf hashes are folded together: a whole subtree of every row's tree.
pub(crate) const FOLD: usize = 8;
const FOLD_LEVELS: usize = 3;

const EMPTY: RawDigest = *Digest::EMPTY.as_bytes();

/// The digests of subtrees that contain only symbols of zeros, by the height of the subtree.
#[derive(Debug, Clone)]
pub(crate) struct ZeroTrees {
    subtrees: Vec<RawDigest>,
    root: RawDigest,
}

impl ZeroTrees {
    /// For trees of `leaves` symbols of `symbol_bytes`.
    pub(crate) fn new<E: Engine>(engine: &mut E, leaves: usize, symbol_bytes: usize) -> Self {
        let mut node = [EMPTY];
        engine.hash_leaves(symbol_bytes, symbol_bytes, &vec![0; symbol_bytes], &mut node);
        let mut subtrees = vec![node[0]];
        for _ in 0..path_length(leaves) {
            let child = [node[0]];
            engine.hash_pairs(&child, &child, &mut node);
            subtrees.push(node[0]);
        }
        let zeros = Self { subtrees, root: EMPTY };
        let level = vec![zeros.leaf(); leaves];
        let root = zeros.column_root(engine, &level, 0..leaves, &mut TreeBuffers::default());
        Self { root, ..zeros }
    }

    /// The hash of a symbol of zeros.
    pub(crate) fn leaf(&self) -> RawDigest {
        self.subtrees[0]
    }

    /// The root of a tree that contains nothing else.
    pub(crate) fn root(&self) -> RawDigest {
        self.root
    }

    /// The root over leaf hashes of which those in `zeros` belong to symbols of zeros.
    pub(crate) fn column_root<E: Engine>(
        &self,
        engine: &mut E,
        leaves: &[RawDigest],
        zeros: Range<usize>,
        buffers: &mut TreeBuffers,
    ) -> RawDigest {
        let TreeBuffers { level, parents } = buffers;
        let (mut low, mut high) = (zeros.start, zeros.end.max(zeros.start));
        // The leaves are read where they lie, all further levels out of the buffers.
        let mut children = leaves;
        for zero_parent in self.subtrees.iter().skip(1).chain(std::iter::repeat(&EMPTY)) {
            if children.len() <= 1 {
                break;
            }
            // From here on parents: those whose children are both known.
            (low, high) = (low.div_ceil(2), high / 2);
            let odd = children.len() % 2;
            let pairs = &children[..children.len() - odd];
            parents.resize(children.len().div_ceil(2), EMPTY);
            let (whole, last) = parents.split_at_mut(pairs.len() / 2);
            if low < high {
                engine.hash_siblings(&pairs[..2 * low], &mut whole[..low]);
                whole[low..high].fill(*zero_parent);
                engine.hash_siblings(&pairs[2 * high..], &mut whole[high..]);
            } else {
                engine.hash_siblings(pairs, whole);
            }
            if odd == 1 {
                engine.hash_pairs(&children[children.len() - 1..], &[EMPTY], last);
            }
            std::mem::swap(level, parents);
            children = level;
        }
        children.first().copied().unwrap_or(EMPTY)
    }
}

/// Room for two levels of a tree.
#[derive(Debug, Default)]
pub(crate) struct TreeBuffers {
    level: Vec<RawDigest>,
    parents: Vec<RawDigest>,
}

/// Room for folding.
#[derive(Debug, Default)]
pub(crate) struct FoldBuffers {
    level: Vec<RawDigest>,
    parents: Vec<RawDigest>,
}

/// Folds the leaf hashes of up to [`FOLD`] columns, each a line of `lines` digests, into one line of
/// nodes: as high as eight leaves reach, or to the root if these are all columns. Only the lines'
/// parts `parts` are looked at.
pub(crate) fn fold_columns<E: Engine>(
    engine: &mut E,
    lines: usize,
    digests: &[RawDigest],
    parts: &[Range<usize>],
    buffers: &mut FoldBuffers,
) -> Vec<RawDigest> {
    let FoldBuffers { level, parents } = buffers;
    // As many lines as there are columns: fewer than eight leaves of all do not reach so high.
    let levels = FOLD_LEVELS.min(path_length(lines));
    let mut children = digests;
    for _ in 0..levels {
        fold_level(engine, lines, children, parts, parents);
        std::mem::swap(level, parents);
        children = level;
    }
    children.to_vec()
}

/// One level of [`fold_columns`]: half as many lines.
fn fold_level<E: Engine>(
    engine: &mut E,
    lines: usize,
    children: &[RawDigest],
    parts: &[Range<usize>],
    parents: &mut Vec<RawDigest>,
) {
    let count = children.len() / lines;
    parents.resize(count.div_ceil(2) * lines, EMPTY);
    let padding = if count % 2 == 1 { vec![EMPTY; lines] } else { Vec::new() };
    for (pair, parents) in children.chunks(2 * lines).zip(parents.chunks_exact_mut(lines)) {
        let (left, right) = pair.split_at(lines);
        let right = if right.is_empty() { &padding } else { right };
        for part in parts {
            let part = part.clone();
            engine.hash_pairs(&left[part.clone()], &right[part.clone()], &mut parents[part]);
        }
    }
}

/// The roots of the row trees in `rows`, from the lines that [`fold_columns`] left of all groups of
/// columns, in order.
pub(crate) fn row_roots<E: Engine>(
    engine: &mut E,
    groups: &[Vec<RawDigest>],
    rows: Range<usize>,
) -> Vec<RawDigest> {
    let count = rows.len();
    let mut level: Vec<RawDigest> =
        groups.iter().flat_map(|group| &group[rows.clone()]).copied().collect();
    let mut parents = Vec::new();
    while level.len() > count {
        fold_level(engine, count, &level, std::slice::from_ref(&(0..count)), &mut parents);
        std::mem::swap(&mut level, &mut parents);
    }
    level
}
