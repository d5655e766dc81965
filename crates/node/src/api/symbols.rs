//! Recovery and decoding symbols (docs/protocol/http-api.md sections 3.8 and 3.9).

use axum::{extract::State, response::Response};
use bytes::Bytes;
use walrus_node_api::{
    ApiError, ErrorReason,
    extract::BlobPath,
    limits,
    query::{DecodingSymbolsQuery, RecoverySymbolsQuery, SymbolSelection},
};
use walrus_redstuff::{
    BlobId, DecodingSymbol, DecodingSymbols, EitherDecodingSymbol, GeneralRecoverySymbol, Primary,
    Secondary, SliverIndex, SliverType, SliverView, SymbolId, VerifiedMetadata,
    decoding_symbols_to_bcs,
};

use super::{ApiState, admission::binary, internal};
use crate::{
    expanded::AnyExpanded,
    store::slivers::{ReadError, SliverKey},
};

fn not_found() -> ApiError {
    ApiError::new(ErrorReason::SliverNotFound, "no sliver with these symbols is stored here")
}

pub(super) async fn recovery(
    State(state): State<ApiState>,
    BlobPath(blob): BlobPath,
    query: RecoverySymbolsQuery,
) -> Result<Response, ApiError> {
    let _permit = state.admission.symbols()?;
    let ids = wanted(&state, &blob, &query)?;
    let metadata = metadata(&state, &blob).await?;
    let most = limits::recovery_symbols(state.params, metadata.symbol_size(), ids.len());
    let memory = state.admission.reserve_sending(most).await?;
    let mut symbols = Vec::new();
    let mut refusal = not_found();
    for id in ids {
        match recovery_symbol(&state, &metadata, id, query.proof_axis).await {
            Ok(symbol) => symbols.push(symbol),
            Err(error) => refusal = error,
        }
    }
    if symbols.is_empty() {
        return Err(refusal);
    }
    Ok(binary(Bytes::from(GeneralRecoverySymbol::list_to_bcs(&symbols)), memory))
}

pub(super) async fn decoding(
    State(state): State<ApiState>,
    BlobPath(blob): BlobPath,
    query: DecodingSymbolsQuery,
) -> Result<Response, ApiError> {
    let _permit = state.admission.symbols()?;
    let source = state.params.source_symbols(query.sliver_type);
    if let Some(target) = query.targets.iter().find(|target| target.get() >= source) {
        let message = format!("{} sliver {target} is not a source sliver", query.sliver_type);
        return Err(ApiError::new(ErrorReason::RecoverySymbolOutOfRange, message));
    }
    let metadata = metadata(&state, &blob).await?;
    let held = held(&state, &blob, query.sliver_type.orthogonal());
    let most = query.targets.len() * (8 + held.len() * (metadata.symbol_size().bytes() + 8));
    let memory = state.admission.reserve_sending(most).await?;
    let mut symbols = DecodingSymbols::new();
    for key in held {
        // Source slivers meet others in symbols that those hold as they are.
        let Ok(bytes) = stored(&state, &metadata, key).await else { continue };
        let Ok(sliver) = SliverView::from_bcs(key.axis, &bytes, state.params) else { continue };
        for target in &query.targets {
            let symbol = sliver
                .symbol(target.as_usize())
                .map(|data| symbol_for(query.sliver_type, sliver.index(), data.to_vec()));
            symbols.entry(*target).or_default().extend(symbol);
        }
    }
    if symbols.is_empty() {
        return Err(not_found());
    }
    Ok(binary(Bytes::from(decoding_symbols_to_bcs(&symbols)), memory))
}

/// A symbol for recovering a sliver of the given type.
fn symbol_for(target_type: SliverType, source: SliverIndex, data: Vec<u8>) -> EitherDecodingSymbol {
    match target_type {
        SliverType::Primary => DecodingSymbol::<Primary>::new(source, data).into(),
        SliverType::Secondary => DecodingSymbol::<Secondary>::new(source, data).into(),
    }
}

/// The positions asked for, all in range.
fn wanted(
    state: &ApiState,
    blob: &BlobId,
    query: &RecoverySymbolsQuery,
) -> Result<Vec<SymbolId>, ApiError> {
    let n_shards = state.params.n_shards();
    let ids: Vec<SymbolId> = match &query.selection {
        SymbolSelection::Ids(ids) => ids.iter().copied().collect(),
        SymbolSelection::Target { index, sliver_type } => {
            if index.get() >= n_shards {
                return Err(out_of_range(*index, n_shards));
            }
            let crossing = sliver_type.orthogonal();
            let indices = held(state, blob, crossing)
                .into_iter()
                .map(|key| key.pair.to_sliver_index(crossing, n_shards));
            indices.map(|other| SymbolId::of(*sliver_type, *index, other)).collect()
        }
    };
    match ids.iter().flat_map(|id| [id.row, id.column]).find(|index| index.get() >= n_shards) {
        Some(index) => Err(out_of_range(index, n_shards)),
        None => Ok(ids),
    }
}

fn out_of_range(index: SliverIndex, n_shards: u16) -> ApiError {
    let message = format!("sliver index {index} is not below the number of shards, {n_shards}");
    ApiError::new(ErrorReason::IndexOutOfRange, message)
}

/// The slivers of one type that this node has to hold.
fn held(state: &ApiState, blob: &BlobId, sliver_type: SliverType) -> Vec<SliverKey> {
    let mut keys = state.membership.get().keys(blob);
    keys.retain(|key| key.axis == sliver_type);
    keys
}

/// The metadata of a registered blob.
pub(super) async fn metadata(
    state: &ApiState,
    blob: &BlobId,
) -> Result<VerifiedMetadata, ApiError> {
    if !state.blob_state(blob).await?.is_registered(state.epoch()) {
        return Err(not_found());
    }
    state.store.metadata().get(blob).await.map_err(internal)?.ok_or_else(not_found)
}

/// One symbol, cut from whichever of the two slivers through it the node holds and the
/// asker allows.
async fn recovery_symbol(
    state: &ApiState,
    metadata: &VerifiedMetadata,
    id: SymbolId,
    proof_axis: Option<SliverType>,
) -> Result<GeneralRecoverySymbol, ApiError> {
    let n_shards = state.params.n_shards();
    let membership = state.membership.get();
    let message = "this node holds no sliver with this symbol";
    let mut refusal = ApiError::new(ErrorReason::SymbolNotPresentAtShards, message);
    for axis in SliverType::BOTH.into_iter().filter(|axis| proof_axis.is_none_or(|a| a == *axis)) {
        let pair = id.position(axis).to_pair_index(axis, n_shards);
        if !membership.owns(pair.to_shard_index(n_shards, metadata.blob_id())) {
            continue;
        }
        match expanded(state, metadata, SliverKey { pair, axis }).await {
            Ok(expanded) => {
                let symbol = expanded.recovery_symbol(id.position(axis.orthogonal()));
                return symbol.ok_or_else(not_found);
            }
            Err(error) => refusal = error,
        }
    }
    Err(refusal)
}

/// A stored sliver, extended.
pub(super) async fn expanded(
    state: &ApiState,
    metadata: &VerifiedMetadata,
    key: SliverKey,
) -> Result<AnyExpanded, ApiError> {
    if let Some(expanded) = state.expanded.cached(metadata.blob_id(), key) {
        return Ok(expanded);
    }
    let bytes = stored(state, metadata, key).await?;
    state.expanded.expand(&state.env, metadata, key, bytes).await.map_err(internal)
}

/// A stored sliver, as it was put.
async fn stored(
    state: &ApiState,
    metadata: &VerifiedMetadata,
    key: SliverKey,
) -> Result<Bytes, ApiError> {
    match state.store.slivers().get(metadata.blob_id(), key).await {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) | Err(ReadError::Damaged) => Err(not_found()),
        Err(ReadError::Io(error)) => Err(internal(error)),
    }
}
