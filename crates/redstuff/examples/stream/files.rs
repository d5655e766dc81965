//! Files that hold what memory does not.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;

use walrus_redstuff::{ReadAt, ReadWriteAt};

const CHUNK: usize = 1 << 20;

/// A file read and written at any offset.
pub(crate) struct Stored(File);

impl Stored {
    /// A file without a name: it is gone when the process is, however it ends.
    pub(crate) fn unnamed(dir: &Path) -> io::Result<Self> {
        let path = dir.join(format!("redstuff-stream-{}", std::process::id()));
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
        fs::remove_file(&path)?;
        Ok(Self(file))
    }

    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        File::open(path).map(Self)
    }

    /// `length` bytes that nothing can compress.
    pub(crate) fn random(dir: &Path, length: u64) -> io::Result<Self> {
        let file = Self::unnamed(dir)?;
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let (mut left, mut chunk) = (length, Vec::with_capacity(CHUNK));
        while left > 0 {
            chunk.clear();
            while chunk.len() < CHUNK {
                state ^= state >> 12;
                state ^= state << 25;
                state ^= state >> 27;
                let word = state.wrapping_mul(0x2545_f491_4f6c_dd1d);
                chunk.extend_from_slice(&word.to_le_bytes());
            }
            let some = left.min(CHUNK as u64);
            (&file.0).write_all(&chunk[..some as usize])?;
            left -= some;
        }
        file.0.sync_all()?;
        Ok(file)
    }

    pub(crate) fn length(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    /// What the file takes up on disk.
    pub(crate) fn disk_bytes(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.blocks() * 512)
    }

    /// The first byte that is not the same in both, of the first `length`.
    pub(crate) fn difference(&self, other: &Self, length: u64) -> io::Result<Option<u64>> {
        let (mut ours, mut theirs) = (vec![0; CHUNK], vec![0; CHUNK]);
        for offset in (0..length).step_by(CHUNK) {
            let some = (length - offset).min(CHUNK as u64) as usize;
            self.0.read_exact_at(&mut ours[..some], offset)?;
            other.0.read_exact_at(&mut theirs[..some], offset)?;
            if let Some(at) = (0..some).find(|at| ours[*at] != theirs[*at]) {
                return Ok(Some(offset + at as u64));
            }
        }
        Ok(None)
    }
}

impl ReadAt for Stored {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.0.read_exact_at(buffer, offset)
    }
}

impl ReadWriteAt for Stored {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }
}
