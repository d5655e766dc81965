//! The files that become a quilt: their names there, their types, their contents.

use std::path::{Path, PathBuf};

use walrus_redstuff::quilt::{Tags, TagsError};
use walrus_sdk::{QuiltFile, Source};

use crate::failure::{Failure, Kind};

/// No network has room for more files in one quilt; directories are not searched for more.
const FILES_MAX: usize = 65_536;
/// The tag that says what kind of file it is.
const CONTENT_TYPE: &str = "content-type";

/// The files that these paths lead to. A file is called by its name, a file in a directory by its path
/// within it, with `/` between its parts.
pub fn files(paths: &[PathBuf], tags: &[(String, String)]) -> Result<Vec<QuiltFile>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        let metadata = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
        if metadata.is_dir() {
            walk(path, &mut found)?;
        } else {
            // A pipe has no length to plan with.
            check_regular(path, metadata.file_type())?;
            let name = path.file_name().unwrap_or(path.as_os_str());
            found.push((text(path, name)?.to_owned(), path.clone()));
        }
    }
    if found.is_empty() {
        return Err(Failure::message(Kind::Usage, "there are no files to store")
            .hint("quilts keep files only: empty directories are not stored"));
    }
    found.into_iter().map(|(identifier, path)| file(identifier, path, tags)).collect()
}

fn file(
    identifier: String,
    path: PathBuf,
    tags: &[(String, String)],
) -> Result<QuiltFile, Failure> {
    let given = |key: &str| tags.iter().any(|(name, _)| name == key);
    let guessed = mime_guess::from_path(&path).first_raw().filter(|_| !given(CONTENT_TYPE));
    let all = tags.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let tags = Tags::new(all.chain(guessed.map(|kind| (CONTENT_TYPE, kind))));
    let tags = tags.map_err(|error: TagsError| Failure::new(Kind::Usage, error))?;
    Ok(QuiltFile { identifier, tags, content: Source::file(path) })
}

/// Finds the files in a directory and those below it, in the order of their names.
fn walk(root: &Path, found: &mut Vec<(String, PathBuf)>) -> Result<(), Failure> {
    let mut open = vec![(root.to_owned(), String::new())];
    while let Some((directory, prefix)) = open.pop() {
        let entries =
            std::fs::read_dir(&directory).map_err(|error| unreadable(&directory, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| unreadable(&directory, &error))?;
            let path = entry.path();
            let kind = entry.file_type().map_err(|error| unreadable(&path, &error))?;
            let identifier = format!("{prefix}{}", text(&path, &entry.file_name())?);
            if kind.is_dir() {
                open.push((path, format!("{identifier}/")));
                continue;
            }
            check_regular(&path, kind)?;
            found.push((identifier, path));
            if found.len() > FILES_MAX {
                let text = format!("{} holds more than {FILES_MAX} files", root.display());
                return Err(Failure::message(Kind::Usage, text).hint("store it as an archive"));
            }
        }
    }
    found.sort();
    Ok(())
}

/// Whether it is a file. What a link leads to may be anywhere, and would be stored as if it were here.
fn check_regular(path: &Path, kind: std::fs::FileType) -> Result<(), Failure> {
    if kind.is_file() {
        return Ok(());
    }
    let (what, hint) = match kind.is_symlink() {
        true => ("a symbolic link", "name the file that it leads to, or put a copy in its place"),
        false => ("not a regular file", "copy what it gives into a file first"),
    };
    let text = format!("{} is {what}: a quilt keeps regular files only", path.display());
    Err(Failure::message(Kind::Usage, text).hint(hint))
}

fn text<'a>(path: &Path, name: &'a std::ffi::OsStr) -> Result<&'a str, Failure> {
    name.to_str().ok_or_else(|| {
        let text = format!("the name of {} is not UTF-8", path.display());
        Failure::message(Kind::Usage, text).hint("rename it")
    })
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::message(Kind::Usage, format!("{} cannot be read: {error}", path.display()))
}
