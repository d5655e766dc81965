//! `GET /v1/uploads/{id}/events`: watching an upload as it happens (docs/page-api.md
//! section 2).
//!
//! The client makes up the id, which is the secret by which one may watch. Of each stage,
//! and of each node, the latest message is kept: whoever watches slowly, or comes late,
//! misses steps but never the state.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use walrus_core::NodeId;
use walrus_sdk::{Progress, ProgressSink};

use crate::error::Error;
use crate::state::Shared;

/// Uploads that are watched, or may be, at once.
const UPLOADS: usize = 1024;
/// How long a finished upload can still be looked at.
const FINISHED: Duration = Duration::from_secs(60);
/// Least time between two lots of messages to one watcher.
const INTERVAL: Duration = Duration::from_millis(100);
/// A sign of life while nothing happens, so that nobody in between gives up.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);
/// Longest watch.
const LONGEST: Duration = Duration::from_secs(3600);
/// Nodes of which messages are kept.
const NODES: usize = 300;

/// All uploads with an id.
#[derive(Default)]
pub(crate) struct Uploads(Mutex<BTreeMap<String, Arc<Channel>>>);

/// One upload, as its watchers see it.
struct Channel {
    state: Mutex<Messages>,
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct Messages {
    latest: BTreeMap<String, (u64, Value)>,
    count: u64,
    begun: bool,
    finished: Option<Instant>,
}

impl Channel {
    fn new() -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), changed: watch::Sender::new(0) })
    }

    fn state(&self) -> MutexGuard<'_, Messages> {
        // Messages are whole ones at any time.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&self, key: String, message: Value, last: bool) {
        let mut state = self.state();
        if state.finished.is_some() {
            return;
        }
        state.count += 1;
        let count = state.count;
        state.latest.insert(key, (count, message));
        if last {
            state.finished = Some(Instant::now());
        }
        drop(state);
        self.changed.send_replace(count);
    }

    /// Messages after `seen`, oldest first, and whether there will be no more.
    fn after(&self, seen: u64) -> (Vec<Value>, u64, bool) {
        let state = self.state();
        let mut new: Vec<_> =
            state.latest.values().filter(|(number, _)| *number > seen).cloned().collect();
        new.sort_by_key(|(number, _)| *number);
        let messages = new.into_iter().map(|(_, message)| message).collect();
        (messages, state.count, state.finished.is_some())
    }
}

/// What an upload says about itself. Says that it failed if it is dropped before its end.
pub(crate) struct Reporter {
    channel: Option<Arc<Channel>>,
    names: BTreeMap<NodeId, String>,
}

impl Drop for Reporter {
    fn drop(&mut self) {
        self.fail("the upload was broken off");
    }
}

impl Uploads {
    fn map(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Channel>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn channel(&self, id: &str) -> Result<Arc<Channel>, Error> {
        let good = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if id.is_empty() || id.len() > 64 || !id.bytes().all(good) {
            return Err(Error::malformed("an upload's id has 1 to 64 letters, digits, - or _"));
        }
        let mut map = self.map();
        // Those that nobody holds, unless they ended a moment ago.
        map.retain(|_, channel| {
            let fresh = |at: Instant| at.elapsed() < FINISHED;
            Arc::strong_count(channel) > 1 || channel.state().finished.is_some_and(fresh)
        });
        if let Some(channel) = map.get(id) {
            return Ok(channel.clone());
        }
        if map.len() >= UPLOADS {
            return Err(Error::overloaded("too many uploads are being watched"));
        }
        let channel = Channel::new();
        map.insert(id.to_owned(), channel.clone());
        Ok(channel)
    }

    /// Begins to report on an upload, if it has an id.
    pub(crate) fn begin(
        &self,
        id: Option<&str>,
        names: BTreeMap<NodeId, String>,
    ) -> Result<Arc<Reporter>, Error> {
        let Some(id) = id else { return Ok(Arc::new(Reporter { channel: None, names })) };
        let channel = self.channel(id)?;
        let mut state = channel.state();
        if state.begun && state.finished.is_none() {
            return Err(Error::malformed("another upload has this id"));
        }
        *state = Messages { begun: true, count: state.count, ..Messages::default() };
        drop(state);
        Ok(Arc::new(Reporter { channel: Some(channel), names }))
    }
}

impl Reporter {
    fn say(&self, stage: &str, message: Value) {
        self.say_of(stage.to_owned(), stage, message, false);
    }

    fn say_of(&self, key: String, stage: &str, mut message: Value, last: bool) {
        let Some(channel) = &self.channel else { return };
        message["stage"] = stage.into();
        channel.say(key, message, last);
    }

    /// So much of the body has arrived.
    pub(crate) fn received(&self, done: u64, total: Option<u64>) {
        if self.channel.is_some() {
            self.say("receiving", json!({"bytes_done": done, "bytes_total": total}));
        }
    }

    /// It ended well.
    pub(crate) fn done(&self, stage: &str, message: Value) {
        self.say_of(stage.to_owned(), stage, message, true);
    }

    /// It failed.
    pub(crate) fn fail(&self, message: &str) {
        self.say_of("failed".to_owned(), "failed", json!({"message": message}), true);
    }

    /// Passes on what the client reports.
    pub(crate) fn sink(self: &Arc<Self>) -> ProgressSink {
        if self.channel.is_none() {
            return ProgressSink::none();
        }
        let reporter = self.clone();
        ProgressSink::new(move |step| reporter.step(&step))
    }

    fn node(&self, node: NodeId, state: &str, mut message: Value) {
        message["node_id"] = node.0.into();
        message["name"] = self.names.get(&node).cloned().into();
        message["state"] = state.into();
        if self.names.len() <= NODES {
            self.say_of(format!("node {node}"), "node", message, false);
        }
    }

    fn step(&self, step: &Progress) {
        match step {
            Progress::Encoding { bytes } => {
                self.say("encoding", json!({"bytes_done": 0, "bytes_total": bytes}));
            }
            Progress::EncodingBytes { done, total } => {
                self.say("encoding", json!({"bytes_done": done, "bytes_total": total}));
            }
            Progress::Encoded { blob_id, encoded_bytes } => self.say(
                "encoded",
                json!({"blob_id": blob_id.to_string(), "encoded_bytes": encoded_bytes}),
            ),
            Progress::Registering => self.say("registering", json!({})),
            Progress::Registered { token, end_epoch, resumed } => self.say(
                "registered",
                json!({"object_id": token.0, "end_epoch": end_epoch.0, "resumed": resumed}),
            ),
            Progress::Uploading { slivers_done, slivers_total } => self.say(
                "uploading",
                json!({"slivers_done": slivers_done, "slivers_total": slivers_total}),
            ),
            Progress::NodeUploading { node, slivers_done, slivers_total } => self.node(
                *node,
                "sending",
                json!({"slivers_done": slivers_done, "slivers_total": slivers_total}),
            ),
            Progress::NodeStruggling { node, reason } => {
                self.node(*node, "struggling", json!({"reason": reason}));
            }
            Progress::NodeConfirmed { node } => self.node(*node, "confirmed", json!({})),
            Progress::NodeFailed { node, reason } => {
                self.node(*node, "failed", json!({"reason": reason}));
            }
            Progress::Confirmations { weight, needed } => {
                self.say("confirmations", json!({"weight": weight, "needed": needed}));
            }
            Progress::Certifying => self.say("certifying", json!({})),
            Progress::Retrying { reason, after } => self.say(
                "retrying",
                json!({"reason": reason, "after_ms": u64::try_from(after.as_millis()).unwrap_or(u64::MAX)}),
            ),
            _ => {}
        }
    }
}

/// Watches an upload, which need not have begun.
pub(crate) async fn events(
    State(gateway): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let place = gateway.watchers.clone().try_acquire_owned();
    let place = place.map_err(|_| Error::overloaded("too many watch uploads"))?;
    let channel = gateway.uploads.channel(&id)?;
    let changed = channel.changed.subscribe();
    let end = Instant::now() + LONGEST;
    let start = (channel, changed, 0, false, place);
    let events =
        stream::unfold(start, move |(channel, mut changed, seen, ended, place)| async move {
            if ended || Instant::now() >= end {
                return None;
            }
            let (mut messages, mut count, mut finished) = channel.after(seen);
            if messages.is_empty() && !finished {
                let _ = timeout(SIGN_OF_LIFE, changed.changed()).await;
                (messages, count, finished) = channel.after(seen);
            }
            let mut text = String::new();
            for message in &messages {
                text.push_str(&format!("data: {message}\n\n"));
            }
            if messages.is_empty() {
                text.push_str(": still here\n\n");
            } else if !finished {
                tokio::time::sleep(INTERVAL).await;
            }
            let next = (channel, changed, count, finished, place);
            Some((Ok::<_, std::convert::Infallible>(Bytes::from(text)), next))
        });
    let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")];
    Ok((headers, Body::from_stream(events)).into_response())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn stages(channel: &Channel, seen: u64) -> Vec<String> {
        let (messages, ..) = channel.after(seen);
        messages.iter().map(|message| message["stage"].as_str().unwrap().to_owned()).collect()
    }

    #[tokio::test]
    async fn who_comes_late_sees_the_state_and_the_end() {
        // A page that missed the last message would wait for ever.
        let uploads = Uploads::default();
        let reporter = uploads.begin(Some("a"), BTreeMap::new()).unwrap();
        let sink = reporter.sink();
        reporter.received(1, Some(2));
        reporter.received(2, Some(2));
        reporter.step(&Progress::Encoding { bytes: 2 });
        let channel = uploads.channel("a").unwrap();
        assert_eq!(stages(&channel, 0), ["receiving", "encoding"]);
        assert_eq!(stages(&channel, 2), ["encoding"]);
        drop((sink, reporter));
        assert_eq!(stages(&channel, 3), ["failed"]);
        assert!(channel.after(0).2);
    }

    #[tokio::test]
    async fn ids_are_bounded_and_belong_to_one_upload_at_a_time() {
        // Made-up ids would otherwise fill the memory, or mix two people's uploads.
        let uploads = Uploads::default();
        let first = uploads.begin(Some("a"), BTreeMap::new()).unwrap();
        assert!(uploads.begin(Some("a"), BTreeMap::new()).is_err());
        first.done("stored", json!({}));
        assert!(uploads.begin(Some("a"), BTreeMap::new()).is_ok());
        for bad in ["", "a b", "../a", &"x".repeat(65)] {
            assert!(uploads.channel(bad).is_err(), "{bad}");
        }
        let held: Vec<_> =
            (0..UPLOADS).map_while(|i| uploads.channel(&format!("u{i}")).ok()).collect();
        assert!(held.len() < UPLOADS && uploads.channel("one-more").is_err());
        drop(held);
        assert!(uploads.channel("one-more").is_ok());
    }
}
