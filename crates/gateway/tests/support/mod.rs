//! A whole network for gateways: a development chain, real nodes, and a client that speaks
//! HTTP as programs do.

pub mod described;
pub mod fair;

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use serde_json::Value;
use tempfile::TempDir;
use walrus_chain::{
    ChainClient, ChainWriter, Confirmations, DeployParams, Endpoints, EndpointsConfig, GenesisNode,
    NodeRegistration, Parameters, Prices, SendConfig, Wallet, deploy, start_network,
};
use walrus_core::{NetworkAddress, NetworkSecretKey, ProtocolSecretKey};
use walrus_devchain::{DevChain, DevChainConfig};
use walrus_env::http::{HttpClient, HttpClientConfig};
use walrus_env::{Env, real};
use walrus_gateway::{GatewayConfig, RunningGateway, start};
use walrus_node::{Node, NodeConfig, RunningNode, Tls};
use walrus_sdk::{Client, ClientConfig, CodingConfig, NodeAccess};

pub const NODES: u16 = 4;
pub const SHARDS: u16 = 20;
const WAL: u64 = 1_000_000_000;

/// The network.
pub struct Network {
    pub env: Env,
    pub chain: DevChain,
    pub client: ChainClient,
    pub nodes: Vec<Option<RunningNode>>,
    pub directory: TempDir,
}

fn send() -> SendConfig {
    SendConfig { poll_min: Duration::from_millis(5), ..SendConfig::default() }
}

fn genesis(node: u16, address: &NetworkAddress) -> GenesisNode {
    let seed = [u8::try_from(node).unwrap() + 1; 32];
    GenesisNode {
        operator: Wallet::from_bytes(&[u8::try_from(node).unwrap() + 100; 32]).unwrap(),
        registration: NodeRegistration {
            protocol_key: ProtocolSecretKey::from_randomness(&seed),
            network_key: NetworkSecretKey::from_bytes(&seed).unwrap().public_key(),
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

impl Network {
    pub async fn start() -> Self {
        let env = real::env();
        let chain = DevChain::start(&env, DevChainConfig::default()).await.unwrap();
        let urls = [chain.endpoint()];
        let endpoints = Endpoints::new(&env, &urls, EndpointsConfig::default()).unwrap();
        let treasury = Wallet::from_bytes(&chain.accounts()[0].secret_key).unwrap();
        let parameters = Parameters {
            n_shards: SHARDS,
            max_epochs_ahead: 53,
            epoch_duration: 24 * 3600,
            first_start: 0,
            min_nodes: NODES,
            max_committee: 100,
        };
        let params = DeployParams { send: send(), ..DeployParams::new(parameters) };
        let deployment = deploy(&endpoints, &treasury, &params).await.unwrap();
        let client = ChainClient::connect(endpoints, deployment).await.unwrap();
        let writer = ChainWriter::new(client.clone(), treasury, send());
        let mut listeners = Vec::new();
        for _ in 0..NODES {
            listeners.push(env.net.bind("127.0.0.1", 0).await.unwrap());
        }
        let addresses: Vec<NetworkAddress> =
            listeners.iter().map(|listener| listener.local_address().parse().unwrap()).collect();
        drop(listeners);
        let nodes: Vec<_> = (0..).zip(&addresses).map(|(n, address)| genesis(n, address)).collect();
        let ids = start_network(&writer, &nodes, 1_000_000_000_000_000_000).await.unwrap();
        for account in &chain.accounts()[1..4] {
            let wallet = Wallet::from_bytes(&account.secret_key).unwrap();
            writer.transfer_wal(wallet.address(), 1000 * WAL).await.unwrap();
        }
        let directory = tempfile::tempdir().unwrap();
        let mut network = Self { env, chain, client, nodes: Vec::new(), directory };
        for (number, (genesis, id)) in (0_u16..).zip(nodes.iter().zip(ids)) {
            let address = &addresses[usize::from(number)];
            let (host, port) = address.host_port().unwrap();
            let config = NodeConfig {
                dir: network.directory.path().join(format!("node-{number}")),
                bind_host: host.to_owned(),
                bind_port: port,
                public_address: address.clone(),
                protocol_key: genesis.registration.protocol_key.clone(),
                network_key: NetworkSecretKey::from_bytes(&[u8::try_from(number).unwrap() + 1; 32])
                    .unwrap(),
                tls: Tls::PlainLoopbackOnly,
                node_id: id,
                chain: network.client.clone(),
                confirmations: Confirmations::Latest,
                poll_interval: Duration::from_millis(50),
            };
            let node = Node::start(network.env.clone(), config).await.unwrap();
            network.nodes.push(Some(node));
        }
        network
    }

    pub fn writer(&self, account: usize) -> ChainWriter {
        let wallet = Wallet::from_bytes(&self.chain.accounts()[account].secret_key).unwrap();
        ChainWriter::new(self.client.clone(), wallet, send())
    }

    pub fn sdk(&self, directory: &Path) -> Client {
        let config = ClientConfig {
            nodes: NodeAccess { plain_loopback: true, ..NodeAccess::default() },
            state_directory: Some(directory.join("state")),
            // Small, so that files are used too.
            coding: CodingConfig { max_memory: 1 << 20, ..CodingConfig::default() },
            ..ClientConfig::default()
        };
        Client::new(self.client.clone(), config)
    }

    /// A gateway with two wallets; `adapt` changes its configuration.
    pub async fn gateway(&self, name: &str, adapt: impl FnOnce(&mut GatewayConfig)) -> Gateway {
        let directory = self.directory.path().join(name);
        let mut config = GatewayConfig::new("127.0.0.1:0", &directory);
        adapt(&mut config);
        let wallets = vec![self.writer(1), self.writer(2)];
        let running = start(&self.env, self.sdk(&directory), wallets, config).await.unwrap();
        let http = HttpClient::new(&self.env, HttpClientConfig::default());
        Gateway { running, http }
    }

    /// Waits until the nodes, which follow the chain at some distance, know that a blob is
    /// certified.
    pub async fn certified(&self, id: &str) {
        let directory = tempfile::tempdir().unwrap();
        let (sdk, id) = (self.sdk(directory.path()), id.parse().unwrap());
        loop {
            let status = sdk.blob_status(&id, Duration::from_secs(5)).await;
            let known = |r: &walrus_sdk::StatusReport| {
                r.status.is_certified() && r.weight > u32::from(SHARDS) / 2
            };
            if status.is_ok_and(|report| known(&report)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn stop_node(&mut self, number: usize) {
        self.nodes[number].take().unwrap().shutdown().await;
    }
}

/// A gateway and a way to ask it.
pub struct Gateway {
    pub running: RunningGateway,
    http: HttpClient,
}

/// An answer.
pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The reason of an error.
    pub fn reason(&self) -> String {
        let json = self.json();
        assert_eq!(json["error"]["code"], self.status, "{json}");
        assert_eq!(self.header("cache-control"), "no-store");
        json["error"]["details"][0]["reason"].as_str().unwrap().to_owned()
    }
}

impl Gateway {
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.address())
    }

    pub async fn get_from(&self, address: &str, path: &str) -> Answer {
        self.ask_url("GET", &format!("http://{address}{path}"), &[], "").await
    }

    pub async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        self.ask_url(method, &self.url(path), headers, body).await
    }

    async fn ask_url(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).unwrap();
        let response: Response<_> = self.http.send(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], "").await
    }

    pub async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask("GET", path, headers, "").await
    }

    pub async fn put(&self, path: &str, body: impl Into<Bytes>) -> Answer {
        self.ask("PUT", path, &[], body).await
    }

    /// Stores bytes; the blob id and the object.
    pub async fn store(&self, query: &str, body: impl Into<Bytes>) -> (String, String) {
        let answer = self.put(&format!("/v1/blobs?{query}"), body).await;
        let json = answer.json();
        let object = &json["newlyCreated"]["blobObject"];
        let text =
            |name: &str| object[name].as_str().unwrap_or_else(|| panic!("{json}")).to_owned();
        (text("blobId"), text("id"))
    }
}

/// Bytes that look like nothing.
pub fn content(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..length).map(|_| next()).collect()
}
