//! Files of quilts in memory, the latest used ones up to a limit: a website's pages are asked
//! for by everybody who comes, and each would be fetched from the nodes again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use walrus_redstuff::quilt::{QuiltPatchId, Tags};
use walrus_sdk::ReadPatch;

/// Bytes that a file takes besides its content.
const OVERHEAD: u64 = 512;
/// The share of the limit that one file may take.
const SHARE: u64 = 8;

/// A file of a quilt.
pub(super) struct Patch {
    pub(super) id: QuiltPatchId,
    pub(super) identifier: String,
    pub(super) tags: Tags,
    pub(super) bytes: Bytes,
}

impl From<ReadPatch> for Patch {
    fn from(patch: ReadPatch) -> Self {
        let ReadPatch { id, identifier, tags, bytes } = patch;
        Self { id, identifier, tags, bytes: bytes.into() }
    }
}

impl Patch {
    fn weight(&self) -> u64 {
        let tags: usize = self.tags.iter().map(|(key, value)| key.len() + value.len()).sum();
        OVERHEAD + (self.bytes.len() + self.identifier.len() + tags) as u64
    }
}

/// The files that are kept. What an id names never changes.
pub(crate) struct Patches {
    limit: u64,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// Each with the time of its last use, counted in uses.
    entries: BTreeMap<QuiltPatchId, (Arc<Patch>, u64)>,
    bytes: u64,
    clock: u64,
}

impl Patches {
    pub(crate) fn new(limit: u64) -> Self {
        Self { limit, kept: Mutex::default() }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // What it counts is right after every statement.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, id: &QuiltPatchId) -> Option<Arc<Patch>> {
        let mut kept = self.kept();
        kept.clock += 1;
        let now = kept.clock;
        let (patch, used) = kept.entries.get_mut(id)?;
        *used = now;
        Some(patch.clone())
    }

    /// Keeps a file, unless it is large.
    pub(super) fn keep(&self, patch: &Arc<Patch>) {
        let weight = patch.weight();
        if weight > self.limit / SHARE {
            return;
        }
        let mut kept = self.kept();
        kept.remove(&patch.id);
        while kept.bytes + weight > self.limit {
            let oldest = kept.entries.iter().min_by_key(|(_, (_, used))| *used);
            let Some(oldest) = oldest.map(|(id, _)| *id) else { break };
            kept.remove(&oldest);
        }
        kept.clock += 1;
        let now = kept.clock;
        kept.bytes += weight;
        kept.entries.insert(patch.id, (patch.clone(), now));
    }
}

impl Kept {
    fn remove(&mut self, id: &QuiltPatchId) {
        if let Some((patch, _)) = self.entries.remove(id) {
            self.bytes -= patch.weight();
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use walrus_redstuff::BlobId;

    use super::*;

    #[test]
    fn files_of_strangers_do_not_fill_the_memory() {
        // Anybody can store a million files and ask for all of them.
        let patches = Patches::new(100_000);
        let patch = |column: u16, length: usize| {
            let id = QuiltPatchId::new(BlobId::from_bytes([7; 32]), column..column + 1).unwrap();
            let (identifier, tags) = (column.to_string(), Tags::none());
            Arc::new(Patch { id, identifier, tags, bytes: vec![0; length].into() })
        };
        for column in 1..1000 {
            patches.keep(&patch(column, usize::from(column)));
            assert!(patches.kept().bytes <= 100_000);
            // One that is used again and again stays.
            patches.keep(&patch(1, 1));
            assert!(patches.get(&patch(1, 1).id).is_some());
        }
        assert!(patches.get(&patch(999, 0).id).is_some() && patches.get(&patch(2, 0).id).is_none());
        patches.keep(&patch(5000, 20_000));
        assert!(patches.get(&patch(5000, 0).id).is_none(), "it would push out all others");
        let total: u64 = patches.kept().entries.values().map(|(patch, _)| patch.weight()).sum();
        assert_eq!(patches.kept().bytes, total);
        let nothing = Patches::new(0);
        nothing.keep(&patch(1, 0));
        assert!(nothing.get(&patch(1, 0).id).is_none());
    }
}
