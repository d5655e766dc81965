//! Where the header of an age file ends and its chunks begin.
//!
//! Source: the age v1 specification, C2SP `age.md`: a version line, recipient stanzas, and a
//! line `--- MAC`, followed by a nonce of 16 bytes and the chunks.

/// Longest header that is written or read: hundreds of recipients.
pub const HEADER_BYTES_MAX: usize = 64 * 1024;

const VERSION_LINE: &[u8] = b"age-encryption.org/v1\n";
const MAC_LINE: &[u8] = b"\n--- ";
const NONCE_BYTES: usize = 16;

/// What the first bytes of a file show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scan {
    /// This is no age file.
    NotEncrypted,
    /// More bytes are needed to tell.
    Incomplete,
    /// It has no end within [`HEADER_BYTES_MAX`].
    TooLong,
    /// Header and nonce are so many bytes; the chunks follow.
    Complete(usize),
}

/// Looks for the end of the header in the first bytes of a file.
pub fn scan(start: &[u8]) -> Scan {
    let common = start.len().min(VERSION_LINE.len());
    if start[..common] != VERSION_LINE[..common] {
        return Scan::NotEncrypted;
    }
    let within = &start[..start.len().min(HEADER_BYTES_MAX)];
    let mac = within.windows(MAC_LINE.len()).position(|window| window == MAC_LINE);
    let end = mac.and_then(|mac| {
        let line = mac + MAC_LINE.len();
        within[line..].iter().position(|byte| *byte == b'\n').map(|end| line + end + 1)
    });
    match end.map(|end| end + NONCE_BYTES) {
        Some(end) if end <= start.len() => Scan::Complete(end),
        _ if start.len() >= HEADER_BYTES_MAX + NONCE_BYTES => Scan::TooLong,
        _ => Scan::Incomplete,
    }
}
