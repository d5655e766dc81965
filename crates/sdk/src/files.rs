//! Files as the erasure code wants them: read and written at any offset.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use walrus_env::{BlockingFile, Env};
use walrus_redstuff::{ReadAt, ReadWriteAt};

/// A file, until whoever works on it is told to stop.
#[derive(Clone, Debug)]
pub(crate) struct FileBytes {
    file: Arc<dyn BlockingFile>,
    stop: Stop,
}

impl FileBytes {
    pub(crate) fn new(file: Arc<dyn BlockingFile>, stop: Stop) -> Self {
        Self { file, stop }
    }
}

impl ReadAt for FileBytes {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.stop.check()?;
        self.file.read_at(offset, buffer)
    }
}

impl ReadWriteAt for FileBytes {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.stop.check()?;
        self.file.write_at(offset, bytes)
    }
}

/// An unnamed file that is made when it is first written to: decoding mostly needs none.
#[derive(Debug)]
pub(crate) struct SpillFile {
    env: Env,
    directory: PathBuf,
    bytes: u64,
    stop: Stop,
    file: Mutex<Option<Arc<dyn BlockingFile>>>,
}

impl SpillFile {
    /// A file of at most `bytes` bytes in `directory`.
    pub(crate) fn new(env: &Env, directory: PathBuf, bytes: u64, stop: Stop) -> Self {
        Self { env: env.clone(), directory, bytes, stop, file: Mutex::new(None) }
    }

    fn file(&self) -> io::Result<Arc<dyn BlockingFile>> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &*file {
            return Ok(file.clone());
        }
        let made = self.env.disk.temporary(&self.directory, self.bytes);
        let made: Arc<dyn BlockingFile> = made.map_err(io::Error::other)?.into();
        *file = Some(made.clone());
        Ok(made)
    }
}

impl ReadAt for SpillFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.stop.check()?;
        self.file()?.read_at(offset, buffer)
    }
}

impl ReadWriteAt for SpillFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.stop.check()?;
        self.file()?.write_at(offset, bytes)
    }
}

/// Tells a computation that its result is no longer wanted: it notices when it next
/// touches a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    fn check(&self) -> io::Result<()> {
        match self.0.load(Ordering::Relaxed) {
            true => Err(io::Error::other("the operation was given up")),
            false => Ok(()),
        }
    }

    /// Stops when dropped, unless it is disarmed before.
    pub(crate) fn on_drop(&self) -> StopOnDrop {
        StopOnDrop(Some(self.clone()))
    }
}

/// Held by the future that waits for a computation.
#[derive(Debug)]
pub(crate) struct StopOnDrop(Option<Stop>);

impl StopOnDrop {
    /// The computation's result was taken.
    pub(crate) fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        if let Some(stop) = &self.0 {
            stop.0.store(true, Ordering::Relaxed);
        }
    }
}
