//! Blobs that nothing can compress, made anew from a seed whenever they are needed.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::Path;

use anyhow::{Context as _, ensure};

const CHUNK: usize = 1 << 20;

/// A xorshift64* generator.
struct Content {
    state: u64,
    left: u64,
    chunk: Vec<u8>,
}

impl Content {
    fn new(seed: u64, length: u64) -> Self {
        // Any state but zero will do; near seeds must not give near streams.
        let state = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        Self { state, left: length, chunk: Vec::with_capacity(CHUNK) }
    }

    fn next_chunk(&mut self) -> Option<&[u8]> {
        if self.left == 0 {
            return None;
        }
        self.chunk.clear();
        while self.chunk.len() < CHUNK {
            self.state ^= self.state >> 12;
            self.state ^= self.state << 25;
            self.state ^= self.state >> 27;
            let word = self.state.wrapping_mul(0x2545_f491_4f6c_dd1d);
            self.chunk.extend_from_slice(&word.to_le_bytes());
        }
        let length = self.left.min(CHUNK as u64);
        self.left -= length;
        Some(&self.chunk[..usize::try_from(length).ok()?])
    }
}

/// Writes the blob of a seed.
pub(crate) fn write(path: &Path, seed: u64, length: u64) -> anyhow::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    let mut content = Content::new(seed, length);
    while let Some(chunk) = content.next_chunk() {
        file.write_all(chunk)?;
    }
    file.flush()?;
    // Its way to the disk must not be counted as somebody else's.
    file.get_ref().sync_all()?;
    Ok(())
}

/// Makes sure that a file holds the blob of a seed, byte for byte.
pub(crate) fn compare(path: &Path, seed: u64, length: u64) -> anyhow::Result<()> {
    let mut file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let got = file.metadata()?.len();
    ensure!(got == length, "{} bytes came back instead of {length}", got);
    let mut content = Content::new(seed, length);
    let mut read = vec![0; CHUNK];
    let mut offset = 0;
    while let Some(chunk) = content.next_chunk() {
        let read = &mut read[..chunk.len()];
        file.read_exact(read)?;
        if let Some(at) = read.iter().zip(chunk).position(|(a, b)| a != b) {
            anyhow::bail!("the blob came back different at byte {}", offset + at);
        }
        offset += chunk.len();
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn any_other_byte_or_length_is_noticed() {
        // Otherwise a network that loses blobs would be measured as a fast one.
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("blob");
        let length = CHUNK as u64 + 7;
        write(&path, 5, length).unwrap();
        compare(&path, 5, length).unwrap();
        compare(&path, 6, length).unwrap_err();
        compare(&path, 5, length - 1).unwrap_err();
        let mut bytes = std::fs::read(&path).unwrap();
        for at in [0, CHUNK, bytes.len() - 1] {
            bytes[at] ^= 1;
            std::fs::write(&path, &bytes).unwrap();
            let error = compare(&path, 5, length).unwrap_err().to_string();
            assert!(error.ends_with(&format!("byte {at}")), "{error}");
            bytes[at] ^= 1;
        }
    }
}
