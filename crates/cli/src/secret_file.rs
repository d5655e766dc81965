//! Files with keys: made for their owner alone, and overwritten before they are gone.
//!
//! Overwriting reaches the place on the disk where the file lies now. A file system that writes
//! elsewhere (copy on write, a journal of data, snapshots) or a drive that does (an SSD) keeps
//! what was there before, until it needs the room; docs/encryption.md says so.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Seek as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use walrus_env::Env;

use crate::{
    failure::{Failure, Kind, Outcome},
    node_file::write_file,
};

/// Noise is written in steps of this length.
const STEP_BYTES: usize = 64 * 1024;

/// Writes a file that must not be there yet, readable by its owner only.
pub fn write_new(path: &Path, contents: &[u8]) -> Result<(), Failure> {
    let write = || -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(contents)?;
        file.sync_all()?;
        sync_parent(path)
    };
    write().map_err(|error| {
        let failure =
            Failure::message(Kind::Usage, format!("cannot write {}: {error}", path.display()));
        match error.kind() {
            ErrorKind::AlreadyExists => failure.hint("name another file: a key is never replaced"),
            _ => failure,
        }
    })
}

/// Puts new contents in the place of a file, and overwrites the old ones where they lie. A power
/// cut leaves the old file or the new one.
pub fn replace(env: &Env, path: &Path, contents: &[u8]) -> Outcome {
    let failed = |error: io::Error| {
        Failure::message(Kind::Failed, format!("cannot replace {}: {error}", path.display()))
    };
    // The file itself, not a link to it: the old contents are there.
    let path = fs::canonicalize(path).map_err(failed)?;
    // Opened before it has no name any more.
    let mut old = OpenOptions::new().write(true).open(&path).map_err(failed)?;
    write_file(&path, contents, true)?;
    overwrite(env, &mut old).map_err(failed)
}

/// Overwrites a file where it lies, removes it, and makes both durable.
///
/// # Errors
/// If it is no regular file, or the system refuses.
pub fn destroy(env: &Env, path: &Path) -> io::Result<()> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    overwrite(env, &mut OpenOptions::new().write(true).open(path)?)?;
    fs::remove_file(path)?;
    sync_parent(path)
}

/// Writes noise over all of a file.
fn overwrite(env: &Env, file: &mut File) -> io::Result<()> {
    let mut left = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    let mut noise = vec![0; STEP_BYTES.min(left)];
    file.rewind()?;
    while left > 0 {
        let step = noise.len().min(left);
        env.entropy.fill("overwrite a key", &mut noise[..step]);
        file.write_all(&noise[..step])?;
        left -= step;
    }
    file.sync_all()
}

fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_an_old_key_is_left_where_it_lay() {
        // A file that is only unlinked is there for whoever reads the disk.
        let directory = tempfile::tempdir().unwrap();
        let (path, lain) = (directory.path().join("key"), directory.path().join("where it lay"));
        let env = walrus_env::real::env();
        let old = b"AGE-SECRET-KEY".repeat(10_000);
        let is_left = || fs::read(&lain).unwrap().windows(14).any(|some| some == &old[..14]);
        // A second name shows what is left of a file that has lost its first.
        write_new(&path, &old).unwrap();
        fs::hard_link(&path, &lain).unwrap();
        // Through a link, too.
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(is_left());
        replace(&env, &link, b"new").unwrap();
        assert!(!is_left());
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());

        fs::write(&path, &old).unwrap();
        fs::remove_file(&lain).unwrap();
        fs::hard_link(&path, &lain).unwrap();
        assert!(is_left());
        assert!(destroy(&env, &link).is_err(), "only the link would be gone");
        destroy(&env, &path).unwrap();
        assert!(!is_left() && !path.exists());
        assert_eq!(fs::metadata(&lain).unwrap().len(), old.len() as u64);
    }
}
