//! How long encoding and decoding take, as a ratio to the naive way measured in the same run.
//!
//! Naive: `reed-solomon-simd` row by row and column by column, `blake2` one message at a time, each
//! symbol hashed once. Decoding is from repair slivers only, with the default check. Run with `cargo run --release --example compare -p walrus-redstuff [-- --json]`.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::disallowed_methods)]

use std::hint::black_box;
use std::time::Instant;

use blake2::Digest as _;
use reed_solomon_simd::{ReedSolomonDecoder, ReedSolomonEncoder};
use walrus_redstuff::engine::Fast;
use walrus_redstuff::{
    BlobId, ConsistencyCheck, Digest, Encoder, EncodingParams, EncodingType, Primary, SliverIndex,
    VerifiedMetadata, VerifiedSliver, decode_with,
};

const N_SHARDS: u16 = 1000;
const BLOB_BYTES: [usize; 3] = [1 << 10, 1 << 20, 32 << 20];

type Hash = [u8; 32];
type Blake = blake2::Blake2b<blake2::digest::consts::U32>;

fn main() {
    let json = std::env::args().any(|argument| argument == "--json");
    let rows: Vec<Row> = BLOB_BYTES.into_iter().flat_map(measure).collect();
    if json {
        let rows: Vec<String> = rows.iter().map(Row::to_json).collect();
        println!("{{\"rows\":[{}]}}", rows.join(","));
        return;
    }
    println!(
        "{:<10} {:>8} {:>12} {:>10} {:>10} {:>7}",
        "operation", "n", "blob bytes", "ours ms", "naive ms", "ratio"
    );
    for row in rows {
        let Row { operation, bytes, ours_ms, naive_ms } = row;
        let ratio = naive_ms / ours_ms;
        println!(
            "{operation:<10} {N_SHARDS:>8} {bytes:>12} {ours_ms:>10.1} {naive_ms:>10.1} {ratio:>7.2}"
        );
    }
}

struct Row {
    operation: &'static str,
    bytes: usize,
    ours_ms: f64,
    naive_ms: f64,
}

impl Row {
    fn to_json(&self) -> String {
        let Self { operation, bytes, ours_ms, naive_ms } = self;
        let ratio = naive_ms / ours_ms;
        format!(
            "{{\"op\":\"{operation}\",\"n_shards\":{N_SHARDS},\"blob_bytes\":{bytes},\"threads\":1,\
             \"engine\":\"fast\",\"ours_ms\":{ours_ms:.3},\"naive_ms\":{naive_ms:.3},\"ratio\":{ratio:.3}}}"
        )
    }
}

/// Medians of several rounds in alternating order, so that a drifting clock speed hits both alike.
fn measure(bytes: usize) -> [Row; 3] {
    let params = EncodingParams::new(N_SHARDS).unwrap();
    let encoder = Encoder::new(params);
    let mut engine = Fast::new();
    let data: Vec<u8> = (0..bytes).map(|i| (i * i / 7 + i) as u8).collect();
    let rounds = if bytes > 1 << 22 { 3 } else { 5 };
    let (mut encode, mut metadata, mut naive) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let mut id = None;
        naive.push(time(|| id = Some(naive_encode(params, &data))));
        encode.push(time(|| {
            let encoded = black_box(encoder.encode_with(&mut engine, &data).unwrap());
            assert_eq!(Some(*encoded.metadata().blob_id()), id);
        }));
        metadata.push(time(|| {
            black_box(encoder.compute_metadata_with(&mut engine, &data).unwrap());
        }));
    }
    let naive_ms = median(naive);
    let [encode, metadata] = [("encode", encode), ("metadata", metadata)]
        .map(|(operation, times)| Row { operation, bytes, ours_ms: median(times), naive_ms });
    [encode, metadata, measure_decode(params, &data, rounds)]
}

/// From the last `p` primary slivers, none of which is a piece of the blob.
fn measure_decode(params: EncodingParams, data: &[u8], rounds: usize) -> Row {
    let mut engine = Fast::new();
    let encoded = Encoder::new(params).encode(data).unwrap();
    let metadata = encoded.metadata();
    let first = params.n_shards() - params.primary_source_symbols();
    let slivers: Vec<VerifiedSliver<Primary>> = (first..params.n_shards())
        .map(|index| encoded.sliver(SliverIndex(index)).unwrap())
        .collect();
    let (mut ours, mut naive) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        naive.push(time(|| assert!(naive_decode(metadata, &slivers) == data)));
        ours.push(time(|| {
            let slivers = slivers.iter().cloned();
            let check = ConsistencyCheck::Default;
            assert!(decode_with(&mut engine, metadata, slivers, check).unwrap() == data);
        }));
    }
    Row { operation: "decode", bytes: data.len(), ours_ms: median(ours), naive_ms: median(naive) }
}

fn time(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1000.0
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// All slivers and the blob id, in the straightforward way.
fn naive_encode(params: EncodingParams, data: &[u8]) -> BlobId {
    let n = usize::from(params.n_shards());
    let p = usize::from(params.primary_source_symbols());
    let s = usize::from(params.secondary_source_symbols());
    let z = params.symbol_size(data.len() as u64).unwrap().bytes();
    let mut matrix = vec![0; n * n * z];
    let mut row = vec![0; s * z];
    let mut coder = ReedSolomonEncoder::new(s, n - s, z).unwrap();
    for (r, source) in data.chunks(s * z).enumerate() {
        row.fill(0);
        row[..source.len()].copy_from_slice(source);
        row.chunks_exact(z).for_each(|symbol| coder.add_original_shard(symbol).unwrap());
        let extended = &mut matrix[r * n * z..][..n * z];
        extended[..s * z].copy_from_slice(&row);
        let repair = coder.encode().unwrap();
        for (symbol, repaired) in extended[s * z..].chunks_exact_mut(z).zip(repair.recovery_iter())
        {
            symbol.copy_from_slice(repaired);
        }
    }
    let mut coder = ReedSolomonEncoder::new(p, n - p, z).unwrap();
    for c in 0..n {
        for r in 0..p {
            coder.add_original_shard(&matrix[(r * n + c) * z..][..z]).unwrap();
        }
        for (r, repaired) in (p..).zip(coder.encode().unwrap().recovery_iter()) {
            matrix[(r * n + c) * z..][..z].copy_from_slice(repaired);
        }
    }
    let leaves: Vec<Hash> = matrix.chunks_exact(z).map(|symbol| hash(0, symbol)).collect();
    let pairs: Vec<Hash> = (0..n)
        .map(|k| {
            let row = root(leaves[k * n..][..n].to_vec());
            let column = root((0..n).map(|r| leaves[r * n + n - 1 - k]).collect());
            hash(0, [row, column].as_flattened())
        })
        .collect();
    black_box(slivers(&matrix, n, p, s, z));
    BlobId::from_parts(EncodingType::Rs2, data.len() as u64, &Digest::from_bytes(root(pairs)))
}

/// Column by column, then every row of the blob extended and hashed.
fn naive_decode(metadata: &VerifiedMetadata, slivers: &[VerifiedSliver<Primary>]) -> Vec<u8> {
    let params = metadata.params();
    let n = usize::from(params.n_shards());
    let p = usize::from(params.primary_source_symbols());
    let s = usize::from(params.secondary_source_symbols());
    let z = metadata.symbol_size().bytes();
    let mut blob = vec![0; p * s * z];
    let mut decoder = ReedSolomonDecoder::new(p, n - p, z).unwrap();
    for c in 0..s {
        for sliver in slivers {
            let index = usize::from(sliver.index().0) - p;
            decoder.add_recovery_shard(index, sliver.symbol(c).unwrap()).unwrap();
        }
        for (r, symbol) in decoder.decode().unwrap().restored_original_iter() {
            blob[(r * s + c) * z..][..z].copy_from_slice(symbol);
        }
    }
    let mut coder = ReedSolomonEncoder::new(s, n - s, z).unwrap();
    for (row, pair) in blob.chunks_exact(s * z).zip(metadata.hashes()) {
        row.chunks_exact(z).for_each(|symbol| coder.add_original_shard(symbol).unwrap());
        let repair = coder.encode().unwrap();
        let symbols = row.chunks_exact(z).chain(repair.recovery_iter());
        let root = root(symbols.map(|symbol| hash(0, symbol)).collect());
        assert!(pair.primary.is_root(&Digest::from_bytes(root)));
    }
    blob.truncate(usize::try_from(metadata.unencoded_length()).unwrap());
    blob
}

/// Cuts all slivers out of the matrix.
fn slivers(matrix: &[u8], n: usize, p: usize, s: usize, z: usize) -> Vec<Vec<u8>> {
    let rows = (0..n).map(|r| matrix[r * n * z..][..s * z].to_vec());
    let column = |c: usize| (0..p).flat_map(|r| &matrix[(r * n + c) * z..][..z]).copied().collect();
    rows.chain((0..n).map(column)).collect()
}

fn root(mut level: Vec<Hash>) -> Hash {
    while level.len() > 1 {
        if level.len() % 2 == 1 {
            level.push([0; 32]);
        }
        level = level.chunks_exact(2).map(|pair| hash(1, pair.as_flattened())).collect();
    }
    level[0]
}

fn hash(prefix: u8, message: &[u8]) -> Hash {
    let mut hasher = Blake::new();
    hasher.update([prefix]);
    hasher.update(message);
    hasher.finalize().into()
}
