//! Computing the source symbols that are missing.

use std::io;
use std::ops::Range;

use super::{ConsistencyCheck, DecodeFailure, Inconsistency};
use crate::encode::rows::{rows_at_once, scatter};
use crate::engine::{Engine, missing_sources};
use crate::index::SliverIndex;
use crate::layout::Layout;
use crate::merkle::RawDigest;
use crate::metadata::VerifiedMetadata;
use crate::sheet::Sheet;
use crate::storage::Line;
use crate::workers::Workers;

/// Pieces of lines that are worked on together, as long as they stay in cache,
const CACHED_PIECE_BYTES: usize = 1 << 10;
/// or, if they must be read first, until a piece has this many bytes.
const STORED_PIECE_BYTES: usize = 16 << 10;

/// One blob on its way back.
#[derive(Clone, Copy)]
pub(crate) struct Restoration<'a> {
    pub(crate) metadata: &'a VerifiedMetadata,
    pub(crate) layout: Layout,
    pub(crate) workers: &'a Workers,
    /// Whether all slivers are, which makes other sizes of pieces better.
    pub(crate) in_memory: bool,
}

/// What was seen on the way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    /// Whether everything after the blob's end that was cut off is zero.
    pub(crate) padding_is_zero: bool,
    /// The first row that is not the one committed to, if that was looked at.
    pub(crate) wrong_row: Option<SliverIndex>,
}

impl Found {
    /// Whether the blob stands up to the check.
    pub(crate) fn verdict(self, check: ConsistencyCheck) -> Result<(), DecodeFailure> {
        match self {
            _ if check == ConsistencyCheck::Skip => Ok(()),
            Self { padding_is_zero: false, .. } => Err(Inconsistency::Padding.into()),
            Self { wrong_row: Some(index), .. } => {
                Err(Inconsistency::PrimarySliver { index }.into())
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let nothing = Self { padding_is_zero: true, wrong_row: None };
        parts.into_iter().fold(nothing, |all, part| Self {
            padding_is_zero: all.padding_is_zero && part.padding_is_zero,
            wrong_row: [all.wrong_row, part.wrong_row].into_iter().flatten().min(),
        })
    }
}

/// One thread's room.
#[derive(Debug, Default)]
struct Buffers {
    known: Vec<u8>,
    missing: Vec<u8>,
    rows: Vec<u8>,
    repair: Vec<u8>,
}

impl Restoration<'_> {
    /// From `p` primary slivers, whose indices are `positions`: every column is a codeword. The
    /// missing rows of the blob's matrix are written to the lines of `out`, in ascending order.
    pub(crate) fn restore_from_rows<E: Engine>(
        &self,
        engine: &E,
        positions: &[u16],
        known: &[Line<'_>],
        out: Sheet<'_>,
    ) -> Result<Found, DecodeFailure> {
        let (layout, code) = (self.layout, self.layout.column_code());
        let missing = missing_sources(code, positions).len();
        if missing == 0 {
            return Ok(Found::all([]));
        }
        let (z, row_bytes) = (layout.z(), layout.row_bytes());
        let piece = if self.in_memory { CACHED_PIECE_BYTES } else { STORED_PIECE_BYTES };
        let width = (piece / z).max(1) * z;
        let strips = out.strips(row_bytes, width);
        let tasks: Vec<_> = (0..row_bytes).step_by(width).zip(strips).collect();
        let make = || (engine.clone(), Buffers::default());
        let found: Result<_, DecodeFailure> = self.workers.run(tasks, make, |own, task| {
            let ((engine, buffers), (at, mut strip)) = (own, task);
            let part = at..row_bytes.min(at + width);
            let width = part.len();
            let Buffers { known: read, missing: computed, .. } = buffers;
            let known = lines(known, part, read).map_err(DecodeFailure::Spill)?;
            if let Some(lines) = strip.in_memory() {
                engine.restore(code, z, positions, &known, lines);
                return Ok(Found::all([]));
            }
            computed.resize(missing * width, 0);
            let mut lines: Vec<&mut [u8]> = computed.chunks_exact_mut(width).collect();
            engine.restore(code, z, positions, &known, &mut lines);
            let mut padding_is_zero = true;
            for (index, line) in lines.iter().enumerate() {
                padding_is_zero &= strip.write(index, 0, line).map_err(DecodeFailure::Output)?;
            }
            Ok(Found { padding_is_zero, wrong_row: None })
        });
        Ok(Found::all(found?))
    }

    /// From `s` secondary slivers, whose indices are `positions`: every row is a codeword. `out` is
    /// the whole matrix, as one line. With `hashed`, rows are compared with the metadata on the way.
    pub(crate) fn restore_from_columns<E: Engine>(
        &self,
        engine: &E,
        positions: &[u16],
        known: &[Line<'_>],
        out: Sheet<'_>,
        hashed: bool,
    ) -> Result<Found, DecodeFailure> {
        let (layout, code) = (self.layout, self.layout.row_code());
        let (p, z, row_bytes) = (layout.p(), layout.z(), layout.row_bytes());
        let missing = missing_sources(code, positions);
        let at_once = rows_at_once(z);
        let strips = out.strips(p * row_bytes, at_once * row_bytes);
        let tasks: Vec<_> = (0..p).step_by(at_once).zip(strips).collect();
        let make = || (engine.clone(), Buffers::default(), super::check::RowHasher::default());
        let found: Result<_, DecodeFailure> = self.workers.run(tasks, make, |own, task| {
            let ((engine, buffers, hasher), (row, mut strip)) = (own, task);
            let rows = row..p.min(row + at_once);
            let width = rows.len() * z;
            let Buffers { known: read, missing: computed, rows: assembled, repair } = buffers;
            let part = row * z..row * z + width;
            let known = lines(known, part, read).map_err(DecodeFailure::Spill)?;
            computed.resize(missing.len() * width, 0);
            let mut lines: Vec<&mut [u8]> = computed.chunks_exact_mut(width).collect();
            engine.restore(code, z, positions, &known, &mut lines);

            // The source lines in order, the known ones where they lie.
            let mut source: Vec<&[u8]> = vec![&[]; code.source];
            for (position, line) in positions.iter().zip(&known) {
                if let Some(place) = source.get_mut(usize::from(*position)) {
                    *place = line;
                }
            }
            for (position, line) in missing.iter().zip(computed.chunks_exact(width)) {
                source[usize::from(*position)] = line;
            }
            assembled.resize(rows.len() * row_bytes, 0);
            for (column, line) in source.iter().enumerate() {
                scatter(line, z, &mut assembled[column * z..], row_bytes);
            }
            let mut found = Found::all([]);
            if hashed {
                repair.resize(code.repair * width, 0);
                let mut lines: Vec<&mut [u8]> = repair.chunks_exact_mut(width).collect();
                engine.extend(code, z, &source, &mut lines);
                let rows = rows.clone().zip(assembled.chunks_exact(row_bytes)).enumerate();
                for (lane, (index, row)) in rows {
                    let root = hasher.root(engine, layout, row, &repair[lane * z..], width);
                    found = Found::all([found, self.compare(index, &root)]);
                }
            }
            found.padding_is_zero = strip.write(0, 0, assembled).map_err(DecodeFailure::Output)?;
            Ok(found)
        });
        Ok(Found::all(found?))
    }

    /// Whether row `row` of the blob, of which `root` is the computed hash, is the one committed to.
    pub(crate) fn compare(&self, row: usize, root: &RawDigest) -> Found {
        // Rows of the blob's matrix are fewer than shards, which are counted by a u16.
        let index = SliverIndex(row as u16);
        let hash = self.metadata.sliver_hash(crate::SliverType::Primary, index);
        let right = hash.is_some_and(|hash| hash.is_root(&crate::Digest::from_bytes(*root)));
        Found { padding_is_zero: true, wrong_row: (!right).then_some(index) }
    }
}

/// A part of all lines, where they are in memory, or read into `buffer`.
fn lines<'a>(
    lines: &[Line<'a>],
    part: Range<usize>,
    buffer: &'a mut Vec<u8>,
) -> io::Result<Vec<&'a [u8]>> {
    let in_memory: Option<Vec<&[u8]>> =
        lines.iter().map(|line| line.as_slice()?.get(part.clone())).collect();
    if let Some(lines) = in_memory {
        return Ok(lines);
    }
    buffer.resize(lines.len() * part.len(), 0);
    for (line, piece) in lines.iter().zip(buffer.chunks_exact_mut(part.len())) {
        line.read(part.start, piece)?;
    }
    Ok(buffer.chunks_exact(part.len()).collect())
}
