//! The storage nodes that serve one epoch, their keys, and who owns which shard.

use std::collections::BTreeMap;

use walrus_redstuff::{EncodingParams, ShardIndex};

use crate::quorum::{self, Threshold};
use crate::shard_map::MAX_SEATS;
use crate::{Epoch, NetworkAddress, NetworkPublicKey, NodeId, ProtocolPublicKey, Seat};

/// One storage node in a committee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The node.
    pub node_id: NodeId,
    /// The key that verifies what the node signs in this epoch.
    pub public_key: ProtocolPublicKey,
    /// Number of shards it owns, at least 1.
    pub weight: u16,
    /// Where it answers.
    pub network_address: NetworkAddress,
    /// Its TLS key.
    pub network_key: NetworkPublicKey,
    /// What its operator calls it; any text of at most 100 bytes.
    pub name: String,
}

impl Member {
    /// Most bytes of a name.
    pub const MAX_NAME_LEN: usize = 100;
}

/// Why a committee was refused. Seen only if the chain, or who speaks for it, is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitteeError {
    /// No code exists for this number of shards.
    #[error("a network of {got} shards is outside what can be encoded")]
    ShardCount {
        /// Number of shards.
        got: usize,
    },
    /// More seats than a signer bitmap has bits for.
    #[error("{got} seats, a committee has at most {MAX_SEATS}")]
    Seats {
        /// Number of seats.
        got: usize,
    },
    /// A shard belongs to a seat where nobody sits.
    #[error("shard {shard} belongs to seat {seat}, which is empty")]
    Owner {
        /// The shard.
        shard: ShardIndex,
        /// The seat.
        seat: Seat,
    },
    /// A member's weight is not its number of shards, or is 0.
    #[error("node {node} has weight {weight} and {shards} shards")]
    Weight {
        /// The node.
        node: NodeId,
        /// Its weight.
        weight: u16,
        /// Number of shards that the map gives it.
        shards: usize,
    },
    /// Node 0, or a node at two seats.
    #[error("node {node} is listed twice, or is no node")]
    Node {
        /// The node.
        node: NodeId,
    },
    /// Two members with one key, so that one signature would count twice.
    #[error("the protocol key of node {node} is also that of another member")]
    Key {
        /// The later of the two nodes.
        node: NodeId,
    },
    /// A name that is too long.
    #[error(
        "the name of node {node} has {got} bytes, at most {} are allowed",
        Member::MAX_NAME_LEN
    )]
    Name {
        /// The node.
        node: NodeId,
        /// Bytes of the name.
        got: usize,
    },
}

/// The committee of one epoch: members by seat, and the owner of each of the network's
/// `n_shards` shards.
///
/// Seats may be empty where a member left and nobody has taken its place. Every
/// committee that exists is consistent: each shard has an owner, weights are shard
/// counts of at least 1 and add up to `n_shards`, and no node or key occurs twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committee {
    epoch: Epoch,
    seats: Vec<Option<Member>>,
    shard_map: Vec<Seat>,
    shards: Vec<Vec<ShardIndex>>,
    seat_of_node: BTreeMap<NodeId, Seat>,
    seat_of_key: BTreeMap<ProtocolPublicKey, Seat>,
}

impl Committee {
    /// Builds a committee from its members by seat and the owner's seat of each shard.
    ///
    /// # Errors
    /// Anything that breaks the guarantees above.
    pub fn new(
        epoch: Epoch,
        seats: Vec<Option<Member>>,
        shard_map: Vec<Seat>,
    ) -> Result<Self, CommitteeError> {
        let got = shard_map.len();
        u16::try_from(got)
            .ok()
            .and_then(|n_shards| EncodingParams::new(n_shards).ok())
            .ok_or(CommitteeError::ShardCount { got })?;
        if seats.len() > MAX_SEATS {
            return Err(CommitteeError::Seats { got: seats.len() });
        }
        let shards = shards_by_seat(&seats, &shard_map)?;
        let mut seat_of_node = BTreeMap::new();
        let mut seat_of_key = BTreeMap::new();
        for (seat, member) in occupied(&seats) {
            let node = member.node_id;
            let shards = shards[seat.index()].len();
            if shards == 0 || usize::from(member.weight) != shards {
                return Err(CommitteeError::Weight { node, weight: member.weight, shards });
            }
            if node == NodeId(0) || seat_of_node.insert(node, seat).is_some() {
                return Err(CommitteeError::Node { node });
            }
            if seat_of_key.insert(member.public_key.clone(), seat).is_some() {
                return Err(CommitteeError::Key { node });
            }
            if member.name.len() > Member::MAX_NAME_LEN {
                return Err(CommitteeError::Name { node, got: member.name.len() });
            }
        }
        Ok(Self { epoch, seats, shard_map, shards, seat_of_node, seat_of_key })
    }

    /// The committee of a network's first epoch: members at consecutive seats, with
    /// consecutive ranges of shards.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_consecutive_shards(
        epoch: Epoch,
        members: Vec<Member>,
    ) -> Result<Self, CommitteeError> {
        if members.len() > MAX_SEATS {
            return Err(CommitteeError::Seats { got: members.len() });
        }
        let seats = (0..=u8::MAX).map(Seat).zip(&members);
        let shard_map = seats
            .flat_map(|(seat, member)| std::iter::repeat_n(seat, usize::from(member.weight)))
            .collect();
        Self::new(epoch, members.into_iter().map(Some).collect(), shard_map)
    }

    /// The epoch this committee serves.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Number of shards of the network, `n`.
    pub fn n_shards(&self) -> u16 {
        u16::try_from(self.shard_map.len()).expect("checked by the constructor")
    }

    /// Most shards that may be faulty, `f`.
    pub fn max_faulty(&self) -> u16 {
        quorum::max_faulty(self.n_shards())
    }

    /// Number of seats, empty ones included; the length of a signer bitmap.
    pub fn seat_count(&self) -> usize {
        self.seats.len()
    }

    /// The members in seat order.
    pub fn members(&self) -> impl Iterator<Item = (Seat, &Member)> {
        occupied(&self.seats)
    }

    /// The member at a seat; `None` if the seat is empty or does not exist.
    pub fn member(&self, seat: Seat) -> Option<&Member> {
        self.seats.get(seat.index())?.as_ref()
    }

    /// The seat of a node; `None` if it is no member.
    pub fn seat_of(&self, node: NodeId) -> Option<Seat> {
        self.seat_of_node.get(&node).copied()
    }

    /// A node's entry; `None` if it is no member.
    pub fn member_of(&self, node: NodeId) -> Option<&Member> {
        self.member(self.seat_of(node)?)
    }

    /// The member with this protocol key.
    pub fn member_with_key(&self, key: &ProtocolPublicKey) -> Option<&Member> {
        self.member(*self.seat_of_key.get(key)?)
    }

    /// The owner's seat of every shard.
    pub fn shard_map(&self) -> &[Seat] {
        &self.shard_map
    }

    /// The member that owns a shard; `None` if there is no such shard.
    pub fn owner_of(&self, shard: ShardIndex) -> Option<&Member> {
        self.member(*self.shard_map.get(shard.as_usize())?)
    }

    /// The shards of a node, ascending; none if it is no member.
    pub fn shards_of(&self, node: NodeId) -> &[ShardIndex] {
        self.seat_of(node).map_or(&[], |seat| &self.shards[seat.index()])
    }

    /// Number of shards of a node; 0 if it is no member.
    pub fn weight_of(&self, node: NodeId) -> u16 {
        self.member_of(node).map_or(0, |member| member.weight)
    }

    /// Whether `weight` reaches a certificate's threshold.
    pub fn reaches(&self, threshold: Threshold, weight: u32) -> bool {
        threshold.is_reached(weight, self.n_shards())
    }

    /// Whether `weight` is the readers' quorum, `w > 2f`.
    pub fn is_read_quorum(&self, weight: u32) -> bool {
        quorum::is_read_quorum(weight, self.n_shards())
    }

    /// Whether `weight` contains an honest node, as readers reckon: `w > f`.
    pub fn is_validity(&self, weight: u32) -> bool {
        quorum::is_validity(weight, self.n_shards())
    }
}

fn occupied(seats: &[Option<Member>]) -> impl Iterator<Item = (Seat, &Member)> {
    let seats = (0..=u8::MAX).map(Seat).zip(seats);
    seats.filter_map(|(seat, member)| Some((seat, member.as_ref()?)))
}

fn shards_by_seat(
    seats: &[Option<Member>],
    shard_map: &[Seat],
) -> Result<Vec<Vec<ShardIndex>>, CommitteeError> {
    let mut shards = vec![Vec::new(); seats.len()];
    for (shard, &seat) in (0..=u16::MAX).map(ShardIndex).zip(shard_map) {
        match seats.get(seat.index()) {
            Some(Some(_)) => shards[seat.index()].push(shard),
            _ => return Err(CommitteeError::Owner { shard, seat }),
        }
    }
    Ok(shards)
}
