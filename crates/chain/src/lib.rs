//! Talks to the contracts: typed calls, an ordered event stream, deployment.
//!
//! The only crate that knows an ABI. Everything goes over HTTP JSON-RPC through
//! [`walrus_env::Env`], so a simulated network drives it as it is; nothing here starts
//! a task or reads a clock other than tokio's.
//!
//! Reading order: [`Endpoints`] (several RPC addresses as one), [`Deployment`] (where a
//! network's contracts live), [`ChainClient`] (questions), [`Wallet`] and
//! [`ChainWriter`] (transactions), [`EventStream`] and [`Cursor`] (events), [`deploy`]
//! and [`start_network`] (a new network), [`ContractError`] (what contracts refuse).
//!
//! ```no_run
//! use walrus_chain::*;
//! # async fn example(env: walrus_env::Env, deployment: Deployment) -> Result<(), Box<dyn std::error::Error>> {
//! let urls = ["http://127.0.0.1:8545", "http://backup.example:8545"];
//! let endpoints = Endpoints::new(&env, &urls, EndpointsConfig::default())?;
//! let client = ChainClient::connect(endpoints, deployment).await?;
//! println!("epoch {}", client.epoch_state().await?.epoch);
//!
//! let mut events = EventStream::new(client, None, Confirmations::Finalized);
//! match events.next().await? {
//!     StreamItem::Batch(batch) => { /* apply batch.events and store batch.cursor together */ }
//!     StreamItem::Reorged { to } => { /* undo what came after `to` */ }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Guarantees: a transaction happens at most once for each call, whatever answers are
//! lost; events come in order and none is left out; an address of another chain is
//! refused; no answer of the chain, however wrong, panics.

mod abi;
mod address_text;
mod assets;
mod challenge;
mod client;
mod contract;
mod contract_error;
mod crank;
mod cursor;
mod deploy;
mod deployment;
mod endpoints;
mod error;
mod event;
mod gas_price;
mod genesis;
mod governance;
mod keystore;
mod probe;
mod profile;
mod purchase;
mod rpc;
mod sender;
mod stake;
mod stream;
mod view;
mod wallet;
mod writer;

pub use assets::{CapacityClass, Holding, ReferenceRecord};
pub use challenge::{CertifiedEntry, ChainSymbolProof};
pub use client::{BLOBS_PER_CALL, ChainClient};
pub use contract_error::ContractError;
pub use crank::CrankStep;
pub use cursor::{BlockRef, Cursor, CursorError};
pub use deploy::{DeployError, DeployParams, deploy};
pub use deployment::{Contracts, Deployment, Parameters};
pub use endpoints::{Endpoints, EndpointsConfig, EndpointsError, Refusal, RpcError};
pub use error::{ReadError, TransactionHash, WriteError};
pub use event::{
    AssetEvent, ChainEvent, ChallengeEvent, EventError, EventPosition, GovernanceEvent,
    PositionedEvent, SlashReason, StakingEvent,
};
pub use genesis::{GenesisNode, start_network};
pub use governance::{
    Approval, Decision, GovernanceView, Proposal, ProposalId, ProposalState, ProposalStatus,
    ProposedCall, TunableView, Upgrade, Vote, VotingPower,
};
pub use keystore::KeystoreError;
pub use probe::{ProbeError, probe};
pub use profile::{ExchangeTerms, GovernanceTimes, Profile, ProfileParameters, Tunable};
pub use sender::{Receipt, SendConfig, Sender};
pub use stake::PositionRecord;
pub use stream::{Batch, Confirmations, EventStream, StreamError, StreamItem};
pub use view::{
    BlobRecord, ChallengeMode, ChallengeView, Cost, EpochPhase, EpochState, NetworkSnapshot,
    NetworkView, NodeRecord, PoolRecord, Prices,
};
pub use wallet::{KeystoreStrength, Wallet, WalletError};
pub use writer::{BlobRegistration, ChainWriter, NodeRegistration, Registered};
