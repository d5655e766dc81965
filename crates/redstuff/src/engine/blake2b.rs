//! BLAKE2b-256 of many messages at a time: the leaves and the nodes of Merkle trees
//! (docs/protocol/encoding.md section 3.1).
//!
//! The messages of one call are equally long, so their hashes take the same steps: a vector
//! register holds one word of several messages, and every instruction advances all of them.
//! [`compress`] has the function itself, written once for any number of lanes; [`trees`] says what
//! goes into it; `portable`, `avx2` and `avx512` have the words and how to load them.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod compress;
mod portable;
mod rows;
#[cfg(test)]
mod tests;
mod trees;

use super::Instructions;
use compress::Lanes as _;
use portable::Portable;
use rows::Leaves;
use trees::Nodes;

/// A hash as plain bytes.
pub(crate) type Digest32 = [u8; 32];

/// Hashes leaves: `digests[i]` becomes the hash of a zero byte followed by message `i`.
///
/// Message `i` is the `message_bytes` (at least 1) bytes at `messages[i * stride..]`, where `stride`
/// is at least `message_bytes`; nothing need follow the last message.
///
/// # Panics
/// If the lengths do not fit.
pub(crate) fn hash_leaves(
    instructions: Instructions,
    message_bytes: usize,
    stride: usize,
    messages: &[u8],
    digests: &mut [Digest32],
) {
    let leaves = Leaves::new(message_bytes, stride, messages, digests.len());
    match kernel(instructions, digests.len()) {
        Kernel::Portable(lanes) => trees::hash_leaves(lanes, leaves, digests),
        #[cfg(target_arch = "x86_64")]
        Kernel::Avx2(lanes) => trees::hash_leaves(lanes, leaves, digests),
        #[cfg(target_arch = "x86_64")]
        Kernel::Avx512(lanes) => trees::hash_leaves(lanes, leaves, digests),
    }
}

/// Hashes nodes: `parents[i]` becomes the hash of a one byte, `left[i]` and `right[i]`.
///
/// # Panics
/// If the lengths differ.
pub(crate) fn hash_pairs(
    instructions: Instructions,
    left: &[Digest32],
    right: &[Digest32],
    parents: &mut [Digest32],
) {
    assert_eq!(left.len(), parents.len(), "each parent has one left child");
    assert_eq!(right.len(), parents.len(), "each parent has one right child");
    hash_nodes(instructions, Nodes::pairs(left, right), parents);
}

/// Hashes one level of a tree: `parents[i]` becomes the hash of a one byte, `level[2 * i]` and
/// `level[2 * i + 1]`.
///
/// # Panics
/// If `level` is not twice as long as `parents`.
pub(crate) fn hash_siblings(
    instructions: Instructions,
    level: &[Digest32],
    parents: &mut [Digest32],
) {
    assert_eq!(level.len(), 2 * parents.len(), "each parent has two children");
    hash_nodes(instructions, Nodes::siblings(level), parents);
}

fn hash_nodes(instructions: Instructions, nodes: Nodes<'_>, parents: &mut [Digest32]) {
    match kernel(instructions, parents.len()) {
        Kernel::Portable(lanes) => lanes.hash_nodes(nodes, parents),
        #[cfg(target_arch = "x86_64")]
        Kernel::Avx2(lanes) => lanes.hash_nodes(nodes, parents),
        #[cfg(target_arch = "x86_64")]
        Kernel::Avx512(lanes) => lanes.hash_nodes(nodes, parents),
    }
}

/// Lanes that this machine has the instructions for.
enum Kernel {
    Portable(Portable),
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(avx512::Avx512),
}

/// The lanes for so many messages. A single one is done sooner without vectors.
#[cfg(target_arch = "x86_64")]
fn kernel(instructions: Instructions, messages: usize) -> Kernel {
    const UNAVAILABLE: &str = "the caller chose instructions that this machine has";
    match instructions {
        Instructions::Avx2 if messages > 1 => {
            Kernel::Avx2(avx2::Avx2::detect().expect(UNAVAILABLE))
        }
        Instructions::Avx512 if messages > 1 => {
            Kernel::Avx512(avx512::Avx512::detect().expect(UNAVAILABLE))
        }
        _ => Kernel::Portable(Portable),
    }
}

/// The lanes where there are no vectors.
#[cfg(not(target_arch = "x86_64"))]
fn kernel(_: Instructions, _: usize) -> Kernel {
    Kernel::Portable(Portable)
}
