//! Who may read, and with what: recipients, keys and passphrases as the command line names
//! them, and what a failure to decrypt means.

use std::{fs, io::IsTerminal as _, path::Path};

use walrus_encryption::{
    BlobKey, CopyError, KeyError, Keys, OpenError, Padding, RecipientError, Recipients, SealError,
};
use zeroize::Zeroizing;

use crate::{
    args::{DecryptArgs, DecryptKeyArgs, EncryptArgs, PaddingChoice},
    failure::{Failure, Kind},
};

/// Longest key, recipients or passphrase file.
const FILE_BYTES_MAX: u64 = 1 << 20;
const PASSPHRASE_VARIABLE: &str = "WALRUS_PASSPHRASE";

/// What a file is encrypted with.
pub struct Encryption {
    /// Those who may read it, or its key file.
    pub recipients: Recipients,
    /// Opens what a passphrase sealed, to recognise it.
    pub passphrase: Option<Keys>,
    /// How its length is hidden.
    pub padding: Padding,
}

/// What the arguments say about encryption; nothing if they ask for none.
pub fn encryption(arguments: &EncryptArgs) -> Result<Option<Encryption>, Failure> {
    if !arguments.is_wanted() {
        return Ok(None);
    }
    let padding = match arguments.padding {
        PaddingChoice::Padme => Padding::Padme,
        PaddingChoice::None => Padding::None,
    };
    let EncryptArgs { passphrase, passphrase_file, .. } = arguments;
    let passphrase = chosen_passphrase(*passphrase, passphrase_file.as_deref(), true)?;
    let mut recipients = recipients(&arguments.recipient, &arguments.recipients_file)?;
    let keys = match &passphrase {
        Some(passphrase) => {
            recipients.add_passphrase(passphrase)?;
            let mut keys = Keys::default();
            keys.add_passphrase(passphrase);
            Some(keys)
        }
        None => None,
    };
    if recipients.is_empty() {
        return Err(Failure::message(Kind::Usage, "encrypt it for whom?")
            .hint("name --recipient age1… (`walrus keygen` makes one) or --passphrase"));
    }
    Ok(Some(Encryption { recipients, passphrase: keys, padding }))
}

/// Recipients from the command line and from files.
pub fn recipients(texts: &[String], files: &[impl AsRef<Path>]) -> Result<Recipients, Failure> {
    let mut recipients = Recipients::default();
    for text in texts {
        recipients.add(text)?;
    }
    for file in files {
        let file = file.as_ref();
        let bytes = read(file)?;
        recipients.add_file(&String::from_utf8_lossy(&bytes)).map_err(|error| {
            Failure::new(Kind::Usage, error).hint(format!("it is in {}", file.display()))
        })?;
    }
    Ok(recipients)
}

/// What the arguments say about decryption; nothing if they ask for none.
pub fn decryption(arguments: &DecryptArgs) -> Result<Option<Keys>, Failure> {
    if !arguments.is_wanted() {
        return Ok(None);
    }
    let keys = keys(&DecryptKeyArgs {
        identity: arguments.identity.clone(),
        passphrase: arguments.passphrase,
        passphrase_file: arguments.passphrase_file.clone(),
    })?;
    let Some(key_file) = &arguments.key_file else { return Ok(Some(keys)) };
    let name = key_file.display().to_string();
    Ok(Some(blob_key(key_file, &keys)?.keys(&name)?))
}

/// The keys and passphrases that the arguments name.
pub fn keys(arguments: &DecryptKeyArgs) -> Result<Keys, Failure> {
    let mut keys = Keys::default();
    let DecryptKeyArgs { passphrase, passphrase_file, .. } = arguments;
    if let Some(passphrase) = chosen_passphrase(*passphrase, passphrase_file.as_deref(), false)? {
        keys.add_passphrase(&passphrase);
    }
    for file in &arguments.identity {
        let name = file.display().to_string();
        keys.add_identities(&read(file)?, &name, &|name| {
            prompt(&format!("Passphrase of {name}: "))
        })?;
    }
    Ok(keys)
}

/// Opens the key file of a blob.
pub fn blob_key(path: &Path, keys: &Keys) -> Result<BlobKey, Failure> {
    BlobKey::open(&read(path)?, keys)
        .map_err(|error| open_failure(&path.display().to_string(), error))
}

/// A small file with secrets.
fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let cannot = |reason: String| {
        Failure::message(Kind::Usage, format!("cannot read {}: {reason}", path.display()))
    };
    let length = fs::metadata(path).map_err(|error| cannot(error.to_string()))?.len();
    if length > FILE_BYTES_MAX {
        return Err(cannot("it is too large for a file of keys".to_owned()));
    }
    fs::read(path).map(Zeroizing::new).map_err(|error| cannot(error.to_string()))
}

/// The passphrase, if one is wanted: from the file, the environment or the terminal.
fn chosen_passphrase(
    wanted: bool,
    file: Option<&Path>,
    is_new: bool,
) -> Result<Option<Zeroizing<String>>, Failure> {
    if let Some(file) = file {
        let bytes = read(file)?;
        let text = Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
        return Ok(Some(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned())));
    }
    if !wanted {
        return Ok(None);
    }
    if let Some(value) = std::env::var(PASSPHRASE_VARIABLE).ok().filter(|value| !value.is_empty()) {
        return Ok(Some(Zeroizing::new(value)));
    }
    let missing = || {
        Failure::message(Kind::Usage, "there is no terminal to ask for the passphrase")
            .hint(format!("set {PASSPHRASE_VARIABLE}, or name a --passphrase-file"))
    };
    let passphrase = prompt("Passphrase: ").ok_or_else(missing)?;
    if is_new && prompt("The same again: ").ok_or_else(missing)? != passphrase {
        return Err(Failure::message(Kind::Usage, "the passphrases differ"));
    }
    Ok(Some(passphrase))
}

/// Asks at the terminal, without showing what is typed.
fn prompt(text: &str) -> Option<Zeroizing<String>> {
    if !std::io::stderr().is_terminal() {
        return None;
    }
    rpassword::prompt_password(text).ok().map(Zeroizing::new)
}

/// What it means that `what` cannot be decrypted.
pub fn open_failure(what: &str, error: OpenError) -> Failure {
    let (kind, hint) = match &error {
        OpenError::NotEncrypted => (
            Kind::Usage,
            "read it without --identity and --passphrase; if it must be encrypted, it is another blob",
        ),
        OpenError::WrongKey => {
            (Kind::Usage, "name another key with --identity; whoever stored it knows for which one")
        }
        OpenError::WrongPassphrase => (Kind::Usage, "try again; capitals and spaces count"),
        OpenError::NeedsPassphrase => (Kind::Usage, "add --passphrase"),
        OpenError::NeedsKey => (Kind::Usage, "name the key with --identity"),
        OpenError::TooMuchWork { .. } => {
            (Kind::Failed, "if you trust it, decrypt it with the age program")
        }
        OpenError::BadHeader | OpenError::HeaderChanged | OpenError::BadEnd => {
            (Kind::Failed, STORED_SO)
        }
        _ => (Kind::Failed, "see what the system says, and try again"),
    };
    Failure::message(kind, format!("{what} cannot be decrypted: {error}")).hint(hint)
}

/// A blob that was read is what its id promises.
const STORED_SO: &str =
    "the blob is what was stored under its id: it was damaged before, ask for another copy";

/// What it means that `what` was not decrypted to its end.
pub fn copy_failure(what: &str, error: CopyError) -> Failure {
    match error {
        CopyError::NotInContent { .. } => Failure::new(Kind::Usage, error),
        CopyError::Changed { .. } => {
            Failure::message(Kind::Failed, format!("{what} cannot be decrypted: {error}"))
                .hint(STORED_SO)
        }
        other => Failure::message(Kind::Failed, format!("{what} was not decrypted: {other}")),
    }
}

impl From<RecipientError> for Failure {
    fn from(error: RecipientError) -> Self {
        Self::new(Kind::Usage, error)
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        let failure = Self::new(Kind::Usage, error);
        failure.hint(
            "`walrus keygen` makes a key; `ssh-keygen -t ed25519` makes one that SSH uses too",
        )
    }
}

impl From<SealError> for Failure {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Write(_) => {
                Self::new(Kind::Failed, error).hint("choose another directory with --spill-dir")
            }
            SealError::Read(_) => Self::new(Kind::Failed, error),
            error => Self::new(Kind::Usage, error),
        }
    }
}
