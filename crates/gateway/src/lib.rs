//! The network over plain HTTP, for people and programs that are no client of it:
//! *aggregator* (reads blobs), *publisher* (stores blobs and pays for them), *upload relay*
//! (encodes and uploads blobs that others pay for), and a web page.
//!
//! What it serves was checked against the blob id; whoever trusts nobody runs one
//! on his own machine. It believes no client: every body, list, wait and file has a bound
//! in [`Limits`].
//!
//! Reading order: [`GatewayConfig`], [`start`], `router`, `hosts`, then `aggregator`, `publisher`,
//! `relay`. The routes are those of docs/protocol/http-api.md sections 5 to 9; where the
//! gateway differs on purpose, docs/operating/gateway.md says so.

mod aggregator;
mod auth;
mod body;
mod config;
mod error;
mod gate;
mod hosts;
mod logs;
mod metrics;
mod nodes;
mod openapi;
mod origin;
mod page;
mod publisher;
mod query;
mod relay;
mod router;
mod rpc;
mod senders;
mod server;
mod settings;
mod spool;
mod state;
mod uploads;
mod used;
mod wallets;

pub use auth::TokenConfigError;
pub use config::{
    ALLOWED_HEADERS, ForwardedBy, GatewayConfig, Limits, Roles, Senders, TipConfig, TipKind,
    TokenConfig,
};
pub use error::{Error, Reason};
pub use openapi::document as openapi_document;
pub use server::{RunningGateway, StartError, start};
