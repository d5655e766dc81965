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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::{FullDisk, env, names};

    #[test]
    fn nothing_is_put_aside_before_it_must_be_and_failures_show() {
        // Most reads need no second copy of the blob on disk: a full one must not stop them.
        let directory = tempfile::tempdir().unwrap();
        let missing = directory.path().join("missing");
        let spill = SpillFile::new(&env(), missing.clone(), 10, Stop::default());
        let error = spill.write_at(0, b"x").unwrap_err();
        assert!(error.to_string().contains(missing.to_str().unwrap()), "{error}");

        let spill = SpillFile::new(&env(), directory.path().to_owned(), 10, Stop::default());
        spill.write_at(3, b"abc").unwrap();
        let mut back = [0; 3];
        spill.read_at(3, &mut back).unwrap();
        assert_eq!(&back, b"abc");
        assert!(names(directory.path()).is_empty());

        let mut full = env();
        full.disk = Arc::new(FullDisk(full.disk.clone()));
        let spill = SpillFile::new(&full, directory.path().to_owned(), 10, Stop::default());
        assert_eq!(spill.write_at(0, b"x").unwrap_err().kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    fn a_computation_whose_future_was_dropped_ends() {
        // Encoding a large blob for nobody would keep the machine busy for a minute.
        let stop = Stop::default();
        let file = FileBytes::new(Arc::new(walrus_env::MemoryFile::default()), stop.clone());
        file.write_at(0, b"x").unwrap();
        stop.on_drop().disarm();
        file.write_at(0, b"x").unwrap();
        drop(stop.on_drop());
        assert!(file.write_at(0, b"x").is_err() && file.read_at(0, &mut [0]).is_err());
    }
}
