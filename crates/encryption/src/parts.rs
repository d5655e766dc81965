//! Random access: which bytes of a sealed blob are needed for which bytes of its content, and
//! a reader over those that were fetched.

use std::{
    collections::BTreeMap,
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::padding::TRAILER_BYTES;

/// Bytes of content that are encrypted and authenticated together.
pub const CHUNK_BYTES: u64 = 64 * 1024;
/// The same with the tag that proves them.
pub const SEALED_CHUNK_BYTES: u64 = CHUNK_BYTES + 16;

/// Where in a sealed blob its chunks are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    header: u64,
    sealed: u64,
}

impl Layout {
    /// Of a blob of `sealed` bytes that begins with `header` bytes of header and nonce;
    /// nothing if that leaves no room for a chunk.
    pub fn new(header: usize, sealed: u64) -> Option<Self> {
        let header = header as u64;
        let chunks = sealed.checked_sub(header)?;
        // The last chunk may be short, but never without its tag.
        let last = chunks % SEALED_CHUNK_BYTES;
        (chunks > 0 && (last == 0 || last >= 16)).then_some(Self { header, sealed })
    }

    fn chunks(&self) -> u64 {
        (self.sealed - self.header).div_ceil(SEALED_CHUNK_BYTES)
    }

    /// Bytes that were encrypted, padding included.
    pub fn padded(&self) -> u64 {
        self.sealed - self.header - 16 * self.chunks()
    }

    /// The bytes of the blob with the chunks of `content`.
    pub fn chunks_of(&self, content: Range<u64>) -> Range<u64> {
        let chunk = |index: u64| {
            self.header.saturating_add(index.saturating_mul(SEALED_CHUNK_BYTES)).min(self.sealed)
        };
        chunk(content.start / CHUNK_BYTES)..chunk(content.end.div_ceil(CHUNK_BYTES))
    }

    /// The bytes at the end of the blob that prove its length and say that of the content.
    pub fn end(&self) -> Range<u64> {
        let last =
            self.padded().saturating_sub(1).min(self.padded().saturating_sub(TRAILER_BYTES as u64));
        self.chunks_of(last..self.padded()).start..self.sealed
    }
}

/// The bytes of a blob that were fetched; what was not cannot be read. Clones share what was
/// fetched, so that more can be added while one of them is being read.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    length: u64,
    at: u64,
    parts: Arc<Mutex<BTreeMap<u64, Vec<u8>>>>,
}

impl Parts {
    /// Of a blob of `length` bytes.
    pub fn new(length: u64) -> Self {
        Self { length, ..Self::default() }
    }

    fn parts(&self) -> MutexGuard<'_, BTreeMap<u64, Vec<u8>>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the bytes at `offset`.
    pub fn insert(&self, offset: u64, bytes: Vec<u8>) {
        let mut parts = self.parts();
        if parts.get(&offset).is_none_or(|there| there.len() < bytes.len()) {
            parts.insert(offset, bytes);
        }
    }

    /// The parts of `wanted` that are not there.
    pub fn missing(&self, wanted: Range<u64>) -> Vec<Range<u64>> {
        let mut missing = Vec::new();
        let mut at = wanted.start;
        for (offset, bytes) in self.parts().iter() {
            let end = offset + bytes.len() as u64;
            if end <= at {
                continue;
            }
            if *offset >= wanted.end {
                break;
            }
            if *offset > at {
                missing.push(at..*offset);
            }
            at = end;
        }
        if at < wanted.end {
            missing.push(at..wanted.end);
        }
        missing
    }
}

impl Read for Parts {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.length || buffer.is_empty() {
            return Ok(0);
        }
        // Parts may overlap: of those that begin before the position any may reach beyond it.
        let count = self.parts().range(..=self.at).rev().find_map(|(offset, bytes)| {
            let rest = bytes.get(usize::try_from(self.at - offset).ok()?..)?;
            let count = rest.len().min(buffer.len());
            buffer[..count].copy_from_slice(&rest[..count]);
            (count > 0).then_some(count)
        });
        let count = count.ok_or_else(|| io::Error::other("this part was not fetched"))?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Parts {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
        };
        self.at = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
