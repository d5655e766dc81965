//! Who owns which shard from one epoch to the next, moving as few as possible
//! (docs/protocol/onchain.md sections 2.6 and 2.7).

use crate::{NodeId, Seat};

/// Most seats of a committee. A seat is one bit of a 256-bit word and one byte of the
/// shard map.
pub const MAX_SEATS: usize = 255;

/// Why the selected nodes could not be seated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SeatingError {
    /// More members than seats.
    #[error("{got} members, a committee has at most {MAX_SEATS}")]
    TooMany {
        /// Number of members.
        got: usize,
    },
    /// The shards of the members do not add up to those of the network.
    #[error("the members hold {got} shards, the network has {expected}")]
    Sum {
        /// Shards of the network.
        expected: usize,
        /// Shards of all members.
        got: usize,
    },
    /// A node is listed twice.
    #[error("node {node} is listed twice")]
    Duplicate {
        /// The node.
        node: NodeId,
    },
}

/// A node and its number of shards, at its seat; `None` at an empty seat.
pub type Seating = Vec<Option<(NodeId, u16)>>;

/// Gives each selected node a seat. Members of the previous committee keep theirs;
/// newcomers, in ascending node id, take the lowest free ones. Nodes with no shards are
/// left out.
///
/// `previous` lists the nodes of the previous committee by seat, and is empty for the
/// first one; `selected` may be in any order.
///
/// # Errors
/// More than [`MAX_SEATS`] members, or a node listed twice.
pub fn assign_seats(
    previous: &[Option<NodeId>],
    selected: &[(NodeId, u16)],
) -> Result<Seating, SeatingError> {
    let mut selected: Vec<_> = selected.iter().copied().filter(|(_, shards)| *shards > 0).collect();
    selected.sort_unstable();
    if let Some(pair) = selected.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(SeatingError::Duplicate { node: pair[0].0 });
    }
    if selected.len() > MAX_SEATS || previous.len() > MAX_SEATS {
        return Err(SeatingError::TooMany { got: selected.len().max(previous.len()) });
    }
    let mut seating: Seating = vec![None; previous.len().max(selected.len())];
    let (staying, newcomers): (Vec<_>, Vec<_>) =
        selected.into_iter().partition(|(node, _)| previous.contains(&Some(*node)));
    for (seat, holder) in previous.iter().enumerate() {
        seating[seat] = staying.iter().copied().find(|(node, _)| Some(*node) == *holder);
    }
    // At most as many members as places, so every newcomer finds one.
    let free = seating.iter_mut().filter(|place| place.is_none());
    for (place, newcomer) in free.zip(newcomers) {
        *place = Some(newcomer);
    }
    while seating.last() == Some(&None) {
        seating.pop();
    }
    Ok(seating)
}

/// The owner's seat of every shard in the next epoch.
///
/// `owners` lists the present owner of every shard, and is empty for the first
/// committee, which gets consecutive ranges in seat order. After that an owner keeps as
/// many of its shards as it is to hold, lowest first; the freed ones go, ascending, to
/// members that lack some, in ascending seat order. So the number of shards that move is
/// the least possible.
///
/// # Errors
/// Shards of the members that do not add up to `n_shards`, more than [`MAX_SEATS`]
/// seats, or `owners` of another length than 0 or `n_shards`.
pub fn assign_shards(
    n_shards: u16,
    owners: &[NodeId],
    seating: &[Option<(NodeId, u16)>],
) -> Result<Vec<Seat>, SeatingError> {
    if seating.len() > MAX_SEATS {
        return Err(SeatingError::TooMany { got: seating.len() });
    }
    let expected = usize::from(n_shards);
    let sum = seating.iter().flatten().map(|(_, shards)| usize::from(*shards)).sum();
    for got in [sum, if owners.is_empty() { expected } else { owners.len() }] {
        if got != expected {
            return Err(SeatingError::Sum { expected, got });
        }
    }
    let mut lacking: Vec<u16> = seating.iter().map(|m| m.map_or(0, |(_, shards)| shards)).collect();
    let seat_of = |node: NodeId| seating.iter().position(|m| m.is_some_and(|(n, _)| n == node));
    let kept: Vec<Option<usize>> = (0..expected)
        .map(|shard| {
            let seat = owners.get(shard).and_then(|owner| seat_of(*owner))?;
            lacking[seat] = lacking[seat].checked_sub(1)?;
            Some(seat)
        })
        .collect();
    let mut takers = lacking
        .into_iter()
        .enumerate()
        .flat_map(|(seat, count)| std::iter::repeat_n(seat, usize::from(count)));
    let seats = kept.into_iter().map(|seat| {
        let seat = seat.or_else(|| takers.next()).expect("as many shards are lacking as are free");
        Seat(u8::try_from(seat).expect("at most 255 seats"))
    });
    Ok(seats.collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn seating(members: &[(u32, u16)]) -> Seating {
        // Node 0 stands for an empty seat.
        members.iter().map(|(node, k)| (*node > 0).then_some((NodeId(*node), *k))).collect()
    }

    fn map(seats: &[u8]) -> Vec<Seat> {
        seats.iter().copied().map(Seat).collect()
    }

    #[test]
    fn the_first_committee_gets_consecutive_ranges() {
        let selected = [(NodeId(9), 1), (NodeId(2), 2), (NodeId(5), 0), (NodeId(4), 3)];
        let seats = assign_seats(&[], &selected).unwrap();
        assert_eq!(seats, seating(&[(2, 2), (4, 3), (9, 1)]));
        assert_eq!(assign_shards(6, &[], &seats).unwrap(), map(&[0, 0, 1, 1, 1, 2]));
    }

    #[test]
    fn later_committees_keep_seats_and_shards() {
        // Node 4 leaves, 2 shrinks, 9 grows, 3 and 7 are new: 3 takes the seat of 4, but
        // not for that its shards.
        let previous = [2, 4, 9].map(|n| Some(NodeId(n)));
        let selected = [(7, 1), (9, 3), (2, 1), (3, 2)].map(|(n, k)| (NodeId(n), k));
        let seats = assign_seats(&previous, &selected).unwrap();
        assert_eq!(seats, seating(&[(2, 1), (3, 2), (9, 3), (7, 1)]));
        let owners = [2, 2, 4, 4, 4, 9, 9].map(NodeId);
        // Free: 1, 2, 3, 4. Lacking: two at seat 1, one at 2, one at 3.
        let shards = assign_shards(7, &owners, &seats).unwrap();
        assert_eq!(shards, map(&[0, 1, 1, 2, 3, 2, 2]));
    }

    #[test]
    fn seats_left_empty_stay_in_the_middle_and_go_at_the_end() {
        let previous = [1, 2, 3].map(|n| Some(NodeId(n)));
        let middle = assign_seats(&previous, &[(NodeId(1), 1), (NodeId(3), 3)]).unwrap();
        assert_eq!(middle, seating(&[(1, 1), (0, 0), (3, 3)]));
        let end = assign_seats(&previous, &[(NodeId(1), 1), (NodeId(2), 3)]).unwrap();
        assert_eq!(end, seating(&[(1, 1), (2, 3)]));
    }

    #[test]
    fn impossible_seatings_are_refused() {
        let twice = [(NodeId(1), 1), (NodeId(1), 2)];
        let error = SeatingError::Duplicate { node: NodeId(1) };
        assert_eq!(assign_seats(&[], &twice), Err(error));
        let many: Vec<_> = (1..=256).map(|n| (NodeId(n), 1)).collect();
        assert_eq!(assign_seats(&[], &many), Err(SeatingError::TooMany { got: 256 }));
        let error = SeatingError::Sum { expected: 4, got: 3 };
        assert_eq!(assign_shards(4, &[], &seating(&[(1, 3)])), Err(error));
        assert_eq!(assign_shards(4, &[NodeId(1); 3], &seating(&[(1, 4)])), Err(error));
    }

    proptest! {
        #[test]
        fn as_few_shards_move_as_possible(
            before in prop::collection::btree_map(1u32..40, 1u16..20, 1..20),
            after in prop::collection::btree_map(1u32..40, 1u16..20, 1..20),
        ) {
            // Each moved shard is data sent over the network.
            let list = |m: &BTreeMap<u32, u16>| -> Vec<_> {
                m.iter().map(|(n, k)| (NodeId(*n), *k)).collect()
            };
            let n: u16 = before.values().sum();
            let mut after = after;
            // Let the last member take what is left, or cut the others to fit.
            let mut left = n;
            for k in after.values_mut() {
                *k = (*k).min(left);
                left -= *k;
            }
            *after.values_mut().next_back().unwrap() += left;

            let first = assign_seats(&[], &list(&before)).unwrap();
            let shards = assign_shards(n, &[], &first).unwrap();
            let owners: Vec<_> = shards.iter().map(|s| first[s.index()].unwrap().0).collect();
            let nodes: Vec<_> = first.iter().map(|m| m.map(|(node, _)| node)).collect();
            let second = assign_seats(&nodes, &list(&after)).unwrap();
            let shards = assign_shards(n, &owners, &second).unwrap();

            for (seat, member) in second.iter().enumerate() {
                let count = shards.iter().filter(|s| s.index() == seat).count();
                prop_assert_eq!(count, usize::from(member.map_or(0, |(_, k)| k)));
                if let (Some((node, _)), Some(holder)) = (member, nodes.get(seat)) {
                    let stays = nodes.contains(&Some(*node));
                    prop_assert!(!stays || *holder == Some(*node), "a member changed seats");
                }
            }
            let moved = (0..usize::from(n))
                .filter(|i| second[shards[*i].index()].unwrap().0 != owners[*i])
                .count();
            let given_up: u16 = before
                .iter()
                .map(|(node, k)| k.saturating_sub(*after.get(node).unwrap_or(&0)))
                .sum();
            prop_assert_eq!(moved, usize::from(given_up));
        }
    }
}
