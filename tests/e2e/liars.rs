//! Nodes that lie: readers and healing nodes get the truth all the same.

use crate::{
    content,
    network::{Network, Shape, blob_id},
    proxy::{Lie, Proxy},
};

fn network_with_proxies() -> (Network, Vec<Proxy>) {
    let network = Network::start(Shape { nodes: 10, shards: 100, behind_proxies: true });
    let proxies = network.nodes.iter().map(|n| Proxy::start(n.public_port, n.bind_port)).collect();
    (network, proxies)
}

#[test]
fn every_kind_of_lie_by_a_third_of_the_nodes_is_seen_through() {
    // A reader that believed a node would hand its user wrong bytes, or none.
    let (network, proxies) = network_with_proxies();
    let contents = content::random(11, 300_000);
    let truth = blob_id(&network.store("truth", &contents));
    let other = blob_id(&network.store("other", &content::random(12, 300_000)));
    let lies = [
        Lie::OtherBlob { asked: truth.clone(), given: other },
        Lie::Truncated,
        Lie::FlippedBit,
        Lie::Endless,
        Lie::Silent,
    ];
    for lie in lies {
        let before: u64 = proxies.iter().map(Proxy::lies_told).sum();
        for liar in &proxies[..3] {
            liar.tell(lie.clone());
        }
        // Readers prefer slivers that need no decoding, and ask few nodes for metadata: it
        // may take some reads until a liar is asked.
        let asked = (0..20).any(|_| {
            assert!(network.read(&truth) == contents, "{lie:?}");
            proxies.iter().map(Proxy::lies_told).sum::<u64>() > before
        });
        assert!(asked, "nobody was asked, so {lie:?} was not tested");
    }
}

#[test]
fn a_node_heals_although_peers_give_wrong_proofs() {
    // A node that stored what it was told would spread a lie under its own signature.
    let (mut network, proxies) = network_with_proxies();
    network.kill_node(9);
    let contents = content::random(13, 50_000);
    let id = blob_id(&network.store("away", &contents));
    for liar in &proxies[..3] {
        liar.tell(Lie::FlippedBit);
    }
    network.start_node(9);
    network.wait_until_held(&id, 9);
    assert!(network.read(&id) == contents);
}
