//! Epochs pass by cranks alone, with an unchanged committee.
#![allow(clippy::unwrap_used)]

mod support;

use support::*;
use walrus_chain::*;
use walrus_core::{Epoch, NodeId};
use walrus_devchain::DevChainConfig;

const NODES: u16 = 4;
/// Seconds; much more than the seconds that the blocks of a test count.
const HALF_EPOCH: u32 = 1_000;

/// Takes every step that is due; what was done.
async fn crank_all(writer: &ChainWriter) -> Vec<CrankStep> {
    let mut steps = Vec::new();
    while let Some(step) = writer.crank().await.unwrap() {
        steps.push(step);
        assert!(steps.len() < 20, "a step that has no effect is taken again and again: {steps:?}");
    }
    steps
}

fn operator(network: &Network, node: u16) -> ChainWriter {
    ChainWriter::new(network.client().clone(), genesis_node(node).operator, quick())
}

/// From one epoch, in phase `Done`, to the next one, in phase `Done`.
async fn next_epoch(network: &Network) -> Vec<CrankStep> {
    let mut steps = crank_all(&network.treasury).await;
    // More than half of the epoch, and more than the rest: blocks run ahead of the clock.
    for _ in 0..2 {
        network.chain.advance_time(u64::from(HALF_EPOCH) * 3 / 2).await.unwrap();
        steps.extend(crank_all(&network.treasury).await);
    }
    let epoch = network.client().epoch_state().await.unwrap().epoch;
    for node in 1..=NODES {
        operator(network, node).sync_done(NodeId(node.into()), epoch).await.unwrap();
    }
    steps.extend(crank_all(&network.treasury).await);
    steps
}

/// FROST in all pools, the operators' commission included.
async fn staked(client: &ChainClient) -> u128 {
    let pools = client.pools(NodeId(1), NodeId(NODES.into())).await.unwrap();
    assert_eq!(pools.len(), usize::from(NODES));
    pools.iter().map(|pool| pool.balance + u128::from(pool.commission)).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blobs_expire_prices_follow_votes_and_rewards_reach_pools() {
    // A network whose epochs do not pass keeps what nobody pays for, at prices that
    // nobody chose, and pays nobody.
    let parameters = Parameters { epoch_duration: 2 * HALF_EPOCH, ..parameters(NODES, 10) };
    let network = Network::start_with(DevChainConfig::default(), parameters).await;
    let (client, writer) = (network.client(), &network.treasury);
    let before = client.snapshot().await.unwrap();
    let token = store(writer, 1).await;
    let record = client.blob(token).await.unwrap().unwrap();
    assert_eq!(record.end_epoch, Epoch(3));
    let votes = Prices { storage: 1_500, write: 300 };
    for node in 1..=NODES {
        operator(&network, node).set_votes(NodeId(node.into()), votes, 1 << 39).await.unwrap();
    }
    let steps = crank_all(writer).await;
    assert!(steps.contains(&CrankStep::UpdatePrices), "{steps:?}");
    assert_eq!(client.network().await.unwrap().prices, votes);
    let principal = staked(client).await;
    assert_eq!(principal, u128::from(NODES) * 1_000 * u128::from(WAL));

    let steps = next_epoch(&network).await;
    assert!(steps.contains(&CrankStep::SelectCommittee) && steps.contains(&CrankStep::StartEpoch));
    let second = client.snapshot().await.unwrap();
    assert_eq!((second.view.epoch.epoch, second.view.epoch.phase), (Epoch(2), EpochPhase::Done));
    assert_eq!(second.view.total_capacity, before.view.total_capacity / 2, "half was voted for");
    assert!(client.is_available(&record.blob_id).await.unwrap());
    // 3 % are burned, and each pool's part is rounded down.
    let paid = u128::from(before.view.prices.cost(record.encoded_size, 1).total());
    let reward = staked(client).await - principal;
    let shared = paid - paid * 3 / 100;
    assert!(reward <= shared && reward + u128::from(NODES) >= shared, "{reward} of {shared}");

    next_epoch(&network).await;
    let third = client.snapshot().await.unwrap();
    assert_eq!(third.view.epoch.epoch, Epoch(3));
    assert!(!client.is_available(&record.blob_id).await.unwrap(), "its end is reached");
    assert_eq!(third.view.used_capacity, 0);
    next_epoch(&network).await;

    let seats = |snapshot: &NetworkSnapshot| {
        let committee = snapshot.committee.clone().unwrap();
        let members = committee.members().map(|(seat, m)| (seat, m.node_id, m.weight));
        members.collect::<Vec<_>>()
    };
    let fourth = client.snapshot().await.unwrap();
    assert_eq!(fourth.view.epoch.epoch, Epoch(4));
    assert_eq!(seats(&before), seats(&fourth), "nobody joined or left");
    assert!(crank_all(writer).await.is_empty(), "nothing is due");
}
