//! Blobs kept on disk, the latest used ones up to a limit.
//!
//! ```text
//! DIR/BLOB_ID:  magic 8 | blob length u64 LE | strict u8 | crc32c of these u32 LE
//!               then for each 64 KiB of the blob: the bytes | their crc32c u32 LE
//! ```
//!
//! A file appears under its name when it is complete and durable, so a crash leaves none
//! that is half. Every block is checked when it is read: a damaged file is removed, and the
//! blob fetched again.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use walrus_env::{BlockingFile, Env};
use walrus_redstuff::BlobId;

const MAGIC: &[u8; 8] = b"walrusc1";
const HEADER: usize = 21;
/// Bytes of a blob that are checked together.
pub(crate) const BLOCK: usize = 64 << 10;
const CHECK: usize = 4;

/// The cache.
pub(crate) struct Cache {
    env: Env,
    directory: PathBuf,
    limit: u64,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    /// Blobs whose files are there under their names.
    entries: BTreeMap<BlobId, Entry>,
    /// Bytes of these, and of the files that are being written or removed.
    bytes: u64,
    /// Counts uses, so that the least recently used is known.
    clock: u64,
}

#[derive(Clone, Debug)]
struct Entry {
    length: u64,
    strict: bool,
    used: u64,
}

/// A blob in the cache.
#[derive(Clone, Debug)]
pub(crate) struct Cached {
    file: Arc<dyn BlockingFile>,
    pub(crate) length: u64,
}

/// Bytes of the file of a blob.
fn file_bytes(length: u64) -> u64 {
    HEADER as u64 + length + length.div_ceil(BLOCK as u64) * CHECK as u64
}

fn header(length: u64, strict: bool) -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..16].copy_from_slice(&length.to_le_bytes());
    bytes[16] = u8::from(strict);
    let check = crc32c::crc32c(&bytes[..17]);
    bytes[17..].copy_from_slice(&check.to_le_bytes());
    bytes
}

/// Length and strictness, if it is the header of a complete file.
fn read_header(file: &dyn BlockingFile) -> io::Result<Option<(u64, bool)>> {
    let mut bytes = [0; HEADER];
    if file.len()? < HEADER as u64 {
        return Ok(None);
    }
    file.read_at(0, &mut bytes)?;
    let length = u64::from_le_bytes(bytes[8..16].try_into().expect("eight bytes"));
    let strict = bytes[16] == 1;
    let whole = bytes == header(length, strict) && length < 1 << 40;
    Ok((whole && file.len()? == file_bytes(length)).then_some((length, strict)))
}

impl Cache {
    /// Opens the cache, with what it kept before; removes what is not whole. With a limit
    /// of zero it keeps nothing.
    pub(crate) async fn open(env: &Env, directory: PathBuf, limit: u64) -> io::Result<Self> {
        env.disk.create_dir_all(&directory).await?;
        let mut found = Vec::new();
        for entry in env.disk.list(&directory).await? {
            if entry.is_dir {
                continue;
            }
            let path = directory.join(&entry.name);
            let id = entry.name.parse::<BlobId>().ok();
            let (disk, place) = (env.disk.clone(), path.clone());
            let look = move || {
                let file = disk.open_blocking_read(&place)?;
                let header = read_header(file.as_ref())?;
                Ok::<_, io::Error>(header.zip(Some(file.modified()?)))
            };
            let looked = env.compute(Duration::ZERO, look).await;
            match (id, looked) {
                (Some(id), Ok(Some(((length, strict), modified)))) => {
                    found.push((modified, id, length, strict));
                }
                _ => env.disk.remove_file(&path).await?,
            }
        }
        found.sort();
        let mut kept = Kept::default();
        for (_, id, length, strict) in found {
            kept.insert(id, length, strict);
        }
        let kept = Arc::new(Mutex::new(kept));
        let cache = Self { env: env.clone(), directory, limit, kept };
        cache.make_room(0).await;
        Ok(cache)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        lock(&self.kept)
    }

    fn path(&self, id: &BlobId) -> PathBuf {
        self.directory.join(id.to_string())
    }

    /// Bytes of all files.
    pub(crate) fn bytes(&self) -> u64 {
        self.kept().bytes
    }

    /// The length of a blob that is kept.
    pub(crate) fn length(&self, id: &BlobId) -> Option<u64> {
        self.kept().entries.get(id).map(|entry| entry.length)
    }

    /// A blob, if it is kept and was checked as strictly as asked for.
    pub(crate) async fn get(&self, id: &BlobId, strict: bool) -> Option<Cached> {
        let entry = self.kept().touch(id)?;
        if strict && !entry.strict {
            return None;
        }
        let (disk, path) = (self.env.disk.clone(), self.path(id));
        let open = move || {
            let file = disk.open_blocking_read(&path)?;
            Ok::<_, io::Error>(
                read_header(file.as_ref())?.map(|(length, _)| Cached { file: file.into(), length }),
            )
        };
        match self.env.compute(Duration::ZERO, open).await {
            Ok(Some(cached)) if cached.length == entry.length => Some(cached),
            _ => {
                self.remove(id).await;
                None
            }
        }
    }

    /// Forgets a blob, whose file is damaged or no longer wanted.
    pub(crate) async fn remove(&self, id: &BlobId) {
        let Some(entry) = self.kept().entries.remove(id) else { return };
        match self.env.disk.remove_file(&self.path(id)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                // It takes its space until the next start, so it stays counted.
                tracing::warn!(%error, blob = %id, "a cached blob cannot be removed");
            }
            _ => self.kept().bytes -= file_bytes(entry.length),
        }
    }

    /// Removes the least recently used until there is room for so many bytes, and sets it
    /// aside; nothing if that cannot be.
    async fn make_room(&self, bytes: u64) -> Option<Room> {
        loop {
            let oldest = {
                let mut kept = self.kept();
                if kept.bytes + bytes <= self.limit {
                    kept.bytes += bytes;
                    return Some(Room { kept: self.kept.clone(), bytes });
                }
                kept.oldest()
            };
            self.remove(&oldest?).await;
        }
    }

    /// Keeps a blob, if it is not larger than the cache. `read` gives its bytes block by
    /// block; it blocks.
    pub(crate) async fn insert(
        &self,
        id: BlobId,
        length: u64,
        strict: bool,
        read: impl Fn(u64, &mut [u8]) -> io::Result<()> + Send + 'static,
    ) -> io::Result<()> {
        let bytes = file_bytes(length);
        if bytes > self.limit {
            return Ok(());
        }
        self.remove(&id).await;
        // Counted before it is there, so that two at once do not exceed the limit.
        let Some(room) = self.make_room(bytes).await else { return Ok(()) };
        let (disk, path) = (self.env.disk.clone(), self.path(&id));
        let write = move || {
            let replacement = disk.replacement(&path, bytes).map_err(io::Error::other)?;
            let file = replacement.file();
            file.write_at(0, &header(length, strict))?;
            let mut block = vec![0; BLOCK + CHECK];
            let mut at = 0;
            while at < length {
                let size = usize::try_from(length - at).unwrap_or(BLOCK).min(BLOCK);
                read(at, &mut block[..size])?;
                let check = crc32c::crc32c(&block[..size]);
                block[size..size + CHECK].copy_from_slice(&check.to_le_bytes());
                file.write_at(place(at / BLOCK as u64), &block[..size + CHECK])?;
                at += size as u64;
            }
            let published = replacement.publish();
            // Also if the name only may not be durable. Here, where it happens even if nobody
            // waits for it any more.
            room.filled(id, length, strict);
            published
        };
        let written = self.env.compute(Duration::ZERO, write).await;
        if written.is_err() {
            self.remove(&id).await;
        }
        written
    }
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    // What it counts is right after every statement.
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Space that is set aside for a file in the making; given back when dropped.
struct Room {
    kept: Arc<Mutex<Kept>>,
    bytes: u64,
}

impl Room {
    /// The file is there under its name: from now on it is found.
    fn filled(mut self, id: BlobId, length: u64, strict: bool) {
        // Its bytes become the entry's.
        let bytes = std::mem::take(&mut self.bytes);
        let mut kept = lock(&self.kept);
        kept.bytes -= bytes;
        kept.insert(id, length, strict);
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        lock(&self.kept).bytes -= self.bytes;
    }
}

/// Where a block lies in the file.
fn place(block: u64) -> u64 {
    HEADER as u64 + block * (BLOCK + CHECK) as u64
}

impl Cached {
    /// Bytes of the blob, checked. Blocks; at most some blocks at a time are asked for.
    pub(crate) fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        let first = range.start / BLOCK as u64;
        let mut bytes = Vec::with_capacity((range.end - range.start) as usize + BLOCK);
        let mut block = vec![0; BLOCK + CHECK];
        for number in first..range.end.div_ceil(BLOCK as u64) {
            let left = self.length - number * BLOCK as u64;
            let size = usize::try_from(left).unwrap_or(BLOCK).min(BLOCK);
            self.file.read_at(place(number), &mut block[..size + CHECK])?;
            let (data, check) = block[..size + CHECK].split_at(size);
            if crc32c::crc32c(data).to_le_bytes() != check {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "a cached block is damaged",
                ));
            }
            bytes.extend_from_slice(data);
        }
        let skip = (range.start - first * BLOCK as u64) as usize;
        let length = (range.end - range.start) as usize;
        Ok(Bytes::from(bytes).slice(skip..skip + length))
    }
}

impl Kept {
    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    fn insert(&mut self, id: BlobId, length: u64, strict: bool) {
        // The file that was there was replaced.
        if let Some(entry) = self.entries.remove(&id) {
            self.bytes -= file_bytes(entry.length);
        }
        let used = self.tick();
        self.entries.insert(id, Entry { length, strict, used });
        self.bytes += file_bytes(length);
    }

    fn touch(&mut self, id: &BlobId) -> Option<Entry> {
        let used = self.tick();
        let entry = self.entries.get_mut(id)?;
        entry.used = used;
        Some(entry.clone())
    }

    fn oldest(&self) -> Option<BlobId> {
        self.entries.iter().min_by_key(|(_, entry)| entry.used).map(|(id, _)| *id)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods)]
mod tests {
    use walrus_env::real;

    use super::*;

    fn id(number: u8) -> BlobId {
        BlobId::from_bytes([number; 32])
    }

    async fn keep(cache: &Cache, number: u8, bytes: Vec<u8>) {
        let length = bytes.len() as u64;
        let read = move |at: u64, buffer: &mut [u8]| {
            buffer.copy_from_slice(&bytes[at as usize..][..buffer.len()]);
            Ok(())
        };
        cache.insert(id(number), length, false, read).await.unwrap();
    }

    fn content(length: usize) -> Vec<u8> {
        (0..length).map(|i| (i * 7 % 253) as u8).collect()
    }

    async fn open(directory: &tempfile::TempDir, limit: u64) -> Cache {
        Cache::open(&real::env(), directory.path().to_owned(), limit).await.unwrap()
    }

    #[tokio::test]
    async fn what_is_kept_comes_back_in_every_part_also_after_a_restart() {
        // Wrong bytes from the cache would be wrong bytes under a good name.
        let directory = tempfile::tempdir().unwrap();
        for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 17] {
            let cache = open(&directory, 10 << 20).await;
            keep(&cache, 1, content(length)).await;
            let cache = open(&directory, 10 << 20).await;
            let cached = cache.get(&id(1), false).await.unwrap();
            assert_eq!(cached.length, length as u64);
            for (from, to) in [(0, length), (length / 2, length), (length / 3, length / 2)] {
                let read = cached.read(from as u64..to as u64).unwrap();
                assert!(read == content(length)[from..to], "{from}..{to} of {length}");
            }
            assert!(cache.get(&id(1), true).await.is_none(), "it was not checked strictly");
        }
    }

    #[tokio::test]
    async fn the_least_recently_used_makes_room() {
        // A cache without a limit fills the disk; one that drops what is used is none.
        let directory = tempfile::tempdir().unwrap();
        let cache = open(&directory, 3 * file_bytes(1000)).await;
        for number in 1..=3 {
            keep(&cache, number, content(1000)).await;
        }
        assert!(cache.get(&id(1), false).await.is_some());
        keep(&cache, 4, content(1000)).await;
        assert!(cache.get(&id(2), false).await.is_none());
        assert!(cache.get(&id(1), false).await.is_some());
        assert!(cache.bytes() <= 3 * file_bytes(1000));
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 3);
        keep(&cache, 5, content(10_000)).await;
        assert!(cache.get(&id(5), false).await.is_none(), "larger than the cache");
    }

    #[tokio::test]
    async fn a_damaged_or_cut_file_is_never_served() {
        // A disk that rots must cost time, not correctness.
        let directory = tempfile::tempdir().unwrap();
        let cache = open(&directory, 10 << 20).await;
        keep(&cache, 1, content(3 * BLOCK)).await;
        let path = directory.path().join(id(1).to_string());
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[HEADER + BLOCK + CHECK + 9] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        let cached = cache.get(&id(1), false).await.unwrap();
        assert!(cached.read(0..10).is_ok());
        assert!(cached.read(BLOCK as u64..BLOCK as u64 + 1).is_err());
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        assert!(cache.get(&id(1), false).await.is_none());
        assert!(!path.exists());

        std::fs::write(directory.path().join("half-written"), b"x").unwrap();
        std::fs::write(directory.path().join(id(2).to_string()), b"walrusc1").unwrap();
        open(&directory, 10 << 20).await;
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    fn on_disk(directory: &tempfile::TempDir) -> u64 {
        let files = std::fs::read_dir(directory.path()).unwrap();
        files.map(|file| file.unwrap().metadata().unwrap().len()).sum()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_blob_that_is_asked_for_while_it_is_written_stays_counted() {
        // Each such file would lie on the disk beyond the limit, until the disk is full.
        let directory = tempfile::tempdir().unwrap();
        let cache = Arc::new(open(&directory, 2 * file_bytes(1000)).await);
        for number in 1..=6 {
            let (begun, has_begun) = tokio::sync::oneshot::channel();
            let (go_on, may_go_on) = std::sync::mpsc::channel();
            let begun = Mutex::new(Some(begun));
            let may_go_on = Mutex::new(may_go_on);
            let read = move |_: u64, buffer: &mut [u8]| {
                buffer.fill(number);
                let begun = begun.lock().unwrap().take().unwrap();
                begun.send(()).unwrap();
                may_go_on.lock().unwrap().recv().map_err(io::Error::other)
            };
            let keeper = cache.clone();
            let kept =
                tokio::spawn(async move { keeper.insert(id(number), 1000, false, read).await });
            has_begun.await.unwrap();
            assert!(cache.get(&id(number), false).await.is_none());
            assert_eq!(cache.length(&id(number)), None);
            go_on.send(()).unwrap();
            kept.await.unwrap().unwrap();
            assert!(cache.get(&id(number), false).await.is_some());
            assert_eq!(cache.bytes(), on_disk(&directory));
        }
        assert_eq!(on_disk(&directory), 2 * file_bytes(1000));
    }

    #[tokio::test]
    async fn a_directory_that_holds_too_much_is_cut_down_at_the_start() {
        // A limit that was lowered, or a file under a second name of its blob, would never go.
        let directory = tempfile::tempdir().unwrap();
        let cache = open(&directory, 10 << 20).await;
        for number in 1..=5 {
            keep(&cache, number, content(1000)).await;
        }
        let name = format!("0x{}", "05".repeat(32));
        std::fs::copy(directory.path().join(id(5).to_string()), directory.path().join(name))
            .unwrap();
        let cache = open(&directory, 2 * file_bytes(1000)).await;
        assert_eq!(on_disk(&directory), 2 * file_bytes(1000));
        assert_eq!(cache.bytes(), on_disk(&directory));
        drop(cache);
        open(&directory, 0).await;
        assert_eq!(on_disk(&directory), 0);
    }

    #[tokio::test]
    async fn what_cannot_be_written_leaves_nothing_counted() {
        // A cache that counts what is not there shrinks to nothing.
        let directory = tempfile::tempdir().unwrap();
        let cache = open(&directory, 2 * file_bytes(1000)).await;
        let broken = |_: u64, _: &mut [u8]| Err(io::ErrorKind::InvalidData.into());
        assert!(cache.insert(id(1), 1000, false, broken).await.is_err());
        assert_eq!((cache.bytes(), on_disk(&directory)), (0, 0));
        keep(&cache, 2, content(1000)).await;
        keep(&cache, 3, content(1000)).await;
        assert_eq!(cache.bytes(), on_disk(&directory));
        assert_eq!(on_disk(&directory), 2 * file_bytes(1000));
    }
}
