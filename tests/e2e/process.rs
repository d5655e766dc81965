//! Running the binary: to its end, or in the background until killed.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::{
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use serde_json::Value;

/// The longest any command may take; a hang fails the test instead of stopping it.
const COMMAND_SECONDS_MAX: u64 = 300;

/// What a finished command said.
#[derive(Debug)]
pub struct Finished {
    pub code: i32,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Finished {
    /// The JSON object on standard output of a command that succeeded.
    pub fn json(&self) -> Value {
        assert_eq!(self.code, 0, "the command failed: {}", self.stderr);
        serde_json::from_slice(&self.stdout)
            .unwrap_or_else(|e| panic!("not JSON ({e}): {}", String::from_utf8_lossy(&self.stdout)))
    }

    /// The error object on standard error of a command that failed with `code`.
    pub fn error(&self, code: i32) -> Value {
        assert_eq!(self.code, code, "expected exit code {code}: {}", self.stderr);
        let line = self.stderr.lines().rev().find(|line| line.starts_with('{'));
        let line = line.unwrap_or_else(|| panic!("no error object: {}", self.stderr));
        serde_json::from_str::<Value>(line).unwrap()["error"].clone()
    }
}

/// The binary with its arguments, free of this process's own settings.
pub fn walrus(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_walrus"));
    command.current_dir(directory).stdin(Stdio::null());
    for name in ["WALRUS_CONFIG", "WALRUS_CONTEXT", "WALRUS_PRIVATE_KEY", "WALRUS_PASSWORD"] {
        command.env_remove(name);
    }
    // No configuration of the person who runs the tests.
    command.env("HOME", directory).env_remove("XDG_CONFIG_HOME").env_remove("XDG_STATE_HOME");
    command
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Finished {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let id = child.id();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    let Output { status, stdout, stderr } =
        match receiver.recv_timeout(Duration::from_secs(COMMAND_SECONDS_MAX)) {
            Ok(output) => output.unwrap(),
            Err(_) => {
                signal(id, "KILL");
                panic!("{command:?} did not end");
            }
        };
    Finished {
        code: status.code().unwrap_or(-1),
        stdout,
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    }
}

/// A process in the background, killed when dropped.
pub struct Background {
    child: Child,
}

impl Background {
    /// Starts a command that says when it is ready by one JSON object on standard output.
    pub fn start(command: &mut Command, log: &Path) -> (Self, Value) {
        let log_file = std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(log_file).spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let mut reader = BufReader::new(stdout);
            let _ = sender.send(first_object(&mut reader));
            // Keep the pipe open and empty, or the process would stop at a full one.
            let _ = std::io::copy(&mut reader, &mut std::io::sink());
        });
        let background = Self { child };
        let ready = receiver.recv_timeout(Duration::from_secs(COMMAND_SECONDS_MAX));
        let ready = ready.ok().flatten().unwrap_or_else(|| {
            let mut text = String::new();
            let _ = std::fs::File::open(log).and_then(|mut f| f.read_to_string(&mut text));
            panic!("{command:?} did not become ready: {text}")
        });
        (background, ready)
    }

    /// Starts a command without waiting for anything.
    pub fn start_unready(command: &mut Command) -> Self {
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Self { child }
    }

    /// The system's number of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends the process as a power cut would: without a chance to tidy up.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks the process to end, and waits until it has.
    pub fn stop(mut self) -> i32 {
        signal(self.child.id(), "TERM");
        self.child.wait().unwrap().code().unwrap_or(-1)
    }

    /// Freezes the process: it keeps its connections and answers nothing.
    pub fn freeze(&self) {
        signal(self.child.id(), "STOP");
    }

    /// Lets a frozen process go on.
    pub fn thaw(&self) {
        signal(self.child.id(), "CONT");
    }

    /// The exit code, if the process has ended.
    pub fn ended(&mut self) -> Option<i32> {
        self.child.try_wait().unwrap().map(|status| status.code().unwrap_or(-1))
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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

fn signal(process: u32, name: &str) {
    let status = Command::new("kill").args([format!("-{name}"), process.to_string()]).status();
    assert!(status.unwrap().success());
}

/// Waits until `condition` gives a value, asking ten times a second.
pub fn wait_for<T>(what: &str, seconds: u64, mut condition: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(seconds);
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < end, "waited {seconds} s in vain: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A port nobody listens on now and no other test of this process is given. Below the
/// range of outgoing connections, and apart from the ports local networks choose.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id() % 6_000;
    loop {
        let offset = (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 6_000;
        let port = u16::try_from(26_000 + offset).unwrap();
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
