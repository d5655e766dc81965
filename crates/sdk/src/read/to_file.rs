//! Reading blobs that need not fit into memory.

use std::path::Path;

use walrus_redstuff::BlobId;

use super::{Content, ReadReport, Target};
use crate::client::{Client, ReadBlobError, ReadOptions};
use crate::progress::ProgressSink;

/// A blob that was read and kept aside.
#[derive(Clone, Debug)]
pub struct Spooled {
    /// The blob, checked against its id as far as asked for.
    pub content: Content,
    /// How the read went.
    pub report: ReadReport,
}

impl Client {
    /// Reads a blob of any length into a file. The file appears, or takes the place of the
    /// one that is there, when the blob is complete, verified and durable; until then, and
    /// if it fails or is dropped, there is nothing of it to be seen.
    ///
    /// # Errors
    /// See [`ReadBlobError`]; [`FetchError::Output`](crate::FetchError::Output) if the
    /// file cannot be written. `path` must not exist or be a regular file.
    pub async fn read_to_file(
        &self,
        blob_id: &BlobId,
        path: &Path,
        options: &ReadOptions,
        progress: &ProgressSink,
    ) -> Result<ReadReport, ReadBlobError> {
        let target = Target::File(path.to_owned());
        Ok(self.read_into(blob_id, &target, options, progress).await?.1)
    }

    /// Reads a blob of any length, for callers who will pass it on somewhere else: a large
    /// one comes as a file without a name, which goes away when it is dropped.
    ///
    /// # Errors
    /// As [`Self::read_to_file`].
    pub async fn read_aside(
        &self,
        blob_id: &BlobId,
        options: &ReadOptions,
        progress: &ProgressSink,
    ) -> Result<Spooled, ReadBlobError> {
        let (content, report) = self.read_into(blob_id, &Target::Aside, options, progress).await?;
        Ok(Spooled { content, report })
    }
}
