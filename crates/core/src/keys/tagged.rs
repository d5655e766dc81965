//! The text form of a secret key in a file: standard base64 of one flag byte and the
//! 32 secret bytes (docs/protocol/encoding.md section 7.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// Characters of the base64 of 33 bytes; it needs no padding.
const TEXT_LEN: usize = 44;

/// Why the text of a secret key file was refused. Never holds any part of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TaggedKeyError {
    /// Not 44 characters.
    #[error("a key file holds 44 characters of base64, got {got}")]
    Length {
        /// Number of bytes found, surrounding white space left out.
        got: usize,
    },
    /// Not standard base64.
    #[error("the key file is not standard base64")]
    Base64,
    /// A key of another kind.
    #[error(
        "key flag is {got:#04x}, expected {expected:#04x}: this file holds another kind of key"
    )]
    Flag {
        /// Flag of the kind asked for: 0x04 protocol key, 0x02 network key.
        expected: u8,
        /// Flag found.
        got: u8,
    },
}

/// Prints `flag || secret`.
pub(crate) fn print(flag: u8, secret: &[u8; 32]) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; 33]);
    bytes[0] = flag;
    bytes[1..].copy_from_slice(secret);
    Zeroizing::new(STANDARD.encode(bytes.as_slice()))
}

/// Reads the secret back. White space around the text, such as the line feed at the
/// end of a file, is ignored.
pub(crate) fn parse(flag: u8, text: &str) -> Result<Zeroizing<[u8; 32]>, TaggedKeyError> {
    let text = text.trim();
    if text.len() != TEXT_LEN {
        return Err(TaggedKeyError::Length { got: text.len() });
    }
    let mut bytes = Zeroizing::new([0; 33]);
    match STANDARD.decode_slice(text, bytes.as_mut_slice()) {
        Ok(33) => {}
        _ => return Err(TaggedKeyError::Base64),
    }
    if bytes[0] != flag {
        return Err(TaggedKeyError::Flag { expected: flag, got: bytes[0] });
    }
    let mut secret = Zeroizing::new([0; 32]);
    secret.copy_from_slice(&bytes[1..]);
    Ok(secret)
}
