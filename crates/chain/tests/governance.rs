//! Token holders change the network, and alone cannot change its code.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::json;
use support::{anvil::Anvil, *};
use walrus_chain::*;
use walrus_core::{Epoch, EvmAddress, NodeId};
use walrus_devchain::{DevChain, DevChainConfig};
use walrus_env::Env;

const NODES: u16 = 4;
/// Where a proxy keeps the address of its code (ERC-1967).
const CODE_SLOT: &str = "0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc";

/// A network on any chain, and its clock.
struct Bench<'a> {
    env: &'a Env,
    url: &'a str,
    writer: ChainWriter,
    deployment: Deployment,
}

impl<'a> Bench<'a> {
    async fn start(env: &'a Env, url: &'a str, wallet: &Wallet) -> Self {
        let endpoints = endpoints(env, &[url.to_owned()]);
        let (deployment, writer, _) = launch(&endpoints, wallet, NODES, 13).await;
        Self { env, url, writer, deployment }
    }

    fn client(&self) -> &ChainClient {
        self.writer.client()
    }

    async fn state(&self, proposal: &Proposal) -> ProposalState {
        self.client().proposal_status(proposal.id).await.unwrap().state
    }

    async fn pass(&self, seconds: u64) {
        pass_time(self.env, self.url, seconds).await;
    }

    /// Everything from the vote to the timelock's end.
    async fn decide(&self, proposal: &Proposal) {
        let times = self.client().governance().await.unwrap();
        assert_eq!(self.state(proposal).await, ProposalState::Pending);
        let error = self.writer.vote(proposal.id, Vote::For, "").await.unwrap_err();
        assert!(
            matches!(
                error.contract_error(),
                Some(ContractError::GovernorUnexpectedProposalState { current: 0, .. })
            ),
            "{error}"
        );
        self.pass(times.voting_delay + 1).await;
        let weight = self.writer.vote(proposal.id, Vote::For, "for the test").await.unwrap();
        let error = self.writer.vote(proposal.id, Vote::Against, "").await.unwrap_err();
        assert!(
            matches!(error.contract_error(), Some(ContractError::GovernorAlreadyCastVote { .. })),
            "{error}"
        );
        let status = self.client().proposal_status(proposal.id).await.unwrap();
        assert_eq!(status.state, ProposalState::Active);
        assert!(status.votes_for > status.quorum && status.votes_against == 0, "{status:?}");
        assert_eq!(status.votes_for, weight);
        // Not before the end of the vote.
        self.writer.queue(proposal).await.unwrap_err();
        self.pass(times.voting_period + 1).await;
        assert_eq!(self.state(proposal).await, ProposalState::Succeeded);
        self.writer.queue(proposal).await.unwrap();
        let status = self.client().proposal_status(proposal.id).await.unwrap();
        assert!(status.state == ProposalState::Queued && status.executable_at.is_some());
        // Not before it has waited in the timelock.
        self.writer.execute_proposal(proposal).await.unwrap_err();
        self.pass(times.timelock_delay + 1).await;
    }
}

/// Delegate, propose, vote, queue, execute: a tunable changes.
async fn a_tunable_changes(bench: &Bench<'_>) {
    let (client, writer) = (bench.client(), &bench.writer);
    let call = ProposedCall::set_tunable(&bench.deployment, "jailEpochs", 7, Epoch(2));
    // WAL that nobody was given does not vote.
    // Votes count from the second after: the supply, too, of which the threshold is a part.
    bench.pass(2).await;
    let before = client.voting_power(writer.address()).await.unwrap();
    assert_eq!((before.wal, before.wal_delegate), (0, None));
    let error = writer.propose(std::slice::from_ref(&call), "too early").await.unwrap_err();
    let refusal = error.contract_error();
    let expected =
        matches!(refusal, Some(ContractError::GovernorInsufficientProposerVotes { votes: 0, .. }));
    assert!(expected, "{error}");
    writer.delegate_votes(writer.address()).await.unwrap();
    let power = client.voting_power(writer.address()).await.unwrap();
    assert_eq!(power.wal, u128::from(client.wal_balance(writer.address()).await.unwrap()));
    assert_eq!(power.staked, u128::from(NODES) * 1000 * u128::from(WAL), "stake votes too");
    assert_eq!(power.staked_delegate, Some(writer.address()));
    bench.pass(2).await;

    let proposal = writer.propose(&[call], "Jail for seven epochs").await.unwrap();
    let listed = client.proposals().await.unwrap();
    assert_eq!(
        listed,
        std::slice::from_ref(&proposal),
        "what was proposed can be found by everybody"
    );
    let meaning = Decision::SetTunable { name: "jailEpochs".into(), value: 7, from: Epoch(2) };
    assert_eq!(listed[0].calls[0].decision(&bench.deployment), meaning);
    bench.decide(&proposal).await;
    let tunable = async || {
        let all = client.tunables().await.unwrap();
        all.into_iter().find(|tunable| tunable.name == "jailEpochs").unwrap()
    };
    assert_eq!((tunable().await.current, tunable().await.next), (4, None));
    // Whoever executes it: nothing in it depends on the account.
    let other = ChainWriter::new(client.clone(), genesis_node(1).operator, quick());
    other.execute_proposal(&proposal).await.unwrap();
    assert_eq!(bench.state(&proposal).await, ProposalState::Executed);
    let changed = tunable().await;
    assert_eq!((changed.current, changed.next), (4, Some((7, Epoch(2)))), "from epoch 2 on");
    while client.epoch_state().await.unwrap().epoch < Epoch(2) {
        bench.pass(10).await;
        writer.crank().await.unwrap();
    }
    assert_eq!((tunable().await.current, tunable().await.next), (7, None));

    // Outside the bounds, which only an upgrade moves: the timelock's call fails.
    let call = ProposedCall::set_tunable(&bench.deployment, "jailEpochs", 17, Epoch(900));
    let proposal = writer.propose(&[call], "Out of bounds").await.unwrap();
    bench.decide(&proposal).await;
    let error = writer.execute_proposal(&proposal).await.unwrap_err();
    let refusal = ContractError::ParamOutOfBounds {
        key: *b"jailEpochs\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        value: 17,
        lowest: 2,
        highest: 16,
    };
    assert_eq!(error.contract_error(), Some(&refusal), "{error}");
    assert_eq!(tunable().await.current, 7);
}

/// New code takes the token holders and two thirds of the shards.
async fn an_upgrade_takes_both_halves(bench: &Bench<'_>) {
    let (client, writer) = (bench.client(), &bench.writer);
    let proxy = bench.deployment.contracts.params;
    let address = format!("0x{}", hex::encode(proxy.0));
    let word =
        raw_rpc(bench.env, bench.url, "eth_getStorageAt", json!([address, CODE_SLOT, "latest"]));
    let word = hex::decode(&word.await.as_str().unwrap()[2..]).unwrap();
    let code = EvmAddress(word[12..].try_into().unwrap());
    let upgrade = client.next_upgrade(proxy, code, Vec::new()).await.unwrap();
    assert_eq!(upgrade.nonce, 0);
    let call = ProposedCall::upgrade(&bench.deployment, &upgrade);
    let proposal = writer.propose(&[call], "The same code again").await.unwrap();
    bench.decide(&proposal).await;
    let error = writer.execute_proposal(&proposal).await.unwrap_err();
    let refusal = error.contract_error();
    assert!(matches!(refusal, Some(ContractError::NotApprovedByNodes { .. })), "{error}");

    let action = client.upgrade_action(&upgrade).await.unwrap();
    let error = writer.approve_action(NodeId(1), action).await.unwrap_err();
    let refusal = error.contract_error();
    assert!(matches!(refusal, Some(ContractError::NotNodeGovernance { .. })), "{error}");
    for node in 1..=NODES {
        let approval = client.approval(action).await.unwrap();
        let quorum = 3 * u32::from(approval.weight) > 2 * 13;
        assert_eq!(approval.approved_until.is_some(), quorum, "{approval:?}");
        let operator = genesis_node(node).operator;
        let operator = ChainWriter::new(client.clone(), operator, quick());
        operator.approve_action(NodeId(node.into()), action).await.unwrap();
    }
    assert_eq!(client.approval(action).await.unwrap().weight, 13);
    writer.execute_proposal(&proposal).await.unwrap();
    assert_eq!(client.next_upgrade(proxy, code, Vec::new()).await.unwrap().nonce, 1);
    assert_eq!(client.tunables().await.unwrap().len(), 20, "its state is still there");

    let seen = events(client).await;
    let decisions = seen.iter().filter_map(|event| match event {
        ChainEvent::Governance(decision) => Some(decision),
        _ => None,
    });
    let decisions: Vec<_> = decisions.collect();
    let status = client.proposal_status(proposal.id).await.unwrap();
    let expected = [
        GovernanceEvent::Proposed {
            proposal: proposal.id,
            proposer: writer.address(),
            voting_begins: proposal.snapshot,
            voting_ends: proposal.deadline,
        },
        GovernanceEvent::Voted {
            proposal: proposal.id,
            voter: writer.address(),
            vote: Vote::For,
            weight: status.votes_for,
        },
        GovernanceEvent::Executed { proposal: proposal.id },
        GovernanceEvent::TunableSet { name: "jailEpochs".into(), value: 7, from: Epoch(2) },
        GovernanceEvent::Upgraded { proxy, implementation: code, action },
    ];
    for event in &expected {
        assert!(decisions.contains(&event), "{event:?} is not among {decisions:?}");
    }
    let count = |is: fn(&GovernanceEvent) -> bool| decisions.iter().filter(|e| is(e)).count();
    assert_eq!(count(|e| matches!(e, GovernanceEvent::Queued { .. })), 3);
    assert_eq!(count(|e| matches!(e, GovernanceEvent::ActionApproved { .. })), 4);
    assert_eq!(count(|e| matches!(e, GovernanceEvent::QuorumApproved { .. })), 1);
}

async fn governance(env: &Env, url: &str, wallet: &Wallet) {
    let bench = Bench::start(env, url, wallet).await;
    a_tunable_changes(&bench).await;
    an_upgrade_takes_both_halves(&bench).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proposals_are_made_decided_and_executed() {
    // Parameters that nobody can change are mistakes for ever; code that token holders
    // change alone is theirs, not the network's.
    let env = walrus_env::real::env();
    let config = DevChainConfig { empty_block_interval: None, ..DevChainConfig::default() };
    let chain = DevChain::start(&env, config).await.unwrap();
    governance(&env, &chain.endpoint(), &dev_wallet(&chain, 0)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proposals_are_made_decided_and_executed_on_anvil() {
    let Some(anvil) = Anvil::start() else { return };
    let env = walrus_env::real::env();
    governance(&env, &anvil.url, &Wallet::from_hex(anvil::KEY).unwrap()).await;
}
