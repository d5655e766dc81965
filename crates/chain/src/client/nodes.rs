//! Questions about nodes and their stake.

use alloy::primitives::U256;
use walrus_core::{Epoch, NetworkAddress, NetworkPublicKey, NodeId, ProtocolPublicKey};

use super::{ChainClient, malformed, protocol_key};
use crate::{
    abi::{Plain, lens, staking, staking_nodes, to_address},
    error::ReadError,
    view::{NodeRecord, PoolRecord, Prices},
};

/// Nodes asked for in one call; their texts bound an answer to about 200 KB.
pub(super) const NODES_PER_CALL: u32 = 64;

impl ChainClient {
    /// The nodes `first..=last`, in order; fewer when there are not so many.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn nodes(&self, first: NodeId, last: NodeId) -> Result<Vec<NodeRecord>, ReadError> {
        let mut nodes = Vec::new();
        let mut from = first.0.max(1);
        while from <= last.0 {
            let count = (last.0 - from).saturating_add(1).min(NODES_PER_CALL);
            let call = lens::WalrusLens::nodesCall { fromNodeId: from, count: U256::from(count) };
            let page = self.read("nodes", self.lens(), call).await?;
            let got = page.len();
            for node in page {
                nodes.push(node_from(node)?);
            }
            if got < count as usize {
                break;
            }
            let Some(next) = from.checked_add(count) else { break };
            from = next;
        }
        Ok(nodes)
    }

    /// One node; `None` when there is none with this id.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn node(&self, node: NodeId) -> Result<Option<NodeRecord>, ReadError> {
        Ok(self.nodes(node, node).await?.into_iter().next())
    }

    /// The node registered with this protocol key, if any.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn node_of_key(&self, key: &ProtocolPublicKey) -> Result<Option<NodeId>, ReadError> {
        let call = staking::Staking::nodeOfKeyCall { key: key.to_uncompressed().to_vec().into() };
        let staking = to_address(self.deployment.contracts.staking);
        let node = self.read("the node of a key", staking, call).await?;
        Ok((node != 0).then_some(NodeId(node)))
    }

    /// The active set: nodes that the next selection considers, with their stake in
    /// FROST, in the order in which ties are resolved.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn active_set(&self) -> Result<Vec<(NodeId, u64)>, ReadError> {
        let staking = to_address(self.deployment.contracts.staking);
        let call = staking::Staking::activeSetCall {};
        let set = self.read("the active set", staking, call).await?;
        Ok(set.nodeIds.into_iter().map(NodeId).zip(set.stakes).collect())
    }

    /// What a selection made now would apportion: nodes and stake in the order in which
    /// ties are resolved. Pools that are not settled count with stake 0.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn candidates(&self) -> Result<Vec<(NodeId, u64)>, ReadError> {
        let staking = to_address(self.deployment.contracts.staking);
        let call = staking_nodes::StakingNodes::candidatesCall {};
        let set = self.read("the candidates of a committee", staking, call).await?;
        Ok(set.nodeIds.into_iter().map(NodeId).zip(set.stakes).collect())
    }

    /// The pools of the nodes `first..=last`, in order; fewer when there are not so many.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn pools(&self, first: NodeId, last: NodeId) -> Result<Vec<PoolRecord>, ReadError> {
        let mut pools = Vec::new();
        let mut from = first.0.max(1);
        while from <= last.0 {
            let count = (last.0 - from).saturating_add(1).min(NODES_PER_CALL);
            let call = lens::WalrusLens::poolsCall { fromNodeId: from, count: U256::from(count) };
            let page = self.read("stake pools", self.lens(), call).await?;
            let got = page.len();
            pools.extend(page.into_iter().map(pool_from));
            if got < count as usize {
                break;
            }
            let Some(next) = from.checked_add(count) else { break };
            from = next;
        }
        Ok(pools)
    }
}

fn node_from(node: lens::WalrusLens::NodeInfo) -> Result<NodeRecord, ReadError> {
    let network_key = node.networkKey.as_ref().try_into().map_err(|_| {
        malformed("a node's network key", format!("{} bytes", node.networkKey.len()))
    })?;
    let network_address = NetworkAddress::from_chain(node.networkAddress)
        .map_err(|error| malformed("a node's address", error.to_string()))?;
    Ok(NodeRecord {
        node_id: NodeId(node.nodeId),
        operator: node.operator.plain(),
        registered_epoch: Epoch(node.registeredEpoch),
        commission_bp: node.commissionBp,
        in_active_set: node.inActiveSet,
        price_votes: Prices { storage: node.storagePrice, write: node.writePrice },
        capacity_vote: node.capacity,
        stake: node.stake,
        protocol_key: protocol_key(&node.blsKey)?,
        network_key: NetworkPublicKey(network_key),
        name: node.name,
        network_address,
        metadata_uri: node.metadataURI,
    })
}

fn pool_from(pool: lens::WalrusLens::PoolInfo) -> PoolRecord {
    PoolRecord {
        node_id: NodeId(pool.nodeId),
        settled_epoch: Epoch(pool.settledEpoch),
        balance: pool.balance,
        shares: pool.shares,
        commission: pool.commission,
        commission_bp: pool.commissionBp,
        misses: pool.misses,
        jailed_until: (pool.jailedUntil != 0).then_some(Epoch(pool.jailedUntil)),
        retired: pool.retired,
        expected_stake: pool.expectedStake,
    }
}
