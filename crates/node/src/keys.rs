//! The node's signing keys. Usually there is one; during a rotation there are two, of
//! which the committee of the epoch says which one counts.

use std::sync::{Arc, PoisonError, RwLock};

use walrus_core::ProtocolSecretKey;

use crate::committee::Membership;

/// Most keys kept; the oldest go first. Three committees are known at a time.
const KEYS_MAX: usize = 8;

/// The keys, oldest first; never empty. Clones share them.
#[derive(Clone, Debug)]
pub struct ProtocolKeys {
    keys: Arc<RwLock<Vec<ProtocolSecretKey>>>,
}

impl ProtocolKeys {
    /// A node's only key so far.
    pub fn new(key: ProtocolSecretKey) -> Self {
        Self { keys: Arc::new(RwLock::new(vec![key])) }
    }

    /// Keeps one more key, to be used as soon as a committee names it.
    pub fn add(&self, key: ProtocolSecretKey) {
        // A list of whole keys is valid whatever panicked while holding it.
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if keys.iter().any(|known| known.public_key() == key.public_key()) {
            return;
        }
        if keys.len() == KEYS_MAX {
            keys.remove(0);
        }
        keys.push(key);
    }

    /// The key that the committee knows the node by. For a committee without the node, or
    /// with a key that is not here, the first one: nobody accepts what it signs then.
    pub fn of(&self, membership: &Membership) -> ProtocolSecretKey {
        let member = membership.member();
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let named = |key: &&ProtocolSecretKey| {
            member.is_some_and(|member| member.public_key == *key.public_key())
        };
        keys.iter().find(named).unwrap_or(&keys[0]).clone()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use walrus_core::{Committee, Epoch, Member, NetworkPublicKey, NodeId};

    use super::*;

    fn key(seed: u8) -> ProtocolSecretKey {
        ProtocolSecretKey::from_randomness(&[seed; 32])
    }

    fn membership(node: NodeId, key: &ProtocolSecretKey) -> Membership {
        let member = Member {
            node_id: NodeId(1),
            public_key: key.public_key().clone(),
            weight: 4,
            network_address: "127.0.0.1:1".parse().unwrap(),
            network_key: NetworkPublicKey([2; 33]),
            name: "node".to_owned(),
        };
        let committee = Committee::with_consecutive_shards(Epoch(1), vec![member]).unwrap();
        Membership::new(node, Epoch(1), Some(Arc::new(committee)))
    }

    #[test]
    fn the_committee_decides_which_key_signs() {
        // A new key that signs an epoch too early makes every confirmation worthless, and
        // so does an old one that signs an epoch too late.
        let (node, old, new) = (NodeId(1), key(1), key(2));
        let keys = ProtocolKeys::new(old.clone());
        keys.add(new.clone());
        let signs = |membership: &Membership| keys.of(membership).public_key().clone();
        assert_eq!(signs(&membership(node, &old)), *old.public_key());
        assert_eq!(signs(&membership(node, &new)), *new.public_key());
        // Outside the committee, or known by a key that is lost.
        assert_eq!(signs(&Membership::new(node, Epoch(0), None)), *old.public_key());
        assert_eq!(signs(&membership(node, &key(3))), *old.public_key());
        // However many rotations there are, the newest keys are there.
        for seed in 10..30 {
            keys.add(key(seed));
            keys.add(key(seed));
        }
        assert_eq!(keys.keys.read().unwrap().len(), KEYS_MAX);
        assert_eq!(signs(&membership(node, &key(29))), *key(29).public_key());
    }
}
