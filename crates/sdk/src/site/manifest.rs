//! The list of a website's files, and which of them a path means.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use walrus_redstuff::BlobId;
use walrus_redstuff::quilt::QuiltPatchId;

/// Longest list.
pub const MANIFEST_BYTES_MAX: u64 = 4 << 20;
/// Most files of a website.
pub const FILES_MAX: usize = 20_000;
/// Longest path.
const PATH_BYTES_MAX: usize = 1024;
const VERSION: u32 = 1;

/// Why bytes are no list of a website's files, or a path is none that a website can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SiteError(String);

/// A website.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    walrus_site: u32,
    /// Name of the file that a path ending in `/` means.
    pub index: String,
    /// Path of what is served where there is no file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_found: Option<String>,
    /// The files by path, without a leading `/`.
    pub files: BTreeMap<String, Entry>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its media type.
    #[serde(rename = "type")]
    pub media_type: String,
    /// Its length.
    pub size: u64,
    /// The blob that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    blob: Option<String>,
    /// The file in a quilt that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    patch: Option<String>,
}

/// Where the bytes of a file are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Located {
    /// A blob of its own.
    Blob(BlobId),
    /// A file in a quilt.
    Patch(QuiltPatchId),
}

/// What a path means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// This file.
    File(&'a str, &'a Entry),
    /// The directory of this name: its path ends in `/`.
    Directory(String),
    /// Nothing; this is to be served instead.
    Missing(Option<(&'a str, &'a Entry)>),
}

impl Entry {
    /// A file of `size` bytes.
    pub fn new(media_type: String, size: u64, located: &Located) -> Self {
        let (blob, patch) = match located {
            Located::Blob(id) => (Some(id.to_string()), None),
            Located::Patch(id) => (None, Some(id.to_string())),
        };
        Self { media_type, size, blob, patch }
    }

    /// Where it is.
    ///
    /// # Errors
    /// If that is not said, or twice, or by something that is no id.
    pub fn located(&self) -> Result<Located, SiteError> {
        match (&self.blob, &self.patch) {
            (Some(id), None) => {
                id.parse().map(Located::Blob).map_err(|e| SiteError(format!("{id}: {e}")))
            }
            (None, Some(id)) => {
                id.parse().map(Located::Patch).map_err(|e| SiteError(format!("{id}: {e}")))
            }
            _ => Err(SiteError("a file has either a blob or a patch".to_owned())),
        }
    }
}

impl Manifest {
    /// A list of files.
    pub fn new(index: String, not_found: Option<String>, files: BTreeMap<String, Entry>) -> Self {
        Self { walrus_site: VERSION, index, not_found, files }
    }

    /// Reads a list that anybody may have written.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(bytes: &[u8]) -> Result<Self, SiteError> {
        let refused = |text: String| Err(SiteError(text));
        if bytes.len() as u64 > MANIFEST_BYTES_MAX {
            return refused(format!("it is longer than {MANIFEST_BYTES_MAX} bytes"));
        }
        let manifest: Self =
            serde_json::from_slice(bytes).map_err(|error| SiteError(error.to_string()))?;
        if manifest.walrus_site != VERSION {
            return refused(format!("it has version {}, not {VERSION}", manifest.walrus_site));
        }
        if manifest.files.len() > FILES_MAX {
            return refused(format!("it has more than {FILES_MAX} files"));
        }
        for (path, entry) in &manifest.files {
            check_path(path)?;
            entry.located()?;
            let visible = |byte: u8| (0x20..0x7f).contains(&byte);
            if !entry.media_type.bytes().all(visible) || entry.media_type.len() > 255 {
                return refused(format!("{path} has no valid media type"));
            }
        }
        Ok(manifest)
    }

    /// What is to be served for a path, which is already percent-decoded.
    pub fn find(&self, path: &str) -> Found<'_> {
        let path = path.trim_start_matches('/');
        let get =
            |path: &str| self.files.get_key_value(path).map(|(path, entry)| (path.as_str(), entry));
        let wanted = match path.is_empty() || path.ends_with('/') {
            true => format!("{path}{}", self.index),
            false => path.to_owned(),
        };
        if let Some((path, entry)) = get(&wanted) {
            return Found::File(path, entry);
        }
        if get(&format!("{wanted}/{}", self.index)).is_some() {
            return Found::Directory(format!("{wanted}/"));
        }
        Found::Missing(self.not_found.as_deref().and_then(get))
    }
}

/// Refuses paths that a browser or a file system would take for something else.
///
/// # Errors
/// What is wrong with it.
pub fn check_path(path: &str) -> Result<(), SiteError> {
    let bad_part = |part: &str| part.is_empty() || part == "." || part == "..";
    if path.len() > PATH_BYTES_MAX
        || path.split('/').any(bad_part)
        || path.contains('\\')
        || path.contains(char::is_control)
    {
        return Err(SiteError(format!("{path:?} cannot be the path of a file in a website")));
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn site() -> Manifest {
        let blob = Located::Blob(BlobId::from_bytes([0; 32]));
        let entry = || Entry::new("text/html".to_owned(), 1, &blob);
        let files = ["index.html", "404.html", "a.html", "docs/index.html", "docs/x y.html"];
        let files = files.map(|path| (path.to_owned(), entry())).into();
        Manifest::new("index.html".to_owned(), Some("404.html".to_owned()), files)
    }

    #[test]
    fn paths_mean_what_web_servers_mean_by_them() {
        // Links that work on one host and not on another keep people where they are.
        let site = site();
        for (path, file) in [
            ("", "index.html"),
            ("/", "index.html"),
            ("index.html", "index.html"),
            ("/a.html", "a.html"),
            ("docs/", "docs/index.html"),
            ("docs/x y.html", "docs/x y.html"),
        ] {
            assert!(matches!(site.find(path), Found::File(found, _) if found == file), "{path}");
        }
        assert_eq!(site.find("docs"), Found::Directory("docs/".to_owned()));
        for path in ["b.html", "a.html/", "docs/none/", "../a.html"] {
            let found = site.find(path);
            assert!(matches!(found, Found::Missing(Some(("404.html", _)))), "{path}");
        }
    }

    #[test]
    fn lists_of_strangers_are_checked() {
        // A gateway serves what anybody put into a reference.
        let good = serde_json::to_vec(&site()).unwrap();
        assert_eq!(Manifest::parse(&good).unwrap(), site());
        let text = String::from_utf8(good).unwrap();
        for (from, to) in [
            ("a.html", "../a.html"),
            ("a.html", "/a.html"),
            ("a.html", "a//b.html"),
            ("a.html", "a\\\\b.html"),
            ("a.html", "a\\nb.html"),
            ("text/html", "text/html\\r\\nx: y"),
            ("\"walrus_site\":1", "\"walrus_site\":2"),
            ("AAAA", "AA"),
            ("\"blob\"", "\"file\""),
        ] {
            let bad = text.replacen(from, to, 1);
            assert_ne!(bad, text, "{from}");
            assert!(Manifest::parse(bad.as_bytes()).is_err(), "{to}");
        }
        assert!(Manifest::parse(&vec![b' '; MANIFEST_BYTES_MAX as usize + 1]).is_err());
    }
}
