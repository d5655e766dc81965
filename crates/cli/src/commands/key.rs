//! `walrus keygen` and `walrus key`: keys that content is encrypted to.

use std::{
    fs,
    io::{self, IsTerminal as _, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use serde_json::json;
use walrus_encryption::generate as new_key;
use walrus_env::Env;

use crate::{
    args::{KeyCommand, KeygenArgs},
    failure::{Failure, Kind, Outcome},
    node_file::write_file,
    output::Output,
    privacy,
};

/// Runs `walrus keygen`.
pub fn generate(arguments: &KeygenArgs, output: Output) -> Outcome {
    let key = new_key();
    let path = &arguments.out;
    write_new_secret(path, key.identity_file().as_bytes())?;
    let report = json!({ "file": path, "recipient": key.recipient });
    output.result(&report, |_| {
        format!(
            "Recipient  {}\nSecret key {}\n\nGive the recipient to those who store for you. Keep the file secret, and a copy of\nit: without it nothing that was encrypted to it can ever be read again.",
            key.recipient,
            path.display(),
        )
    });
    Ok(())
}

/// Runs `walrus key …`.
pub async fn run(env: &Env, command: &KeyCommand, output: Output) -> Outcome {
    match command {
        KeyCommand::Rotate { file, now, recipient, recipients_file, out } => {
            let recipients = privacy::recipients(recipient, recipients_file)?;
            if recipients.is_empty() {
                return Err(Failure::message(Kind::Usage, "who may read it from now on?")
                    .hint("name everybody with --recipient, yourself included"));
            }
            let key = privacy::blob_key(file, &privacy::keys(now)?)?;
            let target = out.as_deref().unwrap_or(file);
            let sealed = key.seal(&recipients)?;
            match out {
                Some(out) => write_new_secret(out, &sealed)?,
                None => write_file(file, &sealed, true)?,
            }
            let report = json!({ "file": target, "recipients": recipients.names() });
            output.result(&report, |_| {
                format!(
                    "{} can now be opened by {} recipients.\nCopies of the old file still open for the old ones: replace or remove those.",
                    target.display(),
                    recipients.names().len(),
                )
            });
        }
        KeyCommand::Destroy { file, yes } => {
            if !yes && !confirmed(file) {
                return Err(Failure::message(Kind::Usage, "nothing was destroyed")
                    .hint("say --yes: the blob will be unreadable for ever"));
            }
            destroy(env, file)?;
            output.result(&json!({ "file": file, "destroyed": true }), |_| {
                format!(
                    "{} was overwritten and removed.\nThe blob is as good as deleted once no copy of the key is left: backups, snapshots,\nan SSD's spare cells and whoever opened it before may still have one.",
                    file.display()
                )
            });
        }
    }
    Ok(())
}

/// Writes a file that must not be there yet, readable by its owner only.
pub fn write_new_secret(path: &Path, contents: &[u8]) -> Result<(), Failure> {
    let write = || -> io::Result<()> {
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(contents)?;
        file.sync_all()?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        fs::File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(|error| {
        let failure =
            Failure::message(Kind::Usage, format!("cannot write {}: {error}", path.display()));
        match error.kind() {
            io::ErrorKind::AlreadyExists => {
                failure.hint("name another file: a key is never replaced")
            }
            _ => failure,
        }
    })
}

fn confirmed(file: &Path) -> bool {
    if !io::stdin().is_terminal() {
        return false;
    }
    let question = format!("Destroy {} for ever? Type yes: ", file.display());
    let mut answer = String::new();
    io::stderr().write_all(question.as_bytes()).is_ok()
        && io::stdin().read_line(&mut answer).is_ok()
        && answer.trim() == "yes"
}

/// Overwrites the file where it lies, removes it, and makes both durable.
fn destroy(env: &Env, path: &Path) -> Outcome {
    let overwrite = || -> io::Result<()> {
        let metadata = fs::symlink_metadata(path)?;
        if !metadata.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        let mut noise = vec![0; usize::try_from(metadata.len()).unwrap_or(usize::MAX)];
        env.entropy.fill("overwrite a key", &mut noise);
        let mut file = fs::OpenOptions::new().write(true).open(path)?;
        file.write_all(&noise)?;
        file.sync_all()?;
        fs::remove_file(path)?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        fs::File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
    };
    // Only what is small and looks like a key file, so that a slip of the hand costs less.
    let start = fs::read(path).unwrap_or_default();
    if start.len() > 1 << 20 || !start.starts_with(b"age-encryption.org/v1\n") {
        return Err(Failure::message(Kind::Usage, format!("{} is not a key file", path.display()))
            .hint("`walrus store --key-file` writes them"));
    }
    overwrite().map_err(|error| {
        Failure::message(Kind::Failed, format!("cannot destroy {}: {error}", path.display()))
    })
}
