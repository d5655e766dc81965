//! The only door to the network, the disk, the clock, randomness and threads.
//!
//! Node, client and chain code never reaches for a socket, a file, the wall
//! clock, a random number or a thread by itself: it receives an [`Env`] and
//! asks that. [`real::env`] answers with the operating system; a simulation
//! answers with a seeded world in which every fault can be repeated.
//!
//! This is not an async runtime and not an abstraction over one: futures,
//! timers and channels are tokio's, because tokio's time can be paused and
//! then *is* virtual time.
//!
//! | trait | what passes through it |
//! | --- | --- |
//! | [`Net`] | every connection and listener |
//! | [`Disk`] | every file |
//! | [`Clock`] | wall time (monotonic time is `tokio::time`) |
//! | [`Entropy`] | every random byte |
//! | [`Spawn`] | every task |
//! | [`Cpu`] | every computation or blocking call longer than a few hundred microseconds |
//!
//! [`http`] builds the HTTP client and server on these.

mod clock;
mod cpu;
mod disk;
mod entropy;
pub mod http;
mod net;
pub mod real;
mod spawn;
mod temporary;

use std::sync::Arc;

pub use clock::Clock;
pub use cpu::Cpu;
pub use disk::{BlockingFile, DirEntry, Disk, DiskLock, File, OpenMode, Replacement};
pub use entropy::Entropy;
pub use net::{BoxIo, Io, Listener, Net, split_host_port};
pub use spawn::{AbortOnDrop, Spawn, Task};
pub use temporary::{MemoryFile, RoomError};
pub use tokio_util::sync::CancellationToken;

/// Everything a component needs from the outside; cheap to clone.
#[derive(Clone)]
pub struct Env {
    /// Connections and listeners.
    pub net: Arc<dyn Net>,
    /// Files.
    pub disk: Arc<dyn Disk>,
    /// Wall time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// Tasks.
    pub spawn: Arc<dyn Spawn>,
    /// Long computations and blocking calls.
    pub cpu: Arc<dyn Cpu>,
}

impl Env {
    /// Starts a task that lives until it ends or is aborted through its handle.
    pub fn spawn<F>(&self, name: &'static str, future: F) -> Task
    where
        F: Future<Output = ()> + Send + 'static,
    {
        spawn::spawn(self.spawn.as_ref(), name, future)
    }

    /// Runs `compute` where it does not hold up the async tasks.
    ///
    /// `cost` is what the work is expected to take; only a simulation reads it,
    /// to let slow work meet timeouts.
    ///
    /// # Panics
    /// If `compute` panics.
    pub async fn compute<T, F>(&self, cost: std::time::Duration, compute: F) -> T
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        cpu::run(self.cpu.as_ref(), cost, compute).await
    }

    /// A random `u64` drawn for `purpose`.
    pub fn random_u64(&self, purpose: &str) -> u64 {
        let mut bytes = [0; 8];
        self.entropy.fill(purpose, &mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// Puts `items` in a random order drawn for `purpose` (Fisher-Yates).
    pub fn shuffle<T>(&self, purpose: &str, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            // The bias of a 64-bit remainder over a short list is far below anything observable.
            let other = (self.random_u64(purpose) % (last as u64 + 1)) as usize;
            items.swap(last, other);
        }
    }
}

impl std::fmt::Debug for Env {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Env")
    }
}
