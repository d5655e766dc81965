//! Uploads that are refused by their head, while their bodies are on the way.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::time::Duration;

use axum::{Router, body::Body, http::StatusCode, routing::put};
use futures::StreamExt as _;
use futures::future::BoxFuture;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use walrus_env::http::{ServerConfig, serve};
use walrus_env::{BoxIo, CancellationToken, Listener, real, split_host_port};

const MIB: usize = 1 << 20;
/// Longer than anybody waits for anything here.
const LONG: Duration = Duration::from_secs(3600);

/// Refuses everything, without reading it or after its first bytes.
fn refusing() -> Router {
    let refuse = || async { (StatusCode::UNAUTHORIZED, "no such token") };
    let taste = |body: Body| async {
        assert!(body.into_data_stream().next().await.is_some());
        (StatusCode::PAYLOAD_TOO_LARGE, "too much")
    };
    Router::new().route("/", put(refuse)).route("/tasted", put(taste))
}

fn start(listener: Box<dyn Listener>) {
    let env = real::env();
    // Heads are waited for by another rule than this file's.
    let config = ServerConfig { handshake_timeout: LONG, ..ServerConfig::default() };
    let serving = serve(env.clone(), listener, refusing(), config, CancellationToken::new());
    drop(env.spawn("server", serving));
}

/// A server on a real socket; its address.
async fn server() -> String {
    let listener = real::env().net.bind("127.0.0.1", 0).await.unwrap();
    let address = listener.local_address();
    start(listener);
    address
}

async fn connect(address: &str) -> BoxIo {
    let (host, port) = split_host_port(address).unwrap();
    real::env().net.connect(host, port).await.unwrap()
}

fn head(path: &str, length: usize, more: &str) -> String {
    format!("PUT {path} HTTP/1.1\r\nhost: h\r\ncontent-length: {length}\r\n{more}\r\n")
}

#[tokio::test]
async fn who_writes_all_before_reading_is_told_why() {
    // Most programs do: they saw a broken pipe instead of "your token has expired".
    let address = server().await;
    for (path, status) in [("/", "401"), ("/tasted", "413")] {
        let mut io = connect(&address).await;
        io.write_all(head(path, 15 * MIB, "").as_bytes()).await.unwrap();
        for _ in 0..15 {
            io.write_all(&vec![7; MIB]).await.unwrap();
        }
        let mut answer = String::new();
        io.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.contains("connection: close\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn who_sends_without_end_is_told_why_and_not_read_to_the_end() {
    // A client that looks for answers while it sends must find one, even far too large.
    let address = server().await;
    let announced = sends_without_end(&address, "content-length: 1073741824\r\n");
    let chunked = sends_without_end(&address, "transfer-encoding: chunked\r\n");
    tokio::join!(announced, chunked);
}

async fn sends_without_end(address: &str, framing: &str) {
    let (mut reading, mut writing) = tokio::io::split(connect(address).await);
    let begin = format!("PUT / HTTP/1.1\r\nhost: h\r\n{framing}\r\n");
    let mut chunk = b"100000\r\n".to_vec();
    chunk.resize(chunk.len() + MIB, 7);
    chunk.extend(b"\r\n");
    let mut sent = 0;
    let send = async {
        writing.write_all(begin.as_bytes()).await.unwrap();
        while sent < 1024 && writing.write_all(&chunk).await.is_ok() {
            sent += 1;
        }
    };
    let mut answer = Vec::new();
    // The connection breaks in the end; what matters is what came before.
    tokio::join!(send, async { reading.read_to_end(&mut answer).await.ok() });
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    assert!(sent < 100, "{sent} MiB were taken");
}

/// Streams in memory, where time is virtual.
struct Incoming(mpsc::UnboundedReceiver<DuplexStream>);

impl Listener for Incoming {
    fn accept(&mut self) -> BoxFuture<'_, std::io::Result<(BoxIo, String)>> {
        Box::pin(async {
            match self.0.recv().await {
                Some(io) => Ok((Box::new(io) as BoxIo, "peer".to_owned())),
                None => std::future::pending().await,
            }
        })
    }

    fn local_address(&self) -> String {
        "memory".to_owned()
    }
}

fn server_in_memory() -> impl Fn() -> DuplexStream {
    let (sender, incoming) = mpsc::unbounded_channel();
    start(Box::new(Incoming(incoming)));
    move || {
        let (client, near) = duplex(MIB);
        sender.send(near).unwrap();
        client
    }
}

/// One answer, whatever becomes of its connection.
async fn answer(io: &mut DuplexStream) -> String {
    let mut answer = Vec::new();
    while !answer.ends_with(b"no such token") {
        answer.push(io.read_u8().await.unwrap());
    }
    String::from_utf8(answer).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_short_refused_body_costs_no_connection() {
    // Nodes refuse in rows; each refusal would cost a new handshake.
    let mut io = server_in_memory()();
    for _ in 0..3 {
        io.write_all(head("/", 1000, "").as_bytes()).await.unwrap();
        let answer = answer(&mut io).await;
        assert!(!answer.contains("connection: close"), "{answer}");
        io.write_all(&[7; 1000]).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn who_asks_before_sending_is_not_asked_to_send() {
    // `Expect: 100-continue` is there to save the upload.
    let mut io = server_in_memory()();
    let begin = Instant::now();
    io.write_all(head("/", MIB, "expect: 100-continue\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    io.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    assert!(begin.elapsed() < Duration::from_secs(1), "nothing is waited for");
}

#[tokio::test(start_paused = true)]
async fn silent_strangers_get_few_places_and_lose_them() {
    // Each holds a connection that others could use.
    let connect = server_in_memory();
    let begin = Instant::now();
    let mut waiting = Vec::new();
    for _ in 0..64 {
        let mut io = connect();
        io.write_all(head("/", MIB, "").as_bytes()).await.unwrap();
        answer(&mut io).await;
        waiting.push(io);
    }
    let mut further = connect();
    further.write_all(head("/", MIB, "").as_bytes()).await.unwrap();
    let mut text = String::new();
    further.read_to_string(&mut text).await.unwrap();
    assert!(text.ends_with("no such token"), "{text}");
    assert!(begin.elapsed() < Duration::from_secs(1), "there was one more place");
    for mut io in waiting {
        timeout(LONG, io.read_to_end(&mut Vec::new())).await.unwrap().unwrap();
    }
    assert!(begin.elapsed() < Duration::from_secs(10), "silence was waited for");
}

#[tokio::test(start_paused = true)]
async fn endless_senders_are_given_up() {
    // They would hold the line, or by drops a place, for as long as they like.
    let connect = server_in_memory();
    for (piece, pause) in [(MIB, Duration::from_millis(100)), (1000, Duration::from_secs(4))] {
        let begin = Instant::now();
        let mut io = connect();
        io.write_all(head("/", 1 << 30, "").as_bytes()).await.unwrap();
        let mut taken = 0;
        while timeout(LONG, io.write_all(&vec![7; piece])).await.unwrap().is_ok() {
            taken += piece;
            sleep(pause).await;
        }
        assert!(taken < 20 * MIB, "{taken} bytes were taken");
        assert!(begin.elapsed() < Duration::from_secs(40), "{pause:?}");
    }
}
