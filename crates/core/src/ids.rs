//! Small numbers that must not be mixed up: epochs, nodes, seats, objects.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha3::{Digest as _, Keccak256};

/// Defines a newtype over an unsigned integer whose text and JSON forms are the
/// plain decimal number.
macro_rules! number {
    ($(#[$doc:meta])* $name:ident($int:ty)) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub $int);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIntError;

            fn from_str(text: &str) -> Result<Self, ParseIntError> {
                text.parse().map(Self)
            }
        }

        impl From<$int> for $name {
            fn from(number: $int) -> Self {
                Self(number)
            }
        }

        impl From<$name> for $int {
            fn from(value: $name) -> Self {
                value.0
            }
        }
    };
}

number! {
    /// A period of the network, counted from 0. One committee serves each epoch
    /// from 1 on; epoch 0 is the time before the first committee.
    Epoch(u32)
}

impl Epoch {
    /// The following epoch, or `None` after the last representable one.
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }
}

number! {
    /// The number a storage node got when it registered on chain. Counted from 1;
    /// 0 is never a node.
    NodeId(u32)
}

number! {
    /// A member's place in a committee, counted from 0: its bit in a signer bitmap
    /// and its byte in the shard map. A node keeps its seat while it stays a member
    /// (docs/protocol/onchain.md section 2.6).
    Seat(u8)
}

impl Seat {
    /// The seat as an index into a vector in seat order.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

number! {
    /// The number of a blob's on-chain object, its non-fungible token.
    TokenId(u64)
}

/// Why a hexadecimal identifier was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} bytes as 0x and {} lower-case or upper-case hex digits, got {got:?}", expected * 2)]
pub struct HexError {
    /// Number of bytes the identifier has.
    pub expected: usize,
    /// The refused text, cut to at most 80 characters.
    pub got: String,
}

/// Reads exactly `N` bytes of hexadecimal text, with or without a leading `0x`.
fn parse_hex<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
    let refuse = || HexError { expected: N, got: text.chars().take(80).collect() };
    let digits = text.strip_prefix("0x").unwrap_or(text).as_bytes();
    if digits.len() != 2 * N {
        return Err(refuse());
    }
    let value = |digit: u8| char::from(digit).to_digit(16).map(|v| v as u8);
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let (high, low) = value(pair[0]).zip(value(pair[1])).ok_or_else(refuse)?;
        *byte = high << 4 | low;
    }
    Ok(bytes)
}

fn write_hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("0x")?;
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// Defines a newtype over a byte array whose text form is `0x` and hex digits.
macro_rules! bytes_id {
    ($(#[$doc:meta])* $name:ident[$len:literal]) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = HexError;

            fn from_str(text: &str) -> Result<Self, HexError> {
                parse_hex(text).map(Self)
            }
        }

        impl From<[u8; $len]> for $name {
            fn from(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }
        }
    };
}

bytes_id! {
    /// An account or contract on the chain: 20 bytes. Text: `0x` and 40 hex digits
    /// (printed in lower case, without the mixed-case checksum).
    EvmAddress[20]
}

bytes_id! {
    /// The 32 bytes that name an account inside a proof of possession. On our chains
    /// an address, left-padded with zeros (docs/protocol/onchain.md section 2.6).
    Account[32]
}

impl From<EvmAddress> for Account {
    fn from(address: EvmAddress) -> Self {
        let mut bytes = [0; 32];
        bytes[12..].copy_from_slice(&address.0);
        Self(bytes)
    }
}

bytes_id! {
    /// The 32 bytes that name a blob's object inside a storage confirmation. On our
    /// chains the [`TokenId`], big endian (docs/protocol/onchain.md section 2.6).
    ObjectId[32]
}

impl From<TokenId> for ObjectId {
    fn from(token: TokenId) -> Self {
        let mut bytes = [0; 32];
        bytes[24..].copy_from_slice(&token.0.to_be_bytes());
        Self(bytes)
    }
}

bytes_id! {
    /// Binds every signed message to one chain and one deployment
    /// (docs/protocol/onchain.md section 2.6), so that a signature made for another
    /// network is worth nothing here.
    Domain[32]
}

impl Domain {
    /// `keccak256(abi.encode(uint256 chain_id, address committees))`, where
    /// `committees` is the address of the deployment's `Committees` contract.
    pub fn of(chain_id: u64, committees: EvmAddress) -> Self {
        let mut encoded = [0; 64];
        encoded[24..32].copy_from_slice(&chain_id.to_be_bytes());
        encoded[44..].copy_from_slice(&committees.0);
        Self(Keccak256::digest(encoded).into())
    }
}

bytes_id! {
    /// What an epoch's storage challenge draws everything from
    /// (docs/protocol/onchain.md section 2.9). Nobody knows it before a quorum has
    /// promised to serve nothing that is asked for.
    ChallengeSeed[32]
}

impl ChallengeSeed {
    /// `keccak256(abi.encode(bytes32 randomness, uint32 epoch, uint256 chain_id,
    /// address challenges))`, where `randomness` is the PREVRANDAO of the seed block and
    /// `challenges` the address of the deployment's `Challenges` contract.
    pub fn derive(
        randomness: &[u8; 32],
        epoch: Epoch,
        chain_id: u64,
        challenges: EvmAddress,
    ) -> Self {
        let mut encoded = [0; 128];
        encoded[..32].copy_from_slice(randomness);
        encoded[60..64].copy_from_slice(&epoch.0.to_be_bytes());
        encoded[88..96].copy_from_slice(&chain_id.to_be_bytes());
        encoded[108..].copy_from_slice(&challenges.0);
        Self(Keccak256::digest(encoded).into())
    }
}

impl ObjectId {
    /// The token with this id, or `None` if the number needs more than 64 bits.
    pub fn token(&self) -> Option<TokenId> {
        let (high, low) = self.0.split_at(24);
        let low = low.try_into().ok()?;
        high.iter().all(|byte| *byte == 0).then(|| TokenId(u64::from_be_bytes(low)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn text_forms_invert_and_refuse_other_text() {
        // A wrong parser would make commands act on another epoch, node or object.
        assert_eq!("7".parse::<Epoch>().unwrap(), Epoch(7));
        assert!("-1".parse::<NodeId>().is_err());
        assert!("256".parse::<Seat>().is_err());
        let id = ObjectId::from(TokenId(0x0102));
        assert_eq!(id.to_string(), format!("0x{}0102", "0".repeat(60)));
        assert_eq!(id.to_string().parse::<ObjectId>().unwrap(), id);
        assert_eq!(id.token(), Some(TokenId(0x0102)));
        assert_eq!(ObjectId([1; 32]).token(), None);
        for bad in ["", "0x", "0x12", &"g".repeat(64), &"+1".repeat(32), &"é".repeat(32)] {
            assert!(bad.parse::<ObjectId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_is_padded_on_the_left() {
        let account = Account::from(EvmAddress([0x2a; 20]));
        assert_eq!(account.to_string(), format!("0x{}{}", "0".repeat(24), "2a".repeat(20)));
    }
}
