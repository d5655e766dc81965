//! Answers that come before the request was heard to its end.
//!
//! A server that refuses an upload by its head answers while the body is still on its way.
//! If it closed the connection then, the sender's system would report a broken connection
//! and throw the answer away. So what nobody wants to hear is still read for a while, and
//! forgotten. HTTP/2 needs nothing of this: it ends the one request, not the connection.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, body::Body, response::Response};
use bytes::Bytes;
use http::{
    HeaderValue, Request, Version,
    header::{CONNECTION, EXPECT},
};
use http_body_util::BodyExt as _;
use hyper::{
    body::{Body as _, Frame, Incoming, SizeHint},
    service::Service as _,
};
use hyper_util::service::TowerToHyperService;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::{sleep, timeout},
};

use super::peers::Peer;

/// Connections of a server that are read so at once; further ones are closed.
pub(super) const AT_ONCE: usize = 64;
/// What is read of one body at most.
const BYTES: u64 = 16 << 20;
/// For how long at most.
const TIME: Duration = Duration::from_secs(30);
/// A sender that is silent for so long has left, or waits for the answer it has.
const SILENCE: Duration = Duration::from_secs(5);
/// A rest as short as this is not worth a new connection.
const SHORT: u64 = 64 << 10;

/// What is left of a body, and the place for reading it.
type Rest = (Incoming, OwnedSemaphorePermit);

/// The end of a connection at which requests arrive.
#[derive(Clone)]
pub(super) struct Ear {
    router: TowerToHyperService<Router>,
    peer: Option<Peer>,
    places: Arc<Semaphore>,
    rests: mpsc::Sender<Rest>,
}

/// The end at which the rest of what they said is forgotten.
pub(super) struct Drain(mpsc::Receiver<Rest>);

/// For one connection, with `peer`; `places` are shared by all of the server.
pub(super) fn ear(router: Router, peer: Option<Peer>, places: Arc<Semaphore>) -> (Ear, Drain) {
    // One after the other: HTTP/1 has one body at a time.
    let (rests, drain) = mpsc::channel(1);
    (Ear { router: TowerToHyperService::new(router), peer, places, rests }, Drain(drain))
}

impl Ear {
    /// Answers one request.
    pub(super) async fn answer(
        self,
        mut request: Request<Incoming>,
    ) -> Result<Response, Infallible> {
        if let Some(peer) = self.peer {
            request.extensions_mut().insert(peer);
        }
        if request.version() > Version::HTTP_11 || request.body().is_end_stream() {
            return self.router.call(request.map(Body::new)).await;
        }
        let unheard = Arc::new(AtomicU64::new(0));
        let is_waiting = request.headers().contains_key(EXPECT);
        let (places, rests) = (self.places, self.rests);
        let heard = |body| {
            let unheard = unheard.clone();
            Body::new(Heard { body: Some(body), is_waiting, places, rests, unheard })
        };
        let mut response = self.router.call(request.map(heard)).await?;
        if unheard.load(Ordering::Relaxed) > SHORT {
            // So that the sender stops, rather than being read to the end.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response)
    }
}

/// A body whose rest is read when it is dropped before its end.
struct Heard {
    body: Option<Incoming>,
    /// Whether the sender waits to be asked for its body, and was not asked.
    is_waiting: bool,
    places: Arc<Semaphore>,
    rests: mpsc::Sender<Rest>,
    /// How long the rest is, as far as is known.
    unheard: Arc<AtomicU64>,
}

impl hyper::body::Body for Heard {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        self.is_waiting = false;
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = Pin::new(body).poll_frame(cx);
        if matches!(frame, Poll::Ready(None | Some(Err(_)))) {
            self.body = None;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(|body| body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), |body| body.size_hint())
    }
}

impl Drop for Heard {
    fn drop(&mut self) {
        let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) else { return };
        if self.is_waiting {
            return;
        }
        self.unheard.store(body.size_hint().upper().unwrap_or(u64::MAX), Ordering::Relaxed);
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            // Refused only when the connection has ended.
            let _ = self.rests.try_send((body, place));
        }
    }
}

impl Drain {
    /// Reads and forgets, for as long as it is polled.
    pub(super) async fn run(mut self) -> Infallible {
        while let Some((body, _place)) = self.0.recv().await {
            let _ = timeout(TIME, forget(body)).await;
        }
        std::future::pending().await
    }
}

async fn forget(mut body: Incoming) {
    let mut left = BYTES;
    while let Ok(Some(Ok(frame))) = timeout(SILENCE, body.frame()).await {
        let bytes = frame.data_ref().map_or(0, |bytes| bytes.len() as u64);
        let Some(fewer) = left.checked_sub(bytes) else {
            // The answer may still be on its way.
            return sleep(SILENCE).await;
        };
        left = fewer;
    }
}
