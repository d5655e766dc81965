//! Speaks the storage node's HTTP protocol: routes, wire types, errors, the typed client.
//!
//! Both sides of the protocol take their words from here, so that neither depends on
//! the other. The node's handlers are not here, nor is any decision about which node to
//! ask: a [`NodeClient`] speaks to one node and tells, by [`NodeError::decision`], what
//! its answer means for the next step.
//!
//! Reading order: [`routes`] and [`query`] for what can be asked, [`wire`] and [`error`]
//! for what is answered, [`limits`] for how much of it, [`client`] for asking,
//! [`extract`] for answering, [`tls`] for knowing whom one speaks to, [`openapi`] for telling
//! programs all of it.
//!
//! Guarantees: a body is bounded before it is buffered, a call ends within its time
//! limit, and what a method returns has been checked against what the caller knows (blob
//! id, metadata, committee key). An answer that cannot come from an honest node is
//! [`NodeError::Misbehaved`].

pub mod client;
pub mod error;
pub mod extract;
pub mod limits;
pub mod openapi;
pub mod query;
pub mod routes;
pub mod tls;
pub mod wire;

pub use client::{
    Decision, ExpectedAttestation, ExpectedConfirmation, Meter, Misbehaviour, NodeAddress,
    NodeClient, NodeClientConfig, NodeClientError, NodeError, NodeIdentity,
};
pub use error::{ApiError, ErrorReason, ErrorStatus};
