//! The network as a client sees it: one epoch's committee, with a client for each of
//! its nodes.

use std::collections::BTreeMap;
use std::sync::Arc;

use walrus_core::{
    Committee, Epoch, Member, NetworkAddress, NetworkPublicKey, NodeId, Seat, SigningContext,
};
use walrus_env::Env;
use walrus_node_api::{NodeAddress, NodeClient, NodeClientConfig, NodeIdentity};
use walrus_redstuff::{BlobId, EncodingParams, ShardIndex, SliverPairIndex};

/// How to reach nodes.
#[derive(Clone, Debug, Default)]
pub struct NodeAccess {
    /// Time limits and connections of each node's client.
    pub config: NodeClientConfig,
    /// Speak plain HTTP. Only nodes on loopback addresses are then reachable; for local
    /// networks.
    pub plain_loopback: bool,
}

/// One member of the committee and how to speak to it.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its seat.
    pub seat: Seat,
    /// What the chain says about it.
    pub member: Member,
    /// Its shards, ascending.
    pub shards: Vec<ShardIndex>,
    /// Its client, or why there can be none.
    pub client: Result<NodeClient, String>,
}

impl Node {
    /// Its number.
    pub fn id(&self) -> NodeId {
        self.member.node_id
    }

    /// Its weight: the number of its shards.
    pub fn weight(&self) -> u32 {
        u32::from(self.member.weight)
    }

    /// The sliver pairs of a blob that its shards stand for.
    pub fn pairs(&self, n_shards: u16, blob_id: &BlobId) -> Vec<SliverPairIndex> {
        self.shards.iter().map(|shard| shard.to_pair_index(n_shards, blob_id)).collect()
    }
}

/// One epoch's network. Everything that a store or read does after it began refers to
/// the view that it began with.
#[derive(Clone, Debug)]
pub struct CommitteeView {
    committee: Arc<Committee>,
    params: EncodingParams,
    context: SigningContext,
    nodes: Vec<Node>,
}

impl CommitteeView {
    /// The epoch.
    pub fn epoch(&self) -> Epoch {
        self.committee.epoch()
    }

    /// The committee of the epoch.
    pub fn committee(&self) -> &Arc<Committee> {
        &self.committee
    }

    /// The shape of the code.
    pub fn params(&self) -> EncodingParams {
        self.params
    }

    /// What confirmations are bound to.
    pub fn context(&self) -> &SigningContext {
        &self.context
    }

    /// The members in seat order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }
}

/// Makes views, keeping the connections to nodes that stay.
#[derive(Clone, Debug)]
pub(crate) struct NodeClients {
    env: Env,
    access: NodeAccess,
    known: BTreeMap<(NetworkAddress, NetworkPublicKey), NodeClient>,
}

impl NodeClients {
    pub(crate) fn new(env: &Env, access: NodeAccess) -> Self {
        Self { env: env.clone(), access, known: BTreeMap::new() }
    }

    /// The view of a committee. Clients of nodes that left, or changed address or key,
    /// are forgotten.
    pub(crate) fn view(
        &mut self,
        committee: Arc<Committee>,
        context: SigningContext,
    ) -> CommitteeView {
        let params = EncodingParams::new(committee.n_shards())
            .expect("a committee has a number of shards that a code exists for");
        let mut kept = BTreeMap::new();
        let nodes = committee.members().map(|(seat, member)| {
            let key = (member.network_address.clone(), member.network_key);
            let client = match self.known.get(&key) {
                Some(client) => Ok(client.clone()),
                None => self.connect(member),
            };
            if let Ok(client) = &client {
                kept.insert(key, client.clone());
            }
            let shards = committee.shards_of(member.node_id).to_vec();
            Node { seat, member: member.clone(), shards, client }
        });
        let nodes = nodes.collect();
        self.known = kept;
        CommitteeView { committee, params, context, nodes }
    }

    fn connect(&self, member: &Member) -> Result<NodeClient, String> {
        let address = NodeAddress::try_from(&member.network_address)
            .map_err(|error| format!("its registered address is unusable: {error}"))?;
        let identity = if self.access.plain_loopback {
            NodeIdentity::PlainLoopback
        } else {
            NodeIdentity::Tls(member.network_key)
        };
        NodeClient::new(&self.env, &address, &identity, self.access.config.clone())
            .map_err(|error| error.to_string())
    }
}
