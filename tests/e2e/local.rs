//! A network run by `walrus local`, as a user has it.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::process::{Background, Finished, free_port, run, walrus};

/// A local network with four nodes and ten shards, in a directory of its own.
pub struct Local {
    directory: TempDir,
    rpc_port: u16,
    running: Option<Background>,
}

impl Local {
    /// Starts it, with more arguments.
    pub fn start(more: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut local = Self { directory, rpc_port: free_port(), running: None };
        local.run(more);
        local
    }

    /// Starts it again where it was stopped.
    pub fn run(&mut self, more: &[&str]) {
        let log = self.path().join("local.log");
        self.running = Some(Background::start(self.command("4").args(more), &log).0);
    }

    /// The command that starts it, with so many nodes.
    pub fn command(&self, nodes: &str) -> Command {
        let mut command = walrus(self.path());
        command.args(["--json", "local", "--dir", "net", "--shards", "10", "--nodes", nodes]);
        command.args(["--gateway-port", "0", "--rpc-port", &self.rpc_port.to_string()]);
        command
    }

    /// The process.
    pub fn take(&mut self) -> Background {
        self.running.take().unwrap()
    }

    /// Runs a command of a client.
    pub fn client(&self, arguments: &[&str]) -> Finished {
        let mut command = walrus(self.path());
        run(command.args(["--json", "--config", "net/walrus.toml"]).args(arguments))
    }

    /// Where clients' files are.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A new file for clients.
    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, contents).unwrap();
        path
    }
}
