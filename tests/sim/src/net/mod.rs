//! A network of named hosts: streams that are late, lossy, cut and reset.
//!
//! A stream keeps order and bytes, as TCP does. What goes wrong shows as time: a lost
//! segment arrives after a retransmission, a cut link is silence until it heals.

mod connection;
mod link;
mod socket;

pub use link::{LinkProfile, Network};

pub(crate) use socket::SimNet;
