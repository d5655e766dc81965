#![allow(clippy::unwrap_used)]

use walrus_redstuff::{EncodedBlob, SliverHashProof, path_length};

use super::*;
use crate::client::ClientConfig;
use crate::network::NodeAccess;
use crate::store::StoreOptions;
use crate::testing::{Behaviour, ChainNetwork, StubNetwork, blob};

/// What reading without the whole blob gives.
async fn part(
    network: &StubNetwork,
    blob: &EncodedBlob,
    range: &str,
    max_bytes: u64,
) -> (Result<Option<Vec<u8>>, ReadRangeError>, RangeReport) {
    let (config, progress, budget) =
        (ReadConfig::default(), ProgressSink::none(), Budget::new(1 << 20));
    let part = Part {
        env: &network.env,
        view: &network.view,
        config: &config,
        budget: &budget,
        progress: &progress,
        max_bytes,
    };
    let mut report = RangeReport::default();
    let range = range.parse().unwrap();
    let outcome = part.read(blob.metadata().blob_id(), range, &mut report).await;
    (outcome, report)
}

async fn stored(last: &[Behaviour], length: usize) -> (StubNetwork, Vec<u8>, EncodedBlob) {
    let network = StubNetwork::of_ten(last).await;
    let (bytes, blob) = blob(10, length, 3);
    network.place(&blob);
    (network, bytes, blob)
}

/// If this failed, a range would not be the slice of the blob, or cost more than it must.
#[tokio::test(start_paused = true)]
async fn ranges_are_slices_and_cheap() {
    // Rows of seven symbols of 180 bytes.
    let (network, bytes, blob) = stored(&[], 5000).await;
    for (text, slice, rows) in [
        ("0-0", 0..1, 1),
        ("4999-4999", 4999..5000, 1),
        ("1259-1260", 1259..1261, 2),
        ("179-180", 179..181, 1),
        ("100-2700", 100..2701, 3),
        ("4000-", 4000..5000, 1),
        ("-1500", 3500..5000, 2),
        ("0-4999", 0..5000, 4),
        ("-9999", 0..5000, 4),
    ] {
        let (outcome, report) = part(&network, &blob, text, 5000).await;
        assert!(outcome.unwrap().unwrap() == bytes[slice.clone()], "{text}");
        assert_eq!((report.runs, report.slivers, report.rows_recovered), (rows, 0, 0), "{text}");
        assert_eq!(
            (report.blob_bytes, &report.range),
            (5000, &(slice.start as u64..slice.end as u64))
        );
        let overhead = u64::from(rows) * (96 * path_length(10) as u64 + 83);
        let hashes = SliverHashProof::max_bcs_len(network.view.params()) as u64;
        let most = slice.len() as u64 + 2 * 180 + overhead + hashes;
        assert!(report.bytes_fetched <= most, "{text}: {} > {most}", report.bytes_fetched);
        assert!(report.bytes_fetched > slice.len() as u64);
        assert!(report.misbehaved.is_empty() && report.failed.is_empty() && !report.whole_blob);
    }
}

/// If this failed, long ranges would make nodes extend slivers that they could send as they are.
#[tokio::test(start_paused = true)]
async fn long_ranges_take_whole_slivers() {
    let (network, bytes, blob) = stored(&[], 100_000).await;
    let (outcome, report) = part(&network, &blob, "5-95000", 1 << 20).await;
    assert!(outcome.unwrap().unwrap() == bytes[5..95_001]);
    assert_eq!((report.runs, report.slivers), (1, 3), "the last row is not needed to its end");
    assert!(report.bytes_fetched < 98_500, "{}", report.bytes_fetched);
}

/// If this failed, a third of the shards could keep a reader from a range, or give it wrong bytes.
#[tokio::test(start_paused = true)]
async fn a_third_of_the_nodes_may_fail_in_any_way() {
    use Behaviour::*;
    let slow = Slow(Duration::from_secs(3600));
    for others in [
        [Dead; 3],
        [Silent; 3],
        [slow; 3],
        [Empty; 3],
        [OtherBlob; 3],
        [Truncated; 3],
        [Flipped; 3],
        [Endless; 3],
        [Careful; 3],
        [Shifted; 3],
        [Shifted, Dead, Flipped],
        [OtherBlob, Truncated, Silent],
    ] {
        for length in [5000, 100_000] {
            let (network, bytes, blob) = stored(&others, length).await;
            let started = Instant::now();
            let (outcome, report) =
                part(&network, &blob, &format!("7-{}", length - 2), 1 << 20).await;
            let read = outcome.unwrap().unwrap_or_else(|| panic!("{others:?} {report:?}"));
            assert!(read == bytes[7..length - 1], "{others:?}");
            assert!(
                started.elapsed() < Duration::from_secs(20),
                "{others:?} {:?}",
                started.elapsed()
            );
            assert_eq!(report.runs + report.slivers + report.rows_recovered, 4, "{others:?}");
            let wrong = report.misbehaved.keys().chain(report.failed.keys());
            assert!(wrong.into_iter().all(|node| node.0 > 7), "{others:?} {report:?}");
            let liars =
                others.iter().filter(|o| matches!(o, Dead | Silent | Empty | Careful | Slow(_)));
            assert!(report.misbehaved.len() <= 3 - liars.count(), "{others:?} {report:?}");
        }
    }
}

/// If this failed, rows would not be recovered, or a lie in unproven symbols would spoil them.
#[tokio::test(start_paused = true)]
async fn rows_are_recovered_in_spite_of_lies() {
    use Behaviour::*;
    // Whatever the rotation, some of the four rows belong to nodes that fail.
    for others in [[Dead, Shifted, Shifted], [Flipped, Flipped, Dead]] {
        let mut recovered = 0;
        for seed in 0..5 {
            let network = StubNetwork::of_ten(&others).await;
            let (bytes, blob) = blob(10, 9000, seed);
            network.place(&blob);
            let (outcome, report) = part(&network, &blob, "0-8999", 1 << 20).await;
            assert!(outcome.unwrap().unwrap() == bytes, "{others:?} {report:?}");
            recovered += report.rows_recovered;
        }
        assert!(recovered > 0, "{others:?}");
    }
}

/// If this failed, a wrong range would be answered with other bytes or without the blob's length, or
/// more would be fetched than the reader allows.
#[tokio::test(start_paused = true)]
async fn ranges_that_cannot_be_are_told_so() {
    let (network, _, blob) = stored(&[], 1000).await;
    for text in ["1000-1000", "0-1000", "1000-", "999-18446744073709551615"] {
        let range = text.parse().unwrap();
        let (outcome, report) = part(&network, &blob, text, u64::MAX).await;
        match outcome {
            Err(ReadRangeError::NotInBlob(error)) => {
                assert_eq!(error, RangeNotInBlob { range, length: 1000 });
            }
            other => panic!("{text}: {other:?}"),
        }
        assert!(report.bytes_fetched < 500, "{}", report.bytes_fetched);
    }
    let (outcome, _) = part(&network, &blob, "10-", 989).await;
    assert!(matches!(outcome, Err(ReadRangeError::TooLong { length: 990, max: 989 })));
}

/// If this failed, a reader would hang or be told nothing when most nodes are gone.
#[tokio::test(start_paused = true)]
async fn too_few_nodes_leave_single_rows_out_of_reach() {
    for others in [[Behaviour::Dead; 9], [Behaviour::Empty; 9], [Behaviour::OtherBlob; 9]] {
        let (network, _, blob) = stored(&others, 5000).await;
        let (outcome, report) = part(&network, &blob, "0-4999", 5000).await;
        assert!(outcome.unwrap().is_none());
        assert!(report.misbehaved.len() + report.failed.len() > 0, "{report:?}");
    }
}

/// If this failed, a range would be refused although the whole blob can be read, or the limit on
/// what is read would not hold for it.
#[tokio::test(start_paused = true)]
async fn the_whole_blob_is_read_where_rows_are_out_of_reach() {
    let network = ChainNetwork::start(&[]).await;
    let nodes = NodeAccess { plain_loopback: true, ..NodeAccess::default() };
    let config = ClientConfig { nodes, ..ClientConfig::default() };
    let client = Client::new(network.client.clone(), config);
    let bytes: Vec<u8> = (0..3000_u32).map(|i| (i % 251) as u8).collect();
    let quiet = ProgressSink::none();
    let range = ByteRange::exactly(100..200).unwrap();
    let nobody = BlobId::from_bytes([1; 32]);
    let missing =
        client.read_range(&nobody, range, &ReadOptions::default(), &quiet).await.unwrap_err();
    assert!(
        matches!(missing, ReadRangeError::Read(ReadBlobError::Fetch(FetchError::NotFound))),
        "{missing:?}"
    );

    let (blob, options) = (bytes::Bytes::from(bytes.clone()), StoreOptions::default());
    let id = client.store(&network.writer, blob, &options, &quiet).await.unwrap().blob_id;

    let options = ReadOptions { max_blob_bytes: 100, ..ReadOptions::default() };
    let read = client.read_range(&id, range, &options, &quiet).await.unwrap();
    assert_eq!((read.bytes.as_slice(), read.report.whole_blob), (&bytes[100..200], false));

    let strict = ReadOptions { consistency: ConsistencyCheck::Strict, ..ReadOptions::default() };
    let read = client.read_range(&id, range, &strict, &quiet).await.unwrap();
    assert_eq!((read.bytes.as_slice(), read.report.whole_blob), (&bytes[100..200], true));
    let strict = ReadOptions { consistency: ConsistencyCheck::Strict, ..options };
    let refused = client.read_range(&id, range, &strict, &quiet).await.unwrap_err();
    let too_large = FetchError::TooLarge { length: 3000, max: 100 };
    assert_eq!(refused.to_string(), too_large.to_string());

    fn is_send(_: &impl Send) {}
    is_send(&client.read_range(&id, range, &options, &quiet));
}
