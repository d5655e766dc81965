//! Encrypted copies of files that are being stored.
//!
//! Encrypting the same file again gives other bytes, another blob id and another bill. So the
//! encrypted copy is kept, in `outbox/` of the state directory, until it is stored, and then
//! a note of what it became. A store that is run again finds either and pays once. What is
//! kept is encrypted; the note has the blob's id and object, no name and no length.
//!
//! A file is recognised by its path, length and time of change, and by for whom it is
//! encrypted and how. What can be read only once, a pipe, cannot be recognised.

use std::{
    fs::{self, File},
    io::{self, BufReader, BufWriter, Read, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use walrus_encryption::{
    BlobKey, HEADER_BYTES_MAX, Keys, Opened, Recipients, Scan, fits, scan, seal,
};
use walrus_env::{BlockingFile, Env};
use walrus_sdk::{Coder, Source};

use crate::{
    commands::{decrypt::FileWriter, key::write_new_secret},
    failure::{Failure, Kind},
    node_file::write_file,
    privacy::Encryption,
};

/// A file that was encrypted, ready to be stored.
pub struct Sealed {
    /// What to store.
    pub source: Source,
    /// For [`Outbox::stored`], unless it cannot be recognised.
    pub done: Option<Done>,
}

/// What was found or made for a file.
pub enum Prepared {
    /// It is to be stored.
    Store(Sealed),
    /// An earlier run stored it.
    Stored(Note),
}

/// What an encrypted file became.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// Its blob id.
    pub blob_id: String,
    /// The object on the chain.
    pub object: u64,
    /// Of a file that a passphrase opens: its header, to see whether it is the same one.
    header: String,
}

/// The names in the outbox of one file.
#[derive(Clone, Debug)]
struct Job {
    /// Without an extension.
    stem: PathBuf,
}

impl Job {
    fn sealed(&self) -> PathBuf {
        self.stem.with_extension("age")
    }

    /// The blob's key file, until it is certain that it is where the user wants it.
    fn key(&self) -> PathBuf {
        self.stem.with_extension("key")
    }

    fn note(&self) -> PathBuf {
        self.stem.with_extension("json")
    }
}

/// Encrypts files on their way to a network.
#[derive(Clone)]
pub struct Outbox {
    /// The door to the outside.
    pub env: Env,
    /// Says where large things are put aside.
    pub coder: Coder,
    /// `outbox/` of the state directory.
    pub directory: PathBuf,
    /// For whom, and how.
    pub encryption: Arc<Encryption>,
    /// Where the blob's own key goes, if it gets one.
    pub key_file: Option<PathBuf>,
}

impl Outbox {
    /// Encrypts a file, or finds what an earlier run made of it unless it is to be made `anew`.
    pub async fn prepare(&self, path: &Path, anew: bool) -> Result<Prepared, Failure> {
        let (outbox, path) = (self.clone(), path.to_owned());
        self.env.compute(Duration::ZERO, move || outbox.file(&path, anew)).await
    }

    /// Encrypts what can be read only once, to a file without a name.
    pub async fn prepare_stream(
        &self,
        mut reader: Box<dyn Read + Send>,
        name: &str,
    ) -> Result<Prepared, Failure> {
        let failed = |error| Failure::new(Kind::Failed, error);
        let directory = self.coder.spill_directory().await.map_err(failed)?;
        let (outbox, name) = (self.clone(), name.to_owned());
        let work = move || {
            outbox.check_key_file()?;
            let file = outbox.env.disk.temporary(&directory, 0).map_err(failed)?;
            let file: Arc<dyn BlockingFile> = file.into();
            let key = outbox.seal(&mut reader, &mut FileWriter::new(file.clone()))?;
            if let (Some(key), Some(path)) = (key, &outbox.key_file) {
                write_new_secret(path, &key)?;
            }
            Ok(Prepared::Store(Sealed { source: Source::open_file(file, name), done: None }))
        };
        self.env.compute(Duration::ZERO, work).await
    }

    /// Notes what the file became; its encrypted copy is no longer needed.
    pub fn stored(&self, done: Done, blob_id: &str, object: Option<u64>) -> Result<(), Failure> {
        let Done { job, header } = done;
        if let Some(object) = object {
            let note = Note { blob_id: blob_id.to_owned(), object, header };
            let text = serde_json::to_vec_pretty(&note).map_err(anyhow::Error::from)?;
            write_file(&job.note(), &text, true)?;
        }
        for path in [job.sealed(), job.key()] {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| self.place()).map_err(Failure::from);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn file(&self, path: &Path, anew: bool) -> Result<Prepared, Failure> {
        let (job, stamp) = self.job(path)?;
        if !anew {
            if let Some(note) = self.note(&job) {
                return Ok(Prepared::Stored(note));
            }
            if self.is_kept(&job) {
                return self.ready(job);
            }
        }
        self.check_key_file()?;
        let file = File::open(path).map_err(|error| cannot_read(path, &error))?;
        // Without a name until it is whole: nothing is left of it if this process dies.
        let sealed = self.env.disk.replacement(&job.sealed(), stamp.0);
        let sealed = sealed.map_err(|error| Failure::new(Kind::Failed, error))?;
        let key = self.seal(&mut BufReader::new(file), &mut FileWriter::new(sealed.file()))?;
        if self.stamp(path)? != stamp {
            let text = format!("{} changed while it was being read", path.display());
            return Err(Failure::message(Kind::Failed, text)
                .hint("store it again when nobody writes to it, or store a copy"));
        }
        if let Some(key) = key {
            write_file(&job.key(), &key, true)?;
        }
        sealed.publish().with_context(|| self.place())?;
        self.ready(job)
    }

    fn check_key_file(&self) -> Result<(), Failure> {
        let Some(path) = self.key_file.as_deref().filter(|path| path.exists()) else {
            return Ok(());
        };
        Err(Failure::message(Kind::Usage, format!("{} exists already", path.display())).hint(
            "name another --key-file: replacing the key of another blob would lose that blob",
        ))
    }

    /// Encrypts to the recipients, or to a new key for this blob, whose key file is returned.
    fn seal(
        &self,
        content: &mut dyn Read,
        output: &mut dyn io::Write,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let Encryption { recipients, padding, .. } = self.encryption.as_ref();
        let (key, blob_recipients): (_, Option<Recipients>) = match &self.key_file {
            Some(_) => {
                let (key, blob_recipients) = BlobKey::create();
                (Some(key.seal(recipients)?), Some(blob_recipients))
            }
            None => (None, None),
        };
        let mut output = BufWriter::with_capacity(1 << 20, output);
        seal(blob_recipients.as_ref().unwrap_or(recipients), *padding, content, &mut output)?;
        output.flush().with_context(|| self.place())?;
        Ok(key)
    }

    /// Puts the key file in its place, before anything is paid for, and opens the copy.
    fn ready(&self, job: Job) -> Result<Prepared, Failure> {
        if let Some(path) = &self.key_file {
            let key = fs::read(job.key()).with_context(|| self.place())?;
            match fs::read(path) {
                Ok(there) if there == key => {}
                Ok(_) => {
                    let text = format!("{} is the key of another blob", path.display());
                    return Err(Failure::message(Kind::Usage, text).hint("name another --key-file"));
                }
                Err(_) => write_new_secret(path, &key)?,
            }
        }
        let mut start = Vec::new();
        let file = File::open(job.sealed()).with_context(|| self.place())?;
        let read = file.take(HEADER_BYTES_MAX as u64 + 64).read_to_end(&mut start);
        read.with_context(|| self.place())?;
        if let Scan::Complete(length) = scan(&start) {
            start.truncate(length);
        }
        let source = Source::file(job.sealed());
        Ok(Prepared::Store(Sealed { source, done: Some(Done { job, header: hex::encode(start) }) }))
    }

    /// What an earlier run noted, if it is for the same readers.
    fn note(&self, job: &Job) -> Option<Note> {
        let note: Note = serde_json::from_slice(&fs::read(job.note()).ok()?).ok()?;
        // Without its key it cannot be read any more.
        let has_key = self.key_file.as_deref().is_none_or(Path::exists);
        let header = hex::decode(&note.header).unwrap_or_default();
        let opens = |keys: &Keys| fits(&header, keys).is_ok();
        (has_key && self.encryption.passphrase.as_ref().is_none_or(opens)).then_some(note)
    }

    /// Whether an encrypted copy for the same readers is there.
    fn is_kept(&self, job: &Job) -> bool {
        let Ok(file) = File::open(job.sealed()) else { return false };
        let has_key = self.key_file.is_none() || job.key().exists();
        let opens = |keys: &Keys| Opened::new(file, keys).is_ok();
        has_key && self.encryption.passphrase.as_ref().is_none_or(opens)
    }

    fn job(&self, path: &Path) -> Result<(Job, Stamp), Failure> {
        fs::create_dir_all(&self.directory).with_context(|| self.place())?;
        let (whole, stamp) =
            (fs::canonicalize(path).map_err(|e| cannot_read(path, &e))?, self.stamp(path)?);
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let key_file = self.key_file.as_deref().map(absolute);
        let Encryption { recipients, padding, passphrase } = self.encryption.as_ref();
        let parts = (whole, stamp, recipients.names(), passphrase.is_some(), padding, key_file);
        let name = hex::encode(Sha256::digest(format!("{parts:?}")));
        Ok((Job { stem: self.directory.join(&name[..32]) }, stamp))
    }

    fn stamp(&self, path: &Path) -> Result<Stamp, Failure> {
        let metadata = fs::metadata(path).map_err(|error| cannot_read(path, &error))?;
        Ok((metadata.len(), metadata.mtime(), metadata.mtime_nsec()))
    }

    fn place(&self) -> String {
        format!("the encrypted copy in {} cannot be kept", self.directory.display())
    }
}

fn cannot_read(path: &Path, error: &io::Error) -> Failure {
    Failure::message(Kind::Usage, format!("cannot read {}: {error}", path.display()))
}

/// Length and time of the last change.
type Stamp = (u64, i64, i64);

/// What is needed to note that a copy was stored.
pub struct Done {
    job: Job,
    header: String,
}
