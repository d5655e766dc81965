//! Finding out what was done before: by this program, as the journal says, or by
//! anybody, as chain and nodes say.

use std::time::Duration;

use tokio::time::Instant;
use walrus_chain::{BLOBS_PER_CALL, BlobRecord, Cost};
use walrus_core::{Epoch, TokenId};
use walrus_node_api::wire::BlobStatus;
use walrus_redstuff::BlobId;

use super::journal::{Journal, Stage};
use super::{Registration, Store, StoreError};
use crate::status;

/// Calls, of a thousand records each, spent on looking for an earlier registration.
const SEARCH_CALLS: u64 = 10;
/// How long a registration that was noted before it was sent may take to show up.
const SETTLE: Duration = Duration::from_secs(30);
/// Longest wait for it, while the account has transactions that are in no block.
const SETTLE_MAX: Duration = Duration::from_secs(600);
/// Pause between two looks for it.
const SETTLE_POLL: Duration = Duration::from_secs(1);
/// Longest wait for the nodes' word on whether the blob is stored already.
const STATUS_LIMIT: Duration = Duration::from_secs(5);

impl Store<'_> {
    /// Whether the blob is certified for as long as wanted, and until when: the owner's
    /// object by an earlier run, or any permanent one.
    pub(super) async fn already_certified(
        &self,
        journal: &Option<Journal>,
        blob_id: &BlobId,
    ) -> Result<Option<(Option<TokenId>, Epoch)>, StoreError> {
        if self.options.force {
            return Ok(None);
        }
        let snapshot = self.client.cache().get().await?;
        let now = snapshot.network.epoch.epoch;
        let wanted = Epoch(now.0.saturating_add(self.options.epochs));
        let chain = self.client.chain();
        let (invalid, available) =
            futures::future::try_join(chain.is_invalid(blob_id), chain.is_available(blob_id))
                .await?;
        if invalid {
            return Err(StoreError::Invalid(*blob_id));
        }
        // What was given away since, its new owner may delete.
        if let Some(journal) = journal
            && let Some(entry) = journal.read().await?
            && let Stage::Certified { token } | Stage::Registered { token, .. } = entry.stage
            && let Some(record) = chain.blob(token).await?
            && record.blob_id == *blob_id
            && record.is_certified_in(now)
            && record.end_epoch >= wanted
            && chain.owner_of(token).await? == Some(self.owner())
        {
            return Ok(Some((Some(token), record.end_epoch)));
        }
        if !available {
            return Ok(None);
        }
        // What this owner certified a moment ago, nodes may not have heard of.
        let lasts = |record: &BlobRecord| {
            record.blob_id == *blob_id
                && record.deletable == self.options.deletable
                && record.is_certified_in(now)
                && record.end_epoch >= wanted
        };
        if let Some(own) = self.search(None, &lasts).await? {
            return Ok(Some((Some(own.token), own.end_epoch)));
        }
        // The chain says whether, the nodes say until when. Nodes that cannot be asked
        // are no reason to fail here: the upload will tell what is wrong with them.
        let Ok(answers) = status::ask(&snapshot.committee, blob_id, STATUS_LIMIT).await else {
            return Ok(None);
        };
        let committee = snapshot.committee.committee();
        let mut weight = 0;
        for (status, answered) in answers.latest_first() {
            let BlobStatus::Permanent { end_epoch, is_certified: true, .. } = status else {
                continue;
            };
            // One honest node knows of an end at least this late.
            weight += answered;
            if committee.is_validity(weight) {
                return Ok((*end_epoch >= wanted).then_some((None, *end_epoch)));
            }
        }
        Ok(None)
    }

    /// A registration of this blob by this owner that is paid for and not certified.
    pub(super) async fn earlier_registration(
        &self,
        journal: &Option<Journal>,
        blob_id: &BlobId,
    ) -> Result<Option<Registration>, StoreError> {
        let entry = match journal {
            Some(journal) => journal.read().await?,
            None => None,
        };
        let chain = self.client.chain();
        let now = chain.network().await?.epoch.epoch;
        let wanted = Epoch(now.0.saturating_add(self.options.epochs));
        // The same command run again continues even if an epoch began in between;
        // a wish for more epochs is another purchase.
        let repeated = entry.as_ref().is_some_and(|entry| entry.epochs == self.options.epochs);
        let fits = |record: &BlobRecord| {
            record.blob_id == *blob_id
                && record.deletable == self.options.deletable
                && record.certified_epoch.is_none()
                && !record.burned
                && record.is_registered_in(now)
                && (repeated || record.end_epoch >= wanted)
        };
        match entry.as_ref().map(|entry| &entry.stage) {
            Some(Stage::Registered { token, storage_cost, write_cost, .. }) => {
                let cost = Cost { storage: *storage_cost, write: *write_cost };
                let record = chain.blob(*token).await?;
                let Some(record) = record.filter(&fits) else { return Ok(None) };
                if chain.owner_of(*token).await? != Some(self.owner()) {
                    return Ok(None);
                }
                Ok(Some(found(&record, cost)))
            }
            Some(Stage::Registering { tokens_before, at }) => {
                self.settled(blob_id, *tokens_before, *at, &fits).await
            }
            Some(Stage::Certified { .. }) | None => self.search(None, &fits).await,
        }
    }

    /// Waits for a registration that may have been sent before: a while, and until all
    /// that the account had sent by now is in blocks.
    async fn settled(
        &self,
        blob_id: &BlobId,
        tokens_before: u64,
        at: u64,
        fits: &(dyn Fn(&BlobRecord) -> bool + Sync),
    ) -> Result<Option<Registration>, StoreError> {
        let sent = self.writer.transactions_sent().await?;
        let begun = Instant::now();
        loop {
            // Asked for before the search, which finds what is in a block by then.
            let mined = self.writer.transactions_mined().await?;
            if let Some(found) = self.search(Some(tokens_before), fits).await? {
                return Ok(Some(found));
            }
            let age = self.client.env().clock.unix().saturating_sub(Duration::from_secs(at));
            if age >= SETTLE && mined >= sent {
                return self.search_all(blob_id, tokens_before, fits).await;
            }
            if begun.elapsed() >= SETTLE_MAX {
                return Err(StoreError::Unsettled);
            }
            tokio::time::sleep(SETTLE_POLL).await;
        }
    }

    /// The same among all tokens of the blob, however many others came after: it takes a
    /// search of the chain's logs.
    async fn search_all(
        &self,
        blob_id: &BlobId,
        tokens_before: u64,
        fits: &(dyn Fn(&BlobRecord) -> bool + Sync),
    ) -> Result<Option<Registration>, StoreError> {
        let chain = self.client.chain();
        let later = chain.network().await?.blob_count.saturating_sub(tokens_before);
        if later <= SEARCH_CALLS * BLOBS_PER_CALL {
            return Ok(None);
        }
        let tokens = chain.objects_of(blob_id).await?;
        for token in tokens.into_iter().rev().filter(|token| token.0 > tokens_before) {
            let record = chain.blob(token).await?.filter(&fits);
            if let Some(record) = record
                && chain.owner_of(token).await? == Some(self.owner())
            {
                return Ok(Some(found(&record, Cost { storage: 0, write: 0 })));
            }
        }
        Ok(None)
    }

    /// The latest fitting registration of this owner among those after `tokens_before`,
    /// or among the chain's latest.
    async fn search(
        &self,
        tokens_before: Option<u64>,
        fits: &(dyn Fn(&BlobRecord) -> bool + Sync),
    ) -> Result<Option<Registration>, StoreError> {
        let chain = self.client.chain();
        let mut last = chain.network().await?.blob_count;
        let calls = if tokens_before.is_some() { SEARCH_CALLS } else { 1 };
        for _ in 0..calls {
            let first = last.saturating_sub(BLOBS_PER_CALL - 1).max(1);
            let first = first.max(tokens_before.map_or(1, |before| before + 1));
            if first > last {
                return Ok(None);
            }
            let records = chain.blobs(TokenId(first), last - first + 1).await?;
            for record in records.iter().rev().filter(|record| fits(record)) {
                if chain.owner_of(record.token_id).await? == Some(self.owner()) {
                    return Ok(Some(found(record, Cost { storage: 0, write: 0 })));
                }
            }
            last = first - 1;
        }
        Ok(None)
    }
}

fn found(record: &BlobRecord, cost: Cost) -> Registration {
    Registration {
        token: record.token_id,
        end_epoch: record.end_epoch,
        transaction: None,
        cost,
        resumed: true,
    }
}
