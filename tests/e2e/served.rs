//! A gateway as a process of its own, and programs that speak HTTP to it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};
use walrus_chain::{
    ChainClient, ChainWriter, Deployment, Endpoints, EndpointsConfig, SendConfig, Wallet,
};
use walrus_env::real;

use crate::{
    network::{DEPLOYER_KEY, Network},
    process::{Background, walrus},
};

/// Longest silence of a gateway; a hang fails the test instead of stopping it.
const SILENCE: Duration = Duration::from_secs(120);

/// A gateway that runs.
pub struct Gateway {
    pub process: Background,
    /// Where it listens.
    pub address: String,
    /// What it said when it was ready.
    pub report: Value,
}

impl Gateway {
    /// Starts one with these lines of TOML, which begin within `[contexts.test.gateway]`,
    /// and these arguments. Its directory is `gateway` beneath the network's.
    pub fn start(network: &Network, settings: &str, arguments: &[&str]) -> Self {
        let config = std::fs::read_to_string(network.path().join("walrus.toml")).unwrap();
        let own = "[contexts.test.gateway]\nbind = \"127.0.0.1:0\"\ndir = \"gateway\"\n";
        std::fs::write(network.path().join("gateway.toml"), format!("{config}{own}{settings}"))
            .unwrap();
        let mut command = walrus(network.path());
        command.env("WALRUS_PRIVATE_KEY", DEPLOYER_KEY);
        command.args(["--json", "--config", "gateway.toml", "gateway"]).args(arguments);
        let (process, report) =
            Background::start(&mut command, &network.path().join("gateway.log"));
        let address = report["address"].as_str().unwrap().to_owned();
        Self { process, address, report }
    }

    /// Sends all of a request, then reads the answer.
    pub fn ask(&self, method: &str, path: &str, token: Option<&str>, body: &[u8]) -> Answer {
        let mut stream = self.begin(method, path, token, body.len());
        stream.write_all(body).unwrap();
        Answer::read(stream)
    }

    /// Sends the head of a request.
    pub fn begin(&self, method: &str, path: &str, token: Option<&str>, length: usize) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(SILENCE)).unwrap();
        let token = token.map_or_else(String::new, |t| format!("authorization: Bearer {t}\r\n"));
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n{token}content-length: {length}\r\n\r\n"
        )
        .unwrap();
        stream
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, None, b"")
    }

    /// Stores a blob with `query`; the answer's JSON.
    pub fn store(&self, query: &str, body: &[u8]) -> Value {
        let answer = self.ask("PUT", &format!("/v1/blobs?{query}"), None, body);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// Waits until an upload that was named has come to a stage.
    pub fn wait_for_stage(&self, upload: &str, stage: &str) {
        let stream = self.begin("GET", &format!("/v1/uploads/{upload}/events"), None, 0);
        let wanted = format!("\"stage\":\"{stage}\"");
        let mut seen = String::new();
        for line in BufReader::new(stream).lines() {
            let line = line.unwrap();
            if line.contains(&wanted) {
                return;
            }
            seen.push_str(&line);
        }
        panic!("{stage} was not reached: {seen}");
    }
}

/// An answer, of which less may have come than was announced.
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    pub is_whole: bool,
}

impl Answer {
    fn read(mut stream: TcpStream) -> Self {
        let mut bytes = Vec::new();
        // What came before a connection broke is looked at.
        let ended = stream.read_to_end(&mut bytes);
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no answer ({ended:?}): {bytes:?}"));
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_ascii_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let body = bytes.split_off(end + 4);
        let is_whole = length.is_some_and(|length| length.parse() == Ok(body.len()));
        Self { status, body, is_whole }
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    /// Status and reason of a refusal.
    pub fn refusal(&self) -> (u16, String) {
        let json = self.json();
        let reason = json["error"]["details"][0]["reason"].as_str();
        (self.status, reason.unwrap_or_else(|| panic!("{json}")).to_owned())
    }
}

/// The blob id of a store's answer.
pub fn stored_id(answer: &Value) -> String {
    let id = &answer["newlyCreated"]["blobObject"]["blobId"];
    id.as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

/// A token for a publisher, as its operator's web service would sign one.
pub fn token(secret: &[u8], lifetime: i64, age: i64, claims: &Value) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let issued = i64::try_from(now).unwrap() - age;
    let mut all = json!({"iat": issued, "exp": issued + lifetime});
    all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
    let key = jsonwebtoken::EncodingKey::from_secret(secret);
    jsonwebtoken::encode(&jsonwebtoken::Header::default(), &all, &key).unwrap()
}

/// The chain, from a program that holds a wallet.
pub struct OnChain {
    runtime: tokio::runtime::Runtime,
    pub client: ChainClient,
}

impl OnChain {
    pub fn open(network: &Network) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let client = runtime.block_on(async {
            let env = real::env();
            let rpc = [format!("http://127.0.0.1:{}", network.chain_port)];
            let text = std::fs::read_to_string(network.path().join("deployment.json")).unwrap();
            let deployment: Deployment = serde_json::from_str(&text).unwrap();
            let endpoints = Endpoints::new(&env, &rpc, EndpointsConfig::default()).unwrap();
            ChainClient::connect(endpoints, deployment).await.unwrap()
        });
        Self { runtime, client }
    }

    /// Runs something that asks the chain.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    pub fn writer(&self, wallet: Wallet) -> ChainWriter {
        ChainWriter::new(self.client.clone(), wallet, SendConfig::default())
    }

    /// What an account has in FROST.
    pub fn balance(&self, wallet: &Wallet) -> u64 {
        self.run(self.client.wal_balance(wallet.address())).unwrap()
    }
}

/// The only file in a directory of a network whose name does not begin with a dot.
pub fn only_file(directory: &std::path::Path) -> PathBuf {
    let mut files: Vec<_> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}
