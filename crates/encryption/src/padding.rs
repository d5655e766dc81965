//! Hiding how long the content is.
//!
//! The length of a blob is public: the chain records it. With padding, contents of similar
//! length become equally long before they are encrypted: the content, zeros, and a line of
//! [`TRAILER_BYTES`] that says where the content ends:
//!
//! ```text
//! content ‖ 0x00 … ‖ "\nwalrus-padding/1 " ‖ length, 20 decimal digits ‖ " " ‖ tag, 64 hex digits ‖ "\n"
//! ```
//!
//! The tag is SHA-256 over `walrus-padding/1`, a zero byte, the age file's header with its
//! nonce, and the length as 8 bytes, little endian. The header is fresh for every file and
//! holds what nobody can choose, so that no content, not even the padded content of another
//! file, can be taken for padding that it does not have.

use sha2::{Digest as _, Sha256};

/// The line at the end of padded content.
pub const TRAILER_BYTES: usize = 104;

/// Everything shorter is padded to this: one chunk of an age file. On a network such a blob
/// costs no more than a shorter one, since storage is sold in units of 1 MiB.
const PADDED_BYTES_MIN: u64 = 64 * 1024;

const NAME: &str = "walrus-padding/1";

/// Whether the length is hidden.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Padding {
    /// To the next length that [`padme`] allows, at least 64 KiB: at most 12 % more, mostly
    /// far less.
    #[default]
    Padme,
    /// Not at all: the length of the content can be computed from that of the blob.
    None,
}

impl Padding {
    /// Bytes that `content` bytes become before they are encrypted.
    pub fn padded(self, content: u64) -> u64 {
        match self {
            Self::None => content,
            Self::Padme => {
                padme(content.saturating_add(TRAILER_BYTES as u64)).max(PADDED_BYTES_MIN)
            }
        }
    }
}

/// The smallest length of at least `length` that is allowed: its binary form has no more
/// significant bits than its exponent has digits. Reveals O(log log) bits of a length.
///
/// Source: Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication
/// with PURBs", section 4 (Padmé).
pub fn padme(length: u64) -> u64 {
    if length < 2 {
        return length;
    }
    let exponent = length.ilog2();
    let significant = exponent.ilog2() + 1;
    let mask = (1_u64 << exponent.saturating_sub(significant)) - 1;
    length.checked_add(mask).map_or(u64::MAX, |sum| sum & !mask)
}

/// The line for a content of `content` bytes in the file that begins with `header`.
pub(crate) fn trailer(header: &[u8], content: u64) -> [u8; TRAILER_BYTES] {
    let mut hash = Sha256::new();
    hash.update(NAME);
    hash.update([0]);
    hash.update(header);
    hash.update(content.to_le_bytes());
    let tag: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let line = format!("\n{NAME} {content:020} {tag}\n");
    line.into_bytes().try_into().expect("every part of the line has a fixed length")
}

/// The content's length, if `last`, the last bytes of `padded` bytes, is such a line.
pub(crate) fn content_length(header: &[u8], last: &[u8], padded: u64) -> Option<u64> {
    let digits = last.get(NAME.len() + 2..NAME.len() + 22)?;
    let length: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let fits = length.checked_add(TRAILER_BYTES as u64)? <= padded;
    (fits && trailer(header, length) == last).then_some(length)
}
