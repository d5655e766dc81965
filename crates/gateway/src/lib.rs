//! The network over plain HTTP, for people and programs that are no client of it:
//! *aggregator* (reads blobs), *publisher* (stores blobs and pays for them), *upload relay*
//! (encodes and uploads blobs that others pay for), and a web page.
//!
//! What it serves was checked against the blob id; whoever trusts nobody runs one
//! on his own machine. It believes no client: every body, list, wait and file has a bound
//! in [`Limits`].
//!
//! Reading order: [`GatewayConfig`], [`start`], `router`, then `aggregator`, `publisher`,
//! `relay`. The routes are those of docs/protocol/http-api.md sections 5 to 9; where the
//! gateway differs on purpose, docs/operating/gateway.md says so.

mod aggregator;
mod body;
mod config;
mod error;
mod page;
mod publisher;
mod router;
mod rpc;
mod server;
mod settings;
mod state;

pub use config::{GatewayConfig, Limits, Roles};
pub use error::{Error, Reason};
pub use server::{RunningGateway, StartError, start};
