use super::*;

#[test]
fn a_reorg_replaces_blocks_and_restores_state() {
    // Event streams are tested against it: hashes must differ and state must follow.
    let mut bench = Bench::new();
    let counter = bench.deploy(&COUNTER);
    let hashes: Vec<_> = (0..3).map(|_| bench.count(counter)).collect();
    let before: Vec<_> = (1..=4).map(|number| bench.block(number)["hash"].clone()).collect();
    let slot = |bench: &mut Bench| bench.ok("eth_getStorageAt", json!([counter, "0x0"]));
    assert_eq!(slot(&mut bench), json!(B256::with_last_byte(3)));

    bench.chain.reorg(bench.now, 3, true).unwrap();
    let after: Vec<_> = (1..=4).map(|number| bench.block(number)["hash"].clone()).collect();
    assert_eq!(before[0], after[0]);
    assert!((1..4).all(|index| before[index] != after[index]));
    for hash in &hashes {
        assert_eq!(bench.receipt(hash)["blockNumber"], "0x2", "all in the first replacement");
    }
    assert_eq!(slot(&mut bench), json!(B256::with_last_byte(3)));
    assert_eq!(bench.ok("eth_getBlockByHash", json!([before[3], false])), Value::Null);

    assert_eq!(bench.ok("walrus_reorg", json!([3, false])), "0x4");
    assert!(hashes.iter().all(|hash| bench.receipt(hash).is_null()));
    assert_eq!(slot(&mut bench), json!(B256::ZERO));
    assert_eq!(bench.count(counter), hashes[0], "the nonce is free again");
    assert!(bench.rpc("walrus_reorg", json!([6])).unwrap_err().message.contains("at most 5"));
}

#[test]
fn blockhash_and_history_follow_a_reorg() {
    // A stale hash would let a proof about a dropped block pass.
    let mut bench = Bench::new();
    bench.ok("anvil_mine", json!([4]));
    bench.chain.reorg(bench.now, 2, true).unwrap();
    let hash = bench.block(3)["hash"].clone();
    // PUSH1 3 BLOCKHASH PUSH0 MSTORE PUSH1 32 PUSH0 RETURN
    let read = bench.ok("eth_call", json!([{ "data": "0x6003405f5260205ff3" }, "latest"]));
    assert_eq!(read, hash);
    let call = json!([{
        "to": "0x0000F90827F1C53a10cb7A02335B175320002935",
        "data": B256::with_last_byte(3),
    }]);
    assert_eq!(bench.ok("eth_call", call), hash);
}

#[test]
fn a_snapshot_is_returned_to_once() {
    // Test suites wrap each case in a snapshot.
    let mut bench = Bench::new();
    let counter = bench.deploy(&COUNTER);
    let hash = bench.block(1)["hash"].clone();
    let id = bench.ok("evm_snapshot", json!([]));
    bench.count(counter);
    bench.ok("evm_increaseTime", json!([500]));
    bench.count(counter);
    assert_eq!(bench.ok("evm_revert", json!([id])), true);
    assert_eq!(bench.ok("eth_getBlockByNumber", json!(["latest", false]))["hash"], hash);
    assert_eq!(bench.ok("eth_getStorageAt", json!([counter, "0x0"])), json!(B256::ZERO));
    assert_eq!(bench.ok("evm_revert", json!([id])), false);
    bench.ok("evm_mine", json!([]));
    let block = bench.block(2);
    assert_eq!(block["timestamp"], json!(format!("{:#x}", bench.now + 1)), "time is back too");
}

#[test]
fn blocks_too_old_to_undo_are_refused() {
    // The stored changes are bounded; going past them must fail whole, not halfway.
    let mut bench = Bench::new();
    bench.ok("anvil_mine", json!([260]));
    let error = bench.chain.reorg(bench.now, 257, true).unwrap_err();
    assert!(matches!(error, ChainError::TooDeep { depth: 257, available: 256 }), "{error}");
    assert_eq!(bench.chain.head_number(), 260);
    bench.chain.reorg(bench.now, 256, true).unwrap();
    assert_eq!(bench.chain.head_number(), 260);
}
