//! Opening: an age file in, content out, whole or in part.

use std::{
    io::{self, ErrorKind, Read, Seek, SeekFrom, Write},
    ops::Range,
};

use age::{DecryptError, stream::StreamReader};

use crate::{
    error::{CopyError, OpenError},
    header::{Scan, scan},
    keys::Keys,
    padding::{TRAILER_BYTES, content_length},
    parts::CHUNK_BYTES,
};

/// Bytes read at a time while the end of the header is looked for.
const HEADER_STEP: usize = 1024;

/// A sealed file to which a key fits. Its header and its length are authentic; each chunk is
/// checked before any of it is given out.
pub struct Opened<R> {
    stream: StreamReader<R>,
    content: u64,
    padded: u64,
}

impl<R: Read + Seek> Opened<R> {
    /// Opens the file in `input` with the first of `keys` that fits. Reads the header, and the
    /// last chunks for the length.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn new(mut input: R, keys: &Keys) -> Result<Self, OpenError> {
        let header = header(&mut input)?;
        input.rewind().map_err(OpenError::Read)?;
        let mut stream = unlock(input, keys)?;
        // Reads and authenticates the last chunk as the last one.
        let padded = stream.seek(SeekFrom::End(0)).map_err(bad_end)?;
        let last = last_bytes(&mut stream, padded)?;
        let content = content_length(&header, &last, padded).unwrap_or(padded);
        Ok(Self { stream, content, padded })
    }

    /// Bytes of the content.
    #[allow(clippy::len_without_is_empty, reason = "nobody asks")]
    pub fn len(&self) -> u64 {
        self.content
    }

    /// Bytes that were added to hide the length.
    pub fn padding(&self) -> u64 {
        self.padded - self.content
    }

    /// Writes part of the content.
    ///
    /// # Errors
    /// See [`CopyError`].
    pub fn copy(&mut self, range: Range<u64>, output: &mut dyn Write) -> Result<(), CopyError> {
        let Range { start, end } = range;
        if start > end || end > self.content {
            return Err(CopyError::NotInContent { start, end, length: self.content });
        }
        self.pass(range, output)
    }

    /// Writes all of the content. The padding is checked too, after the last byte is written.
    ///
    /// # Errors
    /// See [`CopyError`]. What was written until then is authentic, but not whole.
    pub fn copy_all(&mut self, output: &mut dyn Write) -> Result<(), CopyError> {
        self.pass(0..self.content, output)?;
        self.pass(self.content..self.padded, &mut io::sink())
    }

    /// The content as a reader.
    pub(crate) fn reader(&mut self) -> impl Read {
        let content = self.content;
        let _ = self.stream.rewind();
        Read::by_ref(&mut self.stream).take(content)
    }

    fn pass(&mut self, range: Range<u64>, output: &mut dyn Write) -> Result<(), CopyError> {
        if range.is_empty() {
            return Ok(());
        }
        let changed = |at: u64, error: io::Error| match error.kind() {
            ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
                CopyError::Changed { chunk: at / CHUNK_BYTES + 1 }
            }
            _ => CopyError::Read(error),
        };
        let sought = self.stream.seek(SeekFrom::Start(range.start));
        sought.map_err(|error| changed(range.start, error))?;
        let mut buffer = vec![0; CHUNK_BYTES as usize];
        let mut at = range.start;
        while at < range.end {
            let step = (range.end - at).min(CHUNK_BYTES) as usize;
            let read = match self.stream.read(&mut buffer[..step]) {
                Ok(0) => return Err(changed(at, ErrorKind::UnexpectedEof.into())),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(changed(at, error)),
            };
            output.write_all(&buffer[..read]).map_err(CopyError::Write)?;
            at += read as u64;
        }
        Ok(())
    }
}

impl<R> std::fmt::Debug for Opened<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Opened({} bytes)", self.content)
    }
}

/// Whether one of `keys` opens the file of which only this header, with its nonce, is known.
///
/// # Errors
/// See [`OpenError`].
pub fn fits(header: &[u8], keys: &Keys) -> Result<(), OpenError> {
    unlock(header, keys).map(|_| ())
}

fn unlock<R: Read>(input: R, keys: &Keys) -> Result<StreamReader<R>, OpenError> {
    let decryptor = age::Decryptor::new(input).map_err(|error| explain(error, false))?;
    let by_passphrase = decryptor.is_scrypt();
    match by_passphrase {
        true if !keys.has_passphrase() => return Err(OpenError::NeedsPassphrase),
        false if !keys.has_key() => return Err(OpenError::NeedsKey),
        _ => {}
    }
    decryptor.decrypt(keys.iter()).map_err(|error| explain(error, by_passphrase))
}

/// Header and nonce.
fn header(input: &mut (impl Read + Seek)) -> Result<Vec<u8>, OpenError> {
    input.rewind().map_err(OpenError::Read)?;
    let mut start = Vec::new();
    let mut step = [0; HEADER_STEP];
    loop {
        // One piece after the other: of a blob in parts, what follows need not be there.
        let read = match input.read(&mut step) {
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(OpenError::Read(error)),
        };
        start.extend_from_slice(&step[..read]);
        match scan(&start) {
            Scan::Complete(length) => {
                start.truncate(length);
                return Ok(start);
            }
            Scan::NotEncrypted => return Err(OpenError::NotEncrypted),
            Scan::TooLong => return Err(OpenError::BadHeader),
            Scan::Incomplete if start.is_empty() => return Err(OpenError::NotEncrypted),
            Scan::Incomplete if read == 0 => return Err(OpenError::BadHeader),
            Scan::Incomplete => {}
        }
    }
}

/// The bytes where the length of padded content would be said.
fn last_bytes<R: Read + Seek>(
    stream: &mut StreamReader<R>,
    padded: u64,
) -> Result<Vec<u8>, OpenError> {
    let mut last = Vec::new();
    if let Some(start) = padded.checked_sub(TRAILER_BYTES as u64) {
        stream.seek(SeekFrom::Start(start)).map_err(bad_end)?;
        stream.take(TRAILER_BYTES as u64).read_to_end(&mut last).map_err(bad_end)?;
    }
    Ok(last)
}

fn bad_end(error: io::Error) -> OpenError {
    match error.kind() {
        ErrorKind::InvalidData | ErrorKind::UnexpectedEof => OpenError::BadEnd,
        _ => OpenError::Read(error),
    }
}

fn explain(error: DecryptError, by_passphrase: bool) -> OpenError {
    match error {
        DecryptError::NoMatchingKeys => OpenError::WrongKey,
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed if by_passphrase => {
            OpenError::WrongPassphrase
        }
        // The passphrase of an SSH key.
        DecryptError::KeyDecryptionFailed => OpenError::WrongPassphrase,
        DecryptError::DecryptionFailed => OpenError::WrongKey,
        DecryptError::InvalidMac => OpenError::HeaderChanged,
        DecryptError::ExcessiveWork { required, .. } => OpenError::TooMuchWork { work: required },
        DecryptError::Io(error) => bad_end(error),
        _ => OpenError::BadHeader,
    }
}
