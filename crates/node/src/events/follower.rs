//! The task that follows the chain.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep, timeout};
use walrus_chain::{
    Batch, ChainClient, Confirmations, Cursor, EventStream, NetworkSnapshot, StreamItem,
};
use walrus_redstuff::BlobId;

use super::apply::{Consequences, apply};
use crate::{
    committee::Membership,
    recovery::Recovery,
    state::{CATCH_UP_LIMIT, Shared},
    store::{blobs::JOURNAL_BLOCKS, db::DbError},
};

/// Pause after the chain could not be asked.
const RETRY: Duration = Duration::from_secs(1);
/// First time given to one look for new events while somebody waits.
const LOOK: Duration = Duration::from_millis(200);
/// Blobs looked at together when the data of ended ones is removed.
const PAGE: usize = 256;

/// Follows the chain and keeps the node's picture of it.
pub struct Follower {
    node: Shared,
    recovery: Arc<Recovery>,
    chain: ChainClient,
    confirmations: Confirmations,
    poll: Duration,
    stream: EventStream,
    /// The committee could not be read yet after it changed.
    committee_stale: bool,
}

/// Why following ended.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The node's database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl Follower {
    /// A follower that goes on where the stored cursor stands.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn new(
        node: Shared,
        recovery: Arc<Recovery>,
        chain: ChainClient,
        confirmations: Confirmations,
        poll: Duration,
    ) -> Result<Self, FollowError> {
        let stored = node.store.cursor().await?;
        let cursor = stored.map(|bytes| Cursor::from_bytes(&bytes)).transpose();
        let cursor = cursor.map_err(|_| DbError::Row { what: "cursor" })?;
        let stream = EventStream::new(chain.clone(), cursor, confirmations).poll_every(poll);
        Ok(Self { node, recovery, chain, confirmations, poll, stream, committee_stale: false })
    }

    /// Follows for ever.
    ///
    /// # Errors
    /// When the database fails; trouble with the chain is waited out.
    pub async fn run(&mut self) -> Result<(), FollowError> {
        loop {
            let node = self.node.clone();
            let step = tokio::select! {
                biased;
                () = node.progress.asked() => None,
                // Dropping the future of the stream loses nothing.
                item = self.stream.next() => Some(item),
            };
            match step {
                None => self.catch_up().await?,
                Some(Ok(item)) => self.take(item).await?,
                Some(Err(error)) => {
                    tracing::warn!(%error, "the chain's events could not be read");
                    sleep(RETRY).await;
                }
            }
            if self.committee_stale {
                self.refresh_committee().await;
            }
        }
    }

    /// Reads everything that the chain knows now, for somebody who waits.
    async fn catch_up(&mut self) -> Result<(), FollowError> {
        self.node.progress.begin();
        let now =
            timeout(CATCH_UP_LIMIT, EventStream::position_now(&self.chain, self.confirmations));
        let target = match now.await {
            Ok(Ok(Some(position))) => position.block().number,
            Ok(Ok(None)) => 0,
            Ok(Err(_)) | Err(_) => return Ok(()),
        };
        let deadline = Instant::now() + CATCH_UP_LIMIT;
        let mut look = LOOK;
        // The stream waits when there is nothing to tell, so each look is given a time.
        while self.stream.cursor().is_none_or(|cursor| cursor.block().number < target) {
            if Instant::now() >= deadline {
                return Ok(());
            }
            match timeout(look, self.stream.next()).await {
                Ok(Ok(item)) => self.take(item).await?,
                Ok(Err(_)) => return Ok(()),
                Err(_) => look *= 2,
            }
        }
        self.node.progress.end();
        Ok(())
    }

    async fn take(&mut self, item: StreamItem) -> Result<(), FollowError> {
        match item {
            StreamItem::Batch(batch) => self.take_batch(batch).await,
            StreamItem::Reorged { to } => self.take_back(to).await,
        }
    }

    async fn take_batch(&mut self, batch: Batch) -> Result<(), FollowError> {
        let Batch { events, cursor, caught_up } = batch;
        let block = cursor.block().number;
        let consequences = Consequences::of(&events);
        let count = events.len() as u64;
        let record = move |rows: &mut crate::store::blobs::BlobRows<'_>| {
            events.iter().try_for_each(|event| apply(rows, event))
        };
        self.node.store.apply(block, cursor.to_bytes(), record).await?;
        self.committee_stale |= consequences.committee;
        if self.committee_stale {
            self.refresh_committee().await;
        }
        self.node.progress.advance(count, block);
        for blob in &consequences.certified {
            self.recovery.want_after_upload(*blob);
        }
        // While old events are replayed, a blob that looks ended may have been registered anew.
        if caught_up {
            self.remove_ended(consequences.released).await?;
            if consequences.epoch_started {
                self.remove_all_ended().await?;
            }
        }
        Ok(())
    }

    /// The chain took blocks back.
    async fn take_back(&mut self, to: Option<Cursor>) -> Result<(), FollowError> {
        let known = self.node.progress.position().block.unwrap_or(0);
        match to {
            Some(cursor) if cursor.block().number + JOURNAL_BLOCKS > known => {
                let first = cursor.block().number + 1;
                let undo =
                    move |rows: &mut crate::store::blobs::BlobRows<'_>| rows.undo_from(first);
                self.node.store.apply(first - 1, cursor.to_bytes(), undo).await?;
            }
            // Further than the journal reaches: the whole history is read again.
            _ => {
                self.node.store.forget_chain().await?;
                let stream = EventStream::new(self.chain.clone(), None, self.confirmations);
                self.stream = stream.poll_every(self.poll);
            }
        }
        self.committee_stale = true;
        Ok(())
    }

    async fn refresh_committee(&mut self) {
        match membership(&self.node, &self.chain).await {
            Ok(membership) => {
                let changed = membership.epoch() != self.node.epoch();
                self.node.membership.set(membership);
                self.committee_stale = false;
                if changed {
                    self.recovery.want_all();
                }
            }
            Err(error) => tracing::warn!(%error, "the committee could not be read"),
        }
    }

    /// Removes the data of those of `blobs` that nobody asks for any more. Only this
    /// task makes blobs registered, so none can become so in between.
    async fn remove_ended(&self, blobs: BTreeSet<BlobId>) -> Result<(), FollowError> {
        for blob in blobs {
            if self.node.store.blob_state(&blob).await?.is_registered(self.node.epoch()) {
                continue;
            }
            if !self.has_data(&blob).await? {
                continue;
            }
            self.node.expanded.forget(&blob);
            if let Err(error) = self.node.store.delete_data(&blob).await {
                tracing::warn!(%blob, %error, "the data of an ended blob could not be removed");
            }
        }
        Ok(())
    }

    async fn has_data(&self, blob: &BlobId) -> Result<bool, FollowError> {
        let slivers = self.node.store.slivers().keys(blob).await;
        let has_slivers = slivers.is_ok_and(|keys| !keys.is_empty());
        Ok(has_slivers || self.node.store.metadata().get(blob).await?.is_some())
    }

    async fn remove_all_ended(&self) -> Result<(), FollowError> {
        let epoch = self.node.epoch();
        let mut after = None;
        loop {
            let page = self.node.store.blob_states(after, PAGE).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = Some(*last);
            let ended = page.iter().filter(|(_, state)| !state.is_registered(epoch));
            self.remove_ended(ended.map(|(blob, _)| *blob).collect()).await?;
        }
    }
}

/// The node's place in the committee, as the chain says now.
async fn membership(
    node: &Shared,
    chain: &ChainClient,
) -> Result<Membership, walrus_chain::ReadError> {
    let NetworkSnapshot { view, committee } = chain.snapshot().await?;
    let committee = match committee {
        // Addresses may have changed within the epoch.
        Some(_) => Some(chain.refresh_committee(view.epoch.epoch).await?),
        None => None,
    };
    Ok(Membership::new(node.node_id, view.epoch.epoch, committee))
}
