//! Addresses that are dead, slow, wrong or lossy.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use serde_json::Value;
use support::{
    proxy::{Fate, Proxy},
    *,
};
use walrus_chain::*;
use walrus_devchain::{DevChain, DevChainConfig};

/// Gives up quickly, so that tests are quick.
fn hasty() -> EndpointsConfig {
    EndpointsConfig {
        request_timeout: Duration::from_millis(300),
        rounds: 3,
        backoff_min: Duration::from_millis(5),
        backoff_max: Duration::from_millis(20),
        ..EndpointsConfig::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_first_address_is_passed_over_and_remembered() {
    // One dead provider must not stop a node that has another.
    let network = Network::start(4, 10).await;
    let good = network.chain.endpoint();
    for fate in [
        Fate::Status(500),
        Fate::Status(429),
        Fate::Garbage,
        Fate::Result(serde_json::json!([7])),
        Fate::Hang,
    ] {
        let kept = fate.clone();
        let bad = Proxy::start(&network.env, good.clone(), move |_, _| kept.clone()).await;
        let urls = [bad.url.clone(), good.clone()];
        let endpoints = Endpoints::new(&network.env, &urls, hasty()).unwrap();
        let client = ChainClient::connect(endpoints, network.deployment.clone()).await.unwrap();
        let asked = bad.requests();
        assert!(asked >= 1, "{fate:?}");
        for _ in 0..5 {
            client.epoch_state().await.unwrap();
        }
        assert_eq!(bad.requests(), asked, "{fate:?}: asked again at once");
    }
    // Nobody listens there.
    let dead = "http://127.0.0.1:9".to_owned();
    let endpoints = Endpoints::new(&network.env, &[dead, good], hasty()).unwrap();
    ChainClient::connect(endpoints, network.deployment.clone()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_is_retried_and_then_given_up_with_a_reason() {
    // A hiccup must not fail an upload; an outage must not hang it for ever.
    let network = Network::start(4, 10).await;
    let good = network.chain.endpoint();
    let flaky = |_: &Value, number| if number % 3 == 2 { Fate::Pass } else { Fate::Status(503) };
    let flaky = Proxy::start(&network.env, good.clone(), flaky).await;
    let endpoints = Endpoints::new(&network.env, &[&flaky.url], hasty()).unwrap();
    let client = ChainClient::new(endpoints, network.deployment.clone());
    // The first exchange also asks for the chain id.
    client.epoch_state().await.unwrap_err();
    client.epoch_state().await.unwrap();

    let dead = Proxy::start(&network.env, good, |_, _| Fate::Status(503)).await;
    let endpoints = Endpoints::new(&network.env, &[&dead.url], hasty()).unwrap();
    let client = ChainClient::new(endpoints, network.deployment.clone());
    let error = client.epoch_state().await.unwrap_err();
    assert!(error.is_retryable());
    let ReadError::Rpc(RpcError::Unreachable { attempts, url, reason, .. }) = error else {
        panic!("{error}");
    };
    assert_eq!((attempts, dead.requests(), url), (3, 3, dead.url.clone()));
    assert!(reason.contains("503"), "{reason}");
}

#[test]
fn only_http_addresses_are_taken() {
    // A typing error must be found at start, not at the first transaction.
    let env = walrus_env::real::env();
    let none: [&str; 0] = [];
    let error = Endpoints::new(&env, &none, hasty()).unwrap_err();
    assert_eq!(error, EndpointsError::Empty);
    for bad in ["", "localhost:8545", "https://x.example", "ftp://x", "http://", "/x"] {
        assert!(Endpoints::new(&env, &[bad], hasty()).is_err(), "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_whose_answer_is_lost_happens_once() {
    // Paying twice for a lost answer would be the worst fault a wallet can have.
    let env = walrus_env::real::env();
    let network = Network::start(4, 10).await;
    let receiver = dev_wallet(&network.chain, 1).address();
    let mut paid = 0;
    // What chains say to bytes that they have mined already differs.
    for words in [None, Some("nonce too low"), Some("already known")] {
        // Every first answer to a transaction is lost although the chain has it.
        let seen = std::sync::atomic::AtomicU64::new(0);
        let lossy = move |question: &Value, _| match question["method"].as_str() {
            Some("eth_sendRawTransaction") => {
                match seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst) % 2 {
                    0 => Fate::LoseAnswer,
                    _ => words.map_or(Fate::Pass, Fate::Refuse),
                }
            }
            _ => Fate::Pass,
        };
        let proxy = Proxy::start(&env, network.chain.endpoint(), lossy).await;
        let endpoints = Endpoints::new(&env, &[&proxy.url], hasty()).unwrap();
        let client = ChainClient::new(endpoints, network.deployment.clone());
        let writer = ChainWriter::new(client.clone(), dev_wallet(&network.chain, 0), quick());
        for _ in 0..2 {
            writer.transfer_wal(receiver, 5).await.unwrap();
            paid += 5;
            assert_eq!(client.wal_balance(receiver).await.unwrap(), paid, "{words:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_survives_a_chain_that_never_answers_it() {
    // The answer never comes, however often the bytes are sent: the receipt tells.
    let env = walrus_env::real::env();
    let network = Network::start(4, 10).await;
    let lossy = |question: &Value, _| match question["method"].as_str() {
        Some("eth_sendRawTransaction") => Fate::LoseAnswer,
        _ => Fate::Pass,
    };
    let proxy = Proxy::start(&env, network.chain.endpoint(), lossy).await;
    let endpoints = Endpoints::new(&env, &[&proxy.url], hasty()).unwrap();
    let client = ChainClient::new(endpoints, network.deployment.clone());
    let writer = ChainWriter::new(client.clone(), dev_wallet(&network.chain, 0), quick());
    let receiver = dev_wallet(&network.chain, 1).address();
    writer.transfer_wal(receiver, 5).await.unwrap();
    assert_eq!(client.wal_balance(receiver).await.unwrap(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_never_arrives_is_reported_as_unresolved() {
    // The caller must learn that it may still happen, and not that it failed.
    let env = walrus_env::real::env();
    let network = Network::start(4, 10).await;
    let black_hole = |question: &Value, _| match question["method"].as_str() {
        Some("eth_sendRawTransaction") => Fate::Status(502),
        _ => Fate::Pass,
    };
    let proxy = Proxy::start(&env, network.chain.endpoint(), black_hole).await;
    let endpoints = Endpoints::new(&env, &[&proxy.url], hasty()).unwrap();
    let client = ChainClient::new(endpoints, network.deployment.clone());
    let config = SendConfig {
        resend_after: Duration::from_millis(100),
        give_up_after: Duration::from_millis(500),
        ..quick()
    };
    let writer = ChainWriter::new(client.clone(), dev_wallet(&network.chain, 0), config);
    let receiver = dev_wallet(&network.chain, 1).address();
    let error = writer.transfer_wal(receiver, 5).await.unwrap_err();
    assert!(matches!(error, WriteError::Unresolved { .. }), "{error}");
    assert!(!error.is_retryable());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_programs_may_share_an_account() {
    // The operator uses the wallet by hand while the node cranks epochs.
    let network = Network::start(4, 10).await;
    let receiver = dev_wallet(&network.chain, 1).address();
    let writer =
        || ChainWriter::new(network.client().clone(), dev_wallet(&network.chain, 0), quick());
    let (one, other) = (writer(), writer());
    for _ in 0..3 {
        one.transfer_wal(receiver, 1).await.unwrap();
        other.transfer_wal(receiver, 1).await.unwrap();
    }
    assert_eq!(network.client().wal_balance(receiver).await.unwrap(), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stuck_transaction_is_replaced_with_higher_fees_and_confirmations_are_waited_for() {
    // Under load a transaction priced too low must not block the account for ever.
    let env = walrus_env::real::env();
    let config = DevChainConfig {
        mine_on_transaction: false,
        empty_block_interval: None,
        ..DevChainConfig::default()
    };
    let chain = DevChain::start(&env, config).await.unwrap();
    let endpoints = endpoints(&env, &[chain.endpoint()]);
    let config =
        SendConfig { resend_after: Duration::from_millis(50), confirmations: 3, ..quick() };
    let deployment = Deployment {
        chain_id: 31_337,
        deploy_block: 0,
        lens: Default::default(),
        dev_exchange: None,
        contracts: Contracts::default(),
    };
    let client = ChainClient::new(endpoints, deployment);
    let writer = ChainWriter::new(client.clone(), dev_wallet(&chain, 0), config);
    let receiver = Wallet::from_bytes(&[5; 32]).unwrap().address();
    let transfer = writer.transfer_ether(receiver, 7);
    let mining = async {
        // Long enough for several replacements.
        tokio::time::sleep(Duration::from_millis(400)).await;
        for _ in 0..3 {
            chain.mine(1).await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let (receipt, ()) = tokio::join!(transfer, mining);
    assert_eq!(receipt.unwrap().block_number, 1);
    assert_eq!(client.ether_balance(receiver).await.unwrap(), 7);
    let params = serde_json::json!(["0x1", true]);
    let block = raw_rpc(&env, &chain.endpoint(), "eth_getBlockByNumber", params).await;
    let fee = block["transactions"][0]["maxPriorityFeePerGas"].as_str().unwrap().to_owned();
    let fee = u64::from_str_radix(fee.trim_start_matches("0x"), 16).unwrap();
    assert!(fee > SendConfig::default().priority_fee_min as u64, "the fee was not raised: {fee}");
}
