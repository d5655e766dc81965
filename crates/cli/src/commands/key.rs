//! `walrus keygen` and `walrus key`: keys that content is encrypted to.

use std::{
    fs,
    io::{self, IsTerminal as _, Write},
    path::Path,
};

use serde_json::json;
use walrus_encryption::generate as new_key;
use walrus_env::Env;

use crate::{
    args::{KeyCommand, KeygenArgs},
    failure::{Failure, Kind, Outcome},
    output::Output,
    privacy, secret_file,
};

/// Runs `walrus keygen`.
pub fn generate(arguments: &KeygenArgs, output: Output) -> Outcome {
    let key = new_key();
    let path = &arguments.out;
    secret_file::write_new(path, key.identity_file().as_bytes())?;
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
                Some(out) => secret_file::write_new(out, &sealed)?,
                None => secret_file::replace(env, file, &sealed)?,
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

fn destroy(env: &Env, path: &Path) -> Outcome {
    // Only what is small and looks like a key file, so that a slip of the hand costs less.
    let start = fs::read(path).unwrap_or_default();
    if start.len() > 1 << 20 || !start.starts_with(b"age-encryption.org/v1\n") {
        return Err(Failure::message(Kind::Usage, format!("{} is not a key file", path.display()))
            .hint("`walrus store --key-file` writes them"));
    }
    secret_file::destroy(env, path).map_err(|error| {
        Failure::message(Kind::Failed, format!("cannot destroy {}: {error}", path.display()))
    })
}
