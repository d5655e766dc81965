//! A network of separate processes: one chain, some nodes, a funded client.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::{Background, Finished, free_port, run, wait_for, walrus};

/// The first of the development chain's well-known accounts.
pub const DEPLOYER_KEY: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

/// How a network is to be.
#[derive(Clone, Copy)]
pub struct Shape {
    pub nodes: u16,
    pub shards: u16,
    /// Plain HTTP, and each node reached through a port that a test can put itself on.
    pub behind_proxies: bool,
}

/// One node: where it lives and, while it runs, its process.
pub struct NodeProcess {
    pub dir: PathBuf,
    /// Where others reach it.
    pub public_port: u16,
    /// Where it listens.
    pub bind_port: u16,
    pub process: Option<Background>,
}

/// A chain, its nodes, and a client with money.
pub struct Network {
    pub dir: TempDir,
    pub chain: Option<Background>,
    pub chain_port: u16,
    pub nodes: Vec<NodeProcess>,
}

impl Network {
    /// Builds the network command by command, as an operator would.
    pub fn start(shape: Shape) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let chain_port = free_port();
        let mut network = Self { dir, chain: None, chain_port, nodes: Vec::new() };
        network.start_chain();
        network.deploy(shape);
        network.write_config();
        for index in 0..shape.nodes {
            network.set_up_node(index, shape.behind_proxies);
        }
        network.client(&["chain", "genesis"]).json();
        for index in 0..network.nodes.len() {
            network.start_node(index);
        }
        network
    }

    /// Ten nodes of equal stake over TLS: a third of the shards is three of them.
    pub fn ten_nodes() -> Self {
        Self::start(Shape { nodes: 10, shards: 100, behind_proxies: false })
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn start_chain(&mut self) {
        let port = self.chain_port.to_string();
        let mut command = walrus(self.path());
        command.args(["--json", "chain", "dev", "--dir", "chain", "--port", &port]);
        let (process, _) = Background::start(&mut command, &self.path().join("chain.log"));
        self.chain = Some(process);
    }

    /// Lets the chain's time pass, and takes the steps of the epoch that are then due.
    pub fn pass_time(&self, seconds: u64) {
        self.ask_chain("evm_increaseTime", json!([seconds]));
        self.ask_chain("evm_mine", json!([]));
        self.client(&["chain", "crank"]).json();
    }

    /// What the chain answers to a question that no command asks.
    pub fn ask_chain(&self, method: &str, parameters: Value) -> Value {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": parameters });
        let body = body.to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", self.chain_port)).unwrap();
        write!(
            stream,
            "POST / HTTP/1.1\r\nhost: chain\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let answer: Value = serde_json::from_str(body).unwrap();
        assert!(answer.get("result").is_some(), "{answer}");
        answer["result"].clone()
    }

    /// The chain's epoch.
    pub fn epoch(&self) -> u64 {
        self.client(&["info"]).json()["epoch"].as_u64().unwrap()
    }

    fn rpc(&self) -> String {
        format!("http://127.0.0.1:{}", self.chain_port)
    }

    fn deploy(&self, shape: Shape) {
        let (rpc, shards, nodes) = (self.rpc(), shape.shards.to_string(), shape.nodes.to_string());
        let mut command = walrus(self.path());
        command.env("WALRUS_PRIVATE_KEY", DEPLOYER_KEY).args(["--json", "chain", "deploy"]);
        command.args(["--rpc", &rpc, "--shards", &shards, "--out", "deployment.json"]);
        // The first committee is of all nodes; a short epoch lets a test see the next one.
        command.args([
            "--min-nodes",
            &nodes,
            "--epoch-seconds",
            "3600",
            "--first-start-delay",
            "0",
        ]);
        run(&mut command).json();
    }

    fn write_config(&self) {
        let text = format!(
            "[contexts.test]\nrpc = [\"{}\"]\ndeployment = \"deployment.json\"\nstate_dir = \"state\"\n",
            self.rpc()
        );
        std::fs::write(self.path().join("walrus.toml"), text).unwrap();
        let plain = self.path().join("plain.toml");
        let text = std::fs::read_to_string(self.path().join("walrus.toml")).unwrap();
        std::fs::write(plain, format!("{text}plain_http = true\n")).unwrap();
    }

    fn set_up_node(&mut self, index: u16, behind_proxy: bool) {
        let bind_port = free_port();
        let public_port = if behind_proxy { free_port() } else { bind_port };
        let dir = self.path().join(format!("node-{index}"));
        let (rpc, name) = (self.rpc(), format!("node-{index}"));
        let public = format!("127.0.0.1:{public_port}");
        let bind = format!("127.0.0.1:{bind_port}");
        let mut setup = walrus(self.path());
        setup.args(["--json", "node", "setup", "--name", &name, "--deployment", "deployment.json"]);
        setup.arg("--weak-keystore");
        // As an operator would name it: relative to here.
        setup.args(["--public-address", &public, "--bind", &bind, "--rpc", &rpc, "--dir", &name]);
        if behind_proxy {
            setup.arg("--plain-http");
        }
        let operator = run(&mut setup).json()["operator"].as_str().unwrap().to_owned();
        self.client(&["chain", "fund", &operator]).json();
        let mut register = walrus(self.path());
        register.args(["--json", "node", "register", "--dir", &name]);
        run(&mut register).json();
        self.nodes.push(NodeProcess { dir, public_port, bind_port, process: None });
    }

    pub fn start_node(&mut self, index: usize) {
        let node = &self.nodes[index];
        let mut command = walrus(self.path());
        command.args(["--json", "node", "run", "--dir"]).arg(&node.dir);
        let log = self.path().join(format!("node-{index}.log"));
        let (process, _) = Background::start(&mut command, &log);
        self.nodes[index].process = Some(process);
    }

    pub fn kill_node(&mut self, index: usize) {
        self.nodes[index].process.take().expect("the node runs").kill();
    }

    /// A client command with the funded wallet, not yet started.
    pub fn client_command(&self, arguments: &[&str]) -> Command {
        let mut command = walrus(self.path());
        if self.nodes.first().is_some_and(|node| node.public_port != node.bind_port) {
            command.args(["--config", "plain.toml"]);
        }
        command.env("WALRUS_PRIVATE_KEY", DEPLOYER_KEY).arg("--json").args(arguments);
        command
    }

    /// Runs a client command with the funded wallet.
    pub fn client(&self, arguments: &[&str]) -> Finished {
        run(&mut self.client_command(arguments))
    }

    /// Writes a file and stores it; the report of the store.
    pub fn store(&self, name: &str, contents: &[u8]) -> Value {
        std::fs::write(self.path().join(name), contents).unwrap();
        self.client(&["store", name]).json()
    }

    /// Whether a node would sign that it holds every sliver of its shards.
    pub fn holds(&self, blob_id: &str, node: usize) -> bool {
        let report = self.client(&["blob-status", blob_id, "--nodes"]).json();
        let name = format!("node-{node}");
        let nodes = report["nodes"].as_array().unwrap();
        nodes.iter().any(|n| n["name"] == name.as_str() && n["holds"] == true)
    }

    /// Waits until a node has healed.
    pub fn wait_until_held(&self, blob_id: &str, node: usize) {
        wait_for("the node holds the blob", 120, || self.holds(blob_id, node).then_some(()));
    }

    /// Reads a blob back.
    pub fn read(&self, blob_id: &str) -> Vec<u8> {
        let report = self.client(&["read", blob_id, "--out", "read.out"]);
        report.json();
        std::fs::read(self.path().join("read.out")).unwrap()
    }
}

/// The blob id in a report.
pub fn blob_id(report: &Value) -> String {
    report["blob_id"].as_str().unwrap_or_else(|| panic!("no blob id in {report}")).to_owned()
}
