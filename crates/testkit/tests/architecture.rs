//! The rules of `docs/ARCHITECTURE.md` that a compiler does not check.

#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// What each crate may depend on within the workspace, tests aside.
const ARROWS: &[(&str, &[&str])] = &[
    ("redstuff", &[]),
    ("redstuff-wasm", &["redstuff"]),
    ("core", &["redstuff"]),
    ("env", &[]),
    ("encryption", &[]),
    ("node-api", &["core", "env", "redstuff"]),
    ("chain", &["core", "env", "redstuff"]),
    ("devchain", &["env"]),
    ("node", &["chain", "core", "env", "node-api", "redstuff"]),
    ("sdk", &["chain", "core", "env", "node-api", "redstuff"]),
    ("gateway", &["chain", "core", "env", "node-api", "redstuff", "sdk"]),
    (
        "cli",
        &[
            "chain",
            "core",
            "devchain",
            "encryption",
            "env",
            "gateway",
            "node",
            "node-api",
            "redstuff",
            "sdk",
        ],
    ),
    ("testkit", &[]),
];

/// Crates that must be pure, and what they may use from outside the workspace.
const PURE: &[&str] = &["redstuff", "core"];

/// Dependencies that bring async, clocks, files or sockets.
const IMPURE_DEPENDENCIES: &[&str] = &[
    "tokio",
    "futures",
    "hyper",
    "axum",
    "redb",
    "tempfile",
    "getrandom",
    "mio",
    "chrono",
    "time",
];

/// Words that show async, clocks, files or sockets in a source file.
///
/// Of `std::net` only the sockets are impure; its address types parse text.
const IMPURE_WORDS: &[&str] = &[
    "async fn",
    "async move",
    ".await",
    "std::fs",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "ToSocketAddrs",
    "std::time",
    "std::thread",
    "std::env::var",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn manifest(directory: &Path) -> toml::Table {
    let path = directory.join("Cargo.toml");
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.parse().unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn dependencies(directory: &Path) -> BTreeSet<String> {
    let manifest = manifest(directory);
    let table = manifest.get("dependencies").and_then(|d| d.as_table());
    table.map(|table| table.keys().cloned().collect()).unwrap_or_default()
}

fn sources(directory: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty(), "no sources in {}", directory.display());
    found.sort();
    found
}

#[test]
fn arrows_between_crates_go_one_way() {
    // Otherwise the client could reach into the node, or everything would rebuild with the EVM.
    for (name, allowed) in ARROWS {
        let allowed: BTreeSet<String> = allowed.iter().map(|a| format!("walrus-{a}")).collect();
        for dependency in dependencies(&root().join("crates").join(name)) {
            if dependency.starts_with("walrus-") {
                assert!(allowed.contains(&dependency), "{name} must not depend on {dependency}");
            }
        }
    }
}

#[test]
fn every_crate_has_an_arrow() {
    // A crate left out of the table would be free of all rules.
    let named: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(named.contains(name.as_str()), "crates/{name} is missing in ARROWS");
    }
}

#[test]
fn pure_crates_have_no_async_clock_file_or_socket() {
    // What the encoder and the rules of the protocol say must depend on their arguments only.
    for name in PURE {
        let directory = root().join("crates").join(name);
        for dependency in dependencies(&directory) {
            assert!(
                !IMPURE_DEPENDENCIES.contains(&dependency.as_str()),
                "{name} must not depend on {dependency}"
            );
        }
        for (path, text) in sources(&directory.join("src")) {
            for (number, line) in text.lines().enumerate() {
                let code = line.split("//").next().unwrap_or_default();
                for word in IMPURE_WORDS {
                    assert!(!code.contains(word), "{}:{}: {word}", path.display(), number + 1);
                }
            }
        }
    }
}

#[test]
fn every_select_is_biased() {
    // An unbiased select draws from a generator that no seed controls.
    for directory in ["crates", "tests/sim"] {
        for (path, text) in sources(&root().join(directory)) {
            if path.ends_with("architecture.rs") {
                continue;
            }
            let mut rest = text.as_str();
            while let Some(at) = rest.find("select! {") {
                rest = &rest[at + "select! {".len()..];
                assert!(rest.trim_start().starts_with("biased;"), "{}", path.display());
            }
        }
    }
}

#[test]
fn only_the_chain_crate_knows_an_abi() {
    // A second place that encodes calls would drift from the contracts.
    for name in ["core", "node-api", "node", "sdk", "gateway", "cli", "devchain"] {
        for (path, text) in sources(&root().join("crates").join(name).join("src")) {
            assert!(!text.contains("sol!"), "{}", path.display());
        }
    }
}

#[test]
fn every_crate_follows_the_lint_table() {
    // Without this line a crate is free of `missing_docs` and of the ban on `unwrap`.
    for (name, _) in ARROWS {
        let manifest = manifest(&root().join("crates").join(name));
        let inherits = manifest["lints"].get("workspace").and_then(toml::Value::as_bool);
        assert_eq!(inherits, Some(true), "crates/{name}");
    }
}
