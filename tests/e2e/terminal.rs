//! What is printed: to pipes that nobody reads to their end, to programs, to terminals.

use std::process::{Command, Stdio};

use crate::process::{run, walrus};

/// Runs a command whose standard output, or error, is a pipe that nobody reads any more.
pub fn into_closed_pipe(command: &mut Command, closes_stderr: bool) -> (i32, String) {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let second = writer.try_clone().unwrap();
    let stderr = if closes_stderr { Stdio::from(second) } else { Stdio::piped() };
    let child = command.stdout(writer).stderr(stderr).spawn().unwrap();
    let ended = child.wait_with_output().unwrap();
    (ended.status.code().unwrap_or(-1), String::from_utf8_lossy(&ended.stderr).into_owned())
}

#[test]
fn a_reader_that_leaves_early_is_no_panic() {
    // `walrus … | head -1` is what people type; a backtrace looks as if something were lost.
    let directory = tempfile::tempdir().unwrap();
    for arguments in [
        &["completions", "bash"][..],
        &["man", "--out", "pages"],
        &["keygen", "--out", "key"],
        &["--json", "keygen", "--out", "other"],
        &["--help"],
    ] {
        let ended = into_closed_pipe(walrus(directory.path()).args(arguments), false);
        assert_eq!(ended, (0, String::new()), "{arguments:?}");
    }
    assert!(directory.path().join("key").exists(), "what was asked for is done all the same");
    // An error stays an error, whether or not anybody hears of it.
    for json in [&[][..], &["--json"]] {
        let mut failing = walrus(directory.path());
        failing.args(json).args(["keygen", "--out", "key"]);
        assert_eq!(into_closed_pipe(&mut failing, true).0, 2);
    }
}

#[test]
fn a_result_that_cannot_be_written_is_an_error() {
    // A script would take an empty file on a full disk for the answer.
    let directory = tempfile::tempdir().unwrap();
    for arguments in [&["keygen", "--out", "key"][..], &["completions", "bash"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = walrus(directory.path());
        let child = command.args(arguments).stdout(full).stderr(Stdio::piped()).spawn().unwrap();
        let ended = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{text}");
        assert!(text.contains("standard output") && !text.contains("panicked"), "{text}");
    }
}

#[test]
fn wrong_usage_is_said_in_json_to_programs() {
    // A program that parses the error would fail over it, and hide what was wrong.
    let directory = tempfile::tempdir().unwrap();
    let command = |arguments: &[&str]| run(walrus(directory.path()).args(arguments));
    for (arguments, part) in [
        (&["--json", "store", "--epochs", "0", "f"][..], "--epochs"),
        (&["store", "--json", "--no-such-option", "f"], "--no-such-option"),
        (&["--json", "nosuch"], "nosuch"),
        (&["--json"], "subcommand"),
        (&["--json", "site"], "subcommand"),
    ] {
        let error = command(arguments).error(2);
        assert_eq!(error["kind"], "usage", "{error}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(part) && !message.starts_with("error:"), "{message}");
    }
    // People get sentences, and help is no error.
    for arguments in [&["nosuch"][..], &["cost", "--", "--json", "--json"]] {
        let said = command(arguments);
        assert!(said.code == 2 && !said.stderr.starts_with('{'), "{}", said.stderr);
    }
    for arguments in [["--json", "--help"], ["--json", "--version"]] {
        let said = command(&arguments);
        assert!(said.code == 0 && said.stdout.starts_with(b"S") || said.stdout.starts_with(b"w"));
        assert_eq!(said.stderr, "");
    }
}
