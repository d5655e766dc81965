//! Randomness of the simulated world: one seed, many independent streams.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The number a run is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seed(pub u64);

impl Seed {
    /// The stream for `labels`: the generator seeded with the hash of the seed and
    /// the labels, so that one more draw in one place shifts no other.
    pub fn stream(self, labels: &[&str]) -> ChaCha8Rng {
        let mut state = blake2b_simd::Params::new().hash_length(32).to_state();
        state.update(&self.0.to_le_bytes());
        for label in labels {
            // The length keeps ("a", "bc") apart from ("ab", "c").
            state.update(&(label.len() as u64).to_le_bytes());
            state.update(label.as_bytes());
        }
        let mut key = [0; 32];
        key.copy_from_slice(state.finalize().as_bytes());
        ChaCha8Rng::from_seed(key)
    }
}

impl std::fmt::Display for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
