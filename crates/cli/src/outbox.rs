//! Encrypted copies of files that are being stored.
//!
//! Encrypting the same file again gives other bytes, another blob id and another bill. So the
//! encrypted copy is kept, in `outbox/` of the state directory, until it is stored, and then
//! a note of what it became. A store that is run again finds either and pays once. What is
//! kept is encrypted; the note has the blob's id and object, no name and no length.
//!
//! A file is recognised by its path, length and time of change, and by for whom it is
//! encrypted and how. What can be read only once, a pipe, cannot be recognised.
//!
//! Whoever stores a file has it to themselves from before it is encrypted until it is noted what
//! became of it: two at once would encrypt it twice, and one might pay for a copy to which the
//! other's key belongs. For the same reason a key is kept together with what it is the key of.

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
use walrus_encryption::{BlobKey, HEADER_BYTES_MAX, Keys, Opened, Scan, fits, scan, seal};
use walrus_env::{BlockingFile, DiskLock, Env};
use walrus_sdk::{Coder, Content, Source};

use crate::{
    commands::decrypt::{BlobReader, FileWriter},
    failure::{Failure, Kind},
    node_file::write_file,
    privacy::{self, Encryption},
    secret_file,
};

/// A file that was encrypted and can be recognised, ready to be stored.
pub struct Sealed {
    /// What to store.
    pub source: Source,
    /// For [`Outbox::stored`].
    pub done: Done,
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

/// Somebody else is storing the same file for the same readers.
#[derive(Debug, thiserror::Error)]
#[error("{} is being stored by another command", path.display())]
pub struct Busy {
    path: PathBuf,
}

/// A file that nobody else stores meanwhile.
pub struct Claim {
    job: Job,
    _lock: Box<dyn DiskLock>,
}

/// A file on its way, and the names that it has in the outbox.
#[derive(Clone, Debug)]
struct Job {
    path: PathBuf,
    stamp: Stamp,
    /// Without an extension.
    stem: PathBuf,
}

/// The key file of a blob, until it is certain that it is where the user wants it.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct KeptKey {
    /// The header of the copy that it opens, hashed, in hexadecimal.
    header: String,
    /// What belongs into the key file, in hexadecimal: who may read it can open it.
    key_file: String,
}

impl Job {
    fn sealed(&self) -> PathBuf {
        self.stem.with_extension("age")
    }

    /// See [`KeptKey`].
    fn key(&self) -> PathBuf {
        self.stem.with_extension("key")
    }

    fn note(&self) -> PathBuf {
        self.stem.with_extension("json")
    }

    fn lock(&self) -> PathBuf {
        self.stem.with_extension("lock")
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
    /// Takes a file for as long as it is being stored.
    pub async fn claim(&self, path: &Path) -> Result<Claim, Failure> {
        let (outbox, path) = (self.clone(), path.to_owned());
        let job = self.env.compute(Duration::ZERO, move || outbox.job(&path)).await?;
        match self.env.disk.lock(&job.lock()).await {
            Ok(lock) => Ok(Claim { job, _lock: lock }),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Err(Failure::new(Kind::Failed, Busy { path: job.path })
                    .hint("wait until it is done, then run this again: it finds what was stored"))
            }
            Err(error) => Err(error).with_context(|| self.place()).map_err(Failure::from),
        }
    }

    /// Encrypts a file, or finds what an earlier run made of it unless it is to be made `anew`.
    pub async fn prepare(&self, claim: &Claim, anew: bool) -> Result<Prepared, Failure> {
        let (outbox, job) = (self.clone(), claim.job.clone());
        self.env.compute(Duration::ZERO, move || outbox.file(job, anew)).await
    }

    /// Encrypts what can be read only once, to a file without a name.
    pub async fn prepare_stream(
        &self,
        mut reader: Box<dyn Read + Send>,
        name: &str,
    ) -> Result<Source, Failure> {
        let failed = |error| Failure::new(Kind::Failed, error);
        let directory = self.coder.spill_directory().await.map_err(failed)?;
        let (outbox, name) = (self.clone(), name.to_owned());
        let work = move || {
            outbox.check_key_file()?;
            let file = outbox.env.disk.temporary(&directory, 0).map_err(failed)?;
            let file: Arc<dyn BlockingFile> = file.into();
            let key = outbox.seal(&mut reader, &file)?;
            if let (Some(key), Some(path)) = (key, &outbox.key_file) {
                secret_file::write_new(path, &key)?;
            }
            Ok(Source::open_file(file, name))
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
        self.gone(fs::remove_file(job.sealed()))?;
        self.forget_key(&job)
    }

    /// Destroys the copy of the blob's key, if there is one: it would outlive `walrus key destroy`.
    fn forget_key(&self, job: &Job) -> Result<(), Failure> {
        self.gone(secret_file::destroy(&self.env, &job.key()))
    }

    /// It does not matter if something that is to be gone is not there.
    fn gone(&self, removed: io::Result<()>) -> Result<(), Failure> {
        match removed {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.with_context(|| self.place()).map_err(Failure::from),
        }
    }

    fn file(&self, job: Job, anew: bool) -> Result<Prepared, Failure> {
        let (path, stamp) = (job.path.as_path(), job.stamp);
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
        let key = self.seal(&mut BufReader::new(file), &sealed.file())?;
        if self.stamp(path)? != stamp {
            let text = format!("{} changed while it was being read", path.display());
            return Err(Failure::message(Kind::Failed, text)
                .hint("store it again when nobody writes to it, or store a copy"));
        }
        if let Some(key) = key {
            let header = header(BlobReader::new(Content::File(sealed.file())));
            let header = header.with_context(|| self.place())?;
            let kept = KeptKey { header: digest(&header), key_file: hex::encode(key) };
            let text = serde_json::to_vec_pretty(&kept).map_err(anyhow::Error::from)?;
            self.forget_key(&job)?;
            write_file(&job.key(), &text, true)?;
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

    /// Encrypts to the recipients, or to a new key for this blob, whose key file is returned. That
    /// it opens what was written is tried: nobody would know before they need it.
    fn seal(
        &self,
        content: &mut dyn Read,
        file: &Arc<dyn BlockingFile>,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let Encryption { recipients, padding, .. } = self.encryption.as_ref();
        let (key, blob_recipients) = self.key_file.as_ref().map(|_| BlobKey::create()).unzip();
        let mut output = BufWriter::with_capacity(1 << 20, FileWriter::new(file.clone()));
        seal(blob_recipients.as_ref().unwrap_or(recipients), *padding, content, &mut output)?;
        output.flush().with_context(|| self.place())?;
        let Some(key) = key else { return Ok(None) };
        let copy = BlobReader::new(Content::File(file.clone())).with_context(|| self.place())?;
        Opened::new(copy, &key.keys("the blob's key")?)
            .map_err(|error| privacy::open_failure("the copy that was just made", error))?;
        Ok(Some(key.seal(recipients)?))
    }

    /// Puts the key file in its place, before anything is paid for, and opens the copy.
    fn ready(&self, job: Job) -> Result<Prepared, Failure> {
        if let Some(path) = &self.key_file {
            let key = self.kept_key(&job).ok_or_else(|| {
                Failure::message(Kind::Failed, self.place()).hint("run the same command again")
            })?;
            match fs::read(path) {
                Ok(there) if there == key => {}
                Ok(_) => {
                    let text = format!("{} is the key of another blob", path.display());
                    return Err(Failure::message(Kind::Usage, text).hint("name another --key-file"));
                }
                Err(_) => secret_file::write_new(path, &key)?,
            }
        }
        let header = header(File::open(job.sealed())).with_context(|| self.place())?;
        let source = Source::file(job.sealed());
        let done = Done { job, header: hex::encode(header) };
        Ok(Prepared::Store(Sealed { source, done }))
    }

    /// The key file of the encrypted copy, if it is that of this copy.
    fn kept_key(&self, job: &Job) -> Option<Vec<u8>> {
        let kept: KeptKey = serde_json::from_slice(&fs::read(job.key()).ok()?).ok()?;
        let header = header(File::open(job.sealed())).ok()?;
        let key_file = hex::decode(&kept.key_file).ok()?;
        (kept.header == digest(&header)).then_some(key_file)
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
        let has_key = self.key_file.is_none() || self.kept_key(job).is_some();
        let opens = |keys: &Keys| Opened::new(file, keys).is_ok();
        has_key && self.encryption.passphrase.as_ref().is_none_or(opens)
    }

    fn job(&self, path: &Path) -> Result<Job, Failure> {
        fs::create_dir_all(&self.directory).with_context(|| self.place())?;
        let (whole, stamp) =
            (fs::canonicalize(path).map_err(|e| cannot_read(path, &e))?, self.stamp(path)?);
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let key_file = self.key_file.as_deref().map(absolute);
        let Encryption { recipients, padding, passphrase } = self.encryption.as_ref();
        let parts = (whole, stamp, recipients.names(), passphrase.is_some(), padding, key_file);
        let name = hex::encode(Sha256::digest(format!("{parts:?}")));
        let stem = self.directory.join(&name[..32]);
        Ok(Job { path: path.to_owned(), stamp, stem })
    }

    fn stamp(&self, path: &Path) -> Result<Stamp, Failure> {
        let metadata = fs::metadata(path).map_err(|error| cannot_read(path, &error))?;
        Ok((metadata.len(), metadata.mtime(), metadata.mtime_nsec()))
    }

    fn place(&self) -> String {
        format!("the encrypted copy in {} cannot be kept", self.directory.display())
    }
}

/// The header of an encrypted copy.
fn header(copy: io::Result<impl Read>) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    copy?.take(HEADER_BYTES_MAX as u64 + 64).read_to_end(&mut start)?;
    if let Scan::Complete(length) = scan(&start) {
        start.truncate(length);
    }
    Ok(start)
}

fn digest(header: &[u8]) -> String {
    hex::encode(Sha256::digest(header))
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

#[cfg(test)]
mod tests {
    use walrus_encryption::{Padding, Recipients, generate};
    use walrus_sdk::CodingConfig;

    use super::*;

    /// An outbox for a reader, and what opens the reader's key files.
    fn outbox(directory: &Path) -> (Outbox, Keys) {
        let (env, key) = (walrus_env::real::env(), generate());
        let mut recipients = Recipients::default();
        recipients.add(&key.recipient).unwrap();
        let mut keys = Keys::default();
        keys.add_identities(key.identity_file().as_bytes(), "key", &|_| None).unwrap();
        let outbox = Outbox {
            coder: Coder::new(&env, CodingConfig::default()),
            env,
            directory: directory.join("outbox"),
            encryption: Arc::new(Encryption {
                recipients,
                passphrase: None,
                padding: Padding::None,
            }),
            key_file: Some(directory.join("blob.key")),
        };
        fs::write(directory.join("file"), b"content").unwrap();
        (outbox, keys)
    }

    fn opens(key_file: &Path, copy: &Path, keys: &Keys) -> bool {
        let key = BlobKey::open(&fs::read(key_file).unwrap(), keys).unwrap();
        Opened::new(File::open(copy).unwrap(), &key.keys("key").unwrap()).is_ok()
    }

    #[tokio::test]
    async fn a_file_is_stored_by_one_at_a_time() {
        // The second would pay for a copy to which the first one's key belongs: unreadable for ever.
        let directory = tempfile::tempdir().unwrap();
        let (outbox, keys) = outbox(directory.path());
        let (file, other) = (directory.path().join("file"), directory.path().join("./file"));
        let claim = outbox.claim(&file).await.unwrap();
        let Err(failure) = outbox.claim(&other).await else { panic!("two have it") };
        assert!(failure.cause.is::<Busy>() && failure.hint.is_some(), "{failure:?}");
        let Prepared::Store(sealed) = outbox.prepare(&claim, false).await.unwrap() else {
            panic!()
        };
        let done = sealed.done;
        assert!(opens(&directory.path().join("blob.key"), &done.job.sealed(), &keys));
        // A second name shows what is left of a file that is gone.
        let lain = directory.path().join("where it lay");
        fs::hard_link(done.job.key(), &lain).unwrap();
        assert!(serde_json::from_slice::<KeptKey>(&fs::read(&lain).unwrap()).is_ok());
        outbox.stored(done, "id", Some(1)).unwrap();
        assert!(!claim.job.key().exists());
        let left = fs::read(&lain).unwrap();
        assert!(!left.windows(8).any(|some| some == b"key_file"), "the key is still on the disk");
        assert!(outbox.claim(&other).await.is_err(), "given up before it was stored");
        drop(claim);
        let claim = outbox.claim(&other).await.unwrap();
        assert!(matches!(outbox.prepare(&claim, false).await, Ok(Prepared::Stored(_))));
    }

    #[tokio::test]
    async fn a_copy_whose_key_is_another_one_is_not_stored() {
        // A crash between writing the key and the copy leaves the key of one beside the other.
        let directory = tempfile::tempdir().unwrap();
        let (outbox, keys) = outbox(directory.path());
        let claim = outbox.claim(&directory.path().join("file")).await.unwrap();
        let (copy, key_file) = (claim.job.sealed(), directory.path().join("blob.key"));
        outbox.prepare(&claim, false).await.unwrap();
        let first = fs::read(&copy).unwrap();
        fs::remove_file(&key_file).unwrap();
        outbox.prepare(&claim, true).await.unwrap();
        fs::write(&copy, &first).unwrap();
        assert!(!opens(&key_file, &copy, &keys), "they belong together: nothing is tested");
        fs::remove_file(&key_file).unwrap();
        outbox.prepare(&claim, false).await.unwrap();
        assert!(opens(&key_file, &copy, &keys));
        // What belongs together is taken up again.
        let made = fs::read(&copy).unwrap();
        outbox.prepare(&claim, false).await.unwrap();
        assert!(fs::read(&copy).unwrap() == made);
    }
}
