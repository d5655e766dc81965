//! Numbers drawn from a seed: `keccak256(abi.encode(seed, ...)) mod m`.

use sha3::{Digest as _, Keccak256};
use walrus_redstuff::{ShardIndex, SliverIndex, SliverPairIndex};

use crate::{ChallengeSeed, NodeId};

/// The words after the seed.
enum Word {
    Number(u64),
    /// A text as `abi.encode` puts it when it is the fourth value: where it begins, its
    /// length, its bytes.
    FourthText(&'static [u8]),
}

/// A number below `modulus`, which must not be 0.
fn draw(seed: &ChallengeSeed, words: &[Word], modulus: u64) -> u64 {
    let mut hash = Keccak256::new_with_prefix(seed.0);
    let mut number = |n: u64| {
        hash.update([0; 24]);
        hash.update(n.to_be_bytes());
    };
    let mut text = None;
    for word in words {
        match word {
            Word::Number(n) => number(*n),
            Word::FourthText(bytes) => {
                number(4 * 32);
                number(bytes.len() as u64);
                text = Some(*bytes);
            }
        }
    }
    if let Some(bytes) = text {
        hash.update(bytes);
        hash.update(&[0; 32][bytes.len() % 32..]);
    }
    let digest = hash.finalize();
    // Big endian, byte by byte: the remainder stays below `modulus`, so 72 bits are enough.
    let step = |rest: u128, byte: &u8| (rest << 8 | u128::from(*byte)) % u128::from(modulus);
    digest.iter().fold(0, step) as u64
}

/// Where attempt `attempt` of sample `sample` falls, in units from the first candidate.
pub(super) fn point(seed: &ChallengeSeed, sample: u16, attempt: u8, total_units: u64) -> u64 {
    draw(seed, &[Word::Number(sample.into()), Word::Number(attempt.into())], total_units)
}

/// The shard with which `node` answers a sample: one of its `shards`, which must be in
/// ascending order; each is equally likely. `None` for a node without shards.
pub fn own_shard(
    seed: &ChallengeSeed,
    node: NodeId,
    sample: u16,
    shards: &[ShardIndex],
) -> Option<ShardIndex> {
    let words = [Word::Number(node.0.into()), Word::Number(sample.into())];
    pick(seed, &words, shards)
}

/// The shard of `peer` whose common symbol `node` sends it: one of the peer's `shards`,
/// which must be in ascending order. `None` for a peer without shards.
pub fn peer_shard(
    seed: &ChallengeSeed,
    node: NodeId,
    sample: u16,
    peer: NodeId,
    shards: &[ShardIndex],
) -> Option<ShardIndex> {
    let words = [node.0.into(), sample.into(), peer.0.into()].map(Word::Number);
    pick(seed, &words, shards)
}

fn pick(seed: &ChallengeSeed, words: &[Word], shards: &[ShardIndex]) -> Option<ShardIndex> {
    let count = u64::try_from(shards.len()).ok().filter(|count| *count != 0)?;
    shards.get(draw(seed, words, count) as usize).copied()
}

/// Which symbol of its sliver `node` shows the contract: the index of the sliver of the
/// other type that shares it. `None` for no shards.
pub fn chain_symbol(
    seed: &ChallengeSeed,
    node: NodeId,
    sample: u16,
    n_shards: u16,
) -> Option<SliverIndex> {
    let words =
        [Word::Number(node.0.into()), Word::Number(sample.into()), Word::FourthText(b"chain")];
    (n_shards != 0).then(|| SliverIndex(draw(seed, &words, n_shards.into()) as u16))
}

/// The symbol that every primary sliver has in common with what a peer keeps of the same
/// blob under pair `peer_pair`: that of the pair's secondary sliver. `None` if there is
/// no such pair.
pub fn common_symbol(peer_pair: SliverPairIndex, n_shards: u16) -> Option<SliverIndex> {
    n_shards.checked_sub(1)?.checked_sub(peer_pair.get()).map(SliverIndex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_drawn_from_nothing() {
        let seed = ChallengeSeed([1; 32]);
        assert_eq!(own_shard(&seed, NodeId(1), 0, &[]), None);
        assert_eq!(peer_shard(&seed, NodeId(1), 0, NodeId(2), &[]), None);
        assert_eq!(chain_symbol(&seed, NodeId(1), 0, 0), None);
        assert_eq!(common_symbol(SliverPairIndex(10), 10), None);
        assert_eq!(common_symbol(SliverPairIndex(0), 10), Some(SliverIndex(9)));
    }

    #[test]
    fn every_shard_is_equally_likely() {
        // "The first own shard at or after a random number" would test one of ten
        // consecutive shards nearly always; a node could drop the other nine.
        let shards: Vec<_> = (500..510).map(ShardIndex).collect();
        let mut counts = [0; 10];
        for sample in 0..10_000 {
            let seed = ChallengeSeed([3; 32]);
            let shard = own_shard(&seed, NodeId(9), sample, &shards);
            counts[shard.map_or(0, |shard| shard.as_usize() - 500)] += 1;
        }
        // Ten standard deviations of 30.
        assert!(counts.iter().all(|count| (700..1300).contains(count)), "{counts:?}");
    }
}
