//! Known answers: the conformance vectors and the examples of docs/protocol/encoding.md.

#![allow(clippy::unwrap_used)]

mod support;

use serde_json::Value;
use support::{content, list, number, params, pattern, sha256, text};
use walrus_redstuff::{
    Axis, BlobMetadata, BlobMetadataWithId, ConsistencyCheck, DataTooLarge, EncodedBlob, Encoder,
    GeneralRecoverySymbol, InconsistencyProof, Node, Primary, RecoverySymbol, Secondary, Sliver,
    SliverIndex, SliverPairIndex, SliverType, decode, engine, recover_sliver,
};

fn load(json: &str) -> Value {
    let value: Value = serde_json::from_str(json).unwrap();
    assert_eq!(number(&value["format"]), 1);
    value
}

fn redstuff() -> Value {
    load(include_str!("vectors/redstuff.json"))
}

/// If this failed, we would refuse blobs that fit or price storage differently.
#[test]
fn limits_and_encoded_lengths() {
    let vectors = redstuff();
    for limit in list(&vectors["limits"]) {
        let params = params(number(&limit["n_shards"]) as u16);
        assert_eq!(
            u64::from(params.primary_source_symbols()),
            number(&limit["primary_source_symbols"])
        );
        assert_eq!(
            u64::from(params.secondary_source_symbols()),
            number(&limit["secondary_source_symbols"])
        );
        let max = number(&limit["max_blob_size"]);
        assert_eq!(params.max_blob_size(), max);
        assert!(params.symbol_size(max).is_ok());
        assert!(matches!(params.symbol_size(max + 1), Err(DataTooLarge { .. })));
    }
    for entry in list(&vectors["encoded_lengths"]) {
        let params = params(number(&entry["n_shards"]) as u16);
        let length = params.encoded_blob_length(number(&entry["unencoded_length"]));
        assert_eq!(length.unwrap(), number(&entry["encoded_blob_length"]));
    }
}

/// If this failed, a blob of a small committee would not have the bytes or the name it has elsewhere.
#[test]
fn small_committees() {
    let cases = redstuff();
    let small = list(&cases["cases"]).iter().filter(|case| number(&case["n_shards"]) < 1000);
    assert_eq!(small.map(check_case).count(), 121);
}

/// The same with 1000 shards.
#[test]
fn thousand_shards() {
    let cases = redstuff();
    let large = list(&cases["cases"]).iter().filter(|case| number(&case["n_shards"]) == 1000);
    assert_eq!(large.map(check_case).count(), 12);
}

fn check_case(case: &Value) {
    let id = text(&case["id"]);
    let data = content(case);
    assert_eq!(sha256([&data]), text(&case["data_sha256"]), "{id}");
    let n_shards = number(&case["n_shards"]) as u16;
    let params = params(n_shards);
    let blob = Encoder::new(params).encode(&data).unwrap();
    let metadata = blob.metadata();

    assert_eq!(metadata.blob_id().to_string(), text(&case["blob_id"]), "{id}");
    assert_eq!(hex::encode(metadata.blob_id().as_bytes()), text(&case["blob_id_hex"]), "{id}");
    assert_eq!(metadata.blob_id().to_u256_decimal(), text(&case["blob_id_u256"]), "{id}");
    assert_eq!(metadata.root_hash().to_string(), text(&case["root_hash"]), "{id}");
    assert_eq!(u64::from(metadata.symbol_size().get()), number(&case["symbol_size"]), "{id}");
    let shard = SliverPairIndex(0).to_shard_index(n_shards, metadata.blob_id());
    assert_eq!(u64::from(shard.get()), number(&case["shard_index_of_pair_0"]), "{id}");
    let length = params.encoded_blob_length(data.len() as u64).unwrap();
    assert_eq!(length, number(&case["encoded_blob_length"]), "{id}");
    for (sliver_type, field) in [
        (SliverType::Primary, "primary_sliver_bytes"),
        (SliverType::Secondary, "secondary_sliver_bytes"),
    ] {
        let bytes = params.sliver_bytes(sliver_type, metadata.symbol_size());
        assert_eq!(bytes as u64, number(&case[field]), "{id}");
    }

    let bytes = metadata.to_bcs();
    assert_eq!(bytes.len() as u64, number(&case["metadata_bcs_len"]), "{id}");
    assert_eq!(sha256([&bytes]), text(&case["metadata_bcs_sha256"]), "{id}");
    assert_eq!(
        sha256([metadata.to_bcs_with_id()]),
        text(&case["metadata_with_id_bcs_sha256"]),
        "{id}"
    );
    if let Some(full) = case["metadata_bcs_hex"].as_str() {
        assert_eq!(hex::encode(&bytes), full, "{id}");
    }
    let parsed = BlobMetadata::from_bcs(&bytes, params).unwrap();
    assert_eq!(
        parsed.verify(params, metadata.blob_id()).unwrap().root_hash(),
        metadata.root_hash()
    );

    check_all::<Primary>(&blob, case, ["all_primary_sha256", "all_primary_bcs_sha256"]);
    check_all::<Secondary>(&blob, case, ["all_secondary_sha256", "all_secondary_bcs_sha256"]);
    for pair in list(&case["pairs"]) {
        check_sliver::<Primary>(&blob, pair);
        check_sliver::<Secondary>(&blob, pair);
    }
    let computed = Encoder::new(params).compute_metadata(&data).unwrap();
    assert_eq!(computed.blob_id(), metadata.blob_id(), "{id}");
}

fn check_all<A: Axis>(blob: &EncodedBlob, case: &Value, [raw, bcs]: [&str; 2]) {
    let slivers = || {
        (0..blob.metadata().params().n_shards()).map(|i| blob.sliver::<A>(SliverIndex(i)).unwrap())
    };
    assert_eq!(
        sha256(slivers().map(|sliver| sliver.data().to_vec())),
        text(&case[raw]),
        "{}",
        case["id"]
    );
    assert_eq!(sha256(slivers().map(|sliver| sliver.to_bcs())), text(&case[bcs]), "{}", case["id"]);
}

fn check_sliver<A: Axis>(blob: &EncodedBlob, pair: &Value) {
    let metadata = blob.metadata();
    let field = |suffix: &str| &pair[format!("{}_{suffix}", A::TYPE)];
    let pair_index = SliverPairIndex(number(&pair["pair"]) as u16);
    let index = pair_index.to_sliver_index(A::TYPE, metadata.params().n_shards());
    assert_eq!(u64::from(index.get()), number(field("index")));
    let sliver = blob.sliver::<A>(index).unwrap();
    assert_eq!(sha256([sliver.data()]), text(field("sha256")));
    let hash = metadata.sliver_hash(A::TYPE, index).unwrap();
    assert_eq!(hash.digest().to_string(), text(field("root")));
    assert_eq!(blob.pair(pair_index).unwrap().sliver(A::TYPE).data(), sliver.data());
    if let Some(full) = field("hex").as_str() {
        assert_eq!(hex::encode(sliver.data()), full);
        assert_eq!(hex::encode(sliver.to_bcs()), text(field("bcs_hex")));
    }
    let parsed = Sliver::<A>::from_bcs(&sliver.to_bcs(), metadata.params()).unwrap();
    assert_eq!(metadata.verify_sliver(parsed, index).unwrap(), sliver);
}

/// If this failed, symbols of ours would not heal slivers of others, or the other way round.
#[test]
fn symbols() {
    let vectors = load(include_str!("vectors/symbols.json"));
    for case in list(&vectors["blobs"]) {
        let data = content(case);
        let n_shards = number(&case["n_shards"]) as u16;
        let blob = Encoder::new(params(n_shards)).encode(&data).unwrap();
        assert_eq!(blob.metadata().blob_id().to_string(), text(&case["blob_id"]));
        assert_eq!(u64::from(blob.metadata().symbol_size().get()), number(&case["symbol_size"]));
        for symbol in list(&case["symbols"]) {
            match text(&symbol["target_type"]) {
                "primary" => check_symbol::<Primary>(&blob, symbol),
                "secondary" => check_symbol::<Secondary>(&blob, symbol),
                other => panic!("unknown sliver type {other}"),
            }
        }
    }
}

fn check_symbol<T: Axis>(blob: &EncodedBlob, expected: &Value) {
    let metadata = blob.metadata();
    let (params, symbol_size) = (metadata.params(), metadata.symbol_size());
    let pair = |field: &str| SliverPairIndex(number(&expected[field]) as u16);
    let source = pair("source_pair").to_sliver_index(T::TYPE.orthogonal(), params.n_shards());
    let target = pair("target_pair").to_sliver_index(T::TYPE, params.n_shards());
    assert_eq!(u64::from(source.get()), number(&expected["source_sliver_index"]));
    assert_eq!(u64::from(target.get()), number(&expected["target_sliver_index"]));

    let sliver = blob.sliver::<T::Orthogonal>(source).unwrap().into_sliver();
    let expanded = metadata.verify_and_expand(sliver, source).unwrap();
    let root = metadata.sliver_hash(T::TYPE.orthogonal(), source).unwrap();
    assert_eq!(root.digest().to_string(), text(&expected["source_sliver_root"]));
    let symbol_id = expanded.symbol_id(target);
    assert_eq!(symbol_id.to_string(), text(&expected["symbol_id_string"]));
    assert_eq!(u64::from(symbol_id.row.get()), number(&expected["symbol_id"]["primary"]));
    assert_eq!(u64::from(symbol_id.column.get()), number(&expected["symbol_id"]["secondary"]));
    assert_eq!(sha256([expanded.symbol(target).unwrap()]), text(&expected["symbol_sha256"]));

    let single: RecoverySymbol<T> = expanded.recovery_symbol(target).unwrap();
    let bytes = single.to_bcs();
    check_bytes(expected, "recovery_symbol", &bytes);
    assert_eq!(RecoverySymbol::from_bcs(&bytes, params, symbol_size).unwrap(), single);
    let verified = single.verify(metadata, target).unwrap();
    assert_eq!((verified.source(), verified.target()), (source, target));

    let general = expanded.general_symbol(target).unwrap();
    let bytes = general.to_bcs();
    check_bytes(expected, "general_recovery_symbol", &bytes);
    assert_eq!(GeneralRecoverySymbol::from_bcs(&bytes, params, symbol_size).unwrap(), general);
    assert_eq!(general.verify::<T>(metadata, target).unwrap(), verified);
}

fn check_bytes(expected: &Value, name: &str, bytes: &[u8]) {
    assert_eq!(bytes.len() as u64, number(&expected[format!("{name}_bcs_len")]));
    assert_eq!(sha256([bytes]), text(&expected[format!("{name}_bcs_sha256")]));
    if let Some(full) = expected[format!("{name}_bcs_hex")].as_str() {
        assert_eq!(hex::encode(bytes), full);
    }
}

/// If this failed, the table of section 9.1 would name other blobs.
#[test]
fn blob_ids() {
    let table = [
        (4, 0, 2, "CmzciFdWJP1IIM-rD3cqXlVBXYM0fpAfHahZBvkaZUI"),
        (4, 1, 2, "w_wlA7gVbVUqa-cq5TEhfYtd63KLQkNWGx3KIdI583o"),
        (4, 12345, 2058, "cn6wHVBzSZLBmw59_aLKpclpFZoJHJDCfWDBlIhvh3E"),
        (5, 31, 4, "CzFBFtGZKq_LgyHauoFv29y6T4_gMcY9ubwTiRFTqlo"),
        (6, 1000, 50, "YgIaKI3x-lVmkD85wu032k5zMSfybYGjgha0qVmFUbM"),
        (7, 0, 2, "MLmg-XjRbksCtNo63_AoaVrlezO27Rb9Zns8EUOn3E8"),
        (7, 1, 2, "nAfyp_-Pu3OcayPnXAvfMPP_ptWsRdB1hFRfTOJ92wQ"),
        (7, 30, 2, "yEm1tsAiXu2Xt5sC3QzlnNh8RCw5NhVgzdPjes7ifzc"),
        (7, 31, 4, "sJWej_x9CgCVinVYmg0r5G-joCqSLSj-7lJS1ljRye0"),
        (7, 12345, 824, "Yeo39sM-Y7TagIXcz_ZrIX1wvIQng2ZkzWk01pYiZYs"),
        (8, 61, 4, "eUlVbgQUnqBn8i6DIzc50DjPysuR7U-FH8JQyncQ2Z0"),
        (9, 60, 2, "cBqMuMAtR4q-MxBaYMBgXmLmVq3bOgNaoyt2bC7n6Vs"),
        (10, 0, 2, "gLzpD29smKZiYJIWwKatudKr76kEprQeMPyAhuMbWd4"),
        (10, 1, 2, "mYUeD0d1RdXCVppuL5ATgcwotqBu53x39BMqZ_VDPDM"),
        (10, 1000, 36, "2j50E8QeKNbE1f_ROUQ0YDQRAC6LGarQUHtPXaT1RfA"),
        (13, 12345, 276, "7bA4X7uiwpPzF1og3CdSbBQOaWVRvqvrfADX_iUArv4"),
        (16, 60, 2, "a-gQ6tltyDQflzkfGYUoWY1zIXfajCxAj9apDlrkuZY"),
        (17, 1000, 12, "qhfgn6tMV2DHP1v8L-mw9jrbvrGnI2bkcMfwWy-83X4"),
        (31, 12345, 54, "F1M1_WC263Dt-NZNwsIgeuBLSvC98j6Q1B-4v8kW_Cs"),
        (50, 1000, 2, "RmJWdgnAnDey8Ga38DcfWgNv9jSV51DwTcbkI3rLnOU"),
        (100, 0, 2, "XMGyLbTt3Qjk9Gw4RrffPcuU45d0SLiRWNdRESjISAE"),
        (100, 12345, 6, "c9yoAW2IZ4xVpfFZAsBQiRy5UjMi7P2PUSBBs1cg53w"),
        (1000, 0, 2, "3GPQL3HZNnFhN_F7l5Aa-X1VOtAKwIsg9zuWk8R81v4"),
        (1000, 1, 2, "EFslbSPdb3hnt0UT8SZMgYz2tMMkp2XoiSwBZJKp37Q"),
        (1000, 445556, 2, "XXOyJ-TKzXi1qDIntHghlMlNsfZwU3uOwnZQXm8RxHE"),
        (1000, 445557, 4, "jd6bQY9wjvCLLg3PafbeKsfzSSQ2C-A0FOZlriKU5DM"),
        (1000, 891112, 4, "46gh3JLog51r-6H1XNCCQa45AIchfTBfT01Gh2cJxd0"),
    ];
    let mut engine = engine::Fast::new();
    for (n_shards, length, symbol_bytes, id) in table {
        let encoder = Encoder::new(params(n_shards));
        let metadata = encoder.compute_metadata_with(&mut engine, &pattern(length)).unwrap();
        assert_eq!(metadata.symbol_size().get(), symbol_bytes, "n = {n_shards}, length {length}");
        assert_eq!(metadata.blob_id().to_string(), id, "n = {n_shards}, length {length}");
    }
    for (n_shards, text, id) in [
        (1000, "hello walrus", "kIrHJ_1VfYJD-OV0O1JicM2lB5swr83ZkfvTD7BWV0I"),
        (7, "walrus", "_QsPebyJuF84pu3dxbqg1U6TPIjnsDmu8HkHG_LMpyg"),
    ] {
        let metadata = Encoder::new(params(n_shards)).compute_metadata(text.as_bytes()).unwrap();
        assert_eq!(metadata.blob_id().to_string(), id);
    }
}

/// If this failed, trailing zeros would get lost: blobs that share all slivers must differ by their id.
#[test]
fn length_is_part_of_the_name() {
    let encoder = Encoder::new(params(7));
    let (short, long) =
        (encoder.compute_metadata(b"a").unwrap(), encoder.compute_metadata(b"a\0").unwrap());
    assert_eq!(short.root_hash(), long.root_hash());
    assert_ne!(short.blob_id(), long.blob_id());
    let empty = encoder.compute_metadata(b"").unwrap();
    let hashes = empty.hashes();
    assert!(hashes.iter().all(|pair| *pair == hashes[0] && pair.primary == pair.secondary));
}

/// The worked example, section 10.
fn example() -> EncodedBlob {
    Encoder::new(params(7)).encode(b"Walrus stores blob as slivers").unwrap()
}

/// If this failed, some step between the padded blob and the blob id would differ from the example's.
#[test]
fn worked_example_encodes() {
    let blob = example();
    let metadata = blob.metadata();
    let rows = [
        "57616c7275732073746f",
        "72657320626c6f622061",
        "7320736c697665727300",
        "7831dcd525960c9de1e6",
        "0f0795942d0f290758ee",
        "a4df6c1924aa7bae1c8b",
        "85cd4966525a7457828d",
    ];
    for (index, row) in rows.into_iter().enumerate() {
        let sliver = blob.sliver::<Primary>(SliverIndex(index as u16)).unwrap();
        assert_eq!(hex::encode(sliver.data()), row);
    }
    for (index, column) in [(0, "576172657320"), (5, "5805c48144e6"), (6, "4279e8ab3bae")] {
        let sliver = blob.sliver::<Secondary>(SliverIndex(index)).unwrap();
        assert_eq!(hex::encode(sliver.data()), column);
    }
    let pairs = [
        (
            "4816bececa5dae37b7abc085be8e08c32e5f2943529643c9a7ad8d2f3db03ca4",
            "1ba557be08fcfe2d64fc6bb50c4fcc24c7124f00010d2d9434079903dc085b8c",
        ),
        (
            "922e059dcdb5d384671e9b46c722f6424d49fbdc31103c7b1362060ab2ba5f23",
            "2293e907fc83620bf81644e582f7c15a4889cb2ecdccbeb9160d967b9bbc032d",
        ),
    ];
    for (pair, (primary, secondary)) in metadata.hashes().iter().zip(pairs) {
        assert_eq!(pair.primary.digest().to_string(), primary);
        assert_eq!(pair.secondary.digest().to_string(), secondary);
    }
    assert_eq!(
        metadata.root_hash().to_string(),
        "5be7a6335859eeabeeaac42a7bb200b0579a6b9d1b77ea5fd7f8c3abaa34b3b6"
    );
    assert_eq!(metadata.blob_id().to_string(), "9ftq-_DpIQADZwBLQn_rt7iE1yeyjI4IyN0f7vn_Loc");
    assert_eq!(
        metadata.blob_id().to_u256_decimal(),
        "61145276207143354290208489108408763392670085335489570169553891553370228587509"
    );
    let shards = [4, 5, 6, 0, 1, 2, 3];
    for (pair, shard) in (0..).zip(shards) {
        assert_eq!(SliverPairIndex(pair).to_shard_index(7, metadata.blob_id()).get(), shard);
    }
    let pair = blob.pair(SliverPairIndex(2)).unwrap();
    assert_eq!(hex::encode(pair.primary.to_bcs()), "0a7320736c69766572730002000200");
    assert_eq!(hex::encode(pair.secondary.to_bcs()), "06746f2061730002000400");
    let with_id = metadata.to_bcs_with_id();
    assert_eq!(with_id.len(), 505);
    assert!(hex::encode(&with_id[32..]).starts_with("00011d000000000000000701"));
    let parsed = BlobMetadataWithId::from_bcs(&with_id, metadata.params()).unwrap();
    assert_eq!(parsed.to_bcs(), with_id);
    parsed.verify(metadata.params(), metadata.blob_id()).unwrap();
}

/// If this failed, symbols and proofs would not be those of the example.
#[test]
fn worked_example_symbols() {
    let blob = example();
    let metadata = blob.metadata();
    let column = blob.sliver::<Secondary>(SliverIndex(5)).unwrap().into_sliver();
    let column = metadata.verify_and_expand(column, SliverIndex(5)).unwrap();
    let nodes = "01 49fbbf3f7cb7ac68bb9b203cbdf1a8c5f7920fa9afe9a4f31dd18a4712ddbd38
        01 e30cf4e2a74883c1dea139489406c08b7c8f64ea8195f84e604e81a4884b15d8
        01 3867f3d1c9e9f24005b446604c8c045f94d240743413ffcbf4ac2e04c3fafd4e"
        .replace(char::is_whitespace, "");
    let symbol = column.recovery_symbol(SliverIndex(4)).unwrap();
    assert_eq!(hex::encode(symbol.to_bcs()), format!("0500024be203{nodes}"));
    let general = column.general_symbol(SliverIndex(4)).unwrap();
    assert_eq!(hex::encode(general.to_bcs()), format!("000500024be2040003{nodes}"));
    assert_eq!(general.id().to_string(), "4-5");
    assert_eq!(general.proof_axis(), SliverType::Secondary);

    let row = blob.sliver::<Primary>(SliverIndex(1)).unwrap().into_sliver();
    let general = metadata.verify_and_expand(row, SliverIndex(1)).unwrap();
    let general = general.general_symbol(SliverIndex(2)).unwrap();
    let nodes = "01 e9a33b4d148e3bf81f80b8f861f741df51f29f0cd9d64fddcceab43d0f91d08a
        01 bc901626c79125583712f3e6e9157d68e5b47638f6223669cc6f2c3bc5e6a773
        01 df88e2a24bf4485a4cc59917d42ce8b8ff5caaa991a1c46a3433ce98eb0c72ca"
        .replace(char::is_whitespace, "");
    assert_eq!(hex::encode(general.to_bcs()), format!("01010002626c020003{nodes}"));
    assert_eq!(general.id().to_string(), "1-2");
    assert_eq!(general.proof_axis(), SliverType::Primary);
}

/// If this failed, the example's decoding, recovery and inconsistency proof (step 7) would not hold.
#[test]
fn worked_example_decodes_and_heals() {
    let blob = example();
    let metadata = blob.metadata();
    let expected = b"Walrus stores blob as slivers";
    let primary = (4..7).map(|i| blob.sliver::<Primary>(SliverIndex(i)).unwrap());
    assert_eq!(decode(metadata, primary, ConsistencyCheck::Strict).unwrap(), expected);
    for range in [2..7, 0..5] {
        let secondary = range.map(|i| blob.sliver::<Secondary>(SliverIndex(i)).unwrap());
        assert_eq!(decode(metadata, secondary, ConsistencyCheck::Strict).unwrap(), expected);
    }

    let target = SliverIndex(4);
    let symbols = || {
        [6, 5, 4, 1, 0].map(|i| {
            let column = blob.sliver::<Secondary>(SliverIndex(i)).unwrap().into_sliver();
            metadata
                .verify_and_expand(column, SliverIndex(i))
                .unwrap()
                .recovery_symbol(target)
                .unwrap()
        })
    };
    let verified = symbols().map(|symbol| symbol.verify(metadata, target).unwrap());
    let recovered = recover_sliver(metadata, target, verified).unwrap();
    assert_eq!(hex::encode(recovered.data()), "0f0795942d0f290758ee");

    let proof = InconsistencyProof::<Primary>::new(target, symbols().to_vec());
    assert!(hex::encode(proof.to_bcs()).starts_with("040005"));
    proof.verify(metadata).unwrap_err();
    let mut hashes = metadata.hashes().to_vec();
    hashes[4].primary = Node::Digest(walrus_redstuff::blake2b256(b"another sliver"));
    let altered = BlobMetadata::new(metadata.unencoded_length(), hashes);
    let id = altered.compute_blob_id();
    proof.verify(&altered.verify(metadata.params(), &id).unwrap()).unwrap();
}
