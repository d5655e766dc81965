//! Epochs pass by cranks alone, with an unchanged committee.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::json;
use support::*;
use walrus_chain::*;
use walrus_core::{ChallengeSeed, Epoch, NodeId, TokenId};
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
    // Just over half of the epoch, and more than the rest.
    for eighths in [9, 12] {
        let url = network.chain.endpoint();
        pass_time(&network.env, &url, u64::from(HALF_EPOCH) * eighths / 8).await;
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
async fn a_new_key_counts_from_the_next_selection_on() {
    // A node that signs with a key before or after its committee knows it signs for nothing.
    let parameters = Parameters { epoch_duration: 2 * HALF_EPOCH, ..parameters(NODES, 10) };
    let network = Network::start_with(DevChainConfig::default(), parameters).await;
    let (client, node) = (network.client(), NodeId(1));
    let new = node_key(77);
    let key_in = async |epoch: u32| {
        let committee = client.refresh_committee(Epoch(epoch)).await.unwrap();
        committee.member_of(node).unwrap().public_key.clone()
    };
    let error = operator(&network, 2).set_next_key(node, &new).await.unwrap_err();
    let refusal = error.contract_error();
    assert!(matches!(refusal, Some(ContractError::NotOperator { .. })), "{error}");
    let taken = operator(&network, 1).set_next_key(node, &node_key(2)).await.unwrap_err();
    let refusal = taken.contract_error();
    assert!(matches!(refusal, Some(ContractError::KeyInUse { .. })), "{taken}");
    let epoch = operator(&network, 1).set_next_key(node, &new).await.unwrap();
    assert_eq!(epoch, Epoch(2));
    assert_eq!(client.node(node).await.unwrap().unwrap().protocol_key, *new.public_key());
    assert_eq!(key_in(1).await, *node_key(1).public_key());
    network.chain.advance_time(u64::from(HALF_EPOCH) * 3 / 2).await.unwrap();
    crank_all(&network.treasury).await;
    assert_eq!(client.epoch_state().await.unwrap().phase, EpochPhase::ParamsSelected);
    assert_eq!(key_in(2).await, *new.public_key());
    // The next one is selected: another change comes an epoch later.
    let epoch = operator(&network, 1).set_next_key(node, &node_key(78)).await.unwrap();
    assert_eq!(epoch, Epoch(3));
    next_epoch(&network).await;
    assert_eq!(key_in(2).await, *new.public_key());
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

/// A network with challenges on trial.
async fn challenged() -> Network {
    let parameters = Parameters { epoch_duration: 2 * HALF_EPOCH, ..parameters(NODES, 10) };
    let tunable = |key: &str, value| Tunable { key: key.to_owned(), value };
    let tunables = vec![tunable("challengeMode", 1), tunable("seedDelay", 4)];
    let config = DevChainConfig { empty_block_interval: None, ..DevChainConfig::default() };
    let params = DeployParams { tunables, ..DeployParams::new(parameters) };
    Network::start_as(config, params).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_challenge_is_opened_and_its_seed_revealed() {
    // A challenge whose seed nobody reveals is void: whoever lost its data is paid.
    let network = challenged().await;
    let (client, writer) = (network.client(), &network.treasury);
    let pass = async |seconds| pass_time(&network.env, &network.chain.endpoint(), seconds).await;
    store(writer, 1).await;
    pass(u64::from(HALF_EPOCH)).await;
    assert!(crank_all(writer).await.contains(&CrankStep::SelectCommittee));
    let challenge = async || client.challenge(Epoch(1)).await.unwrap();
    assert_eq!((challenge().await.mode, challenge().await.opened), (ChallengeMode::Trial, false));
    pass(u64::from(HALF_EPOCH) / 2).await;
    assert_eq!(crank_all(writer).await, [CrankStep::OpenChallenge]);
    assert!(challenge().await.opened);
    for node in 1..=NODES {
        operator(&network, node).ack_challenge(NodeId(node.into())).await.unwrap();
    }
    assert_eq!(challenge().await.acked_weight, 10);
    assert_eq!(crank_all(writer).await, [], "the seed block is still to come");
    let seed_block = challenge().await.seed_block.unwrap();
    while client.block_number().await.unwrap() <= seed_block {
        pass(1).await;
    }
    assert_eq!(crank_all(writer).await, [CrankStep::RevealSeed]);
    let url = network.chain.endpoint();
    let number = format!("{seed_block:#x}");
    let block = raw_rpc(&network.env, &url, "eth_getBlockByNumber", json!([number, false])).await;
    let random = hex::decode(&block["mixHash"].as_str().unwrap()[2..]).unwrap();
    let (chain_id, contracts) = (client.deployment().chain_id, client.deployment().contracts);
    let random = random.try_into().unwrap();
    let seed = ChallengeSeed::derive(&random, Epoch(1), chain_id, contracts.challenges);
    assert_eq!(challenge().await.seed.unwrap(), seed.0);
    assert!(challenge().await.close_time.is_some());
    // Nobody answers, and still the next epoch comes.
    pass(u64::from(HALF_EPOCH)).await;
    assert!(crank_all(writer).await.contains(&CrankStep::StartEpoch));

    let seen = events(client).await;
    let rounds = seen.iter().filter_map(|event| match event {
        ChainEvent::Challenge(event) => Some(event.clone()),
        _ => None,
    });
    let close_time = challenge().await.close_time.unwrap();
    let epoch = Epoch(1);
    let mut expected =
        vec![ChallengeEvent::Opened { epoch, log_start: 0, log_end: 1, samples: 16 }];
    for node in 1..=u32::from(NODES) {
        expected.push(ChallengeEvent::Acked { epoch, node_id: NodeId(node) });
        // Three of four hold two thirds of the shards.
        if node == 3 {
            expected.push(ChallengeEvent::Armed { epoch, seed_block });
        }
    }
    expected.push(ChallengeEvent::Seed { epoch, seed: seed.0, close_time });
    let rounds: Vec<_> = rounds.collect();
    assert_eq!(rounds[..expected.len()], expected);
    let end = &rounds[expected.len()..];
    let closed = ChallengeEvent::Closed { epoch, passed: [0; 32], rescued: [0; 32] };
    assert!(end.contains(&closed), "{end:?}");
    let paid = |event: &&ChainEvent| matches!(event, ChainEvent::Staking(StakingEvent::PoolSettled { epoch: Epoch(1), reward, .. }) if *reward > 0);
    assert_eq!(seen.iter().filter(paid).count(), usize::from(NODES), "a trial costs nobody");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_of_certified_blobs_stays_dense() {
    // Samples that fall on blobs that ended ask for nothing: in the end, no challenge does.
    let network = challenged().await;
    let (client, writer) = (network.client(), &network.treasury);
    for seed in 1..=6 {
        let token = store(writer, seed).await;
        // The first one ends with epoch 2; so do three after the second one, which live on.
        if seed == 2 || seed == 6 {
            writer.extend(token, 20, u64::MAX).await.unwrap();
        }
    }
    for _ in 0..2 {
        let steps = next_epoch(&network).await;
        assert!(!steps.iter().any(|step| matches!(step, CrankStep::TrimLog { .. })), "{steps:?}");
    }
    assert_eq!(client.log_start().await.unwrap(), 0);
    let steps = next_epoch(&network).await;
    assert!(steps.contains(&CrankStep::CompactLog { entries: 6 }), "{steps:?}");
    let view = client.network().await.unwrap();
    assert_eq!((view.epoch.epoch, view.certified_count), (Epoch(4), 8));
    assert_eq!(client.log_start().await.unwrap(), 6);
    let entries = client.log_entries(6, 10).await.unwrap();
    let tokens: Vec<_> = entries.iter().map(|entry| entry.token_id.0).collect();
    assert_eq!(tokens, [2, 6], "what lives has moved to the end");
    let seen = events(client).await;
    for event in [
        ChallengeEvent::LogEntryMoved { token_id: TokenId(2), from: 1, to: 6 },
        ChallengeEvent::LogEntryMoved { token_id: TokenId(6), from: 5, to: 7 },
        ChallengeEvent::LogTrimmed { log_start: 6 },
    ] {
        assert!(seen.contains(&ChainEvent::Challenge(event.clone())), "{event:?}");
    }
    let steps = next_epoch(&network).await;
    assert!(!steps.iter().any(|step| matches!(step, CrankStep::CompactLog { .. })), "{steps:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_start_of_the_log_passes_over_what_ended() {
    // A log that only grows is drawn from at an ever higher price.
    let network = challenged().await;
    let (client, writer) = (network.client(), &network.treasury);
    for seed in 1..=4 {
        let token = store(writer, seed).await;
        if seed > 2 {
            writer.extend(token, 20, u64::MAX).await.unwrap();
        }
    }
    for _ in 0..2 {
        next_epoch(&network).await;
    }
    assert_eq!(client.log_start().await.unwrap(), 0);
    let steps = next_epoch(&network).await;
    assert!(steps.contains(&CrankStep::TrimLog { entries: 2 }), "{steps:?}");
    assert_eq!(client.log_start().await.unwrap(), 2);
    assert_eq!(client.network().await.unwrap().certified_count, 4, "nothing had to move");
}
