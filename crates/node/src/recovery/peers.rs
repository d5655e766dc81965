//! The other members of the committee, as this node talks to them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use walrus_core::{Member, NetworkAddress, NetworkPublicKey, NodeId};
use walrus_node_api::client::{NodeAddress, NodeClient, NodeClientConfig, NodeIdentity};

use crate::{config::Tls, state::Shared, sync::lock};

/// Connections kept to each peer.
const IDLE_CONNECTIONS: usize = 4;

/// A peer to ask.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) member: Member,
    pub(super) client: NodeClient,
}

type Known = BTreeMap<NodeId, (NetworkAddress, NetworkPublicKey, NodeClient)>;

/// Clients of the peers, kept as long as address and key stay the same.
#[derive(Debug)]
pub(super) struct Peers {
    node: Shared,
    tls: Tls,
    known: Arc<Mutex<Known>>,
}

impl Peers {
    pub(super) fn new(node: Shared, tls: Tls) -> Self {
        Self { node, tls, known: Arc::default() }
    }

    /// The other members in random order, so that the load of many recoveries spreads.
    /// Members with an unusable address or key are left out.
    pub(super) fn shuffled(&self) -> Vec<Peer> {
        let membership = self.node.membership.get();
        let mut peers: Vec<Peer> = membership
            .peers()
            .filter_map(|member| {
                Some(Peer { client: self.client(member)?, member: member.clone() })
            })
            .collect();
        self.node.env.shuffle("recovery peers", &mut peers);
        peers
    }

    fn client(&self, member: &Member) -> Option<NodeClient> {
        let mut known = lock(&self.known);
        if let Some((address, key, client)) = known.get(&member.node_id)
            && *address == member.network_address
            && *key == member.network_key
        {
            return Some(client.clone());
        }
        let address = NodeAddress::try_from(&member.network_address).ok()?;
        let identity = match self.tls {
            Tls::Enabled => NodeIdentity::Tls(member.network_key),
            Tls::PlainLoopbackOnly => NodeIdentity::PlainLoopback,
        };
        let config = NodeClientConfig {
            connect_timeout: Duration::from_secs(2),
            max_idle_connections: IDLE_CONNECTIONS,
            ..NodeClientConfig::default()
        };
        let client = NodeClient::new(&self.node.env, &address, &identity, config);
        let client = client.inspect_err(|error| {
            tracing::warn!(peer = %member.node_id, %error, "this peer cannot be asked");
        });
        let client = client.ok()?;
        let entry = (member.network_address.clone(), member.network_key, client.clone());
        known.insert(member.node_id, entry);
        Some(client)
    }
}
