//! `walrus gateway` as operators run it: a process with a configuration file.

use std::io::Write as _;

use serde_json::json;
use walrus_chain::{KeystoreStrength, Wallet};
use walrus_env::real;
use zeroize::Zeroizing;

use crate::{
    content,
    network::{DEPLOYER_KEY, Network, Shape},
    served::{Gateway, OnChain, only_file, stored_id, token},
};

fn network() -> Network {
    Network::start(Shape { nodes: 4, shards: 10, behind_proxies: false })
}

#[test]
fn a_publisher_with_tokens_spends_its_money_for_their_holders_only() {
    // Whoever finds its address would otherwise store at its cost.
    const SECRET: &[u8] = b"a secret that nobody can guess";
    let network = network();
    std::fs::write(network.path().join("secret.txt"), SECRET).unwrap();
    let settings =
        "[contexts.test.gateway.tokens]\nkey_file = \"secret.txt\"\nexpiring_seconds = 300\n";
    let gateway = Gateway::start(&network, settings, &["--publisher", "--aggregator"]);
    let sign = |claims| token(SECRET, 300, 0, &claims);
    let put = |token: Option<&str>, query: &str, body: &[u8]| {
        gateway.ask("PUT", &format!("/v1/blobs?{query}"), token, body)
    };
    let refused = |token: &str, query: &str, body: &[u8]| put(Some(token), query, body).refusal();

    // Megabytes are on their way when the answer comes; it must arrive all the same.
    let large = content::random(1, 8 << 20);
    assert_eq!(put(None, "", &large).refusal(), (401, "MISSING_TOKEN".to_owned()));
    let forged = token(b"a secret that somebody guessed", 300, 0, &json!({"jti": "0"}));
    assert_eq!(refused(&forged, "", &large), (401, "INVALID_SIGNATURE".to_owned()));
    let late = token(SECRET, 300, 400, &json!({"jti": "1"}));
    assert_eq!(refused(&late, "", &large), (401, "EXPIRED_SIGNATURE".to_owned()));
    let eternal = token(SECRET, 1_000_000, 0, &json!({"jti": "2"}));
    assert_eq!(refused(&eternal, "", b"x"), (400, "INVALID_EXPIRATION".to_owned()));

    let good = sign(json!({"jti": "3", "max_size": 1000, "max_epochs": 2}));
    assert_eq!(refused(&good, "epochs=3", b"x"), (400, "INVALID_EPOCHS".to_owned()));
    // What was refused can be tried again with the same token.
    let body = content::random(2, 1000);
    let stored = put(Some(&good), "epochs=2", &body);
    assert_eq!(stored.status, 200, "{}", stored.text());
    assert_eq!(refused(&good, "epochs=2", &body), (429, "TOKEN_ALREADY_USED".to_owned()));
    let read = gateway.get(&format!("/v1/blobs/{}", stored_id(&stored.json())));
    assert!(read.status == 200 && read.body == body);

    let small = sign(json!({"jti": "4", "max_size": 999}));
    assert_eq!(refused(&small, "", &body), (400, "INVALID_SIZE".to_owned()));
    let given = sign(json!({"jti": "5", "send_object_to": format!("0x{}", "12".repeat(20))}));
    let other = format!("send_object_to=0x{}", "34".repeat(20));
    assert_eq!(refused(&given, &other, b"x"), (400, "INVALID_SEND_OBJECT_TO".to_owned()));
    assert_eq!(gateway.process.stop(), 0);
}

#[test]
fn several_wallets_pay_for_stores_at_the_same_time() {
    // With one account, each store waits until the one before it is on the chain.
    let network = network();
    let chain = OnChain::open(&network);
    let more: Vec<_> = [41, 42].map(|seed| Wallet::from_bytes(&[seed; 32]).unwrap()).into();
    for (number, wallet) in more.iter().enumerate() {
        let address = wallet.address().to_string();
        network.client(&["chain", "fund", &address]).json();
        let password = Zeroizing::new("words".to_owned());
        let file = chain.run(async {
            wallet.to_keystore(&real::env(), password, KeystoreStrength::Light).await
        });
        std::fs::write(network.path().join(format!("wallet-{number}.json")), file).unwrap();
    }
    std::fs::write(network.path().join("password.txt"), "words\n").unwrap();
    // The password is the context's, which has no keystore of its own.
    let config = network.path().join("walrus.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{text}password_file = \"password.txt\"\n")).unwrap();
    let settings = "keystores = [\"wallet-0.json\", \"wallet-1.json\"]\n\
                    [contexts.test.gateway.senders]\n\
                    part = 2\nproxies = [\"192.0.2.1\"]\nforwarded_by = \"forwarded\"\n";
    let gateway = Gateway::start(&network, settings, &["--publisher", "--aggregator"]);
    assert_eq!(gateway.report["accounts"], 3, "{}", gateway.report);

    let wallets: Vec<_> =
        more.into_iter().chain([Wallet::from_hex(DEPLOYER_KEY).unwrap()]).collect();
    let before: Vec<_> = wallets.iter().map(|wallet| chain.balance(wallet)).collect();
    let bodies: Vec<_> = (0..6).map(|seed| content::random(seed, 200_000)).collect();
    let stored: Vec<_> = std::thread::scope(|scope| {
        let stores: Vec<_> =
            bodies.iter().map(|body| scope.spawn(|| gateway.store("epochs=2", body))).collect();
        stores.into_iter().map(|store| store.join().unwrap()).collect()
    });
    for (body, answer) in bodies.iter().zip(&stored) {
        assert!(gateway.get(&format!("/v1/blobs/{}", stored_id(answer))).body == *body);
    }
    for (wallet, before) in wallets.iter().zip(before) {
        assert!(chain.balance(wallet) < before, "{} paid for nothing", wallet.address());
    }
}

#[test]
fn a_gateway_that_was_killed_in_a_store_goes_on_after_a_restart() {
    // A machine that loses its power must neither pay twice, nor keep half of what came,
    // nor serve what its disk made of it.
    let mut network = network();
    let chain = OnChain::open(&network);
    let payer = Wallet::from_hex(DEPLOYER_KEY).unwrap();
    let start = || Gateway::start(&network, "", &["--publisher", "--aggregator"]);
    let gateway = start();
    let kept = content::random(3, 300_000);
    let kept_path = format!("/v1/blobs/{}", stored_id(&gateway.store("permanent=true", &kept)));
    assert!(gateway.get(&kept_path).body == kept, "and now it is in the cache");

    // One upload has come half way, another was paid for and does not get on: two of the four
    // nodes say nothing, and the others are too few.
    let body = content::random(4, 1_500_000);
    let mut half = gateway.begin("PUT", "/v1/blobs?upload=half", None, body.len());
    half.write_all(&body[..body.len() / 2]).unwrap();
    gateway.wait_for_stage("half", "receiving");
    for node in &network.nodes[..2] {
        node.process.as_ref().unwrap().freeze();
    }
    let before = chain.balance(&payer);
    let mut paid = gateway.begin("PUT", "/v1/blobs?permanent=true&upload=paid", None, body.len());
    paid.write_all(&body).unwrap();
    gateway.wait_for_stage("paid", "registered");
    gateway.process.kill();
    let price = before - chain.balance(&payer);
    assert!(price > 0);
    for node in &network.nodes[..2] {
        node.process.as_ref().unwrap().thaw();
    }
    let spool = network.path().join("gateway/spool");
    assert_eq!(std::fs::read_dir(&spool).unwrap().count(), 0, "what was on its way lies there");

    let gateway = start();
    let again = gateway.store("permanent=true", &body);
    assert!(again["newlyCreated"]["resourceOperation"]["reuseRegistration"].is_object(), "{again}");
    assert_eq!(before - chain.balance(&payer), price, "it was paid for twice");
    gateway.process.kill();

    // What was kept is served without nodes, unless the disk has spoilt it.
    for node in 0..4 {
        network.kill_node(node);
    }
    let entry = only_file(&network.path().join("gateway/cache"));
    let gateway = Gateway::start(&network, "", &["--aggregator"]);
    assert!(gateway.get(&kept_path).body == kept);
    gateway.process.kill();
    let mut spoilt = std::fs::read(&entry).unwrap();
    let middle = spoilt.len() / 2;
    spoilt[middle] ^= 1;
    std::fs::write(&entry, &spoilt).unwrap();
    std::fs::write(entry.with_file_name("half"), &spoilt[..middle]).unwrap();
    let gateway = Gateway::start(&network, "", &["--aggregator"]);
    assert_eq!(only_file(&network.path().join("gateway/cache")), entry, "no blob has that name");
    let answer = gateway.get(&kept_path);
    assert!(answer.status >= 500 || !answer.is_whole, "{}", answer.status);
    assert!(answer.status >= 500 || kept.starts_with(&answer.body), "spoilt bytes were served");
    for node in 0..4 {
        network.start_node(node);
    }
    let answer = gateway.get(&kept_path);
    assert!(answer.status == 200 && answer.body == kept, "{}", answer.text());
}
