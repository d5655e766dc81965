//! What the nodes say about a blob id (docs/protocol/node-and-client.md G.2).

use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt as _};
use walrus_core::NodeId;
use walrus_node_api::NodeError;
use walrus_node_api::wire::BlobStatus;
use walrus_redstuff::BlobId;

use crate::network::{CommitteeView, Node};
use crate::upload::{FailureReason, NodeFailure, list};

/// Why no status is known.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StatusError {
    /// Too few nodes answered.
    #[error("nodes with {got} shards answered, {needed} are needed; {}", list(failures))]
    NoQuorum {
        /// Weight of the nodes that answered.
        got: u32,
        /// Least weight.
        needed: u32,
        /// The others.
        failures: Vec<NodeFailure>,
    },
}

/// The answers of nodes with a quorum of the shards.
#[derive(Clone, Debug)]
pub(crate) struct StatusAnswers {
    /// Each node's answer and weight.
    answers: Vec<(BlobStatus, u32)>,
}

impl StatusAnswers {
    /// Distinct answers from the latest down, each with the weight of the nodes that gave
    /// it.
    pub(crate) fn latest_first(&self) -> Vec<(&BlobStatus, u32)> {
        let mut sorted: Vec<_> = self.answers.iter().collect();
        sorted.sort_by(|a, b| b.0.cmp_lateness(&a.0));
        let mut distinct: Vec<(&BlobStatus, u32)> = Vec::new();
        for (status, weight) in sorted {
            match distinct.iter_mut().find(|(known, _)| *known == status) {
                Some((_, total)) => *total += weight,
                None => distinct.push((status, *weight)),
            }
        }
        distinct
    }
}

/// Asks all nodes at once until more than `2f` of the shards answered, each within
/// `limit`.
pub(crate) async fn ask(
    view: &CommitteeView,
    blob_id: &BlobId,
    limit: Duration,
) -> Result<StatusAnswers, StatusError> {
    let mut running: FuturesUnordered<_> = view
        .nodes()
        .iter()
        .map(|node| async move { (node, one(node, blob_id, limit).await) })
        .collect();
    let mut answers = Vec::new();
    let mut failures = Vec::new();
    let mut weight = 0;
    while let Some((node, answer)) = running.next().await {
        match answer {
            Ok(status) => {
                answers.push((status, node.weight()));
                weight += node.weight();
                if view.committee().is_read_quorum(weight) {
                    return Ok(StatusAnswers { answers });
                }
            }
            Err(error) => failures.push(failure(node, &error)),
        }
    }
    let needed = 2 * u32::from(view.committee().max_faulty()) + 1;
    Err(StatusError::NoQuorum { got: weight, needed, failures })
}

async fn one(node: &Node, blob_id: &BlobId, limit: Duration) -> Result<BlobStatus, NodeError> {
    let client = match &node.client {
        Ok(client) => client,
        Err(reason) => return Err(NodeError::Unreachable(reason.clone())),
    };
    let status = match tokio::time::timeout(limit, client.blob_status(blob_id)).await {
        Ok(status) => status,
        Err(_) => Err(NodeError::Timeout { after: limit }),
    };
    match status {
        Err(NodeError::NotFound { .. }) => Ok(BlobStatus::Nonexistent),
        other => other,
    }
}

fn failure(node: &Node, error: &NodeError) -> NodeFailure {
    NodeFailure {
        node: node.id(),
        name: node.member.name.clone(),
        weight: node.weight(),
        reason: FailureReason::Read(error.to_string()),
    }
}

/// One node's health, or why it is not known.
#[derive(Clone, Debug)]
pub struct NodeHealth {
    /// The node.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// Its address, as registered.
    pub address: String,
    /// Shards that it holds.
    pub weight: u32,
    /// What it says about itself.
    pub health: Result<walrus_node_api::wire::ServiceHealth, NodeError>,
}

impl NodeHealth {
    /// What programs are told: `walrus health --json` and the gateway's `GET /v1/nodes`
    /// (docs/page-api.md section 3).
    pub fn report(&self) -> serde_json::Value {
        let (health, error) = match &self.health {
            Ok(health) => (serde_json::to_value(health).unwrap_or_default(), None),
            Err(error) => (serde_json::Value::Null, Some(error.to_string())),
        };
        serde_json::json!({
            "node_id": self.node.0, "name": self.name, "address": self.address,
            "shards": self.weight, "reachable": error.is_none(), "error": error,
            "health": health,
        })
    }
}

/// Asks every node about itself, in seat order.
pub(crate) async fn health(view: &CommitteeView, detailed: bool) -> Vec<NodeHealth> {
    let ask = |node: &Node| {
        let (id, member) = (node.id(), node.member.clone());
        let (weight, client) = (node.weight(), node.client.clone());
        async move {
            let health = match client {
                Ok(client) => client.health(detailed).await,
                Err(reason) => Err(NodeError::Unreachable(reason)),
            };
            let address = member.network_address.as_str().to_owned();
            NodeHealth { node: id, name: member.name, address, weight, health }
        }
    };
    futures::future::join_all(view.nodes().iter().map(ask)).await
}
