//! The disk as a process sees it: every call takes time and may be its last.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use bytes::Bytes;
use futures::future::BoxFuture;
use rand::Rng;
use walrus_env::{BlockingFile, DirEntry, Disk, DiskLock, File, OpenMode, Replacement, RoomError};

use super::{DiskModel, names::FileId};
use crate::{life::Life, world::End};

/// [`Disk`] of one life.
#[derive(Clone)]
pub(crate) struct SimDisk {
    life: Arc<Life>,
}

impl SimDisk {
    pub(crate) fn new(life: Arc<Life>) -> Self {
        Self { life }
    }

    /// Runs an operation on the model and traces it. No answer means that the life is
    /// over: it was already, or the operation is the one a power cut was aimed at.
    fn apply<T>(
        &self,
        kind: &str,
        fields: &[u64],
        operation: impl FnOnce(&mut DiskModel) -> io::Result<T>,
    ) -> Option<io::Result<T>> {
        if !self.life.is_alive() {
            return None;
        }
        let host = &self.life.host;
        let (result, fired) = {
            let mut disk = host.disk();
            let result = operation(&mut disk);
            (result, disk.take_fired())
        };
        host.world().event(host.index, kind, fields);
        if fired {
            host.stop(End::PowerCut);
            return None;
        }
        Some(result)
    }

    /// As [`Self::apply`], for a caller that can wait: the dead wait for ever.
    async fn perform<T>(
        &self,
        kind: &str,
        fields: &[u64],
        operation: impl FnOnce(&mut DiskModel) -> io::Result<T>,
    ) -> io::Result<T> {
        match self.apply(kind, fields, operation) {
            Some(result) => result,
            None => std::future::pending().await,
        }
    }

    /// As [`Self::apply`], for a caller that cannot wait: the dead get errors.
    fn perform_blocking<T>(
        &self,
        kind: &str,
        fields: &[u64],
        cost_us: std::ops::Range<u64>,
        operation: impl FnOnce(&mut DiskModel) -> io::Result<T>,
    ) -> io::Result<T> {
        let cost = self.life.draw("sim:disk", |stream| stream.random_range(cost_us));
        self.life.blocking_debt_us.fetch_add(cost, Relaxed);
        self.apply(kind, fields, operation)
            .unwrap_or_else(|| Err(io::Error::other("the power is gone")))
    }

    /// Lets the time of an operation pass.
    async fn spend(&self, cost_us: std::ops::Range<u64>) {
        let cost = self.life.draw("sim:disk", |stream| stream.random_range(cost_us));
        tokio::time::sleep(Duration::from_micros(cost)).await;
    }
}

/// Time of a read or a write that stays in the cache, in microseconds.
const CACHED_US: std::ops::Range<u64> = 20..1_200;
/// Time of a sync, in microseconds.
const SYNC_US: std::ops::Range<u64> = 2_000..6_000;
/// The same for blocking calls, which only add up.
const BLOCKING_US: std::ops::Range<u64> = 1..30;

impl Disk for SimDisk {
    fn open<'a>(
        &'a self,
        path: &'a Path,
        mode: OpenMode,
    ) -> BoxFuture<'a, io::Result<Arc<dyn File>>> {
        Box::pin(async move {
            self.spend(CACHED_US).await;
            let file = self.perform("open", &[], |disk| disk.open(path, mode)).await?;
            let writable = mode != OpenMode::Read;
            Ok(Arc::new(SimFile { disk: self.clone(), file, writable }) as Arc<dyn File>)
        })
    }

    fn open_blocking(&self, path: &Path) -> io::Result<Box<dyn BlockingFile>> {
        let file = self
            .perform_blocking("open", &[], BLOCKING_US, |disk| disk.open(path, OpenMode::Create))?;
        Ok(Box::new(SimFile { disk: self.clone(), file, writable: true }))
    }

    fn open_blocking_read(&self, path: &Path) -> io::Result<Box<dyn BlockingFile>> {
        let file = self
            .perform_blocking("open", &[], BLOCKING_US, |disk| disk.open(path, OpenMode::Read))?;
        Ok(Box::new(SimFile { disk: self.clone(), file, writable: false }))
    }

    fn replacement(&self, path: &Path, _: u64) -> Result<Box<dyn Replacement>, RoomError> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".part");
        let beside = PathBuf::from(beside);
        let open = |disk: &mut DiskModel| disk.open(&beside, OpenMode::CreateNew);
        let file = self
            .perform_blocking("open", &[], BLOCKING_US, open)
            .map_err(|source| RoomError::Unusable { place: path.to_owned(), source })?;
        let file = Arc::new(SimFile { disk: self.clone(), file, writable: true });
        Ok(Box::new(SimReplacement { file, beside: Some(beside), target: path.to_owned() }))
    }

    fn lock<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<Box<dyn DiskLock>>> {
        Box::pin(async move {
            self.spend(CACHED_US).await;
            let lock = self.perform("lock", &[], |disk| disk.lock(path)).await?;
            let held = HeldLock { life: self.life.clone(), path: path.to_owned(), lock };
            Ok(Box::new(held) as Box<dyn DiskLock>)
        })
    }

    fn create_dir_all<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(async move {
            self.spend(SYNC_US).await;
            let create = |disk: &mut DiskModel| {
                disk.create_dir_all(path);
                Ok(())
            };
            self.perform("mkdir", &[], create).await
        })
    }

    fn rename<'a>(&'a self, from: &'a Path, to: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(async move {
            self.perform("rename", &[], |disk| disk.rename(from, to)).await?;
            self.spend(CACHED_US).await;
            Ok(())
        })
    }

    fn remove_file<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(async move {
            self.perform("remove", &[], |disk| disk.remove(path)).await?;
            self.spend(CACHED_US).await;
            Ok(())
        })
    }

    fn list<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<Vec<DirEntry>>> {
        Box::pin(async move {
            self.spend(CACHED_US).await;
            self.perform("list", &[], |disk| disk.list(path)).await
        })
    }

    fn sync_dir<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(async move {
            self.spend(SYNC_US).await;
            self.perform("syncdir", &[], |disk| disk.sync_dir(path)).await
        })
    }
}

/// An open file.
struct SimFile {
    disk: SimDisk,
    file: FileId,
    writable: bool,
}

impl SimFile {
    fn check_writable(&self) -> io::Result<()> {
        self.writable.then_some(()).ok_or_else(|| io::ErrorKind::PermissionDenied.into())
    }
}

impl File for SimFile {
    fn read_at(&self, offset: u64, length: usize) -> BoxFuture<'_, io::Result<Bytes>> {
        Box::pin(async move {
            self.disk.spend(CACHED_US).await;
            let mut bytes = vec![0; length];
            let fields = [self.file, offset, length as u64];
            let read = |disk: &mut DiskModel| disk.read(self.file, offset, &mut bytes);
            self.disk.perform("read", &fields, read).await?;
            Ok(Bytes::from(bytes))
        })
    }

    fn write_at(&self, offset: u64, bytes: Bytes) -> BoxFuture<'_, io::Result<()>> {
        Box::pin(async move {
            self.check_writable()?;
            // In the cache at once, reported later: a crash between the two may keep it or not.
            let fields = [self.file, offset, bytes.len() as u64];
            self.disk
                .perform("write", &fields, |disk| disk.write(self.file, offset, &bytes))
                .await?;
            self.disk.spend(CACHED_US).await;
            Ok(())
        })
    }

    fn sync(&self) -> BoxFuture<'_, io::Result<()>> {
        Box::pin(async move {
            let begin = |disk: &mut DiskModel| disk.sync_begin(self.file);
            let mark = self.disk.perform("flush", &[self.file], begin).await?;
            self.disk.spend(SYNC_US).await;
            let end = |disk: &mut DiskModel| disk.sync_end(self.file, mark);
            self.disk.perform("sync", &[self.file], end).await
        })
    }

    fn len(&self) -> BoxFuture<'_, io::Result<u64>> {
        Box::pin(self.disk.perform("len", &[], |disk| disk.len(self.file)))
    }

    fn set_len(&self, length: u64) -> BoxFuture<'_, io::Result<()>> {
        Box::pin(async move {
            self.check_writable()?;
            let set = |disk: &mut DiskModel| disk.set_len(self.file, length);
            self.disk.perform("setlen", &[self.file, length], set).await?;
            self.disk.spend(CACHED_US).await;
            Ok(())
        })
    }
}

impl BlockingFile for SimFile {
    fn len(&self) -> io::Result<u64> {
        self.disk.perform_blocking("len", &[], BLOCKING_US, |disk| disk.len(self.file))
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let fields = [self.file, offset, buffer.len() as u64];
        let read = |disk: &mut DiskModel| disk.read(self.file, offset, buffer);
        self.disk.perform_blocking("read", &fields, BLOCKING_US, read)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let fields = [self.file, offset, bytes.len() as u64];
        let write = |disk: &mut DiskModel| disk.write(self.file, offset, bytes);
        self.disk.perform_blocking("write", &fields, BLOCKING_US, write)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let set = |disk: &mut DiskModel| disk.set_len(self.file, length);
        self.disk.perform_blocking("setlen", &[self.file, length], BLOCKING_US, set)
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.perform_blocking("sync", &[self.file], SYNC_US, |disk| {
            let mark = disk.sync_begin(self.file)?;
            disk.sync_end(self.file, mark)
        })
    }
}

impl std::fmt::Debug for SimFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "file {} of {}", self.file, self.disk.life.host.name)
    }
}

/// A file that is named `<target>.part` until it is complete.
struct SimReplacement {
    file: Arc<SimFile>,
    beside: Option<PathBuf>,
    target: PathBuf,
}

impl SimReplacement {
    fn change(
        &self,
        kind: &str,
        cost_us: std::ops::Range<u64>,
        operation: impl FnOnce(&mut DiskModel) -> io::Result<()>,
    ) -> io::Result<()> {
        self.file.disk.perform_blocking(kind, &[], cost_us, operation)
    }
}

impl Replacement for SimReplacement {
    fn file(&self) -> Arc<dyn BlockingFile> {
        self.file.clone()
    }

    fn publish(mut self: Box<Self>) -> io::Result<()> {
        BlockingFile::sync(self.file.as_ref())?;
        if let Some(beside) = self.beside.clone() {
            self.change("rename", BLOCKING_US, |disk| disk.rename(&beside, &self.target))?;
            self.beside = None;
        }
        let directory = self.target.parent().unwrap_or(Path::new("/"));
        self.change("syncdir", SYNC_US, |disk| disk.sync_dir(directory))
    }
}

impl Drop for SimReplacement {
    fn drop(&mut self) {
        if let Some(beside) = &self.beside {
            // The dead remove nothing.
            let _ = self.change("remove", BLOCKING_US, |disk| disk.remove(beside));
        }
    }
}

struct HeldLock {
    life: Arc<Life>,
    path: PathBuf,
    lock: u64,
}

impl DiskLock for HeldLock {}

impl Drop for HeldLock {
    fn drop(&mut self) {
        self.life.host.disk().unlock(&self.path, self.lock);
    }
}
