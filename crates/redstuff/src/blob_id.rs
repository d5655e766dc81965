//! Blob ids and digests (docs/protocol/encoding.md sections 3.4 and 3.5).

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::hash::blake2b256;
use crate::params::EncodingType;

/// The characters of a blob id's text form.
const TEXT_LEN: usize = 43;
/// No 32-byte number has more decimal digits.
const MAX_DECIMAL_DIGITS: usize = 78;

/// A BLAKE2b-256 digest; as a Merkle node, 32 zero bytes stand for "empty".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Digest([u8; 32]);

impl Digest {
    /// What a tree without leaves, or the missing neighbour of a last node, contributes.
    pub const EMPTY: Self = Self([0; 32]);

    /// The digest with these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The digest's bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// The name of a blob: a hash over its encoding type, its length and the Merkle root of its slivers.
///
/// Text form: 43 characters of URL-safe base64 without padding. Order: that of the bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId([u8; 32]);

impl BlobId {
    /// The blob id with these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The id's bytes. Read little-endian they are the `u256` that the chain stores.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The id of a blob of `unencoded_length` bytes whose blob tree has the given root (section 3.4).
    pub fn from_parts(encoding_type: EncodingType, unencoded_length: u64, root: &Digest) -> Self {
        let mut preimage = [0; 41];
        preimage[0] = encoding_type.as_u8();
        preimage[1..9].copy_from_slice(&unencoded_length.to_le_bytes());
        preimage[9..].copy_from_slice(root.as_bytes());
        Self(*blake2b256(&preimage).as_bytes())
    }

    /// How far the blob's sliver pairs are rotated over `n_shards` shards: the bytes as a
    /// **big-endian** number modulo `n_shards` (section 2.3).
    ///
    /// # Panics
    /// If `n_shards` is 0.
    pub fn rotation_offset(&self, n_shards: u16) -> u16 {
        let modulus = u32::from(n_shards);
        let offset = self.0.iter().fold(0, |acc, byte| (acc * 256 + u32::from(*byte)) % modulus);
        offset as u16
    }

    /// The decimal form: the bytes as a **little-endian** number (section 3.5).
    pub fn to_u256_decimal(&self) -> String {
        let mut limbs: [u32; 8] = std::array::from_fn(|i| {
            u32::from_le_bytes([
                self.0[4 * i],
                self.0[4 * i + 1],
                self.0[4 * i + 2],
                self.0[4 * i + 3],
            ])
        });
        let mut groups = Vec::new();
        while limbs.iter().any(|limb| *limb != 0) {
            let mut remainder = 0;
            for limb in limbs.iter_mut().rev() {
                let value = (remainder << 32) | u64::from(*limb);
                *limb = (value / 1_000_000_000) as u32;
                remainder = value % 1_000_000_000;
            }
            groups.push(remainder);
        }
        let mut text = groups.pop().unwrap_or(0).to_string();
        for group in groups.iter().rev() {
            text.push_str(&format!("{group:09}"));
        }
        text
    }

    /// The id with this decimal form.
    ///
    /// # Errors
    /// [`BlobIdParseError`] unless `text` is 1 to 78 decimal digits of a number below `2^256`.
    pub fn from_u256_decimal(text: &str) -> Result<Self, BlobIdParseError> {
        if text.is_empty() || text.len() > MAX_DECIMAL_DIGITS {
            return Err(BlobIdParseError::Decimal);
        }
        let mut bytes = [0_u8; 32];
        for digit in text.chars() {
            let mut carry = digit.to_digit(10).ok_or(BlobIdParseError::Decimal)?;
            for byte in &mut bytes {
                let value = u32::from(*byte) * 10 + carry;
                *byte = value as u8;
                carry = value >> 8;
            }
            if carry != 0 {
                return Err(BlobIdParseError::Decimal);
            }
        }
        Ok(Self(bytes))
    }
}

/// Why text is not a blob id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BlobIdParseError {
    /// The text does not have 43 characters.
    #[error("a blob id has 43 characters, not {got}")]
    Length {
        /// The bytes of text found.
        got: usize,
    },
    /// The text is not the URL-safe base64 of 32 bytes.
    #[error("a blob id is URL-safe base64 without padding")]
    Base64,
    /// The text is not a decimal number below `2^256`.
    #[error("a decimal blob id is a number below 2^256")]
    Decimal,
}

impl FromStr for BlobId {
    type Err = BlobIdParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != TEXT_LEN {
            return Err(BlobIdParseError::Length { got: text.len() });
        }
        let mut bytes = [0; 32];
        match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
            Ok(32) => Ok(Self(bytes)),
            _ => Err(BlobIdParseError::Base64),
        }
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobId({self})")
    }
}

impl Serialize for BlobId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BlobId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const TEXT: &str = "RcU82Mwf-CFkv1LaI_2qcpANwpGUuG3TMwnVzZxD2kY";
    const HEX: &str = "45c53cd8cc1ff82164bf52da23fdaa72900dc29194b86dd33309d5cd9c43da46";
    const DECIMAL: &str =
        "32047538705383907710745794627166216794695117628018721399077707816295890470213";

    /// If this failed, the three forms of one id would name different blobs (section 3.5).
    #[test]
    fn text_hex_and_decimal_agree() {
        let id: BlobId = TEXT.parse().unwrap();
        assert_eq!(hex::encode(id.as_bytes()), HEX);
        assert_eq!(id.to_string(), TEXT);
        assert_eq!(id.to_u256_decimal(), DECIMAL);
        assert_eq!(BlobId::from_u256_decimal(DECIMAL), Ok(id));
        assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{TEXT}\""));
        assert_eq!(serde_json::from_str::<BlobId>(&format!("\"{TEXT}\"")).unwrap(), id);
        for id in [[0; 32], [0xff; 32]].map(BlobId::from_bytes) {
            assert_eq!(BlobId::from_u256_decimal(&id.to_u256_decimal()), Ok(id));
        }
        assert_eq!(BlobId::from_bytes([0; 32]).to_u256_decimal(), "0");
    }

    /// If this failed, one id would have several texts, or foreign text would pass for an id.
    #[test]
    fn other_texts_are_refused() {
        let padded = format!("{}=", &TEXT[..42]);
        let trailing_bits = format!("{}Z", &TEXT[..42]);
        let standard_alphabet = TEXT.replace('-', "+");
        for text in [padded, trailing_bits, standard_alphabet] {
            assert_eq!(text.parse::<BlobId>(), Err(BlobIdParseError::Base64), "{text}");
        }
        for text in ["", &TEXT[..42], &format!("{TEXT}=")] {
            assert!(matches!(text.parse::<BlobId>(), Err(BlobIdParseError::Length { .. })));
        }
        let too_large =
            "115792089237316195423570985008687907853269984665640564039457584007913129639936";
        for text in ["", "-1", "1e5", too_large, &"9".repeat(79)] {
            assert_eq!(BlobId::from_u256_decimal(text), Err(BlobIdParseError::Decimal), "{text}");
        }
    }
}
