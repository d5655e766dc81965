//! Bringing a deployed network to its first epoch in few blocks, for local networks.

use walrus_core::{Epoch, NodeId};

use crate::{
    abi::staking,
    client::ChainClient,
    error::WriteError,
    sender::{Pending, Sender},
    wallet::Wallet,
    writer::{ChainWriter, NodeRegistration, find_event, transfer_ether},
};

/// A node of the first committee.
#[derive(Clone, Debug)]
pub struct GenesisNode {
    /// Account of its operator.
    pub operator: Wallet,
    /// What it registers with.
    pub registration: NodeRegistration,
    /// FROST the treasury stakes with it, at least 10^9.
    pub stake: u64,
}

/// Gas of calls that need an earlier one of the same batch, from above.
const GAS_STAKE: u64 = 2_000_000;
/// Starting an epoch settles accounts and moves the rewards.
const GAS_START: u64 = 3_000_000;
/// One member's report.
const GAS_REPORT: u64 = 1_000_000;
/// Sorts the votes of the committee.
const GAS_PRICES: u64 = 6_000_000;

/// Funds the operators with `operator_wei`, registers and stakes their nodes, selects
/// the first committee, starts epoch 1, reports all nodes in sync, and sets the prices.
/// Returns the nodes' ids, in the order given.
///
/// `treasury` pays: it must hold the WAL to stake and the ether. The deployment's
/// `first_start` must be past and its `min_nodes` be the number of `nodes`, or else
/// the staking of the last ones is refused. Each step sends all its transactions
/// before it waits.
///
/// # Errors
/// See [`WriteError`].
pub async fn start_network(
    treasury: &ChainWriter,
    nodes: &[GenesisNode],
    operator_wei: u128,
) -> Result<Vec<NodeId>, WriteError> {
    let client = treasury.client();
    let config = treasury.sender().config().clone();
    let writer = |node: &GenesisNode| {
        ChainWriter::new(client.clone(), node.operator.clone(), config.clone())
    };
    let operators: Vec<_> = nodes.iter().map(writer).collect();
    let state = client.epoch_state().await;
    let epoch = state.map_err(|source| WriteError::Read { action: "start the network", source })?;
    fund(treasury, &operators, operator_wei).await?;
    let ids = register(client, &operators, nodes, epoch.epoch).await?;
    stake(treasury, nodes, &ids).await?;
    first_epoch(treasury, &operators, &ids).await?;
    Ok(ids)
}

/// Waits for transactions of one account, in order.
async fn confirm_all(sender: &Sender, pending: Vec<Pending>) -> Result<(), WriteError> {
    for pending in pending {
        sender.confirm(pending).await?;
    }
    Ok(())
}

async fn fund(
    treasury: &ChainWriter,
    operators: &[ChainWriter],
    wei: u128,
) -> Result<(), WriteError> {
    let sender = treasury.sender();
    let mut pending = Vec::new();
    for operator in operators {
        // An operator may be the treasury itself, or be funded already.
        if wei > 0 && operator.address() != treasury.address() {
            pending.push(sender.submit(transfer_ether(operator.address(), wei)).await?);
        }
    }
    confirm_all(sender, pending).await
}

async fn register(
    client: &ChainClient,
    operators: &[ChainWriter],
    nodes: &[GenesisNode],
    epoch: Epoch,
) -> Result<Vec<NodeId>, WriteError> {
    let staking = client.deployment().contracts.staking;
    let mut pending = Vec::new();
    for (operator, node) in operators.iter().zip(nodes) {
        let action = operator.node_registration(&node.registration, epoch);
        pending.push(operator.sender().submit(action).await?);
    }
    let mut ids = Vec::new();
    for (operator, pending) in operators.iter().zip(pending) {
        let receipt = operator.sender().confirm(pending).await?;
        let event: staking::Staking::NodeRegistered =
            find_event("register the storage node", &receipt, staking)?;
        ids.push(NodeId(event.nodeId));
    }
    Ok(ids)
}

async fn stake(
    treasury: &ChainWriter,
    nodes: &[GenesisNode],
    ids: &[NodeId],
) -> Result<(), WriteError> {
    let sender = treasury.sender();
    let spender = treasury.client().deployment().contracts.staking;
    let total = nodes.iter().fold(0u64, |sum, node| sum.saturating_add(node.stake));
    let mut pending = vec![sender.submit(treasury.approval(spender, total)).await?];
    for (node, id) in nodes.iter().zip(ids) {
        let action = treasury.staking(*id, node.stake).with_gas(GAS_STAKE);
        pending.push(sender.submit(action).await?);
    }
    confirm_all(sender, pending).await
}

async fn first_epoch(
    treasury: &ChainWriter,
    operators: &[ChainWriter],
    ids: &[NodeId],
) -> Result<(), WriteError> {
    let sender = treasury.sender();
    let selection = treasury.selection().await?;
    let pending = vec![
        sender.submit(selection).await?,
        sender.submit(treasury.epoch_start().with_gas(GAS_START)).await?,
    ];
    confirm_all(sender, pending).await?;
    let mut reports = Vec::new();
    for (operator, id) in operators.iter().zip(ids) {
        let action = operator.sync_report(*id, Epoch(1)).with_gas(GAS_REPORT);
        reports.push(operator.sender().submit(action).await?);
    }
    let prices = sender.submit(treasury.price_update().with_gas(GAS_PRICES)).await?;
    for (operator, pending) in operators.iter().zip(reports) {
        operator.sender().confirm(pending).await?;
    }
    sender.confirm(prices).await.map(|_| ())
}
