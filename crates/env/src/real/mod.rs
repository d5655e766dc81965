//! The operating system's answers: sockets, files, clocks, the kernel's random
//! generator, tokio's tasks and blocking threads.

// The one place where the rest of the workspace's forbidden calls are made.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod cpu;
mod disk;
mod net;
mod temporary;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures::future::BoxFuture;

use crate::{Clock, Entropy, Env, Spawn};

/// The real environment. Call it inside a tokio runtime.
pub fn env() -> Env {
    let parallelism = std::thread::available_parallelism().map_or(1, usize::from);
    Env {
        net: Arc::new(net::TokioNet),
        disk: Arc::new(disk::FileDisk),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(KernelEntropy),
        spawn: Arc::new(TokioSpawn),
        cpu: Arc::new(cpu::BlockingPool::new(parallelism)),
    }
}

struct SystemClock;

impl Clock for SystemClock {
    fn unix(&self) -> Duration {
        // A clock before 1970 is a broken machine; zero keeps every comparison defined.
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    }
}

struct KernelEntropy;

impl Entropy for KernelEntropy {
    fn fill(&self, _purpose: &str, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the kernel's random generator answers");
    }
}

struct TokioSpawn;

impl Spawn for TokioSpawn {
    fn spawn(&self, _name: &'static str, future: BoxFuture<'static, ()>) {
        tokio::spawn(future);
    }
}
