//! The whole of encoding, wherever the bytes come from and go to.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use super::columns::{ColumnBuffers, ColumnHashes, ColumnTask, Columns, Grouping};
use super::rows::{BlobRows, RowBuffers, read_partial_row, rows_at_once};
use super::{EncodeFailure, spill_error};
use crate::blob_id::{BlobId, Digest};
use crate::engine::Engine;
use crate::layout::Layout;
use crate::merkle::{Node, RawDigest};
use crate::metadata::{BlobMetadata, SliverPairHashes, VerifiedMetadata};
use crate::sheet::Sheet;
use crate::storage::{Line, ReadAt};
use crate::trees::{FOLD, ZeroTrees, row_roots};
use crate::workers::Workers;

/// Row trees finished by one task.
const ROOTS_PER_TASK: usize = 64;

/// One blob on its way to slivers.
#[derive(Clone, Copy)]
pub(crate) struct Pipeline<'a> {
    pub(crate) layout: Layout,
    pub(crate) source: &'a dyn ReadAt,
    pub(crate) workers: &'a Workers,
    /// Told how many bytes of the blob are done.
    pub(crate) progress: &'a (dyn Fn(u64) + Sync),
}

/// What [`Pipeline::extend_rows`] wrote.
pub(crate) struct RepairColumns<'a> {
    pub(crate) columns: Line<'a>,
    /// Whether everything is, which makes other sizes of pieces better.
    pub(crate) in_memory: bool,
}

impl Pipeline<'_> {
    /// Computes the repair columns: a line each, of which rows of padding are not written.
    pub(crate) fn extend_rows<E: Engine>(
        &self,
        engine: &E,
        repair_columns: Sheet<'_>,
    ) -> Result<(), EncodeFailure> {
        let layout = self.layout;
        let partial = read_partial_row(layout, self.source).map_err(EncodeFailure::Source)?;
        let rows = BlobRows::new(layout, self.source, &partial);
        let at_once = rows_at_once(layout.z());
        let strips = repair_columns.strips(layout.column_bytes(), at_once * layout.z());
        let ranges = ranges(0..layout.used_rows(), at_once);
        let tasks: Vec<_> = ranges.into_iter().zip(strips).collect();
        let done = AtomicU64::new(0);
        let make = || (engine.clone(), RowBuffers::default(), vec![Vec::new(); at_once]);
        self.workers.run(tasks, make, |(engine, buffers, read), (range, mut strip)| {
            let count = range.len();
            let lines: Result<Vec<&[u8]>, _> =
                range.zip(read).map(|(row, buffer)| rows.row(row, buffer)).collect();
            let lines = lines.map_err(EncodeFailure::Source)?;
            let extended = buffers.extend(engine, layout, &lines);
            for (line, symbols) in extended.repair.chunks_exact(extended.line_bytes).enumerate() {
                strip.write(line, 0, symbols).map_err(spill_error)?;
            }
            self.report(&done, 0, count);
            Ok(())
        })?;
        Ok(())
    }

    /// Computes the repair rows, where they are wanted, and the metadata.
    pub(crate) fn extend_columns<E: Engine>(
        &self,
        engine: &mut E,
        repair_columns: RepairColumns<'_>,
        repair_rows: Sheet<'_>,
    ) -> Result<VerifiedMetadata, EncodeFailure> {
        let layout = self.layout;
        let partial = read_partial_row(layout, self.source).map_err(EncodeFailure::Source)?;
        let zeros = ZeroTrees::new(engine, layout.n(), layout.z());
        let grouping = Grouping::new(layout, repair_columns.in_memory);
        let columns = Columns {
            rows: BlobRows::new(layout, self.source, &partial),
            repair_columns: repair_columns.columns,
            zeros: &zeros,
            grouping,
        };
        let mut strips =
            repair_rows.strips(layout.row_bytes(), grouping.task * layout.z()).into_iter();
        let tasks = ranges(0..layout.n(), grouping.task)
            .into_iter()
            .map(|columns| ColumnTask { columns, repair_rows: strips.next() });
        let done = AtomicU64::new(0);
        let make = || (engine.clone(), ColumnBuffers::default());
        let found = self.workers.run(tasks.collect(), make, |(engine, buffers), task| {
            let count = task.columns.len();
            let found = columns.run(engine, buffers, task)?;
            self.report(&done, layout.used_rows(), count);
            Ok(found)
        })?;
        Ok(self.metadata(engine, &zeros, found))
    }

    /// Puts together what the column tasks found.
    fn metadata<E: Engine>(
        &self,
        engine: &E,
        zeros: &ZeroTrees,
        found: Vec<ColumnHashes>,
    ) -> VerifiedMetadata {
        let layout = self.layout;
        let (n, p, used) = (layout.n(), layout.p(), layout.used_rows());
        let mut columns = Vec::with_capacity(n);
        let mut groups = Vec::with_capacity(n.div_ceil(FOLD));
        for hashes in found {
            columns.extend(hashes.roots);
            groups.extend(hashes.groups);
        }
        let mut tasks = ranges(0..used, ROOTS_PER_TASK);
        tasks.extend(ranges(p..n, ROOTS_PER_TASK));
        let make = || engine.clone();
        let hash = |engine: &mut E, range| Ok(row_roots(engine, &groups, range));
        let roots: Result<Vec<_>, std::convert::Infallible> = self.workers.run(tasks, make, hash);
        let Ok(roots) = roots;
        let mut roots = roots.concat();
        roots.splice(used..used, std::iter::repeat_n(zeros.root(), p - used));

        let node = |root: &RawDigest| Node::Digest(Digest::from_bytes(*root));
        // Pair k is row k with column n - 1 - k.
        let hashes = (roots.iter().zip(columns.iter().rev()))
            .map(|(row, column)| SliverPairHashes { primary: node(row), secondary: node(column) })
            .collect();
        let metadata = BlobMetadata::new(layout.length, hashes);
        let root = metadata.compute_root();
        let blob_id = BlobId::from_parts(metadata.encoding_type(), layout.length, &root);
        let (params, symbol_size) = (layout.params, layout.symbol_size);
        VerifiedMetadata::new_verified(params, symbol_size, root, blob_id, metadata)
    }

    /// Reports `count` more rows or columns, after `before` others.
    fn report(&self, done: &AtomicU64, before: usize, count: usize) {
        let done = before as u64 + done.fetch_add(count as u64, Ordering::Relaxed) + count as u64;
        let all = (self.layout.used_rows() + self.layout.n()) as u64;
        (self.progress)(
            (u128::from(self.layout.length) * u128::from(done) / u128::from(all)) as u64,
        );
    }
}

/// `range` cut into pieces of `step`, the last of which may be shorter.
fn ranges(range: Range<usize>, step: usize) -> Vec<Range<usize>> {
    let end = range.end;
    range.step_by(step).map(|start| start..end.min(start + step)).collect()
}
