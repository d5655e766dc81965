//! Positions: of slivers, of sliver pairs, of shards and of symbols.
//!
//! A blob has `n` sliver pairs. Pair `k` is primary sliver `k` with secondary sliver `n - 1 - k`, and is
//! kept by one shard that depends on the blob id (docs/protocol/encoding.md sections 2.2 and 2.3).
//!
//! Conversions never fail or panic: an index of `n` or more stays one of `n` or more, so the range
//! check of whoever uses it still refuses it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::axis::SliverType;
use crate::blob_id::BlobId;

macro_rules! index {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub u16);

        impl $name {
            /// The number.
            pub const fn get(self) -> u16 {
                self.0
            }

            /// The number for indexing.
            pub const fn as_usize(self) -> usize {
                self.0 as usize
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<u16> for $name {
            fn from(index: u16) -> Self {
                Self(index)
            }
        }

        impl FromStr for $name {
            type Err = std::num::ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

index! {
    /// The position of a sliver among those of its type: its row (primary) or column (secondary).
    SliverIndex
}
index! {
    /// The position of a sliver pair within a blob.
    SliverPairIndex
}
index! {
    /// The position of a shard within the committee.
    ShardIndex
}

impl SliverPairIndex {
    /// The sliver of type `sliver_type` in this pair.
    #[must_use]
    pub const fn to_sliver_index(self, sliver_type: SliverType, n_shards: u16) -> SliverIndex {
        SliverIndex(mirror(self.0, sliver_type, n_shards))
    }

    /// The shard that keeps this pair of the blob.
    #[must_use]
    pub fn to_shard_index(self, n_shards: u16, blob_id: &BlobId) -> ShardIndex {
        if self.0 >= n_shards {
            return ShardIndex(self.0);
        }
        let rotated = u32::from(self.0) + u32::from(blob_id.rotation_offset(n_shards));
        ShardIndex((rotated % u32::from(n_shards)) as u16)
    }
}

impl SliverIndex {
    /// The pair that contains this sliver, which is of type `sliver_type`.
    #[must_use]
    pub const fn to_pair_index(self, sliver_type: SliverType, n_shards: u16) -> SliverPairIndex {
        SliverPairIndex(mirror(self.0, sliver_type, n_shards))
    }
}

impl ShardIndex {
    /// The pair of the blob that this shard keeps.
    #[must_use]
    pub fn to_pair_index(self, n_shards: u16, blob_id: &BlobId) -> SliverPairIndex {
        if self.0 >= n_shards {
            return SliverPairIndex(self.0);
        }
        let n = u32::from(n_shards);
        let unrotated = n + u32::from(self.0) - u32::from(blob_id.rotation_offset(n_shards));
        SliverPairIndex((unrotated % n) as u16)
    }
}

/// Primary indices are pair indices, secondary ones count from the other end; its own inverse.
/// Modulo `2^16` the mirror of an index outside `0..n` is again outside.
const fn mirror(index: u16, sliver_type: SliverType, n_shards: u16) -> u16 {
    match sliver_type {
        SliverType::Primary => index,
        SliverType::Secondary => n_shards.wrapping_sub(1).wrapping_sub(index),
    }
}

/// The position of a symbol in the extended matrix. Text form: `row-column` in decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SymbolId {
    /// The primary sliver that the symbol lies on.
    pub row: SliverIndex,
    /// The secondary sliver that the symbol lies on.
    pub column: SliverIndex,
}

impl SymbolId {
    /// The sliver of type `sliver_type` that the symbol lies on.
    pub const fn position(self, sliver_type: SliverType) -> SliverIndex {
        match sliver_type {
            SliverType::Primary => self.row,
            SliverType::Secondary => self.column,
        }
    }

    /// The symbol where sliver `index` of type `sliver_type` meets sliver `crossing` of the other type.
    pub const fn of(sliver_type: SliverType, index: SliverIndex, crossing: SliverIndex) -> Self {
        match sliver_type {
            SliverType::Primary => Self { row: index, column: crossing },
            SliverType::Secondary => Self { row: crossing, column: index },
        }
    }

    /// The serialised form: row, then column, each a little-endian `u16`.
    pub const fn to_bcs(self) -> [u8; 4] {
        let (row, column) = (self.row.0.to_le_bytes(), self.column.0.to_le_bytes());
        [row[0], row[1], column[0], column[1]]
    }
}

impl fmt::Display for SymbolId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.row, self.column)
    }
}

/// Text that is not a symbol id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a symbol id is two sliver indices joined by a dash, such as `17-21`")]
pub struct SymbolIdParseError;

impl FromStr for SymbolId {
    type Err = SymbolIdParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // `u16::from_str` also takes a leading plus sign, which no printed id has.
        let index = |digits: &str| {
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse().ok().filter(|_| plain).map(SliverIndex)
        };
        let (row, column) = text.split_once('-').ok_or(SymbolIdParseError)?;
        match (index(row), index(column)) {
            (Some(row), Some(column)) => Ok(Self { row, column }),
            _ => Err(SymbolIdParseError),
        }
    }
}

impl Serialize for SymbolId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SymbolId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// If this failed, a node would look for a sliver at the wrong shard, or a wild index would pass
    /// for a valid one after conversion.
    #[test]
    fn conversions_invert_and_keep_wild_indices_wild() {
        let id = BlobId::from_bytes(std::array::from_fn(|i| (i * 37 + 5) as u8));
        for n in [4_u16, 7, 1000, 49_155] {
            for index in (0..n).step_by(usize::from(n / 4)).chain([n - 1]) {
                let pair = SliverPairIndex(index);
                for sliver_type in SliverType::BOTH {
                    let sliver = pair.to_sliver_index(sliver_type, n);
                    assert_eq!(sliver.to_pair_index(sliver_type, n), pair);
                }
                assert_eq!(pair.to_shard_index(n, &id).to_pair_index(n, &id), pair);
                assert!(pair.to_shard_index(n, &id).get() < n);
            }
            for wild in [n, n + 1, u16::MAX] {
                assert!(SliverPairIndex(wild).to_sliver_index(SliverType::Secondary, n).get() >= n);
                assert!(SliverPairIndex(wild).to_shard_index(n, &id).get() >= n);
                assert!(ShardIndex(wild).to_pair_index(n, &id).get() >= n);
            }
        }
    }

    /// If this failed, symbol ids in URLs would name the transposed symbol or have several texts.
    #[test]
    fn symbol_ids_have_one_text() {
        let id: SymbolId = "17-21".parse().unwrap();
        assert_eq!((id.row, id.column), (SliverIndex(17), SliverIndex(21)));
        assert_eq!(hex::encode(id.to_bcs()), "11001500");
        assert_eq!(id.to_string(), "17-21");
        assert_eq!(SymbolId::of(SliverType::Secondary, id.column, id.row), id);
        for text in ["", "1", "1-", "-1", "1-2-3", "+1-2", "65536-0", "1 -2"] {
            assert_eq!(text.parse::<SymbolId>(), Err(SymbolIdParseError), "{text}");
        }
    }
}
