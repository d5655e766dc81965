//! The network key of a storage node: NIST P-256, its TLS identity
//! (docs/protocol/encoding.md section 7.2).

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::elliptic_curve::sec1::ToEncodedPoint as _;
use p256::pkcs8::EncodePrivateKey as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use super::{TaggedKeyError, tagged};

/// Flag byte of a network key in a key file.
const FLAG: u8 = 0x02;

/// Why the bytes or the text of a network key were refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkKeyError {
    /// The secret number is zero or not below the group order.
    #[error("the secret key must be at least 1 and below the group order")]
    SecretRange,
    /// The text of the key file is malformed.
    #[error(transparent)]
    File(#[from] TaggedKeyError),
    /// The text is not standard base64 of 33 bytes.
    #[error("a network public key is 44 characters of standard base64")]
    Base64,
    /// The bytes are no compressed point of the curve.
    #[error("the network public key is not a compressed point of P-256")]
    NotOnCurve,
}

/// A storage node's TLS secret key. Wiped from memory when dropped; never printed by
/// `Debug`.
#[derive(Clone)]
pub struct NetworkSecretKey {
    secret: p256::SecretKey,
}

impl NetworkSecretKey {
    /// Takes the secret scalar, 32 bytes big endian. For a new key pass random bytes
    /// from a secure source, and others in the rare case of an error.
    ///
    /// # Errors
    /// [`NetworkKeyError::SecretRange`] unless it is in `1..group order`.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, NetworkKeyError> {
        let secret =
            p256::SecretKey::from_slice(bytes).map_err(|_| NetworkKeyError::SecretRange)?;
        Ok(Self { secret })
    }

    /// Reads the key file form: standard base64 of `0x02 || secret`, 44 characters.
    ///
    /// # Errors
    /// Another length, alphabet or flag, or a secret out of range.
    pub fn from_tagged_base64(text: &str) -> Result<Self, NetworkKeyError> {
        Self::from_bytes(&*tagged::parse(FLAG, text)?)
    }

    /// Prints the key file form; the inverse of [`Self::from_tagged_base64`].
    pub fn to_tagged_base64(&self) -> Zeroizing<String> {
        let bytes: Zeroizing<[u8; 32]> = Zeroizing::new(self.secret.to_bytes().into());
        tagged::print(FLAG, &bytes)
    }

    /// The PKCS#8 document (DER), as TLS libraries take it.
    pub fn to_pkcs8_der(&self) -> Zeroizing<Vec<u8>> {
        let document =
            self.secret.to_pkcs8_der().expect("a key of fixed size always fits its document");
        document.to_bytes()
    }

    /// The public key, as registered on chain.
    pub fn public_key(&self) -> NetworkPublicKey {
        let point = self.secret.public_key().to_encoded_point(true);
        let mut bytes = [0; 33];
        bytes.copy_from_slice(point.as_bytes());
        NetworkPublicKey(bytes)
    }
}

impl fmt::Debug for NetworkSecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NetworkSecretKey(of {})", self.public_key())
    }
}

/// A node's TLS public key, 33 bytes (SEC1, compressed), as registered on chain.
///
/// Holds any bytes, because the chain does not check them: a client compares them with
/// the key of the certificate that it is shown, and bytes that are no key match none.
/// Text and JSON, which a person may have typed, are checked in full.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetworkPublicKey(pub [u8; 33]);

impl NetworkPublicKey {
    /// Whether the bytes are a compressed point of the curve.
    pub fn is_valid(&self) -> bool {
        p256::PublicKey::from_sec1_bytes(&self.0).is_ok()
    }
}

impl FromStr for NetworkPublicKey {
    type Err = NetworkKeyError;

    fn from_str(text: &str) -> Result<Self, NetworkKeyError> {
        let mut bytes = [0; 33];
        if text.len() != 44 || STANDARD.decode_slice(text, &mut bytes) != Ok(33) {
            return Err(NetworkKeyError::Base64);
        }
        let key = Self(bytes);
        key.is_valid().then_some(key).ok_or(NetworkKeyError::NotOnCurve)
    }
}

impl fmt::Display for NetworkPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for NetworkPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NetworkPublicKey({self})")
    }
}

impl Serialize for NetworkPublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for NetworkPublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
