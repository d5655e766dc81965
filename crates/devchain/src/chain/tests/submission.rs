use alloy::{
    consensus::{TxEip2930, TxLegacy},
    primitives::U64,
};

use super::*;

fn interval() -> ChainConfig {
    ChainConfig { mine_on_transaction: false, ..config() }
}

fn refused(bench: &mut Bench, transaction: TxEip1559) -> String {
    bench.send(transaction).unwrap_err().message
}

fn nonce(bench: &mut Bench, tag: &str) -> u64 {
    let nonce = bench.ok("eth_getTransactionCount", json!([bench.payer.address, tag]));
    serde_json::from_value::<U64>(nonce).unwrap().to()
}

#[test]
fn each_refusal_names_its_reason() {
    // Clients recognise these words; a wrong one sends the user to the wrong remedy.
    let mut bench = Bench::new();
    let good = bench.transfer();
    let sent = bench.send(good.clone()).unwrap();
    assert!(refused(&mut bench, good.clone()).contains("already known"));
    let other = TxEip1559 { value: U256::from(6), ..good.clone() };
    assert_eq!(refused(&mut bench, other), "nonce too low: next nonce 1, tx nonce 0");

    let next = TxEip1559 { nonce: 1, ..good };
    for (transaction, words) in [
        (TxEip1559 { value: DEV_BALANCE, ..next.clone() }, "insufficient funds"),
        (
            TxEip1559 { max_fee_per_gas: 1, max_priority_fee_per_gas: 0, ..next.clone() },
            "max fee per gas less than block base fee",
        ),
        (
            TxEip1559 { max_priority_fee_per_gas: 20_000_000_000, ..next.clone() },
            "max priority fee per gas higher than max fee per gas",
        ),
        (
            TxEip1559 { chain_id: 1, ..next.clone() },
            "invalid chain id for signer: have 1 want 31337",
        ),
        (TxEip1559 { gas_limit: 20_999, ..next.clone() }, "intrinsic gas too low"),
        (TxEip1559 { gas_limit: 30_000_001, ..next.clone() }, "exceeds block gas limit"),
        (TxEip1559 { input: vec![0; 128 << 10].into(), ..next.clone() }, "oversized data"),
        (
            TxEip1559 { to: TxKind::Create, input: vec![0; 49_153].into(), ..next.clone() },
            "max initcode size exceeded",
        ),
    ] {
        let message = refused(&mut bench, transaction);
        assert!(message.contains(words), "{message} should say {words}");
    }
    assert_eq!(bench.rpc("eth_sendRawTransaction", json!(["0x02c0"])).unwrap_err().code, -32602);
    assert_eq!(bench.chain.head_number(), 1, "nothing refused was mined");
    assert_ne!(bench.send(next).unwrap(), sent);
}

#[test]
fn all_three_types_of_transactions_are_mined() {
    // Wallets send legacy and access-list transactions too.
    let mut bench = Bench::new();
    let to = TxKind::Call(Address::repeat_byte(0x77));
    let (gas_limit, gas_price) = (30_000, 5_000_000_000);
    let legacy = TxLegacy {
        chain_id: Some(31_337),
        nonce: 0,
        gas_price,
        gas_limit,
        to,
        value: U256::from(1),
        input: bytes!(),
    };
    let listed = TxEip2930 {
        chain_id: 31_337,
        nonce: 1,
        gas_price,
        gas_limit,
        to,
        value: U256::from(1),
        access_list: Default::default(),
        input: bytes!(),
    };
    for (expected, raw) in
        [("0x0", sign(&bench.payer, legacy)), ("0x1", sign(&bench.payer, listed))]
    {
        let hash = bench.ok("eth_sendRawTransaction", json!([raw]));
        let receipt = bench.ok("eth_getTransactionReceipt", json!([hash]));
        assert_eq!((&receipt["type"], &receipt["status"]), (&json!(expected), &json!("0x1")));
    }
    let hash = bench.send(bench.transfer()).unwrap();
    assert_eq!(bench.receipt(&hash)["type"], "0x2");
}

#[test]
fn a_gap_in_nonces_waits_until_it_is_filled() {
    // A client that sends in parallel must not lose what arrives early.
    let mut bench = Bench::new();
    let good = bench.transfer();
    let late = bench.send(TxEip1559 { nonce: 2, ..good.clone() }).unwrap();
    bench.send(TxEip1559 { nonce: 1, ..good.clone() }).unwrap();
    assert_eq!(bench.chain.head_number(), 0);
    assert_eq!(nonce(&mut bench, "pending"), 0);
    assert_eq!(bench.ok("eth_getTransactionByHash", json!([late]))["blockHash"], Value::Null);
    assert_eq!(bench.receipt(&late), Value::Null);
    bench.send(good).unwrap();
    assert_eq!(bench.chain.head_number(), 3, "a block for each");
    assert_eq!(nonce(&mut bench, "latest"), 3);
    assert_eq!(bench.receipt(&late)["blockNumber"], "0x3");
}

#[test]
fn interval_mining_takes_what_waits_in_order() {
    // Transactions of one sender out of order would invalidate each other.
    let mut bench = Bench::with(interval());
    let good = bench.transfer();
    let hashes: Vec<_> = [1, 0, 2]
        .map(|nonce| bench.send(TxEip1559 { nonce, ..good.clone() }).unwrap())
        .into_iter()
        .collect();
    assert_eq!(nonce(&mut bench, "pending"), 3);
    assert_eq!(nonce(&mut bench, "latest"), 0);
    assert!(refused(&mut bench, good).contains("already known"));
    bench.chain.mine(bench.now).unwrap();
    let block = bench.ok("eth_getBlockByNumber", json!(["0x1", false]));
    assert_eq!(block["transactions"], json!([hashes[1], hashes[0], hashes[2]]));
}

#[test]
fn a_waiting_transaction_is_replaced_for_a_better_price_only() {
    // Without the bump anyone could churn the pool for free.
    let mut bench = Bench::with(interval());
    let good = bench.transfer();
    bench.send(good.clone()).unwrap();
    let same = TxEip1559 { value: U256::from(9), ..good.clone() };
    assert_eq!(refused(&mut bench, same.clone()), "replacement transaction underpriced");
    let better = TxEip1559 {
        max_fee_per_gas: 11_000_000_000,
        max_priority_fee_per_gas: 1_100_000_000,
        ..same
    };
    let better = bench.send(better).unwrap();
    bench.chain.mine(bench.now).unwrap();
    assert_eq!(bench.receipt(&better)["status"], "0x1");
    assert_eq!(bench.block(1)["transactions"].as_array().unwrap().len(), 1);
}

#[test]
fn the_pool_is_bounded() {
    // Nonce gaps must not fill memory.
    let mut bench = Bench::with(interval());
    let good = bench.transfer();
    for nonce in 1..=512 {
        bench.send(TxEip1559 { nonce, ..good.clone() }).unwrap();
    }
    let message = refused(&mut bench, TxEip1559 { nonce: 513, ..good });
    assert!(message.contains("txpool is full"), "{message}");
}

#[test]
fn state_of_other_blocks_is_refused_not_guessed() {
    // An answer from the head for a question about the past would be a silent lie.
    let mut bench = Bench::new();
    bench.send(bench.transfer()).unwrap();
    bench.send(bench.transfer()).unwrap();
    let payer = bench.payer.address;
    for tag in ["latest", "pending", "safe", "finalized", "0x2"] {
        bench.ok("eth_getBalance", json!([payer, tag]));
    }
    let hash = bench.block(2)["hash"].clone();
    bench.ok("eth_call", json!([{ "to": payer }, { "blockHash": hash }]));
    for tag in ["earliest", "0x1"] {
        let error = bench.rpc("eth_getBalance", json!([payer, tag])).unwrap_err();
        assert!(error.message.contains("historical state is not available"), "{error}");
    }
    let error = bench.rpc("eth_getBalance", json!([payer, "0x3"])).unwrap_err();
    assert!(error.message.contains("header not found"), "{error}");
    assert_eq!(bench.rpc("eth_unheardOf", json!([])).unwrap_err().code, -32601);
    assert_eq!(bench.rpc("eth_getBalance", json!(["0x12"])).unwrap_err().code, -32602);
}
