//! Files that are put aside, and files that take another's place.
//!
//! Both are made without a name where the file system can do that, so that nothing is left
//! of them if the process dies, whatever it dies of.

use std::{
    fs,
    io::{self, ErrorKind},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::disk::OsBlockingFile;
use crate::{BlockingFile, Replacement, RoomError};

/// Readable and writable, as far as the user's mask allows.
const MODE: u32 = 0o666;
/// Readable and writable by its owner only.
const PRIVATE: u32 = 0o600;

/// A file without a name.
pub(super) fn unnamed(directory: &Path, bytes: u64) -> Result<fs::File, RoomError> {
    check_room(directory, bytes)?;
    let unusable = |source| RoomError::Unusable { place: directory.to_owned(), source };
    tempfile::tempfile_in(directory).map_err(unusable)
}

/// Refuses a file of so many bytes in a directory whose disk is too full.
fn check_room(directory: &Path, needed: u64) -> Result<(), RoomError> {
    let stat = rustix::fs::statvfs(directory).map_err(|error| RoomError::Unusable {
        place: directory.to_owned(),
        source: error.into(),
    })?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    if needed > free {
        return Err(RoomError::NoRoom { directory: directory.to_owned(), needed, free });
    }
    Ok(())
}

/// A file on its way to a name.
pub(super) struct OsReplacement {
    file: Arc<OsBlockingFile>,
    /// The name that it has until then, if any.
    beside: Option<PathBuf>,
    target: PathBuf,
    /// Whether there was nothing in its place.
    is_new: bool,
}

impl OsReplacement {
    pub(super) fn begin(path: &Path, bytes: u64) -> Result<Self, RoomError> {
        let unusable = |source| RoomError::Unusable { place: path.to_owned(), source };
        let target = target(path).map_err(unusable)?;
        check_room(parent(&target), bytes)?;
        let replaced = fs::metadata(&target).ok();
        // Nobody may read the new file who may not read the one that it replaces, not even for
        // a moment.
        let mode = if replaced.is_some() { PRIVATE } else { MODE };
        let (file, beside) = match without_name(parent(&target), mode) {
            Ok(file) => (file, None),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                return Err(unusable(error));
            }
            // Not every file system knows files without names.
            Err(_) => {
                let beside = beside(&target).map_err(unusable)?;
                let mut options = fs::OpenOptions::new();
                options.read(true).write(true).create_new(true).mode(mode);
                (options.open(&beside).map_err(unusable)?, Some(beside))
            }
        };
        let is_new = replaced.is_none();
        let made = Self { file: Arc::new(OsBlockingFile(file)), beside, target, is_new };
        if let Some(replaced) = replaced {
            made.take_over(&replaced).map_err(unusable)?;
        }
        Ok(made)
    }

    /// Gives the file the owners and the permissions of the one that it replaces.
    fn take_over(&self, replaced: &fs::Metadata) -> io::Result<()> {
        let file = &self.file.0;
        let (own, mut mode) = (file.metadata()?, replaced.mode() & 0o777);
        let is_owned_alike = own.uid() == replaced.uid() && own.gid() == replaced.gid();
        // What another group was allowed, this user's must not be.
        if !is_owned_alike && fchown(file, Some(replaced.uid()), Some(replaced.gid())).is_err() {
            mode &= !0o070;
        }
        file.set_permissions(fs::Permissions::from_mode(mode))
    }

    /// Gives the file its name beside the target, unless it has one.
    fn named(&mut self) -> io::Result<PathBuf> {
        if let Some(beside) = &self.beside {
            return Ok(beside.clone());
        }
        let beside = beside(&self.target)?;
        link(&self.file.0, &beside)?;
        self.beside = Some(beside.clone());
        Ok(beside)
    }
}

impl Replacement for OsReplacement {
    fn file(&self) -> Arc<dyn BlockingFile> {
        self.file.clone()
    }

    fn keep_private(&self) -> io::Result<()> {
        if !self.is_new {
            return Ok(());
        }
        self.file.0.set_permissions(fs::Permissions::from_mode(PRIVATE))
    }

    fn publish(mut self: Box<Self>) -> io::Result<()> {
        self.file.0.sync_all()?;
        let beside = self.named()?;
        fs::rename(beside, &self.target)?;
        self.beside = None;
        fs::File::open(parent(&self.target))?.sync_all()
    }
}

impl Drop for OsReplacement {
    fn drop(&mut self) {
        if let Some(beside) = &self.beside {
            let _ = fs::remove_file(beside);
        }
    }
}

/// The file that a path stands for: behind a symbolic link, the one it points to.
fn target(path: &Path) -> io::Result<PathBuf> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => fs::canonicalize(path),
        // A device or a directory in whose place a file appeared would be missed.
        Ok(_) => Err(io::Error::new(ErrorKind::InvalidInput, "it is not a regular file")),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(path.to_owned()),
        Err(error) => Err(error),
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A name in the target's directory that nobody else uses.
fn beside(target: &Path) -> io::Result<PathBuf> {
    let name = target.file_name().ok_or(ErrorKind::InvalidInput)?.to_string_lossy();
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(target.with_file_name(format!(".{name}.{:016x}.part", u64::from_le_bytes(random))))
}

#[cfg(target_os = "linux")]
fn without_name(directory: &Path, mode: u32) -> io::Result<fs::File> {
    let flags = rustix::fs::OFlags::TMPFILE.bits() as i32;
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).custom_flags(flags).mode(mode).open(directory)
}

#[cfg(not(target_os = "linux"))]
fn without_name(_: &Path, _: u32) -> io::Result<fs::File> {
    Err(ErrorKind::Unsupported.into())
}

/// Gives a file without a name one.
fn link(file: &fs::File, name: &Path) -> io::Result<()> {
    use std::os::fd::AsRawFd;

    let open = format!("/proc/self/fd/{}", file.as_raw_fd());
    let follow = rustix::fs::AtFlags::SYMLINK_FOLLOW;
    Ok(rustix::fs::linkat(rustix::fs::CWD, open, rustix::fs::CWD, name, follow)?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_replacement_appears_whole_or_not_at_all() {
        // Half a file under the name of a whole one is taken for the whole one.
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out");
        let write = |bytes: &[u8]| {
            let replacement = OsReplacement::begin(&path, 3).unwrap();
            replacement.file().write_at(0, bytes).unwrap();
            replacement
        };
        drop(write(b"one"));
        assert!(names(directory.path()).is_empty());
        Box::new(write(b"two")).publish().unwrap();
        assert_eq!(names(directory.path()), ["out"]);
        // What is there stays until the new one is complete.
        let third = write(b"three");
        assert_eq!(fs::read(&path).unwrap(), b"two");
        // A reader who asked through a link finds the new one behind it.
        let linked = directory.path().join("link");
        std::os::unix::fs::symlink(&path, &linked).unwrap();
        let fourth = OsReplacement::begin(&linked, 1).unwrap();
        fourth.file().write_at(0, b"four").unwrap();
        Box::new(fourth).publish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"four");
        assert!(fs::symlink_metadata(&linked).unwrap().is_symlink());
        drop(third);
        assert_eq!(names(directory.path()).len(), 2);
    }

    #[test]
    fn a_replacement_is_read_by_no_more_people() {
        // A diary that only its owner could read would be open to everybody after it is read again.
        let directory = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        for before in [0o600, 0o640, 0o666] {
            let path = directory.path().join(format!("{before}"));
            fs::write(&path, b"old").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(before)).unwrap();
            let replacement = OsReplacement::begin(&path, 1).unwrap();
            assert_eq!(replacement.file.0.metadata().unwrap().mode() & 0o777, before);
            replacement.keep_private().unwrap();
            Box::new(replacement).publish().unwrap();
            assert_eq!(mode(&path), before);
        }
        let (public, private) = (directory.path().join("new"), directory.path().join("private"));
        Box::new(OsReplacement::begin(&public, 1).unwrap()).publish().unwrap();
        let made = directory.path().join("made");
        fs::write(&made, b"as usual").unwrap();
        assert_eq!(mode(&public), mode(&made));
        let replacement = OsReplacement::begin(&private, 1).unwrap();
        replacement.keep_private().unwrap();
        Box::new(replacement).publish().unwrap();
        assert_eq!(mode(&private), 0o600);
    }

    #[test]
    fn a_replacement_with_a_name_goes_away_too() {
        // File systems without unnamed files are common on network drives.
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("out");
        let with_name = || {
            let beside = beside(&target).unwrap();
            let file = Arc::new(OsBlockingFile(fs::File::create_new(&beside).unwrap()));
            let (beside, target) = (Some(beside), target.clone());
            Box::new(OsReplacement { file, beside, target, is_new: true })
        };
        drop(with_name());
        assert!(names(directory.path()).is_empty());
        with_name().publish().unwrap();
        assert_eq!(names(directory.path()), ["out"]);
    }

    #[test]
    fn what_there_is_no_room_for_is_refused_by_name_and_numbers() {
        // Finding out after an hour, or by "No space left on device", helps nobody.
        let directory = tempfile::tempdir().unwrap();
        let error = unnamed(directory.path(), u64::MAX).unwrap_err();
        let RoomError::NoRoom { needed: u64::MAX, free, .. } = &error else { panic!("{error}") };
        let text = error.to_string();
        assert!(text.contains(&free.to_string()), "{text}");
        assert!(text.contains(directory.path().to_str().unwrap()), "{text}");
        let missing = directory.path().join("missing");
        assert!(matches!(unnamed(&missing, 1), Err(RoomError::Unusable { .. })));
        let missing = OsReplacement::begin(&missing.join("out"), 1);
        assert!(matches!(missing, Err(RoomError::Unusable { .. })));
        // Replacing a device by a file would be a disaster for its other users.
        let device = OsReplacement::begin(Path::new("/dev/null"), 1);
        assert!(matches!(device, Err(RoomError::Unusable { .. })));
        unnamed(directory.path(), 1).unwrap();
        assert!(names(directory.path()).is_empty());
    }
}
