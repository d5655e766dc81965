//! The blobs that tests are made of.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use serde_json::Value;
use sha2::Digest as _;
use walrus_redstuff::{EncodedBlob, Encoder, EncodingParams};

/// The shape of the code for a number of shards that has one.
pub fn params(n_shards: u16) -> EncodingParams {
    EncodingParams::new(n_shards).unwrap()
}

/// A blob of pseudo-random bytes, encoded.
pub fn encoded(n_shards: u16, length: usize) -> (Vec<u8>, EncodedBlob) {
    let data = xorshift64(0x9e37_79b9_7f4a_7c15 ^ length as u64, length);
    let encoded = Encoder::new(params(n_shards)).encode(&data).unwrap();
    (data, encoded)
}

/// The pattern blob of docs/protocol/encoding.md section 9.1.
pub fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|i| (7 * i + 13 + 31 * (i / 256)) as u8).collect()
}

/// The bytes of the generator of that name in the conformance vectors.
pub fn xorshift64(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// The content of a vector's blob, which its `length` and `generator` define.
pub fn content(case: &Value) -> Vec<u8> {
    let length = number(&case["length"]) as usize;
    let generator = &case["generator"];
    match text(&generator["kind"]) {
        "constant" => vec![number(&generator["byte"]) as u8; length],
        "affine251" => (0..length).map(|i| ((i * 31 + 7) % 251) as u8).collect(),
        "xorshift64" => {
            let seed = text(&generator["seed"]).strip_prefix("0x").unwrap();
            xorshift64(u64::from_str_radix(seed, 16).unwrap(), length)
        }
        kind => panic!("unknown generator {kind}"),
    }
}

/// A JSON number.
pub fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is not a number"))
}

/// A JSON string.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is not a string"))
}

/// A JSON list.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("{value} is not a list"))
}

/// SHA-256 of several pieces one after the other, in hex.
pub fn sha256<B: AsRef<[u8]>>(pieces: impl IntoIterator<Item = B>) -> String {
    let mut hasher = sha2::Sha256::new();
    pieces.into_iter().for_each(|piece| hasher.update(piece.as_ref()));
    hex::encode(hasher.finalize())
}

/// A choice of `count` of the numbers below `n`, different for every seed, in random order.
pub fn choose(n: u16, count: usize, seed: u64) -> Vec<u16> {
    let random = xorshift64(seed.wrapping_mul(2).wrapping_add(1), 8 * usize::from(n));
    let mut numbers: Vec<u16> = (0..n).collect();
    for (i, random) in random.chunks_exact(8).enumerate() {
        let random = u64::from_le_bytes(random.try_into().unwrap());
        let left = usize::from(n) - i;
        numbers.swap(i, i + (random % left as u64) as usize);
    }
    numbers.truncate(count);
    numbers
}
