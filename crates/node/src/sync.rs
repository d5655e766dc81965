//! Short critical sections.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks `mutex`. Every critical section here leaves its data whole at each step,
/// so a panic elsewhere while it was held is no reason to give up.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
