//! The key of an account: reading it, keeping it, signing with it.

use std::{fmt, sync::Arc, time::Duration};

use alloy::{
    consensus::{SignableTransaction, TxEip1559},
    eips::Encodable2718,
    primitives::{Address, B256, Bytes, Signature},
};
use k256::ecdsa::SigningKey;
use walrus_core::EvmAddress;
use walrus_env::Env;
use zeroize::Zeroizing;

use crate::keystore::{self, KeystoreError};

/// Why the text of a key was refused. Never holds any part of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WalletError {
    /// Not 64 hex digits.
    #[error("a raw key is 64 hexadecimal digits, with or without 0x")]
    NotHex,
    /// Zero, or not below the order of the curve.
    #[error("the number is not a secp256k1 key")]
    OutOfRange,
}

/// How hard it is to guess the password of a key file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeystoreStrength {
    /// As geth does it: 256 MiB of memory and about a second.
    Standard,
    /// As foundry does it: 8 MiB and some milliseconds. For development accounts.
    Light,
}

/// A secp256k1 account key. Cheap to clone; `Debug` prints only the address.
#[derive(Clone)]
pub struct Wallet {
    key: Arc<SigningKey>,
    address: Address,
}

impl Wallet {
    /// Takes the secret number, 32 bytes big endian.
    ///
    /// # Errors
    /// [`WalletError::OutOfRange`].
    pub fn from_bytes(secret: &[u8; 32]) -> Result<Self, WalletError> {
        let key = SigningKey::from_slice(secret).map_err(|_| WalletError::OutOfRange)?;
        let address = Address::from_public_key(key.verifying_key());
        Ok(Self { key: Arc::new(key), address })
    }

    /// Reads the secret number as 64 hex digits; `0x` and white space around are ignored.
    ///
    /// # Errors
    /// [`WalletError::NotHex`], [`WalletError::OutOfRange`].
    pub fn from_hex(text: &str) -> Result<Self, WalletError> {
        let text = text.trim();
        let mut secret = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), secret.as_mut())
            .map_err(|_| WalletError::NotHex)?;
        Self::from_bytes(&secret)
    }

    /// A new key out of the environment's entropy.
    pub fn random(env: &Env) -> Self {
        let mut secret = Zeroizing::new([0; 32]);
        loop {
            env.entropy.fill("wallet", secret.as_mut());
            // One number in 2^128 is out of range.
            if let Ok(wallet) = Self::from_bytes(&secret) {
                return wallet;
            }
        }
    }

    /// Opens an encrypted key file, given as its bytes.
    ///
    /// # Errors
    /// See [`KeystoreError`].
    pub async fn from_keystore(
        env: &Env,
        file: Vec<u8>,
        password: Zeroizing<String>,
    ) -> Result<Self, KeystoreError> {
        let cost = Duration::from_secs(1);
        let secret = env.compute(cost, move || keystore::decrypt(&file, &password)).await?;
        Self::from_bytes(&secret).map_err(|_| KeystoreError::NotAKey)
    }

    /// The bytes of an encrypted key file for this key, JSON as geth, foundry and
    /// MetaMask read it.
    pub async fn to_keystore(
        &self,
        env: &Env,
        password: Zeroizing<String>,
        strength: KeystoreStrength,
    ) -> Vec<u8> {
        let (log_n, cost) = match strength {
            KeystoreStrength::Standard => (18, Duration::from_secs(1)),
            KeystoreStrength::Light => (13, Duration::from_millis(30)),
        };
        let (wallet, inner) = (self.clone(), env.clone());
        env.compute(cost, move || {
            let secret = Zeroizing::new(wallet.key.to_bytes().into());
            keystore::encrypt(&inner, &secret, wallet.address(), &password, log_n)
        })
        .await
    }

    /// The secret number as 0x and 64 hex digits, for handing to another program.
    pub fn to_hex(&self) -> Zeroizing<String> {
        let secret: Zeroizing<[u8; 32]> = Zeroizing::new(self.key.to_bytes().into());
        Zeroizing::new(format!("0x{}", hex::encode(secret.as_slice())))
    }

    /// The account.
    pub fn address(&self) -> EvmAddress {
        EvmAddress(self.address.into())
    }

    pub(crate) fn account(&self) -> Address {
        self.address
    }

    /// Signs a hash of structured data: both halves, and whether the point is odd.
    pub(crate) fn sign_hash(&self, hash: B256) -> ([u8; 32], [u8; 32], bool) {
        let (signature, recovery) = self
            .key
            .sign_prehash_recoverable(hash.as_slice())
            .expect("a valid key signs any 32 bytes");
        let (r, s) = signature.split_bytes();
        (r.into(), s.into(), recovery.is_y_odd())
    }

    /// Signs a transaction; returns its hash and the bytes to send.
    pub(crate) fn sign(&self, transaction: TxEip1559) -> (B256, Bytes) {
        let hash = transaction.signature_hash();
        let (signature, recovery) = self
            .key
            .sign_prehash_recoverable(hash.as_slice())
            .expect("a valid key signs any 32 bytes");
        let signature = Signature::from_signature_and_parity(signature, recovery.is_y_odd());
        let signed = transaction.into_signed(signature);
        (*signed.hash(), signed.encoded_2718().into())
    }
}

impl fmt::Debug for Wallet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wallet({})", self.address())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_key_gives_its_known_address_and_other_text_is_refused() {
        // A wrong address would lose whatever is sent to it.
        let key = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
        let wallet = Wallet::from_hex(&format!(" {key}\n")).unwrap();
        assert_eq!(wallet.address().to_string(), "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266");
        assert_eq!(*wallet.to_hex(), key);
        assert!(!format!("{wallet:?}").contains("ac0974"));
        for bad in ["", "0x", &key[..65], &format!("{key}0"), &"g".repeat(64)] {
            assert_eq!(Wallet::from_hex(bad).unwrap_err(), WalletError::NotHex, "{bad}");
        }
        for bad in ["0".repeat(64), "f".repeat(64)] {
            assert_eq!(Wallet::from_hex(&bad).unwrap_err(), WalletError::OutOfRange);
        }
    }
}
