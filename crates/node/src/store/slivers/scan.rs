//! Rebuilds the index of a sliver file from its records.

use std::{collections::BTreeMap, io};

use bytes::Bytes;
use walrus_env::File;
use walrus_redstuff::BlobId;

use super::record::{HEADER_BYTES, Header, Kind, MAGIC, SliverKey};

/// Bytes read at once while looking for headers.
const WINDOW_BYTES: usize = 16 << 10;

/// Where a sliver's record is, and what its header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Location {
    pub(super) offset: u64,
    pub(super) header: Header,
}

/// What a file's headers tell.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// The newest record of each sliver.
    pub(super) index: BTreeMap<SliverKey, Location>,
    /// Everything before this position was on disk when the last *synced* record was written.
    pub(super) synced: u64,
    /// Records from `synced` on, in order: their data is not to be trusted yet.
    pub(super) tail: Vec<Location>,
    /// Where the last whole record ends. What follows is torn.
    pub(super) end: u64,
    /// Length of the file.
    pub(super) length: u64,
}

/// Reads the headers of `file`. Bytes that belong to no record are stepped over
/// when a record follows them (a damaged header), and are the torn tail otherwise.
pub(super) async fn scan(file: &dyn File, blob: &BlobId) -> io::Result<Scan> {
    let length = file.len().await?;
    let mut reader = Reader { file, blob, length, start: 0, window: Bytes::new() };
    let mut scan = Scan { length, ..Scan::default() };
    let mut at = 0;
    while let Some(location) = reader.next_record(at).await? {
        at = location.offset + location.header.record_bytes();
        scan.end = at;
        scan.tail.push(location);
        match location.header.kind {
            Kind::Sliver(key) => {
                scan.index.insert(key, location);
            }
            Kind::Dropped(key) => {
                scan.index.remove(&key);
            }
            Kind::Synced => {
                scan.synced = at;
                scan.tail.clear();
            }
        }
    }
    Ok(scan)
}

/// Reads headers through a window over the file.
struct Reader<'a> {
    file: &'a dyn File,
    blob: &'a BlobId,
    length: u64,
    /// Position of the window in the file.
    start: u64,
    window: Bytes,
}

impl Reader<'_> {
    /// The first whole record at or after `at`.
    async fn next_record(&mut self, mut at: u64) -> io::Result<Option<Location>> {
        while let Some(bytes) = self.header_bytes(at).await? {
            if let Some(header) = Header::decode(self.blob, &bytes)
                && header.record_bytes() <= self.length - at
            {
                return Ok(Some(Location { offset: at, header }));
            }
            at = self.next_magic(at + 1).await?;
        }
        Ok(None)
    }

    /// The bytes of a header at `at`, or `None` when the file ends before.
    async fn header_bytes(&mut self, at: u64) -> io::Result<Option<[u8; HEADER_BYTES]>> {
        if self.length.saturating_sub(at) < HEADER_BYTES as u64 {
            return Ok(None);
        }
        let window_end = self.start + self.window.len() as u64;
        if at < self.start || at + HEADER_BYTES as u64 > window_end {
            let bytes = (self.length - at).min(WINDOW_BYTES as u64) as usize;
            self.window = self.file.read_at(at, bytes).await?;
            self.start = at;
        }
        let from = (at - self.start) as usize;
        Ok(self.window[from..].first_chunk().copied())
    }

    /// The next position at or after `at` where the magic stands, or the end of the file.
    async fn next_magic(&mut self, mut at: u64) -> io::Result<u64> {
        while self.header_bytes(at).await?.is_some() {
            let from = (at - self.start) as usize;
            let inside = &self.window[from..];
            if let Some(found) = inside.windows(MAGIC.len()).position(|bytes| bytes == MAGIC) {
                return Ok(at + found as u64);
            }
            // The magic may straddle the window's end.
            at += (inside.len() - (MAGIC.len() - 1)) as u64;
        }
        Ok(self.length)
    }
}
