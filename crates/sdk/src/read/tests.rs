#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::path::Path;

use walrus_redstuff::{BlobId, EncodedBlob};

use super::*;
use crate::testing::{Behaviour, FullDisk, StubNetwork, blob, names, streaming};

async fn fetch(
    network: &StubNetwork,
    blob_id: &BlobId,
    max_blob_bytes: u64,
) -> (Result<Vec<u8>, FetchError>, ReadReport) {
    let (config, progress) = (ReadConfig::default(), ProgressSink::none());
    let fetch = Fetch {
        env: &network.env,
        view: &network.view,
        config: &config,
        budget: &Budget::new(1 << 20),
        coder: &Coder::new(&network.env, crate::CodingConfig::default()),
        progress: &progress,
        max_blob_bytes,
        check: ConsistencyCheck::Default,
    };
    let mut report = ReadReport::default();
    let outcome = fetch.run(blob_id, &Target::Memory, &mut report).await;
    let bytes = outcome.map(|content| match content {
        Content::Memory(bytes) => bytes.to_vec(),
        Content::File(_) => panic!("a read into memory ends there"),
    });
    (bytes, report)
}

async fn read(
    network: &StubNetwork,
    blob: &EncodedBlob,
) -> (Result<Vec<u8>, FetchError>, ReadReport) {
    fetch(network, blob.metadata().blob_id(), 1 << 30).await
}

async fn stored(last: &[Behaviour]) -> (StubNetwork, Vec<u8>, EncodedBlob) {
    let network = StubNetwork::of_ten(last).await;
    let (bytes, blob) = blob(10, 50_000, 3);
    network.place(&blob);
    (network, bytes, blob)
}

#[tokio::test(start_paused = true)]
async fn every_length_comes_back() {
    for length in [0, 1, 2, 57, 1024, 100_000] {
        let network = StubNetwork::of_ten(&[]).await;
        let (bytes, blob) = blob(10, length, 3);
        network.place(&blob);
        let (outcome, report) = read(&network, &blob).await;
        assert!(outcome.unwrap() == bytes, "{length}");
        assert_eq!((report.sliver_type, report.slivers), (Some(SliverType::Primary), 4));
        assert!(report.misbehaved.is_empty() && report.failed.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn four_honest_nodes_of_ten_are_enough() {
    // Reads survive 2f silent nodes, and any number of lies: each is found out.
    use Behaviour::*;
    let slow = Slow(Duration::from_secs(3600));
    for others in [
        [Dead; 6],
        [Silent; 6],
        [slow; 6],
        [Empty; 6],
        [OtherBlob; 6],
        [Truncated; 6],
        [Flipped; 6],
        [Endless; 6],
        [OtherBlob, Truncated, Flipped, Endless, Dead, Silent],
    ] {
        let (network, bytes, blob) = stored(&others).await;
        let started = tokio::time::Instant::now();
        let (outcome, report) = read(&network, &blob).await;
        assert!(outcome.unwrap() == bytes, "{others:?}");
        assert!(started.elapsed() < Duration::from_secs(60), "{others:?} {:?}", started.elapsed());
        let liars =
            others.iter().filter(|b| matches!(b, OtherBlob | Truncated | Flipped | Endless));
        assert!(report.misbehaved.len() <= liars.count(), "{others:?} {report:?}");
        assert!(report.misbehaved.keys().all(|node| node.0 > 4), "{report:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn liars_are_named() {
    // One read need not meet every liar; many reads do.
    let (network, _, blob) = stored(&[Behaviour::Flipped; 6]).await;
    let mut blamed = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let (outcome, report) = read(&network, &blob).await;
        outcome.unwrap();
        blamed.extend(report.misbehaved.into_keys());
    }
    assert_eq!(blamed.into_iter().map(|node| node.0).collect::<Vec<_>>(), [5, 6, 7, 8, 9, 10]);
}

#[tokio::test(start_paused = true)]
async fn three_honest_nodes_are_not_enough_and_each_failure_is_named() {
    use Behaviour::*;
    let (network, _, blob) = stored(&[Dead, Dead, Flipped, Flipped, Empty, Empty, Dead]).await;
    let (outcome, _) = read(&network, &blob).await;
    let error = outcome.unwrap_err();
    let FetchError::NotEnoughSlivers { got: 3, needed: 4, failures, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(failures.len(), 7, "{error}");
    assert!(error.to_string().contains("node 4 (node 4, 1 shards): not reachable"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn secondary_slivers_serve_when_primary_ones_are_withheld() {
    let (network, bytes, blob) = stored(&[Behaviour::Careful; 9]).await;
    let (outcome, report) = read(&network, &blob).await;
    assert!(outcome.unwrap() == bytes);
    assert_eq!((report.sliver_type, report.slivers), (Some(SliverType::Secondary), 7));
}

#[tokio::test(start_paused = true)]
async fn a_missing_blob_needs_a_quorum_to_be_missing() {
    // Three nodes that deny it must not hide a blob; seven cannot all be wrong.
    let network = StubNetwork::of_ten(&[]).await;
    let (_, blob) = blob(10, 5_000, 3);
    let (outcome, _) = read(&network, &blob).await;
    assert!(matches!(outcome, Err(FetchError::NotFound)));
    let (network, bytes, blob) = stored(&[Behaviour::Empty; 6]).await;
    let (outcome, _) = read(&network, &blob).await;
    assert!(outcome.unwrap() == bytes);
    let network = StubNetwork::of_ten(&[Behaviour::Dead; 4]).await;
    let (outcome, _) = read(&network, &blob).await;
    assert!(matches!(outcome, Err(FetchError::NoMetadata { .. })));
}

#[tokio::test(start_paused = true)]
async fn after_the_first_denial_everybody_is_asked_at_once() {
    // A hundred nodes asked three at a time would take half a minute to deny a blob.
    let network = StubNetwork::of_ten(&[Behaviour::Slow(Duration::from_millis(400)); 10]).await;
    let (_, blob) = blob(10, 5_000, 3);
    let started = tokio::time::Instant::now();
    let (outcome, _) = read(&network, &blob).await;
    assert!(matches!(outcome, Err(FetchError::NotFound)));
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_readers_limit_comes_before_any_sliver() {
    // The length in the metadata is a stranger's word.
    let (network, _, blob) = stored(&[]).await;
    let (outcome, report) = fetch(&network, blob.metadata().blob_id(), 49_999).await;
    assert!(matches!(outcome, Err(FetchError::TooLarge { length: 50_000, max: 49_999 })));
    assert_eq!(report.slivers, 0);
}

#[tokio::test(start_paused = true)]
async fn slow_nodes_are_hedged() {
    // Six nodes answer after ten seconds each, four at once: nobody should notice.
    let (network, bytes, blob) = stored(&[Behaviour::Slow(Duration::from_secs(10)); 6]).await;
    for _ in 0..5 {
        let started = tokio::time::Instant::now();
        let (outcome, _) = read(&network, &blob).await;
        assert!(outcome.unwrap() == bytes);
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    }
}

/// Streams a blob to `out` in `directory`.
async fn stream(
    network: &StubNetwork,
    directory: &Path,
    blob: &EncodedBlob,
) -> Result<ReadReport, FetchError> {
    let (config, progress) = (ReadConfig::default(), ProgressSink::none());
    let fetch = Fetch {
        env: &network.env,
        view: &network.view,
        config: &config,
        budget: &Budget::new(1 << 20),
        coder: &Coder::new(&network.env, streaming(directory)),
        progress: &progress,
        max_blob_bytes: u64::MAX,
        check: ConsistencyCheck::Default,
    };
    let mut report = ReadReport::default();
    let target = Target::File(directory.join("out"));
    fetch.run(blob.metadata().blob_id(), &target, &mut report).await?;
    Ok(report)
}

#[tokio::test(start_paused = true)]
async fn a_streamed_blob_is_the_same_and_leaves_only_itself() {
    // A blob too large for memory must not be read by other rules than a small one.
    use Behaviour::*;
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("out");
    for length in [0, 1, 57, 1024, 100_000] {
        let network = StubNetwork::of_ten(&[]).await;
        let (bytes, blob) = blob(10, length, 3);
        network.place(&blob);
        let report = stream(&network, directory.path(), &blob).await.unwrap();
        assert!(std::fs::read(&out).unwrap() == bytes, "{length}");
        assert_eq!(report.blob_bytes, length as u64);
        assert_eq!(names(directory.path()), ["out"]);
    }
    for others in [[Dead; 6], [Flipped; 6], [OtherBlob, Truncated, Flipped, Endless, Dead, Silent]]
    {
        let (network, bytes, blob) = stored(&others).await;
        stream(&network, directory.path(), &blob).await.unwrap();
        assert!(std::fs::read(&out).unwrap() == bytes, "{others:?}");
        std::fs::remove_file(&out).unwrap();
    }
    let (network, bytes, blob) = stored(&[Careful; 9]).await;
    let report = stream(&network, directory.path(), &blob).await.unwrap();
    assert_eq!(report.sliver_type, Some(SliverType::Secondary));
    assert!(std::fs::read(&out).unwrap() == bytes);
}

#[tokio::test(start_paused = true)]
async fn a_read_that_fails_leaves_no_file() {
    // Half a blob under the name of a whole one would be taken for it.
    use Behaviour::*;
    let directory = tempfile::tempdir().unwrap();
    let (network, _, blob) = stored(&[Dead, Dead, Flipped, Flipped, Empty, Empty, Dead]).await;
    let error = stream(&network, directory.path(), &blob).await.unwrap_err();
    assert!(matches!(error, FetchError::NotEnoughSlivers { got: 3, .. }), "{error}");
    assert!(names(directory.path()).is_empty());

    // The disk fills up under way.
    let (mut network, _, blob) = stored(&[]).await;
    network.env.disk = Arc::new(FullDisk(network.env.disk.clone()));
    let error = stream(&network, directory.path(), &blob).await.unwrap_err();
    let FetchError::Output(output) = &error else { panic!("{error}") };
    assert!(matches!(output.as_ref(), OutputError::Write { .. }), "{error}");
    assert!(error.to_string().contains("out"), "{error}");
    assert!(names(directory.path()).is_empty());

    // There is no such directory: found out before anything is fetched.
    let missing = directory.path().join("missing");
    let (network, _, blob) = stored(&[]).await;
    let error = stream(&network, &missing, &blob).await.unwrap_err();
    assert!(matches!(error, FetchError::Output(_)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_read_that_is_given_up_leaves_no_file() {
    // Wherever it is given up: three slivers of four are there, the last never comes.
    let directory = tempfile::tempdir().unwrap();
    let (network, _, blob) = stored(&[Behaviour::Silent; 7]).await;
    let read = stream(&network, directory.path(), &blob);
    let limit = Duration::from_secs(5);
    assert!(tokio::time::timeout(limit, read).await.is_err());
    assert!(names(directory.path()).is_empty());
}

#[tokio::test(start_paused = true)]
async fn slivers_that_need_no_decoding_are_preferred() {
    // Decoding costs more than everything else that a reader computes.
    let network = StubNetwork::of_ten(&[]).await;
    let (_, blob) = blob(10, 50_000, 3);
    network.place(&blob);
    for _ in 0..10 {
        let before: Vec<usize> = network.nodes.iter().map(|node| node.requests()).collect();
        read(&network, &blob).await.0.unwrap();
        for (node, (stub, before)) in
            network.view.nodes().iter().zip(network.nodes.iter().zip(before))
        {
            let pair = node.pairs(10, blob.metadata().blob_id())[0];
            let asked = stub.requests() - before;
            // One of its requests may have been for the metadata.
            assert!(pair.get() >= 4 || asked >= 1, "{pair:?} was not asked for");
            assert!(pair.get() < 4 || asked <= 1, "{pair:?} was asked for");
        }
    }
}
