//! How many bytes may be under way at once.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes are counted in units of this size.
const UNIT: usize = 4096;

/// A bound on the bytes of all requests and answers under way, shared by everything
/// that a client does.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    units: Arc<Semaphore>,
    total: u32,
}

/// Bytes set aside; given back when dropped.
#[derive(Debug)]
pub(crate) struct Reserved {
    _permit: OwnedSemaphorePermit,
}

impl Budget {
    /// A budget of `bytes`, rounded up to whole units.
    pub(crate) fn new(bytes: usize) -> Self {
        let total = u32::try_from(bytes.div_ceil(UNIT).max(1)).unwrap_or(u32::MAX);
        let total = total.min(u32::try_from(Semaphore::MAX_PERMITS).unwrap_or(u32::MAX));
        Self { units: Arc::new(Semaphore::new(total as usize)), total }
    }

    /// The whole budget in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.total as usize * UNIT
    }

    /// Waits until `bytes` are free and sets them aside, in the order of asking. What is
    /// larger than the whole budget takes all of it, so that it goes alone.
    pub(crate) async fn reserve(&self, bytes: usize) -> Reserved {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).min(self.total);
        let permit = self.units.clone().acquire_many_owned(units).await;
        Reserved { _permit: permit.expect("the semaphore is never closed") }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn more_than_the_budget_waits_and_giants_go_alone() {
        // Without the bound, a store to many nodes would hold as many slivers in memory.
        let budget = Budget::new(10 * UNIT);
        let first = budget.reserve(6 * UNIT).await;
        assert!(budget.reserve(5 * UNIT).now_or_never().is_none());
        drop(first);
        let giant = budget.reserve(usize::MAX).await;
        assert!(budget.reserve(1).now_or_never().is_none());
        drop(giant);
        assert!(budget.reserve(1).now_or_never().is_some());
    }
}
