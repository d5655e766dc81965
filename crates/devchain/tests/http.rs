//! The running chain over real sockets and files.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::time::Duration;

use alloy::primitives::TxKind;
use serde_json::{Value, json};
use support::{COUNTER, Rpc, deployment, number};
use walrus_devchain::{ChainError, DevChain, DevChainConfig, DevChainError};
use walrus_env::Env;

fn quiet() -> DevChainConfig {
    DevChainConfig { empty_block_interval: None, ..DevChainConfig::default() }
}

async fn started(config: DevChainConfig) -> (Env, DevChain, Rpc) {
    let env = walrus_env::real::env();
    let chain = DevChain::start(&env, config).await.unwrap();
    let rpc = Rpc::new(&env, chain.endpoint());
    (env, chain, rpc)
}

#[tokio::test]
async fn wallets_and_tools_find_what_they_ask_first() {
    // These are the calls with which MetaMask, cast and alloy greet a network.
    let (_env, chain, rpc) = started(quiet()).await;
    assert_eq!(rpc.ok("eth_chainId", json!([])).await, "0x7a69");
    assert_eq!(rpc.ok("net_version", json!([])).await, "31337");
    assert_eq!(rpc.ok("eth_syncing", json!([])).await, false);
    assert!(rpc.ok("web3_clientVersion", json!([])).await.is_string());
    assert_eq!(rpc.ok("eth_gasPrice", json!([])).await, json!("0x6fc23ac0"));
    assert_eq!(rpc.ok("eth_maxPriorityFeePerGas", json!([])).await, json!("0x3b9aca00"));
    for account in chain.accounts() {
        let balance = rpc.ok("eth_getBalance", json!([account.address, "latest"])).await;
        assert_eq!(balance, "0x21e19e0c9bab2400000");
    }
    let finalized = rpc.ok("eth_getBlockByNumber", json!(["finalized", false])).await;
    assert_eq!(finalized["number"], "0x0");
    assert_eq!(finalized["transactions"], json!([]));
}

#[tokio::test]
async fn framing_follows_json_rpc() {
    // A client library chokes on a reply it did not expect.
    let (_env, _chain, rpc) = started(quiet()).await;
    let (status, answer) = rpc.post("{").await;
    assert_eq!((status, &answer["error"]["code"]), (200, &json!(-32700)));
    let batch = json!([
        { "jsonrpc": "2.0", "id": "a", "method": "eth_chainId" },
        { "jsonrpc": "2.0", "method": "eth_chainId" },
        { "jsonrpc": "2.0", "id": 2, "method": "nothing" },
        7,
    ]);
    let (_, answer) = rpc.post(batch.to_string()).await;
    let answers = answer.as_array().unwrap();
    assert_eq!(answers.len(), 3, "a notification is not answered");
    assert_eq!((&answers[0]["id"], &answers[0]["result"]), (&json!("a"), &json!("0x7a69")));
    assert_eq!(answers[1]["error"]["code"], -32601);
    assert_eq!(answers[2]["error"]["code"], -32600);
    let notification = json!({ "jsonrpc": "2.0", "method": "eth_chainId" });
    assert_eq!(rpc.post(notification.to_string()).await, (204, Value::Null));

    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_chainId" });
    let (_, answer) = rpc.post(json!(vec![call; 201]).to_string()).await;
    assert_eq!(answer["error"]["code"], -32600, "a batch is bounded");
    let (status, _) = rpc.post(vec![b' '; (4 << 20) + 1]).await;
    assert_eq!(status, 413, "a body is bounded");
}

#[tokio::test]
async fn a_directory_keeps_the_chain() {
    // `walrus local` is stopped and started again with the same directory.
    let dir = tempfile::tempdir().unwrap();
    let config = || DevChainConfig { dir: Some(dir.path().join("chain")), ..quiet() };
    let (env, chain, rpc) = started(config()).await;
    let payer = chain.accounts()[0].clone();
    let hash = rpc.send(&payer, TxKind::Create, deployment(&COUNTER), 200_000).await;
    let receipt = rpc.receipt(&hash).await;
    assert_eq!(receipt["status"], "0x1");
    let second = DevChain::start(&env, config()).await;
    assert!(matches!(second, Err(DevChainError::Locked { .. })), "one process at a time");
    chain.shutdown().await;
    assert!(rpc_is_gone(&env, &rpc).await, "nothing listens any more");

    // Dropped without a shutdown, as when a test fails: the lock is free at once.
    let (_env, chain, rpc) = started(config()).await;
    assert_eq!(rpc.receipt(&hash).await, receipt);
    drop(chain);
    let (_env, chain, rpc) = started(config()).await;
    assert_eq!(rpc.receipt(&hash).await, receipt);
    chain.shutdown().await;

    let other = DevChainConfig { chain_id: 5, ..config() };
    let error = DevChain::start(&env, other).await.unwrap_err();
    let stored = ChainError::OtherChain { stored: 31_337, asked: 5 };
    assert_eq!(error.to_string(), stored.to_string());
}

async fn rpc_is_gone(env: &Env, rpc: &Rpc) -> bool {
    let address = rpc.endpoint().strip_prefix("http://").unwrap();
    let (host, port) = walrus_env::split_host_port(address).unwrap();
    env.net.connect(host, port).await.is_err()
}

#[tokio::test]
async fn a_database_left_half_made_is_made_again() {
    // Power may fail in the very first second; the next start must not be stuck.
    let dir = tempfile::tempdir().unwrap();
    let env = walrus_env::real::env();
    let path = dir.path().join("chain.redb.new");
    let file = env.disk.open(&path, walrus_env::OpenMode::Create).await.unwrap();
    file.write_at(0, bytes::Bytes::from_static(&[0; 5000])).await.unwrap();
    let config = DevChainConfig { dir: Some(dir.path().to_owned()), ..quiet() };
    let chain = DevChain::start(&env, config).await.unwrap();
    assert_eq!(chain.head_number(), 0);
}

#[tokio::test]
async fn time_passes_without_transactions() {
    // Epochs and challenge seeds wait for blocks that no transaction brings.
    let config = DevChainConfig {
        empty_block_interval: Some(Duration::from_millis(50)),
        ..DevChainConfig::default()
    };
    let (_env, chain, rpc) = started(config).await;
    reaches(&rpc, 3).await;
    chain.shutdown().await;
}

#[tokio::test]
async fn interval_mining_shows_receipts_with_the_block() {
    // Public networks behave so: the answer to a transaction comes before its block.
    let config = DevChainConfig {
        mine_on_transaction: false,
        block_interval: Some(Duration::from_millis(200)),
        ..DevChainConfig::default()
    };
    let (_env, chain, rpc) = started(config).await;
    let payer = &chain.accounts()[3];
    let hash = rpc.send(payer, TxKind::Create, deployment(&COUNTER), 200_000).await;
    let seen = rpc.head().await;
    reaches(&rpc, seen + 1).await;
    assert_eq!(rpc.receipt(&hash).await["status"], "0x1");
}

async fn reaches(rpc: &Rpc, height: u64) {
    let wait = async {
        while rpc.head().await < height {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait).await.unwrap();
}

#[tokio::test]
async fn the_handle_works_without_the_network() {
    // Tests mine and reorganise while a chain's clients are cut off.
    let (_env, chain, rpc) = started(quiet()).await;
    chain.mine(3).await.unwrap();
    assert_eq!((chain.head_number(), rpc.head().await), (3, 3));
    let block = rpc.ok("eth_getBlockByNumber", json!(["0x3", false])).await;
    chain.advance_time(1000).await.unwrap();
    let later = rpc.ok("eth_getBlockByNumber", json!(["latest", false])).await;
    assert!(number(&later["timestamp"]) >= number(&block["timestamp"]) + 990);
    chain.reorg(2).await.unwrap();
    assert_eq!(rpc.ok("eth_getBlockByHash", json!([block["hash"], false])).await, Value::Null);
    assert_eq!(chain.head_number(), 4);
    let error = chain.reorg_without_transactions(5).await.unwrap_err();
    assert!(matches!(error, ChainError::TooDeep { depth: 5, available: 4 }));
}
