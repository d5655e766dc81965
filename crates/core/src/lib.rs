//! Names, counts and signatures of the protocol: blob ids, epochs, committees, messages, certificates.

mod apportionment;
mod ids;
mod keys;
mod network_address;
pub mod quorum;
mod shard_map;

pub use apportionment::{ApportionmentError, apportion, shard_cap};
pub use ids::{Account, Domain, Epoch, EvmAddress, HexError, NodeId, ObjectId, Seat, TokenId};
pub use keys::{
    FieldError, NetworkKeyError, NetworkPublicKey, NetworkSecretKey, ProtocolKeyError,
    ProtocolPublicKey, ProtocolSecretKey, ProtocolSignature, SignatureError, TaggedKeyError,
};
pub use network_address::{NetworkAddress, NetworkAddressError};
pub use quorum::Threshold;
pub use shard_map::{MAX_SEATS, Seating, SeatingError, assign_seats, assign_shards};
