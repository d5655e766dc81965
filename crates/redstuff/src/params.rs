//! Everything that follows from the number of shards (docs/protocol/encoding.md section 1).

use std::fmt;
use std::str::FromStr;

use crate::axis::SliverType;
use crate::bcs::uleb_len;
use crate::merkle::path_length;

/// The fewest shards the code exists for: below, it would have no repair symbols.
pub const MIN_SHARDS: u16 = 4;
/// The most shards the code exists for: above, 16-bit field elements run out.
pub const MAX_SHARDS: u16 = 49_155;
/// The longest symbol in bytes: the largest even number that fits 16 bits.
pub const MAX_SYMBOL_BYTES: u16 = 65_534;

/// The number of shards admits no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{n_shards} shards: the code exists for {MIN_SHARDS} to {MAX_SHARDS} shards")]
pub struct ParamsError {
    /// The number of shards asked for.
    pub n_shards: u16,
}

/// A blob is longer than the code can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("blob of {length} bytes is too large: at most {max} bytes fit {n_shards} shards")]
pub struct DataTooLarge {
    /// The blob's length in bytes.
    pub length: u64,
    /// The greatest length for this number of shards.
    pub max: u64,
    /// The number of shards.
    pub n_shards: u16,
}

/// How a blob is encoded. There is one way today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum EncodingType {
    /// RedStuff over Reed-Solomon, "RS2".
    #[default]
    Rs2 = 1,
}

impl EncodingType {
    /// The byte that stands for this type in blob ids, in metadata and on the chain.
    pub const fn as_u8(self) -> u8 {
        self as u8
    }

    /// The type that `byte` stands for. Type 0, which used another code, is refused like any unknown one.
    pub const fn from_u8(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Rs2),
            _ => None,
        }
    }
}

impl fmt::Display for EncodingType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("RedStuff/Reed-Solomon")
    }
}

/// Text that names no encoding type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown encoding type: the only one is `rs2`")]
pub struct EncodingTypeParseError;

impl FromStr for EncodingType {
    type Err = EncodingTypeParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.trim();
        ["redstuff/reed-solomon", "rs2", "reed-solomon"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
            .then_some(Self::Rs2)
            .ok_or(EncodingTypeParseError)
    }
}

/// The length of a symbol in bytes: even, 2 to 65534.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SymbolSize(u16);

impl SymbolSize {
    /// `bytes`, if a symbol can be that long.
    pub const fn new(bytes: u16) -> Option<Self> {
        if bytes == 0 || bytes % 2 == 1 { None } else { Some(Self(bytes)) }
    }

    /// The length as it is serialised.
    pub const fn get(self) -> u16 {
        self.0
    }

    /// The length for indexing.
    pub const fn bytes(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for SymbolSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The shape of the code for one number of shards.
///
/// A blob fills a matrix of `p` rows by `s` columns of symbols, which the code extends to `n` by `n`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EncodingParams {
    n_shards: u16,
}

impl EncodingParams {
    /// The shape for `n_shards` shards.
    ///
    /// # Errors
    /// [`ParamsError`] outside [`MIN_SHARDS`] to [`MAX_SHARDS`].
    pub const fn new(n_shards: u16) -> Result<Self, ParamsError> {
        if n_shards < MIN_SHARDS || n_shards > MAX_SHARDS {
            return Err(ParamsError { n_shards });
        }
        Ok(Self { n_shards })
    }

    /// The number of shards, `n`: also the rows and the columns of the extended matrix.
    pub const fn n_shards(self) -> u16 {
        self.n_shards
    }

    /// The number of faulty shards survived, `f = floor((n - 1) / 3)`.
    pub const fn f(self) -> u16 {
        (self.n_shards - 1) / 3
    }

    /// The rows of the blob's matrix, `p = n - 2f`: so many primary slivers rebuild a blob.
    pub const fn primary_source_symbols(self) -> u16 {
        self.n_shards - 2 * self.f()
    }

    /// The columns of the blob's matrix, `s = n - f`: so many secondary slivers rebuild a blob.
    pub const fn secondary_source_symbols(self) -> u16 {
        self.n_shards - self.f()
    }

    /// How many slivers of `sliver_type` rebuild a blob: `p` or `s`.
    pub const fn source_symbols(self, sliver_type: SliverType) -> u16 {
        match sliver_type {
            SliverType::Primary => self.primary_source_symbols(),
            SliverType::Secondary => self.secondary_source_symbols(),
        }
    }

    /// How many symbols make up one sliver of `sliver_type`, which is also how many recovery symbols
    /// rebuild it: `s` for a primary sliver, `p` for a secondary one.
    pub const fn symbols_per_sliver(self, sliver_type: SliverType) -> u16 {
        self.source_symbols(sliver_type.orthogonal())
    }

    /// The symbols of the blob's matrix, `p * s`.
    pub const fn source_matrix_symbols(self) -> u64 {
        self.primary_source_symbols() as u64 * self.secondary_source_symbols() as u64
    }

    /// The length in bytes of the longest blob.
    pub const fn max_blob_size(self) -> u64 {
        self.source_matrix_symbols() * MAX_SYMBOL_BYTES as u64
    }

    /// The symbol size of a blob of `unencoded_length` bytes (section 1.3).
    ///
    /// # Errors
    /// [`DataTooLarge`] above [`Self::max_blob_size`].
    pub fn symbol_size(self, unencoded_length: u64) -> Result<SymbolSize, DataTooLarge> {
        let max = self.max_blob_size();
        if unencoded_length > max {
            let n_shards = self.n_shards;
            return Err(DataTooLarge { length: unencoded_length, max, n_shards });
        }
        let bytes = unencoded_length.max(1).div_ceil(self.source_matrix_symbols());
        let even = u16::try_from(bytes.next_multiple_of(2));
        Ok(SymbolSize(even.expect("a blob within the limit has symbols of at most 65534 bytes")))
    }

    /// The bytes of one sliver of `sliver_type`.
    pub const fn sliver_bytes(self, sliver_type: SliverType, symbol_size: SymbolSize) -> usize {
        self.symbols_per_sliver(sliver_type) as usize * symbol_size.bytes()
    }

    /// The bytes that metadata counts for when storage is priced, `64n + 32` (not its BCS length).
    pub const fn metadata_accounting_bytes(self) -> u64 {
        self.n_shards as u64 * 64 + 32
    }

    /// The bytes of all slivers of a blob (section 1.4).
    ///
    /// # Errors
    /// [`DataTooLarge`] above [`Self::max_blob_size`].
    pub fn encoded_slivers_length(self, unencoded_length: u64) -> Result<u64, DataTooLarge> {
        let symbol_bytes = u64::from(self.symbol_size(unencoded_length)?.get());
        let pair_symbols =
            u64::from(self.primary_source_symbols()) + u64::from(self.secondary_source_symbols());
        Ok(u64::from(self.n_shards) * pair_symbols * symbol_bytes)
    }

    /// The bytes by which storage for a blob is reserved and priced: slivers and a copy of the
    /// metadata for every shard (section 1.4).
    ///
    /// # Errors
    /// [`DataTooLarge`] above [`Self::max_blob_size`].
    pub fn encoded_blob_length(self, unencoded_length: u64) -> Result<u64, DataTooLarge> {
        let slivers = self.encoded_slivers_length(unencoded_length)?;
        Ok(slivers + u64::from(self.n_shards) * self.metadata_accounting_bytes())
    }

    /// The nodes on a Merkle path from one of `n` leaves to the root.
    pub const fn merkle_path_length(self) -> usize {
        path_length(self.n_shards as usize)
    }

    /// The longest serialised sliver of any type and symbol size (section 1.6).
    pub const fn max_sliver_bcs_len(self) -> usize {
        self.secondary_source_symbols() as usize * MAX_SYMBOL_BYTES as usize + 9
    }

    /// The serialised length of every sliver of `sliver_type` with symbols of `symbol_size`.
    pub const fn sliver_bcs_len(self, sliver_type: SliverType, symbol_size: SymbolSize) -> usize {
        let bytes = self.sliver_bytes(sliver_type, symbol_size);
        uleb_len(bytes) + bytes + 4
    }

    /// The longest serialised metadata, without the blob id.
    pub const fn max_metadata_bcs_len(self) -> usize {
        13 + 66 * self.n_shards as usize
    }

    /// The longest serialised metadata with the blob id in front.
    pub const fn max_metadata_with_id_bcs_len(self) -> usize {
        32 + self.max_metadata_bcs_len()
    }

    /// The longest serialised Merkle proof.
    pub const fn max_proof_bcs_len(self) -> usize {
        1 + 33 * self.merkle_path_length()
    }

    /// The longest serialised single-axis recovery symbol.
    pub const fn max_recovery_symbol_bcs_len(self, symbol_size: SymbolSize) -> usize {
        symbol_size.bytes() + 6 + 33 * self.merkle_path_length()
    }

    /// The longest serialised general recovery symbol.
    pub const fn max_general_symbol_bcs_len(self, symbol_size: SymbolSize) -> usize {
        self.max_recovery_symbol_bcs_len(symbol_size) + 3
    }

    /// The longest serialised inconsistency proof about a sliver of `sliver_type`.
    pub const fn max_inconsistency_proof_bcs_len(
        self,
        sliver_type: SliverType,
        symbol_size: SymbolSize,
    ) -> usize {
        let symbols = self.symbols_per_sliver(sliver_type) as usize;
        5 + symbols * self.max_recovery_symbol_bcs_len(symbol_size)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// If this failed, we would disagree with the network on thresholds, limits or prices (section 1.1).
    #[test]
    fn parameters_match_the_table() {
        let table: [(u16, u16, u16, u16, u64, u64, u64); 6] = [
            (4, 1, 2, 3, 393_204, 1_192, 1_311_832),
            (7, 2, 3, 5, 983_010, 3_472, 3_673_264),
            (10, 3, 4, 7, 1_834_952, 6_940, 7_215_460),
            (100, 33, 34, 67, 149_286_452, 663_400, 662_536_600),
            (301, 100, 101, 201, 1_330_405_734, 5_989_900, 5_962_979_764),
            (1000, 333, 334, 667, 14_599_533_452, 66_034_000, 65_663_566_000),
        ];
        for (n, f, p, s, max, smallest, largest) in table {
            let params = EncodingParams::new(n).unwrap();
            assert_eq!(params.f(), f);
            assert_eq!(params.primary_source_symbols(), p);
            assert_eq!(params.secondary_source_symbols(), s);
            assert_eq!(params.max_blob_size(), max);
            assert_eq!(params.encoded_blob_length(0), Ok(smallest));
            assert_eq!(params.encoded_blob_length(max), Ok(largest));
            assert_eq!(params.symbol_size(max).unwrap().get(), MAX_SYMBOL_BYTES);
            let refused = DataTooLarge { length: max + 1, max, n_shards: n };
            assert_eq!(params.encoded_blob_length(max + 1), Err(refused));
        }
    }

    /// If this failed, a limit on untrusted input would differ from the published one (section 1.6).
    #[test]
    fn limits_match_the_table() {
        let params = EncodingParams::new(1000).unwrap();
        let largest = SymbolSize::new(MAX_SYMBOL_BYTES).unwrap();
        assert_eq!(params.max_sliver_bcs_len(), 43_711_187);
        assert_eq!(params.max_metadata_bcs_len(), 66_013);
        assert_eq!(params.max_proof_bcs_len(), 331);
        assert_eq!(params.max_recovery_symbol_bcs_len(largest), 65_870);
        assert_eq!(params.max_general_symbol_bcs_len(largest), 65_873);
        let proof = params.max_inconsistency_proof_bcs_len(SliverType::Primary, largest);
        assert_eq!(proof, 43_935_295);
        assert_eq!(params.sliver_bytes(SliverType::Primary, largest), 43_711_178);
    }

    /// If this failed, a committee size from the chain could panic the coder.
    #[test]
    fn shard_counts_without_a_code_are_refused() {
        for n_shards in [0, 1, 3, 49_156, u16::MAX] {
            assert_eq!(EncodingParams::new(n_shards), Err(ParamsError { n_shards }));
        }
        assert!(EncodingParams::new(4).is_ok() && EncodingParams::new(49_155).is_ok());
    }

    /// If this failed, symbol sizes would be odd, zero or off by one at the edges (section 9).
    #[test]
    fn symbol_sizes_are_even_and_never_zero() {
        let params = EncodingParams::new(1000).unwrap();
        for (length, bytes) in
            [(0, 2), (1, 2), (445_556, 2), (445_557, 4), (668_334, 4), (1 << 20, 6)]
        {
            assert_eq!(params.symbol_size(length).unwrap().get(), bytes, "{length}");
        }
        assert_eq!((SymbolSize::new(0), SymbolSize::new(3)), (None, None));
    }

    /// If this failed, the removed encoding type 0 would be accepted or a known name refused.
    #[test]
    fn encoding_types() {
        assert_eq!(EncodingType::from_u8(0), None);
        assert_eq!(EncodingType::from_u8(1), Some(EncodingType::Rs2));
        for name in ["RS2", " reed-solomon ", "RedStuff/Reed-Solomon"] {
            assert_eq!(name.parse(), Ok(EncodingType::Rs2));
        }
        assert_eq!("raptorq".parse::<EncodingType>(), Err(EncodingTypeParseError));
    }
}
