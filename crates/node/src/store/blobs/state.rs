//! What follows from the objects of a blob id (docs/protocol/node-and-client.md A.5).

use std::collections::BTreeMap;

use walrus_core::{Epoch, TokenId};
use walrus_node_api::wire::{BlobStatus, DeletableCounts, EventId};

use super::object::{EventRef, ObjectRecord};

/// All that the chain said about a blob id. Every question is answered for an epoch:
/// an object counts while `epoch < end`, so nothing has to be updated when it expires.
///
/// Cost: linear in the objects of the id, each of which somebody paid for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlobState {
    /// The event that declared the id invalid; terminal.
    pub invalid: Option<EventRef>,
    /// Its objects, deleted and expired ones included.
    pub objects: BTreeMap<TokenId, ObjectRecord>,
}

impl BlobState {
    /// Whether slivers of the blob are accepted, kept and served.
    pub fn is_registered(&self, epoch: Epoch) -> bool {
        self.invalid.is_none() && self.live(epoch).next().is_some()
    }

    /// Whether the blob has to be available.
    pub fn is_certified(&self, epoch: Epoch) -> bool {
        self.initial_certified_epoch(epoch).is_some()
    }

    /// Whether an object that cannot be deleted asks for the blob.
    pub fn is_registered_permanently(&self, epoch: Epoch) -> bool {
        self.invalid.is_none() && self.live(epoch).any(|object| !object.deletable)
    }

    /// Whether this very object is deletable and asks for the blob.
    pub fn is_registered_deletable(&self, token: TokenId, epoch: Epoch) -> bool {
        let object = self.objects.get(&token);
        self.invalid.is_none() && object.is_some_and(|o| o.deletable && o.is_live(epoch))
    }

    /// The earliest certification among the objects that are live in `epoch`.
    pub fn initial_certified_epoch(&self, epoch: Epoch) -> Option<Epoch> {
        if self.invalid.is_some() {
            return None;
        }
        self.live(epoch).filter_map(|object| object.certified).min()
    }

    /// The answer to a client that asks.
    pub fn status(&self, epoch: Epoch) -> BlobStatus {
        if let Some(event) = &self.invalid {
            return BlobStatus::Invalid { event: event_id(event) };
        }
        let deletable = || self.live(epoch).filter(|object| object.deletable);
        let counts = DeletableCounts {
            count_deletable_total: count(deletable()),
            count_deletable_certified: count(deletable().filter(|o| o.certified.is_some())),
        };
        let initial_certified_epoch = self.initial_certified_epoch(epoch);
        // Certified before registered, then the one that lasts longest.
        let permanent = self
            .live(epoch)
            .filter(|object| !object.deletable)
            .max_by_key(|object| (object.certified.is_some(), object.end));
        match permanent {
            Some(object) => BlobStatus::Permanent {
                end_epoch: object.end,
                is_certified: object.certified.is_some(),
                status_event: event_id(&object.event),
                deletable_counts: counts,
                initial_certified_epoch,
            },
            None if counts.count_deletable_total > 0 => {
                BlobStatus::Deletable { initial_certified_epoch, deletable_counts: counts }
            }
            None => BlobStatus::Nonexistent,
        }
    }

    fn live(&self, epoch: Epoch) -> impl Iterator<Item = &ObjectRecord> {
        self.objects.values().filter(move |object| object.is_live(epoch))
    }
}

fn count<'a>(objects: impl Iterator<Item = &'a ObjectRecord>) -> u32 {
    u32::try_from(objects.count()).unwrap_or(u32::MAX)
}

fn event_id(event: &EventRef) -> EventId {
    EventId::new(&event.block_hash, event.log_index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(deletable: bool, certified: Option<u32>, end: u32) -> ObjectRecord {
        ObjectRecord {
            registered: Epoch(1),
            certified: certified.map(Epoch),
            end: Epoch(end),
            deletable,
            deleted: false,
            event: EventRef { block_hash: [end as u8; 32], log_index: 3 },
        }
    }

    fn state(objects: &[ObjectRecord]) -> BlobState {
        let tokens = (1..).map(TokenId);
        BlobState { invalid: None, objects: tokens.zip(objects.iter().copied()).collect() }
    }

    #[test]
    fn the_end_epoch_is_exclusive() {
        // Off by one here deletes paid data early, or signs for data about to be deleted.
        let state = state(&[object(false, Some(2), 5)]);
        assert!(state.is_registered(Epoch(4)) && state.is_certified(Epoch(4)));
        assert!(!state.is_registered(Epoch(5)) && !state.is_certified(Epoch(5)));
        assert_eq!(state.status(Epoch(5)), BlobStatus::Nonexistent);
    }

    #[test]
    fn a_deletable_object_stands_only_for_itself() {
        // A confirmation for one object must not rest on the registration of another.
        let mut state = state(&[object(true, None, 5), object(true, Some(2), 5)]);
        assert!(state.is_registered_deletable(TokenId(1), Epoch(2)));
        assert!(!state.is_registered_deletable(TokenId(3), Epoch(2)));
        assert!(!state.is_registered_permanently(Epoch(2)));
        state.objects.get_mut(&TokenId(2)).expect("it is there").deleted = true;
        assert!(!state.is_registered_deletable(TokenId(2), Epoch(2)));
        assert!(state.is_registered(Epoch(2)) && !state.is_certified(Epoch(2)));
        let permanent = object(false, None, 5);
        state.objects.insert(TokenId(4), permanent);
        assert!(!state.is_registered_deletable(TokenId(4), Epoch(2)));
        assert!(state.is_registered_permanently(Epoch(2)));
    }

    #[test]
    fn status_prefers_invalid_then_certified_permanent_then_deletable() {
        // Clients decide by the status whether to upload again.
        let mut state =
            state(&[object(false, None, 9), object(false, Some(3), 6), object(true, Some(2), 4)]);
        let BlobStatus::Permanent { end_epoch, is_certified, deletable_counts, .. } =
            state.status(Epoch(3))
        else {
            panic!("permanent objects exist");
        };
        assert_eq!((end_epoch, is_certified), (Epoch(6), true));
        assert_eq!(deletable_counts.count_deletable_certified, 1);
        assert_eq!(state.initial_certified_epoch(Epoch(3)), Some(Epoch(2)));
        assert_eq!(state.initial_certified_epoch(Epoch(4)), Some(Epoch(3)));
        state.invalid = Some(EventRef { block_hash: [1; 32], log_index: 0 });
        assert!(matches!(state.status(Epoch(3)), BlobStatus::Invalid { .. }));
        assert!(!state.is_registered(Epoch(3)) && !state.is_certified(Epoch(3)));
    }
}
