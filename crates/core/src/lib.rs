//! Names, counts and signatures of the protocol: blob ids, epochs, committees, messages, certificates.
//!
//! Nothing here waits, reads a clock, opens a file or a socket; randomness is passed in
//! as bytes. How blobs are cut into slivers is in `walrus-redstuff`, whose identifiers
//! are passed on here for those who need no more of it.
//!
//! ```
//! use std::sync::Arc;
//! use walrus_core::*;
//!
//! // Four nodes with one shard each.
//! let keys: Vec<_> = (1..=4).map(|i| ProtocolSecretKey::from_randomness(&[i; 32])).collect();
//! let members = (1..).zip(&keys).map(|(node, key)| Member {
//!     node_id: NodeId(node),
//!     public_key: key.public_key().clone(),
//!     weight: 1,
//!     network_address: format!("10.0.0.{node}:9185").parse().expect("an address"),
//!     network_key: NetworkPublicKey([2; 33]),
//!     name: format!("node {node}"),
//! });
//! let committee = Committee::with_consecutive_shards(Epoch(1), members.collect())?;
//! let committee = Arc::new(committee);
//!
//! // Three of them confirm that they store a blob.
//! let context = SigningContext::deployed(31_337, EvmAddress([0xc0; 20]));
//! let body = StorageConfirmation {
//!     blob_id: BlobId::from_bytes([7; 32]),
//!     persistence: Persistence::Permanent,
//! };
//! let message = Message::new(Epoch(1), body);
//! let mut builder =
//!     CertificateBuilder::new(committee.clone(), context, message.clone(), Threshold::Quorum)?;
//! for (node, key) in (1..).map(NodeId).zip(&keys).take(3) {
//!     builder.add(node, &SignedMessage::sign(key, &context, &message))?;
//! }
//! let certificate = builder.finish()?;
//! let weight = certificate.verify(&context, &committee, &message, Threshold::Quorum)?;
//! assert_eq!(weight, 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Reading order: [`Epoch`] and the other identifiers, [`ProtocolSecretKey`],
//! [`Message`] and [`SigningContext`], [`SignedMessage`], [`Committee`], [`quorum`],
//! [`CertificateBuilder`], [`Certificate`]; then [`apportion`] and [`assign_shards`],
//! which decide the next committee, and [`challenge`], which says what a node is asked
//! for to show that it still has its data.
//!
//! Guarantees: every key and signature that exists as a value is a valid group element
//! other than the identity; bytes have one accepted form; and no input, however wrong,
//! panics.

mod apportionment;
mod base64_bytes;
mod certificate;
pub mod challenge;
mod committee;
mod ids;
mod keys;
mod messages;
mod network_address;
pub mod quorum;
mod shard_map;

pub use apportionment::{ApportionmentError, apportion, shard_cap};
pub use certificate::{
    AddError, Certificate, CertificateBuilder, CertificateDecodeError, CertificateError,
    EvmCertificate, FinishError,
};
pub use committee::{Committee, CommitteeError, Member};
pub use ids::{
    Account, ChallengeSeed, Domain, Epoch, EvmAddress, HexError, NodeId, ObjectId, Seat, TokenId,
};
pub use keys::{
    FieldError, NetworkKeyError, NetworkPublicKey, NetworkSecretKey, ProtocolKeyError,
    ProtocolPublicKey, ProtocolSecretKey, ProtocolSignature, SignatureError, TaggedKeyError,
};
pub use messages::{
    ChallengePassed, InvalidBlobId, MAX_MESSAGE_LEN, MAX_SIGNED_MESSAGE_LEN, Message, MessageBody,
    MessageError, MessageType, Persistence, ProofOfPossession, SignedConfirmation, SignedMessage,
    SignedMessageError, SigningContext, StorageConfirmation, SyncShardRequest,
};
pub use network_address::{NetworkAddress, NetworkAddressError};
pub use quorum::Threshold;
pub use shard_map::{MAX_SEATS, Seating, SeatingError, assign_seats, assign_shards};

pub use walrus_redstuff::{BlobId, ShardIndex, SliverIndex, SliverPairIndex, SliverType};
