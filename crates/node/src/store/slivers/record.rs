//! The records a sliver file is made of.
//!
//! A sliver file holds the slivers of one blob that this node stores. It is a
//! sequence of records and nothing else; records are only ever appended.
//!
//! | offset | size | content |
//! | --- | --- | --- |
//! | 0 | 4 | magic `57 53 4c 31` ("WSL1") |
//! | 4 | 1 | kind: 0 primary sliver, 1 secondary sliver, 2 synced, 3 primary dropped, 4 secondary dropped |
//! | 5 | 1 | zero |
//! | 6 | 2 | sliver pair index, little endian; zero for kind 2 |
//! | 8 | 4 | length of the data, little endian; zero for kinds 2 to 4 |
//! | 12 | 4 | CRC-32C of the data, little endian |
//! | 16 | 4 | CRC-32C of blob id (32 bytes) and bytes 0 to 15, little endian |
//! | 20 | length | data: the BCS form of the sliver |
//!
//! * A later record for the same sliver replaces an earlier one.
//! * *Synced* says: when this record was written, everything before it was on disk.
//!   What follows the last such record has to be checked when the file is opened,
//!   because a power cut may have left parts of it.
//! * *Dropped* says: the stored sliver was found damaged and is no longer held.
//!
//! The blob id enters each checksum, so a file under a wrong name holds nothing.

use walrus_redstuff::{BlobId, SliverPairIndex, SliverType};

/// Bytes of a record before its data.
pub(super) const HEADER_BYTES: usize = 20;

/// First bytes of every record.
pub(super) const MAGIC: [u8; 4] = *b"WSL1";

/// Which sliver of a blob: its pair and its axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SliverKey {
    /// The sliver pair, `0..n_shards`.
    pub pair: SliverPairIndex,
    /// Primary or secondary.
    pub axis: SliverType,
}

/// What a record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Its data is this sliver.
    Sliver(SliverKey),
    /// Everything before it was durable when it was written.
    Synced,
    /// This sliver is damaged and gone.
    Dropped(SliverKey),
}

/// The decoded first [`HEADER_BYTES`] of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    /// Length of the data in bytes.
    pub(super) length: u32,
    /// CRC-32C of the data.
    pub(super) checksum: u32,
}

impl Header {
    /// The header of a record holding `data`.
    pub(super) fn sliver(key: SliverKey, data: &[u8]) -> Self {
        let length = u32::try_from(data.len()).expect("slivers are bounded far below 4 GiB");
        Self { kind: Kind::Sliver(key), length, checksum: crc32c::crc32c(data) }
    }

    /// The header of a record without data.
    pub(super) fn mark(kind: Kind) -> Self {
        Self { kind, length: 0, checksum: 0 }
    }

    /// Length of the whole record in bytes.
    pub(super) fn record_bytes(&self) -> u64 {
        HEADER_BYTES as u64 + u64::from(self.length)
    }

    pub(super) fn encode(&self, blob: &BlobId) -> [u8; HEADER_BYTES] {
        let (kind, pair) = match self.kind {
            Kind::Sliver(SliverKey { pair, axis: SliverType::Primary }) => (0, pair),
            Kind::Sliver(SliverKey { pair, axis: SliverType::Secondary }) => (1, pair),
            Kind::Synced => (2, SliverPairIndex(0)),
            Kind::Dropped(SliverKey { pair, axis: SliverType::Primary }) => (3, pair),
            Kind::Dropped(SliverKey { pair, axis: SliverType::Secondary }) => (4, pair),
        };
        let mut bytes = [0; HEADER_BYTES];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4] = kind;
        bytes[6..8].copy_from_slice(&pair.0.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.length.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.checksum.to_le_bytes());
        let own = own_checksum(blob, &bytes);
        bytes[16..].copy_from_slice(&own.to_le_bytes());
        bytes
    }

    /// The header in `bytes`, or `None` if these bytes are no header of a record of `blob`.
    pub(super) fn decode(blob: &BlobId, bytes: &[u8; HEADER_BYTES]) -> Option<Self> {
        let field = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|i| bytes[at + i]));
        if bytes[..4] != MAGIC || bytes[5] != 0 || field(16) != own_checksum(blob, bytes) {
            return None;
        }
        let pair = SliverPairIndex(u16::from_le_bytes([bytes[6], bytes[7]]));
        let (length, checksum) = (field(8), field(12));
        let primary = SliverKey { pair, axis: SliverType::Primary };
        let secondary = SliverKey { pair, axis: SliverType::Secondary };
        let kind = match bytes[4] {
            0 => Kind::Sliver(primary),
            1 => Kind::Sliver(secondary),
            2 => Kind::Synced,
            3 => Kind::Dropped(primary),
            4 => Kind::Dropped(secondary),
            _ => return None,
        };
        Some(Self { kind, length, checksum })
    }
}

fn own_checksum(blob: &BlobId, header: &[u8; HEADER_BYTES]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(blob.as_bytes()), &header[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: SliverKey = SliverKey { pair: SliverPairIndex(0x0102), axis: SliverType::Secondary };

    #[test]
    fn the_layout_is_the_documented_one() {
        // A changed layout would make every node forget what it stores.
        let blob = BlobId::from_bytes([7; 32]);
        let bytes = Header::sliver(KEY, b"123456789").encode(&blob);
        assert_eq!(bytes[..12], *b"WSL1\x01\0\x02\x01\x09\0\0\0");
        // The check value of CRC-32C for the nine digits.
        assert_eq!(bytes[12..16], 0xe306_9283_u32.to_le_bytes());
    }

    #[test]
    fn headers_come_back_and_any_flipped_bit_or_other_blob_is_refused() {
        // A header believed in spite of damage would index the wrong bytes as a sliver.
        let blob = BlobId::from_bytes([7; 32]);
        for kind in [Kind::Sliver(KEY), Kind::Synced, Kind::Dropped(KEY)] {
            let header = Header { kind, length: 9, checksum: 4711 };
            let bytes = header.encode(&blob);
            assert_eq!(Header::decode(&blob, &bytes), Some(header));
            assert_eq!(Header::decode(&BlobId::from_bytes([8; 32]), &bytes), None);
            for bit in 0..8 * HEADER_BYTES {
                let mut damaged = bytes;
                damaged[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(Header::decode(&blob, &damaged), None, "bit {bit}");
            }
        }
    }
}
