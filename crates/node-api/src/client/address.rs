//! Where a node listens.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use walrus_core::{NetworkAddress, NetworkAddressError};

/// A host name or address, and a port. Text: `host:port`, `[v6]:port`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeAddress {
    /// A DNS name, or an address without brackets.
    pub host: String,
    /// The TCP port.
    pub port: u16,
}

impl NodeAddress {
    /// Whether the address cannot leave this machine: 127.0.0.0/8, ::1, `localhost` and
    /// names below it.
    pub fn is_loopback(&self) -> bool {
        match self.host.parse::<IpAddr>() {
            Ok(address) => address.is_loopback(),
            Err(_) => self.host == "localhost" || self.host.ends_with(".localhost"),
        }
    }
}

impl fmt::Display for NodeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.parse::<Ipv6Addr>().is_ok() {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl TryFrom<&NetworkAddress> for NodeAddress {
    type Error = NetworkAddressError;

    fn try_from(address: &NetworkAddress) -> Result<Self, NetworkAddressError> {
        let (host, port) = address.host_port()?;
        Ok(Self { host: host.to_owned(), port })
    }
}

impl FromStr for NodeAddress {
    type Err = NetworkAddressError;

    fn from_str(text: &str) -> Result<Self, NetworkAddressError> {
        Self::try_from(&text.parse::<NetworkAddress>()?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn addresses_print_as_they_parse_and_hostile_ones_are_refused() {
        // An address with a path or user part would send requests somewhere else.
        for text in ["node.example:9185", "[::1]:80", "127.0.0.1:1"] {
            assert_eq!(text.parse::<NodeAddress>().unwrap().to_string(), text);
        }
        for bad in ["", "a", "a:b", "user@host:80", "host/path:80", "host?x:80", "ho st:80", "h#:1"]
        {
            assert!(bad.parse::<NodeAddress>().is_err(), "{bad}");
        }
    }

    #[test]
    fn only_this_machine_is_loopback() {
        // Anything else without TLS would believe whoever answers.
        let loopback = |text: &str| text.parse::<NodeAddress>().unwrap().is_loopback();
        for near in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1", "n3.localhost:1"] {
            assert!(loopback(near), "{near}");
        }
        for far in ["0.0.0.0:1", "10.0.0.1:1", "localhost.example:1", "[::2]:1", "127.0.0.1.a:1"] {
            assert!(!loopback(far), "{far}");
        }
    }
}
