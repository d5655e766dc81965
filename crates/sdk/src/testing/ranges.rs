//! Stub nodes' answers about parts of slivers and symbols.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use walrus_node_api::extract::{BlobPath, PairPath};
use walrus_node_api::query::{
    DecodingSymbolsQuery, RecoverySymbolsQuery, SymbolRunQuery, SymbolSelection,
};
use walrus_node_api::{ApiError, ErrorReason, routes};
use walrus_redstuff::{
    Axis, DecodingSymbol, DecodingSymbols, EitherDecodingSymbol, EncodedBlob, ExpandedSliver,
    GeneralRecoverySymbol, Primary, RowRun, Secondary, Sliver, SliverHashProof, SliverIndex,
    SliverPairIndex, SliverType, SymbolRun, VerifiedMetadata, decoding_symbols_to_bcs,
};

use super::{Behaviour, Shared, StubNode};

pub(super) fn routes() -> Router<std::sync::Arc<StubNode>> {
    Router::new()
        .route(routes::SLIVER_HASHES, get(hashes))
        .route(routes::SYMBOL_RUN, get(run))
        .route(routes::DECODING_SYMBOLS, get(decoding))
        .route(routes::RECOVERY_SYMBOLS, get(recovery))
}

fn not_found() -> ApiError {
    ApiError::new(ErrorReason::SliverNotFound, "none")
}

impl StubNode {
    /// The metadata, if the node admits to have it; of another blob if that is how it lies.
    fn known(&self) -> Result<(VerifiedMetadata, Option<EncodedBlob>), ApiError> {
        let metadata = self.stored.lock().unwrap().metadata.clone().ok_or_else(not_found)?;
        match self.behaviour {
            Behaviour::Empty => Err(not_found()),
            Behaviour::OtherBlob => {
                let other = self.other(metadata.unencoded_length());
                Ok((other.metadata().clone(), Some(other)))
            }
            _ => Ok((metadata, None)),
        }
    }

    fn expanded<A: Axis>(&self, pair: SliverPairIndex) -> Result<ExpandedSliver<A>, ApiError> {
        let (metadata, other) = self.known()?;
        let index = pair.to_sliver_index(A::TYPE, self.params.n_shards());
        let sliver = match other {
            Some(other) => other.sliver::<A>(index).unwrap().into_sliver(),
            None => {
                let stored = self.stored.lock().unwrap();
                let bytes = stored.slivers.get(&(pair, A::TYPE)).ok_or_else(not_found)?;
                Sliver::from_bcs(bytes, self.params).unwrap()
            }
        };
        Ok(metadata.verify_and_expand(sliver, index).unwrap())
    }

    /// The slivers of axis `A` that the node holds.
    fn lines<A: Axis>(&self) -> Result<Vec<ExpandedSliver<A>>, ApiError> {
        let keys: Vec<_> = self.stored.lock().unwrap().slivers.keys().copied().collect();
        let pairs = keys.into_iter().filter(|(_, kind)| *kind == A::TYPE);
        pairs.map(|(pair, _)| self.expanded(pair)).collect()
    }

    /// Symbols for slivers of axis `A`.
    fn symbols<A: Axis>(&self, query: &DecodingSymbolsQuery) -> Result<DecodingSymbols, ApiError>
    where
        EitherDecodingSymbol: From<DecodingSymbol<A>>,
    {
        let mut symbols = DecodingSymbols::new();
        for line in self.lines::<A::Orthogonal>()? {
            for target in &query.targets {
                let from = match self.behaviour {
                    Behaviour::Shifted => SliverIndex(target.get() + 1),
                    _ => *target,
                };
                let data = line.symbol(from).unwrap().to_vec();
                let symbol = DecodingSymbol::<A>::new(line.sliver().index(), data);
                symbols.entry(*target).or_default().push(symbol.into());
            }
        }
        Ok(symbols)
    }
}

async fn hashes(
    State(node): Shared,
    PairPath { pair, .. }: PairPath,
) -> Result<Response, ApiError> {
    node.gate().await?;
    let (metadata, _) = node.known()?;
    let pair = match node.behaviour {
        Behaviour::Shifted => SliverPairIndex(pair.get() + 1),
        _ => pair,
    };
    Ok(node.send(SliverHashProof::new(&metadata, pair).unwrap().to_bcs()))
}

async fn run(
    State(node): Shared,
    PairPath { pair, .. }: PairPath,
    SymbolRunQuery { first, count }: SymbolRunQuery,
) -> Result<Response, ApiError> {
    node.gate().await?;
    if node.behaviour == Behaviour::Careful {
        return Err(ApiError::new(ErrorReason::ChallengeCare, "ask for secondary slivers"));
    }
    let sliver = node.expanded::<Primary>(pair)?;
    let first = match (node.behaviour, first.get()) {
        (Behaviour::Shifted, 0) => 1,
        (Behaviour::Shifted, first) => first - 1,
        (_, first) => first,
    };
    let count = count.min(node.params.secondary_source_symbols() - first);
    let run = RowRun { row: SliverIndex(pair.get()), first: SliverIndex(first), count };
    let hashes = SliverHashProof::new(&node.known()?.0, pair).unwrap();
    Ok(node.send(SymbolRun::cut(&sliver, run, hashes, node.params).unwrap().to_bcs()))
}

async fn decoding(
    State(node): Shared,
    _: BlobPath,
    query: DecodingSymbolsQuery,
) -> Result<Response, ApiError> {
    node.gate().await?;
    let symbols = match query.sliver_type {
        SliverType::Primary => node.symbols::<Primary>(&query)?,
        SliverType::Secondary => node.symbols::<Secondary>(&query)?,
    };
    Ok(node.send(decoding_symbols_to_bcs(&symbols)))
}

async fn recovery(
    State(node): Shared,
    _: BlobPath,
    query: RecoverySymbolsQuery,
) -> Result<Response, ApiError> {
    node.gate().await?;
    let SymbolSelection::Target { index, sliver_type } = query.selection else {
        return Err(not_found());
    };
    let index = match node.behaviour {
        Behaviour::Shifted => SliverIndex(index.get() + 1),
        _ => index,
    };
    fn of<A: Axis>(lines: &[ExpandedSliver<A>], target: SliverIndex) -> Vec<GeneralRecoverySymbol> {
        lines.iter().filter_map(|sliver| sliver.general_symbol(target)).collect()
    }
    let symbols = match sliver_type {
        SliverType::Primary => of(&node.lines::<Secondary>()?, index),
        SliverType::Secondary => of(&node.lines::<Primary>()?, index),
    };
    Ok(node.send(GeneralRecoverySymbol::list_to_bcs(&symbols)))
}
