//! References, capacity and payments (docs/protocol/onchain.md sections 2.3, 2.4 and 2.11).

use walrus_core::{BlobId, Epoch, EvmAddress, TokenId};

use crate::{
    abi::{Plain, capacity, references, system},
    assets::CapacityClass,
};

/// What happened to what accounts hold. Amounts of capacity in bytes, of money in FROST.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AssetEvent {
    /// A reference was created; [`AssetEvent::ReferenceUpdated`] with its target follows.
    ReferenceCreated {
        /// Its number.
        reference: u64,
        /// Its owner.
        to: EvmAddress,
    },
    /// A reference points at another target.
    ReferenceUpdated {
        /// Its number.
        reference: u64,
        /// The new version.
        version: u32,
        /// The old target.
        old_blob_id: BlobId,
        /// The new one.
        new_blob_id: BlobId,
        /// Blob object of the target, if it names one.
        token_id: Option<TokenId>,
        /// Patch within a quilt; 0 for the whole blob.
        patch: u16,
        /// Who did it.
        by: EvmAddress,
    },
    /// The target of a reference is final.
    ReferenceFrozen {
        /// Its number.
        reference: u64,
    },
    /// An account may, or may no longer, update a reference.
    UpdaterSet {
        /// Its number.
        reference: u64,
        /// The account.
        who: EvmAddress,
        /// Whether it may.
        may: bool,
    },
    /// An attribute of a blob object changed.
    AttributeSet {
        /// The object.
        token_id: TokenId,
        /// The key.
        key: String,
        /// The value; empty when it was removed.
        value: String,
    },
    /// Capacity was sold.
    CapacityBought {
        /// Its epochs.
        class: CapacityClass,
        /// Who got it.
        to: EvmAddress,
        /// How much.
        size: u64,
        /// For how much.
        paid: u64,
    },
    /// Capacity was cut in two.
    CapacitySplit {
        /// Whose.
        account: EvmAddress,
        /// Its epochs before.
        class: CapacityClass,
        /// First epoch of the second part.
        middle: Epoch,
        /// How much.
        amount: u64,
    },
    /// Two pieces of capacity became one.
    CapacityFused {
        /// Whose.
        account: EvmAddress,
        /// Its epochs now.
        class: CapacityClass,
        /// First epoch of what was the second part.
        middle: Epoch,
        /// How much.
        amount: u64,
    },
    /// The past epochs of capacity were cut off.
    CapacityNormalised {
        /// Whose.
        account: EvmAddress,
        /// Its epochs before.
        from: CapacityClass,
        /// Its epochs now.
        to: CapacityClass,
        /// How much.
        amount: u64,
    },
    /// Capacity was given up.
    CapacityDestroyed {
        /// Whose.
        account: EvmAddress,
        /// Its epochs.
        class: CapacityClass,
        /// How much.
        amount: u64,
    },
    /// Somebody added to the rewards of some epochs.
    SubsidyAdded {
        /// Who.
        from: EvmAddress,
        /// How much.
        amount: u64,
        /// First epoch.
        first: Epoch,
        /// Number of epochs.
        epochs: u32,
    },
    /// Rewards that nobody got were added to those of an epoch.
    RewardsCarried {
        /// The epoch.
        epoch: Epoch,
        /// How much.
        amount: u64,
    },
}

decoders! { AssetEvent:
    references::BlobReferences::ReferenceCreated => |e| AssetEvent::ReferenceCreated {
        reference: e.refId.plain(),
        to: e.to.plain(),
    };
    references::BlobReferences::ReferenceUpdated => |e| AssetEvent::ReferenceUpdated {
        reference: e.refId.plain(),
        version: e.version,
        old_blob_id: e.oldBlobId.plain(),
        new_blob_id: e.newBlobId.plain(),
        token_id: (e.tokenId != 0).then_some(TokenId(e.tokenId)),
        patch: e.patch,
        by: e.by.plain(),
    };
    references::BlobReferences::ReferenceFrozen => |e| AssetEvent::ReferenceFrozen {
        reference: e.refId.plain(),
    };
    references::BlobReferences::UpdaterSet => |e| AssetEvent::UpdaterSet {
        reference: e.refId.plain(),
        who: e.who.plain(),
        may: e.ok,
    };
    system::WalrusSystem::BlobAttributeSet => |e| AssetEvent::AttributeSet {
        token_id: e.tokenId.plain(),
        key: e.key,
        value: e.value,
    };
    system::WalrusSystem::CapacityBought => |e| AssetEvent::CapacityBought {
        class: CapacityClass::of(e.capacityId),
        to: e.to.plain(),
        size: e.size,
        paid: e.paid.plain(),
    };
    capacity::StorageCapacity::CapacitySplit => |e| AssetEvent::CapacitySplit {
        account: e.account.plain(),
        class: CapacityClass::of(e.capacityId),
        middle: Epoch(e.mid),
        amount: e.amount.plain(),
    };
    capacity::StorageCapacity::CapacityFused => |e| AssetEvent::CapacityFused {
        account: e.account.plain(),
        class: CapacityClass::of(e.capacityId),
        middle: Epoch(e.mid),
        amount: e.amount.plain(),
    };
    capacity::StorageCapacity::CapacityNormalised => |e| AssetEvent::CapacityNormalised {
        account: e.account.plain(),
        from: CapacityClass::of(e.fromId),
        to: CapacityClass::of(e.toId),
        amount: e.amount.plain(),
    };
    capacity::StorageCapacity::CapacityDestroyed => |e| AssetEvent::CapacityDestroyed {
        account: e.account.plain(),
        class: CapacityClass::of(e.capacityId),
        amount: e.amount.plain(),
    };
    system::WalrusSystem::SubsidyAdded => |e| AssetEvent::SubsidyAdded {
        from: e.from.plain(),
        amount: e.amount.plain(),
        first: Epoch(e.firstEpoch),
        epochs: e.epochs,
    };
    system::WalrusSystem::RewardsCarried => |e| AssetEvent::RewardsCarried {
        epoch: Epoch(e.epoch),
        amount: e.amount.plain(),
    };
}
