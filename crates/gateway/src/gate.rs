//! How much a role does at once. What exceeds it waits for a short while in a short queue,
//! or is refused before anything is spent on it.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until, timeout};
use walrus_env::{AbortOnDrop, Env};

use crate::config::Limits;
use crate::error::{Error, Reason};

/// Bytes of an answer that may be under way between the gateway and who reads it: whoever
/// takes many at once is waited for as long as the slowest takes for these, and no longer.
const UNDER_WAY: u64 = 8 << 20;

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

/// How long a receiver is still waited for. Only the time that he takes counts, not that
/// until the gateway has the next piece.
struct Patience {
    time: Duration,
    bytes_per_second: u64,
    left: Duration,
    /// Since when he is waited for.
    since: Option<Instant>,
}

impl Patience {
    fn new(gate: &Gate) -> Self {
        let (time, since) = (gate.body_time, Some(Instant::now()));
        Self { time, bytes_per_second: gate.slowest, left: time, since }
    }

    fn earned(&self, bytes: u64) -> Duration {
        Duration::from_micros(bytes.saturating_mul(1_000_000) / self.bytes_per_second)
    }

    /// He asked for more.
    fn asked(&mut self) {
        if let Some(since) = self.since.take() {
            self.left = self.left.saturating_sub(since.elapsed());
        }
    }

    /// He was given so many bytes.
    fn given(&mut self, bytes: usize) {
        // What was taken fast earns no hours for dripping.
        let most = self.time + self.earned(UNDER_WAY);
        self.left = self.left.min(most) + self.earned(bytes as u64);
        self.since = Some(Instant::now());
    }

    /// When he must have asked for more, if it is his turn.
    fn deadline(&self) -> Option<Instant> {
        self.since.map(|since| since + self.left)
    }
}

/// What an answer holds on to until it was sent.
struct Sending {
    body: Body,
    patience: Patience,
    _place: OwnedSemaphorePermit,
}

type Holding = Arc<Mutex<Option<Sending>>>;

fn lock(holding: &Mutex<Option<Sending>>) -> MutexGuard<'_, Option<Sending>> {
    holding.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An answer that is being sent. Whoever does not take it in time gets no more of it, also
/// if nobody asks for the next piece: then a task lets go of it.
struct Held {
    holding: Holding,
    hint: SizeHint,
    _end: AbortOnDrop,
}

impl Held {
    fn new(gate: &Gate, body: Body, place: OwnedSemaphorePermit) -> Self {
        let hint = body.size_hint();
        let sending = Sending { body, patience: Patience::new(gate), _place: place };
        let holding: Holding = Arc::new(Mutex::new(Some(sending)));
        let end = gate.env.spawn("answer", let_go(holding.clone(), gate.body_time));
        Self { holding, hint, _end: end.abort_on_drop() }
    }
}

/// Ends an answer when it is not taken in time. Looks again after `pause` while the gateway
/// is what is waited for.
async fn let_go(holding: Holding, pause: Duration) {
    loop {
        let next = {
            let mut holding = lock(&holding);
            let Some(sending) = holding.as_ref() else { return };
            let now = Instant::now();
            let deadline = sending.patience.deadline();
            if deadline.is_some_and(|deadline| deadline <= now) {
                holding.take();
                return;
            }
            deadline.unwrap_or(now + pause)
        };
        sleep_until(next).await;
    }
}

impl http_body::Body for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut holding = lock(&self.holding);
        let Some(sending) = holding.as_mut() else {
            return Poll::Ready(Some(Err(axum::Error::new("the answer was not taken in time"))));
        };
        sending.patience.asked();
        let frame = Pin::new(&mut sending.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &frame {
            sending.patience.given(frame.data_ref().map_or(0, Bytes::len));
        }
        frame
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

    /// Takes an answer of pieces of 1000 bytes, `pause` before each; tells how long that went
    /// well, for at most `most`.
    async fn taken(answer: Response, pause: Duration, most: Duration) -> Duration {
        let (started, mut body) = (Instant::now(), answer.into_body());
        while started.elapsed() < most {
            tokio::time::sleep(pause).await;
            if body.frame().await.unwrap().is_err() {
                break;
            }
        }
        started.elapsed()
    }

    /// Gives pieces of 1000 bytes, after so long each.
    fn slow_router(limits: &Limits, wait: Duration) -> Router {
        let gate = Gate::new(&real::env(), limits, 1);
        let body = move || async move {
            Body::from_stream(futures::stream::unfold((), move |()| async move {
                tokio::time::sleep(wait).await;
                Some((Ok::<_, axum::Error>(vec![b'x'; 1000]), ()))
            }))
        };
        Router::new().route("/", get(body)).layer(from_fn_with_state(gate, admit))
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_drips_loses_his_place_within_a_minute() {
        // 256 readers of 500 bytes a second would lock everybody else out for days.
        let router = slow_router(&Limits::default(), Duration::ZERO);
        let (drip, day) = (Duration::from_secs(2), Duration::from_secs(24 * 3600));
        let time = taken(ask(&router).await, drip, day).await;
        assert!(time < Duration::from_secs(60), "{time:?}");
        assert_eq!(ask(&router).await.status(), 200);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_took_much_at_once_may_not_drip_for_hours() {
        // A few gigabytes taken at once would otherwise be worth a day.
        let router = slow_router(&Limits::default(), Duration::ZERO);
        let mut answer = ask(&router).await;
        for _ in 0..1 << 16 {
            answer.body_mut().frame().await.unwrap().unwrap();
        }
        let (drip, day) = (Duration::from_secs(10), Duration::from_secs(24 * 3600));
        let time = taken(answer, drip, day).await;
        assert!(time < Duration::from_secs(300), "{time:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_takes_enough_or_waits_for_the_gateway_keeps_his_place() {
        // A long download would break off, or one of a blob whose nodes are slow.
        let (hour, day) = (Duration::from_secs(3600), Duration::from_secs(24 * 3600));
        let router = slow_router(&Limits::default(), Duration::ZERO);
        assert!(taken(ask(&router).await, Duration::from_millis(30), hour).await >= hour);
        let router = slow_router(&Limits::default(), Duration::from_secs(60));
        assert!(taken(ask(&router).await, Duration::ZERO, day).await >= day);
    }
}
