//! Decisions of token holders and operators, by the commands they have.

use serde_json::{Value, json};

use crate::{
    content,
    network::{Network, Shape, blob_id},
    process::{Finished, run, wait_for, walrus},
};

/// The second of the development chain's well-known accounts.
const SECOND_KEY: &str = "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";

/// Lets time pass until the last proposal is in this state.
fn wait_until(network: &Network, state: &str) -> Value {
    for _ in 0..40 {
        let listed = network.client(&["governance", "list"]).json();
        let proposal = listed["proposals"].as_array().unwrap().last().unwrap().clone();
        if proposal["state"] == state {
            return proposal;
        }
        // Less than the vote lasts; blocks may be ahead of the clock.
        network.pass_time(30);
    }
    panic!("the proposal never was {state}");
}

#[test]
fn a_tunable_is_changed_by_vote() {
    // What can be changed in theory and by no command is not changed when it must be.
    let network = Network::start(Shape { nodes: 4, shards: 10, behind_proxies: false });
    let jail = || {
        let found = network.client(&["governance", "parameters"]).json();
        let all = found["parameters"].as_array().unwrap();
        all.iter().find(|tunable| tunable["name"] == "jailEpochs").unwrap().clone()
    };
    assert_eq!((&jail()["current"], &jail()["next"]), (&4.into(), &Value::Null));
    let propose = |change: &str| {
        let words = ["governance", "propose", "--description", "Longer jail", "--set", change];
        network.client(&words)
    };
    propose("jailEpochs=17").error(2);
    propose("noSuchThing=1").error(2);
    let error = propose("jailEpochs=7").error(5);
    assert!(error["hint"].as_str().unwrap().contains("governance delegate"), "{error}");
    network.client(&["governance", "delegate"]).json();
    network.pass_time(2);
    let proposal = propose("jailEpochs=7").json();
    assert_eq!(proposal["state"], "pending", "{proposal}");
    let error = network.client(&["governance", "vote", "1", "for"]).error(5);
    assert!(error["hint"].is_string(), "{error}");
    wait_until(&network, "active");
    let id = proposal["id"].as_str().unwrap();
    let voted = network.client(&["governance", "vote", id, "for", "--reason", "crime"]).json();
    assert_ne!(voted["votes_for"], "0", "{voted}");
    wait_until(&network, "succeeded");
    network.client(&["governance", "execute", "1"]).error(5);
    network.client(&["governance", "queue", "1"]).json();
    assert_eq!(network.client(&["info"]).json()["governance"]["open_proposals"], 1);
    let queued = wait_until(&network, "queued");
    wait_for("the timelock", 60, || {
        network.pass_time(20);
        (network.client(&["governance", "execute", "1"]).code == 0).then_some(())
    });
    assert_eq!(wait_until(&network, "executed")["id"], queued["id"]);
    assert_eq!((&jail()["current"], &jail()["next"]), (&4.into(), &7.into()));
    network.client(&["governance", "vote", "2", "for"]).error(2);
}

#[test]
fn new_code_takes_votes_and_nodes() {
    // Token holders alone could replace the contracts that hold everybody's money.
    let network = Network::start(Shape { nodes: 4, shards: 10, behind_proxies: false });
    let govern = |words: &[&str]| network.client(&[&["governance"], words].concat());
    govern(&["delegate"]).json();
    network.pass_time(2);
    // Whoever made a proposal can take it back while nobody votes yet; others cannot.
    govern(&["propose", "--description", "A mistake", "--set", "jailEpochs=7"]).json();
    let mut stranger = network.client_command(&["governance", "cancel", "1"]);
    run(stranger.env("WALRUS_PRIVATE_KEY", SECOND_KEY)).error(5);
    assert_eq!(govern(&["cancel", "1"]).json()["state"], "cancelled");
    govern(&["cancel", "1"]).error(5);
    let error = govern(&["approve", "1", "--dir", "node-0"]).error(2);
    assert!(error["message"].as_str().unwrap().contains("nothing in it needs"), "{error}");

    let deployment = std::fs::read(network.path().join("deployment.json")).unwrap();
    let deployment: Value = serde_json::from_slice(&deployment).unwrap();
    let contract = |name: &str| deployment["contracts"][name].as_str().unwrap().to_owned();
    let (proxy, wal, timelock) = (contract("params"), contract("wal"), contract("timelock"));
    // Where a proxy keeps the address of its code.
    let slot = "0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc";
    let word = network.ask_chain("eth_getStorageAt", json!([proxy, slot, "latest"]));
    let code = format!("0x{}", &word.as_str().unwrap()[26..]);
    govern(&["propose", "--description", "x", "--upgrade", &proxy]).error(2);
    govern(&["propose", "--description", "x", "--call", &format!("{wal}:zz")]).error(2);
    // The same code again, and a call that leaves a trace: the timelock allows somebody 258 FROST.
    let call = format!("{wal}:0x095ea7b3{:0>64}{:0>64}", "07", "0102");
    let upgrade = format!("{proxy}:{code}");
    let words = ["propose", "--description", "New code", "--upgrade", &upgrade, "--call", &call];
    let proposal = govern(&words).json();
    let meanings: Vec<&str> = proposal["calls"]
        .as_array()
        .unwrap()
        .iter()
        .map(|call| call["meaning"].as_str().unwrap())
        .collect();
    assert!(
        meanings[0].starts_with("new code 0x") && meanings[1].contains("68 bytes"),
        "{proposal}"
    );
    wait_until(&network, "active");
    govern(&["cancel", "2"]).error(5);
    govern(&["vote", "2", "for"]).json();
    wait_until(&network, "succeeded");
    govern(&["queue", "2"]).json();
    let execute = || govern(&["execute", "2"]);
    let hint =
        |finished: &Finished| finished.error(5)["hint"].as_str().unwrap_or_default().to_owned();
    wait_for("the timelock", 60, || {
        network.pass_time(20);
        hint(&execute()).contains("governance approve").then_some(())
    });
    // Seven of ten shards, which no two of the nodes have.
    let approve = |node: &str| govern(&["approve", "2", "--dir", node]);
    let first = approve("node-0").json();
    assert_eq!(first["node_approvals"][0]["approved_until"], Value::Null, "{first}");
    approve("node-0").error(5);
    approve("node-1").json();
    assert!(hint(&execute()).contains("two thirds"));
    approve("node-2").json();
    let last = approve("node-3").json();
    assert_eq!(last["node_approvals"][0]["shards"], 10, "{last}");
    assert!(last["node_approvals"][0]["approved_until"].is_u64(), "{last}");
    assert_eq!(execute().json()["state"], "executed");
    let allowance = format!("0xdd62ed3e{:0>64}{:0>64}", &timelock[2..], "07");
    let left = network.ask_chain("eth_call", json!([{ "to": wal, "data": allowance }, "latest"]));
    assert_eq!(left, format!("0x{:0>64}", "0102"), "the call was made");
    let listed = govern(&["parameters"]).json();
    assert_eq!(listed["parameters"].as_array().unwrap().len(), 20, "its state is still there");
}

#[test]
fn a_node_changes_its_key_without_a_pause() {
    // The old key signs too long or the new one too early, and nothing can be certified.
    let mut network = Network::start(Shape { nodes: 4, shards: 10, behind_proxies: false });
    let node = |words: &[&str]| {
        let mut command = walrus(network.path());
        run(command.args(["--json", "node"]).args(words).args(["--dir", "node-0"]))
    };
    let info = || network.client(&["info"]).json();
    wait_for("the nodes report in sync", 30, || (info()["phase"] == "Done").then_some(()));
    node(&["vote", "--storage-price", "70", "--write-price", "7", "--capacity", "5000000"]).json();
    node(&["commission", "--basis-points", "800"]).json();
    let rotated = node(&["rotate-key"]).json();
    assert_eq!(rotated["from_epoch"], 2, "{rotated}");
    let committee = network.client(&["committee"]).json();
    assert_eq!(committee["nodes"][0]["storage_price_vote"], 70, "{committee}");
    let old = network.store("old", &content::random(81, 5_000));
    assert_eq!(old["failures"].as_array().unwrap().len(), 0, "the old key still counts: {old}");

    network.pass_time(2000);
    network.pass_time(2000);
    let after = info();
    assert_eq!(after["epoch"], 2);
    let clock = &after["clock"];
    assert!(clock["now"].as_u64() >= clock["started_at"].as_u64(), "{after}");
    wait_for("the nodes report in sync", 30, || (info()["phase"] == "Done").then_some(()));
    let after = info();
    assert!(after["clock"]["next_epoch_at"].is_u64() && after["quorum_shards"] == 7, "{after}");
    assert!(node(&["collect"]).json()["received"].as_u64() > Some(0), "its part of the price");
    // Seven of ten shards are needed, and without the last node there are just eight.
    network.kill_node(3);
    let contents = content::random(82, 5_000);
    let id = blob_id(&network.store("new", &contents));
    assert!(network.read(&id) == contents);
    // After a restart, too, with both keys on disk.
    network.kill_node(0);
    network.start_node(0);
    let contents = content::random(83, 5_000);
    let id = blob_id(&network.store("again", &contents));
    assert!(network.read(&id) == contents);
}
