//! Lines whose own node cannot give them, recovered from what other nodes hold of them: rows from
//! columns and columns from rows.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use walrus_node_api::query::DecodingSymbolsQuery;
use walrus_redstuff::{
    Axis, DecodingSymbol, DecodingSymbols, RecoverError, SliverIndex, VerifiedMetadata,
    VerifiedSliver, VerifiedSymbol, recover_sliver, recover_sliver_unproven,
};

use super::ask::Source;
use super::lines::{Lines, OutOfReach};

/// Bytes of symbols for lines that are recovered together.
const BATCH_BYTES: usize = 32 << 20;

/// What a simulation charges for recovering a line.
const RECOVER_COST: Duration = Duration::from_millis(1);

/// Symbols of one line by the sliver that they were cut from.
type Symbols<A> = BTreeMap<SliverIndex, DecodingSymbol<A>>;

impl Lines<'_> {
    /// Recovers slivers of axis `A`. Symbols come without proofs, for many slivers in one answer; a
    /// sliver that does not then match its hash is recovered again from proven ones.
    pub(crate) async fn recover<A: Axis>(
        &self,
        metadata: &VerifiedMetadata,
        lost: &[SliverIndex],
    ) -> Result<Vec<VerifiedSliver<A>>, OutOfReach> {
        let bytes = usize::from(self.params.n_shards()) * metadata.symbol_size().bytes();
        let mut recovered = Vec::with_capacity(lost.len());
        for batch in lost.chunks((BATCH_BYTES / bytes).max(1)) {
            let mut symbols =
                self.symbols_of::<A>(metadata, batch.iter().copied().collect()).await?;
            for index in batch {
                let of_line = symbols.remove(index).unwrap_or_default();
                recovered.push(match self.decode(metadata, *index, of_line).await {
                    Ok(sliver) => sliver,
                    Err(RecoverError::Mismatch) => self.recover_proven(metadata, *index).await?,
                    Err(_) => return Err(OutOfReach),
                });
            }
        }
        Ok(recovered)
    }

    /// Enough symbols of each sliver, from whoever answers.
    async fn symbols_of<A: Axis>(
        &self,
        metadata: &VerifiedMetadata,
        targets: BTreeSet<SliverIndex>,
    ) -> Result<BTreeMap<SliverIndex, Symbols<A>>, OutOfReach> {
        let needed = usize::from(self.params.symbols_per_sliver(A::TYPE));
        let mut symbols: BTreeMap<SliverIndex, Symbols<A>> =
            targets.iter().map(|target| (*target, Symbols::new())).collect();
        let one = targets.len() * (metadata.symbol_size().bytes() + 6);
        let query = DecodingSymbolsQuery { targets, sliver_type: A::TYPE };
        let query = &query;
        let ask = |source: &'_ Source| {
            let (client, weight) = (source.client().cloned(), source.weight);
            async move {
                let _reserved = self.budget.reserve(weight * one).await;
                client?.decoding_symbols(metadata, query).await
            }
        };
        let take = |answer: DecodingSymbols| {
            for (target, list) in answer {
                let Some(of_line) = symbols.get_mut(&target) else { continue };
                let list = list.into_iter().filter_map(|symbol| symbol.for_axis::<A>());
                for symbol in list.filter(|symbol| symbol.source().get() < self.params.n_shards()) {
                    of_line.entry(symbol.source()).or_insert(symbol);
                }
            }
            symbols.values().all(|of_line| of_line.len() >= needed)
        };
        let enough = self.sources.gather(self.env, needed, |source| source.weight, ask, take);
        if enough.await { Ok(symbols) } else { Err(OutOfReach) }
    }

    async fn decode<A: Axis>(
        &self,
        metadata: &VerifiedMetadata,
        index: SliverIndex,
        symbols: Symbols<A>,
    ) -> Result<VerifiedSliver<A>, RecoverError<A>> {
        let metadata = metadata.clone();
        let work = move || recover_sliver_unproven(&metadata, index, symbols.into_values());
        self.env.compute(RECOVER_COST, work).await
    }

    /// One sliver from symbols that are each proven, so that liars are found out one by one.
    async fn recover_proven<A: Axis>(
        &self,
        metadata: &VerifiedMetadata,
        index: SliverIndex,
    ) -> Result<VerifiedSliver<A>, OutOfReach> {
        let needed = usize::from(self.params.symbols_per_sliver(A::TYPE));
        let n_shards = usize::from(self.params.n_shards());
        let one = self.params.max_general_symbol_bcs_len(metadata.symbol_size());
        let mut symbols: BTreeMap<SliverIndex, VerifiedSymbol<A>> = BTreeMap::new();
        let ask = |source: &'_ Source| {
            let (client, weight) = (source.client().cloned(), source.weight);
            async move {
                let _reserved = self.budget.reserve(weight * one).await;
                client?.recovery_symbols::<A>(metadata, index, n_shards).await
            }
        };
        let take = |answer: Vec<VerifiedSymbol<A>>| {
            symbols.extend(answer.into_iter().map(|symbol| (symbol.source(), symbol)));
            symbols.len() >= needed
        };
        let enough = self.sources.gather(self.env, needed, |source| source.weight, ask, take);
        if !enough.await {
            return Err(OutOfReach);
        }
        let metadata = metadata.clone();
        let work = move || recover_sliver(&metadata, index, symbols.into_values());
        self.env.compute(RECOVER_COST, work).await.map_err(|error| {
            tracing::warn!(%error, index = index.get(), "a sliver cannot be recovered");
            OutOfReach
        })
    }
}
