//! The files that become a quilt: their names there, their types, their contents.

use std::path::{Path, PathBuf};

use walrus_redstuff::quilt::{Tags, TagsError};
use walrus_sdk::{QuiltFile, Source};

use crate::{
    failure::{Failure, Kind},
    tree::{self, Hidden},
};

/// No network has room for more files in one quilt; directories are not searched for more.
const FILES_MAX: usize = 65_536;
/// The tag that says what kind of file it is.
const CONTENT_TYPE: &str = "content-type";

/// The files that these paths lead to. A file is called by its name, a file in a directory by its path
/// within it, with `/` between its parts.
pub fn files(paths: &[PathBuf], tags: &[(String, String)]) -> Result<Vec<QuiltFile>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        let metadata = std::fs::metadata(path).map_err(|error| tree::unreadable(path, &error))?;
        if metadata.is_dir() {
            let files = tree::find(path, Hidden::Kept, FILES_MAX)?.files.into_iter();
            let inner = |file: PathBuf| {
                let name = file.strip_prefix(path).unwrap_or(&file).as_os_str();
                Ok((text(&file, name)?.to_owned(), file))
            };
            let mut files = files.map(inner).collect::<Result<Vec<_>, Failure>>()?;
            files.sort();
            found.extend(files);
        } else {
            let kind = metadata.file_type();
            if !kind.is_file() {
                // A pipe has no length to plan with.
                let text = format!("{} is {}", path.display(), tree::what(kind));
                return Err(Failure::message(Kind::Usage, text)
                    .hint("copy what it gives into a file first"));
            }
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

fn text<'a>(path: &Path, name: &'a std::ffi::OsStr) -> Result<&'a str, Failure> {
    name.to_str().ok_or_else(|| {
        let text = format!("the name of {} is not UTF-8", path.display());
        Failure::message(Kind::Usage, text).hint("rename it")
    })
}
