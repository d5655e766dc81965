//! How many threads work on a blob.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rayon::ThreadPool;

/// What the threads that work on one blob may hold together. Beside it there are the padded last row
/// and some MiB of hashes, so that any blob stays below 512 MiB.
const TASK_MEMORY: usize = 400 << 20;

/// The threads that encode and decode. Cheap to clone; all clones share the same threads, so that
/// any number of blobs encoded at once use no more of them.
///
/// Results are the same for any number of threads.
#[derive(Clone, Default)]
pub struct Workers(Option<Arc<ThreadPool>>);

/// The threads could not be started.
#[derive(Debug, thiserror::Error)]
#[error("{threads} worker threads could not be started: {reason}")]
pub struct WorkersError {
    /// The number asked for.
    pub threads: NonZeroUsize,
    /// What the system said.
    pub reason: String,
}

impl Workers {
    /// No threads: the caller's own does everything.
    pub fn none() -> Self {
        Self(None)
    }

    /// Starts `threads` threads, or none for one.
    ///
    /// # Errors
    /// [`WorkersError`] if the system does not give them.
    pub fn start(threads: NonZeroUsize) -> Result<Self, WorkersError> {
        if threads.get() == 1 {
            return Ok(Self::none());
        }
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads.get())
            .thread_name(|index| format!("redstuff-{index}"))
            .build()
            .map_err(|error| WorkersError { threads, reason: error.to_string() })?;
        Ok(Self(Some(Arc::new(pool))))
    }

    /// How many threads work at once.
    pub fn threads(&self) -> usize {
        self.0.as_ref().map_or(1, |pool| pool.current_num_threads())
    }

    /// Does all tasks, several at once, and returns what they gave in their order. Each thread has
    /// something of its own out of `make` to work with, of about `own_bytes`: no more threads work than
    /// [`TASK_MEMORY`] allows, but always one.
    ///
    /// # Errors
    /// One of the errors, if there was any; tasks that were not begun by then are not done.
    pub(crate) fn run<T, S, R, E>(
        &self,
        own_bytes: usize,
        tasks: Vec<T>,
        make: impl Fn() -> S,
        work: impl Fn(&mut S, T) -> Result<R, E> + Sync,
    ) -> Result<Vec<R>, E>
    where
        T: Send,
        S: Send,
        R: Send,
        E: Send,
    {
        let at_once = self.threads().min(tasks.len()).min(affordable(own_bytes));
        let pool = self.0.as_ref().filter(|_| at_once > 1);
        let Some(pool) = pool else {
            let mut own = make();
            return tasks.into_iter().map(|task| work(&mut own, task)).collect();
        };
        let results: Vec<Mutex<Option<R>>> = tasks.iter().map(|_| Mutex::new(None)).collect();
        let queue = Mutex::new(tasks.into_iter().zip(&results));
        let failure = Mutex::new(None);
        let next = || locked(&queue).next();
        let work_off = |mut own: S| {
            while let Some((task, result)) = next() {
                match work(&mut own, task) {
                    Ok(done) => *locked(result) = Some(done),
                    Err(error) => {
                        *locked(&failure) = Some(error);
                        locked(&queue).by_ref().for_each(drop);
                    }
                }
            }
        };
        let owns: Vec<S> = (0..at_once).map(|_| make()).collect();
        pool.scope(|scope| {
            for own in owns {
                scope.spawn(|_| work_off(own));
            }
        });
        drop(queue);
        match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error),
            None => Ok(results
                .into_iter()
                .filter_map(|result| result.into_inner().unwrap_or_else(PoisonError::into_inner))
                .collect()),
        }
    }
}

/// How many threads may work at once if each needs `own_bytes`.
fn affordable(own_bytes: usize) -> usize {
    (TASK_MEMORY / own_bytes.max(1)).max(1)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workers").field("threads", &self.threads()).finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn four() -> Workers {
        Workers::start(NonZeroUsize::new(4).unwrap()).unwrap()
    }

    /// If this failed, a large blob on a machine with many threads would take more memory than said.
    #[test]
    fn no_more_threads_work_than_memory_allows() {
        for (own_bytes, allowed) in [(TASK_MEMORY / 2, 2), (TASK_MEMORY + 1, 1), (1, 4)] {
            let made = AtomicUsize::new(0);
            let make = || made.fetch_add(1, Ordering::Relaxed);
            let tasks: Vec<usize> = (0..100).collect();
            let double = |_: &mut usize, task| Ok::<_, ()>(2 * task);
            let done = four().run(own_bytes, tasks, make, double).unwrap();
            assert!(done.into_iter().eq((0..100).map(|task| 2 * task)));
            assert!(made.into_inner() <= allowed, "{own_bytes} bytes each");
        }
    }

    /// If this failed, work would go on after an error, or the error be lost.
    #[test]
    fn an_error_ends_the_work() {
        for workers in [Workers::none(), four()] {
            let begun = AtomicUsize::new(0);
            let fail = |(): &mut (), task: usize| {
                begun.fetch_add(1, Ordering::Relaxed);
                if task == 3 { Err(task) } else { Ok(()) }
            };
            let tasks = (0..100_000).collect();
            assert_eq!(workers.run(1, tasks, || (), fail), Err(3));
            assert!(begun.into_inner() < 100_000);
        }
    }
}
