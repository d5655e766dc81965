//! What is bought, held, joined and given away, and what the contracts say about it.
#![allow(clippy::unwrap_used)]

mod support;

use support::*;
use walrus_chain::*;
use walrus_core::{Epoch, EvmAddress, NodeId};
use walrus_devchain::DevChainConfig;

const MIB: u64 = 1 << 20;

fn class(start: u32, end: u32) -> CapacityClass {
    CapacityClass { start: Epoch(start), end: Epoch(end) }
}

/// Allowance of the market, which no payment leaves behind.
async fn allowance(writer: &ChainWriter) -> u64 {
    let client = writer.client();
    let market = client.deployment().contracts.system;
    client.wal_allowance(writer.address(), market).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payments_take_one_transaction_and_leave_no_allowance() {
    // An allowance without end is a bug in a contract away from an empty account; a second
    // transaction is a second wait.
    let network = Network::start(4, 13).await;
    let (client, writer) = (network.client(), &network.treasury);
    assert_eq!(allowance(writer).await, 0);
    let before = client.block_number().await.unwrap();
    let blob = BlobRegistration { max_write_fee: 200, ..blob(writer, 1, true) };
    let cost = client.network().await.unwrap().prices.cost(MIB, 2);
    let registered = writer.buy_and_register(&blob, 2, cost.storage).await.unwrap();
    assert_eq!(registered.blob_id, blob_id(&blob));
    assert_eq!(client.block_number().await.unwrap(), before + 1, "one transaction");
    assert_eq!(allowance(writer).await, 0, "exactly the price was signed for");

    // Payments at the same time each get their own permission.
    let buy = async |epochs: u32| {
        let cost = client.network().await.unwrap().prices.cost(MIB, epochs).storage;
        writer.clone().buy_capacity(MIB, class(1, 1 + epochs), cost).await.unwrap()
    };
    let paid = tokio::join!(biased; buy(1), buy(2), buy(3));
    assert_eq!(paid, (1000, 2000, 3000));
    assert_eq!(allowance(writer).await, 0);
    // An allowance that is there is used, and the price named is the most that is taken.
    writer.approve_wal(client.deployment().contracts.system, 5_000).await.unwrap();
    assert_eq!(writer.buy_capacity(MIB, class(1, 3), 3_000).await.unwrap(), 2_000);
    assert_eq!(allowance(writer).await, 3_000);
    let error = writer.buy_capacity(MIB, class(1, 3), 1_999).await.unwrap_err();
    let refusal = ContractError::PaymentAboveMax { payment: 2_000, max_payment: 1_999 };
    assert_eq!(error.contract_error(), Some(&refusal), "{error}");
    // Nobody's money but one's own.
    let poor = ChainWriter::new(client.clone(), genesis_node(1).operator, quick());
    let error = poor.buy_capacity(MIB, class(1, 3), 2_000).await.unwrap_err();
    let refusal = error.contract_error();
    assert!(
        matches!(refusal, Some(ContractError::ERC20InsufficientBalance { balance: 0, .. })),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_contracts_report_is_read_as_it_happened() {
    // A wallet or an explorer that misses an event shows a balance that is not there.
    let network = Network::start_on(DevChainConfig::default(), 4, 13).await;
    let (client, writer) = (network.client(), &network.treasury);
    let me = writer.address();
    let first = events(client).await.len();

    assert_eq!(writer.buy_capacity(3 * MIB, class(1, 4), 9_000).await.unwrap(), 9_000);
    writer.split_capacity(class(1, 4), Epoch(2), 2 * MIB).await.unwrap();
    writer.fuse_capacity(class(1, 2), class(2, 4), MIB).await.unwrap();
    writer.destroy_capacity(class(2, 4), 5).await.unwrap();
    let token = store(writer, 1).await;
    let record = client.blob(token).await.unwrap().unwrap();
    assert_eq!(record.end_epoch, Epoch(3));
    // Its epochs 3 and 4 out of capacity.
    let size = record.encoded_size;
    assert_eq!(writer.buy_capacity(MIB, class(3, 5), 2_000).await.unwrap(), 2_000);
    writer.extend_with_capacity(token, Epoch(3), Epoch(5)).await.unwrap();
    assert_eq!(client.blob(token).await.unwrap().unwrap().end_epoch, Epoch(5));
    let left = client.holdings(me).await.unwrap();
    assert!(left.contains(&Holding { class: class(3, 5), amount: MIB - size }), "{left:?}");
    writer.set_attribute(token, "name", "walrus").await.unwrap();
    writer.remove_attribute(token, "name").await.unwrap();
    let reference = writer.create_reference(&record.blob_id, Some(token)).await.unwrap();
    writer.update_reference(reference, &record.blob_id, None, 1).await.unwrap();
    writer.freeze_reference(reference, 2).await.unwrap();

    let attribute = |value: &str| AssetEvent::AttributeSet {
        token_id: token,
        key: "name".into(),
        value: value.into(),
    };
    let update = |version, token_id, old: [u8; 32]| AssetEvent::ReferenceUpdated {
        reference,
        version,
        old_blob_id: walrus_core::BlobId::from_bytes(old),
        new_blob_id: record.blob_id,
        token_id,
        patch: 0,
        by: me,
    };
    let bought = |class, size, paid| AssetEvent::CapacityBought { class, to: me, size, paid };
    let expected = [
        bought(class(1, 4), 3 * MIB, 9_000),
        AssetEvent::CapacitySplit {
            account: me,
            class: class(1, 4),
            middle: Epoch(2),
            amount: 2 * MIB,
        },
        AssetEvent::CapacityFused {
            account: me,
            class: class(1, 4),
            middle: Epoch(2),
            amount: MIB,
        },
        AssetEvent::CapacityDestroyed { account: me, class: class(2, 4), amount: 5 },
        bought(class(3, 5), MIB, 2_000),
        attribute("walrus"),
        attribute(""),
        AssetEvent::ReferenceCreated { reference, to: me },
        update(1, Some(token), [0; 32]),
        update(2, None, *record.blob_id.as_bytes()),
        AssetEvent::ReferenceFrozen { reference },
    ];
    let seen = events(client).await.split_off(first);
    let assets = seen.iter().filter_map(|event| match event {
        ChainEvent::Asset(event) => Some(event.clone()),
        _ => None,
    });
    assert_eq!(assets.collect::<Vec<_>>(), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_to_stake_is_reported() {
    // A staker learns of a lower commission, a slash or a payment by nothing else.
    let parameters = Parameters { epoch_duration: 2_000, ..parameters(4, 13) };
    let network = Network::start_with(DevChainConfig::default(), parameters).await;
    let (client, writer) = (network.client(), &network.treasury);
    let first = events(client).await.len();
    let position = writer.stake(NodeId(2), 3 * WAL).await.unwrap();
    let part = writer.split_position(position, WAL).await.unwrap();
    writer.join_positions(position, part).await.unwrap();
    let operator = ChainWriter::new(client.clone(), genesis_node(2).operator, quick());
    operator.set_commission(NodeId(2), 700).await.unwrap();
    let withdraw_epoch = writer.request_withdraw(1).await.unwrap();
    let expected = [
        ChainEvent::Staked {
            node_id: NodeId(2),
            position_id: position,
            amount: 3 * WAL,
            activation_epoch: Epoch(2),
        },
        ChainEvent::Staking(StakingEvent::PositionSplit {
            position_id: position,
            new_position_id: part,
            amount: WAL,
        }),
        ChainEvent::Staking(StakingEvent::PositionsJoined { into: position, from: part }),
        ChainEvent::Staking(StakingEvent::CommissionChanged {
            node_id: NodeId(2),
            commission_bp: 700,
            from: Epoch(3),
        }),
        // What the next selection counts for the node has changed.
        ChainEvent::NodeUpdated { node_id: NodeId(1) },
        ChainEvent::Staking(StakingEvent::WithdrawRequested { position_id: 1, withdraw_epoch }),
    ];
    assert_eq!(events(client).await.split_off(first), expected);
    store(writer, 1).await;

    // An epoch later: rewards and commission.
    let url = network.chain.endpoint();
    while client.epoch_state().await.unwrap().epoch < Epoch(2) {
        pass_time(&network.env, &url, 1_001).await;
        while writer.crank().await.unwrap().is_some() {}
    }
    let received = operator.collect_commission(NodeId(2)).await.unwrap();
    assert!(received > 0);
    let paid = writer.withdraw(1).await.unwrap();
    let seen = events(client).await;
    let staking = |event: StakingEvent| seen.contains(&ChainEvent::Staking(event));
    let settled = |event: &ChainEvent| {
        let ChainEvent::Staking(StakingEvent::PoolSettled { node_id, commission, .. }) = event
        else {
            return false;
        };
        *node_id == NodeId(2) && *commission == received
    };
    assert!(seen.iter().any(settled), "{seen:?}");
    let to: EvmAddress = operator.address();
    let collected = StakingEvent::CommissionCollected { node_id: NodeId(2), to, amount: received };
    assert!(
        staking(collected) && staking(StakingEvent::Withdrawn { position_id: 1, amount: paid })
    );
}
