//! `walrus read` with a key: what was read is decrypted on its way out.

use std::{
    io::{self, Read, Seek, SeekFrom, Write},
    ops::Range,
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use walrus_core::BlobId;
use walrus_encryption::{
    CopyError, Keys, Layout, OpenError, Opened, Parts, SEALED_CHUNK_BYTES, Scan, scan,
};
use walrus_env::{BlockingFile, Env};
use walrus_sdk::{
    ByteRange, Client, Content, ProgressSink, RangeReport, ReadOptions, ReadRangeError,
};

use crate::{
    client,
    failure::{Failure, Kind},
    output, privacy,
};

/// As much of a blob is fetched first, to see its header: enough for some recipients.
const HEADER_BYTES_FIRST: u64 = 2048;

/// What was decrypted.
#[derive(Clone, Copy, Debug)]
pub struct Decrypted {
    /// Bytes of the content.
    pub content: u64,
    /// Bytes that hid its length.
    pub padding: u64,
}

/// Decrypts a blob, which is here in whole and verified, to `output`. A file appears when it
/// is complete. What can be read while it is written, a pipe, gets its first byte when all
/// of it was found to be authentic: the blob is gone through twice, nothing of it is put aside.
pub async fn whole(
    env: &Env,
    id: &BlobId,
    content: Content,
    keys: Keys,
    output: Option<&Path>,
    is_file: bool,
) -> Result<Decrypted, Failure> {
    let (name, disk, path) = (format!("blob {id}"), env.disk.clone(), output.map(Path::to_owned));
    let work = move || -> Result<Decrypted, Failure> {
        let reader = BlobReader::new(content).context("what was read")?;
        let opened = Opened::new(reader, &keys);
        let mut opened = opened.map_err(|error| privacy::open_failure(&name, error))?;
        let found = Decrypted { content: opened.len(), padding: opened.padding() };
        let failed = |error| privacy::copy_failure(&name, error);
        match path {
            Some(path) if is_file => {
                let replacement = disk.replacement(&path, found.content).map_err(|error| {
                    Failure::new(Kind::Failed, error).hint("write it somewhere else with --out")
                })?;
                // It was nobody else's to read.
                replacement.keep_private().map_err(|error| failed(CopyError::Write(error)))?;
                let file = replacement.file();
                opened.copy_all(&mut FileWriter::new(file)).map_err(failed)?;
                let published = replacement.publish();
                published.map_err(|error| failed(CopyError::Write(error)))?;
            }
            path => {
                opened.copy_all(&mut io::sink()).map_err(failed)?;
                let open = |path: &Path| std::fs::OpenOptions::new().write(true).open(path);
                let mut out: Box<dyn Write> = match path.as_deref().map(open).transpose() {
                    Ok(Some(file)) => Box::new(file),
                    Ok(None) => Box::new(output::content()),
                    Err(error) => return Err(failed(CopyError::Write(error))),
                };
                opened.copy_all(&mut out).map_err(failed)?;
                out.flush().map_err(|error| failed(CopyError::Write(error)))?;
            }
        }
        Ok(found)
    };
    env.compute(Duration::ZERO, work).await
}

/// Part of the content of an encrypted blob.
pub struct Part {
    /// The bytes asked for.
    pub bytes: Vec<u8>,
    /// Where they are in the content.
    pub range: Range<u64>,
    /// Bytes of the whole content.
    pub content: u64,
    /// How the ranges of the blob were read, taken together.
    pub report: RangeReport,
}

/// Reads part of the content: fetches the header, the end, which proves the length, and the
/// chunks with the part, each verified against the blob id.
pub async fn part(
    client: &Client,
    id: &BlobId,
    range: ByteRange,
    keys: &Keys,
    options: &ReadOptions,
    progress: &ProgressSink,
) -> Result<Part, Failure> {
    let name = format!("blob {id}");
    let failed = |error| privacy::open_failure(&name, error);
    let mut fetch = Fetch { client, id, options, progress, report: RangeReport::default() };
    let (mut start, length) = fetch.start().await?;
    let header = loop {
        match scan(&start) {
            Scan::Complete(header) => break header,
            Scan::NotEncrypted => return Err(failed(OpenError::NotEncrypted)),
            Scan::Incomplete if (start.len() as u64) < length => {
                let known = start.len() as u64;
                start.extend(fetch.range(known..(2 * known).min(length)).await?);
            }
            Scan::Incomplete | Scan::TooLong => return Err(failed(OpenError::BadHeader)),
        }
    };
    let layout = Layout::new(header, length).ok_or_else(|| failed(OpenError::BadEnd))?;
    let parts = Parts::new(length);
    parts.insert(0, start);
    fetch.fill(&parts, layout.end()).await?;
    // What the range means is known when the end has said how long the content is.
    let mut opened = Opened::new(parts.clone(), keys).map_err(failed)?;
    let content = opened.len();
    let range = range.resolve(content).map_err(|error| Failure::new(Kind::Usage, error))?;
    let (asked, max) = (range.end - range.start, options.max_blob_bytes);
    if asked > max {
        return Err(client::range_failure(id, ReadRangeError::TooLong { length: asked, max }));
    }
    fetch.fill(&parts, layout.chunks_of(range.clone())).await?;
    let mut bytes = Vec::new();
    let copied = opened.copy(range.clone(), &mut bytes);
    copied.map_err(|error| privacy::copy_failure(&name, error))?;
    Ok(Part { bytes, range, content, report: fetch.report })
}

/// Fetches ranges of one blob and keeps account of what that took.
struct Fetch<'a> {
    client: &'a Client,
    id: &'a BlobId,
    options: &'a ReadOptions,
    progress: &'a ProgressSink,
    report: RangeReport,
}

impl Fetch<'_> {
    /// The first bytes, and how many there are of all.
    async fn start(&mut self) -> Result<(Vec<u8>, u64), Failure> {
        let first = match self.read(0..HEADER_BYTES_FIRST).await {
            // A blob that is shorter says so.
            Err(ReadRangeError::NotInBlob(error)) if error.length > 0 => {
                self.read(0..error.length).await
            }
            first => first,
        };
        let bytes = first.map_err(|error| client::range_failure(self.id, error))?;
        Ok((bytes, self.report.blob_bytes))
    }

    async fn range(&mut self, range: Range<u64>) -> Result<Vec<u8>, Failure> {
        self.read(range).await.map_err(|error| client::range_failure(self.id, error))
    }

    /// Adds what is missing of `wanted` to `parts`.
    async fn fill(&mut self, parts: &Parts, wanted: Range<u64>) -> Result<(), Failure> {
        for missing in parts.missing(wanted) {
            let bytes = self.range(missing.clone()).await?;
            parts.insert(missing.start, bytes);
        }
        Ok(())
    }

    async fn read(&mut self, range: Range<u64>) -> Result<Vec<u8>, ReadRangeError> {
        let range = ByteRange::exactly(range).expect("nobody fetches nothing");
        // The limit is one for content: whole chunks and the end are more than was asked for.
        let max_blob_bytes = self.options.max_blob_bytes.saturating_add(4 * SEALED_CHUNK_BYTES);
        let options = ReadOptions { max_blob_bytes, ..*self.options };
        let read = self.client.read_range(self.id, range, &options, self.progress).await?;
        let (sum, new) = (&mut self.report, read.report);
        sum.blob_bytes = new.blob_bytes;
        sum.bytes_fetched += new.bytes_fetched;
        sum.runs += new.runs;
        sum.slivers += new.slivers;
        sum.rows_recovered += new.rows_recovered;
        sum.whole_blob |= new.whole_blob;
        sum.time += new.time;
        sum.misbehaved.extend(new.misbehaved);
        sum.failed.extend(new.failed);
        Ok(read.bytes)
    }
}

/// A blob as something to read and seek in.
pub struct BlobReader {
    content: Content,
    length: u64,
    at: u64,
}

impl BlobReader {
    /// Reads from its beginning on.
    pub fn new(content: Content) -> io::Result<Self> {
        let length = match &content {
            Content::Memory(bytes) => bytes.len() as u64,
            Content::File(file) => file.len()?,
        };
        Ok(Self { content, length, at: 0 })
    }
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = (self.length.saturating_sub(self.at)).min(buffer.len() as u64) as usize;
        match &self.content {
            Content::Memory(bytes) => {
                let at = usize::try_from(self.at).unwrap_or(usize::MAX);
                buffer[..count].copy_from_slice(bytes.get(at..).map_or(&[], |rest| &rest[..count]));
            }
            Content::File(file) => file.read_at(self.at, &mut buffer[..count])?,
        }
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for BlobReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
        };
        self.at = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// Writes a file from its beginning on.
pub struct FileWriter {
    file: Arc<dyn BlockingFile>,
    at: u64,
}

impl FileWriter {
    /// Writes to `file`.
    pub fn new(file: Arc<dyn BlockingFile>) -> Self {
        Self { file, at: 0 }
    }
}

impl Write for FileWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_at(self.at, bytes)?;
        self.at += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
