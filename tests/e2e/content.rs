//! Files to store.

use std::path::PathBuf;

/// `length` bytes that no encoder can compress or guess.
pub fn random(seed: u64, length: usize) -> Vec<u8> {
    walrus_testkit::content::xorshift64(seed, length)
}

/// The input of a conformance vector.
pub fn of_vector(case: &serde_json::Value) -> Vec<u8> {
    use walrus_testkit::content::{affine251, xorshift64};
    let length = usize::try_from(case["length"].as_u64().unwrap()).unwrap();
    let generator = &case["generator"];
    match generator["kind"].as_str().unwrap() {
        "constant" => vec![u8::try_from(generator["byte"].as_u64().unwrap()).unwrap(); length],
        "affine251" => affine251(length),
        "xorshift64" => {
            let seed = generator["seed"].as_str().unwrap().trim_start_matches("0x");
            xorshift64(u64::from_str_radix(seed, 16).unwrap(), length)
        }
        other => panic!("unknown generator {other}"),
    }
}

/// A real library that is on every machine that can build this project: the
/// largest one of the Rust toolchain below 64 MiB.
pub fn real_library() -> PathBuf {
    let output = std::process::Command::new("rustc").args(["--print", "sysroot"]).output().unwrap();
    let sysroot = PathBuf::from(String::from_utf8(output.stdout).unwrap().trim());
    let mut open = vec![sysroot.join("lib")];
    let mut largest = (0, PathBuf::new());
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let entry = entry.unwrap();
            let metadata = entry.metadata().unwrap();
            if metadata.is_dir() {
                open.push(entry.path());
            } else if metadata.len() > largest.0 && metadata.len() < 64 << 20 {
                largest = (metadata.len(), entry.path());
            }
        }
    }
    assert!(largest.0 > 1 << 20, "no library found in the toolchain");
    largest.1
}
