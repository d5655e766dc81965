//! The log of certified blobs, and what a sample falls on.

use super::draws::point;
use crate::{ChallengeSeed, TokenId};

/// Most attempts to find a live entry for a sample.
pub const MAX_ATTEMPTS: u8 = 16;

/// One entry of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// The certified token.
    pub token: TokenId,
    /// Price units, started MiB of encoded size, of all entries of the log up to and
    /// with this one.
    pub cumulative_units: u64,
}

/// Why a list of entries is not a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// A challenge over nothing asks for nothing.
    #[error("the log has no entries to sample")]
    Empty,
    /// Every entry has at least one unit.
    #[error("log entry {index} does not add to the units in front of it; read the log again")]
    NotRising {
        /// Position in the whole log.
        index: u64,
    },
}

/// Whether an entry counts in a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryStatus {
    /// It does not: the token's record points elsewhere, its end epoch is reached, or it
    /// was deleted or its id found invalid in a block before the seed block.
    Dead,
    /// It does.
    Live,
    /// Live when the seed block began, but deleted or found invalid in that block or
    /// later: the sample is answered without a symbol.
    Waived,
}

/// What a sample asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleOutcome {
    /// A symbol of this blob.
    Blob(TokenId),
    /// Nothing any more; it fell on this blob.
    Waived(TokenId),
    /// Nothing: all attempts fell on dead entries.
    Nothing,
}

/// A sample and how it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawnSample {
    /// The number of the sample.
    pub number: u16,
    /// Position in the whole log that each attempt fell on, the accepted one last: the
    /// `logIndexes` of a proof on chain.
    pub log_indexes: Vec<u64>,
    /// What is asked for.
    pub outcome: SampleOutcome,
}

/// The part of the log that one challenge draws from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CandidateLog {
    start: u64,
    base_units: u64,
    entries: Vec<LogEntry>,
}

impl CandidateLog {
    /// The entries from position `start` of the log on, in front of which lie
    /// `base_units`.
    ///
    /// # Errors
    /// [`LogError`] for no entries, and for sums that do not rise.
    pub fn new(start: u64, base_units: u64, entries: Vec<LogEntry>) -> Result<Self, LogError> {
        if entries.is_empty() {
            return Err(LogError::Empty);
        }
        let mut before = base_units;
        for (index, entry) in (start..).zip(&entries) {
            if entry.cumulative_units <= before {
                return Err(LogError::NotRising { index });
            }
            before = entry.cumulative_units;
        }
        Ok(Self { start, base_units, entries })
    }

    /// Number of entries, dead ones included; at least 1.
    #[allow(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Units of all entries, dead ones included.
    pub fn total_units(&self) -> u64 {
        let last = self.entries.last().map_or(self.base_units, |entry| entry.cumulative_units);
        last - self.base_units
    }

    /// The sample with this number: the first of at most [`MAX_ATTEMPTS`] draws by weight
    /// that falls on an entry which counts. `status` is asked about each entry met, with
    /// its position in the whole log.
    pub fn draw(
        &self,
        seed: &ChallengeSeed,
        number: u16,
        mut status: impl FnMut(u64, TokenId) -> EntryStatus,
    ) -> DrawnSample {
        let mut log_indexes = Vec::new();
        for attempt in 0..MAX_ATTEMPTS {
            let target = self.base_units + point(seed, number, attempt, self.total_units());
            let at = self.entries.partition_point(|entry| entry.cumulative_units <= target);
            let token = self.entries[at].token;
            let index = self.start + at as u64;
            log_indexes.push(index);
            let outcome = match status(index, token) {
                EntryStatus::Dead => continue,
                EntryStatus::Live => SampleOutcome::Blob(token),
                EntryStatus::Waived => SampleOutcome::Waived(token),
            };
            return DrawnSample { number, log_indexes, outcome };
        }
        DrawnSample { number, log_indexes, outcome: SampleOutcome::Nothing }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn log(start: u64, base: u64, units: &[u64]) -> Result<CandidateLog, LogError> {
        let mut cumulative_units = base;
        let entries = (1..).map(TokenId).zip(units).map(|(token, units)| {
            cumulative_units += units;
            LogEntry { token, cumulative_units }
        });
        CandidateLog::new(start, base, entries.collect())
    }

    #[test]
    fn a_log_rises() {
        assert_eq!(log(5, 10, &[]), Err(LogError::Empty));
        assert_eq!(log(5, 10, &[1, 0, 2]), Err(LogError::NotRising { index: 6 }));
        assert_eq!(log(5, 10, &[1, 3, 2]).unwrap().total_units(), 6);
    }

    #[test]
    fn samples_fall_by_weight() {
        let log = log(7, 1000, &[1, 9, 90]).unwrap();
        let mut counts = [0; 3];
        for sample in 0..10_000 {
            let drawn = log.draw(&ChallengeSeed([8; 32]), sample, |_, _| EntryStatus::Live);
            assert_eq!(drawn.log_indexes.len(), 1);
            counts[(drawn.log_indexes[0] - 7) as usize] += 1;
        }
        assert!((50..150).contains(&counts[0]), "{counts:?}");
        assert!((750..1050).contains(&counts[1]), "{counts:?}");
        assert!((8800..9200).contains(&counts[2]), "{counts:?}");
    }

    #[test]
    fn dead_entries_are_passed_over_sixteen_times_and_waived_ones_are_not() {
        let log = log(0, 0, &[50, 50]).unwrap();
        let seed = ChallengeSeed([9; 32]);
        let only_second = |_, token| {
            if token == TokenId(2) { EntryStatus::Live } else { EntryStatus::Dead }
        };
        let mut redrawn = 0;
        for sample in 0..100 {
            let drawn = log.draw(&seed, sample, only_second);
            assert_eq!(drawn.outcome, SampleOutcome::Blob(TokenId(2)));
            assert_eq!(drawn.log_indexes.last(), Some(&1));
            redrawn += usize::from(drawn.log_indexes.len() > 1);
        }
        assert!(redrawn > 20, "half of the samples fall on the dead entry first");
        let drawn = log.draw(&seed, 0, |_, _| EntryStatus::Dead);
        assert_eq!(drawn.outcome, SampleOutcome::Nothing);
        assert_eq!(drawn.log_indexes.len(), 16);
        let drawn = log.draw(&seed, 0, |_, _| EntryStatus::Waived);
        assert_eq!(drawn.log_indexes.len(), 1);
        assert!(matches!(drawn.outcome, SampleOutcome::Waived(_)));
    }
}
