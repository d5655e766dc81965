//! How much a role does at once. What exceeds it waits for a short while in a short queue,
//! or is refused before anything is spent on it.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use walrus_env::{AbortOnDrop, Env};

use crate::config::Limits;
use crate::error::{Error, Reason};

/// When refused clients should come back.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// The entrance to a role.
pub(crate) struct Gate {
    env: Env,
    running: Arc<Semaphore>,
    waiting: AtomicUsize,
    max_waiting: usize,
    patience: Duration,
    slowest: u64,
    body_time: Duration,
}

impl Gate {
    /// `running` requests at once, and as many that wait.
    pub(crate) fn new(env: &Env, limits: &Limits, running: usize) -> Arc<Self> {
        Arc::new(Self {
            env: env.clone(),
            running: Arc::new(Semaphore::new(running)),
            waiting: AtomicUsize::new(0),
            max_waiting: running,
            patience: limits.queue_time,
            slowest: limits.min_bytes_per_second.max(1),
            body_time: limits.body_time,
        })
    }

    async fn enter(&self) -> Result<OwnedSemaphorePermit, Error> {
        if let Ok(permit) = self.running.clone().try_acquire_owned() {
            return Ok(permit);
        }
        let refuse = || {
            let message = "this gateway has too much to do; come back later";
            Error::new(Reason::RateLimited, message).retry_after(RETRY_AFTER)
        };
        let _place = Place::take(&self.waiting, self.max_waiting).ok_or_else(refuse)?;
        let permit = timeout(self.patience, self.running.clone().acquire_owned()).await;
        match permit {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(Error::overloaded("this gateway has too much to do; come back later")),
        }
    }

    /// Time for an answer of so many bytes to be taken.
    fn time_for(&self, bytes: u64) -> Duration {
        self.body_time + Duration::from_secs(bytes / self.slowest)
    }
}

/// A place in the queue; left when dropped.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize, max: usize) -> Option<Self> {
        let next = |count: usize| (count < max).then_some(count + 1);
        waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).ok()?;
        Some(Self(waiting))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Lets a request in or refuses it. Its place is taken until its answer was sent.
pub(crate) async fn admit(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let permit = match gate.enter().await {
        Ok(permit) => permit,
        Err(refusal) => return refusal.into_response(),
    };
    let response = next.run(request).await;
    response.map(|body| {
        if body.is_end_stream() {
            return body;
        }
        Body::new(Held::new(&gate, body, permit))
    })
}

/// What an answer holds on to until it was sent.
type Holding = Arc<Mutex<Option<(Body, OwnedSemaphorePermit)>>>;

/// An answer that is being sent. Whoever does not take it in time gets no more of it, also
/// if nobody asks for the next piece: then a task lets go of it.
struct Held {
    holding: Holding,
    hint: SizeHint,
    _end: AbortOnDrop,
}

impl Held {
    fn new(gate: &Gate, body: Body, permit: OwnedSemaphorePermit) -> Self {
        let hint = body.size_hint();
        // What has no known length has at most a whole blob's.
        let time = gate.time_for(hint.exact().unwrap_or(1 << 32));
        let holding: Holding = Arc::new(Mutex::new(Some((body, permit))));
        let held = holding.clone();
        let end = gate.env.spawn("answer", async move {
            tokio::time::sleep(time).await;
            held.lock().unwrap_or_else(PoisonError::into_inner).take();
        });
        Self { holding, hint, _end: end.abort_on_drop() }
    }
}

impl http_body::Body for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut holding = self.holding.lock().unwrap_or_else(PoisonError::into_inner);
        match holding.as_mut() {
            Some((body, _)) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(Some(Err(axum::Error::new("the answer was not taken in time")))),
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.hint
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use axum::Router;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;
    use walrus_env::real;

    use super::*;

    fn router(limits: &Limits) -> Router {
        let gate = Gate::new(&real::env(), limits, 1);
        let body = || async {
            Body::from_stream(futures::stream::repeat_with(|| Ok::<_, axum::Error>("x")))
        };
        Router::new().route("/", get(body)).layer(from_fn_with_state(gate, admit))
    }

    async fn ask(router: &Router) -> Response {
        router.clone().oneshot(Request::new(Body::empty())).await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_gateway_says_when_to_come_back() {
        // Without a bound, each request in a queue is memory that nobody gives back.
        let router = router(&Limits::default());
        let first = ask(&router).await;
        // The first answer is not taken yet: one waits in vain, the next is refused at once.
        let (second, third) = tokio::join!(ask(&router), ask(&router));
        let mut codes = [second.status().as_u16(), third.status().as_u16()];
        codes.sort_unstable();
        assert_eq!(codes, [429, 503]);
        assert!(second.headers().contains_key("retry-after"));
        assert!(third.headers().contains_key("retry-after"));
        drop(first);
        assert_eq!(ask(&router).await.status(), 200);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_never_takes_the_answer_loses_his_place() {
        // Receivers that do not read would otherwise lock everybody else out.
        let router = router(&Limits::default());
        let first = ask(&router).await;
        tokio::time::sleep(Duration::from_secs(48 * 3600)).await;
        assert_eq!(ask(&router).await.status(), 200);
        assert!(first.into_body().frame().await.unwrap().is_err());
    }
}
