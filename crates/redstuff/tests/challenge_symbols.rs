//! What the contracts must accept in a storage challenge: symbols of real blobs and the way from each
//! to its blob id.
//!
//! `contracts/test/vectors/challenge-symbols.json` is written here (`WRITE_VECTORS=true`) and read by
//! the Solidity tests; otherwise the committed file is compared. If it differed, the contract would be
//! tested against an encoding that no node produces.

// A test may touch the vector file it keeps.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod support;

use serde_json::{Value, json};
use support::params;
use walrus_redstuff::engine::Fast;
use walrus_redstuff::{
    Axis, EncodedBlob, Encoder, ExpandedSliver, MerkleProof, MerkleTree, Node, Primary, Secondary,
    SliverIndex, SliverPairIndex, SliverType,
};

const FILE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../contracts/test/vectors/challenge-symbols.json");

/// Bytes that the Solidity tests can make again: byte `i` is `(31 i + 7) mod 251`.
fn content(length: usize) -> Vec<u8> {
    (0..length).map(|i| ((i * 31 + 7) % 251) as u8).collect()
}

fn encode(n_shards: u16, length: usize) -> EncodedBlob {
    Encoder::new(params(n_shards)).encode(&content(length)).unwrap()
}

fn expand<A: Axis>(blob: &EncodedBlob, index: SliverIndex) -> ExpandedSliver<A> {
    let sliver = blob.sliver::<A>(index).unwrap().into_sliver();
    blob.metadata().verify_and_expand(sliver, index).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

fn node(node: &Node) -> String {
    hex(node.digest().as_bytes())
}

fn path(proof: &MerkleProof) -> Vec<String> {
    proof.path().iter().map(node).collect()
}

/// The tree over the pairs' hashes, whose root is in the blob id.
fn pair_tree(blob: &EncodedBlob) -> MerkleTree {
    let mut leaves = Vec::new();
    for pair in blob.metadata().hashes() {
        leaves.extend_from_slice(pair.primary.digest().as_bytes());
        leaves.extend_from_slice(pair.secondary.digest().as_bytes());
    }
    let tree = MerkleTree::build(&mut Fast::new(), 64, &leaves);
    assert_eq!(tree.root(), *blob.metadata().root_hash());
    tree
}

/// What every case begins with.
fn head(blob: &EncodedBlob) -> serde_json::Map<String, Value> {
    let metadata = blob.metadata();
    let head = json!({
        "n_shards": metadata.params().n_shards(),
        "size": metadata.unencoded_length(),
        "blob_id": hex(metadata.blob_id().as_bytes()),
        "root": hex(metadata.root_hash().as_bytes()),
        "symbol_size": metadata.symbol_size().bytes(),
    });
    head.as_object().unwrap().clone()
}

/// All symbols of a sliver, one after the other.
fn symbols<A: Axis>(blob: &EncodedBlob, sliver: SliverIndex) -> Vec<u8> {
    let sliver = expand::<A>(blob, sliver);
    let n_shards = blob.metadata().params().n_shards();
    (0..n_shards).flat_map(|i| sliver.symbol(SliverIndex(i)).unwrap().to_vec()).collect()
}

/// The whole extended matrix, row by row: a test can build every proof from it.
fn matrix(n_shards: u16, length: usize) -> Value {
    let blob = encode(n_shards, length);
    let rows = (0..n_shards).flat_map(|i| symbols::<Primary>(&blob, SliverIndex(i)));
    let mut case = head(&blob);
    case.insert("symbols".into(), hex(&rows.collect::<Vec<_>>()).into());
    case.into()
}

/// Both slivers of one pair with all their symbols, and the pair's way to the root.
fn pair(n_shards: u16, length: usize, pair: u16) -> Value {
    let blob = encode(n_shards, length);
    let primary = symbols::<Primary>(&blob, SliverIndex(pair));
    let secondary = symbols::<Secondary>(&blob, SliverIndex(n_shards - 1 - pair));
    let mut case = head(&blob);
    case.insert("pair".into(), pair.into());
    case.insert("primary".into(), hex(&primary).into());
    case.insert("secondary".into(), hex(&secondary).into());
    let way = pair_tree(&blob).proof(pair.into()).unwrap();
    case.insert("path2".into(), path(&way).into());
    case.into()
}

/// One symbol with its whole way. A symbol that is part of the content is told by its offset there.
fn symbol<A: Axis>(blob: &EncodedBlob, pair: u16, index: u16, offset: Option<usize>) -> Value {
    let n_shards = blob.metadata().params().n_shards();
    let hashes = *blob.metadata().pair_hashes(SliverPairIndex(pair)).as_ref().unwrap();
    let (sliver, other) = match A::TYPE {
        SliverType::Primary => (pair, hashes.secondary),
        SliverType::Secondary => (n_shards - 1 - pair, hashes.primary),
    };
    let expanded = expand::<A>(blob, SliverIndex(sliver));
    let bytes = expanded.symbol(SliverIndex(index)).unwrap();
    let mut case = head(blob);
    case.insert("secondary".into(), (A::TYPE == SliverType::Secondary).into());
    case.insert("pair".into(), pair.into());
    case.insert("index".into(), index.into());
    match offset {
        Some(offset) => {
            let all = content(blob.metadata().unencoded_length() as usize);
            assert_eq!(bytes, &all[offset..offset + bytes.len()]);
            case.insert("content_offset".into(), offset.into());
        }
        None => {
            case.insert("symbol".into(), hex(bytes).into());
        }
    }
    case.insert("path1".into(), path(&expanded.proof(SliverIndex(index)).unwrap()).into());
    case.insert("other_root".into(), node(&other).into());
    case.insert("path2".into(), path(&pair_tree(blob).proof(pair.into()).unwrap()).into());
    case.into()
}

/// The largest symbols there are: 4 by 7 source symbols of 65,534 bytes at ten shards.
fn largest() -> [Value; 2] {
    let size = 65_534;
    let blob = encode(10, 28 * size);
    // Row 2, column 5; then row 1 of column 5, which is the secondary sliver of pair 4.
    let row = symbol::<Primary>(&blob, 2, 5, Some((2 * 7 + 5) * size));
    let column = symbol::<Secondary>(&blob, 4, 1, Some((7 + 5) * size));
    [row, column]
}

#[test]
fn the_contracts_test_with_these_symbols() {
    let [row, column] = largest();
    // 334 by 667 source symbols of 16 bytes at a thousand shards.
    let medium = encode(1000, 334 * 667 * 16);
    let tiny = encode(10, 1);
    let file = json!({
        "format": 1,
        "matrices": [matrix(10, 100), matrix(10, 0), matrix(4, 37), matrix(7, 500)],
        "pairs": [pair(1000, 1, 517), pair(1000, 400_000, 3)],
        "symbols": [
            symbol::<Primary>(&tiny, 9, 9, None),
            symbol::<Secondary>(&tiny, 0, 0, None),
            symbol::<Primary>(&medium, 0, 0, None),
            symbol::<Primary>(&medium, 999, 999, None),
            symbol::<Secondary>(&medium, 333, 666, None),
            symbol::<Secondary>(&medium, 998, 1, None),
            row,
            column,
        ],
    });
    let file = serde_json::to_string_pretty(&file).unwrap() + "\n";
    if std::env::var_os("WRITE_VECTORS").is_some() {
        std::fs::write(FILE, &file).unwrap();
    }
    let committed = std::fs::read_to_string(FILE).unwrap();
    assert!(file == committed, "{FILE} is stale: run with WRITE_VECTORS=true and commit");
}
