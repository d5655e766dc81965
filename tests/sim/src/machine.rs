//! A host's clock and processor.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use futures::future::BoxFuture;
use walrus_env::{Clock, Cpu};

use crate::{life::Life, shim::BASE_UNIX_SECONDS};

/// Virtual time plus the host's skew.
pub(crate) struct SimClock(pub(crate) Arc<Life>);

impl Clock for SimClock {
    fn unix(&self) -> Duration {
        let host = &self.0.host;
        let now = Duration::from_secs(BASE_UNIX_SECONDS) + host.world().elapsed();
        let skew_ms = host.clock_skew_ms();
        let skew = Duration::from_millis(skew_ms.unsigned_abs());
        if skew_ms < 0 { now.saturating_sub(skew) } else { now + skew }
    }
}

/// Computes at once and lets the expected time pass afterwards, so that slow work
/// meets timeouts without costing any.
pub(crate) struct SimCpu(pub(crate) Arc<Life>);

impl Cpu for SimCpu {
    fn run<'a>(
        &'a self,
        cost: Duration,
        work: Box<dyn FnOnce() + Send + 'static>,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            work();
            let debt = Duration::from_micros(self.0.blocking_debt_us.swap(0, Relaxed));
            let total = cost + debt;
            if !total.is_zero() {
                tokio::time::sleep(total).await;
            }
        })
    }

    fn parallelism(&self) -> usize {
        1
    }
}
