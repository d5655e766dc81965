//! Those who may read.

use age::{secrecy::SecretString, ssh, x25519};
use zeroize::Zeroizing;

use crate::error::RecipientError;

/// Work that a passphrase costs to try: as the age program's default, about a second.
const WORK_FACTOR: u8 = 18;

/// Those to whom something is sealed: any number of keys, or one passphrase.
#[derive(Default)]
pub struct Recipients {
    keys: Vec<Box<dyn age::Recipient + Send + Sync>>,
    names: Vec<String>,
    has_passphrase: bool,
}

impl Recipients {
    /// Adds a public key: `age1…`, `ssh-ed25519 …` or `ssh-rsa …`.
    ///
    /// # Errors
    /// See [`RecipientError`].
    pub fn add(&mut self, text: &str) -> Result<(), RecipientError> {
        if self.has_passphrase {
            return Err(RecipientError::Mixed);
        }
        let text = text.trim();
        let key: Box<dyn age::Recipient + Send + Sync> = if text.starts_with("age1") {
            let key: x25519::Recipient =
                text.parse().map_err(|reason: &str| invalid(text, reason.to_owned()))?;
            Box::new(key)
        } else if text.starts_with("ssh-") {
            let key: ssh::Recipient =
                text.parse().map_err(|error| invalid(text, ssh_reason(&error)))?;
            Box::new(key)
        } else if text.to_ascii_uppercase().starts_with("AGE-SECRET-KEY") {
            return Err(RecipientError::Secret);
        } else {
            return Err(RecipientError::Unknown(text.to_owned()));
        };
        self.keys.push(key);
        self.names.push(text.to_owned());
        Ok(())
    }

    /// Adds the recipients of a file: one a line, with empty lines and `#` comments between.
    ///
    /// # Errors
    /// See [`RecipientError`].
    pub fn add_file(&mut self, text: &str) -> Result<(), RecipientError> {
        let lines = text.lines().map(str::trim);
        lines
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .try_for_each(|line| self.add(line))
    }

    /// Adds a passphrase, which must be the only way in.
    ///
    /// # Errors
    /// See [`RecipientError`].
    pub fn add_passphrase(&mut self, passphrase: &Zeroizing<String>) -> Result<(), RecipientError> {
        if !self.keys.is_empty() {
            return Err(RecipientError::Mixed);
        }
        if passphrase.is_empty() {
            return Err(RecipientError::EmptyPassphrase);
        }
        let mut key = age::scrypt::Recipient::new(SecretString::from(passphrase.as_str()));
        key.set_work_factor(WORK_FACTOR);
        self.keys.push(Box::new(key));
        self.has_passphrase = true;
        Ok(())
    }

    /// Whether there is none yet.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether it is a passphrase.
    pub fn has_passphrase(&self) -> bool {
        self.has_passphrase
    }

    /// The public keys, sorted; none for a passphrase.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &dyn age::Recipient> {
        self.keys.iter().map(|key| -> &dyn age::Recipient { key.as_ref() })
    }
}

impl std::fmt::Debug for Recipients {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recipients").field("names", &self.names).finish_non_exhaustive()
    }
}

fn invalid(text: &str, reason: String) -> RecipientError {
    RecipientError::Invalid { text: text.to_owned(), reason }
}

fn ssh_reason(error: &ssh::ParseRecipientKeyError) -> String {
    use ssh::ParseRecipientKeyError as Error;
    match error {
        Error::RsaModulusTooSmall => "RSA keys below 2048 bits are too weak".to_owned(),
        Error::RsaModulusTooLarge => "RSA keys above 4096 bits are not supported".to_owned(),
        Error::Unsupported(kind) => format!("keys of the kind {kind} cannot encrypt"),
        Error::Invalid(reason) => (*reason).to_owned(),
        _ => "keys of this kind cannot encrypt".to_owned(),
    }
}
