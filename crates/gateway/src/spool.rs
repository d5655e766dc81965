//! What is on its way lies on disk, in files without names, of which there is only so much
//! at a time.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body_util::BodyExt as _;
use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, timeout_at};
use walrus_env::{BlockingFile, Env};
use walrus_sdk::Source;

use crate::body::{declared_length, too_large};
use crate::config::Limits;
use crate::error::{Error, Reason};

/// What is shorter stays in memory; longer ones are written in pieces of this size.
const PIECE: usize = 256 << 10;

/// The disk space for what is on its way.
#[derive(Debug)]
pub(crate) struct Spool {
    env: Env,
    directory: PathBuf,
    limit: u64,
    used: Arc<AtomicU64>,
}

/// Space that is set aside; given back when dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    used: Arc<AtomicU64>,
    bytes: u64,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Spool {
    pub(crate) fn new(env: &Env, directory: PathBuf, limit: u64) -> Self {
        Self { env: env.clone(), directory, limit, used: Arc::default() }
    }

    /// Sets space aside, if there is so much.
    pub(crate) fn reserve(&self, bytes: u64) -> Result<Reservation, Error> {
        let mut reservation = Reservation { used: self.used.clone(), bytes: 0 };
        self.extend(&mut reservation, bytes)?;
        Ok(reservation)
    }

    fn extend(&self, reservation: &mut Reservation, bytes: u64) -> Result<(), Error> {
        let add = |used: u64| used.checked_add(bytes).filter(|sum| *sum <= self.limit);
        let added = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
        added.map_err(|_| Error::overloaded("too much is on its way through this gateway"))?;
        reservation.bytes += bytes;
        Ok(())
    }

    /// Bytes that are set aside now.
    pub(crate) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Begins to keep bytes that arrive one after the other.
    pub(crate) fn writer(&self, limit: u64) -> Result<SpoolWriter<'_>, Error> {
        let reservation = self.reserve(0)?;
        let (buffer, hash) = (BytesMut::new(), Sha256::new());
        Ok(SpoolWriter { spool: self, limit, reservation, buffer, file: None, written: 0, hash })
    }

    /// Takes in a body. `watch` is told how much has arrived.
    pub(crate) async fn receive(
        &self,
        limits: &Limits,
        headers: &HeaderMap,
        mut body: Body,
        limit: u64,
        watch: &(dyn Fn(u64, Option<u64>) + Send + Sync),
    ) -> Result<Spooled, Error> {
        let declared = declared_length(headers);
        if declared.is_some_and(|length| length > limit) {
            return Err(too_large(limit));
        }
        let mut writer = self.writer(limit)?;
        let mut pace = Pace::new(limits);
        loop {
            let frame = timeout_at(pace.deadline(), body.frame()).await;
            let frame = match frame.map_err(|_| pace.too_slow())? {
                None => break,
                Some(frame) => frame.map_err(|_| Error::malformed("the body broke off"))?,
            };
            if let Ok(data) = frame.into_data() {
                pace.arrived(data.len());
                writer.push(&data).await?;
                watch(writer.length(), declared);
            }
        }
        writer.finish().await
    }
}

/// How late the next part of a body may be.
pub(crate) struct Pace {
    started: Instant,
    time: Duration,
    bytes_per_second: u64,
    bytes: u64,
}

impl Pace {
    pub(crate) fn new(limits: &Limits) -> Self {
        let bytes_per_second = limits.min_bytes_per_second.max(1);
        Self { started: Instant::now(), time: limits.body_time, bytes_per_second, bytes: 0 }
    }

    pub(crate) fn arrived(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }

    pub(crate) fn deadline(&self) -> Instant {
        let earned = Duration::from_secs(self.bytes / self.bytes_per_second);
        self.started + self.time + earned
    }

    pub(crate) fn too_slow(&self) -> Error {
        Error::new(Reason::BodyTooSlow, "the body arrives too slowly")
            .with("min_bytes_per_second", self.bytes_per_second)
    }
}

/// Bytes that are being kept.
pub(crate) struct SpoolWriter<'a> {
    spool: &'a Spool,
    limit: u64,
    reservation: Reservation,
    buffer: BytesMut,
    file: Option<Arc<dyn BlockingFile>>,
    written: u64,
    hash: Sha256,
}

impl SpoolWriter<'_> {
    /// Bytes kept so far.
    pub(crate) fn length(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    /// Keeps more.
    pub(crate) async fn push(&mut self, mut data: &[u8]) -> Result<(), Error> {
        if self.length() + data.len() as u64 > self.limit {
            return Err(too_large(self.limit));
        }
        self.spool.extend(&mut self.reservation, data.len() as u64)?;
        self.hash.update(data);
        while !data.is_empty() {
            let (now, rest) = data.split_at(data.len().min(PIECE - self.buffer.len()));
            self.buffer.extend_from_slice(now);
            data = rest;
            if self.buffer.len() == PIECE {
                self.flush().await?;
            }
        }
        Ok(())
    }

    /// Moves what is in memory to the file, which is made when it is first needed.
    async fn flush(&mut self) -> Result<(), Error> {
        let (env, directory) = (self.spool.env.clone(), self.spool.directory.clone());
        let (file, at) = (self.file.take(), self.written);
        let piece = self.buffer.split().freeze();
        self.written += piece.len() as u64;
        let work = move || {
            let file = match file {
                Some(file) => file,
                None => env.disk.temporary(&directory, 0).map_err(io::Error::other)?.into(),
            };
            file.write_at(at, &piece)?;
            Ok::<_, io::Error>(file)
        };
        let file = self.spool.env.compute(Duration::ZERO, work).await.map_err(|error| {
            tracing::error!(%error, "what arrives cannot be kept");
            Error::overloaded("there is no room on this gateway now")
        })?;
        self.file = Some(file);
        Ok(())
    }

    /// Everything that was kept.
    pub(crate) async fn finish(mut self) -> Result<Spooled, Error> {
        let length = self.length();
        let sha256 = self.hash.clone().finalize().into();
        let content = if self.file.is_none() {
            Kept::Memory(self.buffer.split().freeze())
        } else {
            self.flush().await?;
            Kept::File(self.file.take().expect("it was flushed to"))
        };
        Ok(Spooled { content, length, sha256, _reservation: Arc::new(self.reservation) })
    }
}

#[derive(Clone, Debug)]
enum Kept {
    Memory(Bytes),
    File(Arc<dyn BlockingFile>),
}

/// Bytes that arrived, in memory or in a file without a name.
#[derive(Clone, Debug)]
pub(crate) struct Spooled {
    content: Kept,
    pub(crate) length: u64,
    pub(crate) sha256: [u8; 32],
    _reservation: Arc<Reservation>,
}

impl Spooled {
    /// All of it, to be stored.
    pub(crate) fn source(&self) -> Source {
        match &self.content {
            Kept::Memory(bytes) => bytes.clone().into(),
            Kept::File(file) => Source::open_file(file.clone(), "the body"),
        }
    }

    /// A part of it, to be stored.
    pub(crate) fn part(&self, offset: u64, length: u64) -> Source {
        match &self.content {
            Kept::Memory(bytes) => bytes.slice(offset as usize..(offset + length) as usize).into(),
            Kept::File(file) => {
                let part = Part { file: file.clone(), offset, length };
                Source::open_file(Arc::new(part), "a part of the body")
            }
        }
    }
}

/// A part of a file, which nobody writes to any more.
#[derive(Debug)]
struct Part {
    file: Arc<dyn BlockingFile>,
    offset: u64,
    length: u64,
}

impl BlockingFile for Part {
    fn len(&self) -> io::Result<u64> {
        Ok(self.length)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        if offset.checked_add(buffer.len() as u64).is_none_or(|end| end > self.length) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.file.read_at(self.offset + offset, buffer)
    }

    fn write_at(&self, _: u64, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::PermissionDenied.into())
    }

    fn set_len(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::PermissionDenied.into())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use futures::stream;
    use http::header::CONTENT_LENGTH;
    use walrus_env::real;

    use super::*;

    fn spool(directory: &tempfile::TempDir, limit: u64) -> Spool {
        Spool::new(&real::env(), directory.path().to_owned(), limit)
    }

    fn endless(piece: usize) -> Body {
        Body::from_stream(stream::repeat_with(move || Ok::<_, io::Error>(vec![7; piece])))
    }

    async fn receive(spool: &Spool, body: Body, limit: u64) -> Result<Spooled, Error> {
        spool.receive(&Limits::default(), &HeaderMap::new(), body, limit, &|_, _| ()).await
    }

    #[tokio::test]
    async fn an_endless_body_ends_at_its_limit_and_leaves_no_space_taken() {
        // One client could fill the disk of everybody.
        let directory = tempfile::tempdir().unwrap();
        let spool = spool(&directory, 1 << 30);
        let error = receive(&spool, endless(100_000), 3 << 20).await.unwrap_err();
        assert_eq!(error.reason, Reason::BodyTooLarge);
        assert_eq!(spool.used(), 0);
    }

    #[tokio::test]
    async fn many_bodies_together_are_bounded_too() {
        // Each within its limit, all of them together beyond the disk.
        let directory = tempfile::tempdir().unwrap();
        let spool = spool(&directory, 5 << 20);
        let body = |length| Body::from(vec![1; length]);
        let first = receive(&spool, body(3 << 20), 4 << 20).await.unwrap();
        let error = receive(&spool, body(3 << 20), 4 << 20).await.unwrap_err();
        assert_eq!(error.reason, Reason::Overloaded);
        assert!(error.retry_after.is_some());
        drop(first);
        assert!(receive(&spool, body(3 << 20), 4 << 20).await.is_ok());
    }

    #[tokio::test]
    async fn a_body_announced_as_too_long_is_refused_unread() {
        // Reading a gigabyte to refuse it is what an attacker wants.
        let directory = tempfile::tempdir().unwrap();
        let spool = spool(&directory, 1 << 30);
        let headers = [(CONTENT_LENGTH, "1000".parse().unwrap())].into_iter().collect();
        let body = Body::from_stream(stream::pending::<Result<Bytes, io::Error>>());
        let refused = spool.receive(&Limits::default(), &headers, body, 999, &|_, _| ()).await;
        assert_eq!(refused.unwrap_err().reason, Reason::BodyTooLarge);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_drips_is_given_up() {
        // A thousand senders of one byte a minute would hold a thousand places for ever.
        let directory = tempfile::tempdir().unwrap();
        let spool = spool(&directory, 1 << 30);
        let drip = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(15)).await;
            Some((Ok::<_, io::Error>(Bytes::from_static(b"x")), ()))
        });
        let started = Instant::now();
        let error = receive(&spool, Body::from_stream(drip), 1 << 20).await.unwrap_err();
        assert_eq!(error.reason, Reason::BodyTooSlow);
        assert!(started.elapsed() < Duration::from_secs(60));
    }

    #[tokio::test]
    async fn what_arrived_is_what_is_stored_in_memory_and_on_disk() {
        // A wrong offset would store other bytes than were sent, under a valid blob id.
        let directory = tempfile::tempdir().unwrap();
        let spool = spool(&directory, 1 << 30);
        for length in [0_usize, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 5] {
            let bytes: Vec<u8> = (0..length).map(|i| (i * 31 % 251) as u8).collect();
            let kept = receive(&spool, Body::from(bytes.clone()), 4 << 20).await.unwrap();
            assert_eq!(kept.length, length as u64);
            assert_eq!(kept.sha256, <[u8; 32]>::from(Sha256::digest(&bytes)));
            if let Kept::File(file) = &kept.content {
                let mut back = vec![0; length];
                file.read_at(0, &mut back).unwrap();
                assert!(back == bytes);
                let part = Part { file: file.clone(), offset: 5, length: 10 };
                let mut ten = [0; 10];
                part.read_at(0, &mut ten).unwrap();
                assert_eq!(ten, bytes[5..15]);
                assert!(part.read_at(1, &mut ten).is_err());
            }
        }
    }
}
