//! A chain, storage nodes and a client, each on a host of its own.

use std::{path::PathBuf, sync::Arc, time::Duration};

use rand::Rng;
use tokio::time::sleep;
use walrus_chain::{
    ChainClient, ChainWriter, Confirmations, DeployParams, Deployment, Endpoints, EndpointsConfig,
    GenesisNode, NodeRegistration, Parameters, Prices, SendConfig, Wallet, deploy, start_network,
};
use walrus_core::{NetworkAddress, NetworkSecretKey, NodeId, ProtocolSecretKey};
use walrus_devchain::{DevChain, DevChainConfig};
use walrus_env::Env;
use walrus_node::{Node, NodeConfig, Tls};
use walrus_sdk::{Client, ClientConfig, NodeAccess};
use walrus_sim::{Host, World};

const WAL: u64 = 1_000_000_000;
const ETHER: u128 = 1_000_000_000_000_000_000;
const CHAIN_PORT: u16 = 8545;
const NODE_PORT: u16 = 9185;

/// A network at work. The chain's host never stops; its links may.
pub(crate) struct Cluster {
    pub(crate) tls: bool,
    pub(crate) nodes: Vec<Arc<Host>>,
    pub(crate) chain: Arc<Host>,
    pub(crate) client: Arc<Host>,
    pub(crate) writer: ChainWriter,
    pub(crate) sdk: Client,
    deployment: Deployment,
    ids: Vec<NodeId>,
    /// Stops when dropped.
    _chain: DevChain,
}

impl Cluster {
    /// Deploys a network whose size follows the seed, on links that are good so far.
    /// The nodes' hosts are not up yet.
    pub(crate) async fn deploy(world: &World, tls: bool) -> Self {
        let mut rng = world.stream("cluster");
        let n_shards = [10, 13][rng.random_range(0..2)];
        let count = rng.random_range(4..=7_u16);
        world.note(&format!("{count} nodes, {n_shards} shards, TLS {tls}"));
        // Plain HTTP is spoken with loopback addresses only: the nodes are called so.
        let name = |node: u16| if tls { format!("node-{node}") } else { format!("127.0.1.{node}") };
        let nodes: Vec<_> = (1..=count).map(|node| world.add_host(&name(node))).collect();
        let (chain, client) = (world.add_host("chain"), world.add_host("client"));
        let config = DevChainConfig {
            host: "chain".to_owned(),
            port: CHAIN_PORT,
            empty_block_interval: Some(Duration::from_secs(5)),
            ..DevChainConfig::default()
        };
        let devchain = DevChain::start(&chain.boot(), config).await.unwrap();
        let wallet = Wallet::from_bytes(&devchain.accounts()[0].secret_key).unwrap();

        let env = client.boot();
        let endpoints = endpoints(&env);
        let params = DeployParams::new(Parameters {
            n_shards,
            max_epochs_ahead: 10,
            epoch_duration: 10 * 86_400,
            first_start: 0,
            min_nodes: count,
            max_committee: 100,
        });
        let deployment = deploy(&endpoints, &wallet, &params).await.unwrap();
        let reader = ChainClient::connect(endpoints, deployment.clone()).await.unwrap();
        let writer = ChainWriter::new(reader.clone(), wallet, SendConfig::default());
        let members: Vec<_> =
            nodes.iter().zip(1..).map(|(host, node)| genesis_node(host, node)).collect();
        let ids = start_network(&writer, &members, ETHER).await.unwrap();
        let config = ClientConfig {
            nodes: NodeAccess { plain_loopback: !tls, ..NodeAccess::default() },
            ..ClientConfig::default()
        };
        let sdk = Client::new(reader, config);
        Self { tls, nodes, chain, client, writer, sdk, deployment, ids, _chain: devchain }
    }

    /// All hosts: the nodes first, in the order of their numbers.
    pub(crate) fn hosts(&self) -> Vec<Arc<Host>> {
        let others = [&self.chain, &self.client].map(Arc::clone);
        self.nodes.iter().cloned().chain(others).collect()
    }

    /// The host of a node.
    pub(crate) fn host_of(&self, node: NodeId) -> &Arc<Host> {
        let position = self.ids.iter().position(|id| *id == node);
        &self.nodes[position.expect("a node of this network")]
    }

    /// Boots the host of a node and keeps the node running on it.
    pub(crate) fn boot(&self, position: usize, host: &Arc<Host>) {
        let env = host.boot();
        let config = self.node_config(&env, position, host);
        let life = env.clone();
        env.spawn("storage node", async move {
            loop {
                // What an operator's service manager does: start again what has stopped.
                if let Ok(node) = Node::start(life.clone(), config.clone()).await {
                    node.failed().await;
                    node.shutdown().await;
                }
                sleep(Duration::from_secs(1)).await;
            }
        });
    }

    fn node_config(&self, env: &Env, position: usize, host: &Host) -> NodeConfig {
        let (protocol_key, network_key) = keys(position as u8 + 1);
        NodeConfig {
            dir: PathBuf::from("/node"),
            bind_host: host.name().to_owned(),
            bind_port: NODE_PORT,
            public_address: address(host),
            protocol_key,
            network_key,
            tls: if self.tls { Tls::Enabled } else { Tls::PlainLoopbackOnly },
            node_id: self.ids[position],
            chain: ChainClient::new(endpoints(env), self.deployment.clone()),
            confirmations: Confirmations::Latest,
            poll_interval: Duration::from_secs(1),
        }
    }
}

fn endpoints(env: &Env) -> Endpoints {
    let url = format!("http://chain:{CHAIN_PORT}");
    Endpoints::new(env, &[url], EndpointsConfig::default()).unwrap()
}

fn keys(node: u8) -> (ProtocolSecretKey, NetworkSecretKey) {
    let protocol = ProtocolSecretKey::from_randomness(&[node; 32]);
    (protocol, NetworkSecretKey::from_bytes(&[node; 32]).unwrap())
}

fn address(host: &Host) -> NetworkAddress {
    format!("{}:{NODE_PORT}", host.name()).parse().unwrap()
}

fn genesis_node(host: &Host, node: u8) -> GenesisNode {
    let (protocol_key, network_key) = keys(node);
    GenesisNode {
        operator: Wallet::from_bytes(&[100 + node; 32]).unwrap(),
        registration: NodeRegistration {
            protocol_key,
            network_key: network_key.public_key(),
            name: format!("node {node}"),
            network_address: address(host),
            metadata_uri: String::new(),
            commission_bp: 500,
            price_votes: Prices { storage: 1000, write: 200 },
            capacity_vote: 1 << 40,
        },
        stake: 1000 * WAL,
    }
}
