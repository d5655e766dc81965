//! What accounts hold: storage capacity, blob objects and mutable references
//! (docs/protocol/onchain.md sections 2.4, 2.5 and 2.11).

use alloy::{primitives::U256, sol_types::SolCall};
use walrus_core::{BlobId, Epoch, EvmAddress, TokenId};

use crate::{
    abi::{Plain, blobs, capacity, lens, references, system, to_address},
    client::{BLOBS_PER_CALL, ChainClient, blob_from},
    error::{ReadError, WriteError},
    sender::{Action, Receipt},
    view::BlobRecord,
    writer::{ChainWriter, find_event},
};

/// The epochs `start..end` that a piece of capacity covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CapacityClass {
    /// First epoch.
    pub start: Epoch,
    /// First epoch no longer covered.
    pub end: Epoch,
}

impl CapacityClass {
    /// The class that the contracts number so: start and end in its lowest 64 bits.
    pub(crate) fn of(id: U256) -> Self {
        let low = id.as_limbs()[0];
        // Both halves have 32 bits.
        Self { start: Epoch((low >> 32) as u32), end: Epoch(low as u32) }
    }

    pub(crate) fn id(self) -> U256 {
        U256::from(u64::from(self.start.0) << 32 | u64::from(self.end.0))
    }
}

/// Capacity of one class that an account holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The epochs covered.
    pub class: CapacityClass,
    /// Bytes of encoded size.
    pub amount: u64,
}

/// A mutable reference as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceRecord {
    /// Present owner.
    pub owner: EvmAddress,
    /// What it points at.
    pub blob_id: BlobId,
    /// Blob object of the target, if it names one.
    pub token_id: Option<TokenId>,
    /// From 1, raised by every update.
    pub version: u32,
    /// Whether the target can never change again.
    pub frozen: bool,
    /// First epoch in which the target is no longer stored, as far as the chain knows.
    pub end_epoch: Epoch,
    /// Whether the target can be read.
    pub available: bool,
}

impl ChainClient {
    /// All capacity of an account that has not expired, by start and end.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn holdings(&self, owner: EvmAddress) -> Result<Vec<Holding>, ReadError> {
        let call = lens::WalrusLens::holdingsCall { owner: to_address(owner) };
        let found = self.read("capacity", to_address(self.deployment().lens), call).await?;
        let holding = |h: lens::WalrusLens::Holding| Holding {
            class: CapacityClass { start: Epoch(h.start), end: Epoch(h.end) },
            amount: h.amount.plain(),
        };
        Ok(found.into_iter().map(holding).collect())
    }

    /// The blob objects of an account, oldest first: looks through all there are.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn blobs_of(&self, owner: EvmAddress) -> Result<Vec<BlobRecord>, ReadError> {
        let (lens, owner) = (to_address(self.deployment().lens), to_address(owner));
        let mut found = Vec::new();
        let mut first = 1;
        loop {
            let call = lens::WalrusLens::blobViewsCall {
                fromTokenId: U256::from(first),
                count: U256::from(BLOBS_PER_CALL / 2),
            };
            let page = self.read("blob objects", lens, call).await?;
            let Some(last) = page.last().map(|view| view.tokenId) else { return Ok(found) };
            let owned = page.into_iter().filter(|view| view.owner == owner);
            found.extend(owned.map(|view| blob_from(view.tokenId, view.record)));
            first = last.saturating_add(1);
        }
    }

    /// Keys and values that the owner of a blob object gave it.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn attributes(&self, token: TokenId) -> Result<Vec<(String, String)>, ReadError> {
        let call = blobs::BlobNFT::attributesCall { tokenId: U256::from(token.0) };
        let blobs = to_address(self.deployment().contracts.blobs);
        let found = self.read("attributes", blobs, call).await?;
        Ok(found.keys.into_iter().zip(found.values).collect())
    }

    /// A reference, resolved.
    ///
    /// # Errors
    /// [`UnknownReference`](crate::ContractError::UnknownReference); see [`ReadError`].
    pub async fn reference(&self, reference: u64) -> Result<ReferenceRecord, ReadError> {
        let call = lens::WalrusLens::referenceViewCall { refId: U256::from(reference) };
        let view = self.read("a reference", to_address(self.deployment().lens), call).await?;
        let record = view.record;
        Ok(ReferenceRecord {
            owner: view.owner.plain(),
            blob_id: record.blobId.plain(),
            token_id: (record.tokenId != 0).then_some(TokenId(record.tokenId)),
            version: record.version,
            // `ReferenceFlags` in contracts/src/types/Reference.sol.
            frozen: record.flags & 1 != 0,
            end_epoch: Epoch(view.endEpoch),
            available: view.available,
        })
    }
}

/// Each of these sends one transaction and waits for it; see [`WriteError`] for what can
/// go wrong.
#[allow(clippy::missing_errors_doc, reason = "said once for all")]
impl ChainWriter {
    /// Cuts `amount` bytes of capacity in two at the epoch `middle`.
    pub async fn split_capacity(
        &self,
        class: CapacityClass,
        middle: Epoch,
        amount: u64,
    ) -> Result<Receipt, WriteError> {
        let call = capacity::StorageCapacity::splitByEpochCall {
            capacityId: class.id(),
            mid: middle.0,
            amount: U256::from(amount),
        };
        self.call("split the capacity", self.client().deployment().contracts.capacity, &call).await
    }

    /// Puts `amount` bytes of two adjacent classes together.
    pub async fn fuse_capacity(
        &self,
        left: CapacityClass,
        right: CapacityClass,
        amount: u64,
    ) -> Result<Receipt, WriteError> {
        let call = capacity::StorageCapacity::fuseByEpochCall {
            left: left.id(),
            right: right.id(),
            amount: U256::from(amount),
        };
        self.call("fuse the capacity", self.client().deployment().contracts.capacity, &call).await
    }

    /// Cuts the past epochs off `amount` bytes of capacity.
    pub async fn normalise_capacity(
        &self,
        class: CapacityClass,
        amount: u64,
    ) -> Result<Receipt, WriteError> {
        let call = capacity::StorageCapacity::normaliseCall {
            capacityId: class.id(),
            amount: U256::from(amount),
        };
        let contract = self.client().deployment().contracts.capacity;
        self.call("normalise the capacity", contract, &call).await
    }

    /// Gives `amount` bytes of capacity up, for nothing in return.
    pub async fn destroy_capacity(
        &self,
        class: CapacityClass,
        amount: u64,
    ) -> Result<Receipt, WriteError> {
        let call = capacity::StorageCapacity::destroyCall {
            capacityId: class.id(),
            amount: U256::from(amount),
        };
        let contract = self.client().deployment().contracts.capacity;
        self.call("destroy the capacity", contract, &call).await
    }

    /// Gives `amount` bytes of capacity to another account.
    pub async fn transfer_capacity(
        &self,
        to: EvmAddress,
        class: CapacityClass,
        amount: u64,
    ) -> Result<Receipt, WriteError> {
        let call = capacity::StorageCapacity::safeTransferFromCall {
            from: to_address(self.address()),
            to: to_address(to),
            id: class.id(),
            amount: U256::from(amount),
            data: Default::default(),
        };
        self.call("transfer capacity", self.client().deployment().contracts.capacity, &call).await
    }

    /// Gives a blob object to another account.
    pub async fn transfer_blob(
        &self,
        to: EvmAddress,
        token: TokenId,
    ) -> Result<Receipt, WriteError> {
        let call = blobs::BlobNFT::transferFromCall {
            from: to_address(self.address()),
            to: to_address(to),
            id: U256::from(token.0),
        };
        self.call("transfer the blob object", self.client().deployment().contracts.blobs, &call)
            .await
    }

    /// Sets an attribute of a blob object: a key of 1 to 64 bytes, a value of 1 to 1,024.
    pub async fn set_attribute(
        &self,
        token: TokenId,
        key: &str,
        value: &str,
    ) -> Result<Receipt, WriteError> {
        let call = system::WalrusSystem::setAttributeCall {
            tokenId: U256::from(token.0),
            k: key.to_owned(),
            v: value.to_owned(),
        };
        self.call("set the attribute", self.client().deployment().contracts.system, &call).await
    }

    /// Removes an attribute of a blob object.
    pub async fn remove_attribute(&self, token: TokenId, key: &str) -> Result<Receipt, WriteError> {
        let call = system::WalrusSystem::removeAttributeCall {
            tokenId: U256::from(token.0),
            k: key.to_owned(),
        };
        self.call("remove the attribute", self.client().deployment().contracts.system, &call).await
    }

    /// Creates a reference to a blob, owned by this account; its number.
    pub async fn create_reference(
        &self,
        blob: &BlobId,
        token: Option<TokenId>,
    ) -> Result<u64, WriteError> {
        let name = "create the reference";
        let contract = self.client().deployment().contracts.references;
        let call = references::BlobReferences::mintCall {
            to: to_address(self.address()),
            t: target(blob, token),
        };
        let receipt = self.call(name, contract, &call).await?;
        let event: references::BlobReferences::ReferenceCreated =
            find_event(name, &receipt, contract)?;
        Ok(event.refId.plain())
    }

    /// Points a reference, seen at `version`, at another blob.
    pub async fn update_reference(
        &self,
        reference: u64,
        blob: &BlobId,
        token: Option<TokenId>,
        version: u32,
    ) -> Result<Receipt, WriteError> {
        let call = references::BlobReferences::updateCall {
            refId: U256::from(reference),
            t: target(blob, token),
            expectedVersion: version,
        };
        let contract = self.client().deployment().contracts.references;
        self.call("update the reference", contract, &call).await
    }

    /// Makes the target of a reference, seen at `version`, final.
    pub async fn freeze_reference(
        &self,
        reference: u64,
        version: u32,
    ) -> Result<Receipt, WriteError> {
        let call = references::BlobReferences::freezeCall {
            refId: U256::from(reference),
            expectedVersion: version,
        };
        let contract = self.client().deployment().contracts.references;
        self.call("freeze the reference", contract, &call).await
    }

    async fn call<C: SolCall>(
        &self,
        name: &'static str,
        contract: EvmAddress,
        call: &C,
    ) -> Result<Receipt, WriteError> {
        self.sender().execute(Action::call(name, contract, call)).await
    }
}

fn target(blob: &BlobId, token: Option<TokenId>) -> references::BlobReferences::Target {
    references::BlobReferences::Target {
        blobId: blob.as_bytes().into(),
        tokenId: token.map_or(0, |token| token.0),
        patch: 0,
    }
}
