//! The same contract flow on the embedded chain and on an independent implementation,
//! compared receipt by receipt. Set WALRUS_ANVIL to the path of the `anvil` binary (npm
//! package `@foundry-rs/anvil`) to compare; without it the flow runs on the embedded
//! chain alone.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod support;

use serde_json::{Value, json};
use support::{anvil::Anvil, *};
use walrus_chain::*;
use walrus_core::{Persistence, TokenId};
use walrus_devchain::{DevChain, DevChainConfig};
use walrus_env::Env;

/// Everything a network does, over nothing but an RPC address and a funded key.
async fn contract_flow(env: &Env, url: &str, wallet: &Wallet) {
    let endpoints = endpoints(env, &[url.to_owned()]);
    let (deployment, writer, nodes) = launch(&endpoints, wallet, 5, 13).await;
    let client = writer.client();
    assert_eq!(nodes.len(), 5);
    assert_eq!(store(&writer, 1).await, TokenId(1));

    let committee = client.committee(EPOCH_ONE).await.unwrap();
    let registered = writer.buy_and_register(&blob(&writer, 2, true), 3, u64::MAX).await.unwrap();
    let persistence = Persistence::of(registered.token_id, true);
    let proof = certificate(&deployment, &committee, registered.blob_id, persistence);
    writer.certify(registered.token_id, &proof).await.unwrap();
    writer.extend(registered.token_id, 2, u64::MAX).await.unwrap();
    writer.delete(registered.token_id).await.unwrap();
    writer.burn(TokenId(1)).await.unwrap();
    writer.transfer_wal(genesis_node(1).operator.address(), WAL).await.unwrap();

    // Refused before it is sent, by both alike.
    let error = writer.certify(TokenId(1), &proof).await.unwrap_err();
    assert!(matches!(error.contract_error(), Some(ContractError::BlobRetired { .. })), "{error}");
    // Refused in a block: the gas is given, so nothing is estimated before.
    let late = GenesisNode { stake: 5, ..genesis_node(9) };
    let error = start_network(&writer, &[late], 10u128.pow(17)).await.unwrap_err();
    let expected = ContractError::StakeBelowMinimum { amount: 5, minimum: WAL };
    assert_eq!(error.contract_error(), Some(&expected), "{error}");
    assert!(matches!(error, WriteError::Contract { transaction: Some(_), .. }));

    let seen = events(client).await;
    let count = |is: fn(&ChainEvent) -> bool| seen.iter().filter(|event| is(event)).count();
    assert_eq!(count(|e| matches!(e, ChainEvent::NodeRegistered { .. })), 6);
    assert_eq!(count(|e| matches!(e, ChainEvent::Staked { .. })), 5);
    assert_eq!(count(|e| matches!(e, ChainEvent::CommitteeSelected { .. })), 1);
    assert_eq!(count(|e| matches!(e, ChainEvent::SyncDone { .. })), 5);
    assert_eq!(count(|e| matches!(e, ChainEvent::EpochSynced { .. })), 1);
    assert_eq!(count(|e| matches!(e, ChainEvent::BlobRegistered { .. })), 2);
    assert_eq!(count(|e| matches!(e, ChainEvent::BlobCertified { .. })), 3);
    assert_eq!(count(|e| matches!(e, ChainEvent::BlobDeleted { .. })), 1);
    assert_eq!(count(|e| matches!(e, ChainEvent::BlobBurned { .. })), 1);
}

/// What must be the same on every chain: of each transaction its hash, outcome, gas and logs.
async fn receipts(env: &Env, url: &str) -> Vec<Value> {
    let mut receipts = Vec::new();
    let head = raw_rpc(env, url, "eth_blockNumber", json!([])).await;
    let head = u64::from_str_radix(head.as_str().unwrap().trim_start_matches("0x"), 16).unwrap();
    for number in 1..=head {
        let params = json!([format!("{number:#x}"), false]);
        let block = raw_rpc(env, url, "eth_getBlockByNumber", params).await;
        for hash in block["transactions"].as_array().unwrap() {
            let receipt = raw_rpc(env, url, "eth_getTransactionReceipt", json!([hash])).await;
            let logs = receipt["logs"].as_array().unwrap().iter();
            let logs: Vec<_> =
                logs.map(|log| json!([log["address"], log["topics"], log["data"]])).collect();
            receipts.push(json!({
                "block": number,
                "status": receipt["status"],
                "gasUsed": receipt["gasUsed"],
                "from": receipt["from"],
                "to": receipt["to"],
                "contract": receipt["contractAddress"],
                "type": receipt["type"],
                "logs": logs,
            }));
        }
    }
    receipts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_flow_has_the_same_receipts_on_the_embedded_chain_and_on_anvil() {
    // A difference means that the embedded chain is not the chain we think it is.
    let env = walrus_env::real::env();
    let config = DevChainConfig { empty_block_interval: None, ..DevChainConfig::default() };
    let chain = DevChain::start(&env, config).await.unwrap();
    let wallet = dev_wallet(&chain, 0);
    contract_flow(&env, &chain.endpoint(), &wallet).await;
    let ours = receipts(&env, &chain.endpoint()).await;
    assert!(ours.len() > 40, "{} transactions", ours.len());
    assert_eq!(ours.iter().filter(|receipt| receipt["status"] == "0x0").count(), 1);

    let Some(anvil) = Anvil::start() else {
        eprintln!("WALRUS_ANVIL is not set: no comparison with anvil");
        return;
    };
    // Votes are kept by time: what they cost depends on whether a second has passed.
    raw_rpc(&env, &anvil.url, "anvil_setBlockTimestampInterval", json!([1])).await;
    contract_flow(&env, &anvil.url, &wallet).await;
    let theirs = receipts(&env, &anvil.url).await;
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours, theirs);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_flow_runs_on_anvil() {
    // Runs also where the embedded chain is at fault.
    let Some(anvil) = Anvil::start() else { return };
    let env = walrus_env::real::env();
    contract_flow(&env, &anvil.url, &Wallet::from_hex(anvil::KEY).unwrap()).await;
}
