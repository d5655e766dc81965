//! Events in order, each once, across restarts and reorganisations.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use support::*;
use walrus_chain::*;
use walrus_core::TokenId;
use walrus_devchain::DevChainConfig;

fn stream(client: &ChainClient, cursor: Option<Cursor>, from: Confirmations) -> EventStream {
    EventStream::new(client.clone(), cursor, from).poll_every(Duration::from_millis(10))
}

/// Reads batches until one says that it is the last for now.
async fn drain(stream: &mut EventStream) -> (Vec<PositionedEvent>, Cursor) {
    let mut events = Vec::new();
    loop {
        match stream.next().await.unwrap() {
            StreamItem::Batch(batch) => {
                events.extend(batch.events);
                if batch.caught_up {
                    return (events, batch.cursor);
                }
            }
            StreamItem::Reorged { .. } => panic!("no reorganisation is expected"),
        }
    }
}

fn registered(events: &[PositionedEvent]) -> Vec<TokenId> {
    let token = |positioned: &PositionedEvent| match positioned.event {
        ChainEvent::BlobRegistered { token_id, .. } => Some(token_id),
        _ => None,
    };
    events.iter().filter_map(token).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_goes_on_where_its_cursor_stands() {
    // An event missed or repeated after a restart is a blob lost or counted twice.
    let network = Network::start(4, 10).await;
    let client = network.client();
    for seed in 1..=3 {
        store(&network.treasury, seed).await;
    }
    // More blocks than the near part of the stream, so that ranges are used too.
    network.chain.mine(150).await.unwrap();
    for seed in 4..=5 {
        store(&network.treasury, seed).await;
    }
    let mut whole = stream(client, None, Confirmations::Latest);
    let (all, _) = drain(&mut whole).await;
    assert_eq!(registered(&all), (1..=5).map(TokenId).collect::<Vec<_>>());
    assert!(all.windows(2).all(|pair| pair[0].position < pair[1].position));
    let certified = |p: &&PositionedEvent| matches!(p.event, ChainEvent::BlobCertified { .. });
    assert_eq!(all.iter().filter(certified).count(), 5);

    // Restarted after every item: the same events, none twice.
    let mut cursor: Option<Cursor> = None;
    let mut pieces = Vec::new();
    loop {
        let mut part = stream(client, cursor.take(), Confirmations::Finalized);
        let StreamItem::Batch(batch) = part.next().await.unwrap() else { panic!("no reorg") };
        pieces.extend(batch.events);
        cursor = Some(Cursor::from_bytes(&batch.cursor.to_bytes()).unwrap());
        if batch.caught_up {
            break;
        }
    }
    assert_eq!(pieces, all);

    // A late starter notes the position, reads the state, and misses nothing after it.
    let position = EventStream::position_now(client, Confirmations::Latest).await.unwrap();
    let mut late = stream(client, position, Confirmations::Latest);
    store(&network.treasury, 6).await;
    let mut events = Vec::new();
    while registered(&events).is_empty() {
        events.extend(drain(&mut late).await.0);
    }
    assert_eq!(registered(&events), [TokenId(6)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forced_reorganisation_rolls_back_and_delivers_what_happened_instead() {
    // Keeping effects of a block that never was would make nodes serve what nobody paid.
    let config = DevChainConfig { empty_block_interval: None, ..DevChainConfig::default() };
    let network = Network::start_on(config, 4, 10).await;
    let (client, writer) = (network.client(), &network.treasury);
    store(writer, 1).await;
    let mut reader = stream(client, None, Confirmations::Latest);
    let (before, stable) = drain(&mut reader).await;
    assert_eq!(registered(&before), [TokenId(1)]);

    let second = writer.buy_and_register(&blob(writer, 2, false), 1, u64::MAX).await.unwrap();
    network.chain.mine(2).await.unwrap();
    let (events, _) = drain_until(&mut reader, network.chain.head_number()).await;
    assert_eq!(registered(&events), [second.token_id]);

    // The three newest blocks go, and the registration with them.
    network.chain.reorg_without_transactions(3).await.unwrap();
    network.chain.mine(1).await.unwrap();
    let StreamItem::Reorged { to } = reader.next().await.unwrap() else { panic!("not noticed") };
    let to = to.unwrap();
    assert_eq!(to.block(), stable.block());
    assert_eq!(client.blob(second.token_id).await.unwrap(), None);
    // A reader that restarts from the stored rolled-back cursor sees the same.
    let restored = Cursor::from_bytes(&to.to_bytes()).unwrap();
    let fresh = ChainWriter::new(client.clone(), dev_wallet(&network.chain, 0), quick());
    let third = fresh.buy_and_register(&blob(writer, 3, false), 1, u64::MAX).await.unwrap();
    assert_eq!(third.token_id, second.token_id, "the id was given anew");
    for mut reader in [reader, stream(client, Some(restored), Confirmations::Latest)] {
        let (events, _) = drain_until(&mut reader, network.chain.head_number()).await;
        assert_eq!(registered(&events), [third.token_id]);
        let ChainEvent::BlobRegistered { blob_id: id, .. } = events[0].event else { panic!() };
        assert_eq!(id, third.blob_id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_of_taken_back_blocks_come_again_at_their_new_place() {
    // After an ordinary reorganisation nothing is lost, only moved.
    let config = DevChainConfig { empty_block_interval: None, ..DevChainConfig::default() };
    let network = Network::start_on(config, 4, 10).await;
    let writer = &network.treasury;
    writer.ensure_allowance(1).await.unwrap();
    let mut reader = stream(network.client(), None, Confirmations::Latest);
    drain(&mut reader).await;
    for seed in 1..=2 {
        writer.buy_and_register(&blob(writer, seed, false), 1, u64::MAX).await.unwrap();
    }
    let (old, _) = drain_until(&mut reader, network.chain.head_number()).await;
    network.chain.reorg(2).await.unwrap();
    network.chain.mine(1).await.unwrap();
    assert!(matches!(reader.next().await.unwrap(), StreamItem::Reorged { .. }));
    let (new, _) = drain_until(&mut reader, network.chain.head_number()).await;
    assert_eq!(registered(&old), registered(&new));
    assert_ne!(old[0].position.block_hash, new[0].position.block_hash);

    // Deeper than a reader's memory: back to the start, and everything again.
    network.chain.mine(100).await.unwrap();
    let alone = reader.cursor().unwrap().block();
    network.chain.reorg(120).await.unwrap();
    network.chain.mine(1).await.unwrap();
    let mut forgetful = stream(network.client(), Some(Cursor::at(alone)), Confirmations::Latest);
    let StreamItem::Reorged { to: None } = forgetful.next().await.unwrap() else {
        panic!("nothing of its history is left");
    };
    let (again, _) = drain(&mut forgetful).await;
    assert_eq!(registered(&again), registered(&new));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_count_only_at_the_asked_depth() {
    // A node that acts on the newest block of a real chain acts on blocks that vanish.
    let config = DevChainConfig { empty_block_interval: None, ..DevChainConfig::default() };
    let network = Network::start_on(config, 4, 10).await;
    let writer = &network.treasury;
    writer.ensure_allowance(1).await.unwrap();
    network.chain.mine(3).await.unwrap();
    let mut reader = stream(network.client(), None, Confirmations::Depth(3));
    drain(&mut reader).await;
    writer.buy_and_register(&blob(writer, 1, false), 1, u64::MAX).await.unwrap();
    network.chain.mine(2).await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(200), reader.next()).await;
    if let Ok(item) = early {
        let StreamItem::Batch(batch) = item.unwrap() else { panic!("no reorg") };
        assert_eq!(registered(&batch.events), []);
    }
    network.chain.mine(1).await.unwrap();
    let head = network.chain.head_number() - 3;
    let (events, _) = drain_until(&mut reader, head).await;
    assert_eq!(registered(&events), [TokenId(1)]);
}

/// Reads until the reader's position is at least `block`, empty blocks included.
async fn drain_until(reader: &mut EventStream, block: u64) -> (Vec<PositionedEvent>, Cursor) {
    let mut events = Vec::new();
    while reader.cursor().is_none_or(|cursor| cursor.block().number < block) {
        // Empty blocks move the cursor without an item for a while.
        let next = tokio::time::timeout(Duration::from_millis(200), reader.next()).await;
        match next {
            Ok(Ok(StreamItem::Batch(batch))) => events.extend(batch.events),
            Ok(other) => panic!("{other:?}"),
            Err(_) => {}
        }
    }
    (events, reader.cursor().unwrap().clone())
}
