//! Encrypted key files in the form that geth, foundry and MetaMask exchange
//! (Web3 Secret Storage, version 3): bytes in, bytes out; the caller keeps the file.

use aes::cipher::{KeyIvInit, StreamCipher};
use alloy::primitives::keccak256;
use serde::{Deserialize, Serialize};
use walrus_core::EvmAddress;
use walrus_env::Env;
use zeroize::Zeroizing;

type Aes128Ctr = ctr::Ctr128BE<aes::Aes128>;

/// Most memory the key derivation of a foreign file may take, in bytes.
const DERIVATION_BYTES_MAX: u64 = 1 << 30;
/// Most rounds of the PBKDF2 derivation accepted.
const ROUNDS_MAX: u32 = 10_000_000;

/// Why a key file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum KeystoreError {
    /// Not a key file of the known form.
    #[error("this is not an encrypted key file (version 3): {0}")]
    Form(#[from] serde_json::Error),
    /// A value that this program does not support.
    #[error("unsupported key file: {what}")]
    Unsupported {
        /// The value and what is supported.
        what: String,
    },
    /// The password does not open the file, or the file was altered.
    #[error("wrong password for the key file")]
    WrongPassword,
    /// The decrypted bytes are not a key.
    #[error("the key file does not hold a secp256k1 key")]
    NotAKey,
}

#[derive(Serialize, Deserialize)]
struct KeyFile {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(alias = "Crypto")]
    crypto: Crypto,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    version: u32,
}

#[derive(Serialize, Deserialize)]
struct Crypto {
    cipher: String,
    cipherparams: CipherParams,
    #[serde(with = "hex_text")]
    ciphertext: Vec<u8>,
    #[serde(flatten)]
    kdf: Derivation,
    #[serde(with = "hex_text")]
    mac: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct CipherParams {
    #[serde(with = "hex_text")]
    iv: Vec<u8>,
}

/// How the password becomes a key.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kdf", content = "kdfparams", rename_all = "lowercase")]
enum Derivation {
    Scrypt {
        dklen: u32,
        n: u64,
        p: u32,
        r: u32,
        #[serde(with = "hex_text")]
        salt: Vec<u8>,
    },
    Pbkdf2 {
        c: u32,
        dklen: u32,
        prf: String,
        #[serde(with = "hex_text")]
        salt: Vec<u8>,
    },
}

impl Derivation {
    fn derive(&self, password: &str) -> Result<Zeroizing<[u8; 32]>, KeystoreError> {
        let unsupported = |what: String| KeystoreError::Unsupported { what };
        let mut key = Zeroizing::new([0; 32]);
        match self {
            Self::Scrypt { dklen, n, p, r, salt } => {
                let memory = 128u64.saturating_mul(*n).saturating_mul(u64::from(*r));
                if *dklen != 32 || !n.is_power_of_two() || *p > 16 || memory > DERIVATION_BYTES_MAX
                {
                    let what = format!("scrypt with n {n}, r {r}, p {p}, {dklen} bytes");
                    return Err(unsupported(what));
                }
                // A power of two below 2^30 has fewer than 30 bits.
                let log_n = n.trailing_zeros() as u8;
                let params = scrypt::Params::new(log_n, *r, *p, 32)
                    .map_err(|error| unsupported(format!("scrypt: {error}")))?;
                scrypt::scrypt(password.as_bytes(), salt, &params, key.as_mut())
                    .expect("32 bytes is a valid output length");
            }
            Self::Pbkdf2 { c, dklen, prf, salt } => {
                if *dklen != 32 || prf != "hmac-sha256" || *c > ROUNDS_MAX {
                    let what = format!("pbkdf2 with {prf}, {c} rounds, {dklen} bytes");
                    return Err(unsupported(what));
                }
                let password = password.as_bytes();
                pbkdf2::pbkdf2_hmac::<sha2::Sha256>(password, salt, *c, key.as_mut());
            }
        }
        Ok(key)
    }
}

/// Opens a key file. Takes about as long as its author chose (commonly a second) and
/// blocks: call it inside [`Env::compute`].
///
/// # Errors
/// See [`KeystoreError`].
pub(crate) fn decrypt(file: &[u8], password: &str) -> Result<Zeroizing<[u8; 32]>, KeystoreError> {
    let file: KeyFile = serde_json::from_slice(file)?;
    let unsupported = |what: String| KeystoreError::Unsupported { what };
    if file.version != 3 {
        return Err(unsupported(format!("version {}, expected 3", file.version)));
    }
    let crypto = file.crypto;
    if crypto.cipher != "aes-128-ctr" {
        return Err(unsupported(format!("cipher {:?}, expected aes-128-ctr", crypto.cipher)));
    }
    let iv: [u8; 16] = crypto
        .cipherparams
        .iv
        .try_into()
        .map_err(|_| unsupported("an initial vector that is not 16 bytes".to_owned()))?;
    let key = crypto.kdf.derive(password)?;
    if mac(&key, &crypto.ciphertext)[..] != crypto.mac[..] {
        return Err(KeystoreError::WrongPassword);
    }
    let mut secret = Zeroizing::new([0; 32]);
    if crypto.ciphertext.len() != secret.len() {
        return Err(KeystoreError::NotAKey);
    }
    secret.copy_from_slice(&crypto.ciphertext);
    cipher(&key, &iv).apply_keystream(secret.as_mut());
    Ok(secret)
}

/// Writes a key file with scrypt at geth's standard strength (`log_n` 18: 256 MiB and
/// about a second) or a weaker one for tests.
pub(crate) fn encrypt(
    env: &Env,
    secret: &[u8; 32],
    address: EvmAddress,
    password: &str,
    log_n: u8,
) -> Vec<u8> {
    let mut random = [0; 64];
    env.entropy.fill("keystore", &mut random);
    let (salt, rest) = random.split_at(32);
    let (iv, rest) = rest.split_at(16);
    let iv: [u8; 16] = iv.try_into().expect("split at 16");
    let kdf = Derivation::Scrypt { dklen: 32, n: 1 << log_n, p: 1, r: 8, salt: salt.to_vec() };
    let key = kdf.derive(password).expect("these parameters are within the bounds");
    let mut ciphertext = secret.to_vec();
    cipher(&key, &iv).apply_keystream(&mut ciphertext);
    let file = KeyFile {
        address: Some(hex::encode(address.0)),
        id: Some(uuid(rest)),
        version: 3,
        crypto: Crypto {
            cipher: "aes-128-ctr".to_owned(),
            cipherparams: CipherParams { iv: iv.to_vec() },
            mac: mac(&key, &ciphertext).to_vec(),
            ciphertext,
            kdf,
        },
    };
    serde_json::to_vec_pretty(&file).expect("plain data always serialises")
}

fn cipher(key: &[u8; 32], iv: &[u8; 16]) -> Aes128Ctr {
    Aes128Ctr::new(key[..16].into(), iv.into())
}

/// Binds the cipher text to the password: the second half of the key, then the text.
fn mac(key: &[u8; 32], ciphertext: &[u8]) -> [u8; 32] {
    keccak256([&key[16..], ciphertext].concat()).0
}

/// A random (version 4) UUID of 16 bytes.
fn uuid(random: &[u8]) -> String {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&random[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let text = hex::encode(bytes);
    [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-")
}

/// Bytes as hex text without a prefix; a prefix is accepted.
mod hex_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(d)?;
        hex::decode(text.strip_prefix("0x").unwrap_or(&text)).map_err(D::Error::custom)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
#[path = "keystore/tests.rs"]
mod tests;
