//! An RPC address that misbehaves: passes requests on to a real one, or does not, as a
//! test tells it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use serde_json::Value;
use walrus_env::{
    CancellationToken, Env,
    http::{HttpClient, HttpClientConfig, ServerConfig, read_body, serve},
};

/// What to do with a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// Pass it on, and the answer back.
    Pass,
    /// Pass it on, and lose the answer.
    LoseAnswer,
    /// Answer with this status and no body.
    Status(u16),
    /// Answer with something else than JSON-RPC.
    Garbage,
    /// Answer with this result.
    Result(Value),
    /// Refuse in these words.
    Refuse(&'static str),
    /// Answer nothing for an hour.
    Hang,
}

type Decide = Box<dyn Fn(&Value, u64) -> Fate + Send + Sync>;

/// A running proxy; ends when dropped.
pub struct Proxy {
    pub url: String,
    requests: Arc<AtomicU64>,
    stop: CancellationToken,
}

struct Shared {
    client: HttpClient,
    behind: String,
    decide: Decide,
    requests: Arc<AtomicU64>,
}

impl Proxy {
    /// Stands before `behind`; `decide` gets the request and its number, from 0.
    pub async fn start<F>(env: &Env, behind: String, decide: F) -> Self
    where
        F: Fn(&Value, u64) -> Fate + Send + Sync + 'static,
    {
        let requests = Arc::new(AtomicU64::new(0));
        let shared = Shared {
            client: HttpClient::new(env, HttpClientConfig::default()),
            behind,
            decide: Box::new(decide),
            requests: requests.clone(),
        };
        let router = Router::new().route("/", post(handle)).with_state(Arc::new(shared));
        let listener = env.net.bind("127.0.0.1", 0).await.unwrap();
        let url = format!("http://{}", listener.local_address());
        let stop = CancellationToken::new();
        let server = serve(env.clone(), listener, router, ServerConfig::default(), stop.clone());
        env.spawn("proxy", server);
        Self { url, requests, stop }
    }

    /// Requests seen so far.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn handle(State(shared): State<Arc<Shared>>, body: Bytes) -> (StatusCode, Bytes) {
    let number = shared.requests.fetch_add(1, Ordering::SeqCst);
    let question: Value = serde_json::from_slice(&body).unwrap();
    let fate = (shared.decide)(&question, number);
    match fate {
        Fate::Pass => (StatusCode::OK, pass(&shared, body).await),
        Fate::LoseAnswer => {
            pass(&shared, body).await;
            (StatusCode::BAD_GATEWAY, Bytes::new())
        }
        Fate::Status(status) => (StatusCode::from_u16(status).unwrap(), Bytes::new()),
        Fate::Garbage => (StatusCode::OK, Bytes::from_static(b"<html>hello</html>")),
        Fate::Result(result) => {
            let id = &question["id"];
            let answer = serde_json::json!({ "jsonrpc": "2.0", "id": id, "result": result });
            (StatusCode::OK, answer.to_string().into())
        }
        Fate::Refuse(message) => {
            let error = serde_json::json!({ "code": -32000, "message": message });
            let answer =
                serde_json::json!({ "jsonrpc": "2.0", "id": question["id"], "error": error });
            (StatusCode::OK, answer.to_string().into())
        }
        Fate::Hang => {
            tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
            (StatusCode::OK, Bytes::new())
        }
    }
}

async fn pass(shared: &Shared, body: Bytes) -> Bytes {
    let request = http::Request::post(&shared.behind)
        .header("content-type", "application/json")
        .body(http_body_util::Full::new(body))
        .unwrap();
    let response = shared.client.send(request).await.unwrap();
    read_body(response.into_body(), 64 << 20).await.unwrap()
}
