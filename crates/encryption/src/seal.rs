//! Sealing: content in, one age file out, in bounded memory.

use std::{
    cell::{Cell, RefCell},
    io::{self, Read, Write},
    rc::Rc,
};

use crate::{
    error::SealError,
    header::HEADER_BYTES_MAX,
    padding::{Padding, TRAILER_BYTES, trailer},
    recipients::Recipients,
};

/// Content is taken in steps of this length.
const STEP_BYTES: usize = 64 * 1024;

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Bytes of the content.
    pub content_bytes: u64,
    /// Bytes that were added to hide its length.
    pub padding_bytes: u64,
    /// Bytes that were written.
    pub sealed_bytes: u64,
}

/// Encrypts `content` to `recipients`, each of whom can open it alone.
///
/// # Errors
/// See [`SealError`]; what was written until then is of no use.
pub fn seal(
    recipients: &Recipients,
    padding: Padding,
    content: &mut dyn Read,
    output: &mut dyn Write,
) -> Result<Sealed, SealError> {
    if recipients.is_empty() {
        return Err(SealError::NoRecipients);
    }
    let encryptor = age::Encryptor::with_recipients(recipients.keys());
    let encryptor = encryptor.map_err(|error| SealError::Recipients(error.to_string()))?;
    let tap = Tap::new(output);
    let (header, written) = (tap.header.clone(), tap.written.clone());
    let mut stream = encryptor.wrap_output(tap).map_err(SealError::Write)?;
    // Nothing but the header and the nonce has been written by now.
    let header = header.take().unwrap_or_default();
    if header.len() > HEADER_BYTES_MAX {
        return Err(SealError::TooManyRecipients { bytes: header.len(), max: HEADER_BYTES_MAX });
    }
    let content_bytes = copy(content, &mut stream)?;
    let padding_bytes = padding.padded(content_bytes) - content_bytes;
    if padding_bytes > 0 {
        let zeros = padding_bytes - TRAILER_BYTES as u64;
        io::copy(&mut io::repeat(0).take(zeros), &mut stream).map_err(SealError::Write)?;
        stream.write_all(&trailer(&header, content_bytes)).map_err(SealError::Write)?;
    }
    let mut output = stream.finish().map_err(SealError::Write)?;
    output.flush().map_err(SealError::Write)?;
    Ok(Sealed { content_bytes, padding_bytes, sealed_bytes: written.get() })
}

/// Copies all of it, telling a failure to read from one to write; the length.
fn copy(content: &mut dyn Read, output: &mut dyn Write) -> Result<u64, SealError> {
    let mut buffer = vec![0; STEP_BYTES];
    let mut length = 0;
    loop {
        let read = match content.read(&mut buffer) {
            Ok(0) => return Ok(length),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(SealError::Read(error)),
        };
        output.write_all(&buffer[..read]).map_err(SealError::Write)?;
        length += read as u64;
    }
}

/// Counts what is written, and keeps it until somebody takes it.
struct Tap<'a> {
    inner: &'a mut dyn Write,
    written: Rc<Cell<u64>>,
    header: Rc<RefCell<Option<Vec<u8>>>>,
}

impl<'a> Tap<'a> {
    fn new(inner: &'a mut dyn Write) -> Self {
        let header = Rc::new(RefCell::new(Some(Vec::new())));
        Self { inner, written: Rc::default(), header }
    }
}

impl Write for Tap<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.written.set(self.written.get() + count as u64);
        if let Some(header) = self.header.borrow_mut().as_mut() {
            header.extend_from_slice(&bytes[..count]);
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
