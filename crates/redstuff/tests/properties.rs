//! What holds for every blob, every allowed loss and every bytes from outside.

#![allow(clippy::unwrap_used)]

mod support;

use std::fmt::Debug;
use std::num::NonZeroUsize;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use support::{choose, encoded, params, xorshift64};
use walrus_redstuff::engine::{Code, Engine, Fast, Instructions, Plain};
use walrus_redstuff::{
    AnyInconsistencyProof, Axis, BlobMetadata, BlobMetadataWithId, ConsistencyCheck,
    EitherDecodingSymbol, EitherRecoverySymbol, EncodedBlob, Encoder, GeneralRecoverySymbol,
    InconsistencyProof, Memory, MerkleProof, Primary, ReadAt, RecoverySymbol, RecoverySymbolPair,
    Secondary, Sliver, SliverIndex, SliverType, StreamDecoder, StreamEncoder, SymbolSize, Workers,
    decode, decode_with, decoding_symbols_from_bcs, decoding_symbols_to_bcs, recover_sliver,
    recover_sliver_unproven,
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
            decode_with(&mut plain, &Workers::none(), fast.metadata(), slivers::<Primary>(&slow, &chosen), ConsistencyCheck::Strict);
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

/// Lines of random symbols, as an engine takes and gives them.
fn lines(seed: u64, count: usize, bytes: usize) -> Vec<Vec<u8>> {
    (0..count as u64).map(|line| xorshift64(seed ^ (line << 32), bytes)).collect()
}

fn views(lines: &[Vec<u8>]) -> Vec<&[u8]> {
    lines.iter().map(Vec::as_slice).collect()
}

fn extended<E: Engine>(engine: &mut E, code: Code, z: usize, source: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let bytes = source.iter().map(Vec::len).max().unwrap();
    // Filled, so that bytes left alone show.
    let mut repair = vec![vec![0xa5; bytes]; code.repair];
    let mut places: Vec<&mut [u8]> = repair.iter_mut().map(Vec::as_mut_slice).collect();
    engine.extend(code, z, &views(source), &mut places);
    repair
}

/// Restores the source lines from those at `positions` and compares.
fn restores<E: Engine>(engine: &mut E, code: Code, z: usize, words: &[Vec<u8>], positions: &[u16]) {
    let known: Vec<&[u8]> = positions.iter().map(|at| words[usize::from(*at)].as_slice()).collect();
    let missing: Vec<usize> =
        (0..code.source).filter(|at| !positions.contains(&(*at as u16))).collect();
    let mut restored = vec![vec![0xa5; words[0].len()]; missing.len()];
    let mut places: Vec<&mut [u8]> = restored.iter_mut().map(Vec::as_mut_slice).collect();
    engine.restore(code, z, positions, &known, &mut places);
    for (line, source) in restored.iter().zip(missing) {
        assert!(*line == words[source], "{code:?} at {z}: line {source} from {positions:?}");
    }
}

fn engines() -> Vec<Fast> {
    Instructions::ALL.into_iter().filter_map(Fast::with).collect()
}

/// If this failed, batching would mix up codewords at some symbol size, or restore other symbols.
#[test]
fn engines_agree_at_every_symbol_size() {
    let mut plain = Plain::new();
    let sizes =
        (2..=200).step_by(2).chain([254, 256, 258, 510, 512, 514, 1022, 2050, 8190, 8192, 8194]);
    let codes = [(2, 2), (3, 1), (3, 4), (5, 2), (4, 6), (7, 3), (17, 15), (16, 16), (11, 20)];
    for (z, (source, repair)) in sizes.flat_map(|z| codes.map(|code| (z, code))) {
        let code = Code { source, repair };
        let lanes = (520 / z).clamp(2, 40);
        let mut words = lines(z as u64, source, lanes * z);
        let repair = extended(&mut plain, code, z, &words);
        for mut fast in engines() {
            let instructions = fast.instructions();
            assert!(extended(&mut fast, code, z, &words) == repair, "{instructions} {code:?} {z}");
        }
        words.extend(repair);
        let positions = choose(code.length() as u16, source, z as u64);
        restores(&mut plain, code, z, &words, &positions);
        for mut fast in engines() {
            restores(&mut fast, code, z, &words, &positions);
        }
    }
}

/// If this failed, a sliver would extend differently under the codes of 1000 shards.
#[test]
fn engines_agree_on_the_large_codes() {
    let mut plain = Plain::new();
    for (source, repair) in [(334, 666), (667, 333), (101, 200), (201, 100)] {
        let code = Code { source, repair };
        for z in [2, 6, 66] {
            let mut words = lines(source as u64, source, 3 * z);
            // An empty line stands for zeros.
            words[source / 2].clear();
            let repair = extended(&mut plain, code, z, &words);
            for mut fast in engines() {
                assert!(extended(&mut fast, code, z, &words) == repair, "{code:?} at {z}");
            }
        }
    }
}

/// If this failed, several hashes at a time or the table of short leaves would give wrong digests.
#[test]
fn engines_agree_on_hashes() {
    let mut plain = Plain::new();
    let lengths = [1, 2, 4, 63, 64, 126, 127, 128, 129, 255, 256, 1000, 4096];
    let counts = [0, 1, 7, 8, 9, 16, 70, 300];
    for (bytes, count) in lengths.into_iter().flat_map(|bytes| counts.map(|n| (bytes, n))) {
        let stride = bytes + count % 3;
        let messages = xorshift64(bytes as u64, stride * count);
        let mut expected = vec![[0; 32]; count];
        plain.hash_leaves(bytes, stride, &messages, &mut expected);
        for mut fast in engines() {
            let mut digests = vec![[0; 32]; count];
            fast.hash_leaves(bytes, stride, &messages, &mut digests);
            assert_eq!(digests, expected, "{count} messages of {bytes} bytes");
            let (left, right) = digests.split_at(count / 2);
            let right = &right[..count / 2];
            let mut parents = [vec![[0; 32]; count / 2], vec![[0; 32]; count / 2]];
            fast.hash_pairs(left, right, &mut parents[0]);
            plain.hash_pairs(left, right, &mut parents[1]);
            assert_eq!(parents[0], parents[1], "{count} pairs");
            let level = &digests[..count / 2 * 2];
            fast.hash_siblings(level, &mut parents[0]);
            plain.hash_siblings(level, &mut parents[1]);
            assert_eq!(parents[0], parents[1], "{count} siblings");
        }
    }
}

/// Sizes around which the work is cut differently: by length, at ten and at a hundred shards.
const CUTS: [(u16, usize); 14] = [
    (4, 0),
    (5, 1),
    (8, 100),
    (9, 1_000),
    (10, 27),
    (10, 56 * 64),
    (10, 28 * 130 + 1),
    (10, 28 * 600),
    (10, 28 * 5_000 + 17),
    (16, 3_000),
    (31, 60_000),
    (100, 4_000),
    (100, 2278 * 66),
    (100, 2278 * 130),
];

/// If this failed, several threads would give another blob than one, or a stored blob other slivers
/// than one in memory.
#[test]
fn threads_and_storage_change_nothing() {
    let two = Workers::start(NonZeroUsize::new(2).unwrap()).unwrap();
    let seven = Workers::start(NonZeroUsize::new(7).unwrap()).unwrap();
    for (n, length) in CUTS {
        let (data, blob) = encoded(n, length);
        for workers in [&two, &seven] {
            let encoder = Encoder::new(params(n)).with_workers(workers.clone());
            let again = encoder.encode(&data).unwrap();
            assert!(again.pairs().eq(blob.pairs()), "{length} bytes at {n}");
            assert_eq!(
                encoder.compute_metadata(&data).unwrap().blob_id(),
                blob.metadata().blob_id()
            );

            let stream = StreamEncoder::new(params(n), workers.clone());
            let spill = Arc::new(Memory::new());
            let source: Arc<dyn ReadAt> = Arc::new(data.clone());
            let stored = stream.encode(source, length as u64, spill.clone(), &|_| ()).unwrap();
            assert_eq!(stored.metadata().blob_id(), blob.metadata().blob_id());
            assert!(spill.len() <= stream.spill_bytes(length as u64).unwrap());
            for (kind, index) in SliverType::BOTH
                .into_iter()
                .flat_map(|kind| (0..=n).map(move |index| (kind, SliverIndex(index))))
            {
                let sliver = stored.sliver(kind, index).unwrap();
                let expected = blob.any_sliver(kind, index).map(|sliver| sliver.into_sliver());
                assert!(sliver == expected, "{kind} {index} of {length} bytes at {n}");
            }
            for check in CHECKS {
                streams_back::<Primary>(&data, &blob, workers, check, length as u64);
                streams_back::<Secondary>(&data, &blob, workers, check, length as u64);
            }
        }
    }
}

/// Decodes from some slivers through storage, and on several threads in memory.
fn streams_back<A: Axis>(
    data: &[u8],
    blob: &EncodedBlob,
    workers: &Workers,
    check: ConsistencyCheck,
    seed: u64,
) {
    let metadata = blob.metadata();
    let needed = usize::from(metadata.params().source_symbols(A::TYPE));
    let chosen = choose(metadata.params().n_shards(), needed, seed);
    let given = || slivers::<A>(blob, &chosen);
    let decoded = decode_with(&mut Fast::new(), workers, metadata, given(), check);
    assert!(decoded.unwrap() == data);

    let (output, spill) = (Arc::new(Memory::new()), Arc::new(Memory::new()));
    let mut decoder = StreamDecoder::<A>::new(
        metadata.clone(),
        check,
        workers.clone(),
        output.clone(),
        spill.clone(),
    );
    for (added, sliver) in given().enumerate() {
        assert_eq!(decoder.missing(), needed - added);
        decoder.add(sliver.clone()).unwrap();
        decoder.add(sliver).unwrap();
    }
    decoder.finish().unwrap();
    assert!(spill.len() <= StreamDecoder::<A>::spill_bytes(metadata));
    assert!(output.take() == data, "{} {check:?}", A::TYPE);
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
