//! Questions about blobs and their objects.

use alloy::{primitives::U256, sol_types::SolEvent};
use walrus_core::{BlobId, Epoch, EvmAddress, TokenId};

use super::ChainClient;
use crate::{
    abi::{Plain, blobs, lens, system, to_address},
    contract_error::ContractError,
    error::ReadError,
    event::ChainEvent,
    view::BlobRecord,
};

/// Most blob records given by one call.
pub const BLOBS_PER_CALL: u64 = 1000;

impl ChainClient {
    /// Up to `count` records of blob objects from `first` on, in order; at most
    /// [`BLOBS_PER_CALL`]. Empty when `first` is not registered yet.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn blobs(&self, first: TokenId, count: u64) -> Result<Vec<BlobRecord>, ReadError> {
        let first = first.0.max(1);
        let call = lens::WalrusLens::blobsCall {
            fromTokenId: U256::from(first),
            count: U256::from(count.min(BLOBS_PER_CALL)),
        };
        let records = self.read("blob records", self.lens(), call).await?;
        Ok((first..).zip(records).map(|(token, record)| blob_from(token, record)).collect())
    }

    /// The record of one blob object; `None` when there is none with this id.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn blob(&self, token: TokenId) -> Result<Option<BlobRecord>, ReadError> {
        if token.0 == 0 {
            return Ok(None);
        }
        Ok(self.blobs(token, 1).await?.into_iter().next())
    }

    /// The objects registered for a blob, oldest first, whatever has become of them: with
    /// their records and owners a client finds a registration of its own to go on with.
    ///
    /// Searches the chain's logs, so an address that discards old ones may not find all.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn objects_of(&self, blob: &BlobId) -> Result<Vec<TokenId>, ReadError> {
        let address = to_address(self.deployment.contracts.system);
        let topics = [system::WalrusSystem::BlobRegistered::SIGNATURE_HASH, blob.as_bytes().into()];
        let logs = self.logs_of(address, &topics).await?;
        let events = logs.iter().filter_map(|log| ChainEvent::decode(log).ok()?);
        let mut objects: Vec<_> = events
            .filter_map(|event| match event {
                ChainEvent::BlobRegistered { blob_id, token_id, .. } if blob_id == *blob => {
                    Some(token_id)
                }
                _ => None,
            })
            .collect();
        objects.sort();
        Ok(objects)
    }

    /// The owner of a blob object; `None` when it was burned, deleted or never was.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn owner_of(&self, token: TokenId) -> Result<Option<EvmAddress>, ReadError> {
        let call = blobs::BlobNFT::ownerOfCall { tokenId: U256::from(token.0) };
        let blobs = to_address(self.deployment.contracts.blobs);
        match self.read("the owner of a blob object", blobs, call).await {
            Ok(owner) => Ok(Some(owner.plain())),
            Err(ReadError::Contract(ContractError::TokenDoesNotExist {})) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether a certified permanent object of this blob lives and the id is not invalid.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn is_available(&self, blob: &BlobId) -> Result<bool, ReadError> {
        let call = system::WalrusSystem::isAvailableCall { blobId: blob.as_bytes().into() };
        let system = to_address(self.deployment.contracts.system);
        self.read("a blob's availability", system, call).await
    }

    /// Whether the blob id was found not to stand for a correctly encoded blob.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn is_invalid(&self, blob: &BlobId) -> Result<bool, ReadError> {
        let call = system::WalrusSystem::isInvalidCall { blobId: blob.as_bytes().into() };
        let system = to_address(self.deployment.contracts.system);
        self.read("a blob's invalidity", system, call).await
    }
}

pub(crate) fn blob_from(token: u64, record: lens::WalrusLens::BlobRecord) -> BlobRecord {
    // Bits of `BlobFlags` in contracts/src/types/Blob.sol.
    let flag = |bit: u8| record.flags & bit != 0;
    let certified = record.certifiedEpoch != 0;
    BlobRecord {
        token_id: TokenId(token),
        blob_id: record.blobId.plain(),
        registered_epoch: Epoch(record.registeredEpoch),
        certified_epoch: certified.then_some(Epoch(record.certifiedEpoch)),
        end_epoch: Epoch(record.endEpoch),
        size: record.size,
        encoded_size: record.encodedSize.to(),
        encoding_type: record.encodingType,
        deletable: flag(1),
        burned: flag(2),
        deleted: flag(4),
        log_index: certified.then_some(record.logIndex),
    }
}
