//! The accept loop.

use std::{io, sync::Arc, time::Duration};

use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use super::{
    Executor,
    linger::{self, Drain, Ear},
    patience::PatientIo,
    peers::Peer,
};
use crate::{BoxIo, CancellationToken, Env, Listener};

/// Bounds of a server.
#[derive(Clone)]
pub struct ServerConfig {
    /// TLS settings; without them the server speaks plain HTTP.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// Connections served at once; further ones wait in the kernel's queue.
    pub max_connections: usize,
    /// Requests at once on one HTTP/2 connection.
    pub max_streams_per_connection: u32,
    /// Longest wait for a TLS handshake, for the first bytes after it, and for a request's
    /// head.
    pub handshake_timeout: Duration,
    /// Longest wait for a peer to take what is sent to it.
    pub stall_timeout: Duration,
    /// How long running requests may go on after the shutdown signal.
    pub drain: Duration,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            tls: None,
            max_connections: 1024,
            max_streams_per_connection: 256,
            handshake_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(30),
            drain: Duration::from_secs(10),
        }
    }
}

/// Serves `router` on `listener` until `shutdown` is cancelled, then lets running
/// requests finish for at most [`ServerConfig::drain`].
pub async fn serve(
    env: Env,
    mut listener: Box<dyn Listener>,
    router: axum::Router,
    config: ServerConfig,
    shutdown: CancellationToken,
) {
    let permits = Arc::new(Semaphore::new(config.max_connections));
    let lingering = Arc::new(Semaphore::new(linger::AT_ONCE));
    let graceful = GracefulShutdown::new();
    let acceptor = config.tls.clone().map(TlsAcceptor::from);
    loop {
        let permit = permits.clone().acquire_owned().await.expect("the semaphore is never closed");
        let accepted = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (io, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file handles, or the peer left while queued: neither ends the server.
                tracing::warn!(%error, "accepting a connection failed");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let connection = connection(
            io,
            acceptor.clone(),
            linger::ear(router.clone(), Peer::parse(&peer), lingering.clone()),
            builder(&env, &config),
            &config,
            graceful.watcher(),
        );
        env.spawn("connection", async move {
            if let Err(error) = connection.await {
                tracing::debug!(%peer, error, "connection ended");
            }
            drop(permit);
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(config.drain, graceful.shutdown()).await;
}

fn builder(env: &Env, config: &ServerConfig) -> auto::Builder<Executor> {
    let mut builder = auto::Builder::new(Executor::new(env));
    builder.http1().timer(TokioTimer::new()).header_read_timeout(config.handshake_timeout);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(config.max_streams_per_connection)
        .keep_alive_interval(Duration::from_secs(30));
    builder
}

fn connection(
    io: BoxIo,
    acceptor: Option<TlsAcceptor>,
    (ear, drain): (Ear, Drain),
    builder: auto::Builder<Executor>,
    config: &ServerConfig,
    watcher: hyper_util::server::graceful::Watcher,
) -> impl Future<Output = Result<(), String>> + Send + use<> {
    let (handshake, stall) = (config.handshake_timeout, config.stall_timeout);
    async move {
        let io = match acceptor {
            None => io,
            Some(acceptor) => {
                let accepted = tokio::time::timeout(handshake, acceptor.accept(io)).await;
                let stream = accepted
                    .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
                    .map_err(|error| format!("TLS handshake: {error}"))?;
                Box::new(stream) as BoxIo
            }
        };
        let io = PatientIo::new(io, handshake, stall);
        let service = service_fn(move |request| ear.clone().answer(request));
        let connection = builder.serve_connection(TokioIo::new(io), service).into_owned();
        tokio::select! {
            biased;
            ended = watcher.watch(connection) => ended.map_err(|error| error.to_string()),
            never = drain.run() => match never {},
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use futures::future::BoxFuture;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
        sync::mpsc,
    };

    use super::*;

    struct Incoming(mpsc::UnboundedReceiver<DuplexStream>);

    impl Listener for Incoming {
        fn accept(&mut self) -> BoxFuture<'_, io::Result<(BoxIo, String)>> {
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

    #[tokio::test(start_paused = true)]
    async fn connections_that_say_nothing_make_room() {
        // Strangers who connect and wait would keep everybody else out, for ever.
        let (sender, incoming) = mpsc::unbounded_channel();
        let router = axum::Router::new().route("/", axum::routing::get(|| async { "here" }));
        let config = ServerConfig { max_connections: 1, ..ServerConfig::default() };
        let stop = CancellationToken::new();
        let env = crate::real::env();
        let serving = serve(env.clone(), Box::new(Incoming(incoming)), router, config, stop);
        drop(env.spawn("server", serving));
        let (silent, near) = duplex(1000);
        sender.send(near).unwrap();
        let (mut client, near) = duplex(1000);
        sender.send(near).unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        let read = client.read_to_string(&mut answer);
        tokio::time::timeout(Duration::from_secs(60), read).await.unwrap().unwrap();
        assert!(answer.ends_with("here"), "{answer}");
        drop(silent);
    }
}
