//! What nodes sign, byte for byte (docs/protocol/encoding.md section 7.3, with the
//! domain of docs/protocol/onchain.md section 2.6).
//!
//! ```text
//! offset  deployed networks            public network
//! 0       type                         type
//! 1       version = 1                  version = 0
//! 2       app = 3                      app = 3
//! 3       epoch, 4 bytes little endian epoch, 4 bytes little endian
//! 7       domain, 32 bytes             body
//! 39      body
//! ```
//!
//! A signer builds these bytes from fields that it has checked; a receiver decodes the
//! one type it expects and compares every field ([`Message::check`]).

mod bodies;
mod signed;

pub use bodies::{
    ChallengePassed, InvalidBlobId, Persistence, ProofOfPossession, StorageConfirmation,
    SyncShardRequest,
};
pub use signed::{MAX_SIGNED_MESSAGE_LEN, SignedConfirmation, SignedMessage, SignedMessageError};

use walrus_redstuff::bcs::{BcsError, Reader};

use crate::{ChallengeSeed, Domain, Epoch, EvmAddress, NodeId};

/// The application's number in every message header.
const APP_ID: u8 = 3;

/// Longest message of any type: a proof of possession with a domain, 119 bytes.
pub const MAX_MESSAGE_LEN: usize = 7 + 32 + 32 + 48;

/// Which network's header goes in front of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningContext {
    /// Header version 1 with a domain: what every network of this program uses.
    Deployed(Domain),
    /// Header version 0 without a domain: the form of the existing public network.
    /// It serves to check this code against that network's vectors; a signature in this
    /// form could be replayed on any chain.
    PublicNetwork,
}

impl SigningContext {
    /// The context of the deployment whose `Committees` contract is at `committees`.
    pub fn deployed(chain_id: u64, committees: EvmAddress) -> Self {
        Self::Deployed(Domain::of(chain_id, committees))
    }

    fn version(&self) -> u8 {
        match self {
            Self::Deployed(_) => 1,
            Self::PublicNetwork => 0,
        }
    }
}

/// The number of a message's type, its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum MessageType {
    /// [`ProofOfPossession`].
    ProofOfPossession = 0,
    /// [`StorageConfirmation`].
    StorageConfirmation = 1,
    /// [`InvalidBlobId`].
    InvalidBlobId = 2,
    /// [`SyncShardRequest`].
    SyncShard = 3,
    /// [`ChallengePassed`].
    ChallengePassed = 8,
}

/// Why received bytes are not the expected message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// Longer than any message.
    #[error("a message has at most {max} bytes, got {got}")]
    Length {
        /// Longest message of any type.
        max: usize,
        /// Bytes found.
        got: usize,
    },
    /// Not the layout of the expected type.
    #[error("the message is malformed: {0}")]
    Malformed(#[from] BcsError),
    /// A message of another type.
    #[error("message type is {got}, expected {expected:?}")]
    Type {
        /// Type asked for.
        expected: MessageType,
        /// Type found.
        got: u8,
    },
    /// A header of another version.
    #[error("message version is {got}, expected {expected}")]
    Version {
        /// Version of the signing context.
        expected: u8,
        /// Version found.
        got: u8,
    },
    /// A message of another application.
    #[error("application id is {got}, expected {APP_ID}")]
    App {
        /// Number found.
        got: u8,
    },
    /// Made for another chain or deployment.
    #[error("the message is for domain {got}, expected {expected}")]
    Domain {
        /// Domain of this deployment.
        expected: Domain,
        /// Domain found.
        got: Domain,
    },
    /// Made in another epoch.
    #[error("the message is of epoch {got}, expected {expected}")]
    Epoch {
        /// Epoch asked for.
        expected: Epoch,
        /// Epoch found.
        got: Epoch,
    },
    /// About another blob.
    #[error("the message is about another blob id")]
    BlobId,
    /// About another object, or with another promise about deletion.
    #[error("the message says {got}, expected {expected}")]
    Persistence {
        /// Persistence asked for.
        expected: Persistence,
        /// Persistence found.
        got: Persistence,
    },
    /// A proof of possession for another account.
    #[error("the message is for another account")]
    Account,
    /// A proof of possession of another key.
    #[error("the message is about another public key")]
    PublicKey,
    /// Another shard, starting point or amount is asked for.
    #[error("the message asks for other slivers")]
    SyncShard,
    /// About the challenge of another seed.
    #[error("the message is about challenge seed {got}, expected {expected}")]
    Seed {
        /// Seed asked for.
        expected: ChallengeSeed,
        /// Seed found.
        got: ChallengeSeed,
    },
    /// About another node.
    #[error("the message is about node {got}, expected {expected}")]
    Node {
        /// Node asked for.
        expected: NodeId,
        /// Node found.
        got: NodeId,
    },
}

/// The part of a message that depends on its type. Implemented by the message kinds of
/// this crate and by nothing else.
pub trait MessageBody: sealed::Body + Clone + std::fmt::Debug + PartialEq {
    /// The type this body belongs to.
    const TYPE: MessageType;
}

pub(crate) mod sealed {
    use super::{MessageError, Reader};

    /// Layout and comparison of a body, out of reach of other crates.
    pub trait Body: Sized {
        /// Appends the body's bytes.
        fn write(&self, out: &mut Vec<u8>);

        /// Reads a body.
        fn read(reader: &mut Reader<'_>) -> Result<Self, MessageError>;

        /// Compares every field with the expected one, in the order of the layout.
        fn compare(&self, expected: &Self) -> Result<(), MessageError>;
    }
}

/// A message: an epoch and a body. The rest of the header follows from the
/// [`SigningContext`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<B> {
    /// The epoch the signer is in.
    pub epoch: Epoch,
    /// What is said.
    pub body: B,
}

impl<B: MessageBody> Message<B> {
    /// A message of `epoch`.
    pub fn new(epoch: Epoch, body: B) -> Self {
        Self { epoch, body }
    }

    /// The exact bytes that are signed.
    pub fn to_bytes(&self, context: &SigningContext) -> Vec<u8> {
        let mut bytes = vec![B::TYPE as u8, context.version(), APP_ID];
        bytes.extend(self.epoch.0.to_le_bytes());
        if let SigningContext::Deployed(domain) = context {
            bytes.extend(domain.0);
        }
        self.body.write(&mut bytes);
        bytes
    }

    /// Reads a message of this type and context.
    ///
    /// # Errors
    /// Any other length, type, version, application, domain or layout, bytes left over
    /// included.
    pub fn from_bytes(context: &SigningContext, bytes: &[u8]) -> Result<Self, MessageError> {
        if bytes.len() > MAX_MESSAGE_LEN {
            return Err(MessageError::Length { max: MAX_MESSAGE_LEN, got: bytes.len() });
        }
        let mut reader = Reader::new(bytes);
        let [message_type, version, app] = reader.array()?;
        if message_type != B::TYPE as u8 {
            return Err(MessageError::Type { expected: B::TYPE, got: message_type });
        }
        if version != context.version() {
            return Err(MessageError::Version { expected: context.version(), got: version });
        }
        if app != APP_ID {
            return Err(MessageError::App { got: app });
        }
        let epoch = Epoch(u32::from_le_bytes(reader.array()?));
        if let SigningContext::Deployed(expected) = *context {
            let got = Domain(reader.array()?);
            if got != expected {
                return Err(MessageError::Domain { expected, got });
            }
        }
        let body = B::read(&mut reader)?;
        reader.finish()?;
        Ok(Self { epoch, body })
    }

    /// Checks that `bytes` are exactly this message: decodes them, then compares every
    /// field (docs/protocol/encoding.md section 7.3, steps 1 to 3).
    ///
    /// # Errors
    /// The first difference, in the order of the layout.
    pub fn check(&self, context: &SigningContext, bytes: &[u8]) -> Result<(), MessageError> {
        let got = Self::from_bytes(context, bytes)?;
        if got.epoch != self.epoch {
            return Err(MessageError::Epoch { expected: self.epoch, got: got.epoch });
        }
        got.body.compare(&self.body)
    }
}
