//! The protocol key of a storage node: BLS12-381 with public keys in G1
//! (docs/protocol/encoding.md section 7.1).

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blst::BLST_ERROR;
use blst::min_pk::{PublicKey, SecretKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use super::signature::DST;
use super::{FieldError, ProtocolSignature, TaggedKeyError, narrow, tagged, widen};

/// Flag byte of a protocol key in a key file.
const FLAG: u8 = 0x04;
/// Coordinates x, y: the same order in both forms.
const ORDER: [usize; 2] = [0, 1];

/// Why the bytes or the text of a protocol key were refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolKeyError {
    /// The secret number is zero or not below the group order.
    #[error("the secret key must be at least 1 and below the group order")]
    SecretRange,
    /// The text of the key file is malformed.
    #[error(transparent)]
    File(#[from] TaggedKeyError),
    /// Not the number of bytes this form has.
    #[error("a public key has {expected} bytes in this form, got {got}")]
    Length {
        /// Bytes of the form asked for.
        expected: usize,
        /// Bytes found.
        got: usize,
    },
    /// The text is not standard base64.
    #[error("the public key is not standard base64")]
    Base64,
    /// A coordinate is malformed.
    #[error("the public key is not canonical: {0}")]
    Field(#[from] FieldError),
    /// Flag bits or coordinates that encode no point in the one accepted way.
    #[error("the public key is not a canonical encoding of a point")]
    Encoding,
    /// The coordinates are of no point of the curve.
    #[error("the public key is not on the curve")]
    NotOnCurve,
    /// A point outside the subgroup that keys live in.
    #[error("the public key is outside the prime-order subgroup")]
    NotInSubgroup,
    /// The point at infinity, under which anybody can sign.
    #[error("the public key is the identity")]
    Identity,
}

/// A storage node's protocol secret key: signs confirmations, attestations and the
/// proof of possession. Wiped from memory when dropped; never printed by `Debug`.
#[derive(Clone)]
pub struct ProtocolSecretKey {
    secret: SecretKey,
    public: ProtocolPublicKey,
}

impl ProtocolSecretKey {
    /// Takes the secret scalar, 32 bytes big endian.
    ///
    /// # Errors
    /// [`ProtocolKeyError::SecretRange`] unless it is in `1..group order`.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, ProtocolKeyError> {
        let secret = SecretKey::from_bytes(bytes).map_err(|_| ProtocolKeyError::SecretRange)?;
        Ok(Self::new(secret))
    }

    /// Derives a key from 32 random bytes (the key derivation of the IETF BLS draft),
    /// which must come from a secure source and be used for nothing else.
    pub fn from_randomness(randomness: &[u8; 32]) -> Self {
        let secret = SecretKey::key_gen(randomness, &[])
            .expect("key derivation accepts any input of 32 bytes or more");
        Self::new(secret)
    }

    fn new(secret: SecretKey) -> Self {
        let public = ProtocolPublicKey::from_point(secret.sk_to_pk());
        Self { secret, public }
    }

    /// Reads the key file form: standard base64 of `0x04 || secret`, 44 characters.
    ///
    /// # Errors
    /// Another length, alphabet or flag, or a secret out of range.
    pub fn from_tagged_base64(text: &str) -> Result<Self, ProtocolKeyError> {
        Self::from_bytes(&*tagged::parse(FLAG, text)?)
    }

    /// Prints the key file form; the inverse of [`Self::from_tagged_base64`].
    pub fn to_tagged_base64(&self) -> Zeroizing<String> {
        tagged::print(FLAG, &Zeroizing::new(self.secret.to_bytes()))
    }

    /// The public key that verifies this key's signatures.
    pub fn public_key(&self) -> &ProtocolPublicKey {
        &self.public
    }

    /// Signs the exact bytes. Callers sign typed messages through
    /// [`crate::SignedMessage::sign`]; nobody signs bytes that a peer supplied.
    pub(crate) fn sign_bytes(&self, message: &[u8]) -> ProtocolSignature {
        ProtocolSignature::from_point(self.secret.sign(message, DST, &[]))
    }
}

impl fmt::Debug for ProtocolSecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProtocolSecretKey(of {})", self.public)
    }
}

/// A protocol public key: a point of G1, checked once, when it entered the program, to
/// be on the curve, in the prime-order subgroup and not the identity.
///
/// Text and JSON: standard base64 of the 48 compressed bytes. Ordered by those bytes.
#[derive(Clone)]
pub struct ProtocolPublicKey {
    point: PublicKey,
    compressed: [u8; 48],
}

impl ProtocolPublicKey {
    /// Bytes of the compressed form.
    pub const LEN: usize = 48;

    /// Keys that this program made or already validated.
    fn from_point(point: PublicKey) -> Self {
        let compressed = point.compress();
        Self { point, compressed }
    }

    fn validated(point: PublicKey) -> Result<Self, ProtocolKeyError> {
        point.validate().map_err(ProtocolKeyError::from_blst)?;
        Ok(Self::from_point(point))
    }

    /// Reads the 48 compressed bytes.
    ///
    /// # Errors
    /// Another length, a non-canonical encoding, or a point that is not a valid key.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProtocolKeyError> {
        if bytes.len() != Self::LEN {
            return Err(ProtocolKeyError::Length { expected: Self::LEN, got: bytes.len() });
        }
        Self::validated(PublicKey::uncompress(bytes).map_err(ProtocolKeyError::from_blst)?)
    }

    /// The 48 compressed bytes.
    pub fn as_bytes(&self) -> &[u8; 48] {
        &self.compressed
    }

    /// Reads the uncompressed form: x and y, 48 bytes each, big endian, no flag bits.
    ///
    /// # Errors
    /// As [`Self::from_bytes`].
    pub fn from_uncompressed(bytes: &[u8; 96]) -> Result<Self, ProtocolKeyError> {
        // The top three bits are flags of the serialisation; the identity and the
        // compressed form, which set them, are not accepted here.
        if bytes[0] & 0xe0 != 0 {
            return Err(ProtocolKeyError::Encoding);
        }
        Self::validated(PublicKey::deserialize(bytes).map_err(ProtocolKeyError::from_blst)?)
    }

    /// The uncompressed form: x and y, 48 bytes each, big endian.
    pub fn to_uncompressed(&self) -> [u8; 96] {
        self.point.serialize()
    }

    /// Reads the chain's form: x and y, 64 bytes each (EIP-2537).
    ///
    /// # Errors
    /// As [`Self::from_bytes`], and a coordinate with non-zero padding or not below the
    /// field's modulus.
    pub fn from_evm(bytes: &[u8; 128]) -> Result<Self, ProtocolKeyError> {
        Self::from_uncompressed(&narrow(bytes, &ORDER)?)
    }

    /// The chain's form: x and y, each 16 zero bytes and 48 bytes big endian.
    pub fn to_evm(&self) -> [u8; 128] {
        widen(&self.to_uncompressed(), &ORDER)
    }

    pub(crate) fn point(&self) -> &PublicKey {
        &self.point
    }
}

impl ProtocolKeyError {
    fn from_blst(error: BLST_ERROR) -> Self {
        match error {
            BLST_ERROR::BLST_POINT_NOT_ON_CURVE => Self::NotOnCurve,
            BLST_ERROR::BLST_POINT_NOT_IN_GROUP => Self::NotInSubgroup,
            BLST_ERROR::BLST_PK_IS_INFINITY => Self::Identity,
            _ => Self::Encoding,
        }
    }
}

impl FromStr for ProtocolPublicKey {
    type Err = ProtocolKeyError;

    fn from_str(text: &str) -> Result<Self, ProtocolKeyError> {
        let mut bytes = [0; Self::LEN];
        if text.len() != Self::LEN / 3 * 4 {
            return Err(ProtocolKeyError::Base64);
        }
        STANDARD.decode_slice(text, &mut bytes).map_err(|_| ProtocolKeyError::Base64)?;
        Self::from_bytes(&bytes)
    }
}

impl fmt::Display for ProtocolPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.compressed))
    }
}

impl fmt::Debug for ProtocolPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProtocolPublicKey({self})")
    }
}

impl PartialEq for ProtocolPublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.compressed == other.compressed
    }
}

impl Eq for ProtocolPublicKey {}

impl PartialOrd for ProtocolPublicKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ProtocolPublicKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.compressed.cmp(&other.compressed)
    }
}

impl Hash for ProtocolPublicKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.compressed.hash(state);
    }
}

impl Serialize for ProtocolPublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ProtocolPublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
