//! What opens sealed content: secret keys and passphrases.

use std::{io::Read as _, sync::Arc};

use age::{
    Callbacks,
    secrecy::{ExposeSecret as _, SecretString},
    ssh, x25519,
};
use zeroize::Zeroizing;

use crate::{error::KeyError, open::Opened};

/// Most work accepted to try a passphrase: 1 GiB of memory and some seconds.
const WORK_FACTOR_MAX: u8 = 20;
/// Longest key file that is looked into.
const KEY_FILE_BYTES_MAX: u64 = 1 << 20;

/// Asks for the passphrase of a key file, given a text that names it; nothing if there is
/// nobody to ask.
pub type AskPassphrase<'a> = &'a dyn Fn(&str) -> Option<Zeroizing<String>>;

/// Secret keys and passphrases, to be tried one after the other.
#[derive(Default)]
pub struct Keys {
    keys: Vec<Box<dyn age::Identity + Send + Sync>>,
    passphrases: usize,
}

impl Keys {
    /// Adds what is in a file: an age identity file, or a private SSH key. If the file is
    /// itself encrypted, `ask` is asked for its passphrase, once.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn add_identities(
        &mut self,
        file: &[u8],
        name: &str,
        ask: AskPassphrase<'_>,
    ) -> Result<(), KeyError> {
        if file.starts_with(b"age-encryption.org/") {
            let inner = self.open_key_file(file, name, ask)?;
            return self.add_age(&inner, name);
        }
        if file.starts_with(b"-----BEGIN") {
            return self.add_ssh(file, name, ask);
        }
        self.add_age(file, name)
    }

    /// Adds a passphrase.
    pub fn add_passphrase(&mut self, passphrase: &Zeroizing<String>) {
        let mut key = age::scrypt::Identity::new(SecretString::from(passphrase.as_str()));
        key.set_max_work_factor(WORK_FACTOR_MAX);
        self.keys.push(Box::new(key));
        self.passphrases += 1;
    }

    /// Whether there is nothing to try.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(crate) fn has_passphrase(&self) -> bool {
        self.passphrases > 0
    }

    pub(crate) fn has_key(&self) -> bool {
        self.keys.len() > self.passphrases
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &dyn age::Identity> {
        self.keys.iter().map(|key| -> &dyn age::Identity { key.as_ref() })
    }

    fn add_age(&mut self, file: &[u8], name: &str) -> Result<(), KeyError> {
        let no_key = |reason: String| KeyError::NoKey { name: name.to_owned(), reason };
        let before = self.keys.len();
        let identities = age::IdentityFile::from_buffer(file)
            .map_err(|error| no_key(error.to_string()))?
            .into_identities()
            .map_err(|error| no_key(error.to_string()))?;
        self.keys.extend(identities);
        if self.keys.len() == before {
            return Err(no_key("it has no line that begins with AGE-SECRET-KEY-1".to_owned()));
        }
        Ok(())
    }

    fn add_ssh(&mut self, file: &[u8], name: &str, ask: AskPassphrase<'_>) -> Result<(), KeyError> {
        let key = ssh::Identity::from_buffer(file, Some(name.to_owned())).map_err(|error| {
            KeyError::NoKey { name: name.to_owned(), reason: error.to_string() }
        })?;
        match key {
            ssh::Identity::Unsupported(_) => {
                return Err(KeyError::Unsupported { name: name.to_owned() });
            }
            ssh::Identity::Encrypted(_) => {
                // Asked for now, not in the middle of a read, and once.
                let passphrase = ask(name);
                let answer = Answer(passphrase.map(Arc::new));
                self.keys.push(Box::new(key.with_callbacks(answer)));
            }
            key => self.keys.push(Box::new(key)),
        }
        Ok(())
    }

    /// Opens an encrypted identity file with the keys there are, or by its passphrase.
    fn open_key_file(
        &self,
        file: &[u8],
        name: &str,
        ask: AskPassphrase<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let locked = |source| KeyError::Locked { name: name.to_owned(), source: Box::new(source) };
        let opened = match Opened::new(std::io::Cursor::new(file), self) {
            Err(crate::OpenError::NeedsPassphrase) => {
                let mut own = Self::default();
                if let Some(passphrase) = ask(name) {
                    own.add_passphrase(&passphrase);
                }
                Opened::new(std::io::Cursor::new(file), &own)
            }
            other => other,
        };
        let mut opened = opened.map_err(locked)?;
        let mut inner = Zeroizing::new(Vec::new());
        let read = opened.reader().take(KEY_FILE_BYTES_MAX).read_to_end(&mut inner);
        read.map_err(|error| locked(crate::OpenError::Read(error)))?;
        Ok(inner)
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys({})", self.keys.len())
    }
}

/// Answers every question for a passphrase with the one that was given.
#[derive(Clone)]
struct Answer(Option<Arc<Zeroizing<String>>>);

impl Callbacks for Answer {
    fn display_message(&self, _: &str) {}

    fn confirm(&self, _: &str, _: &str, _: Option<&str>) -> Option<bool> {
        None
    }

    fn request_public_string(&self, _: &str) -> Option<String> {
        None
    }

    fn request_passphrase(&self, _: &str) -> Option<SecretString> {
        self.0.as_ref().map(|passphrase| SecretString::from(passphrase.as_str()))
    }
}

/// A key pair that was just made.
pub struct NewKey {
    secret: SecretString,
    /// The public half, `age1…`: to be given away.
    pub recipient: String,
}

impl NewKey {
    /// The contents of an age identity file with this key: to be kept secret.
    pub fn identity_file(&self) -> Zeroizing<String> {
        let secret = self.secret.expose_secret();
        Zeroizing::new(format!("# public key: {}\n{secret}\n", self.recipient))
    }
}

impl std::fmt::Debug for NewKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewKey({})", self.recipient)
    }
}

/// Makes an X25519 key pair.
pub fn generate() -> NewKey {
    let identity = x25519::Identity::generate();
    NewKey { secret: identity.to_string(), recipient: identity.to_public().to_string() }
}
