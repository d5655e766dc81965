//! One file for each command.

pub mod blob;
pub mod capacity;
pub mod chain;
pub mod debug;
pub mod decrypt;
pub mod demo;
pub mod gateway;
pub mod info;
pub mod key;
pub mod local;
pub mod node;
pub mod object;
pub mod read;
pub mod reference;
pub mod stake;
pub mod store;
pub mod store_many;
