//! Runs of symbols and hashes of pairs.

use walrus_redstuff::{RowRun, SliverHashProof, SymbolRun};

use super::*;

impl Bench {
    async fn run(&self, pair: SliverPairIndex, first: u16, count: u16) -> (StatusCode, Bytes) {
        self.get(&format!("/symbolRun/{pair}?first={first}&count={count}")).await
    }

    fn own_pair(&self) -> SliverPairIndex {
        self.keys()[0].pair
    }
}

/// If this failed, readers of a range would be sent something else than its proven symbols.
#[tokio::test(start_paused = true)]
async fn every_run_of_a_stored_sliver_is_served_with_its_proof() {
    let bench = Bench::stored().await;
    let (params, symbols) = (bench.node.params, bench.node.params.secondary_source_symbols());
    for pair in bench.keys().iter().map(|key| key.pair) {
        for (first, count) in [(0, 1), (3, 2), (0, symbols), (symbols - 1, 1)] {
            let (status, body) = bench.run(pair, first, count).await;
            assert_eq!(status, StatusCode::OK);
            let run = RowRun { row: SliverIndex(pair.get()), first: SliverIndex(first), count };
            let received = SymbolRun::from_bcs(&body, params).unwrap();
            let verified = received.verify(params, &bench.id(), run).unwrap();
            let sliver = bench.blob.sliver::<Primary>(run.row).unwrap();
            let z = verified.symbol_size().bytes();
            let columns = run.columns();
            assert_eq!(verified.data(), &sliver.data()[columns.start * z..columns.end * z]);
        }
    }
}

/// If this failed, a reader could not learn a blob's length without all of its metadata.
#[tokio::test(start_paused = true)]
async fn the_hashes_of_every_pair_are_told_by_any_node() {
    let bench = Bench::registered().await;
    let missing = bench.get("/sliverHashes/0").await;
    assert_eq!(refusal(missing), refused(404, "SLIVER_NOT_FOUND"));
    bench.put_metadata().await;
    for pair in (0..SHARDS).map(SliverPairIndex) {
        let (status, body) = bench.get(&format!("/sliverHashes/{pair}")).await;
        assert_eq!(status, StatusCode::OK);
        let proof = SliverHashProof::from_bcs(&body, bench.node.params).unwrap();
        let proven = proof.verify(bench.node.params, &bench.id()).unwrap();
        assert_eq!((proven.pair(), proven.unencoded_length()), (pair, 1000));
    }
    let beyond = bench.get("/sliverHashes/10").await;
    assert_eq!(refusal(beyond), refused(400, "INDEX_OUT_OF_RANGE"));
}

/// If this failed, a reader would blame or wait for a node instead of asking others, or a node would
/// do work for what cannot be.
#[tokio::test(start_paused = true)]
async fn runs_that_cannot_be_are_refused_with_their_reason() {
    let bench = Bench::stored().await;
    let pair = bench.own_pair();
    let symbols = bench.node.params.secondary_source_symbols();
    for (first, count) in [(symbols, 1), (0, symbols + 1), (u16::MAX, u16::MAX)] {
        let answer = bench.run(pair, first, count).await;
        assert_eq!(refusal(answer), refused(400, "INDEX_OUT_OF_RANGE"), "{first} {count}");
    }
    let beyond = bench.run(SliverPairIndex(SHARDS), 0, 1).await;
    assert_eq!(refusal(beyond), refused(400, "INDEX_OUT_OF_RANGE"));
    assert_eq!(refusal(bench.run(pair, 0, 0).await), refused(400, "NO_SYMBOLS_SPECIFIED"));
    let foreign = bench.run(bench.foreign_pair(), 0, 1).await;
    assert_eq!(refusal(foreign), refused(400, "SHARD_NOT_ASSIGNED"));
    let empty = Bench::registered().await;
    empty.put_metadata().await;
    assert_eq!(refusal(empty.run(pair, 0, 1).await), refused(404, "SLIVER_NOT_FOUND"));
    let unknown = Bench::new().await;
    assert_eq!(refusal(unknown.run(pair, 0, 1).await), refused(404, "SLIVER_NOT_FOUND"));
}
