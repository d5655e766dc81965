//! What the system says about this process's memory.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Time between two looks at anonymous memory, of which the system keeps no peak.
const INTERVAL: Duration = Duration::from_millis(5);

/// Watches this process's memory from its making on.
pub(crate) struct Watch {
    stop: Arc<AtomicBool>,
    anonymous_kib: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

/// The most memory that was resident at once.
#[derive(Clone, Copy)]
pub(crate) struct Peaks {
    /// All of it, pages of files included; kept by the system.
    pub(crate) resident_mib: f64,
    /// What belongs to no file, seen every few milliseconds.
    pub(crate) anonymous_mib: f64,
}

impl Watch {
    pub(crate) fn start() -> Self {
        // The system forgets the peak so far.
        fs::write("/proc/self/clear_refs", "5").unwrap();
        let (stop, anonymous_kib) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let thread = std::thread::spawn({
            let (stop, anonymous_kib) = (stop.clone(), anonymous_kib.clone());
            move || {
                while !stop.load(Ordering::Relaxed) {
                    anonymous_kib.fetch_max(status_kib("RssAnon:"), Ordering::Relaxed);
                    std::thread::sleep(INTERVAL);
                }
            }
        });
        Self { stop, anonymous_kib, thread }
    }

    pub(crate) fn end(self) -> Peaks {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        let mib = |kib: u64| kib as f64 / 1024.0;
        Peaks {
            resident_mib: mib(status_kib("VmHWM:")),
            anonymous_mib: mib(self.anonymous_kib.load(Ordering::Relaxed)),
        }
    }
}

fn status_kib(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches("kB").trim().parse().unwrap()
}
