//! JSON-RPC over several addresses of the same chain: bounded waiting, retry with
//! back-off, fallback, and a memory of which addresses answered last.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, StatusCode, Uri, header::CONTENT_TYPE};
use http_body_util::Full;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};
use tokio::time::{Instant, sleep, timeout};
use walrus_env::{
    Env,
    http::{HttpClient, HttpClientConfig, read_body},
};

/// How long and how often a request is tried.
#[derive(Clone, Debug)]
pub struct EndpointsConfig {
    /// Longest wait for one answer of one address.
    pub request_timeout: Duration,
    /// How often every address is tried before a request is given up.
    pub rounds: u32,
    /// Pause after the first round without an answer; doubles with each further one.
    pub backoff_min: Duration,
    /// Longest pause between two rounds.
    pub backoff_max: Duration,
    /// Longest answer accepted, in bytes.
    pub max_answer_bytes: usize,
}

impl Default for EndpointsConfig {
    fn default() -> Self {
        Self {
            request_timeout: Duration::from_secs(10),
            rounds: 6,
            backoff_min: Duration::from_millis(200),
            backoff_max: Duration::from_secs(5),
            max_answer_bytes: 32 << 20,
        }
    }
}

/// Why a list of addresses was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointsError {
    /// No address at all.
    #[error("no RPC address is given: name at least one, such as http://127.0.0.1:8545")]
    Empty,
    /// Not an address this client can use.
    #[error("the RPC address {url:?} is not of the form http://host:port/path")]
    BadUrl {
        /// The refused text, cut to at most 200 characters.
        url: String,
    },
}

/// Why a request to the chain failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RpcError {
    /// No address gave a usable answer: try again later, or name other addresses.
    #[error(
        "{method}: no usable answer from the chain after {attempts} attempts, the last from {url}: {reason}"
    )]
    Unreachable {
        /// The JSON-RPC method.
        method: &'static str,
        /// Requests sent.
        attempts: u32,
        /// Address of the last attempt.
        url: String,
        /// What went wrong there.
        reason: String,
    },
    /// Every address belongs to another chain: give up and correct the configuration.
    #[error("{url} serves chain {got}, but this network lives on chain {expected}")]
    WrongChain {
        /// An address that answered.
        url: String,
        /// Chain id of the deployment.
        expected: u64,
        /// Chain id of the address.
        got: u64,
    },
    /// The chain understood the request and refused it: repeating it does not help.
    #[error("{method}: {answer}")]
    Refused {
        /// The JSON-RPC method.
        method: &'static str,
        /// The chain's words.
        answer: Refusal,
    },
}

impl RpcError {
    /// Whether the same request may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    /// The chain's refusal, if it is one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused { answer, .. } => Some(answer),
            _ => None,
        }
    }
}

/// An error object of a JSON-RPC answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the chain refused: {message} (code {code})")]
pub struct Refusal {
    /// Error code.
    pub code: i64,
    /// Error text, cut to at most 500 characters.
    pub message: String,
    /// Data of a reverted call.
    pub data: Option<Vec<u8>>,
}

impl Refusal {
    /// Refusals that say something about the answering address rather than about the
    /// request: limits on the rate, and state that this replica lacks (yet).
    fn is_about_the_endpoint(&self) -> bool {
        const TEXTS: [&str; 9] = [
            "rate limit",
            "too many requests",
            "header not found",
            "unknown block",
            "missing trie node",
            "limit exceeded",
            "try again",
            "timeout",
            "timed out",
        ];
        let message = self.message.to_ascii_lowercase();
        self.data.is_none()
            && (matches!(self.code, 429 | -32097 | -32005)
                || TEXTS.iter().any(|text| message.contains(text)))
            // These name the block range, which the caller must narrow.
            && !message.contains("range")
            && !message.contains("results")
    }
}

/// Several JSON-RPC addresses of one chain, used as one. Cheap to clone.
///
/// The addresses are tried in the given order; one that failed is set aside for a
/// while and asked only when no other is left. No redirect is followed.
#[derive(Clone)]
pub struct Endpoints {
    shared: Arc<Shared>,
}

struct Shared {
    env: Env,
    http: HttpClient,
    config: EndpointsConfig,
    addresses: Vec<Address>,
    next_id: AtomicU64,
    /// Chain id every address must report before it is used; 0 for any.
    chain_id: AtomicU64,
}

struct Address {
    url: String,
    uri: Uri,
    health: Mutex<Health>,
}

/// What is remembered about an address.
#[derive(Default)]
struct Health {
    failures_in_a_row: u32,
    aside_until: Option<Instant>,
    /// Chain id it reported.
    chain_id: Option<u64>,
}

/// What one attempt at one address yields when it is not a result.
enum Miss {
    /// The address is of no use now.
    Endpoint(String),
    /// The address serves another chain.
    OtherChain(u64),
    /// The request is refused for good.
    Refused(Refusal),
}

impl Endpoints {
    /// Prepares the addresses; nothing is sent yet.
    ///
    /// # Errors
    /// An empty list, or an address that is not `http://...`.
    pub fn new<S: AsRef<str>>(
        env: &Env,
        urls: &[S],
        config: EndpointsConfig,
    ) -> Result<Self, EndpointsError> {
        if urls.is_empty() {
            return Err(EndpointsError::Empty);
        }
        let addresses = urls.iter().map(|url| Address::parse(url.as_ref()));
        let http = HttpClientConfig {
            connect_timeout: config.request_timeout.min(Duration::from_secs(5)),
            ..HttpClientConfig::default()
        };
        let shared = Shared {
            env: env.clone(),
            http: HttpClient::new(env, http),
            config,
            addresses: addresses.collect::<Result<_, _>>()?,
            next_id: AtomicU64::new(1),
            chain_id: AtomicU64::new(0),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The environment the requests go through.
    pub fn env(&self) -> &Env {
        &self.shared.env
    }

    /// The addresses, in order of preference.
    pub fn urls(&self) -> impl Iterator<Item = &str> {
        self.shared.addresses.iter().map(|address| address.url.as_str())
    }

    /// From now on only addresses that report this chain id are used; each is asked once.
    pub fn require_chain(&self, chain_id: u64) {
        self.shared.chain_id.store(chain_id, Ordering::Relaxed);
    }

    /// Sends one request and returns its result.
    ///
    /// # Errors
    /// See [`RpcError`]; retries and fallback have already happened.
    pub(crate) async fn request<P, R>(&self, method: &'static str, params: P) -> Result<R, RpcError>
    where
        P: Serialize + Sync,
        R: DeserializeOwned,
    {
        self.request_counted(method, params).await.0
    }

    /// Passes on a question that this crate knows nothing about, with parameters that
    /// somebody else wrote. The caller decides which methods may be asked.
    ///
    /// # Errors
    /// See [`RpcError`].
    pub async fn forward(&self, method: &'static str, params: Value) -> Result<Value, RpcError> {
        self.request(method, params).await
    }

    /// As [`Self::request`], with the number of requests that may have reached a chain:
    /// 1 means that no earlier answer was lost.
    pub(crate) async fn request_counted<P, R>(
        &self,
        method: &'static str,
        params: P,
    ) -> (Result<R, RpcError>, u32)
    where
        P: Serialize + Sync,
        R: DeserializeOwned,
    {
        let shared = &self.shared;
        let mut attempts = 0;
        let mut last = (String::new(), String::new());
        let mut other_chain = None;
        for round in 0..shared.config.rounds.max(1) {
            if round > 0 {
                sleep(self.pause(round)).await;
            }
            for index in self.order() {
                let address = &shared.addresses[index];
                attempts += 1;
                match self.attempt(address, method, &params).await {
                    Ok(result) => {
                        address.succeeded();
                        return (Ok(result), attempts);
                    }
                    Err(Miss::Refused(answer)) => {
                        address.succeeded();
                        return (Err(RpcError::Refused { method, answer }), attempts);
                    }
                    Err(Miss::OtherChain(got)) => other_chain = Some((address.url.clone(), got)),
                    Err(Miss::Endpoint(reason)) => {
                        tracing::debug!(url = address.url, method, reason, "RPC attempt failed");
                        address.failed(&shared.config);
                        last = (address.url.clone(), reason);
                    }
                }
            }
            // When every address belongs to another chain, waiting does not help.
            if let (Some((url, got)), true) = (&other_chain, last.0.is_empty()) {
                let expected = shared.chain_id.load(Ordering::Relaxed);
                let error = RpcError::WrongChain { url: url.clone(), expected, got: *got };
                return (Err(error), attempts);
            }
        }
        let (url, reason) = last;
        (Err(RpcError::Unreachable { method, attempts, url, reason }), attempts)
    }

    /// Addresses in the order to try: those in good health as configured, then those
    /// set aside, the one due first before the others.
    fn order(&self) -> Vec<usize> {
        let now = Instant::now();
        let mut order: Vec<_> = (0..self.shared.addresses.len()).collect();
        order.sort_by_key(|index| {
            let aside_until = self.shared.addresses[*index].health().aside_until;
            aside_until.filter(|until| *until > now)
        });
        order
    }

    /// Exponential pause before a round, drawn from the upper half of its range.
    fn pause(&self, round: u32) -> Duration {
        let config = &self.shared.config;
        let full =
            config.backoff_min.saturating_mul(1 << (round - 1).min(16)).min(config.backoff_max);
        let fraction = self.shared.env.random_u64("chain retry") % 1001;
        full / 2 + full.mul_f64(fraction as f64 / 2000.0)
    }

    async fn attempt<P, R>(&self, address: &Address, method: &str, params: &P) -> Result<R, Miss>
    where
        P: Serialize,
        R: DeserializeOwned,
    {
        let expected = self.shared.chain_id.load(Ordering::Relaxed);
        if expected != 0 {
            let known = address.health().chain_id;
            let got = match known {
                Some(id) => id,
                None => {
                    let id: alloy::primitives::U64 =
                        self.exchange(address, "eth_chainId", &()).await?;
                    let id = id.to();
                    address.health().chain_id = Some(id);
                    id
                }
            };
            if got != expected {
                return Err(Miss::OtherChain(got));
            }
        }
        self.exchange(address, method, params).await
    }

    /// One request and one answer within the time limit.
    async fn exchange<P, R>(&self, address: &Address, method: &str, params: &P) -> Result<R, Miss>
    where
        P: Serialize,
        R: DeserializeOwned,
    {
        let id = self.shared.next_id.fetch_add(1, Ordering::Relaxed);
        let body = question(id, method, params);
        let request = Request::post(address.uri.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|error| Miss::Endpoint(error.to_string()))?;
        let limit = self.shared.config.request_timeout;
        let exchange = async {
            let response = self.shared.http.send(request).await.map_err(|e| e.to_string())?;
            let status = response.status();
            let body = read_body(response.into_body(), self.shared.config.max_answer_bytes)
                .await
                .map_err(|error| error.to_string())?;
            Ok((status, body))
        };
        let (status, body) = timeout(limit, exchange)
            .await
            .unwrap_or_else(|_| Err(format!("no answer within {limit:?}")))
            .map_err(Miss::Endpoint)?;
        answer(id, status, &body)
    }
}

impl std::fmt::Debug for Endpoints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.urls()).finish()
    }
}

impl Address {
    fn parse(url: &str) -> Result<Self, EndpointsError> {
        let refuse = || EndpointsError::BadUrl { url: url.chars().take(200).collect() };
        let uri: Uri = url.trim().parse().map_err(|_| refuse())?;
        if uri.scheme_str() != Some("http") || uri.host().is_none_or(str::is_empty) {
            return Err(refuse());
        }
        Ok(Self { url: url.trim().to_owned(), uri, health: Mutex::default() })
    }

    fn health(&self) -> std::sync::MutexGuard<'_, Health> {
        // A panic while holding the lock leaves plain numbers behind, valid as they are.
        self.health.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn succeeded(&self) {
        let mut health = self.health();
        health.failures_in_a_row = 0;
        health.aside_until = None;
    }

    /// Sets the address aside: 1 s after the first failure, doubling up to a minute.
    fn failed(&self, config: &EndpointsConfig) {
        let mut health = self.health();
        health.failures_in_a_row = health.failures_in_a_row.saturating_add(1);
        let seconds = 1 << health.failures_in_a_row.saturating_sub(1).min(6);
        let aside = Duration::from_secs(seconds).clamp(config.backoff_min, Duration::from_secs(60));
        health.aside_until = Some(Instant::now() + aside);
    }
}

#[derive(Serialize)]
struct Question<'a, P> {
    jsonrpc: &'static str,
    id: u64,
    method: &'a str,
    params: &'a P,
}

#[derive(Deserialize)]
struct Answer<'a> {
    id: Option<u64>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    error: Option<AnswerError>,
}

#[derive(Deserialize)]
struct AnswerError {
    code: i64,
    #[serde(default)]
    message: String,
    #[serde(default)]
    data: Value,
}

fn question<P: Serialize>(id: u64, method: &str, params: &P) -> Bytes {
    // `()` is no parameters, which JSON-RPC wants as an empty list.
    let params = match serde_json::to_value(params).expect("parameters are plain data") {
        Value::Null => Value::Array(Vec::new()),
        params => params,
    };
    let question = Question { jsonrpc: "2.0", id, method, params: &params };
    serde_json::to_vec(&question).expect("parameters are plain data").into()
}

fn answer<R: DeserializeOwned>(id: u64, status: StatusCode, body: &[u8]) -> Result<R, Miss> {
    // Some servers send a refusal with an error status, so the body is looked at first.
    let parsed = serde_json::from_slice::<Answer<'_>>(body);
    let Ok(answer) = parsed else {
        let start: String = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        return Err(Miss::Endpoint(format!("status {status} and no JSON-RPC answer: {start:?}")));
    };
    if let Some(error) = answer.error {
        let refusal = Refusal {
            code: error.code,
            message: error.message.chars().take(500).collect(),
            data: revert_data(&error.data),
        };
        return Err(if refusal.is_about_the_endpoint() || status.is_server_error() {
            Miss::Endpoint(refusal.to_string())
        } else {
            Miss::Refused(refusal)
        });
    }
    if answer.id != Some(id) {
        return Err(Miss::Endpoint(format!("answer {:?} to question {id}", answer.id)));
    }
    if !status.is_success() {
        return Err(Miss::Endpoint(format!("status {status}")));
    }
    let result = answer.result.map_or("null", RawValue::get);
    serde_json::from_str(result)
        .map_err(|error| Miss::Endpoint(format!("an answer of another form: {error}")))
}

/// Finds the revert data: hex text directly, or under `data` one level below.
fn revert_data(data: &Value) -> Option<Vec<u8>> {
    let text = data.as_str().or_else(|| data.get("data")?.as_str())?;
    let start = text.find("0x")?;
    hex::decode(text[start + 2..].trim()).ok()
}
