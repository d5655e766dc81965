#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::sync::Arc;
use std::time::Duration;

use walrus_redstuff::quilt::{
    FileOutline, IndexError, PatchError, PlanError, QuiltPatchId, QuiltPlan, QuiltSource, Tags,
};
use walrus_redstuff::{BlobId, EncodedBlob, Encoder, EncodingParams, ReadAt};

use super::*;
use crate::client::{Client, ClientConfig, ReadBlobError, ReadOptions};
use crate::network::NodeAccess;
use crate::progress::ProgressSink;
use crate::read::FetchError;
use crate::source::{Source, SourceError};
use crate::store::{StoreOptions, StoreState};
use crate::testing::{Behaviour, ChainNetwork, StubNetwork, names, streaming};

/// Shards of the networks in these tests: ten nodes with ten each.
const N_SHARDS: u16 = 100;

/// Files of known bytes: one large, the others of different small lengths, one of them empty.
fn files(count: usize) -> Vec<(String, Tags, Vec<u8>)> {
    let file = |i: usize| {
        let length = if i == 0 { 200_000 } else { (i - 1) * 100 };
        let bytes = (0..length).map(|j| (i * 41 + j * 7 + j / 256) as u8).collect();
        let tags = Tags::new([("number", i.to_string()), ("odd", (i % 2).to_string())]).unwrap();
        (format!("dir/{i:02} ü.bin"), tags, bytes)
    };
    (0..count).map(file).collect()
}

fn quilt_of(files: &[(String, Tags, Vec<u8>)]) -> QuiltSource {
    let outlines = files.iter().map(|(identifier, tags, bytes)| FileOutline {
        identifier: identifier.clone(),
        tags: tags.clone(),
        length: bytes.len() as u64,
    });
    let plan = QuiltPlan::new(EncodingParams::new(N_SHARDS).unwrap(), outlines.collect()).unwrap();
    let contents = files.iter().map(|file| Arc::new(file.2.clone()) as Arc<dyn ReadAt>);
    QuiltSource::new(plan, contents.collect())
}

fn encode(quilt: &QuiltSource) -> EncodedBlob {
    let params = EncodingParams::new(N_SHARDS).unwrap();
    Encoder::new(params).encode(&quilt.to_bytes().unwrap()).unwrap()
}

/// A client of a network with a chain, of ten shards, for what only a chain can tell.
async fn client(network: &ChainNetwork) -> Client {
    let nodes = NodeAccess { plain_loopback: true, ..NodeAccess::default() };
    Client::new(network.client.clone(), ClientConfig { nodes, ..ClientConfig::default() })
}

async fn stub_network(last: &[Behaviour]) -> StubNetwork {
    let honest = std::iter::repeat_n(Behaviour::Honest, 10 - last.len());
    let all: Vec<_> = honest.chain(last.iter().copied()).map(|b| (b, N_SHARDS / 10)).collect();
    StubNetwork::start(&all).await
}

/// Reads from the nodes of `network`, which know nothing of the client's chain.
fn reader(
    client: &Client,
    network: &StubNetwork,
    id: &BlobId,
    options: &QuiltReadOptions,
) -> QuiltReader {
    let view = Arc::new(network.view.clone());
    QuiltReader::new(client, view, id, options, &ProgressSink::none())
}

fn named(identifier: &str) -> PatchName {
    PatchName::Identifier(identifier.to_owned())
}

/// If this failed, one small file would cost the download of much of the quilt, or be another file.
#[tokio::test(start_paused = true)]
async fn one_file_of_many_costs_little() {
    let chain = ChainNetwork::start(&[]).await;
    let (client, network) = (client(&chain).await, stub_network(&[]).await);
    let files = files(40);
    let quilt = quilt_of(&files);
    let encoded = encode(&quilt);
    network.place(&encoded);
    let id = *encoded.metadata().blob_id();
    let options = QuiltReadOptions::default();
    let column = quilt.plan().shape().column_bytes() as u64;
    let metadata = encoded.metadata().to_bcs_with_id().len() as u64;
    let unchecked = QuiltReadOptions { check_index: false, ..options };
    let (identifier, tags, bytes) = &files[7];
    let place = quilt.plan().index().by_identifier(identifier).unwrap();
    assert_eq!((quilt.plan().index().columns(), place.columns().len()), (1, 1));
    let tag = PatchName::Tag { key: "number".to_owned(), value: "7".to_owned() };
    for (name, options, columns) in [
        (named(identifier), options, 2),
        (tag, options, 2),
        (PatchName::Id(place.id(id)), options, 2),
        (PatchName::Id(place.id(id)), unchecked, 1),
    ] {
        let mut quilt = reader(&client, &network, &id, &options);
        let read = quilt.find(&name).await.unwrap();
        assert_eq!((&read.identifier, &read.tags, &read.bytes), (identifier, tags, bytes));
        assert_eq!(read.id, place.id(id));
        let report = quilt.report();
        assert_eq!((report.columns, report.columns_recovered), (columns, 0), "{name}");
        let most = metadata + u64::from(columns) * (column + 20);
        assert!(report.bytes_fetched <= most, "{name}: {} > {most}", report.bytes_fetched);
        assert!(report.bytes_fetched * 20 < report.quilt_bytes, "{name}: {report:?}");
        assert!(!report.whole_quilt && report.misbehaved.is_empty() && report.failed.is_empty());
    }
    // Whoever reads on pays for neither metadata nor index again.
    let mut all = reader(&client, &network, &id, &options);
    let index = all.index().await.unwrap().clone();
    for (patch, (identifier, tags, bytes)) in index.patches().iter().zip(&files) {
        let read = all.read(patch).await.unwrap();
        assert_eq!((&read.identifier, &read.tags, &read.bytes), (identifier, tags, bytes));
    }
    let used = u32::from(index.patches().last().unwrap().columns().end);
    assert_eq!(all.report().columns, used);
}

/// If this failed, a third of the nodes could keep a reader from a file, or give it another one.
#[tokio::test(start_paused = true)]
async fn a_third_of_the_nodes_may_fail_in_any_way() {
    use Behaviour::*;
    let chain = ChainNetwork::start(&[]).await;
    let client = client(&chain).await;
    let files = files(40);
    let encoded = encode(&quilt_of(&files));
    let id = *encoded.metadata().blob_id();
    for others in [
        [Dead; 3],
        [Silent; 3],
        [Slow(Duration::from_secs(3600)); 3],
        [Empty; 3],
        [OtherBlob; 3],
        [Truncated; 3],
        [Flipped; 3],
        [Endless; 3],
        [Shifted, Dead, Flipped],
        [OtherBlob, Truncated, Silent],
    ] {
        let network = stub_network(&others).await;
        network.place(&encoded);
        let mut recovered = 0;
        for (identifier, tags, bytes) in files.iter().step_by(4) {
            let mut quilt = reader(&client, &network, &id, &QuiltReadOptions::default());
            let read = quilt.find(&named(identifier)).await;
            let read = read.unwrap_or_else(|error| panic!("{others:?}: {error}"));
            assert_eq!((&read.identifier, &read.tags, &read.bytes), (identifier, tags, bytes));
            let report = quilt.report();
            assert!(!report.whole_quilt, "{others:?} {report:?}");
            let wrong = report.misbehaved.keys().chain(report.failed.keys());
            assert!(wrong.into_iter().all(|node| node.0 > 7), "{others:?} {report:?}");
            // The large file is two thirds of the quilt.
            if bytes.len() < 100_000 && !others.contains(&Endless) {
                assert!(report.bytes_fetched * 4 < report.quilt_bytes, "{others:?} {report:?}");
            }
            recovered += report.columns_recovered;
        }
        assert!(recovered > 0, "{others:?}: no column belonged to a node that failed");
    }
}

/// If this failed, an id that somebody made up could pass what a file contains for a file of the quilt.
#[tokio::test(start_paused = true)]
async fn an_id_that_was_made_up_names_no_file() {
    let chain = ChainNetwork::start(&[]).await;
    let (client, network) = (client(&chain).await, stub_network(&[]).await);
    // A file that holds, at the top of each of its columns, the head of a file that is not there.
    let forged = b"\x01\x0e\0\0\0\0\x08\0\x07forged?evil";
    let mut files = files(3);
    let plan = quilt_of(&files).plan().clone();
    let (z, patch) = (plan.shape().column_bytes(), &plan.index().patches()[0]);
    let head = 6 + 2 + 1 + files[0].0.len() + 2 + files[0].1.as_bcs().len();
    let at = z - head;
    files[0].2[at..at + forged.len()].copy_from_slice(forged);
    let encoded = encode(&quilt_of(&files));
    network.place(&encoded);
    let id = *encoded.metadata().blob_id();
    let start = patch.columns().start + 1;
    let name = PatchName::Id(QuiltPatchId::new(id, start..start + 1).unwrap());
    let options = QuiltReadOptions::default();
    let refused = reader(&client, &network, &id, &options).find(&name).await.unwrap_err();
    assert!(matches!(refused, ReadQuiltError::NoSuchPatch { .. }), "{refused}");
    // Whoever asks for it gets what the columns hold, which is somebody's bytes all the same.
    let unchecked = QuiltReadOptions { check_index: false, ..options };
    let read = reader(&client, &network, &id, &unchecked).find(&name).await.unwrap();
    assert_eq!((read.identifier.as_str(), &read.bytes[..]), ("forged?", &b"evil"[..]));

    let mut quilt = reader(&client, &network, &id, &unchecked);
    for columns in [66..68, 0..u16::MAX] {
        let name = PatchName::Id(QuiltPatchId::new(id, columns).unwrap());
        let refused = quilt.find(&name).await.unwrap_err();
        assert!(matches!(refused, ReadQuiltError::NoSuchPatch { .. }), "{refused}");
    }
    let other = PatchName::Id(QuiltPatchId::new(BlobId::from_bytes([1; 32]), 1..2).unwrap());
    let refused = quilt.find(&other).await.unwrap_err();
    assert!(matches!(refused, ReadQuiltError::NoSuchPatch { .. }), "{refused}");
    assert_eq!(quilt.report().columns, 0, "nothing is fetched for an id that cannot be");
    let name = PatchName::Id(QuiltPatchId::new(id, start + 1..start + 2).unwrap());
    let refused = quilt.find(&name).await.unwrap_err();
    let nothing = matches!(refused, ReadQuiltError::Patch(PatchError::Version { .. }));
    assert!(nothing, "{refused}");
}

/// If this failed, a reader would not be told what is wrong, or fetch more than it allows.
#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_told_so() {
    let chain = ChainNetwork::start(&[]).await;
    let (client, network) = (client(&chain).await, stub_network(&[]).await);
    let encoded = encode(&quilt_of(&files(40)));
    network.place(&encoded);
    let id = *encoded.metadata().blob_id();
    let mut quilt = reader(&client, &network, &id, &QuiltReadOptions::default());
    let refused = quilt.find(&named("nothing")).await.unwrap_err();
    assert_eq!(refused.to_string(), format!("quilt {id} has no file `nothing`"));
    let odd = PatchName::Tag { key: "odd".to_owned(), value: "1".to_owned() };
    match quilt.find(&odd).await.unwrap_err() {
        ReadQuiltError::Ambiguous { identifiers, .. } => assert_eq!(identifiers.len(), 20),
        other => panic!("{other}"),
    }
    let small = QuiltReadOptions { max_patch_bytes: 50_000, ..QuiltReadOptions::default() };
    let mut quilt = reader(&client, &network, &id, &small);
    let refused = quilt.find(&named("dir/00 ü.bin")).await.unwrap_err();
    assert!(matches!(refused, ReadQuiltError::TooLong { max: 50_000, .. }), "{refused}");
    assert_eq!(quilt.report().columns, 1, "the index only");

    // Blobs that are no quilts: by their length, and by their first byte.
    let params = EncodingParams::new(N_SHARDS).unwrap();
    let shape = *quilt_of(&files(3)).plan().shape();
    for length in [1000, shape.quilt_bytes() as usize] {
        let encoded = Encoder::new(params).encode(&vec![9; length]).unwrap();
        network.place(&encoded);
        let id = *encoded.metadata().blob_id();
        let mut quilt = reader(&client, &network, &id, &QuiltReadOptions::default());
        let refused = quilt.index().await.unwrap_err();
        let right = matches!(
            refused,
            ReadQuiltError::Index(IndexError::NotAQuilt(_) | IndexError::Version { got: 9 })
        );
        assert!(right, "{refused}");
    }
}

/// A disk with no room left.
#[derive(Debug)]
struct Full;

impl std::io::Write for Full {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// If this failed, files would not come back from a real network as they went in, would be paid for
/// twice, or a quilt of which few nodes are left could not be read although the whole can.
#[tokio::test(start_paused = true)]
async fn files_are_stored_and_read_back() {
    let network = ChainNetwork::start(&[Behaviour::Dead, Behaviour::Flipped]).await;
    let client = client(&network).await;
    let (options, quiet) = (QuiltReadOptions::default(), ProgressSink::none());
    let nobody = BlobId::from_bytes([1; 32]);
    let refused = client.quilt_index(&nobody, &options, &quiet).await.unwrap_err();
    let expected = ReadQuiltError::Read(ReadBlobError::Fetch(FetchError::NotFound));
    assert_eq!(refused.to_string(), expected.to_string());

    let directory = tempfile::tempdir().unwrap();
    let contents =
        [("empty", Vec::new()), ("large", vec![7; 600_000]), ("small", b"hello".to_vec())];
    let mut given = Vec::new();
    for (name, bytes) in &contents {
        let path = directory.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let tags = Tags::new([("content-type", "text/plain")]).unwrap();
        given.push(QuiltFile { identifier: (*name).to_owned(), tags, content: Source::file(path) });
    }
    let store = StoreOptions::default();
    let stored = client.store_quilt(&network.writer, given.clone(), &store, &quiet).await.unwrap();
    let id = stored.stored.blob_id;
    // The mark is part of the transaction that certifies: it costs none of its own.
    let StoreState::Certified { token, certification, .. } = stored.stored.state else { panic!() };
    assert!(certification.is_some());
    let mark = [("_walrusBlobType".to_owned(), "quilt".to_owned())];
    assert_eq!(network.client.attributes(token).await.unwrap(), mark);
    let (index, report) = client.quilt_index(&id, &options, &quiet).await.unwrap();
    assert_eq!(index, stored.index);
    assert_eq!(report.columns + report.columns_recovered, u32::from(index.columns()));
    for (name, bytes) in &contents {
        let (read, report) = client.read_patch(&id, &named(name), &options, &quiet).await.unwrap();
        assert!(read.bytes == *bytes && !report.whole_quilt, "{name} {report:?}");
    }
    // One that was stored as a plain blob is marked when it is stored as a quilt.
    network.writer.remove_attribute(token, "_walrusBlobType").await.unwrap();
    let again = client.store_quilt(&network.writer, given, &store, &quiet).await;
    assert_eq!(again.unwrap().stored.cost.total(), 0);
    assert_eq!(network.client.attributes(token).await.unwrap(), mark);

    // Of the nodes that this reader knows all are dead: single columns are out of reach.
    let dead = StubNetwork::of_ten(&[Behaviour::Dead; 10]).await;
    let mut quilt = reader(&client, &dead, &id, &options);
    let read = quilt.find(&named("small")).await.unwrap();
    assert_eq!(read.bytes, b"hello");
    assert!(quilt.report().whole_quilt);
    // Out of the whole quilt files are copied as they are, with no more than a piece in memory.
    for patch in index.patches() {
        let copied = quilt.copy(patch, Vec::new()).await.unwrap();
        let (_, bytes) = contents.iter().find(|(name, _)| *name == patch.identifier()).unwrap();
        assert!(copied == *bytes, "{}", patch.identifier());
    }
    let full = quilt.copy(index.by_identifier("large").unwrap(), Full).await.unwrap_err();
    assert!(matches!(full, ReadQuiltError::Output(_)), "{full}");
    let mut alone = client.quilt(&id, &options, &quiet).await.unwrap();
    let copied = alone.copy(index.by_identifier("small").unwrap(), Vec::new()).await.unwrap();
    assert!(copied == b"hello" && !alone.report().whole_quilt);
    let small = QuiltReadOptions { max_quilt_bytes: 100_000, ..options };
    let refused = reader(&client, &dead, &id, &small).find(&named("small")).await.unwrap_err();
    assert!(matches!(refused, ReadQuiltError::OutOfReach { .. }), "{refused}");
    let whole = client.read(&id, &ReadOptions::default(), &quiet).await.unwrap();
    assert_eq!(whole.bytes.len() as u64, report.quilt_bytes);

    fn is_send(_: &impl Send) {}
    is_send(&client.read_patch(&id, &named("small"), &options, &quiet));
}

/// If this failed, a quilt too large for memory would be another blob, or a file that changes while it is
/// stored would go unnoticed.
#[tokio::test(start_paused = true)]
async fn quilts_of_files_are_streamed_and_watched() {
    let env = crate::testing::env();
    let directory = tempfile::tempdir().unwrap();
    let spill = tempfile::tempdir().unwrap();
    let params = EncodingParams::new(N_SHARDS).unwrap();
    let files = files(30);
    let expected = encode(&quilt_of(&files));
    let mut given = Vec::new();
    for (i, (identifier, tags, bytes)) in files.iter().enumerate() {
        let path = directory.path().join(i.to_string());
        std::fs::write(&path, bytes).unwrap();
        let (identifier, tags) = (identifier.clone(), tags.clone());
        given.push(QuiltFile { identifier, tags, content: Source::file(path) });
    }
    let quilt = PreparedQuilt::new(&env, params, given.clone()).await.unwrap();
    let coder = crate::coding::Coder::new(&env, streaming(spill.path()));
    let quiet = ProgressSink::none();
    let metadata = coder.metadata(params, Source::quilt(quilt.clone()), &quiet).await.unwrap();
    assert_eq!(metadata.blob_id(), expected.metadata().blob_id());
    assert_eq!(names(spill.path()), Vec::<String>::new());
    std::fs::write(directory.path().join("0"), vec![1; 200_001]).unwrap();
    let changed = coder.encode(params, Source::quilt(quilt), &quiet).await.unwrap_err();
    let changed = changed.to_string();
    let path = directory.path().join("0").display().to_string();
    assert_eq!(changed, SourceError::Changed { name: path }.to_string());

    let refused = PreparedQuilt::new(&env, params, Vec::new()).await.unwrap_err();
    assert!(matches!(refused, StoreQuiltError::Plan(PlanError::Empty)), "{refused}");
    let many = vec![given[0].clone(); 67];
    let refused = PreparedQuilt::new(&env, params, many).await.unwrap_err();
    let right = matches!(refused, StoreQuiltError::Plan(PlanError::TooManyFiles { max: 66, .. }));
    assert!(right, "{refused}");
    given[0].content = Source::file(directory.path().join("missing"));
    let refused = PreparedQuilt::new(&env, params, given).await.unwrap_err();
    assert!(matches!(refused, StoreQuiltError::Source(_)), "{refused}");
}
