//! How many shards each node gets: D'Hondt's method with a cap
//! (docs/protocol/onchain.md section 1.13).

use std::cmp::Ordering;

/// Why shards could not be apportioned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApportionmentError {
    /// Nobody has any stake, or there are no nodes.
    #[error("no node has any stake: stake with at least one node first")]
    NoStake,
}

/// Most shards that one of `node_count` nodes may hold of `n_shards`:
/// `max(1, floor(n / 10))` with 20 or more nodes, else `ceil(2n / nodes)`, which may be
/// all of them. 0 if there are no nodes.
pub fn shard_cap(n_shards: u16, node_count: usize) -> u16 {
    if node_count >= 20 {
        return (n_shards / 10).max(1);
    }
    if node_count == 0 {
        return 0;
    }
    let cap = (2 * usize::from(n_shards)).div_ceil(node_count);
    u16::try_from(cap).unwrap_or(u16::MAX)
}

/// The number of shards of each node, in the order of `stakes`, which is that of the
/// active set. The sum is `n_shards`; a node may get none.
///
/// Shards are given one after the other, each to the node below the cap with the largest
/// `stake / (shards + 1)`, ties to the node listed earlier. The contract does not compute
/// this but checks it, so it is written for reading: `n_shards * stakes.len()` steps.
///
/// # Errors
/// [`ApportionmentError::NoStake`] if all stakes are 0.
pub fn apportion(n_shards: u16, stakes: &[u64]) -> Result<Vec<u16>, ApportionmentError> {
    if stakes.iter().all(|stake| *stake == 0) {
        return Err(ApportionmentError::NoStake);
    }
    let cap = shard_cap(n_shards, stakes.len());
    let mut shards = vec![0u16; stakes.len()];
    for _ in 0..n_shards {
        let next = (0..stakes.len())
            .filter(|node| shards[*node] < cap)
            // Of equal claims `max_by` keeps the last: go through the nodes backwards.
            .rev()
            .max_by(|a, b| compare_claims(stakes[*a], shards[*a], stakes[*b], shards[*b]))
            .expect("the caps of all nodes add up to at least the number of shards");
        shards[next] += 1;
    }
    Ok(shards)
}

/// Compares `stake / (shards + 1)` of two nodes exactly.
fn compare_claims(stake_a: u64, shards_a: u16, stake_b: u64, shards_b: u16) -> Ordering {
    let left = u128::from(stake_a) * (u128::from(shards_b) + 1);
    let right = u128::from(stake_b) * (u128::from(shards_a) + 1);
    left.cmp(&right)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn vectors() {
        // The contract refuses a selection that differs by one shard.
        let one_large: Vec<u64> = [vec![200], vec![20; 20]].concat();
        let one_large_shards: Vec<u16> = [vec![100], vec![45; 20]].concat();
        let cases: &[(u16, &[u64], &[u16])] = &[
            (777, &[50_000, 30_000, 15_000, 5_000], &[389, 234, 116, 38]),
            (1000, &[50_000, 30_000, 15_000, 5_000], &[500, 300, 150, 50]),
            (778, &[7, 7, 7, 7], &[195, 195, 194, 194]),
            (1000, &[600, 100, 200, 100], &[500, 125, 250, 125]),
            (1000, &one_large, &one_large_shards),
            (18, &[780_000, 650_000, 520_000, 390_000, 260_000], &[6, 5, 4, 2, 1]),
            (5, &[1, 0, 0], &[4, 1, 0]),
            (777, &[50_000, 50_000, 30_000, 15_000, 15_000, 5_000], &[236, 236, 142, 70, 70, 23]),
        ];
        for (n, stakes, shards) in cases {
            assert_eq!(apportion(*n, stakes).unwrap(), *shards, "n {n} {stakes:?}");
        }
        for nobody in [&[][..], &[0, 0]] {
            assert_eq!(apportion(10, nobody), Err(ApportionmentError::NoStake));
        }
    }

    #[test]
    fn caps_always_leave_room_for_every_shard() {
        // Too small a cap would stop the selection of committees for ever.
        for n in 4..=1200u16 {
            for nodes in 1..=255usize {
                let room = usize::from(shard_cap(n, nodes)) * nodes;
                assert!(room >= usize::from(n), "n {n} nodes {nodes}");
            }
        }
        assert_eq!(shard_cap(777, 4), 389);
        assert_eq!(shard_cap(1000, 6), 334);
        assert_eq!(shard_cap(7, 20), 1);
        assert_eq!(shard_cap(u16::MAX, 1), u16::MAX);
        assert_eq!(shard_cap(10, 0), 0);
    }

    /// The contract's check in one pass (docs/protocol/onchain.md section 2.7): the best
    /// claim to one more shard must be weaker than the weakest shard held.
    fn contract_accepts(n: u16, stakes: &[u64], shards: &[u16]) -> bool {
        let cap = shard_cap(n, stakes.len());
        let nodes = 0..stakes.len();
        let claims = nodes.clone().filter(|i| shards[*i] < cap);
        let held = nodes.filter(|i| shards[*i] > 0);
        let weaker = |a: (usize, u16), b: (usize, u16)| {
            let left = u128::from(stakes[a.0]) * u128::from(b.1);
            let right = u128::from(stakes[b.0]) * u128::from(a.1);
            left < right || (left == right && a.0 > b.0)
        };
        shards.iter().map(|k| u32::from(*k)).sum::<u32>() == u32::from(n)
            && shards.iter().all(|k| *k <= cap)
            && claims
                .into_iter()
                .all(|c| held.clone().all(|h| c == h || weaker((c, shards[c] + 1), (h, shards[h]))))
    }

    proptest! {
        #[test]
        fn the_contract_accepts_the_outcome_and_no_neighbour(
            n in 4u16..300,
            stakes in prop::collection::vec(1u64..50, 1..30),
            scale in 1u64..(1 << 57),
        ) {
            // Otherwise an honest selection reverts, or a dishonest one passes.
            let stakes: Vec<u64> = stakes.iter().map(|s| s * scale).collect();
            let shards = apportion(n, &stakes).unwrap();
            prop_assert!(contract_accepts(n, &stakes, &shards));
            for from in 0..stakes.len() {
                for to in 0..stakes.len() {
                    if from != to && shards[from] > 0 {
                        let mut moved = shards.clone();
                        moved[from] -= 1;
                        moved[to] += 1;
                        prop_assert!(!contract_accepts(n, &stakes, &moved));
                    }
                }
            }
        }
    }
}
