//! Any range of any blob, proven by itself.

#![allow(clippy::unwrap_used)]

mod support;

use proptest::collection::vec;
use proptest::prelude::*;
use support::params;
use walrus_redstuff::engine::Plain;
use walrus_redstuff::{
    BlobId, EncodedBlob, Encoder, EncodingParams, Primary, RangeCover, RangeError, RowRun,
    RunError, SliverHashError, SliverHashProof, SliverIndex, SliverPairIndex, SliverType,
    SymbolRun, VerifiedRun, path_length,
};

fn encoded(n: u16, data: &[u8]) -> EncodedBlob {
    Encoder::new(params(n)).encode(data).unwrap()
}

/// The run as the node that holds the row makes it.
fn cut(blob: &EncodedBlob, run: RowRun) -> SymbolRun {
    let metadata = blob.metadata();
    let sliver = blob.sliver::<Primary>(run.row).unwrap().into_sliver();
    let expanded = metadata.verify_and_expand(sliver, run.row).unwrap();
    let hashes = SliverHashProof::new(metadata, run.pair()).unwrap();
    SymbolRun::cut(&expanded, run, hashes, metadata.params()).unwrap()
}

/// The run as a reader receives and checks it; and its length in transit.
fn fetch(blob: &EncodedBlob, run: RowRun) -> (VerifiedRun, usize) {
    let metadata = blob.metadata();
    let bytes = cut(blob, run).to_bcs();
    assert_eq!(bytes.len(), run.bcs_len(metadata.params(), metadata.symbol_size()));
    let received = SymbolRun::from_bcs(&bytes, metadata.params()).unwrap();
    (received.verify(metadata.params(), metadata.blob_id(), run).unwrap(), bytes.len())
}

fn cover(blob: &EncodedBlob, range: std::ops::Range<u64>) -> RangeCover {
    let metadata = blob.metadata();
    RangeCover::new(metadata.params(), metadata.unencoded_length(), range).unwrap()
}

/// `L + 2 z + R (96 D + 83)` with `R` of at most `2 + L / (s z)`.
fn bound(params: EncodingParams, z: usize, length: usize) -> usize {
    let row = usize::from(params.secondary_source_symbols()) * z;
    let rows = 2 + length / row;
    length + 2 * z + rows * (96 * path_length(params.n_shards().into()) + 83)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// If this failed, a range would not be the slice of the blob, a symbol of it would not be what
    /// the plain proofs say, or reading it would take more than the range and a logarithm.
    #[test]
    fn any_range_of_any_blob_is_the_slice(
        n in 4_u16..40,
        data in vec(any::<u8>(), 1..4000),
        a in any::<prop::sample::Index>(),
        b in any::<prop::sample::Index>(),
    ) {
        let blob = encoded(n, &data);
        let (a, b) = (a.index(data.len() + 1), b.index(data.len() + 1));
        let range = a.min(b)..a.max(b);
        let cover = cover(&blob, range.start as u64..range.end as u64);
        let mut fetched = 0;
        let mut runs = Vec::new();
        for run in cover.runs() {
            let (verified, bytes) = fetch(&blob, run);
            fetched += bytes;
            agrees_with_single_proofs(&blob, &verified);
            runs.insert(0, verified);
        }
        prop_assert_eq!(cover.assemble(&runs).unwrap(), &data[range.clone()]);
        let z = blob.metadata().symbol_size().bytes();
        prop_assert!(fetched <= bound(params(n), z, range.len()), "{} for {:?}", fetched, range);
        if let Some(lost) = runs.pop() {
            let RowRun { row, first, .. } = lost.run();
            prop_assert_eq!(cover.assemble(&runs), Err(RangeError::Missing { row, first }));
        }
    }

    /// If this failed, a node could send other bytes than the blob id commits to.
    #[test]
    fn any_flipped_bit_of_a_run_is_refused(
        n in 4_u16..30,
        data in vec(any::<u8>(), 1..2000),
        place in any::<prop::sample::Index>(),
        position in any::<prop::sample::Index>(),
        bit in 0..8_u8,
    ) {
        let blob = encoded(n, &data);
        let (params, id) = (params(n), *blob.metadata().blob_id());
        let at = place.index(data.len()) as u64;
        let run = cover(&blob, at..data.len() as u64).runs().next().unwrap();
        let mut bytes = cut(&blob, run).to_bcs();
        let position = position.index(bytes.len());
        bytes[position] ^= 1 << bit;
        let outcome = SymbolRun::from_bcs(&bytes, params)
            .map_err(RunError::from)
            .and_then(|run_received| run_received.verify(params, &id, run));
        prop_assert!(outcome.is_err(), "byte {} bit {}", position, bit);
        let length = bytes.len();
        prop_assert!(SymbolRun::from_bcs(&bytes[..length - 1], params).is_err());
        bytes.push(0);
        prop_assert!(SymbolRun::from_bcs(&bytes, params).is_err());
    }

    /// If this failed, bytes from a stranger could panic the reader.
    #[test]
    fn noise_is_refused(bytes in vec(any::<u8>(), 0..600), n in 4_u16..1000) {
        let params = params(n);
        let proof = SliverHashProof::from_bcs(&bytes, params);
        let believed = proof.map(|proof| proof.verify(params, &BlobId::from_bytes([0; 32])));
        prop_assert!(!matches!(believed, Ok(Ok(_))));
        let _ = SymbolRun::from_bcs(&bytes, params);
    }
}

/// Each symbol of the run, looked at through the plain engine and the proof of a single symbol.
fn agrees_with_single_proofs(blob: &EncodedBlob, run: &VerifiedRun) {
    let metadata = blob.metadata();
    let RowRun { row, .. } = run.run();
    let sliver = blob.sliver::<Primary>(row).unwrap().into_sliver();
    let plain = metadata.verify_and_expand_with(&mut Plain::new(), sliver, row).unwrap();
    let root = metadata.sliver_hash(SliverType::Primary, row).unwrap();
    let n = usize::from(metadata.params().n_shards());
    let symbols = run.data().chunks_exact(run.symbol_size().bytes());
    for (column, symbol) in run.run().columns().zip(symbols) {
        let proof = plain.proof(SliverIndex(column as u16)).unwrap();
        assert!(proof.verify(root, symbol, column, n));
    }
}

/// If this failed, a run could pass for another one, or its proof for a shorter or longer one.
#[test]
fn runs_hold_only_for_their_place() {
    let data: Vec<u8> = (0..5000_u32).map(|i| (i * 7 + i / 256) as u8).collect();
    let blob = encoded(10, &data);
    let (params, id) = (params(10), *blob.metadata().blob_id());
    let run = RowRun { row: SliverIndex(1), first: SliverIndex(2), count: 3 };
    let sent = cut(&blob, run);
    let verify = |expected| sent.clone().verify(params, &id, expected);
    assert!(verify(run).is_ok());
    assert!(matches!(
        verify(RowRun { row: SliverIndex(2), ..run }),
        Err(RunError::WrongPlace { .. })
    ));
    assert!(matches!(
        verify(RowRun { first: SliverIndex(1), ..run }),
        Err(RunError::WrongPlace { .. })
    ));
    for count in [1, 2, 4] {
        assert!(matches!(verify(RowRun { count, ..run }), Err(RunError::WrongLength { .. })));
    }
    for count in [0, 6, u16::MAX] {
        assert!(matches!(verify(RowRun { count, ..run }), Err(RunError::NotOnSliver { .. })));
    }
    let other = BlobId::from_bytes([7; 32]);
    assert!(matches!(
        sent.clone().verify(params, &other, run),
        Err(RunError::Hashes(SliverHashError::WrongBlobId { .. }))
    ));
    // The number of shards is the reader's own.
    assert!(sent.verify(support::params(13), &id, run).is_err());
}

/// If this failed, the hashes of one pair could pass for those of another, or the length for another.
#[test]
fn hashes_hold_only_for_their_pair_and_length() {
    let blob = encoded(13, b"forty-two bytes of something to be proven.");
    let (params, metadata) = (params(13), blob.metadata());
    for pair in (0..13).map(SliverPairIndex) {
        let proof = SliverHashProof::new(metadata, pair).unwrap();
        let proven = proof.verify(params, metadata.blob_id()).unwrap();
        assert_eq!((proven.pair(), proven.unencoded_length()), (pair, 42));
        for kind in SliverType::BOTH {
            let hashes = metadata.pair_hashes(pair).unwrap();
            assert_eq!(proven.sliver(kind), hashes.sliver(kind));
        }
        let bytes = proof.to_bcs();
        assert!(bytes.len() <= SliverHashProof::max_bcs_len(params));
        assert_eq!(SliverHashProof::from_bcs(&bytes, params), Ok(proof));
        for position in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[position] ^= 1;
            let outcome = SliverHashProof::from_bcs(&bytes, params)
                .is_ok_and(|proof| proof.verify(params, metadata.blob_id()).is_ok());
            assert!(!outcome, "byte {position}");
        }
    }
    assert_eq!(SliverHashProof::new(metadata, SliverPairIndex(13)), None);
}

/// If this failed, one kilobyte at the public network's size would cost more than the stated bound.
#[test]
fn a_kilobyte_of_a_large_committees_blob_is_cheap() {
    let n = 1000;
    let data: Vec<u8> = (0..3_000_000_u32).map(|i| (i ^ (i >> 9)) as u8).collect();
    let blob = encoded(n, &data);
    let cover = cover(&blob, 1_234_567..1_235_591);
    let (runs, bytes): (Vec<_>, Vec<_>) = cover.runs().map(|run| fetch(&blob, run)).unzip();
    let fetched: usize = bytes.iter().sum();
    assert_eq!(cover.assemble(&runs).unwrap(), data[1_234_567..1_235_591]);
    // 14-byte symbols, rows of 9338 bytes.
    assert!(fetched <= bound(params(n), 14, 1024), "{fetched} bytes in {} runs", runs.len());
    assert!(fetched < 1024 + 28 + 1043 * runs.len(), "{fetched} bytes in {} runs", runs.len());
}
