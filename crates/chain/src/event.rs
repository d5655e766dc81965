//! What the contracts report, as plain values.

use alloy::primitives::LogData;
use serde::{Deserialize, Serialize};
use walrus_core::{BlobId, Epoch, EvmAddress, NodeId, TokenId};

pub use self::{
    assets::AssetEvent,
    challenge::ChallengeEvent,
    governance::GovernanceEvent,
    staking::{SlashReason, StakingEvent},
};
use crate::{
    abi::{Plain, committees, epochs, staking as stake, system},
    rpc::Log,
};

/// Declares, for each event, how its generated form becomes ours. The function made says
/// `None` to a topic that is none of them and `Some(None)` to data that is malformed.
macro_rules! decoders {
    ($out:ty: $($module:ident::$contract:ident::$name:ident => |$e:ident| $event:expr;)*) => {
        pub(super) fn decode(
            topic: &::alloy::primitives::B256,
            data: &::alloy::primitives::LogData,
        ) -> Option<Option<$out>> {
            use ::alloy::sol_types::SolEvent as _;
            $(
                if *topic == $module::$contract::$name::SIGNATURE_HASH {
                    let read = || {
                        let $e = $module::$contract::$name::decode_log_data_validate(data).ok()?;
                        Some($event)
                    };
                    return Some(read());
                }
            )*
            None
        }
    };
}

mod assets;
mod challenge;
mod governance;
mod staking;

/// A contract's event that storage nodes and clients live on
/// (docs/protocol/onchain.md sections 2.5 to 2.8). `epoch` is the epoch in which it
/// happened unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChainEvent {
    /// A blob was registered: slivers may be sent.
    BlobRegistered {
        /// When.
        epoch: Epoch,
        /// The blob.
        blob_id: BlobId,
        /// Unencoded length in bytes.
        size: u64,
        /// Encoding type.
        encoding_type: u8,
        /// First epoch in which it is no longer stored.
        end_epoch: Epoch,
        /// Whether its owner may delete it.
        deletable: bool,
        /// The object.
        token_id: TokenId,
    },
    /// A blob was certified for the first time, or its end was moved.
    BlobCertified {
        /// When.
        epoch: Epoch,
        /// The blob.
        blob_id: BlobId,
        /// First epoch in which it is no longer stored.
        end_epoch: Epoch,
        /// Whether its owner may delete it.
        deletable: bool,
        /// The object.
        token_id: TokenId,
        /// Whether only the end was moved.
        is_extension: bool,
        /// Number of the first certification, from 0 without gaps.
        log_index: u32,
    },
    /// The owner deleted a blob.
    BlobDeleted {
        /// When.
        epoch: Epoch,
        /// The blob.
        blob_id: BlobId,
        /// The end it would have had.
        end_epoch: Epoch,
        /// The object.
        token_id: TokenId,
        /// Whether it was certified.
        was_certified: bool,
    },
    /// The owner dropped the token; the data stays stored.
    BlobBurned {
        /// When.
        epoch: Epoch,
        /// The blob.
        blob_id: BlobId,
        /// The object.
        token_id: TokenId,
    },
    /// The id does not stand for a correctly encoded blob.
    BlobIdInvalidated {
        /// When.
        epoch: Epoch,
        /// The blob.
        blob_id: BlobId,
    },
    /// Prices changed.
    PricesUpdated {
        /// When.
        epoch: Epoch,
        /// FROST per MiB and epoch.
        storage: u64,
        /// FROST per MiB written.
        write: u64,
    },
    /// The committee of a coming epoch is known.
    CommitteeSelected {
        /// The epoch it will serve.
        epoch: Epoch,
    },
    /// A new epoch began.
    EpochStarted {
        /// The new epoch.
        epoch: Epoch,
    },
    /// A member holds all its shards.
    SyncDone {
        /// When.
        epoch: Epoch,
        /// The member.
        node_id: NodeId,
    },
    /// A quorum of the shards reported.
    EpochSynced {
        /// When.
        epoch: Epoch,
    },
    /// A node was registered.
    NodeRegistered {
        /// The node.
        node_id: NodeId,
        /// Its operator's account.
        operator: EvmAddress,
    },
    /// A node's description, address, key or votes changed: read its record.
    NodeUpdated {
        /// The node.
        node_id: NodeId,
    },
    /// Stake was added.
    Staked {
        /// The node.
        node_id: NodeId,
        /// The position.
        position_id: u64,
        /// FROST.
        amount: u64,
        /// First epoch in which it can count.
        activation_epoch: Epoch,
    },
    /// Rewards, strikes, positions, commission.
    Staking(StakingEvent),
    /// Storage challenges.
    Challenge(ChallengeEvent),
    /// Proposals, votes, tunables, upgrades.
    Governance(GovernanceEvent),
    /// References, capacity, payments.
    Asset(AssetEvent),
}

/// The place of an event in the chain; ordered as events are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EventPosition {
    /// Number of the block.
    pub block_number: u64,
    /// Index among all logs of the block.
    pub log_index: u64,
    /// Hash of the block.
    pub block_hash: [u8; 32],
}

/// An event and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PositionedEvent {
    /// Where.
    pub position: EventPosition,
    /// What.
    pub event: ChainEvent,
}

/// Why a log of one of our contracts was not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event {topic} in block {block_number} is malformed")]
pub struct EventError {
    /// Signature hash of the event, as hex text.
    pub topic: String,
    /// Number of the block.
    pub block_number: u64,
}

impl ChainEvent {
    /// Reads a log. `None` for events that are of no concern here.
    pub(crate) fn decode(log: &Log) -> Result<Option<Self>, EventError> {
        let Some(topic) = log.topics.first() else { return Ok(None) };
        let data = LogData::new_unchecked(log.topics.clone(), log.data.clone());
        let decoded = decode(topic, &data)
            .or_else(|| Some(staking::decode(topic, &data)?.map(Self::Staking)))
            .or_else(|| Some(challenge::decode(topic, &data)?.map(Self::Challenge)))
            .or_else(|| Some(governance::decode(topic, &data)?.map(Self::Governance)))
            .or_else(|| Some(assets::decode(topic, &data)?.map(Self::Asset)));
        let Some(decoded) = decoded else { return Ok(None) };
        decoded.map(Some).ok_or_else(|| EventError {
            topic: topic.to_string(),
            block_number: log.block_number.to(),
        })
    }
}

decoders! { ChainEvent:
    system::WalrusSystem::BlobRegistered => |e| ChainEvent::BlobRegistered {
        epoch: Epoch(e.epoch),
        blob_id: e.blobId.plain(),
        size: e.size,
        encoding_type: e.encodingType,
        end_epoch: Epoch(e.endEpoch),
        deletable: e.deletable,
        token_id: e.tokenId.plain(),
    };
    system::WalrusSystem::BlobCertified => |e| ChainEvent::BlobCertified {
        epoch: Epoch(e.epoch),
        blob_id: e.blobId.plain(),
        end_epoch: Epoch(e.endEpoch),
        deletable: e.deletable,
        token_id: e.tokenId.plain(),
        is_extension: e.isExtension,
        log_index: e.logIndex,
    };
    system::WalrusSystem::BlobDeleted => |e| ChainEvent::BlobDeleted {
        epoch: Epoch(e.epoch),
        blob_id: e.blobId.plain(),
        end_epoch: Epoch(e.endEpoch),
        token_id: e.tokenId.plain(),
        was_certified: e.wasCertified,
    };
    system::WalrusSystem::BlobBurned => |e| ChainEvent::BlobBurned {
        epoch: Epoch(e.epoch),
        blob_id: e.blobId.plain(),
        token_id: e.tokenId.plain(),
    };
    system::WalrusSystem::BlobIdInvalidated => |e| ChainEvent::BlobIdInvalidated {
        epoch: Epoch(e.epoch),
        blob_id: e.blobId.plain(),
    };
    system::WalrusSystem::PricesUpdated => |e| ChainEvent::PricesUpdated {
        epoch: Epoch(e.epoch),
        storage: e.storagePrice,
        write: e.writePrice,
    };
    committees::Committees::CommitteeSelected => |e| ChainEvent::CommitteeSelected {
        epoch: Epoch(e.epoch),
    };
    epochs::EpochManager::EpochStarted => |e| ChainEvent::EpochStarted { epoch: Epoch(e.epoch) };
    epochs::EpochManager::SyncDone => |e| ChainEvent::SyncDone {
        epoch: Epoch(e.epoch),
        node_id: NodeId(e.nodeId),
    };
    epochs::EpochManager::EpochSynced => |e| ChainEvent::EpochSynced { epoch: Epoch(e.epoch) };
    stake::Staking::NodeRegistered => |e| ChainEvent::NodeRegistered {
        node_id: NodeId(e.nodeId),
        operator: e.operator.plain(),
    };
    stake::Staking::NodeUpdated => |e| ChainEvent::NodeUpdated { node_id: NodeId(e.nodeId) };
    stake::Staking::Staked => |e| ChainEvent::Staked {
        node_id: NodeId(e.nodeId),
        position_id: e.positionId.plain(),
        amount: e.amount.plain(),
        activation_epoch: Epoch(e.activationEpoch),
    };
}

#[cfg(test)]
#[path = "event/tests.rs"]
mod tests;
