//! Rows whose own node cannot give them, recovered from the columns that other nodes hold.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use walrus_node_api::query::DecodingSymbolsQuery;
use walrus_redstuff::{
    DecodingSymbol, DecodingSymbols, Primary, RecoverError, RowRun, SliverIndex, SliverType,
    VerifiedMetadata, VerifiedRun, VerifiedSliver, VerifiedSymbol, recover_sliver,
    recover_sliver_unproven,
};

use super::ask::Source;
use super::fetch::{OutOfReach, RangeFetch};

/// Bytes of symbols for rows that are recovered together.
const BATCH_BYTES: usize = 32 << 20;

/// What a simulation charges for recovering a row.
const RECOVER_COST: Duration = Duration::from_millis(1);

/// Symbols of one row by the column that they were cut from.
type Symbols = BTreeMap<SliverIndex, DecodingSymbol<Primary>>;

impl RangeFetch<'_> {
    /// Recovers the rows of these runs. Symbols come without proofs, for many rows in one answer; a
    /// row that does not then match its hash is recovered again from proven ones.
    pub(super) async fn recover(&self, runs: &[RowRun]) -> Result<Vec<VerifiedRun>, OutOfReach> {
        let metadata = self.metadata().await?;
        let row_bytes = usize::from(self.params.n_shards()) * metadata.symbol_size().bytes();
        let mut recovered = Vec::with_capacity(runs.len());
        for batch in runs.chunks((BATCH_BYTES / row_bytes).max(1)) {
            let rows = batch.iter().map(|run| run.row).collect();
            let mut symbols = self.symbols_of(metadata, rows).await?;
            for run in batch {
                let of_row = symbols.remove(&run.row).unwrap_or_default();
                let sliver = match self.decode(metadata, run.row, of_row).await {
                    Ok(sliver) => sliver,
                    Err(RecoverError::Mismatch) => self.recover_proven(metadata, run.row).await?,
                    Err(_) => return Err(OutOfReach),
                };
                let length = metadata.unencoded_length();
                recovered.extend(VerifiedRun::of_sliver(&sliver, length, *run));
            }
        }
        Ok(recovered)
    }

    /// Enough symbols of each row, from whoever answers.
    async fn symbols_of(
        &self,
        metadata: &VerifiedMetadata,
        rows: BTreeSet<SliverIndex>,
    ) -> Result<BTreeMap<SliverIndex, Symbols>, OutOfReach> {
        let needed = usize::from(self.params.symbols_per_sliver(SliverType::Primary));
        let mut symbols: BTreeMap<SliverIndex, Symbols> =
            rows.iter().map(|row| (*row, Symbols::new())).collect();
        let one = rows.len() * (metadata.symbol_size().bytes() + 6);
        let query = DecodingSymbolsQuery { targets: rows, sliver_type: SliverType::Primary };
        let query = &query;
        let ask = |source: &'_ Source| {
            let (client, weight) = (source.client().cloned(), source.weight);
            async move {
                let _reserved = self.budget.reserve(weight * one).await;
                client?.decoding_symbols(metadata, query).await
            }
        };
        let take = |answer: DecodingSymbols| {
            for (row, list) in answer {
                let Some(of_row) = symbols.get_mut(&row) else { continue };
                let list = list.into_iter().filter_map(|symbol| symbol.for_axis::<Primary>());
                for symbol in list.filter(|symbol| symbol.source().get() < self.params.n_shards()) {
                    of_row.entry(symbol.source()).or_insert(symbol);
                }
            }
            symbols.values().all(|of_row| of_row.len() >= needed)
        };
        let enough = self.sources.gather(self.env, needed, |source| source.weight, ask, take);
        if enough.await { Ok(symbols) } else { Err(OutOfReach) }
    }

    async fn decode(
        &self,
        metadata: &VerifiedMetadata,
        row: SliverIndex,
        symbols: Symbols,
    ) -> Result<VerifiedSliver<Primary>, RecoverError<Primary>> {
        let metadata = metadata.clone();
        let work = move || recover_sliver_unproven(&metadata, row, symbols.into_values());
        self.env.compute(RECOVER_COST, work).await
    }

    /// One row from symbols that are each proven, so that liars are found out one by one.
    async fn recover_proven(
        &self,
        metadata: &VerifiedMetadata,
        row: SliverIndex,
    ) -> Result<VerifiedSliver<Primary>, OutOfReach> {
        let needed = usize::from(self.params.symbols_per_sliver(SliverType::Primary));
        let n_shards = usize::from(self.params.n_shards());
        let one = self.params.max_general_symbol_bcs_len(metadata.symbol_size());
        let mut symbols: BTreeMap<SliverIndex, VerifiedSymbol<Primary>> = BTreeMap::new();
        let ask = |source: &'_ Source| {
            let (client, weight) = (source.client().cloned(), source.weight);
            async move {
                let _reserved = self.budget.reserve(weight * one).await;
                client?.recovery_symbols::<Primary>(metadata, row, n_shards).await
            }
        };
        let take = |answer: Vec<VerifiedSymbol<Primary>>| {
            symbols.extend(answer.into_iter().map(|symbol| (symbol.source(), symbol)));
            symbols.len() >= needed
        };
        let enough = self.sources.gather(self.env, needed, |source| source.weight, ask, take);
        if !enough.await {
            return Err(OutOfReach);
        }
        let metadata = metadata.clone();
        let work = move || recover_sliver(&metadata, row, symbols.into_values());
        self.env.compute(RECOVER_COST, work).await.map_err(|error| {
            tracing::warn!(%error, row = row.get(), "a row cannot be recovered");
            OutOfReach
        })
    }
}
