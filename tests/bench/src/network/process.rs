//! Processes that this one has started, and what they used.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{Signal, killpg};
use nix::sys::time::TimeValLike as _;
use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The longest a service may take to say that it is ready.
const READY_TIMEOUT: Duration = Duration::from_secs(120);

/// The first processes of the groups that run now.
static RUNNING: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// Kills everything that was started and still runs, and ends this process too.
pub(crate) fn abandon(scratch: &Path) -> ! {
    // Held to the end, so that nothing more is started.
    let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    running.iter().for_each(|id| kill(*id));
    // Those killed may still be writing for a moment.
    for _ in 0..20 {
        if fs::remove_dir_all(scratch).is_ok() {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    std::process::exit(130)
}

/// Kills a process and those it has started. One that has ended already needs nothing.
fn kill(id: u32) {
    if let Ok(id) = i32::try_from(id) {
        let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
    }
}

/// A process with a group of its own, killed when dropped.
pub(crate) struct Group {
    child: Child,
}

impl Group {
    fn spawn(command: &mut Command) -> anyhow::Result<Self> {
        // Locked over the start, or a signal in between would leave the process behind.
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        let child = command
            .process_group(0)
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        running.insert(child.id());
        Ok(Self { child })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        kill(self.child.id());
        let _ = self.child.wait();
        RUNNING.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.child.id());
    }
}

/// A process that serves until it is dropped.
pub(crate) struct Service {
    group: Group,
}

impl Service {
    /// Starts a command that says that it is ready by one JSON object on standard output.
    pub(crate) fn start(command: &mut Command, log: &Path) -> anyhow::Result<Self> {
        let log_file = OpenOptions::new().create(true).append(true).open(log)?;
        let mut group = Group::spawn(command.stdout(Stdio::piped()).stderr(log_file))?;
        let stdout = group.child.stdout.take().context("standard output is piped")?;
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let mut reader = BufReader::new(stdout);
            let _ = sender.send(first_object(&mut reader));
            // Kept open and empty, or the process would stop at a full pipe.
            let _ = std::io::copy(&mut reader, &mut std::io::sink());
        });
        let ready = receiver.recv_timeout(READY_TIMEOUT).ok().flatten();
        ready.ok_or_else(|| {
            let said = fs::read_to_string(log).unwrap_or_default();
            anyhow!("{command:?} did not become ready: {said}")
        })?;
        Ok(Self { group })
    }

    fn file(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.group.child.id()))
    }

    /// Seconds of processor time used so far, by threads that have ended too.
    pub(crate) fn cpu_seconds(&self) -> anyhow::Result<f64> {
        let id = Pid::from_raw(i32::try_from(self.group.child.id())?);
        let time = clock_gettime(clock_getcpuclockid(id)?)?;
        Ok(time.num_nanoseconds() as f64 / 1e9)
    }

    /// Forgets how much memory was used at most before now.
    pub(crate) fn reset_peak(&self) -> anyhow::Result<()> {
        Ok(fs::write(self.file("clear_refs"), "5")?)
    }

    /// The most memory that was resident since [`Self::reset_peak`], in bytes.
    pub(crate) fn peak_bytes(&self) -> anyhow::Result<u64> {
        let status = fs::read_to_string(self.file("status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
        Ok(kib.context("no VmHWM in the status of a process")? << 10)
    }
}

fn first_object(reader: &mut impl BufRead) -> Option<Value> {
    let mut text = String::new();
    while reader.read_line(&mut text).ok()? > 0 {
        if let Ok(value) = serde_json::from_str(&text) {
            return Some(value);
        }
    }
    None
}

/// What a process that has ended used.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Usage {
    pub(crate) wall_s: f64,
    pub(crate) cpu_s: f64,
    pub(crate) peak_bytes: u64,
}

/// Runs a command to its end; returns its JSON object, and what it used.
///
/// The system tells the peak memory of a process that has ended only as the highest of all children,
/// so a process in between has this one child.
pub(crate) fn run(command: &Command, scratch: &Path) -> anyhow::Result<(Value, Usage)> {
    let [usage, stdout, stderr] = ["usage.json", "stdout", "stderr"].map(|name| scratch.join(name));
    let mut observer = Command::new(std::env::current_exe()?);
    observer.arg("--observe").arg(&usage).arg("--").arg(command.get_program());
    observer.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => observer.env(name, value),
            None => observer.env_remove(name),
        };
    }
    if let Some(directory) = command.get_current_dir() {
        observer.current_dir(directory);
    }
    observer.stdout(File::create(&stdout)?).stderr(File::create(&stderr)?);
    let mut group = Group::spawn(&mut observer)?;
    let status = group.child.wait()?;
    let said = fs::read_to_string(&stderr)?;
    ensure!(status.success(), "{command:?} failed ({status}): {said}");
    let report = serde_json::from_slice(&fs::read(&stdout)?)
        .with_context(|| format!("{command:?} did not print one JSON object"))?;
    Ok((report, serde_json::from_slice(&fs::read(&usage)?)?))
}

/// The process in between: runs a command to its end, and writes down what it used.
pub(crate) fn observe(usage: &Path, command: &[String]) -> anyhow::Result<()> {
    let (program, arguments) = command.split_first().context("no command to observe")?;
    let start = Instant::now();
    let status = Command::new(program).args(arguments).status()?;
    let wall_s = start.elapsed().as_secs_f64();
    let used = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu = used.user_time().num_microseconds() + used.system_time().num_microseconds();
    let peak_bytes = u64::try_from(used.max_rss())? << 10;
    let used = Usage { wall_s, cpu_s: cpu as f64 / 1e6, peak_bytes };
    fs::write(usage, serde_json::to_vec(&used)?)?;
    std::process::exit(status.code().unwrap_or(1))
}
