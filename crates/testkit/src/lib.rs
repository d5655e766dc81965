//! Helps tests: contents of known bytes, and the rules of the workspace as tests.
//!
//! A library crate may depend on this one for its tests only.

pub mod content;
