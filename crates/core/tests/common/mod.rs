//! Keys and committees that the tests share.
#![allow(dead_code, clippy::unwrap_used, unreachable_pub, missing_docs)]

use walrus_core::*;

/// The deployment that the tests sign for.
pub fn context() -> SigningContext {
    SigningContext::deployed(31_337, EvmAddress([0xc0; 20]))
}

/// The key of node `index + 1`.
pub fn key(index: usize) -> ProtocolSecretKey {
    let mut randomness = [0; 32];
    randomness[0] = u8::try_from(index + 1).unwrap();
    ProtocolSecretKey::from_randomness(&randomness)
}

pub fn member(node: u32, key: &ProtocolSecretKey, weight: u16) -> Member {
    Member {
        node_id: NodeId(node),
        public_key: key.public_key().clone(),
        weight,
        network_address: format!("node-{node}.test:9185").parse().unwrap(),
        network_key: NetworkPublicKey([2; 33]),
        name: format!("node {node}"),
    }
}

/// Nodes 1, 2, ... with these weights at seats 0, 1, ...
pub fn committee(epoch: u32, weights: &[u16]) -> Committee {
    let members = weights.iter().enumerate();
    let members = members.map(|(i, weight)| member(i as u32 + 1, &key(i), *weight)).collect();
    Committee::with_consecutive_shards(Epoch(epoch), members).unwrap()
}

pub fn confirmation(epoch: u32) -> Message<StorageConfirmation> {
    let blob_id = BlobId::from_bytes([7; 32]);
    let persistence = Persistence::Deletable(TokenId(42).into());
    Message::new(Epoch(epoch), StorageConfirmation { blob_id, persistence })
}

/// The certificate BCS of these signers (seats), whether or not it makes sense.
pub fn certificate_bcs(signers: &[u16], message: &[u8], signature: &[u8; 96]) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(signers.len()).unwrap()];
    signers.iter().for_each(|signer| bytes.extend(signer.to_le_bytes()));
    bytes.push(u8::try_from(message.len()).unwrap());
    bytes.extend(message);
    bytes.extend(signature);
    bytes
}
