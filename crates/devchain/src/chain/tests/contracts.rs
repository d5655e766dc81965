use alloy::primitives::hex;

use super::*;

#[test]
fn reverts_carry_their_data() {
    // Contract errors are decoded by name from this data.
    let mut bench = Bench::new();
    let counter = bench.deploy(&COUNTER);
    let call = json!([{ "to": counter, "data": "0x1234567890" }, "latest"]);
    for method in ["eth_call", "eth_estimateGas"] {
        let error = bench.rpc(method, call.clone()).unwrap_err();
        assert_eq!((error.code, error.data), (3, Some(json!("0x1234567890"))), "{method}");
    }
    // Error(string), as `require` makes it.
    let reason = "0x08c379a00000000000000000000000000000000000000000000000000000000000000020\
        00000000000000000000000000000000000000000000000000000000000000046e6f7065\
        00000000000000000000000000000000000000000000000000000000";
    let error = bench.rpc("eth_call", json!([{ "to": counter, "data": reason }])).unwrap_err();
    assert!(error.message.contains("nope"), "{}", error.message);

    let transaction = bench.transaction(TxKind::Call(counter), bytes!("00"));
    let hash = bench.send(transaction).unwrap();
    let receipt = bench.receipt(&hash);
    assert_eq!(receipt["status"], "0x0");
    assert_eq!(receipt["logs"], json!([]));
}

#[test]
fn an_estimate_is_enough_and_not_wasteful() {
    // An estimate below the need makes every transaction of a client fail.
    let mut bench = Bench::new();
    let counter = bench.deploy(&COUNTER);
    let from = bench.payer.address;
    for request in [
        json!({ "from": from, "to": counter }),
        json!({ "from": from, "data": deployment(&COUNTER) }),
        json!({ "from": from, "to": Address::repeat_byte(1), "value": "0x1" }),
    ] {
        let estimate = bench.ok("eth_estimateGas", json!([request]));
        let gas = u64::from_str_radix(&estimate.as_str().unwrap()[2..], 16).unwrap();
        let to = request.get("to").map(|to| serde_json::from_value(to.clone()).unwrap());
        let input: Bytes = request
            .get("data")
            .map(|data| serde_json::from_value(data.clone()).unwrap())
            .unwrap_or_default();
        let value = U256::from(u64::from(request.get("value").is_some()));
        let kind = to.map_or(TxKind::Create, TxKind::Call);
        let base = bench.transaction(kind, input);
        let hash = bench.send(TxEip1559 { gas_limit: gas, value, ..base }).unwrap();
        let receipt = bench.receipt(&hash);
        assert_eq!(receipt["status"], "0x1", "{request}");
        let used = u64::from_str_radix(&receipt["gasUsed"].as_str().unwrap()[2..], 16).unwrap();
        assert!(gas <= used + used / 50, "{gas} estimated, {used} used");
    }
}

#[test]
fn light_calls_pay_the_calldata_floor() {
    // EIP-7623; without it gas figures measured here would be too low for Prague.
    let mut bench = Bench::new();
    let to = TxKind::Call(Address::repeat_byte(9));
    let transaction = bench.transaction(to, vec![1; 1000]);
    let hash = bench.send(transaction).unwrap();
    assert_eq!(bench.receipt(&hash)["gasUsed"], json!(format!("{:#x}", 21_000 + 40 * 1000)));
}

#[test]
fn oversized_code_is_refused() {
    // EIP-170: a contract that deploys here must deploy on a public network.
    let mut bench = Bench::new();
    for (size, status) in [(24_576, "0x1"), (24_577, "0x0")] {
        // PUSH3 size PUSH0 RETURN: that many zero bytes become the code.
        let init = [&[0x62][..], &u32::to_be_bytes(size)[1..], &[0x5f, 0xf3]].concat();
        let base = bench.transaction(TxKind::Create, init);
        let hash = bench.send(TxEip1559 { gas_limit: 10_000_000, ..base }).unwrap();
        assert_eq!(bench.receipt(&hash)["status"], status, "{size}");
    }
}

#[test]
fn blake2f_gives_the_known_answer() {
    // The blob id is computed on chain with it (EIP-152, vector 5).
    let mut bench = Bench::new();
    let rounds = hex!("0000000c");
    let h = hex!(
        "48c9bdf267e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5"
        "d182e6ad7f520e511f6c3e2b8c68059b6bbd41fbabd9831f79217e1319cde05b"
    );
    let message = [&b"abc"[..], &[0; 125]].concat();
    let (counter, last) = ([&[3][..], &[0; 15]].concat(), [1]);
    let input = Bytes::from([&rounds[..], &h, &message, &counter, &last].concat());
    let output = bench.ok("eth_call", json!([{ "to": Address::with_last_byte(9), "data": input }]));
    assert_eq!(
        output,
        "0xba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1\
         7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"
    );
}

/// Coordinates of the BLS12-381 generators, and the negated y of the first.
const G1_X: &str = "17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb";
const G1_Y: &str = "08b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1";
const G1_NEGATED_Y: &str = "114d1d6855d545a8aa7d76c8cf2e21f267816aef1db507c96655b9d5caac42364e6f38ba0ecb751bad54dcd6b939c2ca";
const G2: [&str; 4] = [
    "024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8",
    "13e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e",
    "0ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608b82801",
    "0606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff05f79be",
];

fn elements(coordinates: &[&str]) -> Vec<u8> {
    coordinates.iter().flat_map(|c| [vec![0; 16], hex::decode(c).unwrap()].concat()).collect()
}

#[test]
fn bls_precompiles_give_known_answers() {
    // Certificates are verified by the pairing (EIP-2537); a missing precompile
    // answers nothing, which a careless contract takes for success.
    let mut bench = Bench::new();
    let mut call = |address: u8, data: Vec<u8>| {
        let request =
            json!([{ "to": Address::with_last_byte(address), "data": Bytes::from(data) }]);
        let output: Bytes = serde_json::from_value(bench.rpc("eth_call", request)?).unwrap();
        Ok::<_, RpcError>(output)
    };
    let (point, negated) = (elements(&[G1_X, G1_Y]), elements(&[G1_X, G1_NEGATED_Y]));
    let g2 = elements(&G2);

    let cancelled = call(0x0b, [&*point, &*negated].concat()).unwrap();
    assert_eq!(cancelled, vec![0; 128]);
    let one = U256::from(1).to_be_bytes::<32>();
    assert_eq!(call(0x0c, [&*point, &one].concat()).unwrap(), point);
    assert_eq!(call(0x0e, [&*g2, &one].concat()).unwrap(), g2);

    let balanced = [&*point, &*g2, &*negated, &*g2].concat();
    assert_eq!(call(0x0f, balanced).unwrap(), one.to_vec());
    let unbalanced = [&*point, &*g2, &*point, &*g2].concat();
    assert_eq!(call(0x0f, unbalanced).unwrap(), vec![0; 32]);

    for (address, length, answer) in [(0x0d, 512, 256), (0x10, 64, 128), (0x11, 128, 256)] {
        assert_eq!(call(address, vec![0; length]).unwrap().len(), answer, "{address:#x}");
    }
    let off_curve = call(0x0b, [vec![0; 127], vec![1; 129]].concat());
    assert!(off_curve.is_err());
}

#[test]
fn logs_are_found_by_every_kind_of_filter() {
    // The event stream of nodes lives on this method: a log missed is a blob missed.
    let mut bench = Bench::new();
    let first = bench.deploy(&COUNTER); // block 1
    let second = bench.deploy(&COUNTER); // block 2
    bench.count(first); // 3
    bench.count(second); // 4
    bench.count(first); // 5
    let topic = B256::with_last_byte(42);
    let other = B256::with_last_byte(43);
    let mut found = |filter: Value| -> Vec<(u64, Value)> {
        let logs = bench.ok("eth_getLogs", json!([filter]));
        let number = |log: &Value| {
            u64::from_str_radix(&log["blockNumber"].as_str().unwrap()[2..], 16).unwrap()
        };
        logs.as_array().unwrap().iter().map(|l| (number(l), l["data"].clone())).collect()
    };
    let numbers = |found: Vec<(u64, Value)>| found.into_iter().map(|f| f.0).collect::<Vec<_>>();
    let all = json!({ "fromBlock": "0x0", "toBlock": "latest" });
    let with = |key: &str, value: Value| {
        let mut filter = all.clone();
        filter[key] = value;
        filter
    };
    let logs = found(all.clone());
    assert_eq!(logs[2], (5, json!(B256::with_last_byte(2))), "data is the count");
    assert_eq!(numbers(logs), [3, 4, 5]);
    assert_eq!(numbers(found(with("address", json!(first)))), [3, 5]);
    assert_eq!(numbers(found(with("address", json!([first, second])))), [3, 4, 5]);
    assert_eq!(numbers(found(with("address", json!(Address::ZERO)))), [0; 0]);
    assert_eq!(numbers(found(with("topics", json!([topic])))), [3, 4, 5]);
    assert_eq!(numbers(found(with("topics", json!([[other, topic]])))), [3, 4, 5]);
    assert_eq!(numbers(found(with("topics", json!([other])))), [0; 0]);
    assert_eq!(numbers(found(with("topics", json!([null, topic])))), [0; 0]);
    assert_eq!(numbers(found(with("toBlock", json!("0x4")))), [3, 4]);
    assert_eq!(numbers(found(with("toBlock", json!("0xff")))), [3, 4, 5]);
    assert_eq!(numbers(found(json!({}))), [5], "the default is the latest block");
    let hash = bench.block(4)["hash"].clone();
    let logs = bench.ok("eth_getLogs", json!([{ "blockHash": hash }]));
    assert_eq!(logs[0]["address"], json!(second));
    assert_eq!(logs[0]["blockHash"], hash);
    assert_eq!((&logs[0]["logIndex"], &logs[0]["removed"]), (&json!("0x0"), &json!(false)));
}

#[test]
fn a_log_query_is_bounded() {
    // One query must not be able to read the whole chain.
    let mut bench = Bench::new();
    let range = |to: u64| json!([{ "fromBlock": "0x5", "toBlock": format!("{to:#x}") }]);
    assert_eq!(bench.ok("eth_getLogs", range(10_004)), json!([]));
    let error = bench.rpc("eth_getLogs", range(10_005)).unwrap_err();
    assert_eq!(error.code, -32005);
    let backwards = json!([{ "fromBlock": "0x2", "toBlock": "0x1" }]);
    assert_eq!(bench.rpc("eth_getLogs", backwards).unwrap_err().code, -32602);
}

#[test]
fn installed_filters_report_each_thing_once() {
    // A repeated or missed report would double or lose an event in a client.
    let mut bench = Bench::new();
    let counter = bench.deploy(&COUNTER);
    let logs = bench.ok("eth_newFilter", json!([{ "address": counter }]));
    let blocks = bench.ok("eth_newBlockFilter", json!([]));
    bench.count(counter);
    let changes = bench.ok("eth_getFilterChanges", json!([logs]));
    assert_eq!(changes.as_array().unwrap().len(), 1);
    assert_eq!(bench.ok("eth_getFilterChanges", json!([logs])), json!([]));
    let hash = bench.block(2)["hash"].clone();
    assert_eq!(bench.ok("eth_getFilterChanges", json!([blocks])), json!([hash]));

    // The logs of a block that leaves the chain are reported again, as removed.
    bench.chain.reorg(bench.now, 1, false).unwrap();
    let changes = bench.ok("eth_getFilterChanges", json!([logs]));
    assert_eq!(changes.as_array().unwrap().len(), 1);
    assert_eq!(changes[0]["removed"], true);
    assert_eq!(changes[0]["blockHash"], hash);
    assert_eq!(bench.ok("eth_uninstallFilter", json!([logs])), true);
    assert!(bench.rpc("eth_getFilterChanges", json!([logs])).is_err());
}
