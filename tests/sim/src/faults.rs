//! The fault plan of a run: drawn from the seed, written into the trace, carried out.

use std::{fmt, sync::Arc, time::Duration};

use futures::future::join_all;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use tokio::time::{Instant, sleep, sleep_until};

use crate::{DiskFaults, DiskOp, End, Host, LinkProfile, World};

/// Something that goes wrong at one moment. Hosts are positions in the list the plan was drawn for.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// A host's process or machine dies.
    Stop {
        /// Which one.
        host: usize,
        /// Whether unsynced data may go with it.
        end: End,
    },
    /// The power goes at a host's `count`-th disk operation of a kind from then on.
    Aim {
        /// Which host.
        host: usize,
        /// Kind of operation.
        op: DiskOp,
        /// How many operations later.
        count: u64,
    },
    /// Silence between two hosts.
    Cut {
        /// From here ...
        from: usize,
        /// ... to there ...
        to: usize,
        /// ... and back.
        both_ways: bool,
        /// For how long.
        lasting: Duration,
    },
    /// Silence between a host and all others.
    Isolate {
        /// Which host.
        host: usize,
        /// For how long.
        lasting: Duration,
    },
}

/// All that goes wrong in a run.
#[derive(Clone, Debug)]
pub struct FaultPlan {
    /// How links behave until the end of the faults.
    pub links: LinkProfile,
    /// What the hosts' disks do until the end of the faults.
    pub disks: DiskFaults,
    /// How wrong each host's clock is, in milliseconds.
    pub skews_ms: Vec<i64>,
    /// What happens when.
    pub faults: Vec<(Duration, Fault)>,
    /// When the last fault is over and every host stays up.
    pub until: Duration,
}

/// Longest time a stopped host stays down.
const MAX_DOWN_MS: u64 = 15_000;

impl FaultPlan {
    /// Draws a plan for `hosts` hosts of which only the first `crashing` are ever stopped.
    /// Each run leaves out a random half of the menu, so that faults do not hide each other.
    pub fn draw(rng: &mut ChaCha8Rng, hosts: usize, crashing: usize, until: Duration) -> Self {
        let mut menu = |rate: f64| if rng.random_bool(0.5) { rate } else { 0.0 };
        let links = LinkProfile {
            loss: menu(0.05),
            reset: menu(0.003),
            hang: menu(0.03),
            tail: 0.01 + menu(0.05),
            ..LinkProfile::default()
        };
        let disks = DiskFaults { failed_sync: menu(0.01), ..DiskFaults::default() };
        let kinds: Vec<u32> = (0..4).filter(|_| menu(1.0) > 0.0).collect();
        let skewed = menu(1.0) > 0.0;
        let skews_ms =
            (0..hosts).map(|_| if skewed { rng.random_range(-2_000..2_000) } else { 0 }).collect();
        let mut faults = Vec::new();
        for kind in kinds {
            for _ in 0..rng.random_range(1..4) {
                let at = Duration::from_millis(rng.random_range(0..until.as_millis() as u64));
                faults.push((at, Fault::draw(rng, kind, hosts, crashing)));
            }
        }
        faults.sort_by_key(|(at, _)| *at);
        Self { links, disks, skews_ms, faults, until }
    }

    /// Carries the plan out on `hosts` and returns when all faults are over and every
    /// host is up. `start` starts a host's work in the environment of a new life.
    ///
    /// Hosts that were not booted are booted at once.
    pub async fn carry_out(
        &self,
        world: &World,
        hosts: &[Arc<Host>],
        start: impl Fn(usize, &Arc<Host>),
    ) {
        world.note(&self.to_string());
        world.network().set_default(self.links.clone());
        for (host, skew) in hosts.iter().zip(&self.skews_ms) {
            host.set_clock_skew_ms(*skew);
            host.disk().set_faults(self.disks.clone());
        }
        let end = Instant::now() + self.until;
        let strike = |at: Duration, fault: &Fault| {
            let (fault, when) = (fault.clone(), end - self.until + at);
            async move {
                sleep_until(when).await;
                fault.strike(world, hosts).await;
            }
        };
        let faults = join_all(self.faults.iter().map(|(at, fault)| strike(*at, fault)));
        let supervisors = join_all(hosts.iter().enumerate().map(|(position, host)| {
            let start = &start;
            let mut rng = world.stream(&format!("supervisor {}", host.name()));
            async move {
                loop {
                    host.wait_down().await;
                    let down = Duration::from_millis(rng.random_range(0..MAX_DOWN_MS));
                    sleep(if host.was_up() { down } else { Duration::ZERO }).await;
                    start(position, host);
                }
            }
        }));
        let over = async {
            faults.await;
            sleep_until(end).await;
        };
        tokio::select! {
            biased;
            _ = supervisors => unreachable!("supervisors never end"),
            () = over => {}
        }
        world.network().calm();
        for (position, host) in hosts.iter().enumerate() {
            host.disk().clear_aim();
            // Lies go on: what was lost by them must still be found out.
            host.disk().set_faults(DiskFaults { failed_sync: 0.0, ..self.disks.clone() });
            host.set_clock_skew_ms(0);
            if !host.is_up() {
                start(position, host);
            }
        }
        world.note("faults are over");
    }
}

impl Fault {
    fn draw(rng: &mut ChaCha8Rng, kind: u32, hosts: usize, crashing: usize) -> Self {
        let lasting = Duration::from_millis(rng.random_range(500..20_000));
        let host = rng.random_range(0..crashing);
        match kind {
            0 => {
                let end = if rng.random_bool(0.7) { End::PowerCut } else { End::Crash };
                Self::Stop { host, end }
            }
            1 => {
                let (op, most) = [(DiskOp::Write, 200), (DiskOp::Sync, 40), (DiskOp::Rename, 8)]
                    [rng.random_range(0..3)];
                Self::Aim { host, op, count: rng.random_range(1..most) }
            }
            2 => {
                let (from, other) = (rng.random_range(0..hosts), rng.random_range(1..hosts));
                let to = (from + other) % hosts;
                Self::Cut { from, to, both_ways: rng.random_bool(0.6), lasting }
            }
            _ => Self::Isolate { host, lasting },
        }
    }

    async fn strike(&self, world: &World, hosts: &[Arc<Host>]) {
        match self {
            Self::Stop { host, end: End::Crash } => hosts[*host].crash(),
            Self::Stop { host, end: End::PowerCut } => hosts[*host].power_cut(),
            Self::Aim { host, op, count } => hosts[*host].disk().aim(*op, *count),
            Self::Cut { from, to, both_ways, lasting } => {
                let (from, to) = (hosts[*from].index(), hosts[*to].index());
                if *both_ways {
                    world.network().cut(from, to);
                } else {
                    world.network().cut_one_way(from, to);
                }
                sleep(*lasting).await;
                world.network().heal(from, to);
            }
            Self::Isolate { host, lasting } => {
                let host = hosts[*host].index();
                let others = || hosts.iter().map(|other| other.index()).filter(|o| *o != host);
                others().for_each(|other| world.network().cut(host, other));
                sleep(*lasting).await;
                others().for_each(|other| world.network().heal(host, other));
            }
        }
    }
}

impl fmt::Display for FaultPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { links, disks, skews_ms, faults, until } = self;
        write!(f, "plan until {until:?}: {links:?} {disks:?} skews {skews_ms:?}")?;
        for (at, fault) in faults {
            write!(f, "; at {at:?} {fault:?}")?;
        }
        Ok(())
    }
}
