//! Keeping content private: `walrus store --encrypt`, `read --identity`, `keygen`, `key`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

/// Whether and for whom a file is encrypted.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Encryption")]
pub struct EncryptArgs {
    /// Encrypt it before it leaves this machine; the options below imply this
    #[arg(long)]
    pub encrypt: bool,
    /// Who may read it: age1…, ssh-ed25519 … or ssh-rsa …; may be repeated
    #[arg(long, value_name = "KEY")]
    pub recipient: Vec<String>,
    /// File with one recipient a line; may be repeated
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub recipients_file: Vec<PathBuf>,
    /// Encrypt with a passphrase: asked for, or taken from WALRUS_PASSPHRASE
    #[arg(long, conflicts_with_all = ["recipient", "recipients_file"])]
    pub passphrase: bool,
    /// File with the passphrase on its first line
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["recipient", "recipients_file"])]
    pub passphrase_file: Option<PathBuf>,
    /// Encrypt to a new key for this blob alone, and write that key here, encrypted to the
    /// recipients: who may read can then be changed (`walrus key rotate`) without the blob
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub key_file: Option<PathBuf>,
    /// How the length is hidden
    #[arg(long, value_name = "HOW", default_value = "padme")]
    pub padding: PaddingChoice,
}

impl EncryptArgs {
    /// Whether anything is to be encrypted.
    pub fn is_wanted(&self) -> bool {
        self.encrypt
            || self.passphrase
            || self.passphrase_file.is_some()
            || self.key_file.is_some()
            || !self.recipient.is_empty()
            || !self.recipients_file.is_empty()
    }
}

/// How the length of what is encrypted is hidden.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum PaddingChoice {
    /// At least 64 KiB, then at most 12 % more; `age` shows zeros and one line after the content
    #[default]
    Padme,
    /// Not at all: `age` shows the content and nothing else
    None,
}

/// What decrypts a blob.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Decryption")]
pub struct DecryptArgs {
    /// Decrypt with this key: a file of `walrus keygen` or `age-keygen`, or a private SSH key;
    /// may be repeated
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub identity: Vec<PathBuf>,
    /// Decrypt with a passphrase: asked for, or taken from WALRUS_PASSPHRASE
    #[arg(long)]
    pub passphrase: bool,
    /// File with the passphrase on its first line
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub passphrase_file: Option<PathBuf>,
    /// The blob's own key, as `store --key-file` wrote it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub key_file: Option<PathBuf>,
}

impl DecryptArgs {
    /// Whether anything is to be decrypted.
    pub fn is_wanted(&self) -> bool {
        self.passphrase
            || self.passphrase_file.is_some()
            || self.key_file.is_some()
            || !self.identity.is_empty()
    }
}

/// `walrus keygen`
#[derive(Debug, Args)]
pub struct KeygenArgs {
    /// Where to write the secret key; must not exist
    #[arg(long, short, value_name = "FILE", default_value = "walrus-key.txt", value_hint = ValueHint::FilePath)]
    pub out: PathBuf,
}

/// `walrus key …`
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Change who may read a blob that was stored with --key-file
    Rotate {
        /// The blob's key file; it is replaced
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// What opens the key file now.
        #[command(flatten)]
        now: DecryptKeyArgs,
        /// Who may read from now on: age1…, ssh-ed25519 … or ssh-rsa …; may be repeated
        #[arg(long, value_name = "KEY")]
        recipient: Vec<String>,
        /// File with one recipient a line; may be repeated
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        recipients_file: Vec<PathBuf>,
        /// Write the new key file here and keep the old one
        #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
        out: Option<PathBuf>,
    },
    /// Forget a blob that was stored with --key-file: overwrite and remove its key file
    Destroy {
        /// The blob's key file
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// What opens a key file.
#[derive(Clone, Debug, Default, Args)]
pub struct DecryptKeyArgs {
    /// A key that opens it; may be repeated
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub identity: Vec<PathBuf>,
    /// A passphrase opens it: asked for, or taken from WALRUS_PASSPHRASE
    #[arg(long)]
    pub passphrase: bool,
    /// File with the passphrase on its first line
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub passphrase_file: Option<PathBuf>,
}
