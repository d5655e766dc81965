//! The two keys of a storage node: the protocol key, which signs what the network
//! counts, and the network key, which is its TLS identity.

mod field;
mod network;
mod protocol;
mod signature;
mod tagged;

pub use network::{NetworkKeyError, NetworkPublicKey, NetworkSecretKey};
pub use protocol::{ProtocolKeyError, ProtocolPublicKey, ProtocolSecretKey};
pub use signature::{ProtocolSignature, SignatureError};
pub use tagged::TaggedKeyError;

pub use field::FieldError;
use field::{narrow, widen};
