//! The same transactions on this chain and on anvil must come out the same.
//!
//! Runs when the environment variable `WALRUS_ANVIL` names an anvil binary (npm
//! `@foundry-rs/anvil`); says so and passes otherwise.
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

mod support;

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use alloy::primitives::{Address, B256, Bytes, TxKind, U256, hex, keccak256};
use serde_json::{Value, json};
use support::{COUNTER, FORWARDER, Rpc, deployment, number};
use walrus_devchain::{DevAccount, DevChain, DevChainConfig};

/// A running anvil; ends when dropped.
struct Anvil {
    process: Child,
    endpoint: String,
}

impl Anvil {
    fn start(binary: &str, timestamp: u64) -> Self {
        let mut process = Command::new(binary)
            .args(["--hardfork", "prague", "--port", "0", "--gas-limit", "30000000"])
            .args(["--timestamp", &timestamp.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = lines.find_map(|line| {
            line.unwrap().strip_prefix("Listening on ").map(|address| address.to_owned())
        });
        let endpoint = format!("http://{}", line.expect("anvil says where it listens"));
        Self { process, endpoint }
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The two chains side by side.
struct Pair {
    ours: Rpc,
    anvil: Rpc,
    payer: DevAccount,
}

impl Pair {
    /// A read-only call, which must give the same result, or the same revert data.
    async fn call(&self, method: &str, params: Value) -> Result<Value, Value> {
        let ours = self.ours.call(method, params.clone()).await;
        let anvil = self.anvil.call(method, params.clone()).await;
        let data = |error: &Value| (error["code"].clone(), error["data"].clone());
        assert_eq!(ours.as_ref().map_err(data), anvil.as_ref().map_err(data), "{method} {params}");
        ours
    }

    /// A transaction, whose receipts and gas estimates must agree. Prices are not
    /// compared: anvil keeps the genesis base fee for block 1, EIP-1559 lowers it.
    async fn send(&self, to: TxKind, input: impl Into<Bytes>) -> Value {
        let input = input.into();
        // Anvil gives blocks of one second the same time; what a token that keeps dated
        // votes costs depends on it.
        let latest = self.ours.ok("eth_getBlockByNumber", json!(["latest", false])).await;
        let timestamp = number(&latest["timestamp"]) + 12;
        self.ours.ok("evm_setNextBlockTimestamp", json!([timestamp])).await;
        self.anvil.ok("evm_setNextBlockTimestamp", json!([timestamp])).await;
        let request = json!({ "from": self.payer.address, "to": to.to(), "data": input });
        let ours = self.ours.call("eth_estimateGas", json!([request])).await;
        let anvil = self.anvil.call("eth_estimateGas", json!([request])).await;
        let estimates = match (ours, anvil) {
            (Ok(ours), Ok(anvil)) => Some((number(&ours), number(&anvil))),
            (Err(ours), Err(anvil)) => {
                assert_eq!(ours["data"], anvil["data"]);
                None
            }
            (ours, anvil) => panic!("estimates {ours:?} and {anvil:?} of {request}"),
        };
        let hash = self.ours.send(&self.payer, to, input.clone(), 8_000_000).await;
        assert_eq!(self.anvil.send(&self.payer, to, input, 8_000_000).await, hash);
        let (ours, anvil) =
            (self.ours.receipt(&hash).await, self.anvil.receipt_in_time(&hash).await);
        if let Some((estimate, of_anvil)) = estimates {
            let used = number(&ours["gasUsed"]);
            assert!(estimate >= used, "estimate {estimate}, used {used}: {request}");
            let near = estimate.abs_diff(of_anvil) <= of_anvil / 50;
            assert!(near, "estimates {estimate}, anvil {of_anvil}: {request}");
        }
        for field in [
            "type",
            "status",
            "gasUsed",
            "cumulativeGasUsed",
            "logsBloom",
            "contractAddress",
            "from",
            "to",
            "blockNumber",
            "transactionIndex",
        ] {
            assert_eq!(ours[field], anvil[field], "{field} of {ours} and {anvil}");
        }
        let logs = |receipt: &Value| -> Vec<Value> {
            let logs = receipt["logs"].as_array().unwrap();
            let part = |log: &Value| {
                let log = log.as_object().unwrap();
                let kept = [
                    "address",
                    "topics",
                    "data",
                    "logIndex",
                    "blockNumber",
                    "blockTimestamp",
                    "removed",
                ];
                kept.iter().map(|key| log[*key].clone()).collect()
            };
            logs.iter().map(part).collect()
        };
        assert_eq!(logs(&ours), logs(&anvil));
        self.compare_blocks().await;
        ours
    }

    /// The parts of the latest headers that depend on the transactions alone.
    async fn compare_blocks(&self) {
        let latest = json!(["latest", false]);
        let ours = self.ours.ok("eth_getBlockByNumber", latest.clone()).await;
        let anvil = self.anvil.ok("eth_getBlockByNumber", latest).await;
        for field in ["number", "transactionsRoot", "receiptsRoot", "logsBloom", "gasUsed"] {
            assert_eq!(ours[field], anvil[field], "{field}");
        }
        // Every field anvil shows is one we show, `size` and all.
        let missing: Vec<_> = anvil
            .as_object()
            .unwrap()
            .keys()
            .filter(|key| ours.get(*key).is_none() && *key != "totalDifficulty")
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}

#[tokio::test]
async fn the_same_flow_comes_out_as_on_anvil() {
    // Any difference would let code pass here and fail on a public network, or the reverse.
    #[allow(clippy::disallowed_methods, reason = "tells the test where the other chain is")]
    let Ok(binary) = std::env::var("WALRUS_ANVIL") else {
        eprintln!("skipped: WALRUS_ANVIL names no anvil binary");
        return;
    };
    let env = walrus_env::real::env();
    let genesis = env.clock.unix().as_secs() - 1000;
    let anvil = Anvil::start(&binary, genesis);
    let config = DevChainConfig {
        genesis_time: Some(genesis),
        empty_block_interval: None,
        ..DevChainConfig::default()
    };
    let chain = DevChain::start(&env, config).await.unwrap();
    let pair = Pair {
        ours: Rpc::new(&env, chain.endpoint()),
        anvil: Rpc::new(&env, anvil.endpoint.clone()),
        payer: chain.accounts()[0].clone(),
    };
    counter_and_refusals(&pair).await;
    precompiles(&pair).await;
    token(&pair).await;
    logs(&pair).await;
}

async fn counter_and_refusals(pair: &Pair) {
    pair.send(TxKind::Call(Address::repeat_byte(7)), vec![]).await;
    let receipt = pair.send(TxKind::Create, deployment(&COUNTER)).await;
    let counter: Address = serde_json::from_value(receipt["contractAddress"].clone()).unwrap();
    for _ in 0..3 {
        pair.send(TxKind::Call(counter), vec![]).await;
    }
    let receipt = pair.send(TxKind::Call(counter), hex!("1234").to_vec()).await;
    assert_eq!(receipt["status"], "0x0");
    let call = json!([{ "to": counter, "data": "0xdeadbeef01" }, "latest"]);
    assert_eq!(pair.call("eth_call", call).await.unwrap_err()["data"], "0xdeadbeef01");
    pair.call("eth_getStorageAt", json!([counter, "0x0", "latest"])).await.unwrap();
    pair.call("eth_getCode", json!([counter, "latest"])).await.unwrap();
    pair.call("eth_getTransactionCount", json!([pair.payer.address, "latest"])).await.unwrap();
    // Calldata floor, and a deployment that is too large.
    pair.send(TxKind::Call(Address::repeat_byte(7)), vec![1; 2000]).await;
    pair.send(TxKind::Create, hex!("6260015ff3").to_vec()).await;
    pair.send(TxKind::Create, hex!("626001" "015ff3").to_vec()).await;
}

async fn precompiles(pair: &Pair) {
    let receipt = pair.send(TxKind::Create, deployment(&FORWARDER)).await;
    let forwarder: Address = serde_json::from_value(receipt["contractAddress"].clone()).unwrap();
    let infinity_pairs = vec![0; 384 * 3];
    let blake = [&hex!("0000000c")[..], &[1; 64], &[2; 128], &[3; 16], &[1]].concat();
    for (address, input) in [
        (0x09, blake),
        (0x0b, vec![0; 256]),
        (0x0c, vec![0; 160 * 5]),
        (0x0d, vec![0; 512]),
        (0x0e, vec![0; 288 * 2]),
        (0x0f, infinity_pairs),
        (0x10, vec![0; 64]),
        (0x11, vec![0; 128]),
        (0x0b, vec![1; 256]),
    ] {
        let input = [&B256::with_last_byte(address)[..], &input].concat();
        let call = json!([{ "to": forwarder, "data": Bytes::from(input.clone()) }, "latest"]);
        let _ = pair.call("eth_call", call).await;
        pair.send(TxKind::Call(forwarder), input).await;
    }
}

/// The project's own token, from the committed artifact.
async fn token(pair: &Pair) {
    let artifact: Value =
        serde_json::from_str(include_str!("../../../contracts/artifacts/WAL.json")).unwrap();
    let code: Bytes = serde_json::from_value(artifact["bytecode"]["object"].clone()).unwrap();
    let word = |address: Address| address.into_word().to_vec();
    let input = |signature: &str, words: &[Vec<u8>]| {
        [keccak256(signature)[..4].to_vec(), words.concat()].concat()
    };
    let amount = |amount: u64| U256::from(amount).to_be_bytes_vec();
    let creation = [code.to_vec(), word(pair.payer.address)].concat();
    let receipt = pair.send(TxKind::Create, creation).await;
    assert_eq!(receipt["status"], "0x1");
    let token: Address = serde_json::from_value(receipt["contractAddress"].clone()).unwrap();
    let other = Address::repeat_byte(0x42);
    for (signature, words) in [
        ("delegate(address)", vec![word(pair.payer.address)]),
        ("transfer(address,uint256)", vec![word(other), amount(1_000_000_000)]),
        ("transfer(address,uint256)", vec![word(other), amount(1)]),
        ("approve(address,uint256)", vec![word(other), amount(5)]),
        ("approve(address,uint256)", vec![word(other), amount(0)]),
        ("burn(uint256)", vec![amount(7)]),
        ("transfer(address,uint256)", vec![word(other), amount(u64::MAX)]),
    ] {
        let receipt = pair.send(TxKind::Call(token), input(signature, &words)).await;
        let fails = words.last() == Some(&amount(u64::MAX));
        assert_eq!(receipt["status"], if fails { "0x0" } else { "0x1" });
    }
    let view = |data: Vec<u8>| json!([{ "to": token, "data": Bytes::from(data) }, "latest"]);
    for data in [
        input("balanceOf(address)", &[word(other)]),
        input("totalSupply()", &[]),
        input("transferFrom(address,address,uint256)", &[word(other), word(other), amount(1)]),
    ] {
        let _ = pair.call("eth_call", view(data)).await;
    }
}

async fn logs(pair: &Pair) {
    // Block hashes differ (randomness does); everything else of each log must not.
    let filter = json!([{ "fromBlock": "earliest", "toBlock": "latest" }]);
    let strip = |logs: Value| -> Vec<Value> {
        let mut logs = logs.as_array().unwrap().clone();
        for log in &mut logs {
            let log = log.as_object_mut().unwrap();
            log.remove("blockHash");
        }
        logs
    };
    let ours = strip(pair.ours.ok("eth_getLogs", filter.clone()).await);
    assert!(ours.len() > 5);
    assert_eq!(ours, strip(pair.anvil.ok("eth_getLogs", filter).await));
}
