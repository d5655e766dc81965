//! The second half of encoding: all `n` columns are extended to `n` rows and hashed while they are in
//! cache. Their symbols below row `p` are the repair primary slivers; the repair-by-repair corner is
//! hashed and dropped at once.

use std::io;
use std::ops::Range;

use super::rows::{BlobRows, scatter};
use super::{EncodeFailure, spill_error};
use crate::engine::Engine;
use crate::layout::Layout;
use crate::merkle::RawDigest;
use crate::sheet::Strip;
use crate::storage::Line;
use crate::trees::{FOLD, FoldBuffers, TreeBuffers, ZeroTrees, fold_columns};

/// Columns of small symbols are extended together until a line of the coder has this many bytes.
const LINE_BYTES: usize = 512;
/// The most columns of one task, so that there are enough tasks for many threads.
const MOST_COLUMNS: usize = 64;
/// Columns of larger symbols are worked on together as long as they stay in cache,
const CACHED_PIECE_BYTES: usize = 1 << 10;
/// or, where rows are read and written in pieces, until a piece has this many bytes.
const STORED_PIECE_BYTES: usize = 16 << 10;

/// How the columns are cut into tasks and steps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grouping {
    /// Columns of one task, a multiple of [`FOLD`].
    pub(crate) task: usize,
    /// Columns that are read, extended and written together.
    step: usize,
    /// Whether the columns of a step are lanes of one call of the coder.
    joined: bool,
}

impl Grouping {
    pub(crate) fn new(layout: Layout, in_memory: bool) -> Self {
        let z = layout.z();
        if FOLD * z <= 2 * LINE_BYTES {
            let step = (LINE_BYTES / z / FOLD * FOLD).clamp(FOLD, MOST_COLUMNS);
            return Self { task: step, step, joined: true };
        }
        let piece = if in_memory { CACHED_PIECE_BYTES } else { STORED_PIECE_BYTES };
        let step = [FOLD, FOLD / 2, FOLD / 4].into_iter().find(|step| step * z <= piece);
        let step = step.unwrap_or(1);
        Self { task: FOLD, step, joined: false }
    }
}

/// What all column tasks have in common.
pub(crate) struct Columns<'a> {
    pub(crate) rows: BlobRows<'a>,
    /// The repair columns, one after the other, each with the symbols of at least the used rows.
    pub(crate) repair_columns: Line<'a>,
    pub(crate) zeros: &'a ZeroTrees,
    pub(crate) grouping: Grouping,
}

/// One task: some neighbouring columns.
pub(crate) struct ColumnTask<'a> {
    pub(crate) columns: Range<usize>,
    /// The part of the repair primary slivers that these columns give.
    pub(crate) repair_rows: Option<Strip<'a>>,
}

/// What a task found.
pub(crate) struct ColumnHashes {
    /// The root of each column's tree.
    pub(crate) roots: Vec<RawDigest>,
    /// For each group of [`FOLD`] columns, a node of every row's tree.
    pub(crate) groups: Vec<Vec<RawDigest>>,
}

/// One thread's room.
#[derive(Debug, Default)]
pub(crate) struct ColumnBuffers {
    source: Vec<u8>,
    column: Vec<u8>,
    repair: Vec<u8>,
    digests: Vec<RawDigest>,
    folded: FoldBuffers,
    tree: TreeBuffers,
}

/// The blob's part of some columns: a line for each used row, with a symbol of each column.
struct Step<'a> {
    /// The lines of the first rows, at a fixed distance.
    lines: &'a [u8],
    stride: usize,
    /// The line of the row after these, if there is one.
    last: Option<&'a [u8]>,
    width: usize,
}

impl<'a> Step<'a> {
    /// The lines' parts `part`, then empty lines for the rows of padding.
    fn source(&self, part: Range<usize>, rows: usize) -> Vec<&'a [u8]> {
        let mut source: Vec<&[u8]> = Vec::with_capacity(rows);
        source.extend(self.lines.chunks(self.stride).map(|line| &line[part.clone()]));
        source.extend(self.last.map(|line| &line[part]));
        source.resize(rows, &[]);
        source
    }
}

impl Columns<'_> {
    /// Extends and hashes the columns of a task.
    pub(crate) fn run<E: Engine>(
        &self,
        engine: &mut E,
        buffers: &mut ColumnBuffers,
        mut task: ColumnTask<'_>,
    ) -> Result<ColumnHashes, EncodeFailure> {
        let layout = self.rows.layout;
        let (n, p, z) = (layout.n(), layout.p(), layout.z());
        let mut hashes = ColumnHashes { roots: Vec::new(), groups: Vec::new() };
        let ColumnBuffers { source, column, repair, digests, folded, tree } = buffers;
        digests.resize(FOLD * n, [0; 32]);
        let mut filled = 0;
        let first = task.columns.start;
        for start in task.columns.clone().step_by(self.grouping.step) {
            let end = (start + self.grouping.step).min(task.columns.end);
            let step = self.load(start..end, source, column)?;
            repair.resize((n - p) * step.width, 0);
            self.extend(engine, &step, repair);
            self.keep(&mut task, start..end, first, &step, repair)?;
            for column in 0..end - start {
                let leaves = &mut digests[filled..filled + n];
                self.hash_column(engine, &step, repair, column * z, leaves);
                let zeros = layout.used_rows()..p;
                hashes.roots.push(self.zeros.column_root(engine, leaves, zeros, tree));
                filled += n;
                if filled == FOLD * n || start + column + 1 == task.columns.end {
                    let parts = [0..layout.used_rows(), p..n];
                    let group = fold_columns(engine, n, &digests[..filled], &parts, folded);
                    hashes.groups.push(group);
                    filled = 0;
                }
            }
        }
        Ok(hashes)
    }

    /// The blob's part of `columns`, where it lies if it is in memory, or else copied.
    fn load<'b>(
        &'b self,
        columns: Range<usize>,
        buffer: &'b mut Vec<u8>,
        column: &mut Vec<u8>,
    ) -> Result<Step<'b>, EncodeFailure> {
        let layout = self.rows.layout;
        let (s, z) = (layout.s(), layout.z());
        let width = columns.len() * z;
        if columns.end <= s
            && let Some(rows) = self.rows.whole_rows_in_memory()
        {
            let at = columns.start * z;
            let lines = rows.get(at..).unwrap_or_default();
            let last = self.rows.partial_row().map(|row| &row[at..][..width]);
            return Ok(Step { lines, stride: layout.row_bytes(), last, width });
        }
        let used = layout.used_rows();
        buffer.resize(used * width, 0);
        let source = columns.start.min(s)..columns.end.min(s);
        if !source.is_empty() {
            let bytes = source.len() * z;
            for (row, line) in buffer.chunks_exact_mut(width).enumerate() {
                let part = self.rows.read(row, source.start * z, &mut line[..bytes]);
                part.map_err(EncodeFailure::Source)?;
            }
        }
        for repair in columns.start.max(s)..columns.end.max(s) {
            let at = (repair - columns.start) * z;
            self.scatter_repair_column(
                repair - s,
                &mut buffer[at.min(used * width)..],
                width,
                column,
            )
            .map_err(spill_error)?;
        }
        Ok(Step { lines: buffer, stride: width, last: None, width })
    }

    /// Writes the used symbols of a repair column to every `stride` bytes of `to`.
    fn scatter_repair_column(
        &self,
        index: usize,
        to: &mut [u8],
        stride: usize,
        buffer: &mut Vec<u8>,
    ) -> io::Result<()> {
        let layout = self.rows.layout;
        let (at, used) = (index * layout.column_bytes(), layout.used_rows() * layout.z());
        if let Some(columns) = self.repair_columns.as_slice() {
            scatter(&columns[at..][..used], layout.z(), to, stride);
            return Ok(());
        }
        buffer.resize(used, 0);
        if used > 0 {
            let offset = self.repair_columns.offset + index as u64 * layout.column_bytes() as u64;
            Line { bytes: self.repair_columns.bytes, offset }.read(0, buffer)?;
        }
        scatter(buffer, layout.z(), to, stride);
        Ok(())
    }

    /// The repair symbols of all columns of a step: a line for each row below the blob's.
    fn extend<E: Engine>(&self, engine: &mut E, step: &Step<'_>, repair: &mut [u8]) {
        let layout = self.rows.layout;
        let (p, z, code) = (layout.p(), layout.z(), layout.column_code());
        if self.grouping.joined {
            let mut lines: Vec<&mut [u8]> = repair.chunks_exact_mut(step.width).collect();
            engine.extend(code, z, &step.source(0..step.width, p), &mut lines);
            return;
        }
        for at in (0..step.width).step_by(z) {
            let lines = repair.chunks_exact_mut(step.width).map(|line| &mut line[at..at + z]);
            let mut lines: Vec<&mut [u8]> = lines.collect();
            engine.extend(code, z, &step.source(at..at + z, p), &mut lines);
        }
    }

    /// Writes down what of a step belongs to slivers.
    fn keep(
        &self,
        task: &mut ColumnTask<'_>,
        columns: Range<usize>,
        first: usize,
        step: &Step<'_>,
        repair: &[u8],
    ) -> Result<(), EncodeFailure> {
        let layout = self.rows.layout;
        let (s, z) = (layout.s(), layout.z());
        let sources = columns.end.min(s).saturating_sub(columns.start);
        let at = (columns.start - first) * z;
        let strip = task.repair_rows.as_mut().filter(|strip| sources > 0 && strip.is_kept());
        if let Some(strip) = strip {
            for (line, symbols) in repair.chunks_exact(step.width).enumerate() {
                strip.write(line, at, &symbols[..sources * z]).map_err(spill_error)?;
            }
        }
        Ok(())
    }

    /// The leaf hashes of the column whose symbols begin at byte `at` of each line.
    fn hash_column<E: Engine>(
        &self,
        engine: &mut E,
        step: &Step<'_>,
        repair: &[u8],
        at: usize,
        leaves: &mut [RawDigest],
    ) {
        let layout = self.rows.layout;
        let (p, z, used) = (layout.p(), layout.z(), layout.used_rows());
        let (blob, repaired) = leaves.split_at_mut(p);
        let (blob, padding) = blob.split_at_mut(used);
        let (blob, last) = blob.split_at_mut(used - usize::from(step.last.is_some()));
        if !blob.is_empty() {
            engine.hash_leaves(z, step.stride, &step.lines[at..], blob);
        }
        if let Some(line) = step.last {
            engine.hash_leaves(z, z, &line[at..at + z], last);
        }
        padding.fill(self.zeros.leaf());
        engine.hash_leaves(z, step.width, &repair[at..], repaired);
    }
}
