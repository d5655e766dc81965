//! Runs a scenario: one fresh thread, one paused runtime, one seed.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use crate::{Seed, World, shim, trace::Trace, world::lock};

/// Format of the trace; part of its first line.
const FORMAT: u32 = 1;
/// Lines of the trace shown when a run fails.
const SHOWN: usize = 60;

/// What to run.
#[derive(Clone, Debug)]
pub struct Run {
    /// The seed everything follows from.
    pub seed: Seed,
    /// The name of the test, which the replay command repeats.
    pub scenario: &'static str,
    /// Virtual time after which the run has failed.
    pub limit: Duration,
    /// Leaves checksums and lengths of bodies out of the trace: the bytes of TLS come
    /// from a generator that asks the kernel directly.
    pub opaque_bodies: bool,
}

/// What a run was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report<T> {
    /// What the scenario returned.
    pub value: T,
    /// Hash over the trace: equal runs have equal hashes.
    pub trace: String,
    /// Events in the trace.
    pub events: u64,
    /// Virtual time that passed.
    pub elapsed: Duration,
}

/// Why a run failed, with all that is needed to see it again.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The seed of the run.
    pub seed: Seed,
    /// What went wrong.
    pub message: String,
    /// The command that repeats the run.
    pub replay: String,
    /// The last lines of the trace.
    pub tail: String,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { seed, message, replay, tail } = self;
        write!(f, "seed {seed} failed: {message}\nreplay: {replay}\nlast events:\n{tail}")
    }
}

impl Run {
    /// A run of at most an hour of virtual time, with bodies in the trace.
    pub fn new(scenario: &'static str, seed: u64) -> Self {
        let limit = Duration::from_secs(3600);
        Self { seed: Seed(seed), scenario, limit, opaque_bodies: false }
    }

    /// Runs the scenario and panics with the whole [`Failure`] when it fails.
    ///
    /// # Panics
    /// When the scenario, or any task of any host, panics.
    pub fn check<T, F>(&self, scenario: impl FnOnce(World) -> F + Send) -> Report<T>
    where
        T: Send,
        F: Future<Output = T>,
    {
        self.execute(scenario).unwrap_or_else(|failure| panic!("{failure}"))
    }

    /// Runs the scenario twice and panics with the first event that differs. Where the
    /// system calls of [`is_linked`](crate::is_linked) cannot be replaced, nothing is compared.
    ///
    /// # Panics
    /// When a run fails or the two traces differ.
    pub fn check_repeats<T, F>(&self, scenario: impl Fn(World) -> F + Send + Sync) -> Report<T>
    where
        T: Send,
        F: Future<Output = T>,
    {
        let run = || self.on_fresh_thread(&scenario, true);
        let (first, lines) = run().unwrap_or_else(|failure| panic!("{failure}"));
        let (second, again) = run().unwrap_or_else(|failure| panic!("{failure}"));
        if shim::is_linked() && first.trace != second.trace {
            let same = lines.iter().zip(&again).take_while(|(one, other)| one == other).count();
            let show = |lines: &[String]| {
                let from = same.saturating_sub(5).min(lines.len());
                lines[from..lines.len().min(same + 5)].concat()
            };
            let (seed, one, other) = (self.seed, show(&lines), show(&again));
            panic!("seed {seed} does not repeat from line {same} on:\n{one}--- and then\n{other}");
        }
        first
    }

    /// Runs the scenario.
    ///
    /// # Errors
    /// When the scenario, or any task of any host, panics; when it takes longer than
    /// the limit; when a task is left that no host started.
    pub fn execute<T, F>(
        &self,
        scenario: impl FnOnce(World) -> F + Send,
    ) -> Result<Report<T>, Failure>
    where
        T: Send,
        F: Future<Output = T>,
    {
        self.on_fresh_thread(scenario, false).map(|(report, _)| report)
    }

    /// Runs the scenario on a thread with fresh thread-locals: hash keys, caches, generators.
    fn on_fresh_thread<T, F>(
        &self,
        scenario: impl FnOnce(World) -> F + Send,
        whole_trace: bool,
    ) -> Result<(Report<T>, Vec<String>), Failure>
    where
        T: Send,
        F: Future<Output = T>,
    {
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| self.on_this_thread(scenario, whole_trace));
            thread.join().expect("panics are caught inside")
        })
    }

    fn on_this_thread<T, F>(
        &self,
        scenario: impl FnOnce(World) -> F,
        whole_trace: bool,
    ) -> Result<(Report<T>, Vec<String>), Failure>
    where
        F: Future<Output = T>,
    {
        shim::enter(self.seed.0);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime without I/O needs nothing from the system");
        let world = {
            let _entered = runtime.enter();
            shim::start_clock(tokio::time::Instant::now());
            World::new(self.seed, self.trace(whole_trace), self.opaque_bodies)
        };
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            runtime.block_on(async {
                let outcome = tokio::time::timeout(self.limit, scenario(world.clone())).await;
                let stray = runtime.metrics().num_alive_tasks().abs_diff(world.counted_tasks());
                let elapsed = world.elapsed();
                world.trace().end();
                (outcome, stray, elapsed)
            })
        }));
        let result = self.judge(&world, outcome);
        // Still inside the thread and outside the trace; drop order does not matter any more.
        runtime.block_on(async { world.tear_down() });
        drop(runtime);
        result
    }

    fn judge<T>(
        &self,
        world: &World,
        outcome: std::thread::Result<(Result<T, tokio::time::error::Elapsed>, usize, Duration)>,
    ) -> Result<(Report<T>, Vec<String>), Failure> {
        let mut messages = world.failures();
        let mut trace = world.trace();
        match outcome {
            Ok((Ok(value), 0, elapsed)) if messages.is_empty() => {
                let (events, hash) = (trace.events(), trace.hash_hex());
                let report = Report { value, trace: hash, events, elapsed };
                return Ok((report, trace.take_lines()));
            }
            Ok((Ok(_), 0, _)) => {}
            Ok((Ok(_), stray, _)) => {
                messages.push(format!("{stray} tasks were not started through the environment"));
            }
            Ok((Err(_), ..)) => messages.push(format!("no end within {:?}", self.limit)),
            Err(panic) => messages.push(crate::life::panic_text(panic.as_ref()).to_owned()),
        }
        let message = messages.join("; ");
        let Self { seed, scenario, .. } = self;
        let replay = format!("SIM_SEED={seed} cargo test -p walrus-sim {scenario}");
        Err(Failure { seed: *seed, message, replay, tail: trace.tail(SHOWN) })
    }

    // The simulation's own settings come from its caller's environment.
    #[allow(clippy::disallowed_methods)]
    fn trace(&self, whole: bool) -> Trace {
        let path = std::env::var("SIM_TRACE").ok();
        let mut trace = Trace::new(path.as_deref(), whole);
        let Self { seed, scenario, .. } = self;
        let lock = crc32c::crc32c(include_bytes!("../../../Cargo.lock"));
        trace.note(&format!("format {FORMAT} seed {seed} scenario {scenario} lock {lock:08x}"));
        trace
    }
}

/// The seeds a test runs: `SIM_SEED` alone when set, else `SIM_SEEDS` of them
/// (or `default_count`) from 1 on.
// The simulation's own settings come from its caller's environment.
#[allow(clippy::disallowed_methods)]
pub fn seeds(default_count: u64) -> Vec<u64> {
    let number = |name| std::env::var(name).ok()?.parse().ok();
    if let Some(seed) = number("SIM_SEED") {
        return vec![seed];
    }
    (1..=number("SIM_SEEDS").unwrap_or(default_count)).collect()
}

/// Runs every seed, as many at once as there are processors; results in the seeds' order.
/// Runs do not touch each other: each has its thread and its world.
pub fn for_each_seed<T: Send>(seeds: &[u64], run: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    let work = || {
        while let Some(seed) = seeds.get(next.fetch_add(1, Relaxed)) {
            let result = run(*seed);
            lock(&results).push((*seed, result));
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers.min(seeds.len()) {
            scope.spawn(work);
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(seed, _)| *seed);
    results.into_iter().map(|(_, result)| result).collect()
}
