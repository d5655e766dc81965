//! Speaks the storage node's HTTP protocol: routes, wire types, errors, the typed client.

pub mod error;
pub mod tls;
pub mod wire;

pub use error::{ApiError, ErrorReason, ErrorStatus};
