//! Files that are put aside for a while.

use std::{
    io,
    path::PathBuf,
    sync::{PoisonError, RwLock},
};

use crate::BlockingFile;

/// Why a file cannot be made where it was wanted.
#[derive(Debug, thiserror::Error)]
pub enum RoomError {
    /// The disk is too full.
    #[error(
        "{} has {free} bytes free and {needed} are needed: make room, or choose another directory",
        directory.display()
    )]
    NoRoom {
        /// The directory.
        directory: PathBuf,
        /// Bytes that are needed.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// No file can be made there.
    #[error("no file can be written in {}: {source}", place.display())]
    Unusable {
        /// The directory, or the file that was to be replaced.
        place: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A file in memory.
#[derive(Debug, Default)]
pub struct MemoryFile {
    bytes: RwLock<Vec<u8>>,
}

/// The place of `length` bytes at `offset`.
fn place(offset: u64, length: usize) -> io::Result<std::ops::Range<usize>> {
    let start = usize::try_from(offset).map_err(|_| io::ErrorKind::FileTooLarge)?;
    let end = start.checked_add(length).ok_or(io::ErrorKind::FileTooLarge)?;
    Ok(start..end)
}

impl BlockingFile for MemoryFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.bytes.read().unwrap_or_else(PoisonError::into_inner).len() as u64)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let bytes = self.bytes.read().unwrap_or_else(PoisonError::into_inner);
        let part = bytes.get(place(offset, buffer.len())?).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(part);
        Ok(())
    }

    fn write_at(&self, offset: u64, new: &[u8]) -> io::Result<()> {
        let place = place(offset, new.len())?;
        let mut bytes = self.bytes.write().unwrap_or_else(PoisonError::into_inner);
        if bytes.len() < place.end {
            bytes.resize(place.end, 0);
        }
        bytes[place].copy_from_slice(new);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let place = place(length, 0)?;
        self.bytes.write().unwrap_or_else(PoisonError::into_inner).resize(place.end, 0);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn memory_behaves_as_a_file() {
        // A simulation would otherwise show other failures than a disk has.
        let file = MemoryFile::default();
        file.write_at(3, b"abc").unwrap();
        let mut six = [1; 6];
        file.read_at(0, &mut six).unwrap();
        assert_eq!(&six, b"\0\0\0abc");
        let error = file.read_at(1, &mut six).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        file.set_len(4).unwrap();
        assert_eq!(file.len().unwrap(), 4);
        assert!(file.write_at(u64::MAX, b"abc").is_err());
    }
}
