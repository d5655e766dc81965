//! Tokens that were used, remembered until they expire, also through a restart.
//!
//! ```text
//! DIR/used-tokens: for each token: sha256 of its jti 32 | exp i64 LE | crc32c of these u32 LE
//! ```
//!
//! A token is in the file before what it opens begins. Only the last entry can be cut, by a
//! crash while it was written: what it would have opened did not begin either.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use walrus_env::{BlockingFile, Disk, Env};

use crate::error::{Error, Reason};

/// Used tokens that are remembered until they expire.
pub(crate) const USED: usize = 10_000;
/// Bytes of one in the file.
const RECORD: usize = 44;
/// Entries below which the file is never rewritten.
const FEW: u64 = 1024;
/// Entries that a file of ours can have, with some to spare.
const MOST: u64 = 4 * USED as u64;

type Name = [u8; 32];

/// The tokens that were used.
pub(crate) struct UsedTokens {
    env: Env,
    book: Arc<Mutex<Book>>,
}

struct Book {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    file: Box<dyn BlockingFile>,
    /// Entries in the file, also of those that expired.
    entries: u64,
    /// When those expire that are remembered.
    used: BTreeMap<Name, i64>,
}

fn record(name: &Name, exp: i64) -> [u8; RECORD] {
    let mut bytes = [0; RECORD];
    bytes[..32].copy_from_slice(name);
    bytes[32..40].copy_from_slice(&exp.to_le_bytes());
    let check = crc32c::crc32c(&bytes[..40]);
    bytes[40..].copy_from_slice(&check.to_le_bytes());
    bytes
}

fn parse(bytes: &[u8]) -> Option<(Name, i64)> {
    let name = bytes.get(..32)?.try_into().ok()?;
    let exp = i64::from_le_bytes(bytes.get(32..40)?.try_into().ok()?);
    (bytes == record(&name, exp)).then_some((name, exp))
}

impl UsedTokens {
    /// Opens the file in a directory that exists, or makes it.
    pub(crate) async fn open(env: &Env, directory: &Path) -> io::Result<Self> {
        let (disk, path) = (env.disk.clone(), directory.join("used-tokens"));
        let book = env.compute(Duration::ZERO, move || Book::open(disk, path)).await?;
        env.disk.sync_dir(directory).await?;
        Ok(Self { env: env.clone(), book: Arc::new(Mutex::new(book)) })
    }

    /// Uses up a token that expires at `exp`; forgets those that expired before `now`. When
    /// this returns it is durable.
    pub(crate) async fn use_up(&self, jti: &str, exp: i64, now: i64) -> Result<(), Error> {
        let (book, name) = (self.book.clone(), Sha256::digest(jti).into());
        // Runs to its end even if nobody waits for it any more.
        let work = move || {
            let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
            book.use_up(name, exp, now)
        };
        self.env.compute(Duration::ZERO, work).await
    }
}

impl Book {
    fn open(disk: Arc<dyn Disk>, path: PathBuf) -> io::Result<Self> {
        let file = disk.open_blocking(&path)?;
        let damaged = || io::Error::new(io::ErrorKind::InvalidData, "used-tokens is damaged");
        let length = file.len()?;
        if length > MOST * RECORD as u64 {
            return Err(damaged());
        }
        let mut bytes = vec![0; length as usize];
        file.read_at(0, &mut bytes)?;
        let mut book = Self { disk, path, file, entries: 0, used: BTreeMap::new() };
        let mut records = bytes.chunks(RECORD).peekable();
        while let Some(bytes) = records.next() {
            match parse(bytes) {
                Some((name, exp)) => book.used.insert(name, exp),
                // Written over by the next.
                None if records.peek().is_none() => break,
                // To forget a token is to let it open twice.
                None => return Err(damaged()),
            };
            book.entries += 1;
        }
        book.file.set_len(book.entries * RECORD as u64)?;
        Ok(book)
    }

    fn use_up(&mut self, name: Name, exp: i64, now: i64) -> Result<(), Error> {
        self.used.retain(|_, exp| *exp > now);
        if self.used.contains_key(&name) {
            return Err(Error::new(Reason::TokenAlreadyUsed, "the token was used before"));
        }
        if self.used.len() >= USED {
            return Err(Error::overloaded("too many tokens are in use"));
        }
        let written = self.write(&name, exp);
        written.map_err(|error| {
            tracing::error!(%error, "a used token cannot be written down");
            Error::overloaded("there is no room on this gateway now")
        })?;
        self.used.insert(name, exp);
        Ok(())
    }

    fn write(&mut self, name: &Name, exp: i64) -> io::Result<()> {
        if self.entries >= FEW && self.entries >= 2 * self.used.len() as u64 {
            self.rewrite()?;
        }
        self.file.write_at(self.entries * RECORD as u64, &record(name, exp))?;
        self.file.sync()?;
        self.entries += 1;
        Ok(())
    }

    /// Leaves out what expired.
    fn rewrite(&mut self) -> io::Result<()> {
        let bytes: Vec<u8> = self.used.iter().flat_map(|(name, exp)| record(name, *exp)).collect();
        let replacement =
            self.disk.replacement(&self.path, bytes.len() as u64).map_err(io::Error::other)?;
        replacement.file().write_at(0, &bytes)?;
        replacement.publish()?;
        self.file = self.disk.open_blocking(&self.path)?;
        self.entries = self.used.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods)]
mod tests {
    use walrus_env::real;

    use super::*;

    const NOW: i64 = 1000;

    async fn open(directory: &tempfile::TempDir) -> UsedTokens {
        UsedTokens::open(&real::env(), directory.path()).await.unwrap()
    }

    async fn use_up(used: &UsedTokens, jti: &str, exp: i64, now: i64) -> Result<(), Reason> {
        used.use_up(jti, exp, now).await.map_err(|error| error.reason)
    }

    #[tokio::test]
    async fn a_token_opens_once_also_after_a_restart_or_a_crash() {
        // Whoever makes the gateway restart could spend each token again.
        let directory = tempfile::tempdir().unwrap();
        for round in 0..3 {
            let used = open(&directory).await;
            use_up(&used, &format!("{round}"), NOW + 50, NOW).await.unwrap();
            for before in 0..=round {
                let again = use_up(&used, &format!("{before}"), NOW + 50, NOW).await;
                assert_eq!(again, Err(Reason::TokenAlreadyUsed), "{before} in {round}");
            }
        }
        let path = directory.path().join("used-tokens");
        let whole = std::fs::read(&path).unwrap();
        for cut in 1..RECORD {
            std::fs::write(&path, &whole[..whole.len() - cut]).unwrap();
            let used = open(&directory).await;
            assert_eq!(use_up(&used, "1", NOW + 50, NOW).await, Err(Reason::TokenAlreadyUsed));
            use_up(&used, "2", NOW + 50, NOW).await.unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), whole);
        }
        let mut damaged = whole;
        damaged[RECORD] ^= 1;
        std::fs::write(&path, damaged).unwrap();
        assert!(UsedTokens::open(&real::env(), directory.path()).await.is_err());
    }

    #[tokio::test]
    async fn remembered_tokens_are_bounded_in_memory_and_on_disk() {
        // Tokens that live for years would otherwise pile up.
        let directory = tempfile::tempdir().unwrap();
        let name = |number: u64| Name::from(Sha256::digest(number.to_le_bytes()));
        let bytes: Vec<u8> =
            (0..USED as u64).flat_map(|number| record(&name(number), NOW + 50)).collect();
        let path = directory.path().join("used-tokens");
        std::fs::write(&path, bytes).unwrap();
        let used = open(&directory).await;
        assert_eq!(use_up(&used, "one", NOW + 90, NOW).await, Err(Reason::Overloaded));
        assert!(use_up(&used, "one", NOW + 90, NOW + 50).await.is_ok(), "they expired");
        assert_eq!(std::fs::metadata(&path).unwrap().len(), RECORD as u64, "all others left");
        let used = open(&directory).await;
        assert_eq!(use_up(&used, "one", NOW + 90, NOW).await, Err(Reason::TokenAlreadyUsed));
        std::fs::write(&path, vec![0; (MOST as usize + 1) * RECORD]).unwrap();
        assert!(UsedTokens::open(&real::env(), directory.path()).await.is_err());
    }
}
