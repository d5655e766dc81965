//! The network as a process sees it.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures::future::BoxFuture;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::mpsc,
};
use walrus_env::{BoxIo, Listener, Net};

use super::{
    connection::{Connection, retransmission},
    link::{BACKLOG, Fate},
};
use crate::life::Life;

/// [`Net`] of one life.
pub(crate) struct SimNet {
    life: Arc<Life>,
}

impl SimNet {
    pub(crate) fn new(life: Arc<Life>) -> Self {
        Self { life }
    }

    /// Lets one packet cross, sending it again until `arrives` accepts it.
    async fn cross<T>(&self, from: usize, to: usize, arrives: impl Fn() -> Option<T>) -> T {
        let world = self.life.host.world();
        for attempt in 1.. {
            tokio::time::sleep(world.network().delay(from, to, 0).0).await;
            if world.network().fate(from, to) == Fate::Arrives
                && let Some(answer) = arrives()
            {
                return answer;
            }
            tokio::time::sleep(retransmission(attempt)).await;
        }
        unreachable!("attempts have no end")
    }
}

impl Net for SimNet {
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<BoxIo>> {
        Box::pin(async move {
            let (here, world) = (&self.life.host, self.life.host.world());
            let name = if is_local(host) { &here.name } else { host };
            let target = world.find_host(name).ok_or_else(|| {
                io::Error::new(io::ErrorKind::NotFound, format!("no host is called {host}"))
            })?;
            let (from, to) = (here.index, target.index);
            world.event(from, "conn", &[to as u64, u64::from(port)]);
            if world.network().hangs(from, to) {
                world.event(from, "hang", &[to as u64, u64::from(port)]);
                return std::future::pending().await;
            }
            let stream = self
                .cross(from, to, || {
                    if !target.is_powered() {
                        return None;
                    }
                    let (Some(backlog), Some(life)) =
                        (world.network().listener(to, port), target.current_life())
                    else {
                        return Some(None);
                    };
                    // A full backlog is silence; the caller tries again.
                    let place = backlog.try_reserve().ok()?;
                    let ends = [self.life.clone(), life];
                    let connection = Connection::open(&world, ends);
                    let peer = format!("{}:{}", here.name, 1024 + connection.id % 60_000);
                    place.send((Box::new(Stream { connection: connection.clone(), end: 1 }), peer));
                    Some(Some(Stream { connection, end: 0 }))
                })
                .await;
            self.cross(to, from, || Some(())).await;
            match stream {
                Some(stream) => Ok(Box::new(stream) as BoxIo),
                None => Err(io::ErrorKind::ConnectionRefused.into()),
            }
        })
    }

    fn bind<'a>(
        &'a self,
        host: &'a str,
        port: u16,
    ) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let here = &self.life.host;
            if !is_local(host) && host != here.name {
                return Err(io::ErrorKind::AddrNotAvailable.into());
            }
            let (sender, streams) = mpsc::channel(BACKLOG);
            let world = here.world();
            let (port, id) =
                world.network().bind(here.index, port, sender).ok_or(io::ErrorKind::AddrInUse)?;
            world.event(here.index, "bind", &[u64::from(port)]);
            let life = self.life.clone();
            Ok(Box::new(SimListener { life, port, id, streams }) as Box<dyn Listener>)
        })
    }
}

/// Whether an address means the host itself.
fn is_local(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "::1" | "0.0.0.0" | "::")
}

struct SimListener {
    life: Arc<Life>,
    port: u16,
    id: u64,
    streams: mpsc::Receiver<(BoxIo, String)>,
}

impl Listener for SimListener {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<(BoxIo, String)>> {
        Box::pin(async move {
            match self.streams.recv().await {
                Some(accepted) => Ok(accepted),
                // The port was closed by the end of the life.
                None => std::future::pending().await,
            }
        })
    }

    fn local_address(&self) -> String {
        format!("{}:{}", self.life.host.name, self.port)
    }
}

impl Drop for SimListener {
    fn drop(&mut self) {
        let host = &self.life.host;
        host.world().network().unbind(host.index, self.port, self.id);
    }
}

/// One end of a connection.
struct Stream {
    connection: Arc<Connection>,
    end: usize,
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.connection.poll_read(self.end, cx, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.connection.poll_write(self.end, cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.connection.finish(self.end);
        Poll::Ready(Ok(()))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.connection.close(self.end);
    }
}
