//! Connections and listeners.

use std::io;

use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};

/// A byte stream in both directions.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// Any byte stream, on the heap.
pub type BoxIo = Box<dyn Io>;

/// The only way to a socket.
pub trait Net: Send + Sync {
    /// Opens a stream to `host:port`; names are resolved inside.
    ///
    /// # Errors
    /// Whatever the system says. May take arbitrarily long: callers set a timeout.
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<BoxIo>>;

    /// Listens on `host:port`; port 0 picks a free one.
    ///
    /// # Errors
    /// If the address is taken or cannot be used.
    fn bind<'a>(&'a self, host: &'a str, port: u16)
    -> BoxFuture<'a, io::Result<Box<dyn Listener>>>;
}

/// A bound address at which streams arrive.
pub trait Listener: Send {
    /// The next stream, and the address it came from (for logs).
    fn accept(&mut self) -> BoxFuture<'_, io::Result<(BoxIo, String)>>;

    /// The address others connect to, as `host:port`.
    fn local_address(&self) -> String;
}

/// Splits `host:port`, accepting `[v6]:port`; the host is returned without brackets.
pub fn split_host_port(address: &str) -> Option<(&str, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    let port = port.parse().ok()?;
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?,
        None if host.contains(':') => return None,
        None => host,
    };
    (!host.is_empty()).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::split_host_port;

    #[test]
    fn host_and_port_are_split_or_refused() {
        // A wrong split would send slivers to the wrong place, or panic on a hostile address.
        assert_eq!(split_host_port("node.example:9185"), Some(("node.example", 9185)));
        assert_eq!(split_host_port("[::1]:80"), Some(("::1", 80)));
        for bad in ["", ":80", "host", "host:", "host:65536", "::1:80", "[::1:80", "host:-1"] {
            assert_eq!(split_host_port(bad), None, "{bad}");
        }
    }
}
