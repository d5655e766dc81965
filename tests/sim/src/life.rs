//! One life of a host, from boot to crash: its tasks, its random streams.

use std::{
    any::Any,
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use futures::future::BoxFuture;
use rand::{Rng, RngCore};
use rand_chacha::ChaCha8Rng;
use tokio::task::AbortHandle;
use walrus_env::{Entropy, Spawn};

use crate::world::{Host, lock};

/// Chance that a new task lets the others go first.
const YIELD_PROBABILITY: f64 = 0.1;

/// From boot to crash. When it is over, nothing of it may act any more: its tasks are
/// not polled, its disk and network calls never return.
pub(crate) struct Life {
    pub(crate) host: Arc<Host>,
    pub(crate) number: u32,
    alive: AtomicBool,
    /// Time that blocking disk calls owe, paid by the computation they were part of.
    pub(crate) blocking_debt_us: AtomicU64,
    tasks: Mutex<Tasks>,
    streams: Mutex<BTreeMap<String, ChaCha8Rng>>,
}

#[derive(Default)]
struct Tasks {
    next: u64,
    running: BTreeMap<u64, (Arc<Slot>, AbortHandle)>,
}

/// A task's future; taken out while it is polled, and for good when the life ends.
type Slot = Mutex<Option<BoxFuture<'static, ()>>>;

impl Life {
    pub(crate) fn new(host: Arc<Host>, number: u32) -> Arc<Self> {
        Arc::new(Self {
            host,
            number,
            alive: AtomicBool::new(true),
            blocking_debt_us: AtomicU64::new(0),
            tasks: Mutex::default(),
            streams: Mutex::default(),
        })
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.alive.load(Relaxed)
    }

    /// Freezes the life: from here on none of its tasks is polled. Returns whether it lived.
    pub(crate) fn end(&self) -> bool {
        self.alive.swap(false, Relaxed)
    }

    /// Drops the futures of an ended life, oldest first.
    pub(crate) fn bury(&self) {
        debug_assert!(!self.is_alive());
        let running = std::mem::take(&mut lock(&self.tasks).running);
        for (slot, abort) in running.into_values() {
            // Taken first and dropped outside the lock: a future may own what spawns or closes.
            let future = lock(&slot).take();
            drop(future);
            abort.abort();
        }
    }

    /// Draws from the stream for `purpose` of this life.
    pub(crate) fn draw<T>(&self, purpose: &str, with: impl FnOnce(&mut ChaCha8Rng) -> T) -> T {
        let mut streams = lock(&self.streams);
        if !streams.contains_key(purpose) {
            let life = self.number.to_string();
            let seed = self.host.world().seed();
            let stream = seed.stream(&["entropy", &self.host.name, purpose, &life]);
            streams.insert(purpose.to_owned(), stream);
        }
        with(streams.get_mut(purpose).expect("inserted above"))
    }
}

/// [`Entropy`] of one life.
pub(crate) struct SimEntropy(pub(crate) Arc<Life>);

impl Entropy for SimEntropy {
    fn fill(&self, purpose: &str, bytes: &mut [u8]) {
        self.0.draw(purpose, |stream| stream.fill_bytes(bytes));
    }
}

/// [`Spawn`] of one life.
pub(crate) struct SimSpawn(pub(crate) Arc<Life>);

impl Spawn for SimSpawn {
    fn spawn(&self, name: &'static str, future: BoxFuture<'static, ()>) {
        let life = &self.0;
        if !life.is_alive() {
            return;
        }
        let yield_first = life.draw("sim:spawn", |stream| stream.random_bool(YIELD_PROBABILITY));
        let slot = Arc::new(Slot::new(Some(future)));
        let number = {
            let mut tasks = lock(&life.tasks);
            tasks.next += 1;
            tasks.next
        };
        let world = life.host.world();
        world.event(life.host.index, "spawn", &[u64::from(life.number), number]);
        let counted = world.count_task();
        let task =
            Guarded { life: life.clone(), slot: slot.clone(), number, name, yield_first, counted };
        // The one runtime of the world; the wrapper makes the task die with its host.
        #[allow(clippy::disallowed_methods)]
        let abort = tokio::spawn(task).abort_handle();
        lock(&life.tasks).running.insert(number, (slot, abort));
    }
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without a text")
}

/// A task that runs only while its life lasts.
struct Guarded<C> {
    life: Arc<Life>,
    slot: Arc<Slot>,
    number: u64,
    name: &'static str,
    yield_first: bool,
    #[allow(dead_code, reason = "counts the task out when dropped")]
    counted: C,
}

impl<C: Unpin> Future for Guarded<C> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::take(&mut self.yield_first) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if !self.life.is_alive() {
            return Poll::Pending;
        }
        let Some(mut future) = lock(&self.slot).take() else { return Poll::Ready(()) };
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(Poll::Pending) => {
                // A task may end its own life; it is then buried with the others.
                *lock(&self.slot) = Some(future);
                Poll::Pending
            }
            Ok(Poll::Ready(())) => {
                lock(&self.life.tasks).running.remove(&self.number);
                Poll::Ready(())
            }
            Err(panic) => {
                let (host, text) = (&self.life.host, panic_text(panic.as_ref()));
                host.world().fail(format!("task {} of {}: {text}", self.name, host.name));
                lock(&self.life.tasks).running.remove(&self.number);
                Poll::Ready(())
            }
        }
    }
}
