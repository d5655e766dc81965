//! The bytes to store: a file, or standard input.

use std::{
    fs::File,
    io::{Read, stdin},
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use walrus_env::{BlockingFile, Env};
use walrus_sdk::{Coder, Source};

use crate::failure::{Failure, Kind};

/// As much of a stream is read before a file is made for it.
const IN_MEMORY_BYTES: u64 = 16 << 20;
/// A stream is copied in steps of this length.
const STEP_BYTES: usize = 1 << 20;

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

    /// The bytes wherever they are: a file is read when they are needed; what can be read
    /// only once goes to a temporary file without a name first, unless it is short.
    pub async fn source(&self, env: &Env, coder: &Coder, limit: u64) -> Result<Source, Failure> {
        let mut reader = match self.open(limit)? {
            Opened::Regular(_) => return Ok(Source::file(self.path)),
            Opened::Stream(reader) => reader,
        };
        let (name, step) = (self.name(), IN_MEMORY_BYTES.min(limit.saturating_add(1)));
        let start = move || {
            let mut bytes = Vec::new();
            reader.by_ref().take(step).read_to_end(&mut bytes)?;
            Ok::<_, std::io::Error>((reader, bytes))
        };
        let (reader, start) = env
            .compute(Duration::ZERO, start)
            .await
            .with_context(|| format!("cannot read {name}"))?;
        if start.len() as u64 > limit {
            return Err(self.too_large(None, limit));
        }
        if (start.len() as u64) < step {
            return Ok(start.into());
        }
        let directory = coder.spill_directory().await.map_err(spool_failure)?;
        let disk = env.disk.clone();
        let file = move || disk.temporary(&directory, 0);
        let file = env.compute(Duration::ZERO, file).await.map_err(spool_failure)?;
        let file: Arc<dyn BlockingFile> = file.into();
        let copy = {
            let file = file.clone();
            move || spool(reader, start, file.as_ref(), limit)
        };
        let length = env.compute(Duration::ZERO, copy).await;
        let length = length.with_context(|| format!("cannot put {name} aside"))?;
        if length > limit {
            return Err(self.too_large(None, limit));
        }
        Ok(Source::open_file(file, name))
    }

    /// What can be read only once, if it is that.
    pub fn stream(&self, limit: u64) -> Result<Option<Box<dyn Read + Send>>, Failure> {
        match self.open(limit)? {
            Opened::Regular(_) => Ok(None),
            Opened::Stream(reader) => Ok(Some(reader)),
        }
    }

    /// All of it in memory, unless it is longer than `limit`.
    pub fn read(&self, limit: u64) -> Result<Vec<u8>, Failure> {
        let reader: Box<dyn Read + Send> = match self.open(limit)? {
            Opened::Regular(file) => Box::new(file),
            Opened::Stream(reader) => reader,
        };
        let mut bytes = Vec::new();
        // One byte more than allowed shows a source that is too long without reading all of it.
        reader
            .take(limit.saturating_add(1))
            .read_to_end(&mut bytes)
            .with_context(|| format!("cannot read {}", self.name()))?;
        if bytes.len() as u64 > limit {
            return Err(self.too_large(None, limit));
        }
        Ok(bytes)
    }

    fn open(&self, limit: u64) -> Result<Opened, Failure> {
        if self.is_stdin() {
            return Ok(Opened::Stream(Box::new(stdin())));
        }
        let name = self.name();
        let file = File::open(self.path).with_context(|| format!("cannot open {name}"));
        let file = file.map_err(|error| Failure::new(Kind::Usage, error))?;
        let metadata = file.metadata().with_context(|| format!("cannot read {name}"))?;
        if metadata.is_dir() {
            return Err(Failure::message(Kind::Usage, format!("{name} is a directory"))
                .hint("store its files one by one, or as an archive"));
        }
        if metadata.len() > limit {
            return Err(self.too_large(Some(metadata.len()), limit));
        }
        if metadata.is_file() {
            return Ok(Opened::Regular(file));
        }
        Ok(Opened::Stream(Box::new(file)))
    }

    fn too_large(&self, length: Option<u64>, limit: u64) -> Failure {
        let name = self.name();
        let length = length.map_or_else(String::new, |length| format!(" ({length} bytes)"));
        let text = format!("{name}{length} is larger than the largest blob, {limit} bytes");
        Failure::message(Kind::Usage, text).hint("split it, or use a network with more shards")
    }

    /// How messages call it.
    pub fn name(&self) -> String {
        match self.is_stdin() {
            true => "standard input".to_owned(),
            false => self.path.display().to_string(),
        }
    }

    fn is_stdin(&self) -> bool {
        self.path == Path::new("-")
    }
}

/// What a path leads to.
enum Opened {
    /// A file that can be read anywhere and again.
    Regular(File),
    /// A pipe, a terminal, a device.
    Stream(Box<dyn Read + Send>),
}

/// Copies a stream to a file, up to one byte beyond `limit`; how many bytes it had.
fn spool(
    mut reader: impl Read,
    start: Vec<u8>,
    file: &dyn BlockingFile,
    limit: u64,
) -> std::io::Result<u64> {
    file.write_at(0, &start)?;
    let mut length = start.len() as u64;
    let mut buffer = vec![0; STEP_BYTES];
    while length <= limit {
        let read = match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        file.write_at(length, &buffer[..read])?;
        length += read as u64;
    }
    Ok(length)
}

fn spool_failure(error: walrus_env::RoomError) -> Failure {
    Failure::new(Kind::Failed, error).hint("choose another directory with --spill-dir")
}
