//! The files kept open, least recently used out first.

use std::{collections::BTreeMap, sync::Arc};

use walrus_redstuff::BlobId;

use super::file::BlobFile;

/// A bounded set of open files.
pub(super) struct OpenFiles {
    capacity: usize,
    /// Counts uses; the stamp of a use orders the files by age.
    clock: u64,
    files: BTreeMap<BlobId, (u64, Arc<BlobFile>)>,
    ages: BTreeMap<u64, BlobId>,
}

impl OpenFiles {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, clock: 0, files: BTreeMap::new(), ages: BTreeMap::new() }
    }

    /// The open file of `blob`, or a new one.
    pub(super) fn get(
        &mut self,
        blob: &BlobId,
        open: impl FnOnce() -> Arc<BlobFile>,
    ) -> Arc<BlobFile> {
        self.clock += 1;
        let file = match self.files.get_mut(blob) {
            Some((stamp, file)) => {
                self.ages.remove(stamp);
                *stamp = self.clock;
                file.clone()
            }
            None => {
                let file = open();
                self.files.insert(*blob, (self.clock, file.clone()));
                file
            }
        };
        self.ages.insert(self.clock, *blob);
        self.shrink();
        file
    }

    /// Closes the oldest unused files. One in use stays, whatever the bound: two
    /// open files at one path would write over each other.
    fn shrink(&mut self) {
        let Some(excess) = self.files.len().checked_sub(self.capacity).filter(|n| *n > 0) else {
            return;
        };
        let unused = |blob: &BlobId| {
            self.files.get(blob).is_some_and(|(_, file)| Arc::strong_count(file) == 1)
        };
        let closing: Vec<(u64, BlobId)> = self
            .ages
            .iter()
            .filter(|(_, blob)| unused(blob))
            .take(excess)
            .map(|(stamp, blob)| (*stamp, *blob))
            .collect();
        for (stamp, blob) in closing {
            self.ages.remove(&stamp);
            self.files.remove(&blob);
        }
    }
}
