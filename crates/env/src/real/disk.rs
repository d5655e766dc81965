//! Files of the operating system. Each call runs on a blocking thread.

use std::{
    fs,
    io::{self, ErrorKind},
    os::unix::fs::FileExt,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures::future::BoxFuture;

use super::temporary;
use crate::{BlockingFile, DirEntry, Disk, DiskLock, File, OpenMode, Replacement, RoomError};

pub(super) struct FileDisk;

/// Runs a blocking call on a thread made for it.
async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    match tokio::task::spawn_blocking(call).await {
        Ok(result) => result,
        Err(_) => Err(io::Error::other("the file operation was abandoned")),
    }
}

fn open(path: &Path, mode: OpenMode) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.read(true);
    match mode {
        OpenMode::Read => &mut options,
        OpenMode::Write => options.write(true),
        OpenMode::Create => options.write(true).create(true).truncate(false),
        OpenMode::CreateNew => options.write(true).create_new(true),
    };
    options.open(path)
}

/// Creates `path` and missing parents, syncing each parent whose contents changed.
fn create_dir_all(path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        create_dir_all(parent)?;
    }
    match fs::create_dir(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    fs::File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

impl Disk for FileDisk {
    fn open<'a>(
        &'a self,
        path: &'a Path,
        mode: OpenMode,
    ) -> BoxFuture<'a, io::Result<Arc<dyn File>>> {
        let path = path.to_owned();
        Box::pin(async move {
            let file = blocking(move || open(&path, mode)).await?;
            Ok(Arc::new(OsFile(Arc::new(file))) as Arc<dyn File>)
        })
    }

    fn open_blocking(&self, path: &Path) -> io::Result<Box<dyn BlockingFile>> {
        Ok(Box::new(OsBlockingFile(open(path, OpenMode::Create)?)))
    }

    fn open_blocking_read(&self, path: &Path) -> io::Result<Box<dyn BlockingFile>> {
        let file = open(path, OpenMode::Read)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a regular file"));
        }
        Ok(Box::new(OsBlockingFile(file)))
    }

    fn temporary(&self, directory: &Path, bytes: u64) -> Result<Box<dyn BlockingFile>, RoomError> {
        Ok(Box::new(OsBlockingFile(temporary::unnamed(directory, bytes)?)))
    }

    fn replacement(&self, path: &Path, bytes: u64) -> Result<Box<dyn Replacement>, RoomError> {
        Ok(Box::new(temporary::OsReplacement::begin(path, bytes)?))
    }

    fn lock<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<Box<dyn DiskLock>>> {
        let path = path.to_owned();
        Box::pin(blocking(move || {
            let file = open(&path, OpenMode::Create)?;
            file.try_lock()?;
            Ok(Box::new(OsLock { _file: file }) as Box<dyn DiskLock>)
        }))
    }

    fn create_dir_all<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        let path = path.to_owned();
        Box::pin(blocking(move || create_dir_all(&path)))
    }

    fn rename<'a>(&'a self, from: &'a Path, to: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        let (from, to) = (from.to_owned(), to.to_owned());
        Box::pin(blocking(move || fs::rename(from, to)))
    }

    fn remove_file<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        let path = path.to_owned();
        Box::pin(blocking(move || fs::remove_file(path)))
    }

    fn list<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<Vec<DirEntry>>> {
        let path = path.to_owned();
        Box::pin(blocking(move || {
            let mut entries = Vec::new();
            for entry in fs::read_dir(path)? {
                let entry = entry?;
                // A name that is not UTF-8 was not written by us.
                if let Ok(name) = entry.file_name().into_string() {
                    entries.push(DirEntry { name, is_dir: entry.file_type()?.is_dir() });
                }
            }
            entries.sort();
            Ok(entries)
        }))
    }

    fn sync_dir<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        let path = path.to_owned();
        Box::pin(blocking(move || fs::File::open(path)?.sync_all()))
    }
}

struct OsFile(Arc<fs::File>);

impl File for OsFile {
    fn read_at(&self, offset: u64, length: usize) -> BoxFuture<'_, io::Result<Bytes>> {
        let file = self.0.clone();
        Box::pin(blocking(move || {
            let mut buffer = vec![0; length];
            file.read_exact_at(&mut buffer, offset)?;
            Ok(Bytes::from(buffer))
        }))
    }

    fn write_at(&self, offset: u64, bytes: Bytes) -> BoxFuture<'_, io::Result<()>> {
        let file = self.0.clone();
        Box::pin(blocking(move || file.write_all_at(&bytes, offset)))
    }

    fn sync(&self) -> BoxFuture<'_, io::Result<()>> {
        let file = self.0.clone();
        Box::pin(blocking(move || file.sync_data()))
    }

    fn len(&self) -> BoxFuture<'_, io::Result<u64>> {
        let file = self.0.clone();
        Box::pin(blocking(move || Ok(file.metadata()?.len())))
    }

    fn set_len(&self, length: u64) -> BoxFuture<'_, io::Result<()>> {
        let file = self.0.clone();
        Box::pin(blocking(move || file.set_len(length)))
    }
}

#[derive(Debug)]
pub(super) struct OsBlockingFile(pub(super) fs::File);

impl BlockingFile for OsBlockingFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.0.read_exact_at(buffer, offset)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn modified(&self) -> io::Result<Duration> {
        let modified = self.0.metadata()?.modified()?;
        Ok(modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
    }
}

struct OsLock {
    _file: fs::File,
}

impl DiskLock for OsLock {}
