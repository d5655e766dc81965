//! An independent implementation of the chain, where one is installed: WALRUS_ANVIL is
//! the path of the `anvil` binary (npm package `@foundry-rs/anvil`).
#![allow(clippy::disallowed_methods)]

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

/// The secret key of anvil's first account.
pub const KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

/// A running anvil; ends when dropped.
pub struct Anvil {
    process: Child,
    pub url: String,
}

impl Anvil {
    /// Starts it, if it is installed.
    pub fn start() -> Option<Self> {
        let binary = std::env::var("WALRUS_ANVIL").ok()?;
        let mut process = Command::new(binary)
            .args(["--hardfork", "prague", "--port", "0", "--order", "fifo"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let url = lines
            .find_map(|line| {
                Some(format!("http://{}", line.unwrap().strip_prefix("Listening on ")?))
            })
            .unwrap();
        // Read on, or the pipe fills up and anvil stops.
        std::thread::spawn(move || lines.count());
        Some(Self { process, url })
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}
