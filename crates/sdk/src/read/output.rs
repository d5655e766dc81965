//! Where a blob goes when it is read: to memory, to a file that appears when it is
//! complete, or to one without a name.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use walrus_env::{BlockingFile, Env, Replacement, RoomError};

use super::FetchError;

/// Why a blob that could be read was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutputError {
    /// There is no room, or no way, to write it.
    #[error(transparent)]
    NoRoom(#[from] RoomError),
    /// Writing failed.
    #[error("the blob cannot be written to {}: {source}", place.display())]
    Write {
        /// The file, or the directory of temporary files.
        place: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What must be put aside to decode could not be.
    #[error("the blob cannot be decoded, for what must be put aside in {} cannot be: {source}", directory.display())]
    Spill {
        /// The directory.
        directory: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl From<OutputError> for FetchError {
    fn from(error: OutputError) -> Self {
        Self::Output(Arc::new(error))
    }
}

/// Where a read is to go.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// To memory, whatever its length.
    Memory,
    /// To a file of this name.
    File(PathBuf),
    /// To memory or a file without a name.
    Aside,
}

/// What became of a read.
#[derive(Clone, Debug)]
pub enum Content {
    /// The blob, in memory.
    Memory(Bytes),
    /// The blob, in a file.
    File(Arc<dyn BlockingFile>),
}

/// A blob that is being written.
pub(super) struct Output {
    env: Env,
    file: Arc<dyn BlockingFile>,
    replacement: Option<Box<dyn Replacement>>,
    place: PathBuf,
    length: u64,
}

impl Output {
    /// A file of `length` bytes that appears as `path` when it is complete.
    pub(super) async fn named(env: &Env, path: &Path, length: u64) -> Result<Self, OutputError> {
        let (disk, place) = (env.disk.clone(), path.to_owned());
        let begin = move || {
            let replacement = disk.replacement(&place, length)?;
            Ok::<_, RoomError>((replacement.file(), replacement, place))
        };
        let (file, replacement, place) = env.compute(Duration::ZERO, begin).await?;
        Ok(Self { env: env.clone(), file, replacement: Some(replacement), place, length })
    }

    /// A file of `length` bytes in `directory` that goes away with its last handle.
    pub(super) async fn unnamed(
        env: &Env,
        directory: PathBuf,
        length: u64,
    ) -> Result<Self, OutputError> {
        let disk = env.disk.clone();
        let begin = move || Ok::<_, RoomError>((disk.temporary(&directory, length)?, directory));
        let (file, place) = env.compute(Duration::ZERO, begin).await?;
        Ok(Self { env: env.clone(), file: file.into(), replacement: None, place, length })
    }

    pub(super) fn file(&self) -> Arc<dyn BlockingFile> {
        self.file.clone()
    }

    pub(super) fn failed(&self, source: io::Error) -> OutputError {
        OutputError::Write { place: self.place.clone(), source }
    }

    /// Writes the whole blob.
    pub(super) async fn write(&self, bytes: Bytes) -> Result<(), OutputError> {
        let file = self.file();
        let written = self.env.compute(Duration::ZERO, move || file.write_at(0, &bytes)).await;
        written.map_err(|source| self.failed(source))
    }

    /// Lets the blob appear, now that it is all there and verified.
    pub(super) async fn finish(self) -> Result<Arc<dyn BlockingFile>, OutputError> {
        let Self { env, file, replacement, place, length } = self;
        let finish = move || {
            // A decoder works in whole symbols: what is beyond the blob is padding.
            if file.len()? != length {
                file.set_len(length)?;
            }
            if let Some(replacement) = replacement {
                replacement.publish()?;
            }
            Ok(file)
        };
        let finished = env.compute(Duration::ZERO, finish).await;
        finished.map_err(|source| OutputError::Write { place, source })
    }
}
