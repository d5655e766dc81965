//! What is stored: bytes in memory, or a file that need not fit there.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use walrus_env::{BlockingFile, Env};
use walrus_redstuff::ReadAt;

use crate::files::{FileBytes, Stop};
use crate::quilt::PreparedQuilt;

/// Longest file that a quilt of many keeps in memory instead of open.
const SMALL_FILE_BYTES: u64 = 64 << 10;

/// A blob before it is stored.
#[derive(Clone, Debug)]
pub struct Source(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Memory(Bytes),
    Path(PathBuf),
    File { file: Arc<dyn BlockingFile>, name: String },
    Quilt(PreparedQuilt),
}

/// Why a blob could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// It could not be read at all.
    #[error("{name} cannot be read: {source}")]
    Unreadable {
        /// The file.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody wrote to it or cut it.
    #[error(
        "{name} changed while it was being read: store it again when nobody writes to it, or store a copy"
    )]
    Changed {
        /// The file.
        name: String,
    },
}

impl Source {
    /// The file at a path, however long it is. It must be a regular file, and must not
    /// change until it is stored: a change is noticed and ends the store.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Kind::Path(path.into()))
    }

    /// A file that is open already; `name` is how errors call it.
    pub fn open_file(file: Arc<dyn BlockingFile>, name: impl Into<String>) -> Self {
        Self(Kind::File { file, name: name.into() })
    }

    /// Many files as one blob.
    pub fn quilt(quilt: PreparedQuilt) -> Self {
        Self(Kind::Quilt(quilt))
    }

    /// Opens it and looks how long it is. Blocks.
    pub(crate) fn open(self, env: &Env) -> Result<OpenSource, SourceError> {
        let (file, name): (Arc<dyn BlockingFile>, String) = match self.0 {
            Kind::Memory(bytes) => {
                let length = bytes.len() as u64;
                let content = Content::Memory(bytes);
                return Ok(OpenSource { length, content, name: "the blob".to_owned() });
            }
            Kind::Path(path) => {
                let name = path.display().to_string();
                match env.disk.open_blocking_read(&path) {
                    Ok(file) => (file.into(), name),
                    Err(source) => return Err(SourceError::Unreadable { name, source }),
                }
            }
            Kind::File { file, name } => (file, name),
            Kind::Quilt(quilt) => {
                let length = quilt.plan().shape().quilt_bytes();
                let name = "the quilt".to_owned();
                return Ok(OpenSource { length, content: Content::Quilt(quilt), name });
            }
        };
        match stamp(file.as_ref()) {
            Ok(stamp) => {
                Ok(OpenSource { length: stamp.0, content: Content::File(file, stamp), name })
            }
            Err(source) => Err(SourceError::Unreadable { name, source }),
        }
    }
}

impl From<Bytes> for Source {
    fn from(bytes: Bytes) -> Self {
        Self(Kind::Memory(bytes))
    }
}

impl From<Vec<u8>> for Source {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<&'static [u8]> for Source {
    fn from(bytes: &'static [u8]) -> Self {
        Bytes::from_static(bytes).into()
    }
}

impl From<&'static str> for Source {
    fn from(text: &'static str) -> Self {
        text.as_bytes().into()
    }
}

/// Length and time of the last change: what tells that somebody wrote to a file.
type Stamp = (u64, Duration);

fn stamp(file: &dyn BlockingFile) -> io::Result<Stamp> {
    Ok((file.len()?, file.modified()?))
}

#[derive(Clone, Debug)]
enum Content {
    Memory(Bytes),
    File(Arc<dyn BlockingFile>, Stamp),
    Quilt(PreparedQuilt),
}

/// A blob that is being read.
#[derive(Clone, Debug)]
pub(crate) struct OpenSource {
    length: u64,
    content: Content,
    name: String,
}

impl OpenSource {
    /// Bytes of the blob.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// All of it. Blocks; the caller knows that the length is bearable.
    pub(crate) fn read(&self) -> Result<Bytes, SourceError> {
        let mut bytes = match &self.content {
            Content::Memory(bytes) => return Ok(bytes.clone()),
            _ => vec![0; usize::try_from(self.length).unwrap_or(usize::MAX)],
        };
        let read = self.reader(&Stop::default()).read_at(0, &mut bytes);
        self.check()?;
        match read {
            Ok(()) => Ok(bytes.into()),
            Err(error) => Err(self.explain(error)),
        }
    }

    /// For the encoder.
    pub(crate) fn reader(&self, stop: &Stop) -> Arc<dyn ReadAt> {
        match &self.content {
            Content::Memory(bytes) => Arc::new(bytes.clone()),
            Content::File(file, _) => Arc::new(FileBytes::new(file.clone(), stop.clone())),
            Content::Quilt(quilt) => Arc::new(quilt.reader(stop)),
        }
    }

    /// The same, but not open any more if it is small: of many files not all can be. Blocks.
    pub(crate) fn keep_small(self) -> Result<Self, SourceError> {
        match &self.content {
            Content::File(..) if self.length <= SMALL_FILE_BYTES => {
                let content = Content::Memory(self.read()?);
                Ok(Self { content, ..self })
            }
            _ => Ok(self),
        }
    }

    /// Fails if somebody changed it since it was opened. Blocks.
    pub(crate) fn check(&self) -> Result<(), SourceError> {
        let (file, expected) = match &self.content {
            Content::Memory(_) => return Ok(()),
            Content::File(file, expected) => (file, expected),
            Content::Quilt(quilt) => return quilt.check(),
        };
        match stamp(file.as_ref()) {
            Ok(now) if now == *expected => Ok(()),
            Ok(_) => Err(SourceError::Changed { name: self.name.clone() }),
            Err(source) => Err(SourceError::Unreadable { name: self.name.clone(), source }),
        }
    }

    /// What a failed read means.
    pub(crate) fn explain(&self, source: io::Error) -> SourceError {
        let unreadable = |source| SourceError::Unreadable { name: self.name.clone(), source };
        self.check().err().unwrap_or_else(|| unreadable(source))
    }
}
