//! Ours against the baseline, in turns.

use std::fmt;
use std::hint::black_box;
use std::time::Instant;

use serde_json::{Value, json};

/// What is called time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    /// That of the world: right for any number of threads, on a machine with nothing else to do.
    Wall,
    /// That of this thread on a processor, as Linux counts it: steadier on a machine that is shared,
    /// and blind to the work of other threads.
    Thread,
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Wall { "wall" } else { "processor" })
    }
}

impl Clock {
    /// Short operations are repeated until a turn takes about this long. The system brings a thread's
    /// time up to date only every few milliseconds.
    fn turn_ms(self) -> f64 {
        if self == Self::Wall { 20.0 } else { 200.0 }
    }

    /// How long something takes.
    fn time_ms<T>(self, work: impl FnOnce() -> T) -> (T, f64) {
        let (wall, before_ms) = (Instant::now(), thread_ms(self));
        let outcome = work();
        let time_ms = match self {
            Self::Wall => wall.elapsed().as_secs_f64() * 1000.0,
            Self::Thread => thread_ms(self) - before_ms,
        };
        (outcome, time_ms)
    }
}

/// This thread's time on a processor so far, if that is what the clock shows.
fn thread_ms(clock: Clock) -> f64 {
    if clock == Clock::Wall {
        return 0.0;
    }
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e6
}

/// What an operation gave, as bytes that must be the same on both sides.
pub(crate) trait Evidence {
    fn bytes(&self) -> Vec<u8>;
}

/// One line of the result.
pub(crate) struct Row {
    pub(crate) op: &'static str,
    pub(crate) n_shards: u16,
    pub(crate) blob_bytes: usize,
    pub(crate) threads: usize,
    pub(crate) engine: String,
    pub(crate) ours_ms: f64,
    pub(crate) naive_ms: f64,
}

impl Row {
    /// How many times faster ours is.
    pub(crate) fn ratio(&self) -> f64 {
        self.naive_ms / self.ours_ms
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "op": self.op,
            "n_shards": self.n_shards,
            "blob_bytes": self.blob_bytes,
            "threads": self.threads,
            "engine": self.engine,
            "ours_ms": self.ours_ms,
            "naive_ms": self.naive_ms,
            "ratio": self.ratio(),
        })
    }
}

/// One side of a contest, and the times it took.
struct Contender<'a, T> {
    clock: Clock,
    work: &'a mut dyn FnMut() -> T,
    calls: usize,
    times_ms: Vec<f64>,
}

impl<'a, T: Evidence> Contender<'a, T> {
    /// Runs once to see what comes out and how long it takes. A call longer than a second is its own
    /// warming up and counts.
    fn new(clock: Clock, work: &'a mut dyn FnMut() -> T) -> (Self, Vec<u8>) {
        let wall = Instant::now();
        let (outcome, time_ms) = clock.time_ms(&mut *work);
        // By the world's time, of which even the shortest call takes some.
        let wall_ms = wall.elapsed().as_secs_f64() * 1000.0;
        let calls = (clock.turn_ms() / wall_ms).ceil().clamp(1.0, 1e6) as usize;
        let times_ms = if time_ms > 1000.0 { vec![time_ms] } else { Vec::new() };
        (Self { clock, work, calls, times_ms }, outcome.bytes())
    }

    fn turn(&mut self) {
        let ((), time_ms) = self.clock.time_ms(|| {
            for _ in 0..self.calls {
                black_box((self.work)());
            }
        });
        self.times_ms.push(time_ms / self.calls as f64);
    }

    fn median_ms(mut self) -> f64 {
        self.times_ms.sort_by(f64::total_cmp);
        let middle = self.times_ms.len() / 2;
        if self.times_ms.len() % 2 == 1 {
            self.times_ms[middle]
        } else {
            f64::midpoint(self.times_ms[middle - 1], self.times_ms[middle])
        }
    }
}

/// Lets both sides work in turns, so that a drifting clock speed hits them alike, and returns the
/// median of a call of the baseline and of each of ours, in milliseconds.
///
/// # Panics
/// If they do not give the same.
pub(crate) fn contest<T: Evidence, U: Evidence>(
    clock: Clock,
    blob_bytes: usize,
    naive: &mut dyn FnMut() -> T,
    ours: &mut [&mut dyn FnMut() -> U],
) -> (f64, Vec<f64>) {
    let (mut naive, expected) = Contender::new(clock, naive);
    let mut contenders = Vec::new();
    for work in ours {
        let (contender, got) = Contender::new(clock, *work);
        assert!(got == expected, "ours and the baseline differ");
        contenders.push(contender);
    }
    let turns = match blob_bytes {
        0..=0x10_0000 => 7,
        0x10_0001..=0x400_0000 => 5,
        0x400_0001..=0x1000_0000 => 3,
        _ => 2,
    };
    for _ in 0..turns {
        naive.turn();
        contenders.iter_mut().for_each(Contender::turn);
    }
    (naive.median_ms(), contenders.into_iter().map(Contender::median_ms).collect())
}
