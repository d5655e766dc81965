//! Pages that code and other pages point to.

#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Folders whose files are read, and those below them that are not ours.
const FOLDERS: [&str; 6] = ["crates", "contracts", "tests", "docs", "clients", "examples"];
const FOREIGN: [&str; 4] = ["node_modules", "vendor", "artifacts", "out"];
const ENDINGS: [&str; 8] = ["rs", "md", "sol", "js", "mjs", "ts", "toml", "sh"];

#[test]
fn every_pointer_to_a_page_leads_somewhere() {
    // Whoever looks up why a byte is there finds nothing, and guesses.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = 0;
    let mut open: Vec<PathBuf> = FOLDERS.iter().map(|folder| root.join(folder)).collect();
    while let Some(path) = open.pop() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            let inner = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path());
            open.extend(inner.filter(|_| !FOREIGN.contains(&name.as_str())));
            continue;
        }
        if path.extension().is_some_and(|end| ENDINGS.contains(&end.to_string_lossy().as_ref())) {
            for (page, section) in pointers(&fs::read_to_string(&path).unwrap()) {
                let Ok(text) = fs::read_to_string(root.join(&page)) else {
                    panic!("{} points to {page}, which is not there", path.display())
                };
                let there = section.as_ref().is_none_or(|section| has(&text, section));
                assert!(there, "{}: {page} has no section {section:?}", path.display());
                found += 1;
            }
        }
    }
    assert!(found > 100, "only {found} pointers were found");
}

/// Pages named in a text, with the section if one is named.
fn pointers(text: &str) -> Vec<(String, Option<String>)> {
    // A pointer may begin at the end of a line of comment and go on in the next.
    let marks = |c: char| c.is_whitespace() || "/!*#".contains(c);
    let lines: Vec<_> = text.lines().map(|line| line.trim_start_matches(marks)).collect();
    let text = lines.join(" ");
    let in_path = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let mut found = Vec::new();
    for (at, _) in text.match_indices("docs/") {
        let rest = &text[at..];
        let path = &rest[..rest.find(|c| !in_path(c)).unwrap_or(rest.len())];
        // `../docs/` is of the folder that it is written in.
        let Some(end) = path.rfind(".md").filter(|_| !text[..at].ends_with(in_path)) else {
            continue;
        };
        let rest = rest[end + 3..].trim_start_matches('`');
        let section = rest.strip_prefix(" sections ").or(rest.strip_prefix(" section "));
        let number = |rest: &str| {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.');
            rest[..digits.unwrap_or(rest.len())].trim_end_matches('.').to_owned()
        };
        let section = section.map(number).filter(|section| !section.is_empty());
        found.push((path[..end + 3].to_owned(), section));
    }
    found
}

/// Whether a page has a heading with this number.
fn has(page: &str, section: &str) -> bool {
    page.lines().filter(|line| line.starts_with('#')).any(|line| {
        let heading = line.trim_start_matches(['#', ' ']);
        let heading = heading.strip_prefix("Part ").unwrap_or(heading);
        heading.strip_prefix(section).is_some_and(|rest| rest.starts_with(['.', ' ']))
    })
}

#[test]
fn pointers_are_recognised() {
    // A test that finds no pointers passes whatever they say.
    let text = "/// See `docs/protocol/onchain.md` section 2.10, and\n/// docs/protocol/http-api.md\n/// sections 5 to 9. docs/e.json";
    let expected =
        [("docs/protocol/onchain.md", Some("2.10")), ("docs/protocol/http-api.md", Some("5"))];
    let expected = expected.map(|(page, section)| (page.to_owned(), section.map(str::to_owned)));
    assert_eq!(pointers(text), expected);
    assert!(has("# A\n### 2.10 B", "2.10") && !has("### 2.10 B", "2.1") && has("## 5. C", "5"));
}
