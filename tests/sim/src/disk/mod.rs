//! A disk that forgets what was not synced.

mod contents;
mod handle;
mod model;
mod names;

pub use model::{DiskFaults, DiskModel, DiskOp, Lost};

pub(crate) use handle::SimDisk;
