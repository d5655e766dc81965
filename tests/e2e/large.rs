//! Files that do not fit into the client's memory.

use std::{
    fs,
    io::{Read, Write},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::Value;

use crate::{
    content,
    network::{Network, Shape, blob_id},
    process::{Background, Finished, run, wait_for},
};

/// More than the client may use, so that it cannot have been in memory.
const FILE_BYTES: usize = 320 << 20;
/// The most that the client process may have in memory at any time.
const PEAK_BYTES_MAX: u64 = 512 << 20;

/// The most memory that a process used so far, while it runs.
fn peak_bytes(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kibibytes << 10)
}

/// Runs a command to its end; what it said and its peak memory.
fn run_measured(command: &mut Command) -> (Value, u64) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut peak = 0;
    let status = loop {
        peak = peak.max(peak_bytes(child.id()).unwrap_or(0));
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let (mut stdout, mut stderr) = (Vec::new(), String::new());
    child.stdout.take().unwrap().read_to_end(&mut stdout).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    let finished = Finished { code: status.code().unwrap_or(-1), stdout, stderr };
    (finished.json(), peak)
}

fn same_contents(a: &Path, b: &Path) -> bool {
    let (mut a, mut b) = (fs::File::open(a).unwrap(), fs::File::open(b).unwrap());
    let (mut left, mut right) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    loop {
        let read = a.read(&mut left).unwrap();
        if read == 0 {
            return b.read(&mut right).unwrap() == 0;
        }
        if b.read_exact(&mut right[..read]).is_err() || left[..read] != right[..read] {
            return false;
        }
    }
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_file_larger_than_the_clients_memory_goes_there_and_back() {
    // A store that holds large files and asks for as much memory is one for large machines only.
    let network = Network::start(Shape { nodes: 10, shards: 1000, behind_proxies: false });
    let (large, back) = (network.path().join("large"), network.path().join("back"));
    let contents = content::random(71, FILE_BYTES);
    fs::write(&large, &contents).unwrap();
    let (stored, peak) = run_measured(&mut network.client_command(&["store", "large"]));
    println!("stored {FILE_BYTES} bytes with a peak of {} MiB", peak >> 20);
    assert!((1 << 20..PEAK_BYTES_MAX).contains(&peak), "storing took {peak} bytes of memory");
    let id = blob_id(&stored);
    let (_, peak) = run_measured(&mut network.client_command(&["read", &id, "--out", "back"]));
    println!("read it with a peak of {} MiB", peak >> 20);
    assert!((1 << 20..PEAK_BYTES_MAX).contains(&peak), "reading took {peak} bytes of memory");
    assert!(same_contents(&large, &back));

    // Part of it, without the rest.
    let arguments = ["read", &id, "--range", "100000000-100000099", "--out", "part"];
    let part = network.client(&arguments).json();
    assert!(fs::read(network.path().join("part")).unwrap() == contents[100_000_000..100_000_100]);
    assert!(part["bytes_fetched"].as_u64().unwrap() < FILE_BYTES as u64 / 20, "{part}");

    // What arrives in a pipe, and leaves in one.
    let mut store = network.client_command(&["store", "-"]);
    let mut store = store.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    store.stdin.take().unwrap().write_all(&contents).unwrap();
    let again: Value = serde_json::from_slice(&store.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!((blob_id(&again), &again["newly_created"]), (id.clone(), &Value::from(false)));
    let mut read = crate::process::walrus(network.path());
    let read = run(read.args(["--quiet", "read", &id]));
    assert!(read.code == 0 && read.stdout == contents, "{}", read.stderr);
}

#[test]
fn what_goes_wrong_with_large_files_leaves_nothing_behind() {
    // A full disk is found after years of use, and a half-written file long after that.
    let network = Network::start(Shape { nodes: 10, shards: 100, behind_proxies: false });
    let path = |name: &str| network.path().join(name);
    let contents = content::random(72, 52 << 20);
    fs::write(path("large"), &contents).unwrap();
    fs::create_dir(path("spill")).unwrap();
    let wal = || network.client(&["info"]).json()["wallet"]["wal"].clone();
    let before = wal();

    // No directory, and one with too little room.
    let missing = network.client(&["store", "large", "--spill-dir", "missing"]).error(1);
    assert!(missing["message"].as_str().unwrap().contains("missing"), "{missing}");
    let store = network.client_command(&["store", "large", "--spill-dir", "spill"]);
    if let Some(finished) = on_small_disk(&store, &path("spill")) {
        let message = finished.error(1)["message"].as_str().unwrap().to_owned();
        assert!(message.contains("spill has") && message.contains("are needed"), "{message}");
    }
    // Cut while it is read. The nodes see nothing of it, and nothing is paid.
    let mut arguments = vec!["store", "large", "--spill-dir", "spill", "--threads", "1"];
    let mut store = network.client_command(&arguments);
    let mut store = Background::start_unready(&mut store);
    while !has_open(store.id(), &path("spill")) {
        assert_eq!(store.ended(), None, "it ended before it put anything aside");
        std::thread::sleep(Duration::from_millis(1));
    }
    fs::OpenOptions::new().write(true).open(path("large")).unwrap().set_len(1 << 20).unwrap();
    let code = wait_for("the store ends", 120, || store.ended());
    assert_eq!((code, wal()), (1, before));
    assert!(names(&path("spill")).is_empty());

    // To where nothing can be written.
    fs::write(path("large"), &contents).unwrap();
    arguments.truncate(2);
    let id = blob_id(&network.client(&arguments).json());
    network.client(&["read", &id, "--out", "missing/back"]).error(1);
    fs::create_dir(path("out")).unwrap();
    network.client(&["read", &id, "--out", "out"]).error(2);
    let read = network.client_command(&["read", &id, "--out", "out/back"]);
    if let Some(finished) = on_small_disk(&read, &path("out")) {
        let message = finished.error(1)["message"].as_str().unwrap().to_owned();
        assert!(message.contains("out has") && message.contains("are needed"), "{message}");
    }
    // Stopped under way.
    let mut read = network.client_command(&["read", &id, "--out", "out/back"]);
    let read = Background::start_unready(&mut read);
    std::thread::sleep(Duration::from_millis(300));
    read.kill();
    let left = names(&path("out"));
    assert!(left.is_empty() || left == ["back"], "{left:?}");
    network.client(&["read", &id, "--out", "out/back"]).json();
    assert!(fs::read(path("out/back")).unwrap() == contents);
    assert_eq!(names(&path("out")), ["back"]);
}

/// Whether a process has a file open that is, or was, in a directory.
fn has_open(process: u32, directory: &Path) -> bool {
    let Ok(entries) = fs::read_dir(format!("/proc/{process}/fd")) else { return false };
    let mut targets = entries.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
    targets.any(|target| target.starts_with(directory))
}

/// Runs a command that finds a disk of 8 MiB in a directory; nothing where the system does
/// not let a test mount one.
fn on_small_disk(command: &Command, directory: &Path) -> Option<Finished> {
    let script = "mount -t tmpfs -o size=8m tmpfs \"$0\" || exit 77; exec \"$@\"";
    let mut mounting = Command::new("unshare");
    mounting.args(["-rm", "sh", "-c", script]).arg(directory);
    mounting.arg(command.get_program()).args(command.get_args());
    mounting.current_dir(command.get_current_dir()?).stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => mounting.env(name, value),
            None => mounting.env_remove(name),
        };
    }
    let probe = Command::new("unshare").args(["-rm", "true"]).status();
    if !probe.is_ok_and(|status| status.success()) {
        println!("no small disk can be made here: not tested");
        return None;
    }
    let finished = run(&mut mounting);
    assert_ne!(finished.code, 77, "the small disk was not mounted: {}", finished.stderr);
    Some(finished)
}
