//! Names, counts and signatures of the protocol: blob ids, epochs, committees, messages, certificates.

mod ids;
mod keys;
pub mod quorum;

pub use ids::*;
pub use keys::*;
pub use quorum::Threshold;
