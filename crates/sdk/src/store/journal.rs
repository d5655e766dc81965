//! What a store has done so far, on disk, so that an interrupted one goes on where it
//! stopped and pays once.
//!
//! One file for each blob, owner, kind and network:
//! `<state directory>/stores/<chain>-<contract>/<owner>-<permanent|deletable>-<blob id>.json`.
//! A file is replaced as a whole: written beside, synced, renamed.

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use walrus_chain::Deployment;
use walrus_core::{Epoch, EvmAddress, TokenId};
use walrus_env::{DiskLock, Env, OpenMode};
use walrus_redstuff::BlobId;

/// Version of the file's form.
const VERSION: u32 = 1;
/// Longest file that is read.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// How far a store got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// The registration is about to be sent, or was.
    Registering {
        /// The number of tokens there were: the registration's is a later one.
        tokens_before: u64,
        /// Unix seconds.
        at: u64,
    },
    /// The blob is registered and paid for.
    Registered {
        /// Its token.
        token: TokenId,
        /// First epoch in which it is no longer stored.
        end_epoch: Epoch,
        /// The transaction, `0x` and hex.
        transaction: String,
        /// Paid for storage, FROST.
        storage_cost: u64,
        /// Paid for the registration, FROST.
        write_cost: u64,
    },
    /// The blob is certified.
    Certified {
        /// Its token.
        token: TokenId,
    },
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    version: u32,
    /// Its id, as text.
    pub(crate) blob_id: BlobId,
    /// The epochs asked for.
    pub(crate) epochs: u32,
    /// How far it got.
    pub(crate) stage: Stage,
}

impl Entry {
    pub(crate) fn new(blob_id: BlobId, epochs: u32, stage: Stage) -> Self {
        Self { version: VERSION, blob_id, epochs, stage }
    }
}

/// Why the journal could not be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another process stores the same blob for the same owner now.
    #[error("another store of this blob is under way ({path} is locked): wait until it ends")]
    Busy {
        /// The lock.
        path: PathBuf,
    },
    /// The file holds something else.
    #[error(
        "the record of an earlier store in {path} cannot be read ({reason}): \
         if that store needs not be continued, remove the file"
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The disk failed.
    #[error("the record of the store in {path} failed: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The failure.
        source: io::Error,
    },
}

/// The record of one store. Holds a lock until dropped.
pub(crate) struct Journal {
    env: Env,
    path: PathBuf,
    _lock: Box<dyn DiskLock>,
}

impl Journal {
    /// Opens the record below `state`, whether or not there is one yet.
    pub(crate) async fn open(
        env: &Env,
        state: &Path,
        deployment: &Deployment,
        owner: EvmAddress,
        blob_id: &BlobId,
        deletable: bool,
    ) -> Result<Self, JournalError> {
        let network = format!("{}-{}", deployment.chain_id, deployment.contracts.system);
        let directory = state.join("stores").join(network);
        let kind = if deletable { "deletable" } else { "permanent" };
        let path = directory.join(format!("{owner}-{kind}-{blob_id}.json"));
        let io = |source| JournalError::Io { path: path.clone(), source };
        env.disk.create_dir_all(&directory).await.map_err(io)?;
        let lock_path = path.with_extension("lock");
        let lock = match env.disk.lock(&lock_path).await {
            Ok(lock) => lock,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(JournalError::Busy { path: lock_path });
            }
            Err(error) => return Err(io(error)),
        };
        Ok(Self { env: env.clone(), path, _lock: lock })
    }

    /// The record, if there is one.
    pub(crate) async fn read(&self) -> Result<Option<Entry>, JournalError> {
        let bytes = match self.read_file().await {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(JournalError::Io { path: self.path.clone(), source }),
        };
        let corrupt = |reason: String| JournalError::Corrupt { path: self.path.clone(), reason };
        let entry: Entry =
            serde_json::from_slice(&bytes).map_err(|error| corrupt(error.to_string()))?;
        if entry.version != VERSION {
            return Err(corrupt(format!("version {}, expected {VERSION}", entry.version)));
        }
        Ok(Some(entry))
    }

    async fn read_file(&self) -> io::Result<Bytes> {
        let file = self.env.disk.open(&self.path, OpenMode::Read).await?;
        let length = file.len().await?.min(MAX_FILE_BYTES);
        file.read_at(0, usize::try_from(length).unwrap_or(usize::MAX)).await
    }

    /// Replaces the record; durable when this returns.
    pub(crate) async fn write(&self, entry: &Entry) -> Result<(), JournalError> {
        let result = self.replace(entry).await;
        result.map_err(|source| JournalError::Io { path: self.path.clone(), source })
    }

    async fn replace(&self, entry: &Entry) -> io::Result<()> {
        let bytes = Bytes::from(serde_json::to_vec_pretty(entry)?);
        let beside = self.path.with_extension("new");
        let disk = &self.env.disk;
        let file = disk.open(&beside, OpenMode::Create).await?;
        file.set_len(0).await?;
        file.write_at(0, bytes).await?;
        file.sync().await?;
        drop(file);
        disk.rename(&beside, &self.path).await?;
        let directory = self.path.parent().unwrap_or(Path::new("."));
        disk.sync_dir(directory).await
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::testing;

    async fn open(env: &Env, state: &Path, deletable: bool) -> Result<Journal, JournalError> {
        let deployment = testing::deployment();
        let blob_id = BlobId::from_bytes([3; 32]);
        Journal::open(env, state, &deployment, EvmAddress([1; 20]), &blob_id, deletable).await
    }

    #[tokio::test]
    async fn records_come_back_and_exclude_each_other() {
        // A lost record pays twice; two stores at once would too.
        let env = testing::env();
        let state = tempfile::tempdir().unwrap();
        let journal = open(&env, state.path(), false).await.unwrap();
        assert_eq!(journal.read().await.unwrap(), None);
        let stages = [
            Stage::Registering { tokens_before: 4, at: 1_000_000 },
            Stage::Registered {
                token: TokenId(5),
                end_epoch: Epoch(9),
                transaction: "0xab".into(),
                storage_cost: 7,
                write_cost: 1,
            },
            Stage::Certified { token: TokenId(5) },
        ];
        for stage in stages {
            let entry = Entry::new(BlobId::from_bytes([3; 32]), 2, stage);
            journal.write(&entry).await.unwrap();
            assert_eq!(journal.read().await.unwrap(), Some(entry));
        }
        let busy = open(&env, state.path(), false).await;
        assert!(matches!(busy, Err(JournalError::Busy { .. })));
        // Another kind of store of the same blob is another purchase.
        let other = open(&env, state.path(), true).await.unwrap();
        assert_eq!(other.read().await.unwrap(), None);
        drop(journal);
        assert!(open(&env, state.path(), false).await.unwrap().read().await.unwrap().is_some());
    }

    #[tokio::test]
    async fn a_damaged_record_stops_the_store() {
        // Taking it for none would pay again.
        let env = testing::env();
        let state = tempfile::tempdir().unwrap();
        let journal = open(&env, state.path(), false).await.unwrap();
        let file = env.disk.open(&journal.path, OpenMode::Create).await.unwrap();
        for bytes in [&b"{"[..], b"{\"version\":2}", b""] {
            file.set_len(0).await.unwrap();
            file.write_at(0, Bytes::copy_from_slice(bytes)).await.unwrap();
            assert!(matches!(journal.read().await, Err(JournalError::Corrupt { .. })));
        }
    }
}
