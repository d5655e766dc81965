//! The first half of encoding: the rows of the blob are extended to `n` columns.

use std::io;

use crate::engine::Engine;
use crate::layout::Layout;
use crate::storage::{Line, ReadAt};

/// Rows are extended together until a line of the coder has this many bytes.
const LINE_BYTES: usize = 512;

/// The blob as rows of its matrix.
#[derive(Clone, Copy)]
pub(crate) struct BlobRows<'a> {
    pub(crate) layout: Layout,
    source: &'a dyn ReadAt,
    /// The row that is partly padding, padded; nothing if there is none.
    partial: &'a [u8],
}

/// Reads the row that is partly padding, which [`BlobRows`] needs.
pub(crate) fn read_partial_row(layout: Layout, source: &dyn ReadAt) -> io::Result<Vec<u8>> {
    let row_bytes = layout.row_bytes() as u64;
    let rest = (layout.length % row_bytes) as usize;
    if rest == 0 {
        return Ok(Vec::new());
    }
    let mut row = vec![0; layout.row_bytes()];
    source.read_at(layout.length - rest as u64, &mut row[..rest])?;
    Ok(row)
}

impl<'a> BlobRows<'a> {
    pub(crate) fn new(layout: Layout, source: &'a dyn ReadAt, partial: &'a [u8]) -> Self {
        Self { layout, source, partial }
    }

    /// The used rows that are whole, if the blob is in memory: they lie one after the other.
    pub(crate) fn whole_rows_in_memory(&self) -> Option<&'a [u8]> {
        self.source.as_slice()?.get(..self.whole_rows() * self.layout.row_bytes())
    }

    /// The row after the whole ones, padded, if some of it is used.
    pub(crate) fn partial_row(&self) -> Option<&'a [u8]> {
        (!self.partial.is_empty()).then_some(self.partial)
    }

    fn whole_rows(&self) -> usize {
        self.layout.used_rows() - usize::from(!self.partial.is_empty())
    }

    /// Copies part of a used row, from byte `at` of it on.
    pub(crate) fn read(&self, row: usize, at: usize, buffer: &mut [u8]) -> io::Result<()> {
        if row >= self.whole_rows() {
            buffer.copy_from_slice(&self.partial[at..][..buffer.len()]);
            return Ok(());
        }
        let offset = row as u64 * self.layout.row_bytes() as u64;
        Line { bytes: self.source, offset }.read(at, buffer)
    }

    /// A whole used row, copied into `buffer` if it is not in memory.
    pub(crate) fn row<'b>(&self, row: usize, buffer: &'b mut Vec<u8>) -> io::Result<&'b [u8]>
    where
        'a: 'b,
    {
        let bytes = self.layout.row_bytes();
        if row >= self.whole_rows() {
            return Ok(self.partial);
        }
        if let Some(rows) = self.whole_rows_in_memory() {
            return Ok(&rows[row * bytes..][..bytes]);
        }
        buffer.resize(bytes, 0);
        self.read(row, 0, buffer)?;
        Ok(buffer)
    }
}

/// How many rows are extended at once.
pub(crate) fn rows_at_once(symbol_bytes: usize) -> usize {
    (LINE_BYTES / symbol_bytes).max(1)
}

/// One thread's room for extending rows.
#[derive(Debug, Default)]
pub(crate) struct RowBuffers {
    lines: Vec<u8>,
    repair: Vec<u8>,
}

/// The repair symbols of a few rows: a line for each repair column, with a symbol of each row.
pub(crate) struct ExtendedRows<'a> {
    pub(crate) repair: &'a [u8],
    /// Bytes of a line.
    pub(crate) line_bytes: usize,
}

impl RowBuffers {
    /// Extends up to [`rows_at_once`] rows of `s` symbols each.
    pub(crate) fn extend<E: Engine>(
        &mut self,
        engine: &mut E,
        layout: Layout,
        rows: &[&[u8]],
    ) -> ExtendedRows<'_> {
        let (z, code) = (layout.z(), layout.row_code());
        let line_bytes = rows.len() * z;
        self.repair.resize(code.repair * line_bytes, 0);
        let mut repair: Vec<&mut [u8]> = self.repair.chunks_exact_mut(line_bytes).collect();
        if let [row] = rows {
            let source: Vec<&[u8]> = row.chunks_exact(z).collect();
            engine.extend(code, z, &source, &mut repair);
        } else {
            // Symbols of one column side by side.
            self.lines.resize(code.source * line_bytes, 0);
            for (lane, row) in rows.iter().enumerate() {
                scatter(row, z, &mut self.lines[lane * z..], line_bytes);
            }
            let source: Vec<&[u8]> = self.lines.chunks_exact(line_bytes).collect();
            engine.extend(code, z, &source, &mut repair);
        }
        ExtendedRows { repair: &self.repair, line_bytes }
    }
}

/// Writes the symbols of `from`, which lie one after the other, to every `stride` bytes of `to`.
pub(crate) fn scatter(from: &[u8], symbol_bytes: usize, to: &mut [u8], stride: usize) {
    fn fixed<const Z: usize>(from: &[u8], to: &mut [u8], stride: usize) {
        for (symbol, place) in from.as_chunks::<Z>().0.iter().zip(to.chunks_mut(stride)) {
            place[..Z].copy_from_slice(symbol);
        }
    }
    match symbol_bytes {
        2 => fixed::<2>(from, to, stride),
        4 => fixed::<4>(from, to, stride),
        6 => fixed::<6>(from, to, stride),
        8 => fixed::<8>(from, to, stride),
        _ => {
            let symbols = from.chunks_exact(symbol_bytes);
            for (symbol, place) in symbols.zip(to.chunks_mut(stride)) {
                place[..symbol_bytes].copy_from_slice(symbol);
            }
        }
    }
}
