//! How many threads work on a blob.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use rayon::ThreadPool;

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
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workers").field("threads", &self.threads()).finish()
    }
}
