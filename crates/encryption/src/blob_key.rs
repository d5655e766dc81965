//! A key for one blob, in a file of its own.
//!
//! The blob is sealed to a key pair made for it. The secret half, as an age identity file, is
//! sealed to those who may read the blob: the *key file*. To change who may read, only the
//! key file is sealed again. To forget the blob, all copies of the key file are destroyed.
//!
//! Everything is plain age: `age -d -i me.txt key.age | age -d -i - blob.age`.

use std::io::{Cursor, Read as _};

use zeroize::Zeroizing;

use crate::{
    error::{OpenError, SealError},
    keys::{Keys, NewKey, generate},
    open::Opened,
    padding::Padding,
    recipients::Recipients,
    seal::seal,
};

/// Longest key that a key file may hold.
const IDENTITY_BYTES_MAX: u64 = 64 * 1024;

/// The secret key of one blob.
pub struct BlobKey {
    identity_file: Zeroizing<String>,
}

impl BlobKey {
    /// Makes a key; also returns whom to seal the blob to.
    pub fn create() -> (Self, Recipients) {
        let key: NewKey = generate();
        let mut recipients = Recipients::default();
        recipients.add(&key.recipient).expect("a recipient that was just made is one");
        (Self { identity_file: key.identity_file() }, recipients)
    }

    /// Opens a key file.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(key_file: &[u8], keys: &Keys) -> Result<Self, OpenError> {
        let mut opened = Opened::new(Cursor::new(key_file), keys)?;
        let mut text = Zeroizing::new(String::new());
        let read = opened.reader().take(IDENTITY_BYTES_MAX).read_to_string(&mut text);
        read.map_err(OpenError::Read)?;
        Ok(Self { identity_file: text })
    }

    /// The contents of a key file that these recipients can open.
    ///
    /// # Errors
    /// See [`SealError`].
    pub fn seal(&self, recipients: &Recipients) -> Result<Vec<u8>, SealError> {
        let mut file = Vec::new();
        // Every key file is about as long as every other: nothing is to be hidden.
        seal(recipients, Padding::None, &mut self.identity_file.as_bytes(), &mut file)?;
        Ok(file)
    }

    /// What opens the blob.
    ///
    /// # Errors
    /// [`KeyError`](crate::KeyError) if the key file held something else.
    pub fn keys(&self, name: &str) -> Result<Keys, crate::KeyError> {
        let mut keys = Keys::default();
        keys.add_identities(self.identity_file.as_bytes(), name, &|_| None)?;
        Ok(keys)
    }
}

impl std::fmt::Debug for BlobKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BlobKey")
    }
}
