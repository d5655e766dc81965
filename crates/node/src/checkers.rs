//! Checkers of received slivers, used again and again: fresh memory for each sliver, and fresh tables,
//! would cost as much as the check itself.

use std::sync::Mutex;

use walrus_redstuff::{SliverChecker, SliverError, SliverIndex, SliverView, VerifiedMetadata};

use crate::sync::lock;

/// Checkers kept, beyond which a machine has hardly processors to use them at once.
const KEPT: usize = 64;
/// A checker with a larger buffer is not kept: blobs of that size are rare.
const KEPT_BUFFER_BYTES: usize = 8 << 20;

/// The checkers that are not in use.
#[derive(Debug, Default)]
pub struct Checkers {
    idle: Mutex<Vec<SliverChecker>>,
}

impl Checkers {
    /// Compares a sliver with the metadata.
    ///
    /// # Errors
    /// [`SliverError`] for anything but sliver `expected`.
    pub fn check(
        &self,
        metadata: &VerifiedMetadata,
        sliver: &SliverView<'_>,
        expected: SliverIndex,
    ) -> Result<(), SliverError> {
        let mut checker = lock(&self.idle).pop().unwrap_or_default();
        let outcome = checker.check(metadata, sliver, expected);
        if checker.buffer_bytes() <= KEPT_BUFFER_BYTES {
            let mut idle = lock(&self.idle);
            if idle.len() < KEPT {
                idle.push(checker);
            }
        }
        outcome
    }
}
