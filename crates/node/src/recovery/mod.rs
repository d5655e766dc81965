//! Getting back what the node should hold and does not: slivers of blobs certified
//! while it was away, slivers that clients did not deliver, and slivers that the disk
//! lost to bit rot. All take the same path (docs/protocol/node-and-client.md C.1).

mod blob;
mod peers;
mod sliver;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
    time::Duration,
};

use futures::{StreamExt as _, stream::FuturesUnordered};
use tokio::{
    sync::Notify,
    time::{Instant, sleep, sleep_until},
};
use walrus_redstuff::BlobId;

use self::{
    blob::{Attempt, attempt},
    peers::Peers,
};
use crate::{config::Tls, state::Shared, sync::lock};

/// Time that a writer gets to deliver slivers after certification, as certificates are
/// made while slow nodes are still being sent to (docs/protocol/node-and-client.md A.8).
const UPLOAD_TIME: Duration = Duration::from_secs(2);

/// Blobs recovered at once.
const BLOBS_AT_ONCE: usize = 8;

/// Blobs examined together in a scan.
const PAGE: usize = 256;

/// Pauses between attempts at one blob: doubled from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(300);

/// Blobs whose symbols are kept between attempts.
const KEPT_ATTEMPTS: usize = 64;

/// Pause before a scan that failed is begun again.
const SCAN_RETRY: Duration = Duration::from_secs(5);

/// The recovery of a node.
#[derive(Debug)]
pub struct Recovery {
    node: Shared,
    peers: Peers,
    /// Blobs to look at, and when.
    due: Mutex<BTreeMap<BlobId, Instant>>,
    changed: Notify,
    scan: Notify,
}

/// What is kept of a blob that could not be completed.
#[derive(Debug, Default)]
struct Failed {
    attempt: Attempt,
    times: u32,
}

impl Recovery {
    /// A recovery that talks to peers with or without TLS, as the whole network does.
    pub fn new(node: Shared, tls: Tls) -> Self {
        let peers = Peers::new(node.clone(), tls);
        Self { node, peers, due: Mutex::default(), changed: Notify::new(), scan: Notify::new() }
    }

    /// Looks at a blob after the time that its writer may need to finish.
    pub fn want_after_upload(&self, blob: BlobId) {
        self.want_at(blob, Instant::now() + UPLOAD_TIME);
    }

    /// Looks at a blob now.
    pub fn want(&self, blob: BlobId) {
        self.want_at(blob, Instant::now());
    }

    /// Looks at all certified blobs.
    pub fn want_all(&self) {
        self.scan.notify_one();
    }

    /// How many blobs wait to be looked at.
    pub fn waiting(&self) -> usize {
        lock(&self.due).len()
    }

    fn want_at(&self, blob: BlobId, time: Instant) {
        let mut due = lock(&self.due);
        let at = due.entry(blob).or_insert(time);
        *at = (*at).min(time);
        drop(due);
        self.changed.notify_one();
    }

    /// Recovers for ever.
    pub async fn run(&self) {
        let recovering = self.recover();
        let scanning = self.scan_when_wanted();
        let healing = async {
            loop {
                self.want(self.node.store.slivers().next_damaged().await);
            }
        };
        futures::future::join3(recovering, scanning, healing).await;
    }

    async fn recover(&self) {
        let mut busy: BTreeSet<BlobId> = BTreeSet::new();
        let mut failed: BTreeMap<BlobId, Failed> = BTreeMap::new();
        let mut running = FuturesUnordered::new();
        loop {
            while running.len() < BLOBS_AT_ONCE
                && let Some(blob) = self.take_due(&busy)
            {
                busy.insert(blob);
                running.push(self.try_once(blob, failed.remove(&blob).unwrap_or_default()));
            }
            let next = if running.len() < BLOBS_AT_ONCE { self.next_due(&busy) } else { None };
            let wait = async move { sleep_until(next.unwrap_or_else(Instant::now)).await };
            tokio::select! {
                biased;
                Some((blob, again)) = running.next(), if !running.is_empty() => {
                    busy.remove(&blob);
                    if let Some(mut again) = again {
                        self.want_at(blob, Instant::now() + self.pause(&mut again));
                        if failed.len() >= KEPT_ATTEMPTS {
                            again.attempt = Attempt::default();
                        }
                        failed.insert(blob, again);
                    }
                }
                () = self.changed.notified() => {}
                () = wait, if next.is_some() => {}
            }
        }
    }

    /// One attempt; what it found is returned if another one is needed. Between
    /// attempts a blob holds up no other.
    async fn try_once(&self, blob: BlobId, mut state: Failed) -> (BlobId, Option<Failed>) {
        match attempt(&self.node, &self.peers, &blob, &mut state.attempt).await {
            Ok(()) => (blob, None),
            Err(error) => {
                tracing::info!(%blob, %error, "a blob could not be recovered yet");
                (blob, Some(state))
            }
        }
    }

    /// The time until the next attempt, longer each time, and up to a quarter more, so
    /// that nodes that came back together do not stay in step.
    fn pause(&self, failed: &mut Failed) -> Duration {
        let pause = (FIRST_PAUSE * 2_u32.pow(failed.times.min(16))).min(LAST_PAUSE);
        failed.times += 1;
        let jitter = self.node.env.random_u64("recovery pause") % 256;
        pause + pause.mul_f64(jitter as f64 / 1024.0)
    }

    /// A blob whose time has come and that nobody works on.
    fn take_due(&self, busy: &BTreeSet<BlobId>) -> Option<BlobId> {
        let now = Instant::now();
        let mut due = lock(&self.due);
        let blob = due.iter().find(|(blob, at)| **at <= now && !busy.contains(*blob));
        let blob = *blob?.0;
        due.remove(&blob);
        Some(blob)
    }

    fn next_due(&self, busy: &BTreeSet<BlobId>) -> Option<Instant> {
        let due = lock(&self.due);
        due.iter().filter(|(blob, _)| !busy.contains(*blob)).map(|(_, at)| *at).min()
    }

    /// Looks through all blobs at the start and whenever asked to.
    async fn scan_when_wanted(&self) {
        loop {
            while let Err(error) = self.scan_once().await {
                tracing::error!(error, "looking for incomplete blobs failed");
                sleep(SCAN_RETRY).await;
            }
            self.scan.notified().await;
        }
    }

    /// Asks for the recovery of each certified blob that is not complete.
    async fn scan_once(&self) -> Result<(), String> {
        let epoch = self.node.epoch();
        let mut after = None;
        loop {
            let page = self.node.store.blob_states(after, PAGE).await.map_err(|e| e.to_string())?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = Some(*last);
            for (blob, _) in page.iter().filter(|(_, state)| state.is_certified(epoch)) {
                let missing = self.node.missing_slivers(blob).await.map_err(|e| e.to_string())?;
                let metadata = self.node.store.metadata().get(blob).await;
                if !missing.is_empty() || metadata.map_err(|e| e.to_string())?.is_none() {
                    self.want(*blob);
                }
            }
        }
    }
}
