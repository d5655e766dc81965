//! BLAKE2b-256 of single messages. Many messages at once are an [`Engine`](crate::engine::Engine)'s work.

use blake2::Digest as _;
use blake2::digest::consts::U32;

use crate::blob_id::Digest;

/// The first byte of a hashed Merkle leaf.
pub(crate) const LEAF: u8 = 0;
/// The first byte of a hashed Merkle node.
pub(crate) const NODE: u8 = 1;

/// BLAKE2b with a 32-byte digest and no key; not a truncated BLAKE2b-512.
pub fn blake2b256(message: &[u8]) -> Digest {
    prefixed(&[], message)
}

/// The digest of `prefix` followed by `message`.
pub(crate) fn prefixed(prefix: &[u8], message: &[u8]) -> Digest {
    let mut hasher = blake2::Blake2b::<U32>::new();
    hasher.update(prefix);
    hasher.update(message);
    Digest::from_bytes(hasher.finalize().into())
}
