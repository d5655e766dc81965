//! What can go wrong, by what the caller can do about it.

use std::io;

/// A recipient that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecipientError {
    /// No recipient at all.
    #[error("{0:?} is not a recipient: they begin with `age1`, `ssh-ed25519` or `ssh-rsa`")]
    Unknown(String),
    /// A secret key where a public one belongs.
    #[error(
        "this is a secret key, not a recipient: name its public half, which begins with `age1`"
    )]
    Secret,
    /// A recipient of a known kind with a mistake in it.
    #[error("{text:?} is not a valid recipient: {reason}")]
    Invalid {
        /// What was given.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A passphrase excludes every other way in.
    #[error("a passphrase cannot be combined with other recipients or a second passphrase")]
    Mixed,
    /// An empty passphrase protects nothing.
    #[error("the passphrase is empty")]
    EmptyPassphrase,
}

/// A key that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Neither an age identity file nor a private SSH key.
    #[error("{name} holds no key: {reason}")]
    NoKey {
        /// The file.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A kind of SSH key that is not supported.
    #[error(
        "{name} is a kind of SSH key that cannot decrypt: ssh-ed25519 and ssh-rsa can, but not on a security key nor in the old PEM encryption (`ssh-keygen -p` changes that)"
    )]
    Unsupported {
        /// The file.
        name: String,
    },
    /// An encrypted identity file that was not opened.
    #[error("{name} is encrypted itself and was not opened: {source}")]
    Locked {
        /// The file.
        name: String,
        /// Why not.
        source: Box<OpenError>,
    },
}

/// Why something was not sealed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// Nobody could ever read it.
    #[error("there is no recipient")]
    NoRecipients,
    /// The list of recipients is longer than readers accept.
    #[error("the recipients take {bytes} bytes, at most {max} are possible: name fewer")]
    TooManyRecipients {
        /// Bytes that they take.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// The recipients exclude each other.
    #[error("it cannot be encrypted to these recipients: {0}")]
    Recipients(String),
    /// The content could not be read.
    #[error("the content cannot be read: {0}")]
    Read(#[source] io::Error),
    /// The result could not be written.
    #[error("the encrypted content cannot be written: {0}")]
    Write(#[source] io::Error),
}

/// Why something that is sealed was not opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// It is no age file.
    #[error("it is not encrypted in the age format")]
    NotEncrypted,
    /// Its beginning is damaged, or of a version that is not known.
    #[error("it begins like an age file, but its header is damaged or not understood")]
    BadHeader,
    /// The key fits, the header was changed after it was written.
    #[error("its header was changed after it was encrypted")]
    HeaderChanged,
    /// None of the keys fits.
    #[error("it is not encrypted to any of the given keys")]
    WrongKey,
    /// The passphrase does not fit.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// It was encrypted with a passphrase and only keys were given.
    #[error("it is encrypted with a passphrase, and none was given")]
    NeedsPassphrase,
    /// It was encrypted to keys and only a passphrase was given.
    #[error("it is encrypted to keys, not with a passphrase, and no key was given")]
    NeedsKey,
    /// Trying the passphrase would take too long.
    #[error("checking its passphrase would take 2^{work} steps, more than is accepted")]
    TooMuchWork {
        /// The work factor that it asks for.
        work: u8,
    },
    /// It ends too early, or its last chunk was changed.
    #[error("it was cut short, or its end was changed, after it was encrypted")]
    BadEnd,
    /// It could not be read.
    #[error("it cannot be read: {0}")]
    Read(#[source] io::Error),
}

/// Why content that was opened was not copied to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// It is not what was encrypted.
    #[error(
        "it was changed after it was encrypted: the {chunk}th chunk of 64 KiB is not authentic"
    )]
    Changed {
        /// The chunk, counted from 1.
        chunk: u64,
    },
    /// The part asked for is not in it.
    #[error("bytes {start} to {end} were asked for, the content has {length}")]
    NotInContent {
        /// First byte.
        start: u64,
        /// Behind the last byte.
        end: u64,
        /// Bytes of the content.
        length: u64,
    },
    /// It could not be read.
    #[error("it cannot be read: {0}")]
    Read(#[source] io::Error),
    /// The content could not be written.
    #[error("the content cannot be written: {0}")]
    Write(#[source] io::Error),
}
