//! Every kernel against the `blake2` crate.
#![allow(clippy::unwrap_used)]

use blake2::Digest as _;
use blake2::digest::consts::U32;

use super::*;

/// Bytes that differ everywhere, the same in every run.
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut noise: Vec<u8> = (0..bytes.div_ceil(8)).flat_map(|_| next()).collect();
    noise.truncate(bytes);
    noise
}

/// What the specification asks for, by the other crate.
fn expected(prefix: u8, parts: &[&[u8]]) -> Digest32 {
    let mut hasher = blake2::Blake2b::<U32>::new();
    hasher.update([prefix]);
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().into()
}

fn all_instructions() -> impl Iterator<Item = Instructions> {
    Instructions::ALL.into_iter().filter(|set| set.available())
}

/// Hashes leaves in a buffer that ends with the last one, and compares each.
fn check_leaves(message_bytes: usize, stride: usize, count: usize, offset: usize, noise: &[u8]) {
    let used = count.saturating_sub(1) * stride + if count == 0 { 0 } else { message_bytes };
    // A buffer of its own, so that a read beyond either end can be noticed.
    let buffer = noise[..offset + used].to_vec().into_boxed_slice();
    let messages = &buffer[offset..];
    let expected: Vec<Digest32> =
        (0..count).map(|i| expected(0, &[&messages[i * stride..][..message_bytes]])).collect();
    for set in all_instructions() {
        let mut digests = vec![[0xee; 32]; count];
        hash_leaves(set, message_bytes, stride, messages, &mut digests);
        assert!(
            digests == expected,
            "{set}: {count} leaves of {message_bytes} bytes every {stride} from offset {offset}"
        );
    }
}

/// A length that is padded, split into blocks or shifted wrongly.
#[test]
fn leaves_of_every_length() {
    let noise = noise(64 << 10);
    if cfg!(miri) {
        for bytes in [1, 3, 4, 7, 8, 15, 16, 63, 64, 71, 72, 127, 128, 129, 255, 256] {
            check_leaves(bytes, bytes, 2, 1, &noise);
        }
    } else {
        for bytes in 1..=400 {
            for count in 1..=40 {
                check_leaves(bytes, bytes + (bytes + count) % 3, count, bytes % 64, &noise);
            }
        }
        for bytes in [1023, 1024, 1025, 4095, 4096, 4097] {
            check_leaves(bytes, bytes, 9, 3, &noise);
            check_leaves(bytes, bytes + 64, 8, 0, &noise);
        }
    }
}

/// The longest symbol there is.
#[test]
#[cfg_attr(miri, ignore = "too slow")]
fn the_longest_leaves() {
    let noise = noise(1 << 20);
    check_leaves(65_534, 65_534, 11, 0, &noise);
    check_leaves(65_534, 70_000, 8, 63, &noise);
}

/// A group of lanes that is not full: the wrong lane, or a digest beyond the end.
#[test]
fn leaves_of_every_count() {
    let noise = noise(24 << 10);
    let lengths: &[usize] =
        if cfg!(miri) { &[2, 130] } else { &[1, 2, 6, 9, 31, 63, 64, 70, 120, 127, 128, 200, 513] };
    let counts = if cfg!(miri) { 4 } else { 40 };
    for bytes in lengths {
        for count in 0..=counts {
            check_leaves(*bytes, *bytes, count, 0, &noise);
            check_leaves(*bytes, bytes + 7, count, 5, &noise);
        }
    }
}

/// A load that needs an aligned address, or one that leaves the buffer.
#[test]
fn leaves_at_every_offset() {
    let noise = noise(16 << 10);
    let (step, lengths): (_, &[usize]) =
        if cfg!(miri) { (21, &[2, 152]) } else { (1, &[2, 10, 33, 64, 127, 128, 152, 300]) };
    for offset in (0..64).step_by(step) {
        for bytes in lengths {
            check_leaves(*bytes, *bytes, if cfg!(miri) { 2 } else { 17 }, offset, &noise);
            check_leaves(*bytes, bytes + 1, if cfg!(miri) { 1 } else { 9 }, offset, &noise);
        }
    }
}

/// Children in the wrong order, of the wrong parent, or a wrong prefix.
#[test]
fn nodes_of_every_count() {
    let noise = noise(2 * 1000 * 32);
    let level: Vec<Digest32> = noise.as_chunks().0.to_vec();
    let counts: Vec<usize> =
        if cfg!(miri) { vec![0, 1, 2, 9] } else { (0..=40).chain([1000]).collect() };
    for count in counts {
        let level = &level[..2 * count];
        let (left, right): (Vec<_>, Vec<_>) =
            level.chunks_exact(2).map(|two| (two[0], two[1])).unzip();
        let expected: Vec<Digest32> =
            level.chunks_exact(2).map(|two| expected(1, &[&two[0], &two[1]])).collect();
        for set in all_instructions() {
            let mut parents = vec![[0xee; 32]; count];
            hash_siblings(set, level, &mut parents);
            assert!(parents == expected, "{set}: {count} parents of siblings");
            parents.fill([0xee; 32]);
            hash_pairs(set, &left, &right, &mut parents);
            assert!(parents == expected, "{set}: {count} parents of pairs");
        }
    }
}

/// A call whose lengths do not fit must not hash something else.
#[test]
fn lengths_that_do_not_fit() {
    let refused = |call: fn()| std::panic::catch_unwind(call).is_err();
    assert!(refused(|| hash_leaves(Instructions::Portable, 0, 1, &[], &mut [])));
    assert!(refused(|| hash_leaves(Instructions::Portable, 2, 1, &[0; 9], &mut [[0; 32]])));
    assert!(refused(|| hash_leaves(Instructions::Portable, 2, 3, &[0; 4], &mut [[0; 32]; 2])));
    assert!(refused(|| hash_siblings(Instructions::Portable, &[[0; 32]], &mut [[0; 32]])));
    assert!(refused(|| hash_pairs(Instructions::Portable, &[], &[[0; 32]], &mut [[0; 32]])));
    assert!(refused(|| hash_pairs(Instructions::Portable, &[[0; 32]], &[], &mut [[0; 32]])));
}
