//! Whether the names in a quilt can be the names of files below a directory.
//!
//! Names come from whoever stored the quilt. Nothing may be written outside of the directory, one file
//! must not take another's place on any file system, and a quilt is extracted whole or not at all.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization as _;

/// No file system takes a longer part of a path.
const PART_BYTES_MAX: usize = 255;

/// Why a quilt's files are not written.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The name is no path below a directory.
    #[error("`{}` {reason}", name.escape_debug())]
    Unsafe {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Two names are one on some file systems.
    #[error(
        "`{}` and `{}` are the same file where upper and lower case are",
        first.escape_debug(),
        second.escape_debug()
    )]
    Clash {
        /// One of them.
        first: String,
        /// The other.
        second: String,
    },
    /// A name is that of a file and that of a directory.
    #[error("`{}` is a file and `{}` lies in a directory of that name", file.escape_debug(), below.escape_debug())]
    FileAndDirectory {
        /// The file.
        file: String,
        /// The file within it.
        below: String,
    },
}

/// Looks at all names of a quilt.
pub fn check<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<(), NameError> {
    // Every path that is needed, folded: whose it is, and whether it is a file.
    let mut taken: BTreeMap<String, (&str, bool)> = BTreeMap::new();
    // Directories in different cases would be one as well, with what is in both.
    let mut directories: BTreeMap<String, (&str, &str)> = BTreeMap::new();
    for name in names {
        let unsafe_name = |reason| NameError::Unsafe { name: name.to_owned(), reason };
        let mut folded = String::new();
        let parts: Vec<&str> = name.split('/').collect();
        let mut end = 0;
        for (place, part) in parts.iter().enumerate() {
            check_part(part, place == 0 && parts.len() > 1).map_err(unsafe_name)?;
            if place > 0 {
                folded.push('/');
                end += 1;
            }
            folded.push_str(&fold(part));
            end += part.len();
            let is_file = place + 1 == parts.len();
            let spelt = &name[..end];
            match taken.insert(folded.clone(), (name, is_file)) {
                Some((other, true)) if is_file => {
                    return Err(NameError::Clash { first: other.into(), second: name.into() });
                }
                Some((file, true)) => {
                    return Err(NameError::FileAndDirectory {
                        file: file.into(),
                        below: name.into(),
                    });
                }
                Some((below, false)) if is_file => {
                    return Err(NameError::FileAndDirectory {
                        file: name.into(),
                        below: below.into(),
                    });
                }
                _ => {}
            }
            if !is_file {
                let (other, first) = *directories.entry(folded.clone()).or_insert((spelt, name));
                if other != spelt {
                    return Err(NameError::Clash { first: first.into(), second: name.into() });
                }
            }
        }
    }
    Ok(())
}

fn check_part(part: &str, leads: bool) -> Result<(), &'static str> {
    if part.is_empty() {
        return Err(if leads { "is an absolute path" } else { "has an empty part in its path" });
    }
    if part == "." || part == ".." {
        return Err("leads out of the directory or nowhere");
    }
    if part.contains('\\') {
        return Err("contains a backslash, which is a path on some systems");
    }
    if leads && part.len() == 2 && part.ends_with(':') {
        return Err("begins with the letter of a drive");
    }
    if part.contains(char::is_control) {
        return Err("contains a control character");
    }
    if part.len() > PART_BYTES_MAX {
        return Err("has a part that is too long for a file's name");
    }
    Ok(())
}

/// What is the same for file systems that tell neither case nor forms of a letter nor dots and spaces at
/// the end apart.
fn fold(part: &str) -> String {
    let folded: String = part.nfkd().collect::<String>().to_lowercase().nfkd().collect();
    folded.trim_end_matches(['.', ' ']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(names: &[&str]) -> String {
        check(names.iter().copied()).expect_err("refused").to_string()
    }

    /// If this failed, a quilt could write outside of the directory that it is extracted into.
    #[test]
    fn paths_that_lead_out_are_refused_by_name() {
        for (name, reason) in [
            ("/etc/passwd", "is an absolute path"),
            ("", "has an empty part in its path"),
            ("a//b", "has an empty part in its path"),
            ("a/", "has an empty part in its path"),
            ("..", "leads out of the directory or nowhere"),
            ("a/../../b", "leads out of the directory or nowhere"),
            ("./a", "leads out of the directory or nowhere"),
            ("..\\a", "contains a backslash, which is a path on some systems"),
            ("C:/a", "begins with the letter of a drive"),
            ("a\nb", "contains a control character"),
            ("a\0b", "contains a control character"),
            (&"x".repeat(256), "has a part that is too long for a file's name"),
        ] {
            assert_eq!(refused(&["good", name]), format!("`{}` {reason}", name.escape_debug()));
        }
        let good = [".hidden", "a b/ c", "...a", "ü/ß.txt", "c:d", "a..b", "🐋", &"x".repeat(255)];
        assert_eq!(check(good), Ok(()));
    }

    /// If this failed, one file would replace another on some file systems.
    #[test]
    fn names_that_are_one_somewhere_are_refused() {
        for names in [
            ["a", "A"],
            ["a/b", "A/c"],
            ["a/B", "a/b"],
            ["\u{e9}", "e\u{301}"],
            ["a", "a."],
            ["a", "a "],
            ["\u{fb01}", "fi"],
            ["SS", "ss"],
            ["a/b/c", "A/B"],
        ] {
            let text = refused(&names);
            assert!(text.contains("the same file"), "{names:?}: {text}");
        }
        for names in [["a", "a/b"], ["a/b", "a"], ["x/y", "x/y/z"]] {
            let text = refused(&names);
            assert!(text.contains("lies in a directory"), "{names:?}: {text}");
        }
        assert_eq!(check(["a/b", "a/c", "b/a", "c"]), Ok(()));
    }
}
