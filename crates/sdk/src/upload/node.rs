//! One node's part of an upload.

use std::sync::atomic::{AtomicU64, Ordering};

use futures::FutureExt as _;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use walrus_core::{NodeId, SignedMessage};
use walrus_node_api::query::ConfirmationQuery;
use walrus_node_api::wire::{PutOutcome, StoredStatus};
use walrus_node_api::{ExpectedConfirmation, NodeClient, NodeError};
use walrus_redstuff::{SliverPairIndex, SliverType};

use super::{FailureReason, Shared, Trouble, Upload};
use crate::backoff::retry;
use crate::network::Node;
use crate::progress::Progress;

impl Upload<'_> {
    /// Everything that one node gets and gives.
    pub(super) async fn node(
        &self,
        node: &Node,
        shared: &Shared,
    ) -> (NodeId, Result<SignedMessage, Trouble>) {
        let outcome = match &node.client {
            Ok(client) => self.store_and_confirm(node, client, shared).await,
            Err(reason) => Err(FailureReason::NoClient(reason.clone()).into()),
        };
        (node.id(), outcome)
    }

    async fn store_and_confirm(
        &self,
        node: &Node,
        client: &NodeClient,
        shared: &Shared,
    ) -> Result<SignedMessage, Trouble> {
        let metadata = self.metadata(node, client, shared).await;
        let mut known = metadata.map_err(FailureReason::Metadata)?;
        let mut round = 0;
        loop {
            self.slivers(node, client, shared, known).await?;
            match self.confirm(node, client).await {
                Ok(signed) => return Ok(signed),
                // It lost some, or said that it had what it had not.
                Err(NodeError::MissingSlivers) if round < self.config.rounds_per_node => {
                    tokio::time::sleep(self.config.backoff.wait(self.env, round)).await;
                    round += 1;
                    known = PutOutcome::AlreadyThere;
                }
                Err(error) => return Err(FailureReason::Confirmation(error).into()),
            }
        }
    }

    /// The metadata, as soon as the node knows of the registration.
    async fn metadata(
        &self,
        node: &Node,
        client: &NodeClient,
        shared: &Shared,
    ) -> Result<PutOutcome, NodeError> {
        let blob_id = self.blob.metadata().blob_id();
        let put = || async {
            match client.put_metadata(blob_id, shared.metadata.clone()).await {
                Err(NodeError::NotRegistered) => Ok(None),
                other => other.map(Some),
            }
        };
        let patience = &self.config.registration;
        for attempt in 0..patience.retries {
            if let Some(outcome) = self.retry(node.id(), put).await? {
                return Ok(outcome);
            }
            tokio::time::sleep(patience.wait(self.env, attempt)).await;
        }
        Err(NodeError::NotRegistered)
    }

    /// Both slivers of each of the node's shards. The first one that cannot be stored
    /// ends it: without all of them the node will not confirm.
    async fn slivers(
        &self,
        node: &Node,
        client: &NodeClient,
        shared: &Shared,
        metadata: PutOutcome,
    ) -> Result<(), Trouble> {
        let metadata_id = self.blob.metadata().blob_id();
        let mut pairs = node.pairs(self.view.params().n_shards(), metadata_id);
        // Nodes are sent their slivers in different orders, so that an upload that is
        // given up leaves as many pairs as possible somewhere.
        self.env.shuffle("upload order", &mut pairs);
        let ask_first = metadata == PutOutcome::AlreadyThere;
        let (id, slivers_total) = (node.id(), 2 * pairs.len() as u64);
        let done = AtomicU64::new(0);
        let done = &done;
        let send = |(pair, kind)| {
            // Boxed, or the compiler cannot see that the whole may move between threads.
            async move {
                self.sliver((id, client), (pair, kind), ask_first).await?;
                let slivers_done = done.fetch_add(1, Ordering::Relaxed) + 1;
                let step = Progress::NodeUploading { node: id, slivers_done, slivers_total };
                self.progress.report(step);
                shared.sliver_done(self.progress);
                Ok::<(), Trouble>(())
            }
            .boxed()
        };
        let slivers = pairs.into_iter().flat_map(|pair| SliverType::BOTH.map(|kind| (pair, kind)));
        stream::iter(slivers.map(send).collect::<Vec<_>>())
            .buffer_unordered(self.requests_per_node())
            .try_collect::<()>()
            .await
    }

    /// Repeats a call as configured, and tells the watchers why.
    async fn retry<T, F>(&self, node: NodeId, call: impl FnMut() -> F) -> Result<T, NodeError>
    where
        F: Future<Output = Result<T, NodeError>>,
    {
        let tell = |error: &NodeError| {
            let reason = error.to_string();
            self.progress.report(Progress::NodeStruggling { node, reason });
        };
        retry(self.env, &self.config.backoff, call, tell).await
    }

    /// Requests at once to one node: as configured, and no more than its fair share of
    /// the byte budget, so that slow nodes cannot keep all of it from the others.
    fn requests_per_node(&self) -> usize {
        let metadata = self.blob.metadata();
        let largest = metadata.params().sliver_bcs_len(SliverType::Primary, metadata.symbol_size());
        let share = self.budget.bytes() / self.view.nodes().len().max(1) / largest;
        self.config.requests_per_node.min(share).max(1)
    }

    async fn sliver(
        &self,
        (node, client): (NodeId, &NodeClient),
        (pair, kind): (SliverPairIndex, SliverType),
        ask_first: bool,
    ) -> Result<(), Trouble> {
        let metadata = self.blob.metadata();
        let blob_id = metadata.blob_id();
        let length = metadata.params().sliver_bcs_len(kind, metadata.symbol_size());
        if ask_first && length >= self.config.status_check_bytes {
            let status = self.retry(node, || client.sliver_status(blob_id, pair, kind)).await;
            if status.map_err(FailureReason::Sliver)? == StoredStatus::Stored {
                return Ok(());
            }
        }
        let _reserved = self.budget.reserve(length).await;
        let index = pair.to_sliver_index(kind, metadata.params().n_shards());
        let body = self.blob.body(kind, index).await.map_err(Trouble::Blob)?;
        let put = || client.put_sliver(blob_id, pair, kind, body.clone());
        self.retry(node, put).await.map_err(FailureReason::Sliver)?;
        Ok(())
    }

    async fn confirm(&self, node: &Node, client: &NodeClient) -> Result<SignedMessage, NodeError> {
        let expected = ExpectedConfirmation {
            epoch: self.view.epoch(),
            body: self.body(),
            context: self.view.context(),
            key: &node.member.public_key,
        };
        let query = ConfirmationQuery::default();
        let ask = || async {
            match client.confirmation(&expected, &query).await {
                // What is missing is sent again instead of being asked for again.
                Err(NodeError::MissingSlivers) => Ok(Err(NodeError::MissingSlivers)),
                other => other.map(Ok),
            }
        };
        self.retry(node.id(), ask).await?
    }
}
