//! The command line: what it says when all is well, and when it is not.

use crate::{
    content,
    local::Local,
    network::{Network, Shape, blob_id},
    process::{run, wait_for, walrus},
};

#[test]
fn the_demo_stores_loses_a_third_and_reads_back() {
    // The first thing anybody tries.
    let directory = tempfile::tempdir().unwrap();
    let mut command = walrus(directory.path());
    let report = run(command.args(["--json", "demo", "--shards", "100"])).json();
    assert_eq!(report["recovered"], true, "{report}");
    assert_eq!(report["stopped_nodes"].as_array().unwrap().len(), 3, "{report}");
    assert!(report["steps"].as_array().unwrap().len() >= 4, "{report}");
}

#[test]
fn a_local_network_survives_a_restart() {
    // Somebody who keeps their trials in it would lose them with every Ctrl-C.
    let mut local = Local::start(&[]);
    local.write("keep", b"keep me");
    let id = blob_id(&local.client(&["store", "keep"]).json());
    assert_eq!(local.take().stop(), 0);
    local.run(&[]);
    local.client(&["read", &id, "--out", "kept"]).json();
    assert_eq!(std::fs::read(local.path().join("kept")).unwrap(), b"keep me");
    // Without a chance to tidy up, too.
    local.take().kill();
    local.run(&[]);
    local.client(&["read", &id, "--out", "again"]).json();
    assert_eq!(std::fs::read(local.path().join("again")).unwrap(), b"keep me");
    // Another shape in the same directory is refused instead of half-used.
    run(&mut local.command("5")).error(2);
}

#[test]
fn debug_encode_prints_what_other_implementations_print() {
    // It is how outside implementations are compared with ours: every field must be theirs.
    const FIELDS: [&str; 15] = [
        "n_shards",
        "length",
        "symbol_size",
        "encoded_blob_length",
        "blob_id",
        "blob_id_hex",
        "blob_id_u256",
        "root_hash",
        "shard_index_of_pair_0",
        "metadata_bcs_len",
        "metadata_bcs_sha256",
        "metadata_with_id_bcs_sha256",
        "all_primary_sha256",
        "all_secondary_sha256",
        "all_primary_bcs_sha256",
    ];
    let vectors = include_str!("../../crates/redstuff/tests/vectors/redstuff.json");
    let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    let small = cases.iter().filter(|case| case["n_shards"].as_u64() < Some(100)).step_by(7);
    let full = cases.iter().filter(|case| case["n_shards"] == 1000).take(2);
    let directory = tempfile::tempdir().unwrap();
    for case in small.chain(full) {
        std::fs::write(directory.path().join("blob"), content::of_vector(case)).unwrap();
        let n_shards = case["n_shards"].to_string();
        let mut command = walrus(directory.path());
        command.args(["debug", "encode", "--n-shards", &n_shards, "--input", "blob", "--json"]);
        let report = run(&mut command).json();
        for field in FIELDS.iter().chain(&["all_secondary_bcs_sha256"]) {
            assert_eq!(report[field], case[field], "{field} of {}", case["id"]);
        }
        assert_eq!(report.as_object().unwrap().len(), FIELDS.len() + 1);
    }
}

#[test]
fn bad_input_gets_a_clear_error_and_loses_nothing() {
    let network = Network::start(Shape { nodes: 4, shards: 10, behind_proxies: false });
    let directory = network.path();
    let contents = content::random(71, 1000);
    let report = network.store("good", &contents);
    let id = blob_id(&report);

    // Unknown id.
    let unknown = "A".repeat(43);
    let error = network.client(&["read", &unknown, "--out", "copy"]).error(3);
    assert!(error["message"].as_str().unwrap().contains(&unknown), "{error}");

    // Not an id at all: a decimal number as explorers print it.
    let error = network.client(&["read", "12345", "--out", "copy"]).error(2);
    assert!(error["hint"].is_string(), "{error}");

    // Too large for ten shards.
    let limit = 4 * 7 * 65_534;
    std::fs::write(directory.join("large"), vec![0; limit + 1]).unwrap();
    let error = network.client(&["store", "large"]).error(2);
    assert!(error["message"].as_str().unwrap().contains(&limit.to_string()), "{error}");

    // No funds.
    let mut poor = walrus(directory);
    poor.env("WALRUS_PRIVATE_KEY", "07".repeat(32)).args(["--json", "store", "good", "--force"]);
    let error = run(&mut poor).error(5);
    assert!(error["hint"].is_string(), "{error}");

    // No wallet.
    let mut nobody = walrus(directory);
    let error = run(nobody.args(["--json", "store", "good", "--force"])).error(2);
    assert!(error["hint"].as_str().unwrap().contains("WALRUS_PRIVATE_KEY"), "{error}");

    // Wrong network: the contracts of another chain.
    let text = std::fs::read_to_string(directory.join("deployment.json")).unwrap();
    let other = text.replace("31337", "31338");
    assert_ne!(text, other);
    std::fs::write(directory.join("other.json"), other).unwrap();
    let config = std::fs::read_to_string(directory.join("walrus.toml")).unwrap();
    let config = config.replace("deployment.json", "other.json");
    std::fs::write(directory.join("other.toml"), config).unwrap();
    let error = network.client(&["--config", "other.toml", "info"]).error(2);
    assert!(error["message"].as_str().unwrap().contains("31338"), "{error}");

    // A file that is not there, and an unknown context.
    network.client(&["store", "missing"]).error(2);
    network.client(&["--context", "nowhere", "info"]).error(2);

    // After all of this the blob is still there.
    assert!(network.read(&id) == contents);
}

#[test]
fn an_expired_blob_is_said_to_be_expired() {
    // "Not found" would make the user look for a mistake that nobody made.
    let network = Network::start(Shape { nodes: 4, shards: 10, behind_proxies: false });
    std::fs::write(network.path().join("short"), b"short").unwrap();
    let id = blob_id(&network.client(&["store", "short", "--epochs", "1"]).json());
    wait_for("the nodes report in sync", 30, || {
        let phase = network.client(&["info"]).json()["phase"].clone();
        (phase == "Done").then_some(())
    });
    // Half an epoch and some more: a burst of blocks leaves the chain ahead of the clock.
    network.pass_time(2000);
    network.pass_time(2000);
    assert_eq!(network.epoch(), 2);
    // Nodes serve it until they see the new epoch; the first refusal must name the reason.
    let refused = wait_for("the nodes see the new epoch", 30, || {
        let read = network.client(&["read", &id, "--out", "copy"]);
        (read.code != 0).then_some(read)
    });
    let error = refused.error(3);
    assert!(error["message"].as_str().unwrap().contains("expired"), "{error}");
    let status = network.client(&["blob-status", &id]).json();
    assert_eq!(status["status"], "expired", "{status}");
}

#[test]
fn wal_is_got_staked_listed_and_taken_back() {
    // Whoever cannot see or take back their stake has lost it.
    let local = Local::start(&["--epoch-seconds", "6"]);
    let client = |arguments: &[&str]| local.client(arguments);
    let got = client(&["get-wal", "--ether", "2"]).json();
    assert_eq!(got["received"], 2_000_000_000u64, "{got}");
    let committee = client(&["committee"]).json();
    let stake = |node: &serde_json::Value| node["stake"].as_u64().unwrap();
    let nodes = committee["nodes"].as_array().unwrap();
    assert!(nodes.len() == 4 && nodes.iter().all(|node| stake(node) >= 1_000_000_000_000));

    // Refused for seconds of each epoch, while the active set must not change.
    let done = |arguments: &[&str]| {
        let answer = client(arguments);
        (answer.code == 0).then(|| answer.json())
    };
    let staked = wait_for("stake", 60, || done(&["stake", "1", "2"]));
    let position = staked["position"].to_string();
    let listed = client(&["positions"]).json();
    assert_eq!(listed["positions"][0]["principal"], 2_000_000_000u64, "{listed}");
    // Epochs pass by themselves: the local network cranks.
    let epoch = || client(&["info"]).json()["epoch"].as_u64().unwrap();
    let first = epoch();
    wait_for("two epochs", 90, || (epoch() >= first + 2).then_some(()));
    wait_for("unstake", 60, || done(&["unstake", &position]));
    wait_for("withdraw", 90, || done(&["withdraw", &position]));
    assert_eq!(client(&["positions"]).json()["positions"].as_array().unwrap().len(), 0);
    client(&["withdraw", &position]).error(5);
}

#[test]
fn capacity_blobs_and_references_change_hands() {
    // What was paid for must be usable without a program of one's own.
    const MIB: &str = "1048576";
    const OTHER: &str = "0x00000000000000000000000000000000000000aa";
    let local = Local::start(&[]);
    let client = |arguments: &[&str]| local.client(arguments);

    let bought = client(&["capacity", "buy", "--size", MIB, "--epochs", "3"]).json();
    assert_eq!((&bought["start"], &bought["end"]), (&1.into(), &4.into()), "{bought}");
    let parts = ["--start", "1", "--end", "4", "--middle", "2", "--size", MIB];
    client(&[&["capacity", "split"], &parts[..]].concat()).json();
    let list = || client(&["capacity", "list"]).json()["capacity"].as_array().unwrap().len();
    assert_eq!(list(), 2);
    client(&[&["capacity", "fuse"], &parts[..]].concat()).json();
    assert_eq!(list(), 1);
    let few = ["--start", "1", "--end", "4", "--size", "100"];
    client(&[&["capacity", "destroy"], &few[..]].concat()).json();
    client(&[&["capacity", "normalise"], &few[..]].concat()).error(5);
    client(&["capacity", "buy", "--size", MIB, "--epochs", "3"]).json();
    let all = ["capacity", "transfer", OTHER, "--start", "1", "--end", "4", "--size", MIB];
    client(&all).json();
    assert_eq!(list(), 1, "what is left of the first purchase");
    client(&all).error(5);

    local.write("file", b"deletable");
    let id = blob_id(&client(&["store", "file", "--deletable", "--epochs", "2"]).json());
    let blobs = client(&["blob", "list"]).json();
    assert_eq!(blobs["blobs"][0]["blob_id"], id.as_str(), "{blobs}");
    let end = client(&["blob", "extend", "1", "--epochs", "2"]).json()["end_epoch"].clone();
    assert_eq!(end, blobs["blobs"][0]["end_epoch"].as_u64().unwrap() + 2);
    // On from its end, with capacity instead of money.
    client(&["capacity", "buy", "--size", MIB, "--epochs", "7"]).json();
    let middle = end.to_string();
    let cut = ["--start", "1", "--end", "8", "--middle", &middle, "--size", MIB];
    client(&[&["capacity", "split"], &cut[..]].concat()).json();
    let epochs = (8 - end.as_u64().unwrap()).to_string();
    let extended = client(&["blob", "extend", "1", "--epochs", &epochs, "--with-capacity"]);
    let end = extended.json()["end_epoch"].clone();
    assert_eq!(end, 8);
    client(&["blob", "extend", "1", "--epochs", "1", "--with-capacity"]).error(5);
    let pairs = client(&["blob", "attributes", "1", "--set", "name=a walrus"]).json();
    assert_eq!(pairs["attributes"][0]["value"], "a walrus", "{pairs}");

    let made = client(&["ref", "create", &id, "--object", "1"]).json();
    assert_eq!((&made["version"], &made["end_epoch"]), (&1.into(), &end), "{made}");
    client(&["ref", "update", "1", &id]).json();
    client(&["ref", "freeze", "1"]).json();
    let found = client(&["ref", "resolve", "1"]).json();
    assert_eq!((&found["version"], &found["frozen"]), (&2.into(), &true.into()), "{found}");
    client(&["ref", "update", "1", &id]).error(5);

    let before = list();
    client(&["blob", "delete", "1"]).json();
    assert_eq!(client(&["blob", "list"]).json()["blobs"].as_array().unwrap().len(), 0);
    assert_eq!(list(), before + 1, "the rest of its capacity came back");
    for (object, words) in [("2", &["transfer"][..]), ("3", &["burn"])] {
        local.write("file", object);
        client(&["store", "file"]).json();
        let to = if words == ["transfer"] { &[OTHER][..] } else { &[] };
        client(&[&["blob"], words, &[object], to].concat()).json();
        client(&["blob", "burn", object]).error(5);
    }
    assert_eq!(client(&["blob", "list"]).json()["blobs"].as_array().unwrap().len(), 0);
}
