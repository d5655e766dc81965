//! Finding a blob's metadata.

use std::collections::VecDeque;

use futures::stream::{FuturesUnordered, StreamExt as _};
use walrus_node_api::NodeError;
use walrus_redstuff::{BlobId, VerifiedMetadata};

use super::{Fetch, FetchError, ReadReport};
use crate::network::Node;

/// Weight of the nodes by what they said.
#[derive(Default)]
struct Tally {
    not_found: u32,
    blocked: u32,
}

impl Fetch<'_> {
    /// The metadata from the first node that has it, asking few at once in random order.
    /// Nodes that failed for reasons that may pass are asked again.
    pub(super) async fn metadata(
        &self,
        blob_id: &BlobId,
        report: &mut ReadReport,
    ) -> Result<VerifiedMetadata, FetchError> {
        let mut nodes: Vec<&Node> = self.view.nodes().iter().collect();
        self.env.shuffle("metadata order", &mut nodes);
        let at_once = self.config.metadata_requests.max(1);
        let mut tally = Tally::default();
        for attempt in 0.. {
            let mut again = Vec::new();
            let mut waiting = VecDeque::from(nodes);
            let mut wanted = at_once;
            let mut running = FuturesUnordered::new();
            loop {
                while running.len() < wanted
                    && let Some(node) = waiting.pop_front()
                {
                    running.push(async move { (node, self.metadata_of(node, blob_id).await) });
                }
                let answer = tokio::time::timeout(self.config.hedge_after, running.next()).await;
                let (node, error) = match answer {
                    Ok(Some((_, Ok(metadata)))) => return Ok(metadata),
                    Ok(Some((node, Err(error)))) => (node, error),
                    Ok(None) => break,
                    // Slow ones are not given up, but no longer waited for.
                    Err(_) => {
                        wanted = wanted.max(running.len() + at_once);
                        continue;
                    }
                };
                report.note(node.id(), &error);
                match error {
                    // That the blob does not exist takes a quorum to say: all others are
                    // asked now, which also finds those that have it.
                    NodeError::NotFound { .. } => {
                        tally.not_found += node.weight();
                        wanted = usize::MAX;
                    }
                    NodeError::Forbidden => tally.blocked += node.weight(),
                    error if error.may_pass() => again.push(node),
                    _ => {}
                }
                let committee = self.view.committee();
                if committee.is_read_quorum(tally.not_found) {
                    return Err(FetchError::NotFound);
                }
                if committee.is_read_quorum(tally.not_found + tally.blocked) {
                    return Err(FetchError::Blocked);
                }
            }
            if again.is_empty() || attempt >= self.config.backoff.retries {
                break;
            }
            tokio::time::sleep(self.config.backoff.wait(self.env, attempt)).await;
            nodes = again;
        }
        Err(FetchError::NoMetadata { failures: self.failures(report) })
    }

    async fn metadata_of(
        &self,
        node: &Node,
        blob_id: &BlobId,
    ) -> Result<VerifiedMetadata, NodeError> {
        match &node.client {
            Ok(client) => client.metadata(self.view.params(), blob_id).await,
            Err(reason) => Err(NodeError::Unreachable(reason.clone())),
        }
    }
}
