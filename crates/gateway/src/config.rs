//! What a gateway does, and how much of it.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use walrus_core::EvmAddress;
use walrus_sdk::site::SitesDomain;

/// The parts of a gateway that run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roles {
    /// Serves blobs.
    pub aggregator: bool,
    /// Stores blobs at its own cost.
    pub publisher: bool,
    /// Encodes and uploads blobs that others registered.
    pub relay: bool,
    /// Serves the web page and the way to the chain that it needs.
    pub page: bool,
}

impl Roles {
    /// Everything.
    pub const ALL: Self = Self { aggregator: true, publisher: true, relay: true, page: true };
}

/// How a gateway is to be.
#[derive(Clone, Debug)]
pub struct GatewayConfig {
    /// Where it listens, as `host:port`.
    pub bind: String,
    /// What it does.
    pub roles: Roles,
    /// Where it keeps what it cached and what is on its way. Made if missing; nobody else
    /// may use it.
    pub directory: PathBuf,
    /// A key that the page may use by itself, as 0x and 64 hex digits: that of an account
    /// of a development chain, which everybody knows. Given to the page only if the gateway
    /// listens on a loopback address.
    pub development_key: Option<String>,
    /// Who may use the publisher; if absent everybody, in browsers the gateway's own page only.
    pub tokens: Option<TokenConfig>,
    /// Whether pages of all origins may use the publisher without tokens.
    pub open_to_pages: bool,
    /// What the relay wants to be paid.
    pub tip: Option<TipConfig>,
    /// Attributes of blob objects and tags of files in quilts that become headers.
    pub allowed_headers: Vec<String>,
    /// The domain below which each website is served at a host name of its own, which must
    /// lead here. Without it they are served below `/v1/sites` only.
    pub sites_domain: Option<SitesDomain>,
    /// Where figures for Prometheus are served, as `host:port`.
    pub metrics_bind: Option<String>,
    /// What one of many senders may take.
    pub senders: Senders,
    /// Bounds.
    pub limits: Limits,
}

impl GatewayConfig {
    /// A gateway in all roles that asks for neither tokens nor tips.
    pub fn new(bind: impl Into<String>, directory: impl Into<PathBuf>) -> Self {
        Self {
            bind: bind.into(),
            roles: Roles::ALL,
            directory: directory.into(),
            development_key: None,
            tokens: None,
            open_to_pages: false,
            tip: None,
            allowed_headers: ALLOWED_HEADERS.map(str::to_owned).to_vec(),
            sites_domain: None,
            metrics_bind: None,
            senders: Senders::default(),
            limits: Limits::default(),
        }
    }
}

/// Attributes that become headers unless others are named. Those that would let a stored
/// file make a browser speak to other places, or that are about who asks, are not among
/// them.
pub const ALLOWED_HEADERS: [&str; 5] = [
    "content-type",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-location",
];

/// Which tokens open the publisher (docs/protocol/http-api.md section 7).
#[derive(Clone)]
pub struct TokenConfig {
    /// How tokens are signed: `HS256`, `ES256`, `EdDSA` and so on.
    pub algorithm: String,
    /// The secret, or for asymmetric algorithms the public key in DER form.
    pub key: Vec<u8>,
    /// The lifetime that every token must have.
    pub expiring: Option<Duration>,
    /// Whether what a token says about the upload must hold; the size is checked always.
    pub verify_upload: bool,
}

impl std::fmt::Debug for TokenConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokenConfig({})", self.algorithm)
    }
}

/// What the relay wants to be paid, in the chain's smallest unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TipConfig {
    /// Who is paid.
    pub address: EvmAddress,
    /// How much.
    pub kind: TipKind,
    /// Age at which a payment no longer counts.
    pub max_age: Duration,
    /// How far a payment's time may lie ahead of the chain's latest block.
    pub max_ahead: Duration,
}

/// How a tip is reckoned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TipKind {
    /// The same for every blob.
    Const(u64),
    /// By the encoded length.
    Linear {
        /// For every blob.
        base: u64,
        /// For each started KiB.
        per_kib: u64,
    },
}

impl TipKind {
    /// The tip for a blob of this encoded length.
    pub fn amount(self, encoded_bytes: u64) -> u128 {
        match self {
            Self::Const(amount) => amount.into(),
            Self::Linear { base, per_kib } => {
                u128::from(base) + u128::from(encoded_bytes.div_ceil(1024)) * u128::from(per_kib)
            }
        }
    }
}

/// What one sender may take, and who the senders are. A sender is an address, of IPv6 the
/// 2^64 addresses that share its network; those of this machine have no limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Senders {
    /// One sender has at most this part of the places of each role, and one in any case:
    /// 4 is a quarter, 1 everything.
    pub part: usize,
    /// Proxies that are believed when they say for whom they ask.
    pub proxies: Vec<IpAddr>,
    /// How they say it.
    pub forwarded_by: ForwardedBy,
}

impl Default for Senders {
    fn default() -> Self {
        Self { part: 4, proxies: Vec::new(), forwarded_by: ForwardedBy::XForwardedFor }
    }
}

impl Senders {
    /// How many of `places` one sender may have.
    pub fn share_of(&self, places: usize) -> usize {
        (places / self.part.max(1)).max(1)
    }
}

/// The header in which a proxy says for whom it asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForwardedBy {
    /// `X-Forwarded-For`.
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// How much a gateway takes on. Whatever exceeds these is refused, before memory or disk
/// is spent on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest blob served as a whole; of longer ones, ranges.
    pub max_blob_bytes: u64,
    /// Bytes of all cached blobs; nothing is cached when it is zero.
    pub cache_bytes: u64,
    /// Bytes on disk of everything on its way in or out.
    pub spool_bytes: u64,
    /// Bytes of blobs in memory that are being sent.
    pub max_memory_bytes: u64,
    /// Blobs fetched at once.
    pub max_fetches: usize,
    /// Parts of blobs fetched at once.
    pub max_range_reads: usize,
    /// A blob of at most this length is fetched whole when a range takes more than half of it.
    pub whole_for_range_bytes: u64,
    /// Requests to the aggregator in progress; as many more wait.
    pub max_reads: usize,
    /// Requests to the publisher in progress; as many more wait.
    pub max_stores: usize,
    /// Requests to the relay in progress; as many more wait.
    pub max_relays: usize,
    /// Longest file of a quilt served.
    pub max_patch_bytes: u64,
    /// Bytes of files of quilts that are kept in memory for the next who asks.
    pub patch_cache_bytes: u64,
    /// Files of quilts read at once.
    pub max_patch_reads: usize,
    /// How long what a reference names as a website is remembered.
    pub site_age: Duration,
    /// Longest wait for a place.
    pub queue_time: Duration,
    /// Watchers of uploads.
    pub max_watchers: usize,
    /// Longest blob that the publisher takes.
    pub max_upload_bytes: u64,
    /// Longest body of a quilt that the publisher takes.
    pub max_quilt_bytes: u64,
    /// Longest blob that the relay takes.
    pub max_relay_bytes: u64,
    /// Most epochs that the publisher pays for.
    pub max_epochs: u32,
    /// Connections at once.
    pub max_connections: usize,
    /// Longest wait for the head of a request, on a connection that is idle too.
    pub head_time: Duration,
    /// Longest question to the chain.
    pub max_rpc_bytes: usize,
    /// Questions to the chain in progress.
    pub max_rpc_requests: usize,
    /// Time for a body to arrive, besides that of its bytes at the slowest speed accepted.
    pub body_time: Duration,
    /// Slowest sender or receiver that is waited for, in bytes a second.
    pub min_bytes_per_second: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_blob_bytes: 4 << 30,
            cache_bytes: 8 << 30,
            spool_bytes: 16 << 30,
            max_memory_bytes: 512 << 20,
            max_fetches: 8,
            max_range_reads: 32,
            whole_for_range_bytes: 32 << 20,
            max_reads: 256,
            max_stores: 8,
            max_relays: 8,
            max_patch_bytes: 64 << 20,
            patch_cache_bytes: 64 << 20,
            max_patch_reads: 8,
            site_age: Duration::from_secs(10),
            queue_time: Duration::from_secs(10),
            max_watchers: 256,
            max_upload_bytes: 1 << 30,
            max_quilt_bytes: 1 << 30,
            max_relay_bytes: 1 << 30,
            max_epochs: 53,
            max_connections: 1024,
            head_time: Duration::from_secs(15),
            max_rpc_bytes: 256 << 10,
            max_rpc_requests: 64,
            body_time: Duration::from_secs(20),
            min_bytes_per_second: 32 << 10,
        }
    }
}
