//! Computations on tokio's blocking threads, as many at once as there are cores.

use std::num::NonZeroUsize;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::Semaphore;

use crate::Cpu;

pub(super) struct BlockingPool {
    permits: Semaphore,
    parallelism: usize,
}

impl BlockingPool {
    pub(super) fn new(parallelism: usize) -> Self {
        // Calls that wait for the disk share the pool: twice the cores keeps them from starving computation.
        Self { permits: Semaphore::new(parallelism * 2), parallelism }
    }
}

impl Cpu for BlockingPool {
    fn run<'a>(
        &'a self,
        _cost: Duration,
        work: Box<dyn FnOnce() + Send + 'static>,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let _permit = self.permits.acquire().await.expect("the semaphore is never closed");
            // A panic shows as a missing result, which the caller reports.
            let _ = tokio::task::spawn_blocking(work).await;
        })
    }

    fn parallelism(&self) -> usize {
        self.parallelism
    }

    fn threads(&self, wanted: Option<NonZeroUsize>) -> NonZeroUsize {
        wanted.or(NonZeroUsize::new(self.parallelism)).unwrap_or(NonZeroUsize::MIN)
    }
}
