//! The world: hosts, virtual time and the trace.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use rand_chacha::ChaCha8Rng;
use tokio::{sync::watch, time::Instant};
use walrus_env::Env;

use crate::{
    Seed,
    disk::{DiskModel, SimDisk},
    life::{Life, SimEntropy, SimSpawn},
    machine::{SimClock, SimCpu},
    net::{Network, SimNet},
    trace::Trace,
};

/// Locks without regard to poison: a panic already failed the run.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Everything outside the code under test, made from one seed.
///
/// Cheap to clone. All hosts share one paused runtime, so time passes only when
/// every task waits.
#[derive(Clone)]
pub struct World(Arc<Shared>);

struct Shared {
    seed: Seed,
    start: Instant,
    trace: Mutex<Trace>,
    hosts: Mutex<Vec<Arc<Host>>>,
    network: Network,
    tasks: Arc<AtomicUsize>,
    failures: Mutex<Vec<String>>,
    opaque_bodies: bool,
}

impl World {
    /// A world without hosts. Call it inside a paused runtime.
    pub(crate) fn new(seed: Seed, trace: Trace, opaque_bodies: bool) -> Self {
        Self(Arc::new(Shared {
            seed,
            start: Instant::now(),
            trace: Mutex::new(trace),
            hosts: Mutex::default(),
            network: Network::new(seed),
            tasks: Arc::default(),
            failures: Mutex::default(),
            opaque_bodies,
        }))
    }

    /// The seed this world grows from.
    pub fn seed(&self) -> Seed {
        self.0.seed
    }

    /// A random stream for the scenario itself.
    pub fn stream(&self, purpose: &str) -> ChaCha8Rng {
        self.0.seed.stream(&["scenario", purpose])
    }

    /// Virtual time since the run began.
    pub fn elapsed(&self) -> Duration {
        self.0.start.elapsed()
    }

    /// The links between hosts.
    pub fn network(&self) -> &Network {
        &self.0.network
    }

    /// Adds a host, not yet booted, with an empty disk.
    ///
    /// # Panics
    /// If the name is taken.
    pub fn add_host(&self, name: &str) -> Arc<Host> {
        let mut hosts = lock(&self.0.hosts);
        assert!(hosts.iter().all(|host| host.name != name), "the host {name} exists");
        let (down, _) = watch::channel(true);
        let host = Arc::new(Host {
            world: Arc::downgrade(&self.0),
            index: hosts.len() + 1,
            name: name.to_owned(),
            powered: AtomicBool::new(false),
            lives: AtomicU32::new(0),
            life: Mutex::new(None),
            disk: Mutex::new(DiskModel::new(self.0.seed.stream(&["disk", name]))),
            clock_skew_ms: AtomicI64::new(0),
            power_cuts: AtomicU32::new(0),
            down,
        });
        hosts.push(host.clone());
        drop(hosts);
        self.note(&format!("host {} {name}", host.index));
        host
    }

    /// The host with this name.
    ///
    /// # Panics
    /// If there is none.
    pub fn host(&self, name: &str) -> Arc<Host> {
        self.find_host(name).unwrap_or_else(|| panic!("no host is called {name}"))
    }

    pub(crate) fn find_host(&self, name: &str) -> Option<Arc<Host>> {
        lock(&self.0.hosts).iter().find(|host| host.name == name).cloned()
    }

    /// Writes an event of the scenario (host 0) or of a host into the trace.
    pub fn event(&self, host: usize, kind: &str, fields: &[u64]) {
        lock(&self.0.trace).event(self.elapsed(), host, kind, fields);
    }

    /// Writes an event about bytes: their length and checksum, unless bodies are opaque.
    pub(crate) fn body_event(&self, host: usize, kind: &str, fields: &[u64], body: &[u8]) {
        let mut fields = fields.to_vec();
        if !self.0.opaque_bodies {
            fields.extend([body.len() as u64, u64::from(crc32c::crc32c(body))]);
        }
        self.event(host, kind, &fields);
    }

    /// Writes a line of free text into the trace: the fault plan, a step of the scenario.
    pub fn note(&self, text: &str) {
        lock(&self.0.trace).note(text);
    }

    /// Reports that the run failed, from places that cannot panic with effect.
    pub fn fail(&self, text: String) {
        self.note(&format!("failure: {text}"));
        lock(&self.0.failures).push(text);
    }

    pub(crate) fn failures(&self) -> Vec<String> {
        lock(&self.0.failures).clone()
    }

    pub(crate) fn trace(&self) -> MutexGuard<'_, Trace> {
        lock(&self.0.trace)
    }

    /// Counts a task of the world in, and out when the result is dropped.
    pub(crate) fn count_task(&self) -> CountedTask {
        self.0.tasks.fetch_add(1, Relaxed);
        CountedTask(self.0.tasks.clone())
    }

    /// Tasks started through the world that have not ended.
    pub(crate) fn counted_tasks(&self) -> usize {
        self.0.tasks.load(Relaxed)
    }

    /// Ends every life, hosts in order: what is left when the scenario is over.
    pub(crate) fn tear_down(&self) {
        let hosts = lock(&self.0.hosts).clone();
        for host in hosts {
            host.stop(End::PowerCut);
            host.bury();
        }
    }
}

/// Counts a task out when dropped.
pub(crate) struct CountedTask(Arc<AtomicUsize>);

impl Drop for CountedTask {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// How a life ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The process dies: the disk keeps everything written, peers get resets.
    Crash,
    /// The machine dies: unsynced writes and names may be lost, peers hear nothing.
    PowerCut,
}

/// A machine with a name, a disk that outlives crashes, and at most one life at a time.
pub struct Host {
    world: Weak<Shared>,
    pub(crate) index: usize,
    pub(crate) name: String,
    powered: AtomicBool,
    lives: AtomicU32,
    life: Mutex<Option<Arc<Life>>>,
    disk: Mutex<DiskModel>,
    clock_skew_ms: AtomicI64,
    power_cuts: AtomicU32,
    down: watch::Sender<bool>,
}

impl Host {
    /// The name other hosts connect to.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number that stands for the host in the trace.
    pub fn index(&self) -> usize {
        self.index
    }

    pub(crate) fn world(&self) -> World {
        World(self.world.upgrade().expect("the world outlives its hosts' tasks"))
    }

    /// Starts a new life. Whatever the process was told is told again through the result.
    ///
    /// # Panics
    /// If the host is up.
    pub fn boot(self: &Arc<Self>) -> Env {
        assert!(!self.is_up(), "{} is up already", self.name);
        self.bury();
        let number = self.lives.fetch_add(1, Relaxed) + 1;
        let life = Life::new(self.clone(), number);
        *lock(&self.life) = Some(life.clone());
        self.powered.store(true, Relaxed);
        self.down.send_replace(false);
        self.disk().reopen();
        self.world().event(self.index, "boot", &[u64::from(number)]);
        Env {
            net: Arc::new(SimNet::new(life.clone())),
            disk: Arc::new(SimDisk::new(life.clone())),
            clock: Arc::new(SimClock(life.clone())),
            entropy: Arc::new(SimEntropy(life.clone())),
            spawn: Arc::new(SimSpawn(life.clone())),
            cpu: Arc::new(SimCpu(life)),
        }
    }

    /// Kills the process and drops its tasks. The machine stays on.
    pub fn crash(self: &Arc<Self>) {
        self.stop(End::Crash);
        self.bury();
    }

    /// Cuts the power: unsynced writes and names may be lost.
    pub fn power_cut(self: &Arc<Self>) {
        self.stop(End::PowerCut);
        self.bury();
    }

    /// Ends the life without dropping its tasks; may be called by one of them.
    pub(crate) fn stop(self: &Arc<Self>, end: End) {
        let Some(life) = self.life() else { return };
        if !life.end() {
            return;
        }
        let world = self.world();
        let kind = if end == End::Crash { "crash" } else { "power" };
        world.event(self.index, kind, &[u64::from(life.number)]);
        if end == End::PowerCut {
            self.powered.store(false, Relaxed);
            self.power_cuts.fetch_add(1, Relaxed);
            let lost = self.disk().power_cut();
            world.event(self.index, "lost", &[lost.writes, lost.names]);
        }
        world.network().host_ended(self.index, end);
        self.down.send_replace(true);
    }

    /// Drops what an ended life left behind.
    fn bury(&self) {
        let ended = lock(&self.life).take_if(|life| !life.is_alive());
        if let Some(life) = ended {
            life.bury();
        }
    }

    /// Resolves when the host is down, for example after a crash aimed at a disk operation.
    pub async fn wait_down(&self) {
        // The sender lives in `self`, so waiting cannot fail.
        let _ = self.down.subscribe().wait_for(|down| *down).await;
        self.bury();
    }

    /// How often the power went so far.
    pub fn power_cuts(&self) -> u64 {
        u64::from(self.power_cuts.load(Relaxed))
    }

    /// Whether a process runs.
    pub fn is_up(&self) -> bool {
        self.current_life().is_some()
    }

    /// Whether a process ever ran.
    pub(crate) fn was_up(&self) -> bool {
        self.lives.load(Relaxed) > 0
    }

    /// Whether the machine answers at all, if only to refuse.
    pub(crate) fn is_powered(&self) -> bool {
        self.powered.load(Relaxed)
    }

    /// The life that would answer a connection.
    pub(crate) fn current_life(&self) -> Option<Arc<Life>> {
        self.life().filter(|life| life.is_alive())
    }

    fn life(&self) -> Option<Arc<Life>> {
        lock(&self.life).clone()
    }

    /// The disk, as the machine sees it: counters, faults, aims, what is durable.
    pub fn disk(&self) -> MutexGuard<'_, DiskModel> {
        lock(&self.disk)
    }

    /// Lets the wall clock be wrong by `skew_ms` milliseconds from now on.
    pub fn set_clock_skew_ms(&self, skew_ms: i64) {
        self.clock_skew_ms.store(skew_ms, Relaxed);
    }

    pub(crate) fn clock_skew_ms(&self) -> i64 {
        self.clock_skew_ms.load(Relaxed)
    }
}
