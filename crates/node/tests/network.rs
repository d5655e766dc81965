//! Whole nodes over TLS on a development chain: upload, certify, restart, recover.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::{path::Path, time::Duration};

use bytes::Bytes;
use futures::future::join_all;
use tokio::time::{sleep, timeout};
use walrus_chain::{
    BlobRegistration, ChainClient, ChainWriter, Confirmations, DeployParams, Endpoints,
    EndpointsConfig, GenesisNode, NodeRegistration, Parameters, Prices, SendConfig, Wallet, deploy,
    start_network,
};
use walrus_core::{
    CertificateBuilder, Committee, Member, Message, NetworkAddress, NetworkSecretKey, NodeId,
    Persistence, ProtocolSecretKey, StorageConfirmation, Threshold,
};
use walrus_devchain::{DevChain, DevChainConfig};
use walrus_env::{Env, real};
use walrus_node::{Node, NodeConfig, NodeError, RunningNode, Tls};
use walrus_node_api::{
    client::{
        ExpectedConfirmation, NodeAddress, NodeClient, NodeClientConfig, NodeError as CallError,
        NodeIdentity,
    },
    query::ConfirmationQuery,
    wire::{PutOutcome, StoredStatus},
};
use walrus_redstuff::{EncodedBlob, Encoder, EncodingParams, SliverType};

const NODES: u16 = 10;
const SHARDS: u16 = 40;
const WAL: u64 = 1_000_000_000;

fn protocol_key(node: u16) -> ProtocolSecretKey {
    ProtocolSecretKey::from_randomness(&[node as u8 + 1; 32])
}

fn network_key(node: u16) -> NetworkSecretKey {
    NetworkSecretKey::from_bytes(&[node as u8 + 1; 32]).unwrap()
}

fn genesis(node: u16, address: &NetworkAddress) -> GenesisNode {
    GenesisNode {
        operator: Wallet::from_bytes(&[node as u8 + 100; 32]).unwrap(),
        registration: NodeRegistration {
            protocol_key: protocol_key(node),
            network_key: network_key(node).public_key(),
            name: format!("node {node}"),
            network_address: address.clone(),
            metadata_uri: String::new(),
            commission_bp: 0,
            price_votes: Prices { storage: 1000, write: 200 },
            capacity_vote: 1 << 40,
        },
        stake: 1000 * WAL,
    }
}

struct Network {
    env: Env,
    chain: DevChain,
    writer: ChainWriter,
    addresses: Vec<NetworkAddress>,
    ids: Vec<NodeId>,
}

impl Network {
    async fn start() -> Self {
        let env = real::env();
        let chain = DevChain::start(&env, DevChainConfig::default()).await.unwrap();
        let urls = [chain.endpoint()];
        let endpoints = Endpoints::new(&env, &urls, EndpointsConfig::default()).unwrap();
        let wallet = Wallet::from_bytes(&chain.accounts()[0].secret_key).unwrap();
        let parameters = Parameters {
            n_shards: SHARDS,
            max_epochs_ahead: 53,
            epoch_duration: 3600,
            first_start: 0,
            min_nodes: NODES,
            max_committee: 100,
        };
        let send = SendConfig { poll_min: Duration::from_millis(5), ..SendConfig::default() };
        let params = DeployParams { send: send.clone(), ..DeployParams::new(parameters) };
        let deployment = deploy(&endpoints, &wallet, &params).await.unwrap();
        let client = ChainClient::connect(endpoints, deployment).await.unwrap();
        let writer = ChainWriter::new(client, wallet, send);
        let addresses = free_addresses(&env).await;
        let nodes: Vec<_> = (0..).zip(&addresses).map(|(n, address)| genesis(n, address)).collect();
        let ids = start_network(&writer, &nodes, 1_000_000_000_000_000_000).await.unwrap();
        Self { env, chain, writer, addresses, ids }
    }

    fn config(&self, dir: &Path, node: u16) -> NodeConfig {
        let address = &self.addresses[usize::from(node)];
        let (host, port) = address.host_port().unwrap();
        NodeConfig {
            dir: dir.join(format!("node-{node}")),
            bind_host: host.to_owned(),
            bind_port: port,
            public_address: address.clone(),
            protocol_key: protocol_key(node),
            network_key: network_key(node),
            tls: Tls::Enabled,
            node_id: self.ids[usize::from(node)],
            chain: self.writer.client().clone(),
            confirmations: Confirmations::Latest,
            poll_interval: Duration::from_millis(50),
        }
    }

    async fn node(&self, dir: &Path, node: u16) -> RunningNode {
        Node::start(self.env.clone(), self.config(dir, node)).await.unwrap()
    }

    fn client(&self, member: &Member) -> NodeClient {
        let address = NodeAddress::try_from(&member.network_address).unwrap();
        let identity = NodeIdentity::Tls(member.network_key);
        NodeClient::new(&self.env, &address, &identity, NodeClientConfig::default()).unwrap()
    }
}

async fn free_addresses(env: &Env) -> Vec<NetworkAddress> {
    let mut listeners = Vec::new();
    for _ in 0..NODES {
        listeners.push(env.net.bind("127.0.0.1", 0).await.unwrap());
    }
    listeners.iter().map(|listener| listener.local_address().parse().unwrap()).collect()
}

/// Sends everything that a member should hold, and asks for its confirmation.
async fn upload(client: &NodeClient, committee: &Committee, member: &Member, blob: &EncodedBlob) {
    let id = blob.metadata().blob_id();
    client.put_metadata(id, Bytes::from(blob.metadata().to_bcs())).await.unwrap();
    let pairs = committee.shards_of(member.node_id).iter().map(|s| s.to_pair_index(SHARDS, id));
    let puts = pairs.flat_map(|pair| SliverType::BOTH.map(|sliver_type| (pair, sliver_type))).map(
        |(pair, sliver_type)| async move {
            let sliver = blob.pair(pair).unwrap().sliver(sliver_type).to_bcs();
            client.put_sliver(id, pair, sliver_type, sliver.into()).await.unwrap()
        },
    );
    assert!(join_all(puts).await.into_iter().all(|outcome| outcome == PutOutcome::Stored));
}

/// If this failed, nodes would not do together what each does alone: take a blob, sign
/// for it, keep it over a restart, and get it back when they were away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_away_during_certification_recovers_what_it_missed() {
    let network = Network::start().await;
    let dir = tempfile::tempdir().unwrap();
    let mut nodes = Vec::new();
    for node in 0..NODES - 1 {
        nodes.push(network.node(dir.path(), node).await);
    }
    let second = Node::start(network.env.clone(), network.config(dir.path(), 0)).await;
    assert!(matches!(second, Err(NodeError::Locked { .. })), "{second:?}");

    let params = EncodingParams::new(SHARDS).unwrap();
    let data: Vec<u8> = (0..100_000_u32).map(|i| i.wrapping_mul(i) as u8).collect();
    let blob = Encoder::new(params).encode(&data).unwrap();
    let id = *blob.metadata().blob_id();
    network.writer.ensure_allowance(u64::MAX / 2).await.unwrap();
    let registration = BlobRegistration {
        root_hash: *blob.metadata().root_hash(),
        size: data.len() as u64,
        encoding_type: 1,
        deletable: false,
        owner: network.writer.address(),
        max_write_fee: u64::MAX,
    };
    let registered = network.writer.buy_and_register(&registration, 2, u64::MAX).await.unwrap();
    assert_eq!(registered.blob_id, id);

    // At once, without waiting for the nodes to hear of the registration.
    let chain = network.writer.client();
    let committee = chain.snapshot().await.unwrap().committee.unwrap();
    let context = chain.deployment().signing_context();
    let body = StorageConfirmation { blob_id: id, persistence: Persistence::Permanent };
    let message = Message::new(committee.epoch(), body);
    let mut certificate =
        CertificateBuilder::new(committee.clone(), context, message, Threshold::Quorum).unwrap();
    let away = network.ids[usize::from(NODES) - 1];
    for (_, member) in committee.members().filter(|(_, member)| member.node_id != away) {
        let client = network.client(member);
        let key = &member.public_key;
        let expected =
            ExpectedConfirmation { epoch: committee.epoch(), body, context: &context, key };
        let early = client.confirmation(&expected, &ConfirmationQuery::default()).await;
        assert!(matches!(early, Err(CallError::MissingSlivers)), "{early:?}");
        upload(&client, &committee, member, &blob).await;
        let signed = client.confirmation(&expected, &ConfirmationQuery::default()).await.unwrap();
        certificate.add(member.node_id, &signed).unwrap();
    }
    let certificate = certificate.finish().unwrap();
    network.writer.certify(registered.token_id, &certificate).await.unwrap();

    // One node is restarted in an orderly way and one is dropped as by a crash.
    nodes.remove(0).shutdown().await;
    drop(nodes.remove(0));
    let restarted = network.node(dir.path(), 0).await;
    nodes.push(network.node(dir.path(), 1).await);
    let late = network.node(dir.path(), NODES - 1).await;
    assert_eq!(late.node_id(), away);
    let member = committee.member_of(away).unwrap();
    let client = network.client(member);
    let recovered = async {
        for shard in committee.shards_of(away) {
            let pair = shard.to_pair_index(SHARDS, &id);
            for sliver_type in SliverType::BOTH {
                while client.sliver_status(&id, pair, sliver_type).await.unwrap()
                    != StoredStatus::Stored
                {
                    sleep(Duration::from_millis(50)).await;
                }
            }
        }
    };
    timeout(Duration::from_secs(60), recovered).await.expect("the late node recovers");
    let key = &member.public_key;
    let expected = ExpectedConfirmation { epoch: committee.epoch(), body, context: &context, key };
    client.confirmation(&expected, &ConfirmationQuery::default()).await.unwrap();
    let first = committee.member_of(restarted.node_id()).unwrap();
    let key = &first.public_key;
    let expected = ExpectedConfirmation { epoch: committee.epoch(), body, context: &context, key };
    network.client(first).confirmation(&expected, &ConfirmationQuery::default()).await.unwrap();
    let health = client.health(true).await.unwrap();
    assert_eq!(health.shard_summary.owned, u32::from(member.weight));
    assert!(health.latest_checkpoint_sequence_number.is_some());

    timeout(Duration::from_secs(20), late.shutdown()).await.expect("shutdown ends");
    network.chain.shutdown().await;
}
