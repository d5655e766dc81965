//! Lets the database live in a file of the environment's disk.

use std::{
    io::{self, ErrorKind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use redb::StorageBackend;
use walrus_env::BlockingFile;

/// Remembers whether the disk ever refused something: what the database says after
/// that tells nothing about the contents of the file.
#[derive(Clone, Debug, Default)]
pub(super) struct DiskTrouble(Arc<AtomicBool>);

impl DiskTrouble {
    pub(super) fn seen(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Passes a result of the disk on. A read behind the end of the file is no trouble
    /// of the disk: the file is shorter than it should be.
    pub(super) fn watch<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if result.as_ref().is_err_and(|error| error.kind() != ErrorKind::UnexpectedEof) {
            self.0.store(true, Ordering::Relaxed);
        }
        result
    }
}

/// A file as the database wants it.
#[derive(Debug)]
pub(super) struct Backend {
    pub(super) file: Box<dyn BlockingFile>,
    pub(super) trouble: DiskTrouble,
}

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.trouble.watch(self.file.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.trouble.watch(self.file.read_at(offset, out))
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.trouble.watch(self.file.set_len(length))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.trouble.watch(self.file.sync())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.trouble.watch(self.file.write_at(offset, data))
    }
}
