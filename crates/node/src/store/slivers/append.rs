//! Writes records at the end of a file, few writes for many small records.

use std::io;

use bytes::{Bytes, BytesMut};
use walrus_env::File;
use walrus_redstuff::BlobId;

use super::{
    record::{Header, Kind},
    scan::Location,
};

/// Data at least this long is written from where it lies; shorter data is copied
/// into one buffer with its neighbours.
const COPY_BELOW_BYTES: usize = 256 << 10;

/// Appends records; [`Appender::flush`] before relying on any of them.
pub(super) struct Appender<'a> {
    file: &'a dyn File,
    blob: &'a BlobId,
    /// Where the buffer goes.
    at: u64,
    buffer: BytesMut,
}

impl<'a> Appender<'a> {
    pub(super) fn new(file: &'a dyn File, blob: &'a BlobId, end: u64) -> Self {
        Self { file, blob, at: end, buffer: BytesMut::new() }
    }

    /// Appends a record; `data` is what `header` describes.
    pub(super) async fn record(&mut self, header: Header, data: &Bytes) -> io::Result<Location> {
        let offset = self.at + self.buffer.len() as u64;
        self.buffer.extend_from_slice(&header.encode(self.blob));
        if data.len() < COPY_BELOW_BYTES {
            self.buffer.extend_from_slice(data);
        } else {
            self.flush().await?;
            self.file.write_at(self.at, data.clone()).await?;
            self.at += data.len() as u64;
        }
        if self.buffer.len() >= COPY_BELOW_BYTES {
            self.flush().await?;
        }
        Ok(Location { offset, header })
    }

    /// Appends a record without data.
    pub(super) async fn mark(&mut self, kind: Kind) -> io::Result<()> {
        self.record(Header::mark(kind), &Bytes::new()).await.map(|_| ())
    }

    /// Hands everything to the file and returns where the file now ends.
    pub(super) async fn flush(&mut self) -> io::Result<u64> {
        if !self.buffer.is_empty() {
            let bytes = self.buffer.split().freeze();
            let length = bytes.len() as u64;
            self.file.write_at(self.at, bytes).await?;
            self.at += length;
        }
        Ok(self.at)
    }
}
