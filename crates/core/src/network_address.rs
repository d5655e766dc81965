//! Where a node answers: `host:port`.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why an address was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkAddressError {
    /// Longer than the chain stores.
    #[error("a network address has at most {} bytes, got {got}", NetworkAddress::MAX_LEN)]
    Length {
        /// Bytes found.
        got: usize,
    },
    /// Not of the form `host:port`.
    #[error("expected host:port, as in node.example.org:9185 or [2001:db8::1]:9185")]
    Form,
}

/// A node's address as registered on chain, at most 259 bytes.
///
/// Holds any short text, because the chain does not check more than the length; one
/// member's nonsense must not make a committee unreadable. [`Self::host_port`] checks
/// the form when somebody wants to connect, and so does parsing from text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NetworkAddress(String);

impl NetworkAddress {
    /// Most bytes: 253 of a DNS name, a colon and five digits.
    pub const MAX_LEN: usize = 259;

    /// Takes the text that the chain holds, whatever it says.
    ///
    /// # Errors
    /// [`NetworkAddressError::Length`].
    pub fn from_chain(text: String) -> Result<Self, NetworkAddressError> {
        if text.len() > Self::MAX_LEN {
            return Err(NetworkAddressError::Length { got: text.len() });
        }
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Host and port. The host is a DNS name, an IPv4 address, or an IPv6 address
    /// without its brackets.
    ///
    /// # Errors
    /// [`NetworkAddressError::Form`] unless the text is `host:port` with a port in
    /// `1..=65535`.
    pub fn host_port(&self) -> Result<(&str, u16), NetworkAddressError> {
        let (host, port) = self.0.rsplit_once(':').ok_or(NetworkAddressError::Form)?;
        let host = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(address) if address.parse::<Ipv6Addr>().is_ok() => address,
            Some(_) => return Err(NetworkAddressError::Form),
            None if is_host_name(host) => host,
            None => return Err(NetworkAddressError::Form),
        };
        if !port.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(NetworkAddressError::Form);
        }
        match port.parse() {
            Ok(port) if port > 0 => Ok((host, port)),
            _ => Err(NetworkAddressError::Form),
        }
    }
}

/// Dot-separated labels of letters, digits, hyphens and underscores; covers IPv4.
fn is_host_name(host: &str) -> bool {
    let is_label = |label: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (1..=63).contains(&label.len()) && label.bytes().all(allowed)
    };
    host.split('.').all(is_label)
}

impl FromStr for NetworkAddress {
    type Err = NetworkAddressError;

    fn from_str(text: &str) -> Result<Self, NetworkAddressError> {
        if text.len() > Self::MAX_LEN {
            return Err(NetworkAddressError::Length { got: text.len() });
        }
        let address = Self(text.to_owned());
        address.host_port()?;
        Ok(address)
    }
}

impl TryFrom<String> for NetworkAddress {
    type Error = NetworkAddressError;

    fn try_from(text: String) -> Result<Self, NetworkAddressError> {
        text.parse()
    }
}

impl From<NetworkAddress> for String {
    fn from(address: NetworkAddress) -> Self {
        address.0
    }
}

impl fmt::Display for NetworkAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for NetworkAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_host_and_port_can_be_connected_to() {
        // A lax parser would hand text chosen by another operator to the resolver.
        let good = [
            ("node-1.example.org:9185", "node-1.example.org", 9185),
            ("127.0.0.1:1", "127.0.0.1", 1),
            ("[::1]:65535", "::1", 65535),
        ];
        for (text, host, port) in good {
            assert_eq!(text.parse::<NetworkAddress>().unwrap().host_port(), Ok((host, port)));
        }
        let long = format!("{}:1", "a.".repeat(140));
        let bad = [
            "",
            ":",
            "host",
            "host:",
            ":1",
            "host:0",
            "host:65536",
            "host:+1",
            "host:1 ",
            "::1:1",
            "[::1:1",
            "[host]:1",
            "a..b:1",
            "user@host:1",
            "host/path:1",
            "héôte:1",
            &long,
        ];
        for text in bad {
            assert!(text.parse::<NetworkAddress>().is_err(), "{text}");
        }
    }

    #[test]
    fn nonsense_on_chain_is_kept_but_not_connected_to() {
        let address = NetworkAddress::from_chain("no port here".into()).unwrap();
        assert_eq!(address.host_port(), Err(NetworkAddressError::Form));
        let error = NetworkAddress::from_chain("x".repeat(260)).unwrap_err();
        assert_eq!(error, NetworkAddressError::Length { got: 260 });
    }
}
