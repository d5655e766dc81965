//! The bytes of one file: what a reader sees and what survives a power cut.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// A change not yet known to be durable.
#[derive(Clone, Debug)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    SetLen { length: usize },
}

impl Change {
    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => {
                let end = offset + bytes.len();
                if to.len() < end {
                    to.resize(end, 0);
                }
                to[*offset..end].copy_from_slice(bytes);
            }
            Self::SetLen { length } => to.resize(*length, 0),
        }
    }

    /// The part of the change that reached the platter before the power went.
    fn torn(&self, rng: &mut ChaCha8Rng) -> Option<Self> {
        match self {
            Self::Write { offset, bytes } if bytes.len() > 1 => {
                let kept = rng.random_range(1..bytes.len());
                Some(Self::Write { offset: *offset, bytes: bytes[..kept].to_vec() })
            }
            _ => None,
        }
    }
}

/// A file without a name.
#[derive(Default)]
pub(super) struct Contents {
    /// What readers see.
    cached: Vec<u8>,
    /// What is on the platter.
    durable: Vec<u8>,
    /// Changes in order since then, each with its number.
    pending: Vec<(u64, Change)>,
    changes: u64,
}

impl Contents {
    pub(super) fn cached(&self) -> &[u8] {
        &self.cached
    }

    pub(super) fn durable(&self) -> &[u8] {
        &self.durable
    }

    pub(super) fn write(&mut self, offset: usize, bytes: &[u8]) {
        self.change(Change::Write { offset, bytes: bytes.to_vec() });
    }

    pub(super) fn set_len(&mut self, length: usize) {
        self.change(Change::SetLen { length });
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.cached);
        self.changes += 1;
        self.pending.push((self.changes, change));
    }

    /// The number of the last change: what a sync that begins now must cover.
    pub(super) fn mark(&self) -> u64 {
        self.changes
    }

    /// Makes every change up to `mark` durable.
    pub(super) fn sync(&mut self, mark: u64) {
        let covered = self.pending.partition_point(|(number, _)| *number <= mark);
        for (_, change) in self.pending.drain(..covered) {
            change.apply(&mut self.durable);
        }
    }

    /// A failed sync as kernels have it: the changes stay visible, are taken for
    /// clean, and never reach the platter.
    pub(super) fn fail_sync(&mut self, mark: u64) {
        self.pending.retain(|(number, _)| *number > mark);
    }

    /// Loses a random end of the pending changes, the last kept one perhaps torn.
    /// Returns how many changes were lost or torn.
    pub(super) fn power_cut(&mut self, rng: &mut ChaCha8Rng) -> u64 {
        let pending = std::mem::take(&mut self.pending);
        let kept = if pending.is_empty() { 0 } else { rng.random_range(0..=pending.len()) };
        for (_, change) in &pending[..kept] {
            change.apply(&mut self.durable);
        }
        if let Some((_, next)) = pending.get(kept)
            && rng.random_bool(0.5)
            && let Some(torn) = next.torn(rng)
        {
            torn.apply(&mut self.durable);
        }
        self.cached.clone_from(&self.durable);
        (pending.len() - kept) as u64
    }

    /// Makes everything durable, as a disk with a battery would.
    pub(super) fn keep(&mut self) {
        self.pending.clear();
        self.durable.clone_from(&self.cached);
    }

    /// Flips one bit at rest.
    pub(super) fn flip(&mut self, offset: usize, mask: u8) {
        for bytes in [&mut self.cached, &mut self.durable] {
            if let Some(byte) = bytes.get_mut(offset) {
                *byte ^= mask;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;

    #[test]
    fn a_power_cut_keeps_a_prefix_of_the_changes() {
        // A disk that reorders or invents bytes would accuse correct code;
        // one that never loses or tears anything would acquit wrong code.
        let mut outcomes = std::collections::BTreeSet::new();
        for seed in 0..200 {
            let mut file = Contents::default();
            file.write(0, b"durable.");
            file.sync(file.mark());
            file.write(8, b"first.");
            file.write(14, b"second");
            file.power_cut(&mut Seed(seed).stream(&["test"]));
            let full = b"durable.first.second";
            assert!(full.starts_with(file.cached()), "{:?}", file.cached());
            assert!(file.cached().len() >= 8);
            assert_eq!(file.cached(), file.durable());
            outcomes.insert(file.cached().len());
        }
        assert!(outcomes.contains(&8) && outcomes.contains(&14) && outcomes.contains(&20));
        assert!(outcomes.len() > 3, "no write was ever torn: {outcomes:?}");
    }

    #[test]
    fn a_failed_sync_leaves_a_cache_that_lies() {
        // After the failure a second sync succeeds and yet the bytes are gone.
        let mut file = Contents::default();
        file.write(0, b"gone");
        file.fail_sync(file.mark());
        file.sync(file.mark());
        assert_eq!(file.cached(), b"gone");
        assert_eq!(file.durable(), b"");
    }

    #[test]
    fn a_sync_covers_only_what_came_before_it() {
        let mut file = Contents::default();
        file.write(0, b"a");
        let mark = file.mark();
        file.write(1, b"b");
        file.sync(mark);
        assert_eq!(file.durable(), b"a");
    }
}
