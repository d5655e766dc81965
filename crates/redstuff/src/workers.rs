//! How many threads work on a blob.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::ThreadPool;
use rayon::iter::{IndexedParallelIterator as _, IntoParallelIterator as _, ParallelIterator as _};

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
    /// something of its own out of `make` to work with.
    ///
    /// # Errors
    /// One of the errors, if there was any; tasks that were not begun by then are not done.
    pub(crate) fn run<T, S, R, E>(
        &self,
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
        let pool = self.0.as_ref().filter(|_| tasks.len() > 1);
        let Some(pool) = pool else {
            let mut own = make();
            return tasks.into_iter().map(|task| work(&mut own, task)).collect();
        };
        let threads = pool.current_num_threads();
        let own: Vec<Mutex<S>> = (0..threads).map(|_| Mutex::new(make())).collect();
        pool.install(|| {
            tasks
                .into_par_iter()
                .with_max_len(1)
                .map(|task| {
                    // Each of the pool's threads has a place of its own, so that no one waits.
                    let place = rayon::current_thread_index().unwrap_or_default();
                    let mut own = own[place].lock().unwrap_or_else(PoisonError::into_inner);
                    work(&mut own, task)
                })
                .collect()
        })
    }
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workers").field("threads", &self.threads()).finish()
    }
}
