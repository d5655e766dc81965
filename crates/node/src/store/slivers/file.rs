//! The sliver file of one blob: opened and checked once, then appended to in groups.

use std::{
    collections::BTreeMap,
    io::{self, ErrorKind},
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use tokio::sync::{Mutex as AsyncMutex, OnceCell, Semaphore, oneshot};
use walrus_env::{Env, File, OpenMode};
use walrus_redstuff::BlobId;

use super::{
    append::Appender,
    directory::Directories,
    record::{HEADER_BYTES, Header, Kind, SliverKey},
    scan::{Location, Scan, scan},
};
use crate::sync::lock;

/// Checksums of longer data are computed off the async threads.
const INLINE_CHECKSUM_BYTES: usize = 1 << 20;

/// Why a sliver could not be written.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PutError {
    /// The disk refused; nothing was acknowledged. Retry later.
    #[error("the sliver could not be written: {0}")]
    Io(Arc<io::Error>),
    /// The node is going down.
    #[error("the write was abandoned")]
    Abandoned,
}

impl From<io::Error> for PutError {
    fn from(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}

/// Why a sliver could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The disk refused.
    #[error("the sliver file could not be opened: {0}")]
    Io(#[from] io::Error),
    /// The stored bytes are not what was written: they are not served, the sliver
    /// no longer counts as stored and has to be recovered from peers.
    #[error("the stored sliver is damaged")]
    Damaged,
}

/// What a write did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// The sliver was not there; now it is, durably.
    Stored,
    /// The sliver was there already, durably.
    AlreadyStored,
}

/// What all sliver files of a store share.
pub(super) struct Shared {
    pub(super) env: Env,
    pub(super) directories: Directories,
    /// How many files are synced at once.
    pub(super) syncs: Semaphore,
}

/// One blob's file. At most one of these exists for a path at any time.
pub(super) struct BlobFile {
    shared: Arc<Shared>,
    blob: BlobId,
    directory: PathBuf,
    path: PathBuf,
    state: OnceCell<Mutex<State>>,
    queue: Mutex<Queue>,
    /// Held by whoever changes the file.
    writing: AsyncMutex<()>,
}

/// What is known of the file. Everything in the index is durable.
struct State {
    /// `None` while there is no file.
    file: Option<Arc<dyn File>>,
    index: BTreeMap<SliverKey, Location>,
    /// Where the next record goes.
    end: u64,
    /// A write or sync failed: what stands after `end` is unknown.
    dirty: bool,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Waiting>,
    /// A task is working on the queue.
    served: bool,
}

/// A record somebody wants written.
struct Waiting {
    header: Header,
    data: Bytes,
    /// Not listened to for records nobody waits for.
    answer: oneshot::Sender<Result<Put, PutError>>,
}

impl BlobFile {
    pub(super) fn new(shared: Arc<Shared>, blob: BlobId) -> Self {
        let (directory, path) = shared.directories.place(&blob);
        Self {
            shared,
            blob,
            directory,
            path,
            state: OnceCell::new(),
            queue: Mutex::default(),
            writing: AsyncMutex::new(()),
        }
    }

    /// The slivers stored durably.
    pub(super) async fn keys(&self) -> io::Result<Vec<SliverKey>> {
        Ok(lock(self.state().await?).index.keys().copied().collect())
    }

    /// Whether this sliver is stored durably.
    pub(super) async fn contains(&self, key: SliverKey) -> io::Result<bool> {
        Ok(lock(self.state().await?).index.contains_key(&key))
    }

    /// Stores a sliver; resolves when it is durable.
    pub(super) async fn put(
        self: &Arc<Self>,
        key: SliverKey,
        data: Bytes,
    ) -> Result<Put, PutError> {
        if self.contains(key).await? {
            return Ok(Put::AlreadyStored);
        }
        let header = match data.len() {
            0..INLINE_CHECKSUM_BYTES => Header::sliver(key, &data),
            _ => {
                let data = data.clone();
                self.shared.env.compute(COPY_COST, move || Header::sliver(key, &data)).await
            }
        };
        self.enqueue(header, data).await.unwrap_or(Err(PutError::Abandoned))
    }

    /// Reads a sliver; `None` when it is not stored.
    pub(super) async fn get(self: &Arc<Self>, key: SliverKey) -> Result<Option<Bytes>, ReadError> {
        let (file, location) = {
            let state = lock(self.state().await?);
            let (Some(file), Some(location)) = (&state.file, state.index.get(&key)) else {
                return Ok(None);
            };
            (file.clone(), *location)
        };
        match self.read(file.as_ref(), location).await {
            Some(data) => Ok(Some(data)),
            None => {
                tracing::warn!(blob = %self.blob, ?key, "a stored sliver is damaged");
                self.drop_damaged(key, location);
                Err(ReadError::Damaged)
            }
        }
    }

    /// Removes the file and everything in it.
    pub(super) async fn delete(&self) -> io::Result<()> {
        let _writing = self.writing.lock().await;
        match self.shared.env.disk.remove_file(&self.path).await {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        if let Some(state) = self.state.get() {
            *lock(state) = State { file: None, index: BTreeMap::new(), end: 0, dirty: false };
        }
        Ok(())
    }

    /// The data at `location`, if it is still what was written. A disk that cannot
    /// read the bytes has lost them as surely as one that returns others.
    async fn read(&self, file: &dyn File, location: Location) -> Option<Bytes> {
        let length = HEADER_BYTES + location.header.length as usize;
        let record = file.read_at(location.offset, length).await.ok()?;
        if record[..HEADER_BYTES] != location.header.encode(&self.blob) {
            return None;
        }
        let data = record.slice(HEADER_BYTES..);
        let sum = match data.len() {
            0..INLINE_CHECKSUM_BYTES => crc32c::crc32c(&data),
            _ => {
                let data = data.clone();
                self.shared.env.compute(COPY_COST, move || crc32c::crc32c(&data)).await
            }
        };
        (sum == location.header.checksum).then_some(data)
    }

    /// Forgets a damaged sliver, now and for later openings.
    fn drop_damaged(self: &Arc<Self>, key: SliverKey, damaged: Location) {
        let Some(state) = self.state.get() else { return };
        let mut state = lock(state);
        if state.index.get(&key) == Some(&damaged) {
            // Queued before the sliver is seen to be gone, hence before any new copy of it.
            // Nobody waits: should this record be lost, the next read finds the damage again.
            drop(self.enqueue(Header::mark(Kind::Dropped(key)), Bytes::new()));
            state.index.remove(&key);
        }
    }

    /// Queues a record and sees to it that somebody works on the queue.
    fn enqueue(
        self: &Arc<Self>,
        header: Header,
        data: Bytes,
    ) -> impl Future<Output = Result<Result<Put, PutError>, oneshot::error::RecvError>> + use<>
    {
        let (answer, answered) = oneshot::channel();
        let start = {
            let mut queue = lock(&self.queue);
            queue.waiting.push(Waiting { header, data, answer });
            !std::mem::replace(&mut queue.served, true)
        };
        if start {
            // A task of its own: a caller that goes away must not leave a half-written group.
            let this = self.clone();
            self.shared.env.spawn("sliver commit", async move { this.serve_queue().await });
        }
        answered
    }

    /// Writes groups until nobody waits. All that arrives during one sync shares the next.
    async fn serve_queue(&self) {
        loop {
            let group = {
                let mut queue = lock(&self.queue);
                if queue.waiting.is_empty() {
                    queue.served = false;
                    return;
                }
                std::mem::take(&mut queue.waiting)
            };
            let _permit = self.shared.syncs.acquire().await.expect("never closed");
            let _writing = self.writing.lock().await;
            self.commit(group).await;
        }
    }

    /// Writes a group with one sync, and answers everybody in it.
    async fn commit(&self, group: Vec<Waiting>) {
        let (new, stored): (Vec<_>, Vec<_>) = {
            let state = match self.state().await {
                Ok(state) => lock(state),
                Err(error) => return answer_all(group, &Err(error.into())),
            };
            let is_new = |waiting: &Waiting| match waiting.header.kind {
                Kind::Sliver(key) => !state.index.contains_key(&key),
                Kind::Dropped(_) | Kind::Synced => true,
            };
            group.into_iter().partition(is_new)
        };
        answer_all(stored, &Ok(Put::AlreadyStored));
        if new.is_empty() {
            return;
        }
        let result = self.write(&new).await;
        if let Err(error) = &result {
            tracing::error!(blob = %self.blob, %error, "writing slivers failed");
            if let Some(state) = self.state.get() {
                lock(state).dirty = true;
            }
        }
        answer_all(new, &result.map(|()| Put::Stored).map_err(PutError::from));
    }

    /// Appends the records, makes them durable, then adds them to the index.
    async fn write(&self, group: &[Waiting]) -> io::Result<()> {
        let (file, end, created) = self.writable().await?;
        let mut appender = Appender::new(file.as_ref(), &self.blob, end);
        let mut changes = Vec::with_capacity(group.len());
        for waiting in group {
            let location = appender.record(waiting.header, &waiting.data).await?;
            changes.push((waiting.header.kind, location));
        }
        appender.flush().await?;
        file.sync().await?;
        if created {
            self.shared.env.disk.sync_dir(&self.directory).await?;
        }
        // Not synced: losing this record only means that the next opening checks more.
        appender.mark(Kind::Synced).await?;
        let end = appender.flush().await?;

        let mut state = lock(self.state.get().expect("opened before anything is written"));
        state.file = Some(file);
        state.end = end;
        for (kind, location) in changes {
            match kind {
                Kind::Sliver(key) => drop(state.index.insert(key, location)),
                Kind::Dropped(_) | Kind::Synced => {}
            }
        }
        Ok(())
    }

    /// The file ready for appending, where to append, and whether its name is new.
    async fn writable(&self) -> io::Result<(Arc<dyn File>, u64, bool)> {
        let (file, end, dirty) = {
            let state = lock(self.state.get().expect("opened before anything is written"));
            (state.file.clone(), state.end, state.dirty)
        };
        if let Some(file) = file.filter(|_| !dirty) {
            return Ok((file, end, false));
        }
        self.shared.directories.create(&self.directory).await?;
        let file = self.shared.env.disk.open(&self.path, OpenMode::Create).await?;
        // After a failed write or sync nothing past the durable part can be believed, not
        // even what reads back well: cut it off and make sure that the cut is on disk.
        file.set_len(end).await?;
        file.sync().await?;
        lock(self.state.get().expect("opened before anything is written")).dirty = false;
        Ok((file, end, true))
    }

    async fn state(&self) -> io::Result<&Mutex<State>> {
        self.state.get_or_try_init(|| self.open()).await
    }

    /// Opens the file if there is one and checks what a crash may have torn.
    async fn open(&self) -> io::Result<Mutex<State>> {
        let disk = &self.shared.env.disk;
        let file = match disk.open(&self.path, OpenMode::Write).await {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let state = State { file: None, index: BTreeMap::new(), end: 0, dirty: false };
                return Ok(Mutex::new(state));
            }
            Err(error) => return Err(error),
        };
        // The name may have been made by a process that was killed before it was durable.
        self.shared.directories.sync_once(&self.directory).await?;
        let mut scan = scan(file.as_ref(), &self.blob).await?;
        let end = self.settle(file.as_ref(), &mut scan).await?;
        Ok(Mutex::new(State { file: Some(file), index: scan.index, end, dirty: false }))
    }

    /// Brings the part after the last *synced* record to a state that can be relied
    /// on: whole records are written again (the cache may hold what the disk does
    /// not) and synced, damaged ones dropped, the torn end cut off.
    async fn settle(&self, file: &dyn File, scan: &mut Scan) -> io::Result<u64> {
        if scan.tail.is_empty() && scan.end == scan.length {
            return Ok(scan.end);
        }
        let mut dropped = Vec::new();
        for location in &scan.tail {
            let encoded = Bytes::copy_from_slice(&location.header.encode(&self.blob));
            match (location.header.kind, self.read(file, *location).await) {
                (_, Some(data)) => {
                    file.write_at(location.offset, encoded).await?;
                    file.write_at(location.offset + HEADER_BYTES as u64, data).await?;
                }
                (Kind::Sliver(key), None) => {
                    if scan.index.get(&key) == Some(location) {
                        scan.index.remove(&key);
                        dropped.push(key);
                    }
                }
                (Kind::Dropped(_) | Kind::Synced, None) => {}
            }
        }
        file.set_len(scan.end).await?;
        let mut appender = Appender::new(file, &self.blob, scan.end);
        for key in dropped {
            appender.mark(Kind::Dropped(key)).await?;
        }
        appender.flush().await?;
        file.sync().await?;
        appender.mark(Kind::Synced).await?;
        appender.flush().await
    }
}

/// What a simulation charges for a checksum over a large sliver.
const COPY_COST: Duration = Duration::from_millis(1);

fn answer_all(group: Vec<Waiting>, result: &Result<Put, PutError>) {
    for waiting in group {
        // Whoever gave up waiting needs no answer.
        let _ = waiting.answer.send(result.clone());
    }
}
