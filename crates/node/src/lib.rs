//! Stores slivers, signs for them, serves them and heals them: the storage node.
//!
//! It is not a chain client of its own ([`walrus_chain`] is) and knows nothing of blobs
//! as a whole: it holds the slivers of the shards that the committee gives to it.
//!
//! [`Node::start`] puts the parts together:
//!
//! | part | module |
//! | --- | --- |
//! | what is on disk | [`store`] |
//! | following the chain | [`events`] |
//! | epoch and committee | [`committee`] |
//! | the HTTP routes | [`api`] |
//! | getting back what is missing | [`recovery`] |
//!
//! Promises: what was acknowledged survives a crash at any point; a confirmation is
//! signed only for what is durably stored; bytes from disk and network are checked
//! before they are served, counted or believed; memory and queues are bounded.

pub mod api;
pub mod checkers;
pub mod committee;
mod config;
pub mod events;
pub mod expanded;
mod keys;
mod lru;
mod node;
pub mod recovery;
mod scope;
pub mod state;
pub mod store;
mod sync;
#[cfg(test)]
mod test_disk;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod test_node;

pub use config::{NodeConfig, Tls};
pub use keys::ProtocolKeys;
pub use node::{Node, NodeError, RunningNode};
