//! A network on a development chain for the tests of this folder.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used)]

pub mod anvil;
pub mod proxy;

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use walrus_chain::*;
use walrus_core::{
    BlobId, Certificate, CertificateBuilder, Committee, Epoch, Message, NetworkPublicKey, NodeId,
    Persistence, ProtocolSecretKey, SignedMessage, StorageConfirmation, Threshold, TokenId,
};
use walrus_devchain::{DevChain, DevChainConfig};
use walrus_env::{
    Env,
    http::{HttpClient, HttpClientConfig, read_body},
};
use walrus_redstuff::{Digest, EncodingType};

pub const WAL: u64 = 1_000_000_000;

/// Polls quickly, so that tests are quick.
pub fn quick() -> SendConfig {
    SendConfig { poll_min: Duration::from_millis(5), ..SendConfig::default() }
}

pub fn endpoints(env: &Env, urls: &[String]) -> Endpoints {
    Endpoints::new(env, urls, EndpointsConfig::default()).unwrap()
}

pub fn parameters(nodes: u16, n_shards: u16) -> Parameters {
    Parameters {
        n_shards,
        max_epochs_ahead: 53,
        epoch_duration: 4,
        first_start: 0,
        min_nodes: nodes,
        max_committee: 100,
    }
}

pub fn node_key(node: u16) -> ProtocolSecretKey {
    let mut seed = [7; 32];
    seed[..2].copy_from_slice(&node.to_be_bytes());
    ProtocolSecretKey::from_randomness(&seed)
}

pub fn genesis_node(node: u16) -> GenesisNode {
    let mut secret = [9; 32];
    secret[..2].copy_from_slice(&node.to_be_bytes());
    GenesisNode {
        operator: Wallet::from_bytes(&secret).unwrap(),
        registration: NodeRegistration {
            protocol_key: node_key(node),
            network_key: NetworkPublicKey([2; 33]),
            name: format!("node {node}"),
            network_address: format!("127.0.0.1:{}", 9000 + node).parse().unwrap(),
            metadata_uri: String::new(),
            commission_bp: 500,
            price_votes: Prices { storage: 1000, write: 200 },
            capacity_vote: 1 << 40,
        },
        stake: 1000 * WAL,
    }
}

/// A running network of `nodes` nodes.
pub struct Network {
    pub env: Env,
    pub chain: DevChain,
    pub deployment: Deployment,
    pub treasury: ChainWriter,
    pub nodes: Vec<NodeId>,
}

impl Network {
    pub async fn start(nodes: u16, n_shards: u16) -> Self {
        Self::start_on(DevChainConfig::default(), nodes, n_shards).await
    }

    pub async fn start_on(config: DevChainConfig, nodes: u16, n_shards: u16) -> Self {
        Self::start_with(config, parameters(nodes, n_shards)).await
    }

    /// With as many nodes as the first committee needs.
    pub async fn start_with(config: DevChainConfig, parameters: Parameters) -> Self {
        Self::start_as(config, DeployParams::new(parameters)).await
    }

    pub async fn start_as(config: DevChainConfig, params: DeployParams) -> Self {
        let env = walrus_env::real::env();
        let chain = DevChain::start(&env, config).await.unwrap();
        let wallet = dev_wallet(&chain, 0);
        let endpoints = endpoints(&env, &[chain.endpoint()]);
        let (deployment, treasury, nodes) = launch_as(&endpoints, &wallet, params).await;
        Self { env, chain, deployment, treasury, nodes }
    }

    pub fn client(&self) -> &ChainClient {
        self.treasury.client()
    }
}

pub fn dev_wallet(chain: &DevChain, index: usize) -> Wallet {
    Wallet::from_bytes(&chain.accounts()[index].secret_key).unwrap()
}

/// Deploys and starts a network on any chain.
pub async fn launch(
    endpoints: &Endpoints,
    wallet: &Wallet,
    nodes: u16,
    n_shards: u16,
) -> (Deployment, ChainWriter, Vec<NodeId>) {
    launch_with(endpoints, wallet, parameters(nodes, n_shards)).await
}

/// The same with other parameters, and as many nodes as the first committee needs.
pub async fn launch_with(
    endpoints: &Endpoints,
    wallet: &Wallet,
    parameters: Parameters,
) -> (Deployment, ChainWriter, Vec<NodeId>) {
    launch_as(endpoints, wallet, DeployParams::new(parameters)).await
}

/// The same with all that can be chosen.
pub async fn launch_as(
    endpoints: &Endpoints,
    wallet: &Wallet,
    params: DeployParams,
) -> (Deployment, ChainWriter, Vec<NodeId>) {
    let nodes = params.parameters.min_nodes;
    let params = DeployParams { send: quick(), ..params };
    let deployment = deploy(endpoints, wallet, &params).await.unwrap();
    let client = ChainClient::connect(endpoints.clone(), deployment.clone()).await.unwrap();
    let treasury = ChainWriter::new(client, wallet.clone(), quick());
    let members: Vec<_> = (1..=nodes).map(genesis_node).collect();
    let ether = 1_000_000_000_000_000_000;
    let ids = start_network(&treasury, &members, ether).await.unwrap();
    (deployment, treasury, ids)
}

/// Lets the chain's time pass, on any development chain, counted from its newest block:
/// blocks run ahead of the clock.
pub async fn pass_time(env: &Env, url: &str, seconds: u64) {
    let newest = raw_rpc(env, url, "eth_getBlockByNumber", json!(["latest", false])).await;
    let newest = newest["timestamp"].as_str().unwrap().trim_start_matches("0x");
    let next = u64::from_str_radix(newest, 16).unwrap() + seconds;
    raw_rpc(env, url, "evm_setNextBlockTimestamp", json!([next])).await;
    raw_rpc(env, url, "evm_mine", json!([])).await;
}

/// A registration of a made-up blob.
pub fn blob(writer: &ChainWriter, seed: u8, deletable: bool) -> BlobRegistration {
    BlobRegistration {
        root_hash: Digest::from_bytes([seed; 32]),
        size: 1000,
        encoding_type: 1,
        deletable,
        owner: writer.address(),
        max_write_fee: u64::MAX,
    }
}

pub fn blob_id(blob: &BlobRegistration) -> BlobId {
    let encoding = EncodingType::from_u8(blob.encoding_type).unwrap();
    BlobId::from_parts(encoding, blob.size, &blob.root_hash)
}

/// A certificate for a blob, signed by as many of the first nodes as a quorum needs.
pub fn certificate(
    deployment: &Deployment,
    committee: &Arc<Committee>,
    blob_id: BlobId,
    persistence: Persistence,
) -> Certificate {
    let context = deployment.signing_context();
    let message = Message::new(committee.epoch(), StorageConfirmation { blob_id, persistence });
    let mut builder =
        CertificateBuilder::new(committee.clone(), context, message.clone(), Threshold::Quorum)
            .unwrap();
    for (_, member) in committee.members() {
        if builder.is_complete() {
            break;
        }
        let key = node_key(u16::try_from(member.node_id.0).unwrap());
        let signed = SignedMessage::sign(&key, &context, &message);
        builder.add(member.node_id, &signed).unwrap();
    }
    builder.finish().unwrap()
}

/// Everything the contracts have reported so far.
pub async fn events(client: &ChainClient) -> Vec<ChainEvent> {
    let mut stream = EventStream::new(client.clone(), None, Confirmations::Latest);
    let mut seen = Vec::new();
    loop {
        let StreamItem::Batch(batch) = stream.next().await.unwrap() else { panic!("no reorg") };
        seen.extend(batch.events.into_iter().map(|positioned| positioned.event));
        if batch.caught_up {
            return seen;
        }
    }
}

/// Registers and certifies a permanent blob in the present epoch.
pub async fn store(writer: &ChainWriter, seed: u8) -> TokenId {
    writer.ensure_allowance(u64::MAX / 2).await.unwrap();
    let blob = blob(writer, seed, false);
    let registered = writer.buy_and_register(&blob, 2, u64::MAX).await.unwrap();
    let client = writer.client();
    let epoch = client.epoch_state().await.unwrap().epoch;
    let committee = client.committee(epoch).await.unwrap();
    let persistence = Persistence::Permanent;
    let certificate = certificate(client.deployment(), &committee, registered.blob_id, persistence);
    writer.certify(registered.token_id, &certificate).await.unwrap();
    registered.token_id
}

/// Sends one JSON-RPC request without any of the crate's own code.
pub async fn raw_rpc(env: &Env, url: &str, method: &str, params: Value) -> Value {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let request = http::Request::post(url)
        .header("content-type", "application/json")
        .body(http_body_util::Full::new(body.to_string().into()))
        .unwrap();
    let client = HttpClient::new(env, HttpClientConfig::default());
    let response = client.send(request).await.unwrap();
    let body = read_body(response.into_body(), 64 << 20).await.unwrap();
    let mut answer: Value = serde_json::from_slice(&body).unwrap();
    assert!(answer.get("error").is_none(), "{method}: {answer}");
    answer["result"].take()
}

pub const EPOCH_ONE: Epoch = Epoch(1);
