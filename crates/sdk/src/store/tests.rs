#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::path::Path;
use std::pin::pin;
use std::task::Poll;

use bytes::Bytes;
use walrus_chain::{SendConfig, Wallet};
use walrus_devchain::DevChainConfig;

use super::*;
use crate::client::{ClientConfig, ReadBlobError, ReadOptions};
use crate::network::NodeAccess;
use crate::read::FetchError;
use crate::source::SourceError;
use crate::testing::{Behaviour, ChainNetwork, names, streaming};

fn client(network: &ChainNetwork, state: Option<&Path>) -> Client {
    let config = ClientConfig {
        nodes: NodeAccess { plain_loopback: true, ..NodeAccess::default() },
        state_directory: state.map(Path::to_owned),
        ..ClientConfig::default()
    };
    Client::new(network.client.clone(), config)
}

fn blob(seed: u8) -> Bytes {
    (0..20_000_u32).map(|i| (i * 13 + i / 256) as u8 ^ seed).collect()
}

/// A client that streams whatever its length.
fn streaming_client(network: &ChainNetwork, state: &Path, spill: &Path) -> Client {
    let config = ClientConfig {
        nodes: NodeAccess { plain_loopback: true, ..NodeAccess::default() },
        state_directory: Some(state.to_owned()),
        coding: streaming(spill),
        ..ClientConfig::default()
    };
    Client::new(network.client.clone(), config)
}

/// Blob objects and WAL of the storing account.
async fn books(network: &ChainNetwork) -> (u64, u64) {
    let count = network.client.network().await.unwrap().blob_count;
    (count, network.client.wal_balance(network.writer.address()).await.unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_stored_blob_is_certified_readable_and_not_stored_again() {
    let network = ChainNetwork::start(&[]).await;
    let state = tempfile::tempdir().unwrap();
    let client = client(&network, Some(state.path()));
    let options = StoreOptions { epochs: 3, ..StoreOptions::default() };
    let (_, before) = books(&network).await;
    let quiet = ProgressSink::none();
    let stored = client.store(&network.writer, blob(1), &options, &quiet).await.unwrap();
    let StoreState::Certified { token, resumed: false, certificate, .. } = &stored.state else {
        panic!("{:?}", stored.state)
    };
    assert_eq!((certificate.weight, certificate.signers.len()), (10, 10));
    let record = network.client.blob(*token).await.unwrap().unwrap();
    assert_eq!(record.certified_epoch, Some(Epoch(1)));
    assert_eq!((record.blob_id, record.end_epoch), (stored.blob_id, Epoch(4)));
    let paid = before - books(&network).await.1;
    assert_eq!(paid, stored.cost.total());
    assert!(paid > 0);

    let read = client.read(&stored.blob_id, &ReadOptions::default(), &quiet).await.unwrap();
    assert!(read.bytes == blob(1));

    // By its own record, and by what the chain says to one without.
    let stranger = self::client(&network, None);
    for (client, found) in [(&client, Some(*token)), (&stranger, Some(*token))] {
        let again = client.store(&network.writer, blob(1), &options, &quiet).await.unwrap();
        assert_eq!(again.state, StoreState::AlreadyCertified { token: found });
        assert_eq!(again.cost.total(), 0);
    }
    assert_eq!(books(&network).await, (1, before - paid));

    // The stub nodes say that it ends with epoch 9, which is as good. Longer is another
    // purchase, and so is what is forced.
    let by_nodes = StoreOptions { epochs: 5, ..options };
    let again = stranger.store(&network.writer, blob(1), &by_nodes, &quiet).await.unwrap();
    assert_eq!(again.state, StoreState::AlreadyCertified { token: None });
    let longer = StoreOptions { epochs: 20, ..options };
    let forced = StoreOptions { force: true, ..options };
    for (options, count) in [(longer, 2), (forced, 3)] {
        let again = stranger.store(&network.writer, blob(1), &options, &quiet).await.unwrap();
        assert!(matches!(again.state, StoreState::Certified { resumed: false, .. }));
        assert_eq!(books(&network).await.0, count);
    }
}

#[tokio::test(start_paused = true)]
async fn what_nodes_have_not_heard_of_yet_is_not_paid_for_twice() {
    // Nodes follow the chain; just after a certificate they may not know of it.
    let network = ChainNetwork::start(&[Behaviour::Empty; 10]).await;
    let client = client(&network, None);
    let (options, quiet) = (StoreOptions::default(), ProgressSink::none());
    client.store(&network.writer, blob(8), &options, &quiet).await.unwrap();
    let books_after_one = books(&network).await;
    let again = client.store(&network.writer, blob(8), &options, &quiet).await.unwrap();
    assert!(matches!(again.state, StoreState::AlreadyCertified { token: Some(_) }));
    assert_eq!(books(&network).await, books_after_one);
}

#[tokio::test(start_paused = true)]
async fn the_contract_accepts_what_seven_of_ten_signed() {
    use Behaviour::*;
    let network = ChainNetwork::start(&[Dead, WrongSignature, Silent]).await;
    let client = client(&network, None);
    let options = StoreOptions { deletable: true, ..StoreOptions::default() };
    let quiet = ProgressSink::none();
    let stored = client.store(&network.writer, blob(2), &options, &quiet).await.unwrap();
    let StoreState::Certified { token, certificate, .. } = &stored.state else {
        panic!("{:?}", stored.state)
    };
    assert_eq!((certificate.weight, stored.failures.len()), (7, 3));
    let record = network.client.blob(*token).await.unwrap().unwrap();
    assert!(record.deletable && record.certified_epoch.is_some());
}

/// Runs a future until it was polled so many times; `None` if it is not done by then.
async fn within<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = polls;
    std::future::poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn a_store_cut_off_anywhere_continues_and_pays_once() {
    // Whatever a dying client had begun, the next run must find: a registration that is
    // not found again is paid for twice. With a block every two seconds, it may still be
    // on its way when the next run looks for it.
    let slow_blocks = DevChainConfig {
        mine_on_transaction: false,
        block_interval: Some(Duration::from_secs(2)),
        empty_block_interval: None,
        ..DevChainConfig::default()
    };
    let network = ChainNetwork::start_on(slow_blocks, &[Behaviour::Dead; 3]).await;
    let state = tempfile::tempdir().unwrap();
    let options = StoreOptions::default();
    let quiet = ProgressSink::none();
    let mut price = None;
    let (mut resumed_runs, mut polls) = (0, 1);
    for seed in 0.. {
        let (count, wal) = books(&network).await;
        let first = client(&network, Some(state.path()));
        let store = first.store(&network.writer, blob(seed), &options, &quiet);
        let whole = within(polls, store).await.is_some();
        drop(first);
        let second = client(&network, Some(state.path()));
        let stored = second.store(&network.writer, blob(seed), &options, &quiet).await.unwrap();
        let (count_after, wal_after) = books(&network).await;
        assert_eq!(count_after, count + 1, "cut after {polls} polls");
        assert_eq!(wal - wal_after, *price.get_or_insert(wal - wal_after), "{polls} polls");
        match stored.state {
            StoreState::Certified { resumed, .. } => resumed_runs += usize::from(resumed),
            StoreState::AlreadyCertified { token } => assert!(token.is_some()),
        }
        if whole {
            break;
        }
        // Every early step, then coarser: most polls of an upload change nothing on disk
        // or chain.
        polls += 1 + polls / 12;
    }
    assert!(resumed_runs > 3, "{resumed_runs} of the runs found a registration to resume");
}

#[tokio::test(start_paused = true)]
async fn a_lost_record_is_made_up_for_by_the_chain() {
    let network = ChainNetwork::start(&[]).await;
    let client = client(&network, None);
    let options = StoreOptions::default();
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let sender = std::sync::Mutex::new(Some(sender));
    let watch = ProgressSink::new(move |step| {
        if matches!(step, Progress::Registered { .. })
            && let Some(sender) = sender.lock().unwrap().take()
        {
            sender.send(()).unwrap();
        }
    });
    {
        let mut store = pin!(client.store(&network.writer, blob(3), &options, &watch));
        let cut = futures::future::select(receiver, &mut store).await;
        assert!(matches!(cut, futures::future::Either::Left(_)));
    }
    let unread = client.blob_id(blob(3)).await.unwrap();
    let quiet = ProgressSink::none();
    let error = client.read(&unread, &ReadOptions::default(), &quiet).await.unwrap_err();
    assert!(matches!(error, ReadBlobError::NotCertified { .. }), "{error}");

    let stored = client.store(&network.writer, blob(3), &options, &quiet).await.unwrap();
    assert!(matches!(stored.state, StoreState::Certified { resumed: true, .. }));
    assert_eq!(books(&network).await.0, 1);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_stored_says_why_before_anything_is_paid() {
    let network = ChainNetwork::start(&[]).await;
    let client = client(&network, None);
    let quiet = ProgressSink::none();
    let options = StoreOptions::default();
    let store = async |blob: Bytes, options: StoreOptions| {
        client.store(&network.writer, blob, &options, &quiet).await.unwrap_err()
    };
    let none = StoreOptions { epochs: 0, ..options };
    assert!(matches!(store(blob(4), none).await, StoreError::NoEpochs));
    let huge = Bytes::from(vec![0; 1_834_953]);
    assert!(matches!(store(huge, options).await, StoreError::TooLarge(_)));
    let cheap = StoreOptions { max_cost: Some(1), ..options };
    assert!(matches!(store(blob(4), cheap).await, StoreError::TooExpensive { max: 1, .. }));
    let far = StoreOptions { epochs: 54, ..options };
    let error = store(blob(4), far).await;
    assert!(error.to_string().contains("is not sold yet"), "{error}");

    let poor = Wallet::from_bytes(&network.chain.accounts()[1].secret_key).unwrap();
    let poor = ChainWriter::new(network.client.clone(), poor, SendConfig::default());
    let error = client.store(&poor, blob(4), &options, &quiet).await.unwrap_err();
    assert!(matches!(error, StoreError::NotEnoughWal { held: 0, .. }), "{error}");
    assert_eq!(books(&network).await.0, 0);

    let unknown = BlobId::from_bytes([9; 32]);
    let error = client.read(&unknown, &ReadOptions::default(), &quiet).await.unwrap_err();
    assert!(matches!(error, ReadBlobError::Fetch(FetchError::NotFound)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn without_a_quorum_the_registration_waits_for_the_next_run() {
    use Behaviour::*;
    let network = ChainNetwork::start(&[Dead, Dead, WrongSignature, Dead]).await;
    let client = client(&network, None);
    let (options, quiet) = (StoreOptions::default(), ProgressSink::none());
    for _ in 0..2 {
        let store = client.store(&network.writer, blob(5), &options, &quiet);
        let error = store.await.unwrap_err();
        let StoreError::NotEnoughConfirmations(shortfall) = &error else { panic!("{error}") };
        assert_eq!((shortfall.got, shortfall.needed, shortfall.failures.len()), (6, 7, 4));
        assert_eq!(books(&network).await.0, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_needs_honest_backing() {
    // Three liars say that the blob is invalid; the chain does not.
    let network = ChainNetwork::start(&[Behaviour::OtherBlob; 3]).await;
    let client = client(&network, None);
    let (options, quiet) = (StoreOptions::default(), ProgressSink::none());
    let stored = client.store(&network.writer, blob(6), &options, &quiet).await.unwrap();
    let limit = Duration::from_secs(5);
    let report = client.blob_status(&stored.blob_id, limit).await.unwrap();
    assert!(report.status.is_certified() && report.confirmed_by_chain, "{report:?}");
    let unknown = client.blob_status(&BlobId::from_bytes([9; 32]), limit).await.unwrap();
    assert!(!unknown.confirmed_by_chain);
}

#[tokio::test(start_paused = true)]
async fn a_streamed_store_is_the_same_store_and_pays_once_wherever_it_is_cut_off() {
    let network = ChainNetwork::start(&[Behaviour::Dead; 3]).await;
    let (state, spill) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = state.path().join("blob");
    let (options, quiet) = (StoreOptions::default(), ProgressSink::none());
    let client = || streaming_client(&network, state.path(), spill.path());
    let plain = self::client(&network, None);
    let mut polls = 1;
    for seed in 0.. {
        std::fs::write(&file, blob(seed)).unwrap();
        let (count, _) = books(&network).await;
        let first = client();
        let store = first.store(&network.writer, Source::file(&file), &options, &quiet);
        let whole = within(polls, store).await.is_some();
        let stored = client().store(&network.writer, Source::file(&file), &options, &quiet).await;
        let stored = stored.unwrap();
        assert_eq!(books(&network).await.0, count + 1, "cut after {polls} polls");
        assert_eq!(stored.blob_id, plain.blob_id(blob(seed)).await.unwrap());
        assert!(names(spill.path()).is_empty());
        if whole {
            let out = state.path().join("out");
            let read = ReadOptions::default();
            client().read_to_file(&stored.blob_id, &out, &read, &quiet).await.unwrap();
            assert!(std::fs::read(&out).unwrap() == blob(seed));
            assert!(names(spill.path()).is_empty());
            break;
        }
        polls += 1 + polls / 2;
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_that_changes_is_noticed_before_and_after_it_is_paid_for() {
    // Slivers of two versions of a file belong to no blob.
    let network = ChainNetwork::start(&[]).await;
    let (state, spill) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let client = streaming_client(&network, state.path(), spill.path());
    let options = StoreOptions::default();
    let file = state.path().join("blob");
    let cut_when = |is_time: fn(&Progress) -> bool| {
        let file = file.clone();
        ProgressSink::new(move |step| {
            if is_time(&step) {
                std::fs::write(&file, b"short").unwrap();
            }
        })
    };
    std::fs::write(&file, blob(1)).unwrap();
    let encoding = cut_when(|step| matches!(step, Progress::EncodingBytes { .. }));
    let store = client.store(&network.writer, Source::file(&file), &options, &encoding);
    let error = store.await.unwrap_err();
    let changed =
        |error: &EncodeError| matches!(error, EncodeError::Source(SourceError::Changed { .. }));
    assert!(matches!(&error, StoreError::Encode(error) if changed(error)), "{error}");
    assert_eq!(books(&network).await.0, 0);

    std::fs::write(&file, blob(1)).unwrap();
    let registered = cut_when(|step| matches!(step, Progress::Registered { .. }));
    let store = client.store(&network.writer, Source::file(&file), &options, &registered);
    let error = store.await.unwrap_err();
    let StoreError::Interrupted { source, .. } = &error else { panic!("{error}") };
    assert!(changed(source), "{error}");
    assert_eq!(books(&network).await.0, 1);

    // The same bytes again, from anywhere, continue.
    let stored = client.store(&network.writer, blob(1), &options, &ProgressSink::none()).await;
    assert!(matches!(stored.unwrap().state, StoreState::Certified { resumed: true, .. }));
    assert_eq!(books(&network).await.0, 1);
    assert!(names(spill.path()).is_empty());
}

#[test]
fn operations_can_be_moved_between_threads() {
    fn is_send<T: Send>(_: &T) {}
    fn check(client: &Client, writer: &ChainWriter, quiet: &ProgressSink, id: &BlobId) {
        is_send(&client.store(writer, Bytes::new(), &StoreOptions::default(), quiet));
        is_send(&client.read(id, &ReadOptions::default(), quiet));
        is_send(&client.blob_status(id, Duration::ZERO));
        is_send(&client.health(true));
    }
    let _ = check;
}

#[tokio::test(start_paused = true)]
async fn what_was_given_away_is_not_what_one_has_stored() {
    // Its new owner may delete it at once, and the giver would have been told that it is safe.
    let network = ChainNetwork::start(&[]).await;
    let state = tempfile::tempdir().unwrap();
    let client = client(&network, Some(state.path()));
    let options = StoreOptions { deletable: true, ..StoreOptions::default() };
    let quiet = ProgressSink::none();
    let stored = client.store(&network.writer, blob(9), &options, &quiet).await.unwrap();
    let StoreState::Certified { token, .. } = stored.state else { panic!("{:?}", stored.state) };
    network.writer.transfer_blob(EvmAddress([7; 20]), token).await.unwrap();
    let again = client.store(&network.writer, blob(9), &options, &quiet).await.unwrap();
    let StoreState::Certified { token: own, .. } = again.state else { panic!("{:?}", again.state) };
    assert_eq!(network.client.owner_of(own).await.unwrap(), Some(network.writer.address()));
    // Now there is one of one's own.
    let again = client.store(&network.writer, blob(9), &options, &quiet).await.unwrap();
    assert_eq!(again.state, StoreState::AlreadyCertified { token: Some(own) });
}

#[tokio::test(start_paused = true)]
async fn an_object_for_another_is_theirs_from_the_beginning_and_paid_for_once() {
    // Sent on afterwards, it would stay here whenever the sending failed.
    let network = ChainNetwork::start(&[]).await;
    let state = tempfile::tempdir().unwrap();
    let client = client(&network, Some(state.path()));
    let friend = EvmAddress([7; 20]);
    let options = StoreOptions { deletable: true, owner: Some(friend), ..StoreOptions::default() };
    let quiet = ProgressSink::none();
    let stored = client.store(&network.writer, blob(10), &options, &quiet).await.unwrap();
    let StoreState::Certified { token, .. } = stored.state else { panic!("{:?}", stored.state) };
    assert_eq!(network.client.owner_of(token).await.unwrap(), Some(friend));
    let after_one = books(&network).await;
    let again = client.store(&network.writer, blob(10), &options, &quiet).await.unwrap();
    assert_eq!(again.state, StoreState::AlreadyCertified { token: Some(token) });
    assert_eq!(books(&network).await, after_one);
    // What belongs to the friend is not what somebody else wants stored.
    let own = StoreOptions { owner: None, ..options };
    let stored = client.store(&network.writer, blob(10), &own, &quiet).await.unwrap();
    assert!(matches!(stored.state, StoreState::Certified { resumed: false, .. }));
}

#[tokio::test(start_paused = true)]
async fn a_payment_that_waits_for_its_block_is_waited_for() {
    // On a crowded chain a transaction waits for minutes: a second one pays again.
    let crowded = DevChainConfig {
        mine_on_transaction: false,
        block_interval: Some(Duration::from_secs(100)),
        empty_block_interval: None,
        ..DevChainConfig::default()
    };
    let network = ChainNetwork::start_on(crowded, &[]).await;
    let state = tempfile::tempdir().unwrap();
    let (options, quiet) = (StoreOptions::default(), ProgressSink::none());
    // As another process has it: what is on its way is known to the chain alone.
    let writer = || {
        let wallet = Wallet::from_bytes(&network.chain.accounts()[0].secret_key).unwrap();
        ChainWriter::new(network.client.clone(), wallet, SendConfig::default())
    };
    let (count, wal) = books(&network).await;
    {
        let (client, writer) = (client(&network, Some(state.path())), writer());
        let mut store = pin!(client.store(&writer, blob(11), &options, &quiet));
        let is_sent = async {
            let mined = writer.transactions_mined().await.unwrap();
            while writer.transactions_sent().await.unwrap() == mined {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let is_sent = pin!(is_sent);
        let cut = futures::future::select(is_sent, &mut store).await;
        assert!(matches!(cut, futures::future::Either::Left(_)));
    }
    let (client, writer) = (client(&network, Some(state.path())), writer());
    let stored = client.store(&writer, blob(11), &options, &quiet).await.unwrap();
    assert!(matches!(stored.state, StoreState::Certified { resumed: true, .. }));
    let (count_after, wal_after) = books(&network).await;
    let record = network.client.blob(TokenId(count + 1)).await.unwrap().unwrap();
    assert_eq!((count_after, record.blob_id), (count + 1, stored.blob_id));
    assert!(wal_after < wal);
}
