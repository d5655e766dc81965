//! Every command of the guides, run as a reader would run it.
//!
//! In `docs/guides/*.md` a block marked `sh` is run; what follows it in the same guide
//! goes on in the same shell, in a directory that was empty at first. A block marked
//! `sh keep` is for a terminal of its own: it starts something that says how to stop it
//! (`Ctrl-C`) and runs until the guide's end. Other blocks are only looked at. The ports
//! that the guides name are replaced by free ones, so that tests can run beside each other.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::process::{free_port, wait_for};

/// What a guide asks its reader to do, in order.
#[derive(Debug, PartialEq)]
enum Step {
    /// Lines for the reader's shell.
    Run(String),
    /// Lines for a terminal of their own.
    Keep(String),
}

/// A process group that goes away with everything it started.
struct Terminal(Child);

impl Drop for Terminal {
    fn drop(&mut self) {
        // The group, not the shell alone: the shell waits for what it started.
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill").args(["-TERM", "--", &group]).status();
        let _ = self.0.wait();
    }
}

#[test]
fn first_ten_minutes() {
    // A newcomer would type something that does not work.
    follow("first-ten-minutes");
}

#[test]
fn store_and_share() {
    follow("store-and-share");
}

#[test]
fn keep_it_private() {
    follow("keep-it-private");
}

#[test]
fn keep_it_alive() {
    follow("keep-it-alive");
}

#[test]
fn build_an_app() {
    follow("build-an-app");
}

#[test]
fn run_a_gateway() {
    follow("run-a-gateway");
}

#[test]
fn run_a_node() {
    follow("run-a-node");
}

#[test]
fn every_guide_is_followed() {
    // A guide would be added, or renamed, and nobody would run its commands.
    let names = std::fs::read_dir(guides()).unwrap().map(|entry| entry.unwrap().file_name());
    for name in names.map(|name| name.into_string().unwrap()) {
        let guide = name.trim_end_matches(".md").to_owned();
        let steps = steps(&std::fs::read_to_string(guides().join(&name)).unwrap());
        let test = format!("follow(\"{guide}\")");
        assert!(steps.is_empty() || include_str!("guides.rs").contains(&test), "no {test}");
    }
}

#[test]
fn blocks_are_told_apart() {
    // A block for a terminal of its own would stop the guide for ever.
    let guide = "Text\n```sh\na\n```\n```text\nb\n```\n```sh keep\nc\nd\n```\n";
    assert_eq!(steps(guide), [Step::Run("a\n".into()), Step::Keep("c\nd\n".into())]);
}

/// Does what a guide says, and fails where it fails.
fn follow(guide: &str) {
    let text = std::fs::read_to_string(guides().join(guide).with_extension("md")).unwrap();
    for program in ["bash", "curl", "python3"] {
        if (program == "bash" || text.contains(program)) && !is_there(program) {
            println!("NOT CHECKED: docs/guides/{guide}.md needs {program}");
            return;
        }
    }
    let ports = ports();
    let directory = tempfile::tempdir().unwrap();
    let mut terminals = Vec::new();
    let mut script = String::from("set -euo pipefail\nshopt -s expand_aliases\n");
    for step in steps(&text) {
        match step {
            Step::Run(lines) => script.push_str(&lines),
            Step::Keep(lines) => {
                run(guide, &with_ports(&script, &ports), directory.path());
                // What was run is not run again; what it set is set again.
                script = settings(&script);
                let lines = format!("{script}{lines}");
                terminals.push(keep(
                    guide,
                    &with_ports(&lines, &ports),
                    directory.path(),
                    terminals.len(),
                ));
            }
        }
    }
    run(guide, &with_ports(&script, &ports), directory.path());
}

fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

/// The lines that a reader repeats in a new terminal.
fn settings(script: &str) -> String {
    let kept = |line: &&str| {
        ["set ", "shopt ", "export ", "alias "].iter().any(|start| line.starts_with(start))
    };
    script.lines().filter(kept).fold(String::new(), |mut all, line| {
        let _ = writeln!(all, "{line}");
        all
    })
}

fn run(guide: &str, script: &str, directory: &Path) {
    let output = shell(&format!("set -x\n{script}"), directory).output().unwrap();
    assert!(
        output.status.success(),
        "docs/guides/{guide}.md\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Starts what is to be kept running, and waits until it says how to stop it.
fn keep(guide: &str, script: &str, directory: &Path, number: usize) -> Terminal {
    let log = directory.join(format!(".terminal-{number}"));
    let output = std::fs::File::create(&log).unwrap();
    let mut command = shell(script, directory);
    command.stdout(output.try_clone().unwrap()).stderr(output);
    let mut terminal = Terminal(command.spawn().unwrap());
    wait_for("something to keep running", 120, || {
        let said = std::fs::read_to_string(&log).unwrap();
        assert!(terminal.0.try_wait().unwrap().is_none(), "docs/guides/{guide}.md\n{said}");
        said.contains("Ctrl-C").then_some(())
    });
    terminal
}

/// A shell as the reader's, in `directory`, with this build's `walrus` on its path and a
/// process group of its own.
fn shell(script: &str, directory: &Path) -> Command {
    use std::os::unix::process::CommandExt as _;
    let walrus = Path::new(env!("CARGO_BIN_EXE_walrus"));
    let path = std::env::join_paths(
        std::iter::once(walrus.parent().unwrap().to_owned())
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    let mut command = Command::new("bash");
    command.args(["-c", script]).current_dir(directory).stdin(Stdio::null()).process_group(0);
    for name in ["WALRUS_CONFIG", "WALRUS_CONTEXT", "WALRUS_PRIVATE_KEY", "WALRUS_PASSWORD"] {
        command.env_remove(name);
    }
    command.env("HOME", directory).env_remove("XDG_CONFIG_HOME").env_remove("XDG_STATE_HOME");
    // The project's own files, for guides that show code.
    command.env("PATH", path.unwrap()).env("WALRUS_SOURCE", root());
    command
}

/// The steps of a guide.
fn steps(text: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(kind) = line.strip_prefix("```") else { continue };
        let block = lines.by_ref().take_while(|line| *line != "```");
        let block = block.fold(String::new(), |all, line| all + line + "\n");
        match kind {
            "sh" => steps.push(Step::Run(block)),
            "sh keep" => steps.push(Step::Keep(block)),
            _ => {}
        }
    }
    steps
}

/// A free port for each one that guides name, and for those of `walrus local`.
fn ports() -> BTreeMap<&'static str, String> {
    const NAMED: [&str; 9] =
        ["8545", "31415", "31416", "31417", "9185", "9186", "9187", "9188", "9189"];
    NAMED.into_iter().map(|port| (port, free_port().to_string())).collect()
}

fn with_ports(script: &str, ports: &BTreeMap<&str, String>) -> String {
    let script =
        script.replace("walrus local", "walrus local --rpc-port 8545 --gateway-port 31415");
    ports.iter().fold(script, |script, (named, free)| script.replace(named, free))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn guides() -> PathBuf {
    root().join("docs/guides")
}
