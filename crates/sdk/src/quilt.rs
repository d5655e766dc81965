//! Quilts: many small files stored as one blob, each readable without the others.
//!
//! A file of a quilt lies in whole columns of the blob's matrix, and a column is a secondary sliver that
//! one node holds: a reader fetches those few slivers, checks each against the metadata and with it
//! against the blob id, and leaves the rest alone. Columns whose node cannot give them are recovered from
//! symbols that others hold; only if that fails too, the whole quilt is read, with the strict check.

mod outcome;
mod read;
mod store;
#[cfg(test)]
mod tests;

pub use outcome::{PatchName, QuiltReadOptions, QuiltReport, ReadPatch, ReadQuiltError};
pub use read::QuiltReader;
pub use store::{PreparedQuilt, QuiltFile, StoreQuiltError, StoredQuilt};
