//! The longest body of each kind (docs/protocol/encoding.md section 1.6). Both sides
//! enforce them before buffering.

use walrus_redstuff::{EncodingParams, MAX_SYMBOL_BYTES, SliverType, SymbolSize};

/// Longest JSON answer: health with the detail of 65,535 shards stays below it.
pub const MAX_JSON_BODY_BYTES: usize = 4 * 1024 * 1024;

/// Longest error body that is read; what is beyond is cut off.
pub const MAX_ERROR_BODY_BYTES: usize = 16 * 1024;

/// Longest body of storing a sliver of a blob of unknown length.
pub fn sliver_put(params: EncodingParams) -> usize {
    // As the public network: the largest sliver and a little more.
    usize::from(params.secondary_source_symbols()) * usize::from(MAX_SYMBOL_BYTES) + 128
}

/// Longest body of storing metadata.
pub fn metadata_put(params: EncodingParams) -> usize {
    params.max_metadata_bcs_len()
}

/// Longest answer with metadata.
pub fn metadata_get(params: EncodingParams) -> usize {
    params.max_metadata_with_id_bcs_len()
}

/// Longest answer with `count` recovery symbols of `symbol_size`.
pub fn recovery_symbols(params: EncodingParams, symbol_size: SymbolSize, count: usize) -> usize {
    5 + count * params.max_general_symbol_bcs_len(symbol_size)
}

/// Longest answer with decoding symbols of `symbol_size` for `targets` slivers.
pub fn decoding_symbols(params: EncodingParams, symbol_size: SymbolSize, targets: usize) -> usize {
    // A symbol is an axis, an index, a length of up to three bytes, and the data.
    let symbol = symbol_size.bytes() + 6;
    5 + targets * (2 + 3 + usize::from(params.n_shards()) * symbol)
}

/// Longest inconsistency proof about a sliver of `sliver_type`.
pub fn inconsistency_proof(
    params: EncodingParams,
    sliver_type: SliverType,
    symbol_size: SymbolSize,
) -> usize {
    params.max_inconsistency_proof_bcs_len(sliver_type, symbol_size)
}
