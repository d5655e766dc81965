//! Merkle leaves and nodes hashed by each kernel, by the `blake2` crate one at a time and by
//! `blake2b_simd` many at a time, in one run.
//!
//! Each sample hashes 1000 messages, so a time in microseconds is one in nanoseconds a message.
//! Look at the fastest column on a machine that does other things too.

use std::fmt;
use std::hint::black_box;

use blake2::Digest as _;
use blake2::digest::consts::U32;
use blake2b_simd::Params;
use blake2b_simd::many::{HashManyJob, hash_many};
use divan::Bencher;
use divan::counter::BytesCount;

use engine::Instructions;
use engine::blake2b::{Digest32, hash_leaves, hash_pairs, hash_siblings};

/// The kernels are private to the crate, so the bench compiles them as its own.
#[path = "../src/engine"]
#[allow(dead_code, unreachable_pub, reason = "written for the crate, which uses more of it")]
mod engine {
    pub(crate) mod blake2b;
    mod instructions;

    pub(crate) use instructions::Instructions;
}

const MESSAGES: usize = 1000;

fn main() {
    divan::main();
}

/// Who hashes.
#[derive(Clone, Copy)]
enum Hasher {
    Kernel(Instructions),
    OneByOne,
    Simd,
}

impl Hasher {
    fn all() -> Vec<Self> {
        let kernels = Instructions::ALL.into_iter().filter(|set| set.available());
        kernels.map(Self::Kernel).chain([Self::OneByOne, Self::Simd]).collect()
    }

    fn hash_leaves(self, bytes: usize, messages: &[u8], digests: &mut [Digest32]) {
        match self {
            Self::Kernel(set) => hash_leaves(set, bytes, bytes, messages, digests),
            _ => self.hash_prefixed(0, bytes, messages, digests),
        }
    }

    fn hash_siblings(self, level: &[Digest32], parents: &mut [Digest32]) {
        match self {
            Self::Kernel(set) => hash_siblings(set, level, parents),
            _ => self.hash_prefixed(1, 64, level.as_flattened(), parents),
        }
    }

    /// With another crate, which wants whole messages: `blake2` takes them in two pieces, and for
    /// `blake2b_simd` they are put together first.
    fn hash_prefixed(self, prefix: u8, bytes: usize, messages: &[u8], digests: &mut [Digest32]) {
        const BATCH: usize = 16;
        if matches!(self, Self::OneByOne) {
            for (message, digest) in messages.chunks_exact(bytes).zip(digests) {
                let mut hasher = blake2::Blake2b::<U32>::new();
                hasher.update([prefix]);
                hasher.update(message);
                *digest = hasher.finalize().into();
            }
            return;
        }
        let mut params = Params::new();
        params.hash_length(32);
        let mut buffer = vec![prefix; BATCH * (1 + bytes)];
        for (messages, digests) in messages.chunks(BATCH * bytes).zip(digests.chunks_mut(BATCH)) {
            for (slot, message) in
                buffer.chunks_exact_mut(1 + bytes).zip(messages.chunks_exact(bytes))
            {
                slot[1..].copy_from_slice(message);
            }
            let mut jobs: Vec<HashManyJob<'_>> = buffer
                .chunks_exact(1 + bytes)
                .take(digests.len())
                .map(|message| HashManyJob::new(&params, message))
                .collect();
            hash_many(&mut jobs);
            for (job, digest) in jobs.iter().zip(digests) {
                digest.copy_from_slice(job.to_hash().as_bytes());
            }
        }
    }
}

impl fmt::Display for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kernel(set) => set.fmt(f),
            Self::OneByOne => f.write_str("blake2"),
            Self::Simd => f.write_str("blake2b_simd::many"),
        }
    }
}

#[divan::bench(args = Hasher::all(), consts = [2, 6, 64, 126, 128, 152, 512, 4800])]
fn leaf<const BYTES: usize>(bencher: Bencher<'_, '_>, hasher: Hasher) {
    let messages: Vec<u8> = (0..MESSAGES * BYTES).map(|i| (i % 251) as u8).collect();
    let mut digests = vec![[0; 32]; MESSAGES];
    bencher
        .counter(BytesCount::new(messages.len()))
        .bench_local(|| hasher.hash_leaves(BYTES, black_box(&messages), black_box(&mut digests)));
}

#[divan::bench(args = Hasher::all())]
fn node(bencher: Bencher<'_, '_>, hasher: Hasher) {
    let level = vec![[0x5a; 32]; 2 * MESSAGES];
    let mut parents = vec![[0; 32]; MESSAGES];
    bencher
        .counter(BytesCount::new(64 * MESSAGES))
        .bench_local(|| hasher.hash_siblings(black_box(&level), black_box(&mut parents)));
}

/// Both children of a node from another place, as when several trees are built at once.
#[divan::bench(args = Instructions::ALL.into_iter().filter(|set| set.available()))]
fn node_of_pair(bencher: Bencher<'_, '_>, set: Instructions) {
    let (left, right) = (vec![[0x5a; 32]; MESSAGES], vec![[0xa5; 32]; MESSAGES]);
    let mut parents = vec![[0; 32]; MESSAGES];
    bencher
        .counter(BytesCount::new(64 * MESSAGES))
        .bench_local(|| hash_pairs(set, black_box(&left), &right, black_box(&mut parents)));
}

/// The nodes of a whole tree of 1000 leaves, whose upper levels fill few lanes.
#[divan::bench(args = Hasher::all())]
fn nodes_of_a_tree(bencher: Bencher<'_, '_>, hasher: Hasher) {
    let mut levels = vec![vec![[0x5a; 32]; MESSAGES]];
    while let [.., level] = levels.as_slice()
        && level.len() > 1
    {
        let parents = level.len().div_ceil(2);
        levels.push(vec![[0; 32]; parents + parents % 2 * usize::from(parents > 1)]);
    }
    bencher.bench_local(|| {
        for i in 1..levels.len() {
            let (below, above) = levels.split_at_mut(i);
            let children = &below[i - 1];
            hasher.hash_siblings(children, &mut above[0][..children.len() / 2]);
        }
    });
}
