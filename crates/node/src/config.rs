//! What an operator decides about a node. Everything else is a documented constant
//! next to the code it bounds.

use std::{path::PathBuf, time::Duration};

use walrus_chain::{ChainClient, Confirmations};
use walrus_core::{NetworkAddress, NetworkSecretKey, NodeId, ProtocolSecretKey};

/// Whether a node speaks TLS, to clients and to its peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// With the network key registered on chain.
    Enabled,
    /// Plain HTTP. Refused unless the node listens on a loopback address, and only
    /// loopback peers are spoken to.
    PlainLoopbackOnly,
}

/// The settings of a node.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// The folder of the node's data; no two nodes share one.
    pub dir: PathBuf,
    /// The address to listen on.
    pub bind_host: String,
    /// The port to listen on; 0 picks a free one.
    pub bind_port: u16,
    /// Where others reach the node, as registered on chain. Its host goes into the
    /// certificate.
    pub public_address: NetworkAddress,
    /// Signs confirmations; more keys can follow ([`RunningNode::protocol_keys`]).
    ///
    /// [`RunningNode::protocol_keys`]: crate::RunningNode::protocol_keys
    pub protocol_key: ProtocolSecretKey,
    /// The TLS identity.
    pub network_key: NetworkSecretKey,
    /// Whether to speak TLS.
    pub tls: Tls,
    /// The number the node got when it registered.
    pub node_id: NodeId,
    /// The contracts.
    pub chain: ChainClient,
    /// When a chain event counts: [`Confirmations::Finalized`] on real networks,
    /// [`Confirmations::Latest`] on development chains whose finality lags.
    pub confirmations: Confirmations,
    /// Pause between two looks for new blocks.
    pub poll_interval: Duration,
}
