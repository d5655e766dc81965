//! A chain, some nodes and a client with money, each a process of its own.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use serde_json::Value;

use crate::process::{Service, Usage, run};

/// The first of the development chain's well-known accounts.
const DEPLOYER_KEY: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
/// Ports below those that outgoing connections are given.
const PORTS: std::ops::Range<u16> = 20_000..26_000;

/// How a network is to be.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) nodes: u16,
    pub(crate) shards: u16,
    /// None to mine at every transaction.
    pub(crate) block_interval_ms: Option<u64>,
}

/// A network over TLS on this machine.
pub(crate) struct Cluster {
    walrus: PathBuf,
    dir: PathBuf,
    rpc: String,
    next_port: u16,
    pub(crate) chain: Service,
    /// Those that run; the first ones.
    pub(crate) nodes: Vec<Service>,
}

impl Cluster {
    /// Builds the network command by command, as its operators would.
    pub(crate) fn start(walrus: &Path, dir: &Path, shape: Shape) -> anyhow::Result<Self> {
        let mut next_port = PORTS.start + (std::process::id() % 5_000) as u16;
        let port = free_port(&mut next_port)?;
        let mut command = walrus_command(walrus, dir);
        command.args(["chain", "dev", "--dir", "chain", "--port", &port.to_string()]);
        if let Some(interval) = shape.block_interval_ms {
            command.args(["--block-interval-ms", &interval.to_string()]);
        }
        let chain = Service::start(&mut command, &dir.join("chain.log"))?;
        let rpc = format!("http://127.0.0.1:{port}");
        let (walrus, dir) = (walrus.to_owned(), dir.to_owned());
        let mut cluster = Self { walrus, dir, rpc, next_port, chain, nodes: Vec::new() };
        cluster.deploy(shape)?;
        for index in 0..shape.nodes {
            cluster.set_up_node(index)?;
        }
        cluster.client(&["chain", "genesis"])?;
        for index in 0..shape.nodes {
            cluster.start_node(index)?;
        }
        Ok(cluster)
    }

    fn deploy(&self, shape: Shape) -> anyhow::Result<()> {
        let (shards, nodes) = (shape.shards.to_string(), shape.nodes.to_string());
        self.client(&[
            "chain",
            "deploy",
            "--rpc",
            &self.rpc,
            "--shards",
            &shards,
            "--min-nodes",
            &nodes,
            "--out",
            "deployment.json",
        ])?;
        let config = format!(
            "[contexts.bench]\nrpc = [\"{}\"]\ndeployment = \"deployment.json\"\nstate_dir = \"state\"\n",
            self.rpc
        );
        Ok(fs::write(self.dir.join("walrus.toml"), config)?)
    }

    fn set_up_node(&mut self, index: u16) -> anyhow::Result<()> {
        let name = format!("node-{index}");
        let address = format!("127.0.0.1:{}", free_port(&mut self.next_port)?);
        let dir = self.dir.join(&name);
        let mut setup = walrus_command(&self.walrus, &self.dir);
        setup.args(["node", "setup", "--deployment", "deployment.json", "--weak-keystore"]);
        setup.args(["--name", &name, "--public-address", &address, "--rpc", &self.rpc]);
        let (report, _) = run(setup.arg("--dir").arg(&dir), &self.dir)?;
        let operator = report["operator"].as_str().context("no operator in the node's report")?;
        self.client(&["chain", "fund", operator])?;
        // It pays with the wallet in its directory.
        let mut register = walrus_command(&self.walrus, &self.dir);
        run(register.args(["node", "register", "--dir"]).arg(&dir), &self.dir)?;
        Ok(())
    }

    fn start_node(&mut self, index: u16) -> anyhow::Result<()> {
        let mut command = walrus_command(&self.walrus, &self.dir);
        command.args(["node", "run", "--dir"]).arg(self.dir.join(format!("node-{index}")));
        let log = self.dir.join(format!("node-{index}.log"));
        self.nodes.push(Service::start(&mut command, &log)?);
        Ok(())
    }

    /// Runs a client command with the funded wallet.
    pub(crate) fn client(&self, arguments: &[&str]) -> anyhow::Result<(Value, Usage)> {
        let mut command = walrus_command(&self.walrus, &self.dir);
        command.env("WALRUS_PRIVATE_KEY", DEPLOYER_KEY).args(arguments);
        run(&command, &self.dir)
    }

    /// The path of a file in the client's working directory.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Bytes of disk that the directories of all nodes take up, stopped ones too.
    pub(crate) fn disk_bytes(&self) -> anyhow::Result<u64> {
        let mut sum = 0;
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            let is_node = entry.file_name().to_string_lossy().starts_with("node-");
            if is_node && entry.file_type()?.is_dir() {
                sum += blocks(&entry.path())?;
            }
        }
        Ok(sum)
    }
}

fn blocks(directory: &Path) -> anyhow::Result<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        // Nodes remove temporary files at any time.
        let Ok(metadata) = entry.metadata() else { continue };
        sum += metadata.blocks() * 512;
        if metadata.is_dir() {
            sum += blocks(&entry.path())?;
        }
    }
    Ok(sum)
}

/// The binary, free of the settings of whoever runs this.
fn walrus_command(walrus: &Path, dir: &Path) -> Command {
    let mut command = Command::new(walrus);
    command.current_dir(dir).env("HOME", dir).arg("--json");
    for name in [
        "WALRUS_CONFIG",
        "WALRUS_CONTEXT",
        "WALRUS_PRIVATE_KEY",
        "WALRUS_PASSWORD",
        "XDG_CONFIG_HOME",
        "XDG_STATE_HOME",
    ] {
        command.env_remove(name);
    }
    command
}

fn free_port(next: &mut u16) -> anyhow::Result<u16> {
    for _ in PORTS {
        let port = *next;
        *next = if port + 1 == PORTS.end { PORTS.start } else { port + 1 };
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    anyhow::bail!("no free port in {PORTS:?}")
}
