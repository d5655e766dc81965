//! Nodes without a chain, for tests: what the chain would say is said by the test.

use std::{path::Path, sync::Arc};

use tokio::time::Instant;
use walrus_chain::{BlockRef, ChainEvent, Cursor, EventPosition, PositionedEvent};
use walrus_core::{
    Committee, Domain, Epoch, Member, NetworkAddress, NetworkSecretKey, NodeId, ProtocolSecretKey,
    SigningContext, TokenId,
};
use walrus_env::Env;
use walrus_redstuff::{BlobId, EncodedBlob, Encoder, EncodingParams};

use crate::{
    checkers::Checkers,
    committee::{Membership, MembershipWatch},
    events::{Progress, apply},
    expanded::ExpandedSlivers,
    keys::ProtocolKeys,
    state::{NodeState, Shared},
    store::{Store, blobs::BlobRows},
};

/// The epoch that tests start in, and the one in which blobs end.
pub(crate) const EPOCH: Epoch = Epoch(3);
pub(crate) const END: Epoch = Epoch(5);

pub(crate) fn protocol_key(node: u32) -> ProtocolSecretKey {
    ProtocolSecretKey::from_bytes(&[node as u8; 32]).unwrap()
}

pub(crate) fn context() -> SigningContext {
    SigningContext::Deployed(Domain([9; 32]))
}

/// A committee of one node for each address, `shards_each` shards each, nodes from 1.
pub(crate) fn committee(epoch: Epoch, addresses: &[String], shards_each: u16) -> Arc<Committee> {
    let members = (1..).zip(addresses).map(|(node, address)| Member {
        node_id: NodeId(node),
        public_key: protocol_key(node).public_key().clone(),
        weight: shards_each,
        network_address: NetworkAddress::from_chain(address.clone()).unwrap(),
        network_key: NetworkSecretKey::from_bytes(&[node as u8; 32]).unwrap().public_key(),
        name: format!("node {node}"),
    });
    Arc::new(Committee::with_consecutive_shards(epoch, members.collect()).unwrap())
}

/// The state of a node with its data in `dir`.
pub(crate) async fn node(env: Env, dir: &Path, id: u32, committee: Arc<Committee>) -> Shared {
    let params = EncodingParams::new(committee.n_shards()).unwrap();
    let store = Store::open(env.clone(), dir, params, &format!("node {id}")).await.unwrap();
    let membership = Membership::new(NodeId(id), committee.epoch(), Some(committee));
    Arc::new(NodeState {
        env,
        params,
        node_id: NodeId(id),
        store,
        membership: MembershipWatch::new(membership),
        context: context(),
        protocol_keys: ProtocolKeys::new(protocol_key(id)),
        progress: Progress::default(),
        checkers: Checkers::default(),
        expanded: ExpandedSlivers::default(),
        started: Instant::now(),
    })
}

/// Lets the node see events, all in block `block`.
pub(crate) async fn happen(node: &Shared, block: u64, events: Vec<ChainEvent>) {
    let hash = [block as u8; 32];
    let cursor = Cursor::at(BlockRef { number: block, hash });
    let count = events.len() as u64;
    let place = move |(index, event)| PositionedEvent {
        position: EventPosition { block_number: block, log_index: index, block_hash: hash },
        event,
    };
    let events: Vec<_> = (0..).zip(events).map(place).collect();
    let record = move |rows: &mut BlobRows<'_>| events.iter().try_for_each(|e| apply(rows, e));
    node.store.apply(block, cursor.to_bytes(), record).await.unwrap();
    node.progress.advance(count, block);
}

pub(crate) fn registered(blob_id: BlobId, token: u64, deletable: bool) -> ChainEvent {
    ChainEvent::BlobRegistered {
        epoch: EPOCH,
        blob_id,
        size: 1,
        encoding_type: 1,
        end_epoch: END,
        deletable,
        token_id: TokenId(token),
    }
}

pub(crate) fn certified(blob_id: BlobId, token: u64, deletable: bool) -> ChainEvent {
    ChainEvent::BlobCertified {
        epoch: EPOCH,
        blob_id,
        end_epoch: END,
        deletable,
        token_id: TokenId(token),
        is_extension: false,
        log_index: 0,
    }
}

pub(crate) fn deleted(blob_id: BlobId, token: u64) -> ChainEvent {
    ChainEvent::BlobDeleted {
        epoch: EPOCH,
        blob_id,
        end_epoch: END,
        token_id: TokenId(token),
        was_certified: true,
    }
}

pub(crate) fn encode(n_shards: u16, data: &[u8]) -> EncodedBlob {
    Encoder::new(EncodingParams::new(n_shards).unwrap()).encode(data).unwrap()
}
