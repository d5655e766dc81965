use alloy::{
    consensus::{Header, proofs::calculate_receipt_root},
    rpc::types::{Block, TransactionReceipt},
};

use super::*;

#[test]
fn a_transfer_moves_value_and_pays_gas() {
    // Wrong balances would make every payment on the local network wrong.
    let mut bench = Bench::new();
    let hash = bench.send(bench.transfer()).unwrap();
    let receipt = bench.receipt(&hash);
    assert_eq!(receipt["status"], "0x1");
    assert_eq!(receipt["gasUsed"], "0x5208");
    assert_eq!(receipt["blockNumber"], "0x1");
    let to = Address::repeat_byte(0x77);
    assert_eq!(bench.ok("eth_getBalance", json!([to, "latest"])), "0x5");
    let price: u64 = 1_000_000_000 + 875_000_000; // tip, and base fee after an empty block
    assert_eq!(receipt["effectiveGasPrice"], json!(format!("{price:#x}")));
    let left = DEV_BALANCE - U256::from(5) - U256::from(21_000 * price);
    assert_eq!(bench.ok("eth_getBalance", json!([bench.payer.address])), json!(left));
    assert_eq!(bench.ok("eth_getTransactionByHash", json!([hash]))["blockNumber"], "0x1");
}

#[test]
fn the_hash_of_a_header_is_the_hash_of_its_fields() {
    // On-chain randomness proofs hash the header's RLP; a hash from elsewhere would never match.
    let mut bench = Bench::new();
    let counter = bench.deploy(&COUNTER);
    bench.count(counter);
    let mut parent = B256::ZERO;
    for number in 0..=2 {
        let block: Block = serde_json::from_value(bench.block(number)).unwrap();
        let header: Header = block.header.inner.clone();
        assert_eq!(header.hash_slow(), block.header.hash);
        let encoded = alloy_rlp::encode(&header);
        let fields = alloy_rlp::Header::decode_raw(&mut &*encoded).unwrap();
        assert!(matches!(fields, alloy_rlp::PayloadView::List(fields) if fields.len() == 21));
        assert_eq!(header.parent_hash, parent);
        parent = block.header.hash;

        // Roots and bloom are those of the block's contents, as served.
        let transactions: Vec<_> =
            block.transactions.txns().map(|t| t.inner.inner().clone()).collect();
        let root = alloy::consensus::proofs::calculate_transaction_root(&transactions);
        assert_eq!(header.transactions_root, root);
        let receipts = bench.ok("eth_getBlockReceipts", json!([format!("{number:#x}")]));
        let receipts: Vec<TransactionReceipt> = serde_json::from_value(receipts).unwrap();
        let receipts: Vec<_> =
            receipts.into_iter().map(|r| r.inner.into_primitives_receipt()).collect();
        assert_eq!(header.receipts_root, calculate_receipt_root(&receipts));
        let bloom =
            receipts.iter().fold(alloy::primitives::Bloom::ZERO, |b, r| b | *r.logs_bloom());
        assert_eq!(header.logs_bloom, bloom);
        assert_eq!(bloom.is_zero(), number != 2);
    }
}

#[test]
fn randomness_is_fresh_and_what_contracts_read() {
    // A constant PREVRANDAO would make every challenge seed predictable and equal.
    let mut bench = Bench::new();
    let mut seen = std::collections::BTreeSet::new();
    for number in 1..=5 {
        bench.chain.mine(bench.now).unwrap();
        let mix = bench.block(number)["mixHash"].as_str().unwrap().to_owned();
        let read = bench.ok("eth_call", json!([{ "data": "0x445f5260205ff3" }, "latest"]));
        assert_eq!(read.as_str().unwrap(), mix);
        assert!(seen.insert(mix));
    }
}

#[test]
fn the_history_contract_knows_past_blocks() {
    // Storage challenges read old block hashes there (EIP-2935).
    let mut bench = Bench::new();
    for _ in 0..5 {
        bench.chain.mine(bench.now).unwrap();
    }
    let history = "0x0000F90827F1C53a10cb7A02335B175320002935";
    for number in 0..5 {
        let hash = bench.block(number)["hash"].clone();
        let data = B256::from(U256::from(number));
        let call = json!([{ "to": history, "data": data }, "latest"]);
        assert_eq!(bench.ok("eth_call", call), hash);
    }
    let future = B256::from(U256::from(6));
    let refused = bench.rpc("eth_call", json!([{ "to": history, "data": future }]));
    assert_eq!(refused.unwrap_err().code, 3);
}

#[test]
fn same_seed_and_calls_give_same_blocks() {
    // Replaying a simulation from its seed relies on it.
    let run = |seed: u8| {
        let mut bench = Bench::with(ChainConfig { seed: [seed; 32], ..config() });
        let counter = bench.deploy(&COUNTER);
        bench.count(counter);
        bench.block(2)
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1)["hash"], run(2)["hash"]);
}

#[test]
fn time_moves_with_the_clock_and_on_request() {
    // Epochs are measured in block time; it must never stand still or go back.
    let mut bench = Bench::new();
    let timestamp = |bench: &mut Bench| {
        let block = bench.ok("eth_getBlockByNumber", json!(["latest", false]));
        u64::from_str_radix(&block["timestamp"].as_str().unwrap()[2..], 16).unwrap()
    };
    bench.ok("evm_mine", json!([]));
    assert_eq!(timestamp(&mut bench), bench.now);
    bench.ok("evm_mine", json!([]));
    assert_eq!(timestamp(&mut bench), bench.now + 1, "a block is later than its parent");
    bench.ok("evm_increaseTime", json!([1000]));
    bench.ok("evm_mine", json!([]));
    assert_eq!(timestamp(&mut bench), bench.now + 1000);
    bench.ok("evm_setNextBlockTimestamp", json!([GENESIS + 5000]));
    bench.ok("evm_mine", json!([]));
    assert_eq!(timestamp(&mut bench), GENESIS + 5000);
    bench.now += 7;
    bench.ok("evm_mine", json!([]));
    assert_eq!(timestamp(&mut bench), GENESIS + 5007, "later blocks follow on");
    let back = bench.rpc("evm_mine", json!([GENESIS]));
    assert!(back.unwrap_err().message.contains("is not after"));
    bench.ok("anvil_mine", json!(["0x3", "0xa"]));
    assert_eq!(bench.ok("eth_blockNumber", json!([])), "0x8");
}

#[test]
fn base_fee_follows_the_load() {
    // Clients compute fees from it (EIP-1559).
    let mut bench = Bench::with(ChainConfig { gas_limit: 60_000, ..config() });
    bench.send(bench.transfer()).unwrap();
    let history = bench.ok("eth_feeHistory", json!(["0x2", "latest", [50.0]]));
    assert_eq!(history["oldestBlock"], "0x0");
    // 875,000,000 with 21,000 of 30,000 target gas: an eighth of 30 percent less.
    assert_eq!(history["baseFeePerGas"], json!(["0x3b9aca00", "0x342770c0", "0x3232c2ec"]));
    assert_eq!(history["gasUsedRatio"], json!([0.0, 0.35]));
    assert_eq!(history["reward"], json!([["0x0"], ["0x3b9aca00"]]));
}
