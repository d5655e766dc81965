//! Bytes that are too many for memory: where a streamed blob comes from, goes to, and is put aside.
//!
//! This crate opens no file. Whoever calls it hands in something that can be read, or read and
//! written, at any offset from several threads at once: a file, or memory.

use std::io;
use std::sync::{PoisonError, RwLock};

/// Bytes that can be read at any offset.
pub trait ReadAt: Send + Sync {
    /// Fills `buffer` from `offset`.
    ///
    /// # Errors
    /// `UnexpectedEof` if there are fewer bytes, and whatever else keeps them from being read.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;

    /// All bytes, if they are in memory anyway. Saves copying them.
    fn as_slice(&self) -> Option<&[u8]> {
        None
    }
}

/// Bytes that can be read and written at any offset. What was never written need not be readable.
pub trait ReadWriteAt: ReadAt {
    /// Writes all of `bytes` at `offset`.
    ///
    /// # Errors
    /// Whatever keeps them from being written, such as a full disk.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;
}

impl<T: AsRef<[u8]> + Send + Sync> ReadAt for T {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        buffer.copy_from_slice(part(self.as_ref(), offset, buffer.len())?);
        Ok(())
    }

    fn as_slice(&self) -> Option<&[u8]> {
        Some(self.as_ref())
    }
}

fn part(bytes: &[u8], offset: u64, length: usize) -> io::Result<&[u8]> {
    let start = usize::try_from(offset).ok();
    let range = start.and_then(|start| Some(start..start.checked_add(length)?));
    range.and_then(|range| bytes.get(range)).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// Memory that grows as it is written to.
#[derive(Debug, Default)]
pub struct Memory {
    bytes: RwLock<Vec<u8>>,
}

impl Memory {
    /// Without any bytes yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How far it was written to.
    pub fn len(&self) -> u64 {
        self.bytes.read().unwrap_or_else(PoisonError::into_inner).len() as u64
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Without any bytes yet, and with room for `bytes`.
    ///
    /// # Errors
    /// `OutOfMemory` if there is not so much memory.
    pub fn with_capacity(bytes: usize) -> io::Result<Self> {
        let mut room = Vec::new();
        room.try_reserve_exact(bytes).map_err(|_| io::ErrorKind::OutOfMemory)?;
        Ok(Self { bytes: RwLock::new(room) })
    }

    /// Takes out what was written, with zeros where nothing was.
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.bytes.write().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ReadAt for Memory {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let bytes = self.bytes.read().unwrap_or_else(PoisonError::into_inner);
        buffer.copy_from_slice(part(&bytes, offset, buffer.len())?);
        Ok(())
    }
}

impl ReadWriteAt for Memory {
    fn write_at(&self, offset: u64, new: &[u8]) -> io::Result<()> {
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let end = start.checked_add(new.len()).ok_or(io::ErrorKind::OutOfMemory)?;
        let mut bytes = self.bytes.write().unwrap_or_else(PoisonError::into_inner);
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        bytes[start..end].copy_from_slice(new);
        Ok(())
    }
}

/// Part of something readable: a line of a blob's matrix.
#[derive(Clone, Copy)]
pub(crate) struct Line<'a> {
    pub(crate) bytes: &'a dyn ReadAt,
    pub(crate) offset: u64,
}

impl<'a> Line<'a> {
    /// A line that is in memory.
    pub(crate) fn of(bytes: &'a &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    /// The line as far as it is in memory anyway.
    pub(crate) fn as_slice(&self) -> Option<&'a [u8]> {
        let start = usize::try_from(self.offset).ok()?;
        self.bytes.as_slice()?.get(start..)
    }

    /// Copies bytes out, from byte `at` of the line on.
    pub(crate) fn read(&self, at: usize, buffer: &mut [u8]) -> io::Result<()> {
        self.bytes.read_at(self.offset + at as u64, buffer)
    }
}
