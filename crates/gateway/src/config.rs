//! What a gateway does, and how much of it.

use std::path::PathBuf;
use std::time::Duration;

/// The parts of a gateway that run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roles {
    /// Serves blobs.
    pub aggregator: bool,
    /// Stores blobs at its own cost.
    pub publisher: bool,
    /// Encodes and uploads blobs that others registered.
    pub relay: bool,
    /// Serves the web page and the way to the chain that it needs.
    pub page: bool,
}

impl Roles {
    /// Everything.
    pub const ALL: Self = Self { aggregator: true, publisher: true, relay: true, page: true };
}

/// How a gateway is to be.
#[derive(Clone, Debug)]
pub struct GatewayConfig {
    /// Where it listens, as `host:port`.
    pub bind: String,
    /// What it does.
    pub roles: Roles,
    /// Where it keeps what it cached and what is on its way. Made if missing; nobody else
    /// may use it.
    pub directory: PathBuf,
    /// A key that the page may use by itself, as 0x and 64 hex digits: that of an account
    /// of a development chain, which everybody knows. Given to the page only if the gateway
    /// listens on a loopback address.
    pub development_key: Option<String>,
    /// Bounds.
    pub limits: Limits,
}

/// How much a gateway takes on. Whatever exceeds these is refused, before memory or disk
/// is spent on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest blob served.
    pub max_blob_bytes: u64,
    /// Longest blob that the publisher takes.
    pub max_upload_bytes: u64,
    /// Longest body of a quilt that the publisher takes.
    pub max_quilt_bytes: u64,
    /// Longest blob that the relay takes.
    pub max_relay_bytes: u64,
    /// Most epochs that the publisher pays for.
    pub max_epochs: u32,
    /// Connections at once.
    pub max_connections: usize,
    /// Longest question to the chain.
    pub max_rpc_bytes: usize,
    /// Questions to the chain in progress.
    pub max_rpc_requests: usize,
    /// Time for a body to arrive, besides that of its bytes at the slowest speed accepted.
    pub body_time: Duration,
    /// Slowest sender or receiver that is waited for, in bytes a second.
    pub min_bytes_per_second: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_blob_bytes: 4 << 30,
            max_upload_bytes: 1 << 30,
            max_quilt_bytes: 1 << 30,
            max_relay_bytes: 1 << 30,
            max_epochs: 53,
            max_connections: 1024,
            max_rpc_bytes: 256 << 10,
            max_rpc_requests: 64,
            body_time: Duration::from_secs(20),
            min_bytes_per_second: 32 << 10,
        }
    }
}
