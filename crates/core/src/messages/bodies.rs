//! The bodies of the message types.

use std::fmt;

use walrus_redstuff::bcs::{BcsError, Reader};
use walrus_redstuff::{BlobId, ShardIndex, SliverType};

use super::sealed::Body;
use super::{MessageBody, MessageError, MessageType};
use crate::{Account, ChallengeSeed, Epoch, NodeId, ObjectId, ProtocolPublicKey, TokenId};

/// Whether the blob that a confirmation speaks of can be deleted before its end.
///
/// BCS: `00`, or `01` and the 32 bytes of the object id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Persistence {
    /// It stays until its end epoch.
    Permanent,
    /// The owner of this object may delete it. The confirmation counts for this object
    /// only, not for another one of the same blob.
    Deletable(ObjectId),
}

impl Persistence {
    /// Of the blob that the token stands for.
    pub fn of(token: TokenId, deletable: bool) -> Self {
        if deletable { Self::Deletable(token.into()) } else { Self::Permanent }
    }
}

impl fmt::Display for Persistence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Permanent => f.write_str("permanent"),
            Self::Deletable(object) => write!(f, "deletable, object {object}"),
        }
    }
}

/// "I hold, durably, every sliver of this blob that my shards stand for." Body of type
/// 1; two thirds of the weight make the blob certified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StorageConfirmation {
    /// The blob that is stored.
    pub blob_id: BlobId,
    /// For which object, if it can be deleted.
    pub persistence: Persistence,
}

impl MessageBody for StorageConfirmation {
    const TYPE: MessageType = MessageType::StorageConfirmation;
}

impl Body for StorageConfirmation {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.blob_id.as_bytes());
        match &self.persistence {
            Persistence::Permanent => out.push(0),
            Persistence::Deletable(object) => {
                out.push(1);
                out.extend(object.0);
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, MessageError> {
        let blob_id = BlobId::from_bytes(reader.array()?);
        let persistence = match reader.u8()? {
            0 => Persistence::Permanent,
            1 => Persistence::Deletable(ObjectId(reader.array()?)),
            got => return Err(unknown_variant("a persistence", got)),
        };
        Ok(Self { blob_id, persistence })
    }

    fn compare(&self, expected: &Self) -> Result<(), MessageError> {
        compare(&self.blob_id, &expected.blob_id, MessageError::BlobId)?;
        let error =
            MessageError::Persistence { expected: expected.persistence, got: self.persistence };
        compare(&self.persistence, &expected.persistence, error)
    }
}

/// "I hold a proof that this blob was encoded wrongly." Body of type 2; one third of
/// the weight makes the blob id invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InvalidBlobId {
    /// The blob that cannot be decoded consistently.
    pub blob_id: BlobId,
}

impl MessageBody for InvalidBlobId {
    const TYPE: MessageType = MessageType::InvalidBlobId;
}

impl Body for InvalidBlobId {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.blob_id.as_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, MessageError> {
        Ok(Self { blob_id: BlobId::from_bytes(reader.array()?) })
    }

    fn compare(&self, expected: &Self) -> Result<(), MessageError> {
        compare(&self.blob_id, &expected.blob_id, MessageError::BlobId)
    }
}

/// "The secret of this key is mine, and this account may register it." Body of type 0.
/// The chain asks for one at registration and at every rotation, in the epoch of the
/// transaction: without it, a key chosen as a difference of others' keys could sign for
/// them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofOfPossession {
    /// The account that will register the key.
    pub account: Account,
    /// The key; must be the one that signs.
    pub public_key: ProtocolPublicKey,
}

impl MessageBody for ProofOfPossession {
    const TYPE: MessageType = MessageType::ProofOfPossession;
}

impl Body for ProofOfPossession {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.account.0);
        out.extend(self.public_key.as_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, MessageError> {
        let account = Account(reader.array()?);
        let public_key = ProtocolPublicKey::from_bytes(reader.take(ProtocolPublicKey::LEN)?)
            .map_err(|_| MessageError::PublicKey)?;
        Ok(Self { account, public_key })
    }

    fn compare(&self, expected: &Self) -> Result<(), MessageError> {
        compare(&self.account, &expected.account, MessageError::Account)?;
        compare(&self.public_key, &expected.public_key, MessageError::PublicKey)
    }
}

/// "Send me the slivers of this shard that I now own." Body of type 3, from node to
/// node. The server applies its own cap to `sliver_count` and checks that the signer is
/// a member entitled to the shard.
///
/// BCS: `00`, shard (u16), `00` primary or `01` secondary, blob id, count (u64), epoch
/// (u32).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncShardRequest {
    /// The shard wanted.
    pub shard_index: ShardIndex,
    /// Which of its slivers.
    pub sliver_type: SliverType,
    /// The first blob wanted, in the order of blob ids.
    pub starting_blob_id: BlobId,
    /// Most slivers to send.
    pub sliver_count: u64,
    /// The epoch in which the sender gets the shard.
    pub epoch: Epoch,
}

impl MessageBody for SyncShardRequest {
    const TYPE: MessageType = MessageType::SyncShard;
}

impl Body for SyncShardRequest {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(0);
        out.extend(self.shard_index.get().to_le_bytes());
        out.push(match self.sliver_type {
            SliverType::Primary => 0,
            SliverType::Secondary => 1,
        });
        out.extend(self.starting_blob_id.as_bytes());
        out.extend(self.sliver_count.to_le_bytes());
        out.extend(self.epoch.0.to_le_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, MessageError> {
        match reader.u8()? {
            0 => {}
            got => return Err(unknown_variant("a shard request", got)),
        }
        Ok(Self {
            shard_index: ShardIndex(reader.u16()?),
            sliver_type: match reader.u8()? {
                0 => SliverType::Primary,
                1 => SliverType::Secondary,
                got => return Err(unknown_variant("a sliver type", got)),
            },
            starting_blob_id: BlobId::from_bytes(reader.array()?),
            sliver_count: reader.u64()?,
            epoch: Epoch(reader.u32()?),
        })
    }

    fn compare(&self, expected: &Self) -> Result<(), MessageError> {
        compare(self, expected, MessageError::SyncShard)
    }
}

/// "This node sent me its symbols of the samples of this challenge before it closed."
/// Body of type 8; two thirds of the weight let the node pass. The peer that signs has
/// checked every answer against the blobs' metadata.
///
/// BCS: seed, node id (u32).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChallengePassed {
    /// The seed of the challenge.
    pub seed: ChallengeSeed,
    /// The node that answered.
    pub node: NodeId,
}

impl MessageBody for ChallengePassed {
    const TYPE: MessageType = MessageType::ChallengePassed;
}

impl Body for ChallengePassed {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.seed.0);
        out.extend(self.node.0.to_le_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, MessageError> {
        let seed = ChallengeSeed(reader.array()?);
        Ok(Self { seed, node: NodeId(u32::from_le_bytes(reader.array()?)) })
    }

    fn compare(&self, expected: &Self) -> Result<(), MessageError> {
        let error = MessageError::Seed { expected: expected.seed, got: self.seed };
        compare(&self.seed, &expected.seed, error)?;
        let error = MessageError::Node { expected: expected.node, got: self.node };
        compare(&self.node, &expected.node, error)
    }
}

fn unknown_variant(what: &'static str, got: u8) -> MessageError {
    BcsError::UnknownVariant { what, got: got.into() }.into()
}

fn compare<T: PartialEq>(got: &T, expected: &T, error: MessageError) -> Result<(), MessageError> {
    if got == expected { Ok(()) } else { Err(error) }
}
