//! What happens to a database whose file is damaged.
//!
//! Everything in it can be had again: blob state from the chain, metadata from peers.
//! So the file is set aside, for whoever wants to know what happened to it, and the
//! node begins with an empty one instead of refusing to start for ever.

use std::{
    io::{self, ErrorKind},
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use walrus_env::Env;

use super::{DbError, backend::DiskTrouble};

impl DbError {
    /// Whether the file is damaged, so that opening it again will not help.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. })
    }
}

/// Names the error damage if it is: the database found something wrong in its file, and
/// the disk refused nothing. Trouble of the disk may pass and says nothing of the file.
pub(super) fn diagnose(error: DbError, trouble: &DiskTrouble) -> DbError {
    let DbError::Failed(cause) = &error else { return error };
    let damaged = match cause.as_ref() {
        redb::Error::Corrupted(_) => true,
        redb::Error::Io(error) => {
            matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof)
        }
        _ => false,
    };
    if damaged && !trouble.seen() { DbError::Damaged { what: cause.to_string() } } else { error }
}

/// Opens a database with `open`, which may panic over what it finds in the file.
pub(super) fn guarded<T>(
    trouble: &DiskTrouble,
    open: impl FnOnce() -> Result<T, DbError>,
) -> Result<T, DbError> {
    // Whatever `open` was at is dropped with it.
    match catch_unwind(AssertUnwindSafe(open)) {
        Ok(result) => result.map_err(|error| diagnose(error, trouble)),
        Err(_) => {
            let what = "opening it panicked";
            let error = redb::StorageError::from(io::Error::new(ErrorKind::InvalidData, what));
            Err(diagnose(error.into(), trouble))
        }
    }
}

/// Renames a damaged database to a name that is free, durably. A process that has it
/// open goes on with the renamed file.
///
/// # Errors
/// When the disk refuses.
pub(in crate::store) async fn set_aside(env: &Env, path: &Path, error: &DbError) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let prefix = format!("{name}.damaged-");
    let names = env.disk.list(folder).await?;
    let numbers = names.iter().filter_map(|entry| entry.name.strip_prefix(&prefix)?.parse().ok());
    let number = numbers.max().unwrap_or(0_u64) + 1;
    let aside = folder.join(format!("{prefix}{number}"));
    env.disk.rename(path, &aside).await?;
    env.disk.sync_dir(folder).await?;
    tracing::error!(
        %error,
        kept_as = %aside.display(),
        "the database is damaged and was set aside; the chain is read again from its beginning \
         and metadata is fetched from peers, slivers are kept"
    );
    Ok(())
}
