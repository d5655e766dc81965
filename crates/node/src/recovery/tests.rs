#![allow(clippy::unwrap_used)]

use std::{path::Path, sync::Arc, time::Duration};

use tokio::time::{sleep, timeout};
use walrus_env::{CancellationToken, Env, Task, http, real};
use walrus_redstuff::{BlobId, EncodedBlob, SliverType};

use super::Recovery;
use crate::{
    api,
    committee::Membership,
    config::Tls,
    state::Shared,
    test_disk::TestDisk,
    test_node::{EPOCH, certified, committee, encode, happen, node, registered},
};

const SHARDS: u16 = 10;

/// A node that answers on a port of its own.
struct Served {
    node: Shared,
    disk: TestDisk,
    stop: CancellationToken,
    server: Task,
}

/// Five nodes with two shards each that know each other's addresses.
async fn network() -> Vec<Served> {
    let mut bound = Vec::new();
    for _ in 0..5 {
        bound.push(real::env().net.bind("127.0.0.1", 0).await.unwrap());
    }
    let addresses: Vec<String> = bound.iter().map(|listener| listener.local_address()).collect();
    let committee = committee(EPOCH, &addresses, 2);
    let mut nodes = Vec::new();
    for (id, listener) in (1..).zip(bound) {
        let disk = TestDisk::default();
        let env = Env { disk: Arc::new(disk.clone()), ..real::env() };
        let node = node(env.clone(), Path::new("/n"), id, committee.clone()).await;
        let (router, stop) = (api::router(node.clone()), CancellationToken::new());
        let config = http::ServerConfig { drain: Duration::ZERO, ..Default::default() };
        let serve = http::serve(env.clone(), listener, router, config, stop.clone());
        let server = env.spawn("api", serve);
        nodes.push(Served { node, disk, stop, server });
    }
    nodes
}

/// Puts everything that `node` should hold of the blob where it belongs.
async fn store(node: &Shared, blob: &EncodedBlob) {
    node.store.metadata().put(blob.metadata()).await.unwrap();
    for key in node.membership.get().keys(blob.metadata().blob_id()) {
        let sliver = blob.pair(key.pair).unwrap().sliver(key.axis).to_bcs();
        node.store.slivers().put(blob.metadata().blob_id(), key, sliver.into()).await.unwrap();
    }
}

async fn certify(node: &Shared, blob: BlobId) {
    happen(node, 1, vec![registered(blob, 1, false), certified(blob, 1, false)]).await;
}

fn start(node: &Shared) -> (Arc<Recovery>, walrus_env::AbortOnDrop) {
    let recovery = Arc::new(Recovery::new(node.clone(), Tls::PlainLoopbackOnly));
    let running = recovery.clone();
    let task = node.env.spawn("recovery", async move { running.run().await });
    (recovery, task.abort_on_drop())
}

async fn wait_until_complete(node: &Shared, blob: &EncodedBlob) {
    let id = blob.metadata().blob_id();
    let complete = async {
        while node.store.metadata().get(id).await.unwrap().is_none()
            || !node.missing_slivers(id).await.unwrap().is_empty()
        {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(30), complete).await.expect("recovery completes");
    for key in node.membership.get().keys(id) {
        let sliver = blob.pair(key.pair).unwrap().sliver(key.axis).to_bcs();
        assert_eq!(node.store.slivers().get(id, key).await.unwrap().unwrap(), sliver);
    }
}

/// If this failed, a node that was away would never hold what it is paid for. One peer is
/// down: the shards of the other three and its own (none yet) are just short, so the
/// recovery has to wait for the fourth and go on with what it has.
#[tokio::test]
async fn a_node_that_was_away_recovers_as_soon_as_enough_peers_answer() {
    let mut nodes = network().await;
    let blob = encode(SHARDS, &[3; 5000]);
    let id = *blob.metadata().blob_id();
    let away = nodes.remove(0);
    for served in &nodes {
        certify(&served.node, id).await;
    }
    for served in &nodes[..3] {
        store(&served.node, &blob).await;
    }
    certify(&away.node, id).await;
    let (recovery, _task) = start(&away.node);
    // The scan at the start finds the blob; six columns are one less than a row needs.
    sleep(Duration::from_millis(500)).await;
    let missing = away.node.missing_slivers(&id).await.unwrap();
    let all_primary = missing.iter().all(|key| key.axis == SliverType::Primary);
    assert!(!missing.is_empty() && all_primary, "{missing:?}");
    store(&nodes[3].node, &blob).await;
    wait_until_complete(&away.node, &blob).await;
    assert_eq!(recovery.waiting(), 0);
}

/// If this failed, damaged slivers would stay lost, and with time so would the blob.
#[tokio::test]
async fn bit_rot_is_healed_from_peers() {
    let nodes = network().await;
    let blob = encode(SHARDS, &[5; 3000]);
    let id = *blob.metadata().blob_id();
    for served in &nodes {
        certify(&served.node, id).await;
        store(&served.node, &blob).await;
    }
    let (_recovery, _task) = start(&nodes[0].node);
    let (file, length) = nodes[0].disk.files(Path::new("/n/slivers"))[0].clone();
    for byte in [30, length / 2, length - 40] {
        nodes[0].disk.flip_bit(&file, byte);
    }
    let mut damaged = 0;
    for key in nodes[0].node.membership.get().keys(&id) {
        damaged += usize::from(nodes[0].node.store.slivers().get(&id, key).await.is_err());
    }
    assert!(damaged >= 2, "{damaged}");
    wait_until_complete(&nodes[0].node, &blob).await;
}

/// If this failed, a node whose database was lost would stay without metadata, or
/// download again what it has.
#[tokio::test]
async fn after_the_database_was_lost_metadata_is_fetched_and_slivers_are_used() {
    let mut nodes = network().await;
    let blob = encode(SHARDS, &[6; 3000]);
    let id = *blob.metadata().blob_id();
    for served in &nodes {
        certify(&served.node, id).await;
        store(&served.node, &blob).await;
    }
    let Served { node: before, disk, stop, server } = nodes.remove(0);
    stop.cancel();
    timeout(Duration::from_secs(5), server).await.unwrap();
    let (env, committee) = (before.env.clone(), before.membership.get().committee().cloned());
    drop(before);
    let (sliver_file, _) = disk.files(Path::new("/n/slivers"))[0].clone();
    let slivers = disk.read(&sliver_file);
    disk.damage(Path::new("/n/node.redb"), |bytes| bytes.fill(0));
    let again = node(env, Path::new("/n"), 1, committee.unwrap()).await;
    assert!(again.store.metadata().get(&id).await.unwrap().is_none());
    // The events are read again from the beginning.
    certify(&again, id).await;
    let (_recovery, _task) = start(&again);
    wait_until_complete(&again, &blob).await;
    let kept = disk.read(&sliver_file);
    assert!(kept.starts_with(&slivers) && kept.len() < slivers.len() + 100, "written again");
}

/// If this failed, a stopped server would hang the shutdown, or recovery would chase
/// blobs nobody pays for.
#[tokio::test]
async fn blobs_that_are_not_certified_are_left_alone() {
    let nodes = network().await;
    let blob = encode(SHARDS, &[1; 100]);
    let id = *blob.metadata().blob_id();
    for served in &nodes[1..] {
        certify(&served.node, id).await;
        store(&served.node, &blob).await;
    }
    happen(&nodes[0].node, 1, vec![registered(id, 1, false)]).await;
    let (recovery, _task) = start(&nodes[0].node);
    recovery.want(id);
    sleep(Duration::from_millis(200)).await;
    assert_eq!(recovery.waiting(), 0);
    assert!(nodes[0].node.store.metadata().get(&id).await.unwrap().is_none());
    let outside = Membership::new(nodes[0].node.node_id, EPOCH, None);
    nodes[0].node.membership.set(outside);
    certify(&nodes[0].node, id).await;
    recovery.want(id);
    sleep(Duration::from_millis(200)).await;
    assert_eq!(recovery.waiting(), 0, "not a member, hence nothing to hold");
    for served in nodes {
        served.stop.cancel();
        timeout(Duration::from_secs(5), served.server).await.unwrap();
    }
}
