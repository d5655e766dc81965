//! A file that is slow to read in small pieces.
//!
//! Encoding reads whole rows of the blob's matrix first, and then a few columns at a time: a short piece of
//! every row. Each piece would be a question to the browser, which takes longer than computing with the
//! answer. So of every row a longer piece is kept, from which the next columns come.

use std::io;
use std::sync::{Mutex, PoisonError};

use walrus_redstuff::{DataTooLarge, EncodingParams, ReadAt};

/// What all pieces together may take.
const WINDOW_BYTES: u64 = 64 << 20;

/// A readable file with a piece of every row in memory.
#[derive(Debug)]
pub struct Window<R> {
    read: R,
    length: u64,
    row_bytes: u64,
    piece_bytes: u64,
    /// For each row, where its piece begins in the file, and the piece.
    pieces: Mutex<Vec<(u64, Vec<u8>)>>,
}

impl<R> Window<R>
where
    R: Fn(u64, &mut [u8]) -> io::Result<()>,
{
    /// A window on a blob of `length` bytes; `read` fills a buffer from an offset on.
    ///
    /// # Errors
    /// [`DataTooLarge`] if a network of this shape has no room for it.
    pub fn new(params: EncodingParams, length: u64, read: R) -> Result<Self, DataTooLarge> {
        let symbol = params.symbol_size(length)?.bytes() as u64;
        let row_bytes = u64::from(params.secondary_source_symbols()) * symbol;
        let rows = length.div_ceil(row_bytes).max(1);
        let piece_bytes = (WINDOW_BYTES / rows).min(row_bytes);
        let pieces = Mutex::new(vec![(0, Vec::new()); rows as usize]);
        Ok(Self { read, length, row_bytes, piece_bytes, pieces })
    }
}

impl<R> ReadAt for Window<R>
where
    R: Fn(u64, &mut [u8]) -> io::Result<()> + Send + Sync,
{
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let wanted = buffer.len() as u64;
        if wanted >= self.piece_bytes {
            return (self.read)(offset, buffer);
        }
        let row = offset / self.row_bytes;
        // Nothing of the next row, whose piece is another.
        let end = ((row + 1) * self.row_bytes).min(self.length);
        if offset + wanted > end {
            return (self.read)(offset, buffer);
        }
        let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((start, piece)) = pieces.get_mut(row as usize) else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        let held = *start..*start + piece.len() as u64;
        if !(held.contains(&offset) && offset + wanted <= held.end) {
            piece.resize(self.piece_bytes.min(end - offset) as usize, 0);
            *start = offset;
            if let Err(error) = (self.read)(offset, piece) {
                piece.clear();
                return Err(error);
            }
        }
        let at = (offset - *start) as usize;
        buffer.copy_from_slice(&piece[at..at + buffer.len()]);
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use walrus_redstuff::{Encoder, Memory, StreamEncoder, Workers};

    use super::*;

    fn content(length: usize) -> Arc<Vec<u8>> {
        Arc::new((0..length).map(|i| (i * 31 % 251) as u8).collect())
    }

    #[test]
    fn a_file_read_through_a_window_is_the_same_file() {
        // A wrong id would be paid for, and then nobody could certify it.
        for (n_shards, length) in
            [(4, 0), (4, 1), (10, 34), (10, 1_000), (100, 70_001), (100, 2_278)]
        {
            let params = EncodingParams::new(n_shards).unwrap();
            let bytes = content(length);
            let expected = Encoder::new(params).compute_metadata(&bytes).unwrap();
            let file = bytes.clone();
            let read = move |offset: u64, into: &mut [u8]| file.read_at(offset, into);
            let window = Window::new(params, length as u64, read).unwrap();
            let encoder = StreamEncoder::new(params, Workers::none());
            let spill = Arc::new(Memory::new());
            let found =
                encoder.compute_metadata(Arc::new(window), length as u64, spill, &|_| ()).unwrap();
            assert_eq!(found.blob_id(), expected.blob_id(), "{n_shards} shards, {length} bytes");
        }
    }

    #[test]
    fn a_large_file_is_asked_for_in_few_large_pieces() {
        // Each question takes a browser a tenth of a millisecond; a million of them would take minutes.
        let params = EncodingParams::new(1000).unwrap();
        let length = 1 << 30;
        let questions = AtomicUsize::new(0);
        let read = |_: u64, _: &mut [u8]| {
            questions.fetch_add(1, Ordering::Relaxed);
            Ok(())
        };
        let window = Window::new(params, length, read).unwrap();
        let (row_bytes, step) = (window.row_bytes, 16 << 10);
        let mut piece = vec![0; step];
        for at in (0..row_bytes - step as u64).step_by(step) {
            for row in 0..length / row_bytes {
                window.read_at(row * row_bytes + at, &mut piece).unwrap();
            }
        }
        let held: usize = window.pieces.lock().unwrap().iter().map(|(_, piece)| piece.len()).sum();
        assert!(held as u64 <= WINDOW_BYTES, "{held} bytes are held");
        assert!(questions.into_inner() < 10_000);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_no_file_of_zeros() {
        // A piece that was never filled must not be taken for one that was.
        let params = EncodingParams::new(10).unwrap();
        let refuse = |_: u64, _: &mut [u8]| Err(io::ErrorKind::NotFound.into());
        let window = Window::new(params, 100_000, refuse).unwrap();
        for _ in 0..2 {
            assert!(window.read_at(10, &mut [0; 4]).is_err());
        }
    }
}
