//! What goes into the compression function: leaves of any length, and nodes.

use super::Digest32;
use super::compress::{BLOCK_BYTES, Lanes, compress, initial};
use super::rows::Leaves;

/// The zero byte before a leaf.
const PREFIX_BYTES: usize = 1;
/// The message bytes in a first block.
const FIRST_BYTES: usize = BLOCK_BYTES - PREFIX_BYTES;
/// A node: its prefix and two digests.
const NODE_BYTES: usize = PREFIX_BYTES + 64;

/// Hashes leaves with the kernel for their length. The less of a block they fill, the less there is
/// to add.
pub(super) fn hash_leaves<const N: usize, L: Lanes<N>>(
    lanes: L,
    leaves: Leaves<'_>,
    digests: &mut [Digest32],
) {
    match (leaves.message_bytes() + PREFIX_BYTES).div_ceil(8) {
        0..=1 => lanes.hash_short::<1>(leaves, digests),
        2 => lanes.hash_short::<2>(leaves, digests),
        3..=4 => lanes.hash_short::<4>(leaves, digests),
        5..=8 => lanes.hash_short::<8>(leaves, digests),
        9 => lanes.hash_short::<9>(leaves, digests),
        10..=16 => lanes.hash_short::<16>(leaves, digests),
        _ => lanes.hash_long(leaves, digests),
    }
}

/// Hashes leaves that fill no more than `WORDS` words of one block with their prefix.
#[inline(always)]
pub(super) fn hash_short<const WORDS: usize, const N: usize, L: Lanes<N>>(
    lanes: L,
    leaves: Leaves<'_>,
    digests: &mut [Digest32],
) {
    let hashed = leaves.message_bytes() + PREFIX_BYTES;
    let last = digests.len().saturating_sub(1);
    for first in (0..digests.len()).step_by(N) {
        let block = lanes.load::<WORDS>(leaves.rows(first, last), PREFIX_BYTES);
        let state = compress(lanes, initial(lanes), &block, hashed, true);
        store(lanes, state, &mut digests[first..]);
    }
}

/// Hashes leaves that fill more than one block.
#[inline(always)]
pub(super) fn hash_long<const N: usize, L: Lanes<N>>(
    lanes: L,
    leaves: Leaves<'_>,
    digests: &mut [Digest32],
) {
    let bytes = leaves.message_bytes();
    let last = digests.len().saturating_sub(1);
    for first in (0..digests.len()).step_by(N) {
        let rows = leaves.rows(first, last);
        let mut state = initial(lanes);
        let (mut start, mut end, mut shift) = (0, FIRST_BYTES.min(bytes), PREFIX_BYTES);
        loop {
            let block = lanes.load::<16>(rows.part(start, end - start), shift);
            state = compress(lanes, state, &block, end + PREFIX_BYTES, end == bytes);
            if end == bytes {
                break;
            }
            (start, end, shift) = (end, (end + BLOCK_BYTES).min(bytes), 0);
        }
        store(lanes, state, &mut digests[first..]);
    }
}

/// Hashes nodes.
#[inline(always)]
pub(super) fn hash_nodes<const N: usize, L: Lanes<N>>(
    lanes: L,
    nodes: Nodes<'_>,
    parents: &mut [Digest32],
) {
    let last = parents.len().saturating_sub(1);
    for first in (0..parents.len()).step_by(N) {
        let (left, right) = nodes.children(first, last);
        let block = lanes.load_nodes(left, right);
        let state = compress(lanes, initial(lanes), &block, NODE_BYTES, true);
        store(lanes, state, &mut parents[first..]);
    }
}

/// Writes the digests of the lanes; of the last ones as many as there is room for.
#[inline(always)]
fn store<const N: usize, L: Lanes<N>>(lanes: L, state: [L::Word; 8], digests: &mut [Digest32]) {
    let [h0, h1, h2, h3, ..] = state;
    if let Some(group) = digests.first_chunk_mut() {
        lanes.store([h0, h1, h2, h3], group);
    } else {
        let mut group = [[0; 32]; N];
        lanes.store([h0, h1, h2, h3], &mut group);
        digests.copy_from_slice(&group[..digests.len()]);
    }
}

/// The children of nodes.
#[derive(Clone, Copy)]
pub(super) struct Nodes<'a> {
    left: &'a [Digest32],
    right: &'a [Digest32],
    /// From the child of one node to that of the next.
    step: usize,
}

impl<'a> Nodes<'a> {
    /// Left and right children apart, equally many.
    pub(super) fn pairs(left: &'a [Digest32], right: &'a [Digest32]) -> Self {
        Self { left, right, step: 1 }
    }

    /// Left and right children by turns, an even number.
    pub(super) fn siblings(level: &'a [Digest32]) -> Self {
        Self { left: level, right: level.get(1..).unwrap_or_default(), step: 2 }
    }

    /// The children of the nodes from index `first` on, one pair a lane. Lanes beyond node `last`
    /// repeat it.
    #[inline(always)]
    fn children<const N: usize>(
        &self,
        first: usize,
        last: usize,
    ) -> ([&'a Digest32; N], [&'a Digest32; N]) {
        let mut left = [&[0; 32]; N];
        let mut right = left;
        for lane in 0..N {
            let at = (first + lane).min(last) * self.step;
            (left[lane], right[lane]) = (&self.left[at], &self.right[at]);
        }
        (left, right)
    }
}
