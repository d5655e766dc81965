//! A network of stub nodes in memory: the real routes, wire types, HTTP stack and
//! client, without sockets and with virtual time.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod ranges;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use bytes::Bytes;
use futures::StreamExt as _;
use futures::future::BoxFuture;
use http::StatusCode;
use tokio::sync::mpsc;
use walrus_chain::{
    ChainClient, ChainWriter, Contracts, DeployParams, Deployment, Endpoints, EndpointsConfig,
    GenesisNode, NodeRegistration, Parameters, Prices, SendConfig, Wallet, deploy, start_network,
};
use walrus_core::{
    Committee, Epoch, EvmAddress, Member, Message, NetworkAddress, NetworkPublicKey,
    NetworkSecretKey, NodeId, ObjectId, Persistence, ProtocolSecretKey, SignedConfirmation,
    SignedMessage, SigningContext, StorageConfirmation,
};
use walrus_devchain::{DevChain, DevChainConfig};
use walrus_env::http::{ServerConfig, serve};
use walrus_env::{
    BlockingFile, BoxIo, CancellationToken, Clock, Cpu, DirEntry, Disk, DiskLock, Entropy, Env,
    File, Listener, Net, OpenMode, Replacement, RoomError, real,
};
use walrus_node_api::extract::{
    BlobPath, ObjectPath, SliverPath, binary, read_request_body, success,
};
use walrus_node_api::wire::{self, BlobStatus, DeletableCounts, EventId, PutOutcome, StoredStatus};
use walrus_node_api::{ApiError, ErrorReason, limits, routes};
use walrus_redstuff::{
    BlobId, BlobMetadata, EncodedBlob, Encoder, EncodingParams, SliverPairIndex, SliverType,
    VerifiedMetadata,
};

use crate::coding::CodingConfig;
use crate::network::{CommitteeView, NodeAccess, NodeClients};

/// How a stub node behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behaviour {
    Honest,
    /// Refuses connections.
    Dead,
    /// Takes requests and never answers.
    Silent,
    /// Answers each request after this time.
    Slow(Duration),
    /// Knows nothing of any blob.
    Empty,
    /// Sends slivers and metadata of another blob.
    OtherBlob,
    /// Sends the first half.
    Truncated,
    /// Sends a flipped bit.
    Flipped,
    /// Sends without end.
    Endless,
    /// Signs with another key.
    WrongSignature,
    /// Signs for the epoch before, for ever.
    StaleEpoch,
    /// Fails the first so many requests with 503.
    Overloaded(usize),
    /// Loses the slivers of the first upload, although it acknowledged them.
    Forgetful,
    /// Withholds primary slivers.
    Careful,
    /// Sends symbols and hashes of a neighbouring place, well proven.
    Shifted,
}

/// Connections in memory, by host name.
#[derive(Default)]
struct MemoryNet {
    listeners: Mutex<BTreeMap<String, mpsc::UnboundedSender<BoxIo>>>,
}

struct MemoryListener {
    incoming: mpsc::UnboundedReceiver<BoxIo>,
    host: String,
}

impl Net for MemoryNet {
    fn connect<'a>(&'a self, host: &'a str, _: u16) -> BoxFuture<'a, io::Result<BoxIo>> {
        Box::pin(async move {
            let listener = self.listeners.lock().unwrap().get(host).cloned();
            let (near, far) = tokio::io::duplex(64 * 1024);
            let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
            listener.ok_or_else(refused)?.send(Box::new(far)).map_err(|_| refused())?;
            Ok(Box::new(near) as BoxIo)
        })
    }

    fn bind<'a>(&'a self, host: &'a str, _: u16) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let (sender, incoming) = mpsc::unbounded_channel();
            self.listeners.lock().unwrap().insert(host.to_owned(), sender);
            Ok(Box::new(MemoryListener { incoming, host: host.to_owned() }) as Box<dyn Listener>)
        })
    }
}

impl Listener for MemoryListener {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<(BoxIo, String)>> {
        Box::pin(async move {
            match self.incoming.recv().await {
                Some(io) => Ok((io, self.host.clone())),
                None => std::future::pending().await,
            }
        })
    }

    fn local_address(&self) -> String {
        format!("{}:80", self.host)
    }
}

/// Computes at once, so that virtual time does not run meanwhile.
struct InlineCpu;

impl Cpu for InlineCpu {
    fn run<'a>(
        &'a self,
        _: Duration,
        work: Box<dyn FnOnce() + Send + 'static>,
    ) -> BoxFuture<'a, ()> {
        work();
        Box::pin(std::future::ready(()))
    }

    fn parallelism(&self) -> usize {
        1
    }
}

/// Wall time that follows virtual time.
struct VirtualClock(tokio::time::Instant);

impl Clock for VirtualClock {
    fn unix(&self) -> Duration {
        Duration::from_secs(1_800_000_000) + self.0.elapsed()
    }
}

/// The same bytes in every run.
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, _: &str, bytes: &mut [u8]) {
        for byte in bytes {
            let step = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            *byte = (step >> 56) as u8;
        }
    }
}

/// The environment of one test.
pub(crate) fn env() -> Env {
    Env {
        net: Arc::new(MemoryNet::default()),
        cpu: Arc::new(InlineCpu),
        clock: Arc::new(VirtualClock(tokio::time::Instant::now())),
        entropy: Arc::new(Counting(AtomicU64::new(1))),
        ..real::env()
    }
}

/// A disk on which files can be made and no byte of them written.
pub(crate) struct FullDisk(pub(crate) Arc<dyn Disk>);

#[derive(Debug)]
struct FullFile;

impl BlockingFile for FullFile {
    fn len(&self) -> io::Result<u64> {
        Ok(0)
    }

    fn read_at(&self, _: u64, _: &mut [u8]) -> io::Result<()> {
        Err(io::ErrorKind::UnexpectedEof.into())
    }

    fn write_at(&self, _: u64, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn set_len(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

struct FullReplacement(Box<dyn Replacement>);

impl Replacement for FullReplacement {
    fn file(&self) -> Arc<dyn BlockingFile> {
        Arc::new(FullFile)
    }

    fn publish(self: Box<Self>) -> io::Result<()> {
        self.0.publish()
    }
}

impl Disk for FullDisk {
    fn temporary(&self, _: &Path, _: u64) -> Result<Box<dyn BlockingFile>, RoomError> {
        Ok(Box::new(FullFile))
    }

    fn replacement(&self, path: &Path, bytes: u64) -> Result<Box<dyn Replacement>, RoomError> {
        Ok(Box::new(FullReplacement(self.0.replacement(path, bytes)?)))
    }

    fn open_blocking_read(&self, path: &Path) -> io::Result<Box<dyn BlockingFile>> {
        self.0.open_blocking_read(path)
    }

    fn open_blocking(&self, path: &Path) -> io::Result<Box<dyn BlockingFile>> {
        self.0.open_blocking(path)
    }

    fn open<'a>(
        &'a self,
        path: &'a Path,
        mode: OpenMode,
    ) -> BoxFuture<'a, io::Result<Arc<dyn File>>> {
        self.0.open(path, mode)
    }

    fn lock<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<Box<dyn DiskLock>>> {
        self.0.lock(path)
    }

    fn create_dir_all<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        self.0.create_dir_all(path)
    }

    fn rename<'a>(&'a self, from: &'a Path, to: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        self.0.rename(from, to)
    }

    fn remove_file<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        self.0.remove_file(path)
    }

    fn list<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<Vec<DirEntry>>> {
        self.0.list(path)
    }

    fn sync_dir<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        self.0.sync_dir(path)
    }
}

/// Streams whatever its length, putting aside in `directory`.
pub(crate) fn streaming(directory: &Path) -> CodingConfig {
    CodingConfig { max_memory: 0, spill_directory: Some(directory.to_owned()), threads: None }
}

/// The names in a directory.
pub(crate) fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// A blob of `length` bytes encoded for `n_shards`, and its bytes.
pub(crate) fn blob(n_shards: u16, length: usize, seed: u8) -> (Vec<u8>, EncodedBlob) {
    let bytes: Vec<u8> = (0..length).map(|i| (i * 31 + i / 251) as u8 ^ seed).collect();
    let encoder = Encoder::new(EncodingParams::new(n_shards).unwrap());
    let encoded = encoder.encode(&bytes).unwrap();
    (bytes, encoded)
}

#[derive(Default)]
struct Stored {
    metadata: Option<VerifiedMetadata>,
    slivers: BTreeMap<(SliverPairIndex, SliverType), Bytes>,
    uploads: usize,
}

/// One stub node.
pub(crate) struct StubNode {
    behaviour: Behaviour,
    key: ProtocolSecretKey,
    epoch: Epoch,
    context: SigningContext,
    params: EncodingParams,
    pairs_held: usize,
    requests: AtomicUsize,
    stored: Mutex<Stored>,
}

impl StubNode {
    pub(crate) fn sliver_count(&self) -> usize {
        self.stored.lock().unwrap().slivers.len()
    }

    /// Slivers received, repetitions included.
    pub(crate) fn uploads(&self) -> usize {
        self.stored.lock().unwrap().uploads
    }

    /// Requests of any kind.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    fn behaviour(&self) -> Behaviour {
        self.behaviour
    }

    /// What every request meets first.
    async fn gate(&self) -> Result<(), ApiError> {
        let count = self.requests.fetch_add(1, Ordering::Relaxed);
        match self.behaviour() {
            Behaviour::Silent => std::future::pending().await,
            Behaviour::Slow(delay) => tokio::time::sleep(delay).await,
            Behaviour::Overloaded(times) if count < times => {
                return Err(ApiError::new(ErrorReason::Unavailable, "busy"));
            }
            _ => {}
        }
        Ok(())
    }

    /// The bytes as this node sends them.
    fn send(&self, bytes: Vec<u8>) -> Response {
        match self.behaviour() {
            Behaviour::Truncated => binary(bytes[..bytes.len() / 2].to_vec()),
            Behaviour::Flipped => {
                let mut bytes = bytes;
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                binary(bytes)
            }
            Behaviour::Endless => {
                let chunk = Bytes::from_static(&[7; 8192]);
                let chunks = futures::stream::repeat(chunk);
                Body::from_stream(chunks.map(Ok::<_, std::convert::Infallible>)).into_response()
            }
            _ => binary(bytes),
        }
    }

    /// Another blob with slivers of the same length.
    fn other(&self, length: u64) -> EncodedBlob {
        blob(self.params.n_shards(), length as usize, 0xa5).1
    }
}

type Shared = State<Arc<StubNode>>;

async fn put_metadata(
    State(node): Shared,
    BlobPath(id): BlobPath,
    body: Body,
) -> Result<Response, ApiError> {
    node.gate().await?;
    let bytes = read_request_body(body, limits::metadata_put(node.params)).await?;
    let metadata = BlobMetadata::from_bcs(&bytes, node.params).unwrap();
    let metadata = metadata.verify(node.params, &id).unwrap();
    let before = node.stored.lock().unwrap().metadata.replace(metadata);
    let outcome = if before.is_some() { PutOutcome::AlreadyThere } else { PutOutcome::Stored };
    Ok(success(outcome.http(), wire::METADATA_STORED))
}

async fn get_metadata(State(node): Shared, _: BlobPath) -> Result<Response, ApiError> {
    node.gate().await?;
    let metadata = node.stored.lock().unwrap().metadata.clone();
    match (metadata, node.behaviour()) {
        (None, _) | (_, Behaviour::Empty) => {
            Err(ApiError::new(ErrorReason::MetadataNotFound, "none"))
        }
        (Some(metadata), Behaviour::OtherBlob) => {
            let other = node.other(metadata.unencoded_length());
            Ok(node.send(other.metadata().to_bcs_with_id()))
        }
        (Some(metadata), _) => Ok(node.send(metadata.to_bcs_with_id())),
    }
}

async fn put_sliver(
    State(node): Shared,
    path: SliverPath,
    body: Body,
) -> Result<Response, ApiError> {
    node.gate().await?;
    let bytes = read_request_body(body, limits::sliver_put(node.params)).await?;
    let mut stored = node.stored.lock().unwrap();
    stored.uploads += 1;
    if node.behaviour() == Behaviour::Forgetful && stored.uploads <= 2 {
        return Ok(success(StatusCode::CREATED, wire::SLIVER_STORED));
    }
    let before = stored.slivers.insert((path.pair, path.sliver_type), bytes);
    let outcome = if before.is_some() { PutOutcome::AlreadyThere } else { PutOutcome::Stored };
    Ok(success(outcome.http(), wire::SLIVER_STORED))
}

async fn get_sliver(State(node): Shared, path: SliverPath) -> Result<Response, ApiError> {
    node.gate().await?;
    let SliverPath { pair, sliver_type, .. } = path;
    let (found, metadata) = {
        let stored = node.stored.lock().unwrap();
        (stored.slivers.get(&(pair, sliver_type)).cloned(), stored.metadata.clone())
    };
    let length = metadata.map_or(0, |metadata| metadata.unencoded_length());
    match (found, node.behaviour()) {
        (None, _) | (_, Behaviour::Empty) => {
            Err(ApiError::new(ErrorReason::SliverNotFound, "none"))
        }
        (_, Behaviour::Careful) if sliver_type == SliverType::Primary => {
            Err(ApiError::new(ErrorReason::ChallengeCare, "ask for secondary slivers"))
        }
        (_, Behaviour::OtherBlob) => {
            let index = pair.to_sliver_index(sliver_type, node.params.n_shards());
            Ok(node.send(node.other(length).any_sliver(sliver_type, index).unwrap().to_bcs()))
        }
        (Some(bytes), _) => Ok(node.send(bytes.to_vec())),
    }
}

async fn sliver_status(State(node): Shared, path: SliverPath) -> Result<Response, ApiError> {
    node.gate().await?;
    let stored = node.stored.lock().unwrap();
    let found = stored.slivers.contains_key(&(path.pair, path.sliver_type));
    let status = if found { StoredStatus::Stored } else { StoredStatus::Nonexistent };
    Ok(success(StatusCode::OK, status))
}

async fn confirm(
    node: Arc<StubNode>,
    blob_id: BlobId,
    persistence: Persistence,
) -> Result<Response, ApiError> {
    node.gate().await?;
    if node.sliver_count() < 2 * node.pairs_held {
        return Err(ApiError::new(ErrorReason::MissingSlivers, "not all here"));
    }
    let stranger = ProtocolSecretKey::from_randomness(&[0xee; 32]);
    let (key, epoch) = match node.behaviour() {
        Behaviour::WrongSignature => (&stranger, node.epoch),
        Behaviour::StaleEpoch => (&node.key, Epoch(node.epoch.0 - 1)),
        _ => (&node.key, node.epoch),
    };
    let message = Message::new(epoch, StorageConfirmation { blob_id, persistence });
    let signed = SignedMessage::sign(key, &node.context, &message);
    Ok(success(StatusCode::OK, SignedConfirmation::Signed(signed)))
}

async fn confirm_permanent(
    State(node): Shared,
    BlobPath(id): BlobPath,
) -> Result<Response, ApiError> {
    confirm(node, id, Persistence::Permanent).await
}

async fn confirm_deletable(State(node): Shared, path: ObjectPath) -> Result<Response, ApiError> {
    let object: ObjectId = path.object_id;
    confirm(node, path.blob_id, Persistence::Deletable(object)).await
}

async fn status(State(node): Shared, _: BlobPath) -> Result<Response, ApiError> {
    node.gate().await?;
    let known = node.stored.lock().unwrap().metadata.is_some();
    let status = match node.behaviour() {
        Behaviour::OtherBlob => BlobStatus::Invalid { event: EventId::new(&[9; 32], 1) },
        Behaviour::Empty => BlobStatus::Nonexistent,
        _ if !known => BlobStatus::Nonexistent,
        _ => BlobStatus::Permanent {
            end_epoch: Epoch(9),
            is_certified: true,
            status_event: EventId::new(&[1; 32], 0),
            deletable_counts: DeletableCounts::default(),
            initial_certified_epoch: Some(Epoch(2)),
        },
    };
    Ok(success(StatusCode::OK, status))
}

fn router(node: Arc<StubNode>) -> Router {
    Router::new()
        .route(routes::METADATA, get(get_metadata).put(put_metadata))
        .route(routes::SLIVER, get(get_sliver).put(put_sliver))
        .route(routes::SLIVER_STATUS, get(sliver_status))
        .route(routes::CONFIRMATION_PERMANENT, get(confirm_permanent))
        .route(routes::CONFIRMATION_DELETABLE, get(confirm_deletable))
        .route(routes::BLOB_STATUS, get(status))
        .merge(ranges::routes())
        .with_state(node)
}

/// A committee of stub nodes, each running.
pub(crate) struct StubNetwork {
    pub(crate) env: Env,
    pub(crate) view: CommitteeView,
    pub(crate) nodes: Vec<Arc<StubNode>>,
}

/// The protocol key of the node at a place, counted from 1.
fn protocol_key(place: u8) -> ProtocolSecretKey {
    ProtocolSecretKey::from_randomness(&[place; 32])
}

fn network_key(place: u8) -> NetworkPublicKey {
    NetworkSecretKey::from_bytes(&[place; 32]).unwrap().public_key()
}

fn address(place: u8) -> NetworkAddress {
    format!("n{place}.localhost:80").parse().unwrap()
}

/// Starts the node at a place with so many shards.
async fn start_node(
    env: &Env,
    place: u8,
    behaviour: Behaviour,
    shards: u16,
    committee: (Epoch, SigningContext, EncodingParams),
) -> Arc<StubNode> {
    let (epoch, context, params) = committee;
    let node = Arc::new(StubNode {
        behaviour,
        key: protocol_key(place),
        epoch,
        context,
        params,
        pairs_held: usize::from(shards),
        requests: AtomicUsize::new(0),
        stored: Mutex::default(),
    });
    if behaviour != Behaviour::Dead {
        let host = format!("n{place}.localhost");
        let listener = env.net.bind(&host, 80).await.unwrap();
        let (config, shutdown) = (ServerConfig::default(), CancellationToken::new());
        let serving = serve(env.clone(), listener, router(node.clone()), config, shutdown);
        drop(env.spawn("stub node", serving));
    }
    node
}

impl StubNetwork {
    /// One node for each entry: its behaviour and number of shards.
    pub(crate) async fn start(behaviours: &[(Behaviour, u16)]) -> Self {
        let env = env();
        let epoch = Epoch(3);
        let context = SigningContext::deployed(31337, EvmAddress([7; 20]));
        let n_shards = behaviours.iter().map(|(_, weight)| weight).sum();
        let params = EncodingParams::new(n_shards).unwrap();
        let (mut members, mut nodes) = (Vec::new(), Vec::new());
        for (place, (behaviour, weight)) in (1..).zip(behaviours) {
            members.push(Member {
                node_id: NodeId(place.into()),
                public_key: protocol_key(place).public_key().clone(),
                weight: *weight,
                network_address: address(place),
                network_key: network_key(place),
                name: format!("node {place}"),
            });
            let committee = (epoch, context, params);
            nodes.push(start_node(&env, place, *behaviour, *weight, committee).await);
        }
        let committee = Arc::new(Committee::with_consecutive_shards(epoch, members).unwrap());
        let access = NodeAccess { plain_loopback: true, ..NodeAccess::default() };
        let view = NodeClients::new(&env, access).view(committee, context);
        Self { env, view, nodes }
    }

    /// Ten nodes with one shard each, of which the last ones behave as given.
    pub(crate) async fn of_ten(last: &[Behaviour]) -> Self {
        let honest = std::iter::repeat_n(Behaviour::Honest, 10 - last.len());
        let all: Vec<_> = honest.chain(last.iter().copied()).map(|b| (b, 1)).collect();
        Self::start(&all).await
    }

    /// Puts a blob where its slivers belong, without any request.
    pub(crate) fn place(&self, blob: &EncodedBlob) {
        for (node, stub) in self.view.nodes().iter().zip(&self.nodes) {
            let metadata = blob.metadata();
            let mut stored = stub.stored.lock().unwrap();
            stored.metadata = Some(metadata.clone());
            for pair in node.pairs(metadata.params().n_shards(), metadata.blob_id()) {
                for kind in SliverType::BOTH {
                    let index = pair.to_sliver_index(kind, metadata.params().n_shards());
                    let bytes = blob.any_sliver(kind, index).unwrap().to_bcs();
                    stored.slivers.insert((pair, kind), bytes.into());
                }
            }
        }
    }
}

/// Where a network lives that nobody deployed.
pub(crate) fn deployment() -> Deployment {
    let at = |byte| EvmAddress([byte; 20]);
    Deployment {
        chain_id: 31337,
        deploy_block: 1,
        lens: at(1),
        dev_exchange: None,
        contracts: Contracts {
            wal: at(2),
            system: at(3),
            capacity: at(4),
            blobs: at(5),
            staking: at(6),
            committees: at(7),
            epoch_manager: at(8),
            upgrade_gate: at(9),
            ..Contracts::default()
        },
    }
}

/// Ten stub nodes with one shard each, registered on a chain with the real contracts.
pub(crate) struct ChainNetwork {
    pub(crate) chain: DevChain,
    pub(crate) client: ChainClient,
    pub(crate) writer: ChainWriter,
}

fn quick() -> SendConfig {
    SendConfig { poll_min: Duration::from_millis(5), ..SendConfig::default() }
}

fn genesis_node(place: u8) -> GenesisNode {
    GenesisNode {
        operator: Wallet::from_bytes(&[place; 32]).unwrap(),
        registration: NodeRegistration {
            protocol_key: protocol_key(place),
            network_key: network_key(place),
            name: format!("node {place}"),
            network_address: address(place),
            metadata_uri: String::new(),
            commission_bp: 0,
            price_votes: Prices { storage: 1000, write: 200 },
            capacity_vote: 1 << 40,
        },
        stake: 1_000_000_000_000,
    }
}

impl ChainNetwork {
    /// Of the ten nodes the last ones behave as given.
    pub(crate) async fn start(last: &[Behaviour]) -> Self {
        Self::start_on(DevChainConfig::default(), last).await
    }

    /// The same on a chain with other settings.
    pub(crate) async fn start_on(config: DevChainConfig, last: &[Behaviour]) -> Self {
        let env = env();
        let chain = DevChain::start(&env, config).await.unwrap();
        let urls = [chain.endpoint()];
        let endpoints = Endpoints::new(&env, &urls, EndpointsConfig::default()).unwrap();
        let wallet = Wallet::from_bytes(&chain.accounts()[0].secret_key).unwrap();
        let parameters = Parameters {
            n_shards: 10,
            max_epochs_ahead: 53,
            epoch_duration: 1_000_000,
            first_start: 0,
            min_nodes: 10,
            max_committee: 100,
        };
        let params = DeployParams { send: quick(), ..DeployParams::new(parameters) };
        let deployment = deploy(&endpoints, &wallet, &params).await.unwrap();
        let client = ChainClient::connect(endpoints, deployment.clone()).await.unwrap();
        let writer = ChainWriter::new(client.clone(), wallet, quick());
        let members: Vec<_> = (1..=10).map(genesis_node).collect();
        start_network(&writer, &members, 1_000_000_000_000_000_000).await.unwrap();
        let committee = client.committee(Epoch(1)).await.unwrap();
        assert!(committee.members().all(|(_, member)| member.weight == 1));
        let committee = (Epoch(1), deployment.signing_context(), EncodingParams::new(10).unwrap());
        let honest = std::iter::repeat_n(Behaviour::Honest, 10 - last.len());
        for (place, behaviour) in (1..).zip(honest.chain(last.iter().copied())) {
            start_node(&env, place, behaviour, 1, committee).await;
        }
        Self { chain, client, writer }
    }
}
