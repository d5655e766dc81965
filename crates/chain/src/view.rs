//! What the chain says about a network, as plain values.

use std::sync::Arc;

use walrus_core::{
    BlobId, Committee, Domain, Epoch, EvmAddress, NetworkAddress, NetworkPublicKey, NodeId,
    ProtocolPublicKey, TokenId,
};

use crate::deployment::Parameters;

/// Where the epoch machine stands within an epoch
/// (docs/protocol/onchain.md section 2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EpochPhase {
    /// The committee is reporting that it holds its shards.
    Sync,
    /// A quorum of the shards has reported; stake and votes are open.
    Done,
    /// The next committee is selected.
    ParamsSelected,
}

/// Epoch, phase and times. Times are Unix seconds of the chain's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochState {
    /// The current epoch; 0 before the first committee.
    pub epoch: Epoch,
    /// Phase within it.
    pub phase: EpochPhase,
    /// Time of the last epoch change.
    pub started_at: u64,
    /// Time at which the phase became [`EpochPhase::Done`]; `None` while it is `Sync`.
    pub done_at: Option<u64>,
    /// Shards of the members that reported in this epoch.
    pub synced_weight: u16,
    /// Earliest time of the next selection; `None` while the phase is `Sync`.
    pub selectable_at: Option<u64>,
    /// Earliest time of the next epoch; `None` while the phase is `Sync`.
    pub startable_at: Option<u64>,
}

/// Prices in FROST (10^-9 WAL) per started MiB of encoded size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prices {
    /// For each epoch stored.
    pub storage: u64,
    /// Once, for a registration.
    pub write: u64,
}

impl Prices {
    /// Whether anything can be bought: before the first vote both prices are the maximum.
    pub fn are_set(&self) -> bool {
        self.storage != u64::MAX && self.write != u64::MAX
    }

    /// What it costs to store `encoded_bytes` for `epochs`, and the write fee.
    pub fn cost(&self, encoded_bytes: u64, epochs: u32) -> Cost {
        let units = u128::from(encoded_bytes.div_ceil(1 << 20));
        let storage = units * u128::from(epochs) * u128::from(self.storage);
        let write = units * u128::from(self.write);
        let cut = |amount: u128| u64::try_from(amount).unwrap_or(u64::MAX);
        Cost { storage: cut(storage), write: cut(write) }
    }
}

/// What a registration costs, in FROST; cut to the largest number when it exceeds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// For the storage.
    pub storage: u64,
    /// For the registration.
    pub write: u64,
}

impl Cost {
    /// Both together.
    pub fn total(&self) -> u64 {
        self.storage.saturating_add(self.write)
    }
}

/// The network at a glance, as of one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkView {
    /// What was fixed at deployment.
    pub parameters: Parameters,
    /// The epoch machine.
    pub epoch: EpochState,
    /// The present prices.
    pub prices: Prices,
    /// Bytes of encoded size the network offers in the current epoch.
    pub total_capacity: u64,
    /// Bytes sold of them.
    pub used_capacity: u64,
    /// What signed messages are bound to.
    pub domain: Domain,
    /// Highest blob token id; ids count from 1 without gaps.
    pub blob_count: u64,
    /// Number of first certifications so far.
    pub certified_count: u32,
    /// Highest node id; ids count from 1 without gaps.
    pub node_count: u32,
}

/// The network at a glance together with its current committee.
#[derive(Clone, Debug)]
pub struct NetworkSnapshot {
    /// Epoch, prices and counters.
    pub view: NetworkView,
    /// The committee of `view.epoch.epoch`; `None` in epoch 0.
    pub committee: Option<Arc<Committee>>,
}

/// The chain's record of one blob object; it outlives the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobRecord {
    /// The object.
    pub token_id: TokenId,
    /// The blob.
    pub blob_id: BlobId,
    /// Epoch of the registration.
    pub registered_epoch: Epoch,
    /// Epoch of the first certification.
    pub certified_epoch: Option<Epoch>,
    /// First epoch in which the blob is no longer stored.
    pub end_epoch: Epoch,
    /// Unencoded length in bytes.
    pub size: u64,
    /// Encoded size in bytes.
    pub encoded_size: u64,
    /// Encoding type; 1 is RedStuff with Reed-Solomon codes.
    pub encoding_type: u8,
    /// Whether the owner may delete it before its end.
    pub deletable: bool,
    /// The owner dropped the token; the data stays stored until the end epoch.
    pub burned: bool,
    /// The owner deleted the blob; the data need not be stored any more.
    pub deleted: bool,
    /// Position among all first certifications, from 0.
    pub log_index: Option<u32>,
}

impl BlobRecord {
    /// Whether nodes must keep (or accept) the blob's data in `epoch`.
    pub fn is_registered_in(&self, epoch: Epoch) -> bool {
        !self.deleted && epoch < self.end_epoch
    }

    /// Whether the blob is certified and lives in `epoch`.
    pub fn is_certified_in(&self, epoch: Epoch) -> bool {
        self.is_registered_in(epoch) && self.certified_epoch.is_some_and(|at| at <= epoch)
    }
}

/// The stake of one node, as of the start of `settled_epoch`. Amounts in FROST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolRecord {
    /// The node.
    pub node_id: NodeId,
    /// Behind the current epoch until the pool is settled.
    pub settled_epoch: Epoch,
    /// Active stake.
    pub balance: u128,
    /// Claims on the active stake.
    pub shares: u128,
    /// The operator's commission that was not collected yet.
    pub commission: u64,
    /// The operator's share of the rewards in basis points.
    pub commission_bp: u16,
    /// Epochs without a passed challenge since the last passed one.
    pub misses: u8,
    /// First epoch whose committee the node may enter again, if it is jailed.
    pub jailed_until: Option<Epoch>,
    /// Whether slashing took so much that the pool accepts no stake any more.
    pub retired: bool,
    /// What a selection counts: active and joining stake without what leaves.
    pub expected_stake: u64,
}

/// What the result of a storage challenge means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChallengeMode {
    /// There is none: members are paid by weight.
    Off,
    /// It runs and is published; money and reads ignore it.
    Trial,
    /// Who does not pass is not paid, and strikes count.
    Enforced,
}

impl std::fmt::Display for ChallengeMode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::Trial => "trial",
            Self::Enforced => "enforced",
        })
    }
}

/// Where the storage challenge of an epoch stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChallengeView {
    /// Whether there are challenges in this epoch, on trial or enforced.
    pub is_on: bool,
    /// What its result means.
    pub mode: ChallengeMode,
    /// Whether it is open.
    pub opened: bool,
    /// First entry of the log of certified blobs that can be sampled.
    pub log_start: u64,
    /// End of the entries that can be sampled.
    pub log_end: u64,
    /// Shards of the members that acknowledged.
    pub acked_weight: u16,
    /// Shards of the members that passed.
    pub passed_weight: u16,
    /// Block whose randomness becomes the seed, once enough members acknowledged.
    pub seed_block: Option<u64>,
    /// The seed, once it is revealed.
    pub seed: Option<[u8; 32]>,
    /// Unix time from which answers no longer count, once the seed is revealed.
    pub close_time: Option<u64>,
}

/// Everything the chain knows about one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRecord {
    /// The node, counted from 1.
    pub node_id: NodeId,
    /// Account of day-to-day operation.
    pub operator: EvmAddress,
    /// Epoch of the registration.
    pub registered_epoch: Epoch,
    /// The operator's share of rewards in basis points.
    pub commission_bp: u16,
    /// Whether the next selection considers the node.
    pub in_active_set: bool,
    /// Price votes in FROST per MiB.
    pub price_votes: Prices,
    /// Capacity vote in bytes.
    pub capacity_vote: u64,
    /// FROST staked with the node.
    pub stake: u64,
    /// Key used at the next committee selection.
    pub protocol_key: ProtocolPublicKey,
    /// TLS key.
    pub network_key: NetworkPublicKey,
    /// Display name.
    pub name: String,
    /// Where the node answers.
    pub network_address: NetworkAddress,
    /// Address of further description.
    pub metadata_uri: String,
}
