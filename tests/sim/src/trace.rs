//! What happened, one line per event, and one hash over all of it.

// The trace goes to a real file when asked for: it is about the simulation, not inside it.
#![allow(clippy::disallowed_methods)]

use std::{
    collections::VecDeque,
    fmt::Write as _,
    fs::File,
    io::{BufWriter, Write as _},
    time::Duration,
};

/// Lines kept for a failure report.
const TAIL_LINES: usize = 1_000;
/// A run with more events than this is taken to be spinning.
const MAX_EVENTS: u64 = 20_000_000;

/// A running BLAKE2b-256 hash over every line, the last lines themselves, and
/// the whole text in a file when `SIM_TRACE` names one.
///
/// A line is `sequence nanoseconds host kind fields...`, integers but for the kind.
pub struct Trace {
    hash: blake2b_simd::State,
    events: u64,
    tail: VecDeque<String>,
    kept_lines: usize,
    file: Option<BufWriter<File>>,
    ended: bool,
}

impl Trace {
    /// An empty trace; `path` receives every line, `whole` keeps every line in memory.
    pub(crate) fn new(path: Option<&str>, whole: bool) -> Self {
        let file = path.map(|path| {
            let file = File::options().create(true).append(true).open(path);
            BufWriter::new(file.expect("the file named by SIM_TRACE can be written"))
        });
        Self {
            hash: blake2b_simd::Params::new().hash_length(32).to_state(),
            events: 0,
            tail: VecDeque::new(),
            kept_lines: if whole { usize::MAX } else { TAIL_LINES },
            file,
            ended: false,
        }
    }

    /// Adds a line of free text, for example the fault plan.
    pub(crate) fn note(&mut self, text: &str) {
        self.line(format!("# {text}\n"));
    }

    /// Adds an event.
    pub(crate) fn event(&mut self, time: Duration, host: usize, kind: &str, fields: &[u64]) {
        if self.ended {
            return;
        }
        self.events += 1;
        assert!(self.events < MAX_EVENTS, "more than {MAX_EVENTS} events: the run spins");
        let mut line = format!("{} {} {host} {kind}", self.events, time.as_nanos());
        for field in fields {
            write!(line, " {field}").expect("a string takes every write");
        }
        line.push('\n');
        self.line(line);
    }

    fn line(&mut self, line: String) {
        if self.ended {
            return;
        }
        self.hash.update(line.as_bytes());
        if let Some(file) = &mut self.file {
            file.write_all(line.as_bytes()).expect("the trace file takes every write");
        }
        if self.tail.len() == self.kept_lines {
            self.tail.pop_front();
        }
        self.tail.push_back(line);
    }

    /// Closes the trace: what the teardown of the world does is not part of the run.
    pub(crate) fn end(&mut self) {
        if !self.ended {
            let last = format!("# end {} {}\n", self.events, self.hash_hex());
            self.line(last);
            self.ended = true;
            if let Some(file) = &mut self.file {
                file.flush().expect("the trace file takes every write");
            }
        }
    }

    /// The number of events so far.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The hash over everything so far, in hexadecimal.
    pub fn hash_hex(&self) -> String {
        self.hash.finalize().to_hex().to_string()
    }

    /// The lines kept.
    pub(crate) fn take_lines(&mut self) -> Vec<String> {
        std::mem::take(&mut self.tail).into()
    }

    /// The last `count` lines.
    pub fn tail(&self, count: usize) -> String {
        let skip = self.tail.len().saturating_sub(count);
        self.tail.iter().skip(skip).map(String::as_str).collect()
    }
}
