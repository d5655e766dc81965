//! Deployment, first epoch, life of a blob, and what the contracts refuse.
#![allow(clippy::unwrap_used)]

mod support;

use support::*;
use walrus_chain::*;
use walrus_core::{Epoch, NodeId, Persistence, TokenId};
use walrus_devchain::{DevChain, DevChainConfig};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_starts_and_a_blob_is_registered_and_certified() {
    // The path every other part stands on: if it fails nothing can be stored.
    let network = Network::start(10, 100).await;
    let (client, writer) = (network.client(), &network.treasury);
    let NetworkSnapshot { view, committee } = client.snapshot().await.unwrap();
    let committee = committee.unwrap();
    assert_eq!(view.epoch.epoch, EPOCH_ONE);
    assert_eq!(view.epoch.phase, EpochPhase::Done);
    assert_eq!(view.parameters, parameters(10, 100));
    assert_eq!(view.prices, Prices { storage: 1000, write: 200 });
    assert_eq!((view.node_count, committee.n_shards()), (10, 100));
    let weights: Vec<_> = committee.members().map(|(_, member)| member.weight).collect();
    assert_eq!(weights, [10; 10]);
    let member = committee.member_of(NodeId(3)).unwrap();
    assert_eq!(member.public_key, *node_key(3).public_key());
    assert_eq!(
        (member.name.as_str(), member.network_address.as_str()),
        ("node 3", "127.0.0.1:9003")
    );
    let found = client.node_of_key(node_key(3).public_key()).await.unwrap();
    assert_eq!(found, Some(NodeId(3)));

    // A deletable blob: its certificate names the object.
    writer.ensure_allowance(1).await.unwrap();
    assert_eq!(writer.ensure_allowance(1).await.unwrap(), None);
    let before = client.wal_balance(writer.address()).await.unwrap();
    let wanted = blob(writer, 1, true);
    let registered = writer.buy_and_register(&wanted, 3, u64::MAX).await.unwrap();
    assert_eq!(registered.blob_id, blob_id(&wanted));
    assert_eq!((registered.token_id, registered.end_epoch), (TokenId(1), Epoch(4)));
    let record = client.blob(TokenId(1)).await.unwrap().unwrap();
    let cost = view.prices.cost(record.encoded_size, 3);
    assert_eq!(before - client.wal_balance(writer.address()).await.unwrap(), cost.total());
    assert!(record.deletable && record.is_registered_in(Epoch(3)));
    assert!(!record.is_certified_in(EPOCH_ONE) && !record.is_registered_in(Epoch(4)));

    let persistence = Persistence::of(TokenId(1), true);
    let proof = certificate(&network.deployment, &committee, registered.blob_id, persistence);
    writer.certify(TokenId(1), &proof).await.unwrap();
    let record = client.blob(TokenId(1)).await.unwrap().unwrap();
    assert_eq!(record.certified_epoch, Some(EPOCH_ONE));
    assert_eq!(client.owner_of(TokenId(1)).await.unwrap(), Some(writer.address()));
    // A second object of the same blob, and one of another.
    assert_eq!(client.objects_of(&registered.blob_id).await.unwrap(), [TokenId(1)]);
    writer.buy_and_register(&wanted, 1, u64::MAX).await.unwrap();
    writer.buy_and_register(&blob(writer, 2, true), 1, u64::MAX).await.unwrap();
    let objects = client.objects_of(&registered.blob_id).await.unwrap();
    assert_eq!(objects, [TokenId(1), TokenId(2)]);
    assert_eq!(client.blobs(TokenId(2), 10).await.unwrap().len(), 2);

    writer.delete(TokenId(1)).await.unwrap();
    assert_eq!(client.owner_of(TokenId(1)).await.unwrap(), None);
    assert!(client.blob(TokenId(1)).await.unwrap().unwrap().deleted);
    assert_eq!(client.blob(TokenId(4)).await.unwrap(), None);
    assert_eq!(client.node(NodeId(11)).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contracts_refusals_have_names() {
    // Callers decide by these: wait, pay more, collect more confirmations, give up.
    let network = Network::start(4, 10).await;
    let (client, writer) = (network.client(), &network.treasury);
    let refusal = |error: WriteError| error.contract_error().cloned().unwrap();
    let wanted = blob(writer, 1, false);

    let error = refusal(writer.buy_and_register(&wanted, 1, 5).await.unwrap_err());
    assert_eq!(error, ContractError::PaymentAboveMax { payment: 1000, max_payment: 5 });
    let error = refusal(writer.buy_and_register(&wanted, 54, u64::MAX).await.unwrap_err());
    assert_eq!(error, ContractError::TooFarAhead { end: Epoch(55), latest: Epoch(54) });
    let large = BlobRegistration { size: u64::MAX, ..wanted };
    let error = refusal(writer.buy_and_register(&large, 1, u64::MAX).await.unwrap_err());
    assert_eq!(error, ContractError::BlobTooLarge { size: u64::MAX });

    // A poor account: no ether for the gas, and no WAL for the storage.
    let poor = Wallet::from_bytes(&[3; 32]).unwrap();
    let poor = ChainWriter::new(client.clone(), poor, quick());
    let error = poor.approve_wal(writer.address(), 1).await.unwrap_err();
    assert!(matches!(error, WriteError::InsufficientFunds { .. }), "{error}");
    writer.transfer_ether(poor.address(), 10u128.pow(18)).await.unwrap();
    poor.ensure_allowance(1).await.unwrap();
    let error = refusal(poor.buy_and_register(&wanted, 1, u64::MAX).await.unwrap_err());
    assert!(matches!(error, ContractError::ERC20InsufficientBalance { balance: 0, .. }), "{error}");

    // Certificates: for another blob, for another token, twice.
    let token = store(writer, 1).await;
    let committee = client.committee(EPOCH_ONE).await.unwrap();
    let proof =
        certificate(&network.deployment, &committee, blob_id(&wanted), Persistence::Permanent);
    let error = refusal(writer.certify(token, &proof).await.unwrap_err());
    assert_eq!(error, ContractError::AlreadyCertified { token_id: token });
    let other = writer.buy_and_register(&blob(writer, 2, false), 1, u64::MAX).await.unwrap();
    let error = refusal(writer.certify(other.token_id, &proof).await.unwrap_err());
    assert_eq!(error, ContractError::BadSignature {});
    let error = refusal(writer.certify(TokenId(99), &proof).await.unwrap_err());
    assert_eq!(error, ContractError::UnknownBlob { token_id: TokenId(99) });

    // Cranks at the wrong time, by the wrong account.
    let error = refusal(writer.start_epoch().await.unwrap_err());
    assert_eq!(error, ContractError::WrongState { state: 1, needed: 2 });
    let error = refusal(writer.sync_done(NodeId(1), EPOCH_ONE).await.unwrap_err());
    assert!(matches!(error, ContractError::NotOperator { node_id: NodeId(1), .. }), "{error}");
    let error = client.committee(Epoch(7)).await.unwrap_err();
    let expected = ContractError::UnknownCommittee { epoch: Epoch(7) };
    assert_eq!(error.contract_error(), Some(&expected));
    // Registered twice: the key is in use.
    let node = genesis_node(1);
    let operator = ChainWriter::new(client.clone(), node.operator, quick());
    let error = refusal(operator.register_node(&node.registration).await.unwrap_err());
    assert_eq!(error, ContractError::KeyInUse { node_id: NodeId(1) });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_epoch_changes_by_cranks() {
    // A network whose second epoch cannot start loses everything it stores.
    let network = Network::start(4, 10).await;
    let (client, writer) = (network.client(), &network.treasury);
    let token = store(writer, 1).await;
    network.chain.advance_time(4).await.unwrap();
    writer.select_committee().await.unwrap();
    assert_eq!(client.epoch_state().await.unwrap().phase, EpochPhase::ParamsSelected);
    writer.start_epoch().await.unwrap();
    let state = client.epoch_state().await.unwrap();
    assert_eq!((state.epoch, state.phase, state.done_at), (Epoch(2), EpochPhase::Sync, None));
    let error = writer.start_epoch().await.unwrap_err();
    assert!(matches!(error.contract_error(), Some(ContractError::WrongState { .. })), "{error}");
    for node in 1..=4u16 {
        let operator = ChainWriter::new(client.clone(), genesis_node(node).operator, quick());
        operator.sync_done(NodeId(node.into()), Epoch(2)).await.unwrap();
    }
    assert_eq!(client.epoch_state().await.unwrap().phase, EpochPhase::Done);
    let committee = client.committee(Epoch(2)).await.unwrap();
    assert_eq!(committee.members().count(), 4);
    assert!(client.blob(token).await.unwrap().unwrap().is_certified_in(Epoch(2)));
    writer.extend(token, 3, u64::MAX).await.unwrap();
    assert_eq!(client.blob(token).await.unwrap().unwrap().end_epoch, Epoch(6));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_file_of_another_chain_is_refused() {
    // Acting on the wrong network costs real money, or reports nonsense.
    let network = Network::start(4, 10).await;
    let json = serde_json::to_string_pretty(&network.deployment).unwrap();
    assert_eq!(serde_json::from_str::<Deployment>(&json).unwrap(), network.deployment);
    let text = toml::to_string(&network.deployment).unwrap();
    assert_eq!(toml::from_str::<Deployment>(&text).unwrap(), network.deployment);

    // Same chain id, no contracts: a development chain that was started afresh.
    let fresh = DevChain::start(&network.env, DevChainConfig::default()).await.unwrap();
    let urls = endpoints(&network.env, &[fresh.endpoint()]);
    let error = ChainClient::connect(urls, network.deployment.clone()).await.unwrap_err();
    assert!(matches!(error, ReadError::NoContract { .. }), "{error}");
    // Another chain id.
    let config = DevChainConfig { chain_id: 5, ..DevChainConfig::default() };
    let other = DevChain::start(&network.env, config).await.unwrap();
    let urls = endpoints(&network.env, &[other.endpoint()]);
    let error = ChainClient::connect(urls, network.deployment.clone()).await.unwrap_err();
    let expected = (31_337, 5);
    assert!(
        matches!(&error, ReadError::Rpc(RpcError::WrongChain { expected: e, got, .. }) if (*e, *got) == expected),
        "{error}"
    );
    assert!(!error.is_retryable());
}
