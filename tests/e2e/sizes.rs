//! Files of every size, at the full number of shards.

use std::time::Instant;

use crate::{
    content,
    network::{Network, Shape, blob_id},
};

#[test]
fn files_of_every_size_come_back_byte_for_byte() {
    // The one thing a blob store is for.
    let network = Network::start(Shape { nodes: 10, shards: 1000, behind_proxies: false });
    let library = std::fs::read(content::real_library()).unwrap();
    let files = [
        ("empty", Vec::new()),
        ("one-byte", vec![0x77]),
        ("kibibyte", content::random(1, 1 << 10)),
        ("ten-mebibytes", content::random(2, 10 << 20)),
        ("library", library),
        ("two-hundred-mebibytes", content::random(3, 200 << 20)),
    ];
    for (name, contents) in files {
        let start = Instant::now();
        let report = network.store(name, &contents);
        let stored = start.elapsed();
        assert_eq!(report["newly_created"], true, "{name}: {report}");
        let start = Instant::now();
        assert!(network.read(&blob_id(&report)) == contents, "{name} came back different");
        let bytes = contents.len();
        println!("{name}: {bytes} bytes, stored in {stored:?}, read in {:?}", start.elapsed());
    }
}
