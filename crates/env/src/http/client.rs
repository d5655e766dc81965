//! The pooled HTTP client.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use ::http::{Request, Response, Uri};
use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper_util::{
    client::legacy::{
        self,
        connect::{Connected, Connection},
    },
    rt::{TokioIo, TokioTimer},
};
use rustls::pki_types::ServerName;

use super::Executor;
use crate::{BoxIo, Env};

/// What a client may spend on connecting, and how it proves who it talks to.
#[derive(Clone)]
pub struct HttpClientConfig {
    /// Longest wait for a connection, TLS handshake included.
    pub connect_timeout: Duration,
    /// Idle connections kept for each host.
    pub max_idle_per_host: usize,
    /// TLS settings for `https` addresses; without them such addresses are refused.
    pub tls: Option<Arc<rustls::ClientConfig>>,
}

impl Default for HttpClientConfig {
    fn default() -> Self {
        Self { connect_timeout: Duration::from_secs(5), max_idle_per_host: 16, tls: None }
    }
}

/// Why an exchange failed below the level of HTTP status codes.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// No connection, or it broke: retry, or try another peer.
    #[error("the connection failed: {0}")]
    Transport(String),
    /// The body is longer than the caller accepts: blame the peer.
    #[error("the body is longer than {limit} bytes")]
    BodyTooLong {
        /// Longest body accepted.
        limit: usize,
    },
}

/// A pooled HTTP/1.1 client over [`Net`](crate::Net). Sets no request timeout: the
/// caller wraps calls in `tokio::time::timeout`.
#[derive(Clone)]
pub struct HttpClient {
    inner: legacy::Client<Connector, Full<Bytes>>,
}

impl HttpClient {
    /// A client with its own pool.
    pub fn new(env: &Env, config: HttpClientConfig) -> Self {
        let connector = Connector {
            env: env.clone(),
            connect_timeout: config.connect_timeout,
            tls: config.tls,
        };
        let inner = legacy::Client::builder(Executor::new(env))
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(config.max_idle_per_host)
            .build(connector);
        Self { inner }
    }

    /// Sends a request and resolves when the response head is there.
    ///
    /// # Errors
    /// [`HttpError::Transport`] when no response arrives.
    pub async fn send(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, HttpError> {
        self.inner.request(request).await.map_err(|error| HttpError::Transport(chain(&error)))
    }

    /// The tower service underneath, for libraries that bring their own request loop.
    pub fn service(&self) -> legacy::Client<Connector, Full<Bytes>> {
        self.inner.clone()
    }
}

/// Reads a body to its end, refusing more than `limit` bytes before buffering them.
///
/// # Errors
/// [`HttpError::BodyTooLong`], or [`HttpError::Transport`] when the stream breaks.
pub async fn read_body<B>(mut body: B, limit: usize) -> Result<Bytes, HttpError>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::error::Error,
{
    if body.size_hint().lower() > limit as u64 {
        return Err(HttpError::BodyTooLong { limit });
    }
    let expected = body.size_hint().exact().unwrap_or(0).min(limit as u64) as usize;
    let mut collected = BytesMut::with_capacity(expected);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| HttpError::Transport(chain(&error)))?;
        if let Ok(data) = frame.into_data() {
            if collected.len() + data.len() > limit {
                return Err(HttpError::BodyTooLong { limit });
            }
            collected.extend_from_slice(&data);
        }
    }
    Ok(collected.freeze())
}

/// An error with its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// Opens connections for the client: a tower service from address to stream.
#[derive(Clone)]
pub struct Connector {
    env: Env,
    connect_timeout: Duration,
    tls: Option<Arc<rustls::ClientConfig>>,
}

impl Connector {
    async fn connect(self, uri: Uri) -> io::Result<Stream> {
        let host = uri.host().ok_or_else(|| invalid("the address has no host"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let https = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if https { 443 } else { 80 });
        let io = self.env.net.connect(host, port).await?;
        if !https {
            return Ok(Stream(TokioIo::new(io)));
        }
        let tls = self.tls.ok_or_else(|| invalid("no TLS settings for an https address"))?;
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| invalid("the host is not a valid server name"))?;
        let stream = tokio_rustls::TlsConnector::from(tls).connect(name, io).await?;
        Ok(Stream(TokioIo::new(Box::new(stream))))
    }
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

impl tower_service::Service<Uri> for Connector {
    type Response = Stream;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Stream>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move {
            let limit = connector.connect_timeout;
            tokio::time::timeout(limit, connector.connect(uri)).await.map_err(|_| {
                io::Error::new(io::ErrorKind::TimedOut, format!("no connection within {limit:?}"))
            })?
        })
    }
}

/// A connection as hyper wants it.
pub struct Stream(TokioIo<BoxIo>);

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl hyper::rt::Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl hyper::rt::Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, slices)
    }
}
