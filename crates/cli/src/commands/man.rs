//! `walrus man`: a manual page for every command, made of what `--help` says.

use std::path::Path;

use anyhow::Context as _;
use clap::{Command, CommandFactory as _};
use serde_json::json;

use crate::{
    args::{Arguments, ManArgs},
    failure::Outcome,
    node_file::write_file,
    output::Output,
};

/// Runs `walrus man`.
pub fn run(arguments: &ManArgs, output: Output) -> Outcome {
    let directory = &arguments.out;
    std::fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
    let mut command = Arguments::command();
    command.build();
    let mut pages = Vec::new();
    write(&command, "walrus", directory, &mut pages)?;
    let report = json!({ "directory": directory, "pages": pages });
    output.result(&report, |_| {
        format!(
            "Wrote {} pages to {}.\nRead one with `man -l {}/walrus-store.1`.",
            pages.len(),
            directory.display(),
            directory.display()
        )
    });
    Ok(())
}

/// The page of a command and those of its subcommands.
fn write(command: &Command, name: &str, directory: &Path, pages: &mut Vec<String>) -> Outcome {
    let mut page = Vec::new();
    let man = clap_mangen::Man::new(command.clone()).title(name.to_uppercase());
    man.render(&mut page).context("a manual page")?;
    let file = format!("{name}.1");
    write_file(&directory.join(&file), &page, false)?;
    pages.push(file);
    for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
        write(inner, &format!("{name}-{}", inner.get_name()), directory, pages)?;
    }
    Ok(())
}
