//! Everything a node keeps on disk.
//!
//! | what | where | module |
//! | --- | --- | --- |
//! | slivers | `slivers/ab/<blob id>`, one append-only file for each blob | [`slivers`] |
//! | blob state, metadata, progress along the chain | `node.redb` | [`db`], [`blobs`], [`metadata`] |
//!
//! Nothing else in the node touches the disk. Everything reported as stored is durable.

pub mod blobs;
pub mod db;
mod known;
pub mod metadata;
pub mod slivers;
#[cfg(test)]
mod tests;

use std::{io, path::Path};

use redb::{ReadableTable as _, TableDefinition};
use walrus_env::Env;
use walrus_redstuff::{BlobId, EncodingParams};

use self::{
    blobs::{BlobRows, BlobState},
    db::{Database, DbError, damage::set_aside},
    known::KnownStates,
    metadata::MetadataStore,
    slivers::SliverStore,
};

const NODE: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("node");

/// Key of the position on the chain up to which events have taken effect.
const CURSOR: &str = "cursor";
/// Key of what the folder was made for.
const IDENTITY: &str = "identity";

/// Why the store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The disk refused.
    #[error("the folder cannot be used: {0}")]
    Io(#[from] io::Error),
    /// The database could not be opened.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The folder belongs to another node or another network.
    #[error("the folder holds the data of {found}, not of {expected}; use another folder")]
    OtherNode {
        /// Who is being started.
        expected: String,
        /// Whose data it is.
        found: String,
    },
}

/// A node's data.
#[derive(Debug)]
pub struct Store {
    db: Database,
    known: KnownStates,
    metadata: MetadataStore,
    slivers: SliverStore,
}

impl Store {
    /// Opens the data in the folder `dir`, creating it when missing and recovering
    /// from a crash when needed. `identity` names node and network: a folder made for
    /// another one is refused.
    ///
    /// A database that is damaged beyond repair is set aside under another name and a
    /// new one begun: without a cursor, so that the chain is followed from its
    /// beginning, and without metadata, which recovery fetches from peers. Slivers stay
    /// and count again as soon as their metadata is there. Errors of the disk are
    /// returned instead, as they may pass.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(
        env: Env,
        dir: &Path,
        params: EncodingParams,
        identity: &str,
    ) -> Result<Self, OpenError> {
        env.disk.create_dir_all(dir).await?;
        let slivers = SliverStore::new(env.clone(), dir.join("slivers"));
        let path = dir.join("node.redb");
        let (db, found) = match open_database(&env, &path, identity).await {
            Err(error) if error.is_damage() => {
                set_aside(&env, &path, &error).await?;
                open_database(&env, &path, identity).await?
            }
            opened => opened?,
        };
        match found {
            Some(found) if found.as_slice() != identity.as_bytes() => Err(OpenError::OtherNode {
                expected: identity.to_owned(),
                found: String::from_utf8_lossy(&found).into_owned(),
            }),
            _ => {
                let metadata = MetadataStore::new(db.clone(), params);
                Ok(Self { db, known: KnownStates::default(), metadata, slivers })
            }
        }
    }

    /// The slivers.
    pub fn slivers(&self) -> &SliverStore {
        &self.slivers
    }

    /// The metadata.
    pub fn metadata(&self) -> &MetadataStore {
        &self.metadata
    }

    /// The database, to learn when it failed.
    pub fn database(&self) -> &Database {
        &self.db
    }

    /// What the chain said about a blob id.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn blob_state(&self, blob: &BlobId) -> Result<BlobState, DbError> {
        let asked = match self.known.get(blob) {
            Ok(state) => return Ok(state),
            Err(asked) => asked,
        };
        let id = *blob;
        let state = self.db.read(move |transaction| blobs::read_state(transaction, &id)).await?;
        self.known.remember(blob, &state, asked);
        Ok(state)
    }

    /// At most `limit` blobs after `after`, in order, with what the chain said about them.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn blob_states(
        &self,
        after: Option<BlobId>,
        limit: usize,
    ) -> Result<Vec<(BlobId, BlobState)>, DbError> {
        self.db.read(move |transaction| blobs::read_states(transaction, after, limit)).await
    }

    /// Removes metadata and slivers of a blob.
    ///
    /// # Errors
    /// When the disk refuses; what is left is removed by the next attempt.
    pub async fn delete_data(&self, blob: &BlobId) -> Result<(), OpenError> {
        self.metadata.delete(blob).await?;
        Ok(self.slivers.delete(blob).await?)
    }

    /// How far the chain's events have taken effect, as given to [`Self::apply`].
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn cursor(&self) -> Result<Option<Vec<u8>>, DbError> {
        self.db
            .read(|transaction| {
                let row = transaction.open_table(NODE)?.get(CURSOR)?;
                Ok(row.map(|row| row.value().to_vec()))
            })
            .await
    }

    /// Records effects of events up to and including block `block` together with the
    /// cursor behind them, all or nothing.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn apply(
        &self,
        block: u64,
        cursor: Vec<u8>,
        change: impl FnOnce(&mut BlobRows<'_>) -> Result<(), DbError> + Send + 'static,
    ) -> Result<(), DbError> {
        self.known.changing();
        let outcome = self
            .db
            .write(move |transaction| {
                let mut rows = BlobRows::open(transaction, block)?;
                change(&mut rows)?;
                rows.at_block(block);
                rows.prune_journal()?;
                transaction.open_table(NODE)?.insert(CURSOR, cursor.as_slice())?;
                Ok(())
            })
            .await;
        self.known.changed();
        outcome
    }

    /// Forgets everything that the chain said, to read it again from the beginning.
    /// Data stays.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn forget_chain(&self) -> Result<(), DbError> {
        self.known.changing();
        let outcome = self
            .db
            .write(|transaction| {
                BlobRows::open(transaction, 0)?.clear()?;
                transaction.open_table(NODE)?.remove(CURSOR)?;
                Ok(())
            })
            .await;
        self.known.changed();
        outcome
    }

    /// Closes the database; slivers need no closing.
    pub async fn close(self) {
        let Self { db, metadata, .. } = self;
        drop(metadata);
        db.close().await;
    }
}

/// Opens the database for the node named `identity`; together with whose it was before,
/// if anybody's.
async fn open_database(
    env: &Env,
    path: &Path,
    identity: &str,
) -> Result<(Database, Option<Vec<u8>>), DbError> {
    let mine = identity.to_owned();
    let (tell, told) = tokio::sync::oneshot::channel();
    let prepare = move |transaction: &redb::WriteTransaction| {
        blobs::prepare(transaction)?;
        metadata::prepare(transaction)?;
        let mut node = transaction.open_table(NODE)?;
        let found: Option<Vec<u8>> = node.get(IDENTITY)?.map(|row| row.value().to_vec());
        if found.is_none() {
            node.insert(IDENTITY, mine.as_bytes())?;
        }
        let _ = tell.send(found);
        Ok(())
    };
    let db = Database::open(env.clone(), path, prepare).await?;
    Ok((db, told.await.unwrap_or_default()))
}
