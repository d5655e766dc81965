//! The bytes to store: a file, or standard input.

use std::{
    fs::File,
    io::{Read, stdin},
    path::Path,
};

use anyhow::Context as _;

use crate::failure::{Failure, Kind};

/// Where bytes come from.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    path: &'a Path,
}

impl<'a> Input<'a> {
    /// A file, or standard input for `-`.
    pub fn new(path: &'a Path) -> Self {
        Self { path }
    }

    /// All of it, unless it is longer than `limit`.
    pub fn read(&self, limit: u64) -> Result<Vec<u8>, Failure> {
        let name = if self.is_stdin() {
            "standard input".to_owned()
        } else {
            self.path.display().to_string()
        };
        let too_large = |length: Option<u64>| {
            let length = length.map_or_else(String::new, |length| format!(" ({length} bytes)"));
            Failure::message(
                Kind::Usage,
                format!("{name}{length} is larger than the largest blob, {limit} bytes"),
            )
            .hint("split it, or use a network with more shards")
        };
        let reader: Box<dyn Read> = if self.is_stdin() {
            Box::new(stdin())
        } else {
            let file = File::open(self.path).with_context(|| format!("cannot open {name}"));
            let file = file.map_err(|error| Failure::new(Kind::Usage, error))?;
            let metadata = file.metadata().with_context(|| format!("cannot read {name}"))?;
            if metadata.is_dir() {
                return Err(Failure::message(Kind::Usage, format!("{name} is a directory"))
                    .hint("store its files one by one, or as an archive"));
            }
            if metadata.len() > limit {
                return Err(too_large(Some(metadata.len())));
            }
            Box::new(file)
        };
        let mut bytes = Vec::new();
        // One byte more than allowed shows a source that is too long without reading all of it.
        reader
            .take(limit.saturating_add(1))
            .read_to_end(&mut bytes)
            .with_context(|| format!("cannot read {name}"))?;
        if bytes.len() as u64 > limit {
            return Err(too_large(None));
        }
        Ok(bytes)
    }

    fn is_stdin(&self) -> bool {
        self.path == Path::new("-")
    }
}
