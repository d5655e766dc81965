//! Files.

use std::{io, path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::future::BoxFuture;

use crate::temporary::{MemoryFile, RoomError};

/// How [`Disk::open`] treats a file that is or is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// Must exist; opened for reading only.
    Read,
    /// Must exist; opened for reading and writing.
    Write,
    /// Created empty when missing; opened for reading and writing.
    Create,
    /// Must not exist; created empty, opened for reading and writing.
    CreateNew,
}

/// A name in a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DirEntry {
    /// The last part of the path.
    pub name: String,
    /// Whether it is a directory.
    pub is_dir: bool,
}

/// The only way to a file.
///
/// The promises are those of a POSIX file system and no more: a write may be
/// lost, in whole or in part, until the file's `sync` returned; a created,
/// renamed or removed *name* may be lost until [`Disk::sync_dir`] of its
/// directory returned.
pub trait Disk: Send + Sync {
    /// Opens a file.
    fn open<'a>(
        &'a self,
        path: &'a Path,
        mode: OpenMode,
    ) -> BoxFuture<'a, io::Result<Arc<dyn File>>>;

    /// Opens a file for callers that cannot wait asynchronously (an embedded
    /// database), creating it when missing. Call it, and use it, inside
    /// [`Env::compute`](crate::Env::compute).
    fn open_blocking(&self, path: &Path) -> io::Result<Box<dyn BlockingFile>>;

    /// Opens an existing regular file for reading, as [`Self::open_blocking`].
    fn open_blocking_read(&self, path: &Path) -> io::Result<Box<dyn BlockingFile>> {
        let _ = path;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Makes a file without a name in `directory`, which must exist: it is gone when the
    /// last handle is, even if the process dies. Fails at once if there is no room for
    /// `bytes` bytes; nothing is reserved. Blocks, as [`Self::open_blocking`].
    ///
    /// A disk that has no files without names keeps them in memory.
    ///
    /// # Errors
    /// See [`RoomError`].
    fn temporary(&self, directory: &Path, bytes: u64) -> Result<Box<dyn BlockingFile>, RoomError> {
        let _ = (directory, bytes);
        Ok(Box::new(MemoryFile::default()))
    }

    /// Begins a file of `bytes` bytes that will take the place of `path`, in the same
    /// directory. Until it is published nothing is to be seen of it; then it may be read by
    /// those who could read what it replaces. Blocks, as [`Self::open_blocking`].
    ///
    /// # Errors
    /// See [`RoomError`]; `path` must not exist or be a regular file.
    fn replacement(&self, path: &Path, bytes: u64) -> Result<Box<dyn Replacement>, RoomError> {
        let _ = bytes;
        let source = io::ErrorKind::Unsupported.into();
        Err(RoomError::Unusable { place: path.to_owned(), source })
    }

    /// Takes an exclusive lock named by a file, held until dropped.
    ///
    /// # Errors
    /// `WouldBlock` when another process or handle holds it.
    fn lock<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<Box<dyn DiskLock>>>;

    /// Creates a directory and its parents; they are durable when this returns.
    fn create_dir_all<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<()>>;

    /// Renames a file, replacing the target.
    fn rename<'a>(&'a self, from: &'a Path, to: &'a Path) -> BoxFuture<'a, io::Result<()>>;

    /// Removes a file.
    fn remove_file<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<()>>;

    /// The names in a directory, sorted.
    fn list<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<Vec<DirEntry>>>;

    /// Makes the names in a directory durable.
    fn sync_dir<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<()>>;
}

/// An open file; dropped to close.
#[allow(clippy::len_without_is_empty, reason = "asking a file for its length can fail")]
pub trait File: Send + Sync {
    /// Reads exactly `length` bytes from `offset`.
    ///
    /// # Errors
    /// `UnexpectedEof` when the file ends earlier. The caller bounds `length`.
    fn read_at(&self, offset: u64, length: usize) -> BoxFuture<'_, io::Result<Bytes>>;

    /// Writes all of `bytes` at `offset`, growing the file when needed.
    fn write_at(&self, offset: u64, bytes: Bytes) -> BoxFuture<'_, io::Result<()>>;

    /// Makes contents and length durable.
    ///
    /// After an error the file's cached contents are not to be trusted: reopen and check.
    fn sync(&self) -> BoxFuture<'_, io::Result<()>>;

    /// Current length in bytes.
    fn len(&self) -> BoxFuture<'_, io::Result<u64>>;

    /// Cuts or zero-extends the file.
    fn set_len(&self, length: u64) -> BoxFuture<'_, io::Result<()>>;
}

/// A file for code that blocks; the meaning of each method is as in [`File`].
#[allow(clippy::len_without_is_empty, reason = "asking a file for its length can fail")]
pub trait BlockingFile: Send + Sync + std::fmt::Debug {
    /// Current length in bytes.
    fn len(&self) -> io::Result<u64>;

    /// Fills `buffer` from `offset`.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;

    /// Writes all of `bytes` at `offset`.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Cuts or zero-extends the file.
    fn set_len(&self, length: u64) -> io::Result<()>;

    /// Makes contents and length durable.
    fn sync(&self) -> io::Result<()>;

    /// When the contents changed last, since 1970; zero if nobody keeps account of it.
    fn modified(&self) -> io::Result<Duration> {
        Ok(Duration::ZERO)
    }
}

/// A file in the making that takes another's place when it is complete. Dropped without
/// having been published, it leaves nothing behind.
pub trait Replacement: Send + Sync {
    /// What is written to.
    fn file(&self) -> Arc<dyn BlockingFile>;

    /// Lets nobody but its owner read the file, unless it takes another's place: then those may
    /// who could read that one. Blocks. On a disk without permissions there is nothing to do.
    ///
    /// # Errors
    /// If the system refuses.
    fn keep_private(&self) -> io::Result<()> {
        Ok(())
    }

    /// Makes the contents durable, then the file appears under its name as a whole, then
    /// the name is made durable. Blocks.
    ///
    /// # Errors
    /// Whatever kept it from that; unless only the last step failed, what was there before
    /// is still there.
    fn publish(self: Box<Self>) -> io::Result<()>;
}

/// An exclusive lock; released when dropped.
pub trait DiskLock: Send + Sync {}
