//! What holds for every blob, every allowed loss and every bytes from outside.

#![allow(clippy::unwrap_used)]

mod support;

use std::fmt::Debug;

use proptest::collection::vec;
use proptest::prelude::*;
use support::{choose, encoded, params, xorshift64};
use walrus_redstuff::engine::{Code, Engine, Fast, Plain};
use walrus_redstuff::{
    AnyInconsistencyProof, Axis, BlobMetadata, BlobMetadataWithId, ConsistencyCheck,
    EitherDecodingSymbol, EitherRecoverySymbol, EncodedBlob, Encoder, GeneralRecoverySymbol,
    InconsistencyProof, MerkleProof, Primary, RecoverySymbol, RecoverySymbolPair, Secondary,
    Sliver, SliverIndex, SliverType, SymbolSize, decode, decode_with, decoding_symbols_from_bcs,
    decoding_symbols_to_bcs, recover_sliver, recover_sliver_unproven,
};

const CHECKS: [ConsistencyCheck; 3] =
    [ConsistencyCheck::Skip, ConsistencyCheck::Default, ConsistencyCheck::Strict];

fn slivers<A: Axis>(
    blob: &EncodedBlob,
    indices: &[u16],
) -> impl Iterator<Item = walrus_redstuff::VerifiedSliver<A>> {
    indices.iter().map(|index| blob.sliver::<A>(SliverIndex(*index)).unwrap())
}

fn decodes_from<A: Axis>(data: &[u8], blob: &EncodedBlob, seed: u64) {
    let params = blob.metadata().params();
    let needed = usize::from(params.source_symbols(A::TYPE));
    let chosen = choose(params.n_shards(), needed, seed);
    for check in CHECKS {
        let decoded = decode(blob.metadata(), slivers::<A>(blob, &chosen), check).unwrap();
        assert!(decoded == data, "n = {}, {chosen:?}, {check:?}", params.n_shards());
    }
}

fn heals<A: Axis>(blob: &EncodedBlob, seed: u64) {
    let metadata = blob.metadata();
    let params = metadata.params();
    let target = SliverIndex((seed % u64::from(params.n_shards())) as u16);
    let needed = usize::from(params.symbols_per_sliver(A::TYPE));
    let sources = choose(params.n_shards(), needed, seed);
    let expanded: Vec<_> = slivers::<A::Orthogonal>(blob, &sources)
        .map(|sliver| {
            metadata.verify_and_expand(sliver.clone().into_sliver(), sliver.index()).unwrap()
        })
        .collect();
    let expected = blob.sliver::<A>(target).unwrap();
    let proven = expanded.iter().map(|source| {
        let general = source.general_symbol(target).unwrap();
        general.verify::<A>(metadata, target).unwrap()
    });
    assert_eq!(recover_sliver(metadata, target, proven).unwrap(), expected);
    let unproven = expanded.iter().map(|source| source.decoding_symbol(target).unwrap());
    assert_eq!(recover_sliver_unproven(metadata, target, unproven).unwrap(), expected);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// If this failed, a blob would be lost although enough slivers are left.
    #[test]
    fn any_allowed_loss_is_survived(n in 4_u16..70, length in 0_usize..20_000, seed: u64) {
        let (data, blob) = encoded(n, length);
        decodes_from::<Primary>(&data, &blob, seed);
        decodes_from::<Secondary>(&data, &blob, seed);
    }

    /// If this failed, a sliver would be lost, or come back different, although enough others are left.
    #[test]
    fn any_quorum_heals_the_same_sliver(n in 4_u16..50, length in 0_usize..10_000, seed: u64) {
        let (_, blob) = encoded(n, length);
        heals::<Primary>(&blob, seed);
        heals::<Secondary>(&blob, seed);
    }

    /// If this failed, the engine in use would compute another code than the plain one, or other
    /// metadata: whole encodings and decodings.
    #[test]
    fn whole_blobs_are_equal_in_both_engines(n in 4_u16..40, length in 0_usize..4_000, seed: u64) {
        let (data, fast) = encoded(n, length);
        let mut plain = Plain::new();
        let slow = Encoder::new(params(n)).encode_with(&mut plain, &data).unwrap();
        prop_assert_eq!(slow.metadata().to_bcs_with_id(), fast.metadata().to_bcs_with_id());
        for pair in (0..n).map(walrus_redstuff::SliverPairIndex) {
            prop_assert_eq!(slow.pair(pair), fast.pair(pair));
        }
        let chosen = choose(n, usize::from(params(n).primary_source_symbols()), seed);
        let decoded =
            decode_with(&mut plain, fast.metadata(), slivers::<Primary>(&slow, &chosen), ConsistencyCheck::Strict);
        prop_assert!(decoded.unwrap() == data);
    }
}

/// If this failed, losing whole blocks of slivers (all systematic ones, every other one) would lose
/// the blob at the committee size in use.
#[test]
fn thousand_shards_survive_loss() {
    let (data, blob) = encoded(1000, 300_000);
    let metadata = blob.metadata();
    let last: Vec<u16> = (666..1000).collect();
    let decoded = decode(metadata, slivers::<Primary>(&blob, &last), ConsistencyCheck::Default);
    assert!(decoded.unwrap() == data);
    let last: Vec<u16> = (333..1000).rev().collect();
    let decoded = decode(metadata, slivers::<Secondary>(&blob, &last), ConsistencyCheck::Strict);
    assert!(decoded.unwrap() == data);
    heals::<Primary>(&blob, 999);
    heals::<Secondary>(&blob, 500);
}

/// If this failed, batching would mix up codewords at some symbol size, or restore other symbols.
#[test]
fn engines_agree_at_every_symbol_size() {
    let (mut fast, mut plain) = (Fast::new(), Plain::new());
    let sizes =
        (2..=200).step_by(2).chain([254, 256, 258, 510, 512, 514, 1022, 2050, 8190, 8192, 8194]);
    let codes = [(2, 2), (3, 1), (3, 4), (5, 2), (4, 6), (7, 3), (17, 15), (16, 16), (11, 20)];
    for (symbol_bytes, (source, repair)) in sizes.flat_map(|z| codes.map(|code| (z, code))) {
        let code = Code { source, repair };
        // One codeword more than go through a call together, as far as that is quick.
        let lanes = (520 / symbol_bytes).clamp(2, 40);
        let stride = code.length() * symbol_bytes;
        let mut words = xorshift64(symbol_bytes as u64, lanes * stride);
        let mut expected = words.clone();
        fast.extend(code, symbol_bytes, &mut words);
        plain.extend(code, symbol_bytes, &mut expected);
        assert!(words == expected, "extend {code:?} at {symbol_bytes}");

        let positions = choose(code.length() as u16, source, symbol_bytes as u64);
        let (mut known, mut sources) = (Vec::new(), Vec::new());
        for word in words.chunks_exact(stride) {
            for position in &positions {
                known.extend_from_slice(
                    &word[usize::from(*position) * symbol_bytes..][..symbol_bytes],
                );
            }
            sources.extend_from_slice(&word[..source * symbol_bytes]);
        }
        let (mut by_fast, mut by_plain) = (vec![0; known.len()], vec![0; known.len()]);
        fast.restore(code, symbol_bytes, &positions, &known, &mut by_fast);
        plain.restore(code, symbol_bytes, &positions, &known, &mut by_plain);
        assert!(by_fast == sources, "restore {code:?} at {symbol_bytes} from {positions:?}");
        assert!(by_plain == sources, "plain restore {code:?} at {symbol_bytes}");
    }
}

/// If this failed, a sliver would extend differently under the codes of 1000 shards.
#[test]
fn engines_agree_on_the_large_codes() {
    let (mut fast, mut plain) = (Fast::new(), Plain::new());
    for (source, repair) in [(334, 666), (667, 333), (101, 200), (201, 100)] {
        let code = Code { source, repair };
        for symbol_bytes in [2, 6, 66] {
            let mut words = xorshift64(source as u64, 3 * code.length() * symbol_bytes);
            let mut expected = words.clone();
            fast.extend(code, symbol_bytes, &mut words);
            plain.extend(code, symbol_bytes, &mut expected);
            assert!(words == expected, "{code:?} at {symbol_bytes}");
        }
    }
}

/// If this failed, several hashes at a time, runs of equal messages or the table of short leaves would
/// give wrong digests.
#[test]
fn engines_agree_on_hashes() {
    let (mut fast, mut plain) = (Fast::new(), Plain::new());
    let lengths = [1, 2, 4, 63, 64, 126, 127, 128, 129, 255, 256, 1000, 4096];
    for (bytes, count) in
        lengths.into_iter().flat_map(|bytes| [0, 1, 15, 16, 17, 70].map(|n| (bytes, n)))
    {
        let mut messages = xorshift64(bytes as u64, bytes * count);
        // Runs of equal messages, within a batch and across two.
        let run = 3 * bytes..(40 * bytes).min(messages.len());
        if count > 15 {
            messages[run].fill(7);
        }
        for prefix in [0, 1] {
            let (mut by_fast, mut by_plain) = (vec![[0; 32]; count], vec![[0; 32]; count]);
            fast.hash_many(prefix, bytes, &messages, &mut by_fast);
            plain.hash_many(prefix, bytes, &messages, &mut by_plain);
            assert_eq!(by_fast, by_plain, "{count} messages of {bytes} bytes");
        }
    }
    // Enough two-byte leaves that the table is built.
    let messages = xorshift64(2, 200_000);
    let (mut by_fast, mut by_plain) = (vec![[0; 32]; 100_000], vec![[0; 32]; 100_000]);
    fast.hash_many(0, 2, &messages, &mut by_fast);
    plain.hash_many(0, 2, &messages, &mut by_plain);
    assert_eq!(by_fast, by_plain);
}

/// One valid form of everything that is parsed, by its name, and what parsing and writing it again
/// gives.
type Form = (&'static str, Vec<u8>, fn(&[u8]) -> Result<Vec<u8>, String>);

const N: u16 = 7;

fn size() -> SymbolSize {
    SymbolSize::new(4).unwrap()
}

fn text<T, E: Debug>(result: Result<T, E>) -> Result<T, String> {
    result.map_err(|error| format!("{error:?}"))
}

fn forms() -> Vec<Form> {
    // 50 bytes at seven shards: symbols of four bytes.
    let (_, blob) = encoded(N, 50);
    let metadata = blob.metadata();
    assert_eq!(metadata.symbol_size(), size());
    let (target, source) = (SliverIndex(6), SliverIndex(2));
    let row = blob.sliver::<Primary>(source).unwrap().into_sliver();
    let row = metadata.verify_and_expand(row, source).unwrap();
    let column = blob.sliver::<Secondary>(source).unwrap().into_sliver();
    let column = metadata.verify_and_expand(column, source).unwrap();
    let general = vec![row.general_symbol(target).unwrap(), column.general_symbol(target).unwrap()];
    let pair = RecoverySymbolPair {
        primary: column.recovery_symbol(target).unwrap(),
        secondary: row.recovery_symbol(target).unwrap(),
    };
    let either: EitherDecodingSymbol = column.decoding_symbol(target).unwrap().into();
    let map = [(1, vec![either.clone()]), (256, vec![either.clone(), either.clone()])];
    let map = map.map(|(target, list)| (SliverIndex(target), list)).into();
    let proof = InconsistencyProof::new(target, vec![row.recovery_symbol(target).unwrap(); 3]);
    vec![
        ("primary sliver", row.sliver().to_bcs(), |bytes| {
            text(Sliver::<Primary>::from_bcs(bytes, params(N))).map(|it| it.to_bcs())
        }),
        ("secondary sliver", column.sliver().to_bcs(), |bytes| {
            text(Sliver::<Secondary>::from_bcs(bytes, params(N))).map(|it| it.to_bcs())
        }),
        ("metadata", metadata.to_bcs(), |bytes| {
            text(BlobMetadata::from_bcs(bytes, params(N))).map(|it| it.to_bcs())
        }),
        ("metadata with id", metadata.to_bcs_with_id(), |bytes| {
            text(BlobMetadataWithId::from_bcs(bytes, params(N))).map(|it| it.to_bcs())
        }),
        ("Merkle proof", row.proof(target).unwrap().to_bcs(), |bytes| {
            text(MerkleProof::from_bcs(bytes, 3)).map(|it| it.to_bcs())
        }),
        ("recovery symbol", pair.primary.to_bcs(), |bytes| {
            text(RecoverySymbol::<Primary>::from_bcs(bytes, params(N), size()))
                .map(|it| it.to_bcs())
        }),
        (
            "either recovery symbol",
            EitherRecoverySymbol::Primary(pair.primary.clone()).to_bcs(),
            |bytes| {
                text(EitherRecoverySymbol::from_bcs(bytes, params(N), size())).map(|it| it.to_bcs())
            },
        ),
        ("recovery symbol pair", pair.to_bcs(), |bytes| {
            text(RecoverySymbolPair::from_bcs(bytes, params(N), size())).map(|it| it.to_bcs())
        }),
        ("general symbol", general[0].to_bcs(), |bytes| {
            text(GeneralRecoverySymbol::from_bcs(bytes, params(N), size())).map(|it| it.to_bcs())
        }),
        ("general symbols", GeneralRecoverySymbol::list_to_bcs(&general), |bytes| {
            let list = GeneralRecoverySymbol::list_from_bcs(bytes, params(N), size(), 2);
            text(list).map(|it| GeneralRecoverySymbol::list_to_bcs(&it))
        }),
        ("decoding symbol", either.to_bcs(), |bytes| {
            text(EitherDecodingSymbol::from_bcs(bytes, size())).map(|it| it.to_bcs())
        }),
        ("decoding symbols", decoding_symbols_to_bcs(&map), |bytes| {
            let map = decoding_symbols_from_bcs(bytes, params(N), size(), 2);
            text(map).map(|it| decoding_symbols_to_bcs(&it))
        }),
        ("inconsistency proof", proof.to_bcs(), |bytes| {
            text(InconsistencyProof::<Secondary>::from_bcs(bytes, params(N), size()))
                .map(|it| it.to_bcs())
        }),
        (
            "any inconsistency proof",
            AnyInconsistencyProof::Secondary(proof).to_tagged_bcs(),
            |bytes| {
                text(AnyInconsistencyProof::from_tagged_bcs(bytes, params(N), size()))
                    .map(|it| it.to_tagged_bcs())
            },
        ),
    ]
}

/// If this failed, our own forms would not be read back, or a truncated or extended one would be.
#[test]
fn forms_are_read_back_whole_or_not_at_all() {
    for (name, bytes, reread) in forms() {
        assert_eq!(reread(&bytes).as_ref(), Ok(&bytes), "{name}");
        for length in 0..bytes.len() {
            reread(&bytes[..length]).expect_err(name);
        }
        for extra in [0, 1] {
            reread(&[bytes.as_slice(), &[extra]].concat()).expect_err(name);
        }
    }
}

/// If this failed, a map would have several forms, or one that other implementations refuse.
#[test]
fn maps_are_in_the_order_of_their_bytes() {
    let map =
        decoding_symbols_to_bcs(&[(SliverIndex(1), vec![]), (SliverIndex(256), vec![])].into());
    assert_eq!(hex::encode(&map), "02000100010000");
    for wrong in ["02010000000100", "02010000010000"] {
        let bytes = hex::decode(wrong).unwrap();
        decoding_symbols_from_bcs(&bytes, params(300), size(), 9).unwrap_err();
    }
    decoding_symbols_from_bcs(&map, params(300), size(), 1).unwrap_err();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// If this failed, bytes from outside would panic a reader, or have a second accepted form.
    #[test]
    fn readers_refuse_or_reproduce_arbitrary_bytes(bytes in vec(any::<u8>(), 0..600)) {
        for (name, _, reread) in forms() {
            if let Ok(again) = reread(&bytes) {
                prop_assert_eq!(&again, &bytes, "{}", name);
            }
        }
    }

    /// The same for bytes that are nearly right.
    #[test]
    fn readers_refuse_or_reproduce_altered_bytes(
        at in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
        byte: u8,
    ) {
        for (name, mut bytes, reread) in forms() {
            let at = at.index(bytes.len());
            bytes[at] = byte;
            for bytes in [&bytes[..], &[&bytes[..at], &[byte | 0x80, 0], &bytes[at..]].concat(), &bytes[cut.index(bytes.len())..]] {
                if let Ok(again) = reread(bytes) {
                    prop_assert_eq!(again.as_slice(), bytes, "{}", name);
                }
            }
        }
    }
}

/// If this failed, a count in front of nothing could make a reader reserve memory.
#[test]
fn oversized_counts_are_refused() {
    let huge = [0xff, 0xff, 0xff, 0xff, 0x07];
    for (name, bytes, reread) in forms() {
        for at in 0..bytes.len() {
            let forged = [&bytes[..at], &huge, &bytes[at + 1..]].concat();
            if let Ok(again) = reread(&forged) {
                assert_eq!(again, forged, "{name}");
            }
        }
    }
    assert!(SliverType::BOTH.iter().all(|it| params(1000).max_sliver_bcs_len() >= {
        params(1000).sliver_bcs_len(*it, SymbolSize::new(65_534).unwrap())
    }));
}
