//! What references name as websites, remembered for moments: a page of fifty files must
//! not be fifty questions to the chain.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;
use walrus_env::Env;
use walrus_redstuff::{BlobId, ConsistencyCheck};
use walrus_sdk::Client;
use walrus_sdk::site::{MANIFEST_BYTES_MAX, Manifest};

use super::content::Library;
use super::names::chain_failure;
use crate::error::{Error, Reason};

/// Websites remembered.
const SITES: usize = 1024;
/// Bytes of their manifests in memory, about.
const BYTES: u64 = 64 << 20;
/// Bytes that a file of a manifest takes besides its text.
const FILE_BYTES: u64 = 256;
/// Manifests read at once.
const LOADS: usize = 4;

/// The list of a website's files, or why there is none.
type Found = Result<Arc<Manifest>, Error>;

/// The websites that were asked for lately.
pub(crate) struct Manifests {
    env: Env,
    client: Client,
    library: Arc<Library>,
    /// How old what is known of a reference may be.
    age: Duration,
    kept: Mutex<Kept>,
    /// One question about each website at a time.
    turns: Mutex<BTreeMap<u64, Weak<tokio::sync::Mutex<()>>>>,
    loads: Semaphore,
}

#[derive(Default)]
struct Kept {
    sites: BTreeMap<u64, Site>,
    bytes: u64,
    /// Counts uses, so that the least recently used is known.
    clock: u64,
}

struct Site {
    manifest: BlobId,
    found: Found,
    bytes: u64,
    asked: Instant,
    used: u64,
}

impl Kept {
    fn touch(&mut self, number: u64) -> Option<&mut Site> {
        self.clock += 1;
        let site = self.sites.get_mut(&number)?;
        site.used = self.clock;
        Some(site)
    }

    fn insert(&mut self, number: u64, site: Site) {
        self.remove(number);
        while self.sites.len() >= SITES || self.bytes + site.bytes > BYTES {
            let oldest = self.sites.iter().min_by_key(|(_, site)| site.used);
            let Some(oldest) = oldest.map(|(number, _)| *number) else { break };
            self.remove(oldest);
        }
        self.clock += 1;
        self.bytes += site.bytes;
        self.sites.insert(number, Site { used: self.clock, ..site });
    }

    fn remove(&mut self, number: u64) {
        if let Some(site) = self.sites.remove(&number) {
            self.bytes -= site.bytes;
        }
    }
}

impl Manifests {
    pub(crate) fn new(env: &Env, client: &Client, library: &Arc<Library>, age: Duration) -> Self {
        Self {
            env: env.clone(),
            client: client.clone(),
            library: library.clone(),
            age,
            kept: Mutex::default(),
            turns: Mutex::default(),
            loads: Semaphore::new(LOADS),
        }
    }

    /// The files of the website that the reference names now, or named moments ago.
    pub(crate) async fn of(&self, number: u64) -> Found {
        if let Some(found) = self.fresh(number) {
            return found;
        }
        let turn = self.turn(number);
        let _turn = turn.lock().await;
        if let Some(found) = self.fresh(number) {
            return found;
        }
        let record = self.client.chain().reference(number).await.map_err(chain_failure)?;
        if record.token_id.is_some() && !record.available {
            self.kept().remove(number);
            let message = format!("the website of reference {number} has ended or was deleted");
            return Err(Error::new(Reason::BlobNotFound, message));
        }
        let asked = Instant::now();
        if let Some(site) = self.kept().touch(number)
            && site.manifest == record.blob_id
        {
            site.asked = asked;
            return site.found.clone();
        }
        let (found, bytes) = self.load(record.blob_id).await?;
        let site = Site { manifest: record.blob_id, found: found.clone(), bytes, asked, used: 0 };
        self.kept().insert(number, site);
        found
    }

    fn fresh(&self, number: u64) -> Option<Found> {
        let mut kept = self.kept();
        let site = kept.touch(number)?;
        (site.asked.elapsed() < self.age).then(|| site.found.clone())
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // What it counts is right after every statement.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self, number: u64) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get(&number).and_then(Weak::upgrade) {
            return turn;
        }
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::default();
        turns.insert(number, Arc::downgrade(&turn));
        turn
    }

    /// Reads a manifest; also how much memory the answer takes. What is no manifest is an
    /// answer too: it stays none.
    async fn load(&self, id: BlobId) -> Result<(Found, u64), Error> {
        let _turn = self.loads.acquire().await.map_err(Error::internal)?;
        let no_site = |reason: String| {
            let message = format!("the reference names no website: {reason}");
            (Err(Error::new(Reason::NotAWebsite, message)), FILE_BYTES)
        };
        if self.library.length(&id).await? > MANIFEST_BYTES_MAX {
            return Ok(no_site(format!("the blob is longer than {MANIFEST_BYTES_MAX} bytes")));
        }
        let blob = self.library.whole(&id, ConsistencyCheck::Default).await?;
        let mut text = Vec::new();
        while (text.len() as u64) < blob.length() {
            let rest = text.len() as u64..blob.length();
            let piece = self.library.read(&blob, rest).await.map_err(Error::internal)?;
            text.extend_from_slice(&piece);
        }
        let length = text.len() as u64;
        let parse = move || Manifest::parse(&text);
        Ok(match self.env.compute(Duration::ZERO, parse).await {
            Ok(manifest) => {
                let bytes = length + manifest.files.len() as u64 * FILE_BYTES;
                (Ok(Arc::new(manifest)), bytes)
            }
            Err(error) => no_site(error.to_string()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn websites_of_strangers_do_not_fill_the_memory() {
        // Anybody can publish a thousand large lists and ask for all of them.
        let mut kept = Kept::default();
        let site = |bytes| Site {
            manifest: BlobId::from_bytes([0; 32]),
            found: Err(Error::malformed("")),
            bytes,
            asked: Instant::now(),
            used: 0,
        };
        (0..5000).for_each(|number| kept.insert(number, site(10)));
        assert_eq!((kept.sites.len(), kept.bytes), (SITES, SITES as u64 * 10));
        assert!(kept.touch(4999).is_some() && kept.touch(4999 - SITES as u64).is_none());
        for number in 0..100 {
            kept.insert(number, site(9 << 20));
            assert!(kept.bytes <= BYTES);
        }
        // The same website again takes the place of itself.
        for bytes in [1, 2, 3] {
            kept.insert(7, site(bytes));
        }
        let total: u64 = kept.sites.values().map(|site| site.bytes).sum();
        assert_eq!(kept.bytes, total);
        assert!(kept.sites.contains_key(&99), "the one used last must stay");
    }
}
