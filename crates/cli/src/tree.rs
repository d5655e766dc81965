//! The files of a directory, for every command that stores one.
//!
//! Nothing is passed over in silence: what is no regular file is refused by name, and what is
//! left out on purpose is said.

use std::{
    collections::BTreeSet,
    fs::FileType,
    path::{Path, PathBuf},
};

use serde::Serialize;

use crate::failure::{Failure, Kind};

/// Most names that are said of what was left out or refused.
const NAMES_MAX: usize = 20;
/// Begins with a dot and is meant for everybody (RFC 8615).
const WELL_KNOWN: &str = ".well-known";

/// What becomes of names that begin with a dot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hidden {
    /// They are files as others are: a copy without them would not be one.
    Kept,
    /// They are left out, but for `.well-known`: they are where programs keep their own.
    LeftOut,
}

/// The files of a directory and those below it, in order.
#[derive(Debug)]
pub struct Tree {
    /// With the path of the directory in front.
    pub files: Vec<PathBuf>,
    /// Hidden files and directories that are not among them.
    pub left_out: Names,
}

/// Some of many names, and how many there are.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Names {
    /// How many there are.
    pub count: usize,
    /// The first of them.
    pub names: BTreeSet<String>,
}

impl Names {
    fn add(&mut self, name: String) {
        self.count += 1;
        self.names.insert(name);
        if self.names.len() > NAMES_MAX {
            self.names.pop_last();
        }
    }

    /// The names for people: `a, b and 3 more`.
    pub fn text(&self) -> String {
        let names = self.names.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        match self.count - self.names.len() {
            0 => names,
            more => format!("{names} and {more} more"),
        }
    }
}

/// Finds the files of a directory, at most `most`. Links are not followed: they may lead out of
/// it, or back into it.
pub fn find(root: &Path, hidden: Hidden, most: usize) -> Result<Tree, Failure> {
    let mut tree = Tree { files: Vec::new(), left_out: Names::default() };
    let mut refused = Names::default();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        let cannot = |error| unreadable(&directory, &error);
        for entry in std::fs::read_dir(&directory).map_err(cannot)? {
            let entry = entry.map_err(cannot)?;
            let path = entry.path();
            let kind = entry.file_type().map_err(|error| unreadable(&path, &error))?;
            let name = entry.file_name();
            let is_hidden = name.as_encoded_bytes().starts_with(b".") && name != WELL_KNOWN;
            if is_hidden && hidden == Hidden::LeftOut {
                let inner = path.strip_prefix(root).unwrap_or(&path).display();
                let slash = if kind.is_dir() { "/" } else { "" };
                tree.left_out.add(format!("{inner}{slash}"));
            } else if kind.is_dir() {
                open.push(path);
            } else if kind.is_file() {
                tree.files.push(path);
            } else {
                refused.add(format!("{} is {}", path.display(), what(kind)));
            }
            if tree.files.len() + open.len() > most {
                let text = format!("{} holds more than {most} files", root.display());
                return Err(Failure::message(Kind::Usage, text)
                    .hint("store them in several commands, or as an archive"));
            }
        }
    }
    if refused.count > 0 {
        let text = format!("only regular files are stored: {}", refused.text());
        return Err(Failure::message(Kind::Usage, text)
            .hint("put copies in their places, take them away, or store a copy made by `cp -rL`"));
    }
    tree.files.sort();
    Ok(tree)
}

/// What something is that is no regular file.
pub fn what(kind: FileType) -> &'static str {
    if kind.is_symlink() { "a symbolic link" } else { "not a regular file" }
}

/// A path that cannot be looked at.
pub fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::message(Kind::Usage, format!("cannot read {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::{fs::symlink, net::UnixListener};

    use super::*;

    fn write(root: &Path, names: &[&str]) {
        for name in names {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, name).unwrap();
        }
    }

    #[test]
    fn secrets_of_programs_are_not_published() {
        // `.env` and the history in `.git` would be public for as long as the website is.
        let directory = tempfile::tempdir().unwrap();
        // Whatever the directory itself is called.
        let root = directory.path().join(".build");
        let hidden = [".env", ".git/config", "docs/.cache/x", ".well-known/.secret"];
        write(&root, &["index.html", ".well-known/security.txt", "docs/a"]);
        write(&root, &hidden);
        symlink("/etc", root.join(".link")).unwrap();
        let tree = find(&root, Hidden::LeftOut, 100).unwrap();
        let kept = [".well-known/security.txt", "docs/a", "index.html"].map(|name| root.join(name));
        assert_eq!(tree.files, kept);
        let text = ".env, .git/, .link, .well-known/.secret, docs/.cache/";
        assert_eq!((tree.left_out.count, tree.left_out.text().as_str()), (5, text));
        // A copy of a directory has them.
        std::fs::remove_file(root.join(".link")).unwrap();
        let tree = find(&root, Hidden::Kept, 100).unwrap();
        assert_eq!((tree.files.len(), tree.left_out.count), (7, 0));
    }

    #[test]
    fn what_cannot_be_stored_is_named_and_not_passed_over() {
        // Who deletes the original after storing it would lose what was left out without a word.
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("root");
        write(&root, &["a/file"]);
        symlink("file", root.join("a/link")).unwrap();
        symlink(&root, root.join("loop")).unwrap();
        let _socket = UnixListener::bind(root.join("socket")).unwrap();
        for hidden in [Hidden::Kept, Hidden::LeftOut] {
            let failure = find(&root, hidden, 100).unwrap_err();
            let text = failure.cause.to_string();
            assert_eq!(failure.kind, Kind::Usage);
            for part in
                ["a/link is a symbolic link", "loop is a symbolic", "socket is not a regular"]
            {
                assert!(text.contains(part), "{text}");
            }
        }
    }

    #[test]
    fn many_names_do_not_fill_the_screen() {
        let mut names = Names::default();
        (0..1000).rev().for_each(|number| names.add(format!(".{number:04}")));
        assert!(names.text().ends_with(".0019 and 980 more"), "{}", names.text());
        let directory = tempfile::tempdir().unwrap();
        write(directory.path(), &["a", "b/c", "d"]);
        assert!(find(directory.path(), Hidden::Kept, 3).is_ok());
        assert!(find(directory.path(), Hidden::Kept, 2).is_err());
    }
}
