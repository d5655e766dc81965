//! Links between hosts, and the ports of each host.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, Weak},
    time::Duration,
};

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use tokio::sync::mpsc;
use walrus_env::BoxIo;

use super::connection::Connection;
use crate::{
    Seed,
    world::{End, lock},
};

/// How a link treats what crosses it, in one direction.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkProfile {
    /// Shortest and longest usual delay.
    pub latency: (Duration, Duration),
    /// Chance of a delay of up to ten times the longest usual one.
    pub tail: f64,
    /// Chance that a segment is lost and sent again.
    pub loss: f64,
    /// Chance that a segment resets its stream.
    pub reset: f64,
    /// Chance that a connection attempt is never answered.
    pub hang: f64,
    /// Bytes a second in each stream.
    pub bytes_per_second: u64,
}

impl Default for LinkProfile {
    /// A good link: 1-20 ms, nothing lost, 100 MB/s.
    fn default() -> Self {
        Self {
            latency: (Duration::from_millis(1), Duration::from_millis(20)),
            tail: 0.01,
            loss: 0.0,
            reset: 0.0,
            hang: 0.0,
            bytes_per_second: 100_000_000,
        }
    }
}

/// First wait before a lost segment is sent again; doubles.
pub(super) const FIRST_RETRANSMISSION: Duration = Duration::from_millis(200);
/// Longest wait between two attempts.
pub(super) const LAST_RETRANSMISSION: Duration = Duration::from_secs(20);
/// Streams waiting at a listener; further ones hear nothing and try again.
pub(super) const BACKLOG: usize = 128;

/// What became of a segment at the end of the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Arrives,
    Lost,
    Cut,
    Reset,
}

pub(super) type Backlog = mpsc::Sender<(BoxIo, String)>;

/// The links of the world. All are good until told otherwise.
pub struct Network(Mutex<State>);

struct State {
    seed: Seed,
    default_profile: LinkProfile,
    profiles: BTreeMap<(usize, usize), LinkProfile>,
    cut: BTreeSet<(usize, usize)>,
    streams: BTreeMap<(usize, usize), ChaCha8Rng>,
    ports: BTreeMap<(usize, u16), (u64, Backlog)>,
    connections: BTreeMap<u64, Weak<Connection>>,
    next: u64,
}

impl Network {
    pub(crate) fn new(seed: Seed) -> Self {
        Self(Mutex::new(State {
            seed,
            default_profile: LinkProfile::default(),
            profiles: BTreeMap::new(),
            cut: BTreeSet::new(),
            streams: BTreeMap::new(),
            ports: BTreeMap::new(),
            connections: BTreeMap::new(),
            next: 0,
        }))
    }

    // ---- what scenarios use; hosts are named by their index ----

    /// Sets how every link behaves that has no profile of its own.
    pub fn set_default(&self, profile: LinkProfile) {
        lock(&self.0).default_profile = profile;
    }

    /// Sets how the link from one host to another behaves.
    pub fn set(&self, from: usize, to: usize, profile: LinkProfile) {
        lock(&self.0).profiles.insert((from, to), profile);
    }

    /// Silences the link in one direction. Streams stay open and hear nothing.
    pub fn cut_one_way(&self, from: usize, to: usize) {
        lock(&self.0).cut.insert((from, to));
    }

    /// Silences the link in both directions.
    pub fn cut(&self, one: usize, other: usize) {
        self.cut_one_way(one, other);
        self.cut_one_way(other, one);
    }

    /// Undoes the cuts between two hosts.
    pub fn heal(&self, one: usize, other: usize) {
        let mut state = lock(&self.0);
        state.cut.remove(&(one, other));
        state.cut.remove(&(other, one));
    }

    /// Undoes every cut.
    pub fn heal_all(&self) {
        lock(&self.0).cut.clear();
    }

    /// Undoes every cut and every profile: from now on all links are good.
    pub fn calm(&self) {
        let mut state = lock(&self.0);
        state.cut.clear();
        state.profiles.clear();
        state.default_profile = LinkProfile::default();
    }

    // ---- what streams use ----

    /// The delay of one crossing, and the time that `bytes` occupy the link.
    pub(super) fn delay(&self, from: usize, to: usize, bytes: usize) -> (Duration, Duration) {
        let mut state = lock(&self.0);
        let profile = state.profile(from, to);
        let (low, high) = (profile.latency.0.as_micros(), profile.latency.1.as_micros());
        let rng = state.stream(from, to);
        let mut micros = rng.random_range(low as u64..=high as u64);
        if rng.random_bool(profile.tail) {
            micros += rng.random_range(0..=high as u64 * 10);
        }
        let occupied = bytes as u64 * 1_000_000_000 / profile.bytes_per_second.max(1);
        (Duration::from_micros(micros), Duration::from_nanos(occupied))
    }

    /// Decides about a segment that has crossed the link.
    pub(super) fn fate(&self, from: usize, to: usize) -> Fate {
        let mut state = lock(&self.0);
        if state.cut.contains(&(from, to)) {
            return Fate::Cut;
        }
        if from == to {
            return Fate::Arrives;
        }
        let profile = state.profile(from, to);
        let rng = state.stream(from, to);
        // Both are drawn always: a change of one rate must not shift the other's outcomes.
        let (lost, reset) = (rng.random_bool(profile.loss), rng.random_bool(profile.reset));
        match (lost, reset) {
            (true, _) => Fate::Lost,
            (false, true) => Fate::Reset,
            (false, false) => Fate::Arrives,
        }
    }

    /// Whether a connection attempt is never answered.
    pub(super) fn hangs(&self, from: usize, to: usize) -> bool {
        let mut state = lock(&self.0);
        let hang = state.profile(from, to).hang;
        from != to && state.stream(from, to).random_bool(hang)
    }

    // ---- ports and connections ----

    /// Registers a listener; port 0 picks a free one. None means that the port is taken.
    pub(super) fn bind(&self, host: usize, port: u16, backlog: Backlog) -> Option<(u16, u64)> {
        let mut state = lock(&self.0);
        let free = |port: &u16| !state.ports.contains_key(&(host, *port));
        let port =
            if port == 0 { (40_000..=60_000).find(free)? } else { Some(port).filter(free)? };
        state.next += 1;
        let id = state.next;
        state.ports.insert((host, port), (id, backlog));
        Some((port, id))
    }

    pub(super) fn unbind(&self, host: usize, port: u16, id: u64) {
        let mut state = lock(&self.0);
        if state.ports.get(&(host, port)).is_some_and(|(bound, _)| *bound == id) {
            state.ports.remove(&(host, port));
        }
    }

    pub(super) fn listener(&self, host: usize, port: u16) -> Option<Backlog> {
        lock(&self.0).ports.get(&(host, port)).map(|(_, backlog)| backlog.clone())
    }

    pub(super) fn next_connection(&self) -> u64 {
        let mut state = lock(&self.0);
        state.next += 1;
        state.next
    }

    pub(super) fn register(&self, id: u64, connection: &Arc<Connection>) {
        lock(&self.0).connections.insert(id, Arc::downgrade(connection));
    }

    pub(super) fn unregister(&self, id: u64) {
        lock(&self.0).connections.remove(&id);
    }

    /// A life of `host` is over: its ports close, and after a mere crash its kernel
    /// resets the streams; after a power cut nobody says anything.
    pub(crate) fn host_ended(&self, host: usize, end: End) {
        let (ports, connections) = {
            let mut state = lock(&self.0);
            let kept = state.ports.split_off(&(host, 0));
            let (closed, kept): (BTreeMap<_, _>, BTreeMap<_, _>) =
                kept.into_iter().partition(|((of, _), _)| *of == host);
            state.ports.extend(kept);
            let connections: Vec<_> =
                state.connections.values().filter_map(Weak::upgrade).collect();
            (closed, connections)
        };
        drop(ports);
        if end == End::Crash {
            for connection in connections {
                connection.reset_by(host);
            }
        }
    }
}

impl State {
    fn profile(&self, from: usize, to: usize) -> LinkProfile {
        self.profiles.get(&(from, to)).unwrap_or(&self.default_profile).clone()
    }

    fn stream(&mut self, from: usize, to: usize) -> &mut ChaCha8Rng {
        let seed = self.seed;
        self.streams
            .entry((from, to))
            .or_insert_with(|| seed.stream(&["link", &from.to_string(), &to.to_string()]))
    }
}
