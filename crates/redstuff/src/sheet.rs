//! Many equally long lines that are written a strip at a time, by several threads.
//!
//! Repair slivers come into being across: one task computes some columns of all rows, another the
//! next ones. A [`Sheet`] is cut into [`Strip`]s beforehand, one for each task, that share nothing.

use std::io;
use std::sync::Arc;

use crate::storage::ReadWriteAt;

/// Where lines go.
pub(crate) enum Sheet<'a> {
    /// One after the other into memory.
    Memory(&'a mut [u8]),
    /// Each to a place of its own in memory.
    Places(Vec<&'a mut [u8]>),
    /// Each to an offset of its own; what reaches past `end` is cut off.
    Storage { storage: &'a dyn ReadWriteAt, offsets: Vec<u64>, end: u64 },
    /// Nowhere.
    Nothing,
}

/// Part of every line of a sheet: from byte `start` of each line on.
pub(crate) struct Strip<'a> {
    start: usize,
    lines: Lines<'a>,
}

enum Lines<'a> {
    Memory(Vec<&'a mut [u8]>),
    Storage { storage: &'a dyn ReadWriteAt, offsets: Arc<[u64]>, end: u64 },
    Nothing,
}

impl<'a> Sheet<'a> {
    /// A sheet of only the lines `lines`, ascending, of all that lie one after the other in `bytes`.
    pub(crate) fn scattered(bytes: &'a mut [u8], line_bytes: usize, lines: &[u16]) -> Self {
        let all = bytes.chunks_exact_mut(line_bytes).enumerate();
        let chosen = all.filter(|(index, _)| {
            u16::try_from(*index).is_ok_and(|index| lines.binary_search(&index).is_ok())
        });
        Self::Places(chosen.map(|(_, line)| line).collect())
    }

    /// A sheet whose lines lie one after the other in storage, from `offset` on.
    pub(crate) fn stored(
        storage: &'a dyn ReadWriteAt,
        offset: u64,
        lines: usize,
        line_bytes: usize,
    ) -> Self {
        let offset_of = |line| offset + line as u64 * line_bytes as u64;
        Self::Storage { storage, offsets: (0..lines).map(offset_of).collect(), end: u64::MAX }
    }

    /// Cuts lines of `line_bytes` into strips of `strip_bytes`, the last of which may be narrower.
    pub(crate) fn strips(self, line_bytes: usize, strip_bytes: usize) -> Vec<Strip<'a>> {
        let starts = (0..line_bytes).step_by(strip_bytes);
        match self {
            Self::Memory(bytes) => Self::Places(bytes.chunks_exact_mut(line_bytes).collect())
                .strips(line_bytes, strip_bytes),
            Self::Places(lines) => {
                let strip = |start| Strip { start, lines: Lines::Memory(Vec::new()) };
                let mut strips: Vec<_> = starts.map(strip).collect();
                for line in lines {
                    for (strip, part) in strips.iter_mut().zip(line.chunks_mut(strip_bytes)) {
                        if let Lines::Memory(lines) = &mut strip.lines {
                            lines.push(part);
                        }
                    }
                }
                strips
            }
            Self::Storage { storage, offsets, end } => {
                let offsets: Arc<[u64]> = offsets.into();
                let strip = |start| {
                    let offsets = Arc::clone(&offsets);
                    Strip { start, lines: Lines::Storage { storage, offsets, end } }
                };
                starts.map(strip).collect()
            }
            Self::Nothing => starts.map(|start| Strip { start, lines: Lines::Nothing }).collect(),
        }
    }
}

impl<'a> Strip<'a> {
    /// Whether what is written goes anywhere.
    pub(crate) fn is_kept(&self) -> bool {
        !matches!(self.lines, Lines::Nothing)
    }

    /// The lines, if they are in memory.
    pub(crate) fn in_memory(&mut self) -> Option<&mut [&'a mut [u8]]> {
        match &mut self.lines {
            Lines::Memory(lines) => Some(lines),
            _ => None,
        }
    }

    /// Writes bytes of line `line`, from byte `at` of the strip on. Returns whether everything that
    /// was cut off is zero.
    pub(crate) fn write(&mut self, line: usize, at: usize, bytes: &[u8]) -> io::Result<bool> {
        match &mut self.lines {
            Lines::Memory(lines) => lines[line][at..][..bytes.len()].copy_from_slice(bytes),
            Lines::Storage { storage, offsets, end } => {
                let offset = offsets[line] + (self.start + at) as u64;
                let kept = end.saturating_sub(offset).min(bytes.len() as u64) as usize;
                let (kept, cut_off) = bytes.split_at(kept);
                if !kept.is_empty() {
                    storage.write_at(offset, kept)?;
                }
                return Ok(cut_off.iter().all(|byte| *byte == 0));
            }
            Lines::Nothing => {}
        }
        Ok(true)
    }
}
