//! What the chain said about blobs.

mod object;
mod rows;
mod state;

pub use object::{EventRef, ObjectRecord};
pub use rows::{BlobRows, JOURNAL_BLOCKS};
pub(super) use rows::{prepare, read_state, read_states};
pub use state::BlobState;
