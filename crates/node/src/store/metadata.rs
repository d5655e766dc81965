//! Blob metadata: the hashes that everything else of a blob is checked against.

use std::sync::{Arc, Mutex};

use redb::{TableDefinition, WriteTransaction};
use walrus_redstuff::{BlobId, BlobMetadata, EncodingParams, VerifiedMetadata};

use super::db::{Database, DbError};
use crate::{lru::Lru, sync::lock};

const METADATA: TableDefinition<'_, [u8; 32], &[u8]> = TableDefinition::new("metadata");

/// Memory for verified metadata (66 KB for a blob at 1000 shards).
const CACHE_BYTES: usize = 16 << 20;

/// The metadata of all blobs. What comes out was checked against its blob id after it
/// came from the disk.
#[derive(Debug)]
pub struct MetadataStore {
    db: Database,
    params: EncodingParams,
    cache: Arc<Mutex<Lru<BlobId, VerifiedMetadata>>>,
}

/// Creates the table.
pub(super) fn prepare(transaction: &WriteTransaction) -> Result<(), DbError> {
    transaction.open_table(METADATA)?;
    Ok(())
}

impl MetadataStore {
    pub(super) fn new(db: Database, params: EncodingParams) -> Self {
        Self { db, params, cache: Arc::new(Mutex::new(Lru::new(CACHE_BYTES))) }
    }

    /// The metadata of a blob, if it is stored and intact. A damaged row counts as
    /// missing: it is removed, and recovery fetches the metadata again.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn get(&self, blob: &BlobId) -> Result<Option<VerifiedMetadata>, DbError> {
        if let Some(found) = lock(&self.cache).get(blob) {
            return Ok(Some(found));
        }
        let (id, params) = (*blob, self.params);
        let row = self.db.read(move |transaction| {
            let row = transaction.open_table(METADATA)?.get(id.as_bytes())?;
            Ok(row.map(|row| verify(row.value(), params, &id)))
        });
        match row.await? {
            None => Ok(None),
            Some(Some(metadata)) => {
                self.remember(&metadata);
                Ok(Some(metadata))
            }
            Some(None) => {
                tracing::warn!(%blob, "stored metadata is damaged");
                self.delete(blob).await?;
                Ok(None)
            }
        }
    }

    /// Stores metadata; resolves when it is durable.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn put(&self, metadata: &VerifiedMetadata) -> Result<(), DbError> {
        let (blob, bytes) = (*metadata.blob_id(), metadata.to_bcs());
        self.db
            .write(move |transaction| {
                transaction.open_table(METADATA)?.insert(blob.as_bytes(), bytes.as_slice())?;
                Ok(())
            })
            .await?;
        self.remember(metadata);
        Ok(())
    }

    /// Removes the metadata of a blob.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn delete(&self, blob: &BlobId) -> Result<(), DbError> {
        let id = *blob;
        self.db
            .write(move |transaction| {
                transaction.open_table(METADATA)?.remove(id.as_bytes())?;
                Ok(())
            })
            .await?;
        lock(&self.cache).remove(blob);
        Ok(())
    }

    fn remember(&self, metadata: &VerifiedMetadata) {
        let cost = 256 + 80 * usize::from(self.params.n_shards());
        lock(&self.cache).insert(*metadata.blob_id(), metadata.clone(), cost);
    }
}

fn verify(row: &[u8], params: EncodingParams, blob: &BlobId) -> Option<VerifiedMetadata> {
    BlobMetadata::from_bcs(row, params).ok()?.verify(params, blob).ok()
}
