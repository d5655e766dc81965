//! A typed client of one node: every answer is bounded before it is buffered and
//! checked before it is returned.

mod address;
mod blob_data;
mod error;
mod ranges;
mod symbols;
mod transport;

pub use address::NodeAddress;
pub use error::{Decision, Misbehaviour, NodeError};
pub use symbols::ExpectedAttestation;
pub use transport::Meter;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use walrus_core::{
    Epoch, Message, MessageError, NetworkPublicKey, ProtocolPublicKey, SignedConfirmation,
    SignedMessage, SignedMessageError, SigningContext, StorageConfirmation,
};
use walrus_env::Env;
use walrus_env::http::{HttpClient, HttpClientConfig};
use walrus_redstuff::{BlobId, SliverPairIndex, SliverType};

use crate::limits::MAX_JSON_BODY_BYTES;
use crate::query::ConfirmationQuery;
use crate::routes;
use crate::tls::{self, TlsError};
use crate::wire::{BlobStatus, PutOutcome, ServiceHealth, StoredStatus};
use transport::Transport;

/// How a node proves that it is the one meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeIdentity {
    /// By holding the secret to the key that it registered on chain.
    Tls(NetworkPublicKey),
    /// Not at all: plain HTTP, accepted on loopback addresses only. For local networks.
    PlainLoopback,
}

/// What calls may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeClientConfig {
    /// Longest wait for a connection, TLS handshake included.
    pub connect_timeout: Duration,
    /// Longest call with small bodies.
    pub request_timeout: Duration,
    /// Slowest transfer waited for: large bodies get the time of a small call and that
    /// of their bytes at this rate.
    pub min_bytes_per_second: u64,
    /// Idle connections kept.
    pub max_idle_connections: usize,
}

impl Default for NodeClientConfig {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(15),
            min_bytes_per_second: 256 * 1024,
            max_idle_connections: 16,
        }
    }
}

impl NodeClientConfig {
    /// Longest call that moves `bytes`.
    pub fn timeout_for(&self, bytes: usize) -> Duration {
        let transfer = Duration::from_secs(bytes as u64 / self.min_bytes_per_second.max(1));
        self.request_timeout + transfer
    }
}

/// Why no client could be made for a node. Another node has to be asked.
#[derive(Debug, thiserror::Error)]
pub enum NodeClientError {
    /// The registered key is unusable.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Plain HTTP to another machine.
    #[error("{0} is no loopback address: only nodes on this machine may be spoken to without TLS")]
    PlainNotLoopback(NodeAddress),
}

/// What a node is expected to confirm.
#[derive(Clone, Copy, Debug)]
pub struct ExpectedConfirmation<'a> {
    /// The epoch of the committee asked.
    pub epoch: Epoch,
    /// The blob and how long it stays.
    pub body: StorageConfirmation,
    /// The deployment.
    pub context: &'a SigningContext,
    /// The key that the committee of `epoch` lists for this node.
    pub key: &'a ProtocolPublicKey,
}

/// A client of one node. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct NodeClient {
    env: Env,
    transport: Transport,
    config: Arc<NodeClientConfig>,
}

impl NodeClient {
    /// A client of the node at `address`. Connects at the first call.
    ///
    /// # Errors
    /// An identity that cannot be proved.
    pub fn new(
        env: &Env,
        address: &NodeAddress,
        identity: &NodeIdentity,
        config: NodeClientConfig,
    ) -> Result<Self, NodeClientError> {
        let (scheme, tls) = match identity {
            NodeIdentity::Tls(key) => ("https", Some(tls::client_config(env, key)?)),
            NodeIdentity::PlainLoopback if address.is_loopback() => ("http", None),
            NodeIdentity::PlainLoopback => {
                return Err(NodeClientError::PlainNotLoopback(address.clone()));
            }
        };
        let http = HttpClientConfig {
            connect_timeout: config.connect_timeout,
            max_idle_per_host: config.max_idle_connections,
            tls,
        };
        Ok(Self {
            env: env.clone(),
            transport: Transport {
                http: HttpClient::new(env, http),
                base: format!("{scheme}://{address}"),
                meter: Meter::default(),
            },
            config: Arc::new(config),
        })
    }

    /// The same client, whose answers `meter` counts.
    #[must_use]
    pub fn metered(&self, meter: &Meter) -> Self {
        let mut client = self.clone();
        client.transport.meter = meter.clone();
        client
    }

    /// Whether the node holds the blob's metadata.
    ///
    /// # Errors
    /// See [`NodeError`].
    pub async fn metadata_status(&self, blob_id: &BlobId) -> Result<StoredStatus, NodeError> {
        self.json(&routes::metadata_status(blob_id)).await
    }

    /// Stores metadata, given in BCS without the blob id.
    ///
    /// # Errors
    /// See [`NodeError`].
    pub async fn put_metadata(
        &self,
        blob_id: &BlobId,
        metadata: Bytes,
    ) -> Result<PutOutcome, NodeError> {
        self.put(&routes::metadata(blob_id), metadata).await
    }

    /// Whether the node holds a sliver.
    ///
    /// # Errors
    /// See [`NodeError`].
    pub async fn sliver_status(
        &self,
        blob_id: &BlobId,
        pair: SliverPairIndex,
        sliver_type: SliverType,
    ) -> Result<StoredStatus, NodeError> {
        self.json(&routes::sliver_status(blob_id, pair, sliver_type)).await
    }

    /// Stores a sliver, given in BCS.
    ///
    /// # Errors
    /// See [`NodeError`].
    pub async fn put_sliver(
        &self,
        blob_id: &BlobId,
        pair: SliverPairIndex,
        sliver_type: SliverType,
        sliver: Bytes,
    ) -> Result<PutOutcome, NodeError> {
        self.put(&routes::sliver(blob_id, pair, sliver_type), sliver).await
    }

    /// Asks for the node's confirmation that it stores the blob, and verifies it: type,
    /// domain, epoch, blob id, persistence and signature.
    ///
    /// # Errors
    /// [`NodeError::WrongEpoch`] for a confirmation that is right but for its epoch;
    /// [`Misbehaviour::WrongConfirmation`] for any other that is not the expected one.
    pub async fn confirmation(
        &self,
        expected: &ExpectedConfirmation<'_>,
        query: &ConfirmationQuery,
    ) -> Result<SignedMessage, NodeError> {
        let StorageConfirmation { blob_id, persistence } = &expected.body;
        let path = format!("{}?{query}", routes::confirmation(blob_id, persistence));
        let timeout = self.config.request_timeout + query.wait.unwrap_or_default();
        let answer: SignedConfirmation = self.transport.get_json(&path, timeout).await?;
        let signed = answer.into_signed();
        check_confirmation(expected, &signed)?;
        Ok(signed)
    }

    /// What the node knows of the blob id from the chain. One node's word.
    ///
    /// # Errors
    /// See [`NodeError`].
    pub async fn blob_status(&self, blob_id: &BlobId) -> Result<BlobStatus, NodeError> {
        self.json(&routes::blob_status(blob_id)).await
    }

    /// The node about itself.
    ///
    /// # Errors
    /// See [`NodeError`].
    pub async fn health(&self, detailed: bool) -> Result<ServiceHealth, NodeError> {
        self.json(&routes::health(detailed)).await
    }

    async fn json<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, NodeError> {
        self.transport.get_json(path, self.config.request_timeout).await
    }

    async fn put(&self, path: &str, body: Bytes) -> Result<PutOutcome, NodeError> {
        let timeout = self.config.timeout_for(body.len());
        let limit = MAX_JSON_BODY_BYTES;
        let answer = self.transport.send(Method::PUT, path, Some(body), limit, timeout).await?;
        PutOutcome::from_http(answer.status)
            .ok_or_else(|| Misbehaviour::UnexpectedStatus(answer.status.as_u16()).into())
    }
}

/// Checks a confirmation, telling a node in another epoch from one that lies.
fn check_confirmation(
    expected: &ExpectedConfirmation<'_>,
    signed: &SignedMessage,
) -> Result<(), NodeError> {
    let message = Message::new(expected.epoch, expected.body);
    let error = match signed.verify(expected.context, &message, expected.key) {
        Ok(()) => return Ok(()),
        Err(error) => error,
    };
    if let SignedMessageError::Message(MessageError::Epoch { expected: epoch, got }) = error {
        // Lagging or ahead is no lie, provided that all else is right: the signature is
        // checked with the key of this epoch, which a node rarely changes.
        let other = Message::new(got, expected.body);
        if signed.verify(expected.context, &other, expected.key).is_ok() {
            return Err(NodeError::WrongEpoch { expected: epoch, got });
        }
    }
    Err(Misbehaviour::WrongConfirmation(error.to_string()).into())
}

impl std::fmt::Debug for NodeClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NodeClient({})", self.transport.base)
    }
}

#[cfg(test)]
mod tests;
