#![allow(clippy::unwrap_used)]

use walrus_core::{ObjectId, Threshold};
use walrus_redstuff::EncodedBlob;

use super::*;
use crate::testing::{Behaviour, StubNetwork, blob};

async fn upload(
    network: &StubNetwork,
    blob: &EncodedBlob,
    persistence: Persistence,
) -> Result<Uploaded, NotEnoughConfirmations> {
    watched(network, blob, persistence, &ProgressSink::none()).await
}

async fn watched(
    network: &StubNetwork,
    blob: &EncodedBlob,
    persistence: Persistence,
    progress: &ProgressSink,
) -> Result<Uploaded, NotEnoughConfirmations> {
    let config = UploadConfig::default();
    let blob = Encoded::from(blob.clone());
    let upload = Upload {
        env: &network.env,
        view: &network.view,
        blob: &blob,
        persistence,
        config: &config,
        budget: &Budget::new(1 << 20),
        progress,
    };
    upload.run().await.map_err(|error| match error {
        UploadError::Nodes(error) => error,
        UploadError::Blob(error) => panic!("{error}"),
    })
}

/// Uploads to seven honest nodes and three that behave as given, and expects a
/// certificate that the contract would accept.
async fn survives(last: [Behaviour; 3]) -> (StubNetwork, Uploaded) {
    let network = StubNetwork::of_ten(&last).await;
    let (_, blob) = blob(10, 30_000, 1);
    let uploaded = upload(&network, &blob, Persistence::Permanent).await.unwrap();
    let message = Message::new(
        network.view.epoch(),
        StorageConfirmation {
            blob_id: *blob.metadata().blob_id(),
            persistence: Persistence::Permanent,
        },
    );
    let weight = uploaded.certificate.verify(
        network.view.context(),
        network.view.committee(),
        &message,
        Threshold::Quorum,
    );
    assert_eq!(weight.unwrap(), uploaded.weight);
    (network, uploaded)
}

#[tokio::test(start_paused = true)]
async fn all_honest_nodes_get_everything_and_sign() {
    let (network, uploaded) = survives([Behaviour::Honest; 3]).await;
    assert_eq!((uploaded.weight, uploaded.failures.len()), (10, 0));
    assert!(network.nodes.iter().all(|node| node.sliver_count() == 2));
}

#[tokio::test(start_paused = true)]
async fn a_third_of_the_shards_may_be_dead_slow_or_lying() {
    // One node more or less than f, or a wait for the last of them, would make the
    // network unusable whenever somebody reboots.
    use Behaviour::*;
    let minute = Duration::from_secs(60);
    for last in [
        [Dead, Dead, Dead],
        [Silent, Silent, Silent],
        [Slow(minute), Slow(minute), Slow(minute)],
        [WrongSignature, WrongSignature, WrongSignature],
        [StaleEpoch, WrongSignature, Dead],
    ] {
        let started = Instant::now();
        let (_, uploaded) = survives(last).await;
        assert_eq!((uploaded.weight, uploaded.failures.len()), (7, 3), "{last:?}");
        // The grace for stragglers, not their timeouts.
        assert!(started.elapsed() < Duration::from_secs(5), "{:?} {last:?}", started.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn too_few_confirmations_name_each_node_and_its_reason() {
    use Behaviour::*;
    let network = StubNetwork::of_ten(&[Dead, WrongSignature, StaleEpoch, WrongSignature]).await;
    let (_, blob) = blob(10, 3_000, 1);
    let error = upload(&network, &blob, Persistence::Permanent).await.unwrap_err();
    assert_eq!((error.needed, error.got, error.failures.len()), (7, 6, 4));
    let text = error.to_string();
    for part in [
        "6 of 7 needed shards",
        "node 7 (node 7, 1 shards): metadata: not reachable",
        "node 8 (node 8, 1 shards): confirmation: sent a confirmation that does not confirm",
        "node 9 (node 9, 1 shards): confirmation: is in epoch 2, expected 3",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(error.hints_at_new_committee());
}

#[tokio::test(start_paused = true)]
async fn a_lost_node_is_told_of_when_it_is_lost_and_not_with_the_certificate() {
    // Who watches would see a dead node at work until the end, and then no word of it.
    use Behaviour::*;
    let slow = Slow(Duration::from_secs(60));
    let network = StubNetwork::of_ten(&[Dead, slow]).await;
    let (_, blob) = blob(10, 30_000, 1);
    let steps = Arc::new(std::sync::Mutex::new(Vec::new()));
    let heard = steps.clone();
    let progress = ProgressSink::new(move |step| heard.lock().unwrap().push(step));
    watched(&network, &blob, Persistence::Permanent, &progress).await.unwrap();
    let steps = steps.lock().unwrap();
    let [dead, slow] = [8, 9].map(|index| network.view.nodes()[index].id());
    let first = |wanted: &dyn Fn(&Progress) -> bool| steps.iter().position(wanted).unwrap();
    let struggling =
        first(&|step| matches!(step, Progress::NodeStruggling { node, .. } if *node == dead));
    let enough = first(
        &|step| matches!(step, Progress::Confirmations { weight, needed } if weight >= needed),
    );
    assert!(struggling < enough, "{steps:?}");
    for lost in [dead, slow] {
        let is_lost =
            |step: &&Progress| matches!(step, Progress::NodeFailed { node, .. } if *node == lost);
        assert_eq!(steps.iter().filter(is_lost).count(), 1, "{steps:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn passing_trouble_is_waited_for() {
    // With f dead, every other node counts.
    use Behaviour::*;
    let slow = Slow(Duration::from_secs(2));
    let network = StubNetwork::of_ten(&[Dead, Dead, Dead, Overloaded(4), Forgetful, slow]).await;
    let (_, blob) = blob(10, 30_000, 1);
    let uploaded = upload(&network, &blob, Persistence::Permanent).await.unwrap();
    assert_eq!(uploaded.weight, 7);
    // The forgetful one was sent its two slivers twice.
    assert_eq!(network.nodes[8].uploads(), 4);
}

#[tokio::test(start_paused = true)]
async fn large_slivers_that_are_there_are_not_sent_again() {
    // An interrupted upload of a large blob would start over.
    let network = StubNetwork::of_ten(&[]).await;
    // Primary slivers have 7 symbols, secondary ones 4.
    let (_, blob) = blob(10, 60_000, 1);
    network.place(&blob);
    let persistence = Persistence::Deletable(ObjectId([4; 32]));
    let uploaded = upload(&network, &blob, persistence).await.unwrap();
    assert_eq!(uploaded.weight, 10);
    assert_eq!(network.nodes.iter().map(|node| node.uploads()).sum::<usize>(), 0);
}

#[tokio::test(start_paused = true)]
async fn weight_counts_and_not_nodes() {
    // Six of seven nodes, but only 6 of 13 shards.
    use Behaviour::*;
    let small = [(Honest, 1); 6];
    let nodes: Vec<_> = small.into_iter().chain([(Dead, 7)]).collect();
    let network = StubNetwork::start(&nodes).await;
    let (_, blob) = blob(13, 3_000, 1);
    let error = upload(&network, &blob, Persistence::Permanent).await.unwrap_err();
    assert_eq!((error.needed, error.got), (9, 6));
}
