//! The disk of one host, without any waiting: names, contents, faults, counters.

use std::{
    collections::BTreeMap,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use walrus_env::{DirEntry, OpenMode};

use super::{
    contents::Contents,
    names::{FileId, Names},
};

/// The kinds of operation a crash can be aimed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DiskOp {
    /// A write, or a change of length.
    Write,
    /// A sync of a file or a directory.
    Sync,
    /// A creation, renaming or removal of a name.
    Rename,
}

/// What is wrong with a disk. The default is a good disk.
#[derive(Clone, Debug, Default)]
pub struct DiskFaults {
    /// File syncs report success and do nothing: the instrument's own mutation, which
    /// makes correct code behave as if it never synced.
    pub lying_sync: bool,
    /// Directory syncs report success and do nothing.
    pub lying_sync_dir: bool,
    /// A power cut loses nothing: with it, code that never syncs survives.
    pub keep_everything: bool,
    /// Chance that a file sync fails; the data then never becomes durable.
    pub failed_sync: f64,
    /// Longest total of all files in bytes.
    pub capacity: Option<u64>,
}

/// What a power cut took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Writes lost or torn.
    pub writes: u64,
    /// Changes of names lost.
    pub names: u64,
}

/// A disk that forgets what was not synced when the power goes.
pub struct DiskModel {
    names: Names,
    files: BTreeMap<FileId, Contents>,
    next_file: FileId,
    used: u64,
    locks: BTreeMap<PathBuf, u64>,
    next_lock: u64,
    counts: BTreeMap<DiskOp, u64>,
    aim: Option<(DiskOp, u64)>,
    fired: bool,
    faults: DiskFaults,
    rng: ChaCha8Rng,
}

impl DiskModel {
    pub(crate) fn new(rng: ChaCha8Rng) -> Self {
        Self {
            names: Names::default(),
            files: BTreeMap::new(),
            next_file: 0,
            used: 0,
            locks: BTreeMap::new(),
            next_lock: 0,
            counts: BTreeMap::new(),
            aim: None,
            fired: false,
            faults: DiskFaults::default(),
            rng,
        }
    }

    // ---- what scenarios and oracles use ----

    /// Sets what is wrong with the disk from now on.
    pub fn set_faults(&mut self, faults: DiskFaults) {
        self.faults = faults;
    }

    /// Cuts the power at the `count`-th operation of this kind from now on (the first is 1).
    pub fn aim(&mut self, op: DiskOp, count: u64) {
        self.aim = Some((op, self.count(op) + count));
    }

    /// Takes an aim that has not been met away.
    pub fn clear_aim(&mut self) {
        self.aim = None;
    }

    /// Operations of this kind so far, over all lives.
    pub fn count(&self, op: DiskOp) -> u64 {
        self.counts.get(&op).copied().unwrap_or(0)
    }

    /// Whether `needle` would be found in some named file if the power went now.
    pub fn holds_durably(&self, needle: &[u8]) -> bool {
        self.names.durable().values().any(|file| {
            let contents = self.files.get(file).map_or(&[][..], Contents::durable);
            find(contents, needle).is_some()
        })
    }

    /// The files and their lengths in bytes as a reader sees them.
    pub fn files(&self) -> Vec<(PathBuf, usize)> {
        let length = |file| self.files.get(file).map_or(0, |file| file.cached().len());
        self.names.cached().iter().map(|(path, file)| (path.clone(), length(file))).collect()
    }

    /// Flips a bit of every stored copy of `needle`, in the middle; returns how many.
    pub fn rot(&mut self, needle: &[u8]) -> usize {
        let mut flipped = 0;
        for contents in self.files.values_mut() {
            if let Some(position) = find(contents.cached(), needle) {
                contents.flip(position + needle.len() / 2, 1);
                flipped += 1;
            }
        }
        flipped
    }

    // ---- what the handles use ----

    pub(super) fn open(&mut self, path: &Path, mode: OpenMode) -> io::Result<FileId> {
        match (self.names.get(path), mode) {
            (Some(_), OpenMode::CreateNew) => Err(ErrorKind::AlreadyExists.into()),
            (Some(file), _) => Ok(file),
            (None, OpenMode::Read | OpenMode::Write) => Err(ErrorKind::NotFound.into()),
            (None, OpenMode::Create | OpenMode::CreateNew) => {
                self.check_parent(path)?;
                self.next_file += 1;
                self.files.insert(self.next_file, Contents::default());
                self.names.link(path, self.next_file);
                self.performed(DiskOp::Rename);
                Ok(self.next_file)
            }
        }
    }

    fn check_parent(&self, path: &Path) -> io::Result<()> {
        match path.parent() {
            Some(parent) if self.names.is_dir(parent) => Ok(()),
            _ => Err(ErrorKind::NotFound.into()),
        }
    }

    /// Counts an operation; at the one aimed at, the power goes.
    fn performed(&mut self, op: DiskOp) {
        let count = self.counts.entry(op).or_default();
        *count += 1;
        if self.aim == Some((op, *count)) {
            self.aim = None;
            self.fired = true;
        }
    }

    /// Whether the last operation was the one aimed at.
    pub(super) fn take_fired(&mut self) -> bool {
        std::mem::take(&mut self.fired)
    }

    fn contents(&mut self, file: FileId) -> io::Result<&mut Contents> {
        self.files.get_mut(&file).ok_or_else(|| io::Error::other("the handle is of another boot"))
    }

    pub(super) fn read(&mut self, file: FileId, offset: u64, into: &mut [u8]) -> io::Result<()> {
        let cached = self.contents(file)?.cached();
        let range = usize::try_from(offset)
            .ok()
            .and_then(|start| cached.get(start..start.checked_add(into.len())?));
        into.copy_from_slice(range.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    pub(super) fn len(&mut self, file: FileId) -> io::Result<u64> {
        Ok(self.contents(file)?.cached().len() as u64)
    }

    pub(super) fn write(&mut self, file: FileId, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let end = offset.checked_add(bytes.len() as u64).ok_or(ErrorKind::InvalidInput)?;
        let length = self.len(file)?;
        self.reserve(length, length.max(end))?;
        self.contents(file)?.write(offset as usize, bytes);
        self.performed(DiskOp::Write);
        Ok(())
    }

    pub(super) fn set_len(&mut self, file: FileId, length: u64) -> io::Result<()> {
        let before = self.len(file)?;
        self.reserve(before, length)?;
        self.contents(file)?.set_len(length as usize);
        self.performed(DiskOp::Write);
        Ok(())
    }

    fn reserve(&mut self, before: u64, after: u64) -> io::Result<()> {
        let used = self.used - before + after;
        if after > before && self.faults.capacity.is_some_and(|capacity| used > capacity) {
            return Err(ErrorKind::StorageFull.into());
        }
        self.used = used;
        Ok(())
    }

    /// The point up to which a sync that begins now makes things durable.
    pub(super) fn sync_begin(&mut self, file: FileId) -> io::Result<u64> {
        Ok(self.contents(file)?.mark())
    }

    pub(super) fn sync_end(&mut self, file: FileId, mark: u64) -> io::Result<()> {
        self.performed(DiskOp::Sync);
        // A crash aimed at a sync falls before or after the data reached the platter.
        if self.faults.lying_sync || (self.fired && self.rng.random_bool(0.5)) {
            return Ok(());
        }
        let fails = self.rng.random_bool(self.faults.failed_sync);
        let contents = self.contents(file)?;
        if fails {
            contents.fail_sync(mark);
            return Err(io::Error::other("the device reported an error"));
        }
        contents.sync(mark);
        Ok(())
    }

    pub(super) fn sync_dir(&mut self, path: &Path) -> io::Result<()> {
        self.check_dir(path)?;
        self.performed(DiskOp::Sync);
        if self.faults.lying_sync_dir || (self.fired && self.rng.random_bool(0.5)) {
            return Ok(());
        }
        self.names.sync_dir(path);
        Ok(())
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        if self.names.get(from).is_none() {
            return Err(ErrorKind::NotFound.into());
        }
        self.check_parent(to)?;
        self.names.rename(from, to);
        self.performed(DiskOp::Rename);
        Ok(())
    }

    pub(super) fn remove(&mut self, path: &Path) -> io::Result<()> {
        if self.names.get(path).is_none() {
            return Err(ErrorKind::NotFound.into());
        }
        self.names.unlink(path);
        self.performed(DiskOp::Rename);
        Ok(())
    }

    pub(super) fn create_dir_all(&mut self, path: &Path) {
        self.names.create_dir_all(path);
    }

    fn check_dir(&self, path: &Path) -> io::Result<()> {
        self.names.is_dir(path).then_some(()).ok_or_else(|| ErrorKind::NotFound.into())
    }

    pub(super) fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        self.check_dir(path)?;
        let entries = self.names.list(path).into_iter();
        Ok(entries.map(|(name, is_dir)| DirEntry { name, is_dir }).collect())
    }

    pub(super) fn lock(&mut self, path: &Path) -> io::Result<u64> {
        self.open(path, OpenMode::Create)?;
        if self.locks.contains_key(path) {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.next_lock += 1;
        self.locks.insert(path.to_owned(), self.next_lock);
        Ok(self.next_lock)
    }

    pub(super) fn unlock(&mut self, path: &Path, lock: u64) {
        if self.locks.get(path) == Some(&lock) {
            self.locks.remove(path);
        }
    }

    // ---- what the host uses ----

    /// Forgets what a process held: locks, and files that lost their last name.
    pub(crate) fn reopen(&mut self) {
        self.locks.clear();
        self.fired = false;
        let (cached, durable) = (self.names.cached(), self.names.durable());
        let named: std::collections::BTreeSet<FileId> =
            cached.values().chain(durable.values()).copied().collect();
        self.files.retain(|file, _| named.contains(file));
        self.used = self.files.values().map(|file| file.cached().len() as u64).sum();
    }

    pub(crate) fn power_cut(&mut self) -> Lost {
        if self.faults.keep_everything {
            self.names.keep();
            self.files.values_mut().for_each(Contents::keep);
            return Lost::default();
        }
        let mut lost = Lost::default();
        for contents in self.files.values_mut() {
            lost.writes += contents.power_cut(&mut self.rng);
        }
        lost.names = self.names.power_cut(&mut self.rng);
        lost
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(haystack, needle)
}
