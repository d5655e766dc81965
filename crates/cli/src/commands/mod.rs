//! One file for each command.

pub mod blob;
pub mod capacity;
pub mod chain;
pub mod cost;
pub mod debug;
pub mod decrypt;
pub mod demo;
pub mod extend;
pub mod gateway;
pub mod gc;
pub mod info;
pub mod key;
pub mod list;
pub mod local;
pub mod man;
pub mod node;
pub mod object;
pub mod quilt;
pub mod read;
pub mod reference;
pub mod share;
pub mod site;
pub mod stake;
pub mod store;
pub mod store_many;
pub mod verify;
