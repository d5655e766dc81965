//! Where a network's contracts live: the file that every participant starts from.

use alloy::primitives::Address;
use serde::{Deserialize, Serialize};
use walrus_core::{Domain, EvmAddress, SigningContext};

use crate::{
    abi::{self, to_address},
    address_text,
};

/// The addresses of one deployment. Upgradeable contracts are named by their proxy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contracts {
    /// The WAL token.
    #[serde(with = "address_text")]
    pub wal: EvmAddress,
    /// The storage market and the life of blobs.
    #[serde(with = "address_text")]
    pub system: EvmAddress,
    /// Storage capacity as ERC-1155.
    #[serde(with = "address_text")]
    pub capacity: EvmAddress,
    /// Blob objects as ERC-721.
    #[serde(with = "address_text")]
    pub blobs: EvmAddress,
    /// Mutable references as ERC-721.
    #[serde(with = "address_text")]
    pub references: EvmAddress,
    /// Nodes and stake.
    #[serde(with = "address_text")]
    pub staking: EvmAddress,
    /// Committees and certificates.
    #[serde(with = "address_text")]
    pub committees: EvmAddress,
    /// The epoch machine.
    #[serde(with = "address_text")]
    pub epoch_manager: EvmAddress,
    /// Storage challenges.
    #[serde(with = "address_text")]
    pub challenges: EvmAddress,
    /// Where challenges get their seed from.
    #[serde(with = "address_text")]
    pub randomness: EvmAddress,
    /// The tunables.
    #[serde(with = "address_text")]
    pub params: EvmAddress,
    /// The only account that may upgrade the proxies.
    #[serde(with = "address_text")]
    pub upgrade_gate: EvmAddress,
    /// Votes of WAL and staked WAL.
    #[serde(with = "address_text")]
    pub governor: EvmAddress,
    /// Where what the governor decides waits.
    #[serde(with = "address_text")]
    pub timelock: EvmAddress,
}

/// A network on a chain; serialises to JSON and TOML, addresses as `0x` text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// The chain's id; every RPC address is checked against it.
    pub chain_id: u64,
    /// No event of this network is older than this block.
    pub deploy_block: u64,
    /// The contract of batched reads.
    #[serde(with = "address_text")]
    pub lens: EvmAddress,
    /// The exchange of a test network, which gives WAL for gas money.
    #[serde(default, with = "address_text::optional", skip_serializing_if = "Option::is_none")]
    pub dev_exchange: Option<EvmAddress>,
    /// The other contracts.
    pub contracts: Contracts,
}

impl Deployment {
    /// What signed messages of this network are bound to.
    pub fn domain(&self) -> Domain {
        Domain::of(self.chain_id, self.contracts.committees)
    }

    /// The context in which this network's messages are signed and verified.
    pub fn signing_context(&self) -> SigningContext {
        SigningContext::deployed(self.chain_id, self.contracts.committees)
    }

    /// The contracts whose events are followed.
    pub(crate) fn event_sources(&self) -> Vec<Address> {
        let c = &self.contracts;
        let blobs = [c.system, c.staking, c.committees, c.epoch_manager, c.challenges];
        let others = [c.references, c.capacity, c.params, c.upgrade_gate, c.governor];
        blobs.into_iter().chain(others).map(to_address).collect()
    }
}

/// What is fixed for ever when a network is deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    /// Number of shards `n`, 4 to 24,575.
    pub n_shards: u16,
    /// How many epochs ahead storage is sold, the current one counted; 1 to 60.
    pub max_epochs_ahead: u32,
    /// Shortest length of an epoch in seconds, at least 4.
    pub epoch_duration: u32,
    /// Unix time in seconds before which the first committee is not selected.
    pub first_start: u64,
    /// Fewest staked nodes a committee is selected from, at least 1.
    pub min_nodes: u16,
    /// Largest committee, at most 255.
    pub max_committee: u16,
}

impl From<&Contracts> for abi::lens::WalrusLens::Wiring {
    fn from(c: &Contracts) -> Self {
        Self {
            wal: to_address(c.wal),
            system: to_address(c.system),
            capacity: to_address(c.capacity),
            blobs: to_address(c.blobs),
            references: to_address(c.references),
            staking: to_address(c.staking),
            committees: to_address(c.committees),
            epochManager: to_address(c.epoch_manager),
            challenges: to_address(c.challenges),
            randomness: to_address(c.randomness),
            params: to_address(c.params),
            upgradeGate: to_address(c.upgrade_gate),
            governor: to_address(c.governor),
            timelock: to_address(c.timelock),
        }
    }
}

impl From<&Parameters> for abi::lens::WalrusLens::Parameters {
    fn from(p: &Parameters) -> Self {
        Self {
            nShards: p.n_shards,
            maxEpochsAhead: p.max_epochs_ahead,
            epochDuration: p.epoch_duration,
            firstStart: p.first_start,
            minNodes: p.min_nodes,
            maxCommittee: p.max_committee,
        }
    }
}

impl From<abi::lens::WalrusLens::Parameters> for Parameters {
    fn from(p: abi::lens::WalrusLens::Parameters) -> Self {
        Self {
            n_shards: p.nShards,
            max_epochs_ahead: p.maxEpochsAhead,
            epoch_duration: p.epochDuration,
            first_start: p.firstStart,
            min_nodes: p.minNodes,
            max_committee: p.maxCommittee,
        }
    }
}
