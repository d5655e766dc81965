//! Random bytes.

/// A source of random bytes, split by purpose.
///
/// A simulation derives a stream for each purpose from its seed, so that a new
/// draw in one place does not shift the draws of any other.
pub trait Entropy: Send + Sync {
    /// Fills `bytes` with unpredictable bytes fit for keys and nonces.
    fn fill(&self, purpose: &str, bytes: &mut [u8]);
}
