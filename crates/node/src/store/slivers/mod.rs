//! Slivers on disk: one append-only file for each blob.
//!
//! Why files and not the database, with figures: docs/decisions/0003-sliver-store.md.
//! The file format is in `record`. What is promised:
//!
//! * A sliver is acknowledged, and counted as stored, only when its bytes *and* the
//!   name of its file are on disk. Writers to one file share syncs (group commit).
//! * Nothing acknowledged is lost by a crash at any point; torn ends are cut off.
//! * Every read checks the checksum. A damaged sliver is never returned: it is
//!   dropped, and reported through [`SliverStore::next_damaged`] for healing.
//! * After a failed write or sync the file is cut back to its durable part before
//!   anything else is appended.
//! * Deleting a blob unlinks its file, which frees the space at once.

mod append;
mod cache;
mod directory;
mod file;
mod record;
mod scan;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, io, path::PathBuf, sync::Arc, sync::Mutex};

use bytes::Bytes;
use tokio::sync::{Notify, Semaphore};
use walrus_env::Env;
use walrus_redstuff::BlobId;

use self::{
    cache::OpenFiles,
    directory::Directories,
    file::{BlobFile, Shared},
};
pub use self::{
    file::{Put, PutError, ReadError},
    record::SliverKey,
};
use crate::sync::lock;

/// How many files are synced at once: enough to keep a disk's queue full.
const CONCURRENT_SYNCS: usize = 16;

/// How many files stay open with their index in memory (about 8 KiB each for 100 shards).
const OPEN_FILES: usize = 64;

/// All slivers of a node.
pub struct SliverStore {
    shared: Arc<Shared>,
    files: Mutex<OpenFiles>,
    damaged: Mutex<BTreeSet<BlobId>>,
    damage_found: Notify,
}

impl SliverStore {
    /// A store in the folder `root`, which is created when something is stored.
    /// Nothing is read yet: each file is checked when it is first needed.
    pub fn new(env: Env, root: PathBuf) -> Self {
        let shared = Shared {
            directories: Directories::new(env.disk.clone(), root),
            syncs: Semaphore::new(CONCURRENT_SYNCS),
            env,
        };
        Self {
            shared: Arc::new(shared),
            files: Mutex::new(OpenFiles::new(OPEN_FILES)),
            damaged: Mutex::default(),
            damage_found: Notify::new(),
        }
    }

    /// Stores a sliver; resolves when it is durable. The caller has verified it.
    ///
    /// # Errors
    /// [`PutError`]; the sliver then does not count as stored.
    pub async fn put(&self, blob: &BlobId, key: SliverKey, data: Bytes) -> Result<Put, PutError> {
        self.file(blob).put(key, data).await
    }

    /// Reads a sliver, exactly as it was put; `None` when it is not stored.
    ///
    /// # Errors
    /// [`ReadError::Damaged`] when the disk returns something else.
    pub async fn get(&self, blob: &BlobId, key: SliverKey) -> Result<Option<Bytes>, ReadError> {
        let result = self.file(blob).get(key).await;
        if matches!(result, Err(ReadError::Damaged)) {
            lock(&self.damaged).insert(*blob);
            self.damage_found.notify_one();
        }
        result
    }

    /// Whether a sliver is stored durably.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub async fn contains(&self, blob: &BlobId, key: SliverKey) -> io::Result<bool> {
        self.file(blob).contains(key).await
    }

    /// The durable slivers of a blob, in order.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub async fn keys(&self, blob: &BlobId) -> io::Result<Vec<SliverKey>> {
        self.file(blob).keys().await
    }

    /// Removes all slivers of a blob.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub async fn delete(&self, blob: &BlobId) -> io::Result<()> {
        self.file(blob).delete().await
    }

    /// All blobs that have a file, in order.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub async fn blobs(&self) -> io::Result<Vec<BlobId>> {
        self.shared.directories.blobs().await
    }

    /// The next blob in which a damaged sliver was found; waits for one.
    pub async fn next_damaged(&self) -> BlobId {
        loop {
            if let Some(blob) = lock(&self.damaged).pop_first() {
                return blob;
            }
            self.damage_found.notified().await;
        }
    }

    fn file(&self, blob: &BlobId) -> Arc<BlobFile> {
        let open = || Arc::new(BlobFile::new(self.shared.clone(), *blob));
        lock(&self.files).get(blob, open)
    }
}

impl std::fmt::Debug for SliverStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SliverStore")
    }
}
