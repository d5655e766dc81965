//! Nodes, chain and client that stop at the worst moment.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    content,
    network::{Network, blob_id},
    process::{Background, wait_for},
};

#[test]
fn stores_and_reads_go_on_with_a_third_of_the_nodes_dead() {
    // "Decentralized" would mean nothing if one absent operator stopped everybody.
    let mut network = Network::ten_nodes();
    let before = content::random(21, 2_000_000);
    let id_before = blob_id(&network.store("before", &before));
    for index in [0, 4, 9] {
        network.kill_node(index);
    }
    let during = content::random(22, 2_000_000);
    let id_during = blob_id(&network.store("during", &during));
    assert!(network.read(&id_before) == before);
    assert!(network.read(&id_during) == during);
    // A frozen node keeps its connections and says nothing: the slow case.
    network.start_node(0);
    network.wait_until_held(&id_during, 0);
    network.nodes[1].process.as_ref().unwrap().freeze();
    assert!(network.read(&id_during) == during);
    let frozen = content::random(23, 100_000);
    let id_frozen = blob_id(&network.store("frozen", &frozen));
    assert!(network.read(&id_frozen) == frozen);
    network.nodes[1].process.as_ref().unwrap().thaw();
}

#[test]
fn a_node_killed_during_an_upload_loses_nothing_it_acknowledged() {
    // A node that confirms and forgets makes every certificate worthless.
    let mut network = Network::ten_nodes();
    let contents = content::random(31, 40_000_000);
    fs::write(network.path().join("upload"), &contents).unwrap();
    let mut store = Background::start_unready(&mut network.client_command(&["store", "upload"]));
    wait_for("slivers arrive at node 5", 60, || {
        (directory_bytes(&network.nodes[5].dir.join("data")) > 3_000_000).then_some(())
    });
    network.kill_node(5);
    std::thread::sleep(Duration::from_millis(300));
    network.start_node(5);
    let code = wait_for("the store ends", 120, || store.ended());
    assert_eq!(code, 0);
    let report = network.client(&["store", "upload"]).json();
    assert_eq!(report["newly_created"], false, "{report}");
    let id = blob_id(&report);
    network.wait_until_held(&id, 5);
    // With three others gone the killed node's slivers are needed.
    for index in [1, 2, 3] {
        network.kill_node(index);
    }
    assert!(network.read(&id) == contents);
}

#[test]
fn a_flipped_byte_on_disk_is_never_served_and_heals() {
    // Disks rot. Serving rot would be caught by the reader; keeping it would lose the blob slowly.
    let mut network = Network::ten_nodes();
    let contents = content::random(41, 500_000);
    let id = blob_id(&network.store("rot", &contents));
    network.wait_until_held(&id, 2);
    network.kill_node(2);
    let file = largest_file(&network.nodes[2].dir.join("data/slivers"));
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    fs::write(&file, bytes).unwrap();
    network.start_node(2);
    for index in [0, 1, 3] {
        network.kill_node(index);
    }
    assert!(network.read(&id) == contents);
    for index in [0, 1, 3] {
        network.start_node(index);
    }
    network.wait_until_held(&id, 2);
}

#[test]
fn a_client_killed_mid_store_continues_without_paying_twice() {
    // People close laptops. Paying again for the same bytes would be theft by carelessness.
    let network = Network::ten_nodes();
    let contents = content::random(51, 60_000_000);
    fs::write(network.path().join("interrupted"), &contents).unwrap();
    let command = &mut network.client_command(&["store", "interrupted"]);
    let store = Background::start_unready(command);
    wait_for("slivers arrive", 60, || {
        (directory_bytes(&network.nodes[0].dir.join("data")) > 3_000_000).then_some(())
    });
    store.kill();
    let balance = |network: &Network| network.client(&["info"]).json()["wallet"]["wal"].clone();
    let paid_once = balance(&network);
    let report = network.client(&["store", "interrupted"]).json();
    assert_eq!(balance(&network), paid_once, "paid twice: {report}");
    assert_eq!(report["resumed"], true, "{report}");
    assert!(network.read(&blob_id(&report)) == contents);
}

#[test]
fn the_chain_may_be_away_for_a_while() {
    // Providers fail; nodes must neither stop serving nor miss what happened meanwhile.
    let mut network = Network::ten_nodes();
    let contents = content::random(61, 200_000);
    let id = blob_id(&network.store("first", &contents));
    network.chain.take().unwrap().kill();
    let refused = network.client(&["store", "first"]);
    refused.error(4);
    network.start_chain();
    assert!(network.read(&id) == contents);
    let later = content::random(62, 200_000);
    let id_later = blob_id(&network.store("later", &later));
    assert!(network.read(&id_later) == later);
    for index in 0..10 {
        network.wait_until_held(&id_later, index);
    }
}

fn files(directory: &Path) -> Vec<(u64, PathBuf)> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        // Files come and go while the node runs.
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => open.push(entry.path()),
                Ok(metadata) => found.push((metadata.len(), entry.path())),
                Err(_) => {}
            }
        }
    }
    found
}

fn directory_bytes(directory: &Path) -> u64 {
    files(directory).iter().map(|(bytes, _)| bytes).sum()
}

fn largest_file(directory: &Path) -> PathBuf {
    files(directory).into_iter().max().expect("the node stores something").1
}
