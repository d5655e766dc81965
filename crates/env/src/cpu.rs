//! Long computations and blocking calls.

use std::num::NonZeroUsize;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::oneshot;

/// Runs work that would hold up the async tasks.
pub trait Cpu: Send + Sync {
    /// Runs `work` elsewhere and resolves when it has returned (or panicked).
    /// `cost` is what it is expected to take, read by simulations only.
    fn run<'a>(
        &'a self,
        cost: Duration,
        work: Box<dyn FnOnce() + Send + 'static>,
    ) -> BoxFuture<'a, ()>;

    /// How many computations make progress at once.
    fn parallelism(&self) -> usize;

    /// How many threads of its own a computation may start: as many as are `wanted`, or as
    /// many as there are processors. One where threads would not be under control, as in a
    /// simulation: the computation then stays on the thread that it was given.
    fn threads(&self, wanted: Option<NonZeroUsize>) -> NonZeroUsize {
        let _ = wanted;
        NonZeroUsize::MIN
    }
}

pub(crate) async fn run<T, F>(cpu: &dyn Cpu, cost: Duration, compute: F) -> T
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let (sender, receiver) = oneshot::channel();
    let work = Box::new(move || {
        // The receiver is gone when the caller was cancelled; the result is then of no use.
        let _ = sender.send(compute());
    });
    cpu.run(cost, work).await;
    receiver.await.expect("the computation panicked")
}
