//! Wall time.

use std::time::Duration;

/// Wall time. Monotonic time (timers, timeouts) is `tokio::time`.
pub trait Clock: Send + Sync {
    /// Time since 1970-01-01T00:00:00Z.
    fn unix(&self) -> Duration;
}
