//! The names of files: what a lookup sees and what survives a power cut.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Stands for a file's contents.
pub(super) type FileId = u64;

/// A change of names not yet known to be durable.
#[derive(Debug)]
enum Change {
    Link(PathBuf, FileId),
    Unlink(PathBuf),
    Rename(PathBuf, PathBuf),
}

impl Change {
    fn apply(&self, names: &mut BTreeMap<PathBuf, FileId>) {
        match self {
            Self::Link(path, file) => {
                names.insert(path.clone(), *file);
            }
            Self::Unlink(path) => {
                names.remove(path);
            }
            Self::Rename(from, to) => {
                // The link may itself have been lost: then there is nothing to move.
                if let Some(file) = names.remove(from) {
                    names.insert(to.clone(), file);
                }
            }
        }
    }

    fn touches(&self, directory: &Path) -> bool {
        match self {
            Self::Link(path, _) | Self::Unlink(path) => path.parent() == Some(directory),
            Self::Rename(from, to) => {
                from.parent() == Some(directory) || to.parent() == Some(directory)
            }
        }
    }
}

/// Directories and the files in them.
#[derive(Default)]
pub(super) struct Names {
    cached: BTreeMap<PathBuf, FileId>,
    durable: BTreeMap<PathBuf, FileId>,
    pending: Vec<Change>,
    /// Directories are durable once made, which is what `create_dir_all` promises.
    directories: BTreeSet<PathBuf>,
}

impl Names {
    pub(super) fn get(&self, path: &Path) -> Option<FileId> {
        self.cached.get(path).copied()
    }

    pub(super) fn durable(&self) -> &BTreeMap<PathBuf, FileId> {
        &self.durable
    }

    pub(super) fn cached(&self) -> &BTreeMap<PathBuf, FileId> {
        &self.cached
    }

    pub(super) fn link(&mut self, path: &Path, file: FileId) {
        self.change(Change::Link(path.to_owned(), file));
    }

    pub(super) fn unlink(&mut self, path: &Path) {
        self.change(Change::Unlink(path.to_owned()));
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) {
        self.change(Change::Rename(from.to_owned(), to.to_owned()));
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.cached);
        self.pending.push(change);
    }

    pub(super) fn create_dir_all(&mut self, path: &Path) {
        self.directories.extend(path.ancestors().map(Path::to_owned));
    }

    pub(super) fn is_dir(&self, path: &Path) -> bool {
        path.as_os_str().is_empty() || path == Path::new("/") || self.directories.contains(path)
    }

    /// The entries of a directory as (last part, is a directory), sorted.
    pub(super) fn list(&self, path: &Path) -> Vec<(String, bool)> {
        let last = |entry: &Path| entry.file_name()?.to_str().map(str::to_owned);
        let child = |entry: &&PathBuf| entry.parent() == Some(path);
        let files = self.cached.keys().filter(child).map(|entry| (last(entry), false));
        let directories = self.directories.iter().filter(child).map(|entry| (last(entry), true));
        let mut entries: Vec<_> =
            files.chain(directories).filter_map(|(name, is_dir)| Some((name?, is_dir))).collect();
        entries.sort();
        entries
    }

    /// Makes the changes in one directory durable, in order.
    pub(super) fn sync_dir(&mut self, directory: &Path) {
        let (synced, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.pending)
            .into_iter()
            .partition(|change| change.touches(directory));
        for change in synced {
            change.apply(&mut self.durable);
        }
        self.pending = rest;
    }

    /// Loses a random end of the pending changes; returns how many.
    pub(super) fn power_cut(&mut self, rng: &mut ChaCha8Rng) -> u64 {
        let pending = std::mem::take(&mut self.pending);
        let kept = if pending.is_empty() { 0 } else { rng.random_range(0..=pending.len()) };
        for change in &pending[..kept] {
            change.apply(&mut self.durable);
        }
        self.cached.clone_from(&self.durable);
        (pending.len() - kept) as u64
    }

    /// Makes everything durable.
    pub(super) fn keep(&mut self) {
        self.pending.clear();
        self.durable.clone_from(&self.cached);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;

    #[test]
    fn a_name_is_durable_after_sync_dir_and_only_then() {
        // Code that forgets `sync_dir` after a rename must lose the new name on some seed,
        // and code that calls it must never.
        let path = |name: &str| Path::new("/data").join(name);
        let mut lost = 0;
        for seed in 0..50 {
            let mut names = Names::default();
            names.link(&path("synced"), 1);
            names.sync_dir(Path::new("/data"));
            names.link(&path("new.tmp"), 2);
            names.rename(&path("new.tmp"), &path("new"));
            names.sync_dir(Path::new("/elsewhere"));
            names.power_cut(&mut Seed(seed).stream(&["test"]));
            assert_eq!(names.get(&path("synced")), Some(1));
            lost += u32::from(names.get(&path("new")).is_none());
        }
        assert!((1..50).contains(&lost), "lost {lost} of 50");
    }
}
