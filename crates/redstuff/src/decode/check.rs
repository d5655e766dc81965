//! Comparing rows of a decoded blob with what the metadata commits to
//! (docs/protocol/encoding.md section 5.2).

use super::restoration::{Found, Restoration};
use super::{ConsistencyCheck, DecodeFailure};
use crate::encode::rows::{BlobRows, RowBuffers, read_partial_row, rows_at_once};
use crate::engine::Engine;
use crate::layout::Layout;
use crate::merkle::{RawDigest, root_of_hashes};
use crate::storage::ReadAt;
use crate::trees::ZeroTrees;

/// One thread's room for hashing rows.
#[derive(Debug, Default)]
pub(crate) struct RowHasher {
    leaves: Vec<RawDigest>,
    parents: Vec<RawDigest>,
}

impl RowHasher {
    /// The Merkle root of an extended row: its own symbols one after the other, and its repair symbols
    /// at every `stride` bytes.
    pub(crate) fn root<E: Engine>(
        &mut self,
        engine: &mut E,
        layout: Layout,
        row: &[u8],
        repair: &[u8],
        stride: usize,
    ) -> RawDigest {
        self.leaves.resize(layout.n(), [0; 32]);
        let (of_source, of_repair) = self.leaves.split_at_mut(layout.s());
        engine.hash_leaves(layout.z(), layout.z(), row, of_source);
        engine.hash_leaves(layout.z(), stride, repair, of_repair);
        root_of_hashes(engine, &mut self.leaves, &mut self.parents)
    }
}

impl Restoration<'_> {
    /// Compares the rows `rows` of the blob with the metadata. What follows the blob in its matrix is
    /// taken to be zero.
    pub(crate) fn check_rows<E: Engine>(
        &self,
        engine: &mut E,
        blob: &dyn ReadAt,
        rows: &[u16],
    ) -> Result<(), DecodeFailure> {
        let layout = self.layout;
        let used = rows.partition_point(|row| usize::from(*row) < layout.used_rows());
        let (used, padding) = rows.split_at(used);
        let partial = read_partial_row(layout, blob).map_err(DecodeFailure::Output)?;
        let blob = BlobRows::new(layout, blob, &partial);
        let at_once = rows_at_once(layout.z());
        let make = || {
            let read = vec![Vec::new(); at_once];
            (engine.clone(), RowBuffers::default(), RowHasher::default(), read)
        };
        let tasks = used.chunks(at_once).collect();
        let found = self.workers.run(tasks, make, |(engine, buffers, hasher, read), rows| {
            let lines: Result<Vec<&[u8]>, _> = (rows.iter().zip(read))
                .map(|(row, buffer)| blob.row(usize::from(*row), buffer))
                .collect();
            let lines = lines.map_err(DecodeFailure::Output)?;
            let extended = buffers.extend(engine, layout, &lines);
            let mut found = Found::all([]);
            for (lane, (row, line)) in rows.iter().zip(&lines).enumerate() {
                let repair = &extended.repair[lane * layout.z()..];
                let root = hasher.root(engine, layout, line, repair, extended.line_bytes);
                found = Found::all([found, self.compare(usize::from(*row), &root)]);
            }
            Ok::<_, DecodeFailure>(found)
        })?;
        Found::all(found).verdict(ConsistencyCheck::Default)?;
        if padding.is_empty() {
            return Ok(());
        }
        let zeros = ZeroTrees::new(engine, layout.n(), layout.z()).root();
        let found = padding.iter().map(|row| self.compare(usize::from(*row), &zeros));
        Found::all(found).verdict(ConsistencyCheck::Default)
    }
}
