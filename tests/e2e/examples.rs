//! The programs under `examples/`, against a real network.

use std::{path::Path, process::Command};

use crate::network::{DEPLOYER_KEY, Network, Shape};
use crate::process::run;

#[test]
fn examples_do_what_they_say() {
    // Somebody who starts from an example would start from one that does not work.
    let network = Network::start(Shape { nodes: 4, shards: 40, behind_proxies: false });
    for name in listed() {
        let program =
            Path::new(env!("CARGO_BIN_EXE_walrus")).with_file_name("examples").join(&name);
        assert!(program.exists(), "first: cargo build -p walrus-cli --examples");
        let mut command = Command::new(program);
        command
            .current_dir(network.path())
            .env("WALRUS_RPC", format!("http://127.0.0.1:{}", network.chain_port))
            .env("WALRUS_DEPLOYMENT", network.path().join("deployment.json"))
            .env("WALRUS_PRIVATE_KEY", DEPLOYER_KEY);
        let finished = run(&mut command);
        assert_eq!(finished.code, 0, "{name}: {}", finished.stderr);
        assert!(!finished.stdout.is_empty(), "{name} says nothing");
    }
}

/// The examples that the package has, each of which must be in the table of the README.
fn listed() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let files = std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path());
    let sources = files.filter(|path| path.extension().is_some_and(|end| end == "rs"));
    let mut names: Vec<_> =
        sources.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    let table = std::fs::read_to_string(root.join("README.md")).unwrap();
    for name in &names {
        assert!(table.contains(&format!("| `{name}` |")), "{name} is not in examples/README.md");
    }
    names
}
