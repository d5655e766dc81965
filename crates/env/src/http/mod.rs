//! HTTP over [`Net`](crate::Net): a pooled client and a server loop, HTTP/1.1
//! and HTTP/2, with or without TLS.

mod client;
mod linger;
mod patience;
mod peers;
mod server;

pub use client::{Connector, HttpClient, HttpClientConfig, HttpError, read_body};
pub use peers::{Peer, Share, Shares};
pub use server::{ServerConfig, serve};

use crate::{Env, Spawn};
use std::sync::Arc;

/// Lets hyper start its tasks through [`Spawn`].
#[derive(Clone)]
pub struct Executor(Arc<dyn Spawn>);

impl Executor {
    /// An executor whose tasks belong to `env`.
    pub fn new(env: &Env) -> Self {
        Self(env.spawn.clone())
    }
}

impl<F> hyper::rt::Executor<F> for Executor
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, future: F) {
        self.0.spawn(
            "http",
            Box::pin(async move {
                future.await;
            }),
        );
    }
}
