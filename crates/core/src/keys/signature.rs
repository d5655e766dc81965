//! Signatures under protocol keys: points of G2, single or summed
//! (docs/protocol/encoding.md section 7.1).

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blst::BLST_ERROR;
use blst::min_pk::{AggregatePublicKey, AggregateSignature, Signature};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{FieldError, ProtocolPublicKey, narrow, widen};

/// The ciphersuite's domain separation tag (basic scheme).
pub(crate) const DST: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_";

/// The chain writes x.c0, x.c1, y.c0, y.c1; the compact serialisation puts the
/// coefficient c1 of each coordinate first.
const ORDER: [usize; 4] = [1, 0, 3, 2];

/// Why the bytes or the text of a signature were refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Not 96 bytes.
    #[error("a signature has 96 bytes, got {got}")]
    Length {
        /// Bytes found.
        got: usize,
    },
    /// The text is not standard base64.
    #[error("the signature is not standard base64")]
    Base64,
    /// A coordinate in the chain's form is malformed.
    #[error("the signature is not canonical: {0}")]
    Field(#[from] FieldError),
    /// Flag bits or coordinates that encode no point in the one accepted way.
    #[error("the signature is not a canonical encoding of a point")]
    Encoding,
    /// The coordinates are of no point of the curve.
    #[error("the signature is not on the curve")]
    NotOnCurve,
    /// A point outside the subgroup that signatures live in.
    #[error("the signature is outside the prime-order subgroup")]
    NotInSubgroup,
    /// The point at infinity, which no valid key produces.
    #[error("the signature is the identity")]
    Identity,
}

impl SignatureError {
    fn from_blst(error: BLST_ERROR) -> Self {
        match error {
            BLST_ERROR::BLST_POINT_NOT_ON_CURVE => Self::NotOnCurve,
            BLST_ERROR::BLST_POINT_NOT_IN_GROUP => Self::NotInSubgroup,
            BLST_ERROR::BLST_PK_IS_INFINITY => Self::Identity,
            _ => Self::Encoding,
        }
    }
}

/// A signature, or the sum of several over the same message. Checked when it entered
/// the program to be on the curve, in the subgroup and not the identity; whether it
/// signs anything is checked against a message and keys.
///
/// Text and JSON: standard base64 of the 96 compressed bytes.
#[derive(Clone)]
pub struct ProtocolSignature {
    point: Signature,
}

impl ProtocolSignature {
    /// Bytes of the compressed form.
    pub const LEN: usize = 96;

    pub(super) fn from_point(point: Signature) -> Self {
        Self { point }
    }

    fn validated(point: Signature) -> Result<Self, SignatureError> {
        point.validate(true).map_err(SignatureError::from_blst)?;
        Ok(Self { point })
    }

    /// Reads the 96 compressed bytes.
    ///
    /// # Errors
    /// Another length, a non-canonical encoding, a point outside the subgroup, or the
    /// identity.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SignatureError> {
        if bytes.len() != Self::LEN {
            return Err(SignatureError::Length { got: bytes.len() });
        }
        Self::validated(Signature::uncompress(bytes).map_err(SignatureError::from_blst)?)
    }

    /// The 96 compressed bytes.
    pub fn to_bytes(&self) -> [u8; 96] {
        self.point.compress()
    }

    /// Reads the chain's form: x.c0, x.c1, y.c0, y.c1, 64 bytes each (EIP-2537).
    ///
    /// # Errors
    /// As [`Self::from_bytes`], and a coordinate with non-zero padding or not below the
    /// field's modulus.
    pub fn from_evm(bytes: &[u8; 256]) -> Result<Self, SignatureError> {
        let compact: [u8; 192] = narrow(bytes, &ORDER)?;
        // All zero is the chain's form of the identity.
        if compact.iter().all(|byte| *byte == 0) {
            return Err(SignatureError::Identity);
        }
        Self::validated(Signature::deserialize(&compact).map_err(SignatureError::from_blst)?)
    }

    /// The chain's form: x.c0, x.c1, y.c0, y.c1, each 16 zero bytes and 48 bytes big
    /// endian.
    pub fn to_evm(&self) -> [u8; 256] {
        widen(&self.point.serialize(), &ORDER)
    }

    /// Sums signatures over one message. `None` for no signatures, and for a sum that
    /// is the identity, as neither can be valid.
    ///
    /// One bad signature spoils the sum: verify each before, or the sum after.
    pub fn aggregate<'a>(signatures: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let points: Vec<&Signature> = signatures.into_iter().map(|s| &s.point).collect();
        // Every operand was checked for the subgroup on entry.
        let sum = AggregateSignature::aggregate(&points, false).ok()?;
        Self::validated(sum.to_signature()).ok()
    }

    /// Whether this is the signature of exactly these bytes under `key`.
    pub fn verifies(&self, message: &[u8], key: &ProtocolPublicKey) -> bool {
        // Neither the signature's nor the key's subgroup check is repeated.
        let outcome = self.point.verify(false, message, DST, &[], key.point(), false);
        outcome == BLST_ERROR::BLST_SUCCESS
    }

    /// Whether this is the sum of the signatures of exactly these bytes under each of
    /// `keys`, a key that occurs twice counting twice. False for no keys, and for keys
    /// whose sum is the identity.
    pub fn verifies_aggregate<'a>(
        &self,
        message: &[u8],
        keys: impl IntoIterator<Item = &'a ProtocolPublicKey>,
    ) -> bool {
        let points: Vec<_> = keys.into_iter().map(ProtocolPublicKey::point).collect();
        let Ok(sum) = AggregatePublicKey::aggregate(&points, false) else {
            return false;
        };
        // Here the key is validated: that refuses a sum that is the identity.
        let key = sum.to_public_key();
        self.point.verify(false, message, DST, &[], &key, true) == BLST_ERROR::BLST_SUCCESS
    }
}

impl FromStr for ProtocolSignature {
    type Err = SignatureError;

    fn from_str(text: &str) -> Result<Self, SignatureError> {
        let mut bytes = [0; Self::LEN];
        if text.len() != Self::LEN / 3 * 4 {
            return Err(SignatureError::Base64);
        }
        STANDARD.decode_slice(text, &mut bytes).map_err(|_| SignatureError::Base64)?;
        Self::from_bytes(&bytes)
    }
}

impl fmt::Display for ProtocolSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.to_bytes()))
    }
}

impl fmt::Debug for ProtocolSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProtocolSignature({self})")
    }
}

impl PartialEq for ProtocolSignature {
    fn eq(&self, other: &Self) -> bool {
        self.to_bytes() == other.to_bytes()
    }
}

impl Eq for ProtocolSignature {}

impl Serialize for ProtocolSignature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ProtocolSignature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
