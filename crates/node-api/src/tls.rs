//! TLS between clients and nodes: the certificate is self-signed and only its key
//! counts, which must equal the one registered on chain
//! (docs/protocol/node-and-client.md D.1).
//!
//! Names and dates in the certificate are not checked: the chain says which key a node
//! has, a certificate authority could say no more, and an expired certificate with the
//! right key is still the right node. The handshake's signature is checked in full.

mod client;
mod server;

pub use client::client_config;
pub use server::{certificate_name, server_config};

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::UnixTime;
use walrus_env::{Clock, Env};

/// Why TLS settings could not be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The 33 bytes that the node registered are not a compressed P-256 point.
    #[error(
        "the node's registered network key is not a P-256 point, so no connection can be trusted"
    )]
    InvalidKey,
    /// The certificate could not be made; the host name is the usual reason.
    #[error("the certificate could not be made: {0}")]
    Certificate(String),
    /// The TLS library refused the settings.
    #[error("TLS settings were refused: {0}")]
    Settings(#[from] rustls::Error),
}

/// The cryptography used, chosen here and never taken from a process-wide default.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The clock of the environment, as the TLS library wants it.
struct EnvTime(Arc<dyn Clock>);

impl EnvTime {
    fn new(env: &Env) -> Arc<Self> {
        Arc::new(Self(env.clock.clone()))
    }
}

impl std::fmt::Debug for EnvTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EnvTime")
    }
}

impl rustls::time_provider::TimeProvider for EnvTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(self.0.unix()))
    }
}

#[cfg(test)]
mod tests;
