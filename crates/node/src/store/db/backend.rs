//! Lets the database live in a file of the environment's disk.

use std::io;

use redb::StorageBackend;
use walrus_env::BlockingFile;

/// A file as the database wants it.
#[derive(Debug)]
pub(super) struct Backend(pub(super) Box<dyn BlockingFile>);

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read_at(offset, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write_at(offset, data)
    }
}
