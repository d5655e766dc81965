//! How much of what there is one peer may have at a time.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

/// The address at the other end of a connection, as handlers find it among the extensions
/// of a request. There is none where the network has no such addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

impl Peer {
    /// The address in `host:port`.
    pub(super) fn parse(address: &str) -> Option<Self> {
        let address: std::net::SocketAddr = address.parse().ok()?;
        Some(Self(address.ip().to_canonical()))
    }
}

/// How much each peer has.
type Taken = Arc<Mutex<BTreeMap<IpAddr, usize>>>;

/// Counts what each peer has. An address of this machine has no limit: who is there can
/// stop the server in other ways, and a proxy there speaks for many.
#[derive(Clone, Debug)]
pub struct Shares {
    limit: usize,
    taken: Taken,
}

impl Shares {
    /// At most `limit` for each peer.
    pub fn new(limit: usize) -> Self {
        Self { limit, taken: Arc::default() }
    }

    /// One more for a peer; `None` when it has all that it may have.
    pub fn take(&self, peer: IpAddr) -> Option<Share> {
        let peer = household(peer);
        if peer.is_loopback() {
            return Some(Share { of: None });
        }
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(peer).or_default();
        if *count >= self.limit {
            return None;
        }
        *count += 1;
        Some(Share { of: Some((peer, self.taken.clone())) })
    }
}

/// What one customer of a provider has: one address of the older kind, or the 2^64 of a
/// network of the newer.
fn household(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(peer) if !peer.is_loopback() => IpAddr::V6((peer.to_bits() >> 64 << 64).into()),
        peer => peer,
    }
}

/// Part of a peer's share; given back when dropped.
#[derive(Debug)]
pub struct Share {
    of: Option<(IpAddr, Taken)>,
}

impl Drop for Share {
    fn drop(&mut self) {
        let Some((peer, taken)) = &self.of else { return };
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        // Those who have nothing are not remembered.
        match taken.get_mut(peer) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(taken.remove(peer)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_with_many_addresses_is_one_and_leaves_no_trace() {
        // Every customer of a provider has 2^64 addresses of the newer kind.
        let shares = Shares::new(2);
        let at = |address: &str| shares.take(address.parse().unwrap());
        let first = at("2001:db8::1").unwrap();
        let second = at("2001:db8::ffff:2").unwrap();
        assert!(at("2001:db8::3").is_none());
        let neighbour = at("2001:db8:0:1::1").unwrap();
        let (older, mapped) = (at("192.0.2.1").unwrap(), at("::ffff:192.0.2.1").unwrap());
        assert!(at("192.0.2.1").is_none(), "the same address written in another way");
        let other = at("192.0.2.2").unwrap();
        drop(first);
        let again = at("2001:db8::4").unwrap();
        assert!(at("2001:db8::5").is_none());
        drop((second, neighbour, older, mapped, other, again));
        assert!(shares.taken.lock().unwrap().is_empty(), "strangers fill the memory");
    }

    #[test]
    fn this_machine_has_no_limit() {
        // A proxy that nobody told the server of would be one sender for everybody.
        let shares = Shares::new(1);
        for address in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] {
            let address = address.parse().unwrap();
            let held: Vec<_> = (0..3).map(|_| shares.take(address).unwrap()).collect();
            assert_eq!(held.len(), 3);
        }
    }
}
