//! What the chain said about the blobs in use, without asking the database each time.

use std::sync::Mutex;

use walrus_redstuff::BlobId;

use super::blobs::BlobState;
use crate::{lru::Lru, sync::lock};

/// Memory for the states.
const CACHE_BYTES: usize = 4 << 20;

/// Registered blobs' states as the database has them. While the database is being changed, and until
/// that is known to have ended, nothing is remembered and nothing is answered from memory: a change
/// whose task went away may still happen at any time.
#[derive(Debug)]
pub(super) struct KnownStates(Mutex<Kept>);

#[derive(Debug)]
struct Kept {
    /// Changes under way.
    changes: usize,
    /// Counts changes, so that what was read before one is not remembered after it.
    generation: u64,
    states: Lru<BlobId, BlobState>,
}

/// Tells what was read when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Generation(u64);

impl Default for KnownStates {
    fn default() -> Self {
        Self(Mutex::new(Kept { changes: 0, generation: 0, states: Lru::new(CACHE_BYTES) }))
    }
}

impl KnownStates {
    /// The state of a blob, or what to hand to [`Self::remember`] with the database's answer.
    pub(super) fn get(&self, blob: &BlobId) -> Result<BlobState, Generation> {
        let mut kept = lock(&self.0);
        kept.states.get(blob).ok_or(Generation(kept.generation))
    }

    /// Remembers what the database said, unless it has been changed since it was asked.
    pub(super) fn remember(&self, blob: &BlobId, state: &BlobState, asked: Generation) {
        // A blob that nothing is known of may be registered any moment, or be made up.
        if state.objects.is_empty() {
            return;
        }
        let mut kept = lock(&self.0);
        if kept.changes == 0 && Generation(kept.generation) == asked {
            kept.states.insert(*blob, state.clone(), 256 + 160 * state.objects.len());
        }
    }

    /// Forgets everything until [`Self::changed`] is called.
    pub(super) fn changing(&self) {
        let mut kept = lock(&self.0);
        kept.changes += 1;
        kept.generation += 1;
        kept.states.remove_all(|_| true);
    }

    /// A change ended, well or not.
    pub(super) fn changed(&self) {
        let mut kept = lock(&self.0);
        kept.changes -= 1;
        kept.generation += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use walrus_core::{Epoch, TokenId};

    use super::*;
    use crate::store::blobs::{EventRef, ObjectRecord};

    fn state(end: u32) -> BlobState {
        let object = ObjectRecord {
            registered: Epoch(1),
            certified: None,
            end: Epoch(end),
            deletable: false,
            deleted: false,
            event: EventRef { block_hash: [0; 32], log_index: 0 },
        };
        BlobState { invalid: None, objects: BTreeMap::from([(TokenId(1), object)]) }
    }

    /// If this failed, a node would sign or accept by what the chain said before the last event.
    #[test]
    fn nothing_older_than_a_change_is_answered() {
        let (known, blob) = (KnownStates::default(), BlobId::from_bytes([1; 32]));
        let asked = known.get(&blob).expect_err("nothing is known");
        known.remember(&blob, &state(5), asked);
        assert_eq!(known.get(&blob), Ok(state(5)));

        let before = known.get(&BlobId::from_bytes([2; 32])).expect_err("unknown");
        known.changing();
        let during = known.get(&blob).expect_err("forgotten");
        known.remember(&blob, &state(5), before);
        known.remember(&blob, &state(5), during);
        assert!(known.get(&blob).is_err(), "read before the change, told during it");
        known.changed();
        known.remember(&blob, &state(5), during);
        assert!(known.get(&blob).is_err(), "read during the change");
        let after = known.get(&blob).expect_err("still forgotten");
        known.remember(&blob, &state(7), after);
        assert_eq!(known.get(&blob), Ok(state(7)));
        known.remember(&BlobId::from_bytes([3; 32]), &BlobState::default(), after);
        assert!(known.get(&BlobId::from_bytes([3; 32])).is_err(), "nobody registered it");
    }
}
