//! The contracts' events in order, each once, across restarts and reorganisations.

use std::time::Duration;

use alloy::primitives::{Address, B256};
use tokio::time::sleep;

use crate::{
    client::ChainClient,
    cursor::{BlockRef, Cursor},
    endpoints::RpcError,
    error::ReadError,
    event::{ChainEvent, EventError, EventPosition, PositionedEvent},
    rpc::{BlockTag, Head, Log, LogQuery},
};

/// From which block on events count as having happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmations {
    /// The block the chain calls final: never taken back. For real networks.
    Finalized,
    /// The newest block: quick, and may be taken back.
    Latest,
    /// Blocks with at least this many after them.
    Depth(u64),
}

/// Events of a run of blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// In chain order; may be empty.
    pub events: Vec<PositionedEvent>,
    /// The reader's position once these events have taken effect: store both together.
    pub cursor: Cursor,
    /// Whether these were all events up to the newest block that counts.
    pub caught_up: bool,
}

/// What an event stream yields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamItem {
    /// New events.
    Batch(Batch),
    /// The chain took back every block after that of `to`: undo the effects of events
    /// after it, and store `to`. What happened instead follows.
    Reorged {
        /// The position of the last common ancestor; `None` is before the first event.
        to: Option<Cursor>,
    },
}

/// Why the stream could not go on. Calling again tries again from the same position.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StreamError {
    /// The chain could not be asked.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// An event that this program does not understand: it may be too old for the
    /// contracts. It is never skipped.
    #[error(transparent)]
    Event(#[from] EventError),
}

impl From<RpcError> for StreamError {
    fn from(error: RpcError) -> Self {
        Self::Read(error.into())
    }
}

impl StreamError {
    /// Whether trying again has hope of success.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Read(error) if error.is_retryable())
    }
}

/// Blocks below the newest within which each block is fetched by its hash. Older ones
/// are fetched by ranges.
const NEAR_BLOCKS: u64 = 64;
/// Most blocks of a batch near the newest block.
const NEAR_BATCH: u64 = 32;
/// Bounds of a range of older blocks.
const RANGE_MIN: u64 = 1;
const RANGE_START: u64 = 512;
const RANGE_MAX: u64 = 8192;
/// A range with more logs than this makes the next one shorter.
const LOGS_WANTED: usize = 1000;
/// Empty blocks after which an empty batch is yielded, so that the cursor moves.
const QUIET_BLOCKS: u64 = 32;

/// Follows the contracts of one network.
///
/// Promises: events come in chain order; between two items, none is left out; an event
/// comes again only after a [`StreamItem::Reorged`] took its block back. Dropping the
/// future of [`Self::next`] loses nothing.
#[derive(Debug)]
pub struct EventStream {
    client: ChainClient,
    sources: Vec<Address>,
    confirmations: Confirmations,
    poll: Duration,
    cursor: Option<Cursor>,
    /// Block of the last item yielded.
    yielded: Option<u64>,
    /// Whether an item has said that the stream is caught up.
    told_caught_up: bool,
    range: u64,
}

impl EventStream {
    /// Follows from `cursor` on, or from the network's first block.
    pub fn new(client: ChainClient, cursor: Option<Cursor>, confirmations: Confirmations) -> Self {
        Self {
            sources: client.deployment().event_sources(),
            client,
            confirmations,
            poll: Duration::from_millis(500),
            yielded: cursor.as_ref().map(|cursor| cursor.block().number),
            cursor,
            told_caught_up: false,
            range: RANGE_START,
        }
    }

    /// Sets the pause between two looks for new blocks; half a second by default.
    #[must_use]
    pub fn poll_every(mut self, poll: Duration) -> Self {
        self.poll = poll;
        self
    }

    /// The position after the newest block that counts now. For a start from the
    /// contracts' state: note this, read the state, then follow from here.
    ///
    /// # Errors
    /// When the chain cannot be reached.
    pub async fn position_now(
        client: &ChainClient,
        confirmations: Confirmations,
    ) -> Result<Option<Cursor>, ReadError> {
        let deploy_block = client.deployment().deploy_block;
        let head = newest(client, confirmations).await?;
        Ok(head.filter(|head| head.number() >= deploy_block).map(|h| Cursor::at(block_ref(&h))))
    }

    /// The position reached: that of the last item, or after empty blocks behind it.
    pub fn cursor(&self) -> Option<&Cursor> {
        self.cursor.as_ref()
    }

    /// The next item; waits until there is one.
    ///
    /// # Errors
    /// See [`StreamError`]; the stream stays usable.
    pub async fn next(&mut self) -> Result<StreamItem, StreamError> {
        loop {
            let Some(target) = newest(&self.client, self.confirmations).await? else {
                sleep(self.poll).await;
                continue;
            };
            if let Some(item) = self.check_reorg().await? {
                return Ok(item);
            }
            let next = self.next_block();
            if target.number() < next {
                if self.cursor.is_some() && !self.told_caught_up {
                    return Ok(self.yield_batch(Vec::new(), true));
                }
                sleep(self.poll).await;
                continue;
            }
            let near_from = target.number().saturating_sub(NEAR_BLOCKS);
            let fetched = if next < near_from {
                self.fetch_range(next, near_from).await?
            } else {
                self.fetch_blocks(next, target.number()).await?
            };
            let Some((events, blocks)) = fetched else {
                // The chain moved under our feet: look again.
                sleep(self.poll).await;
                continue;
            };
            self.advance(blocks);
            let caught_up = self.next_block() > target.number();
            let quiet = self.next_block() - self.yielded.map_or(0, |block| block + 1);
            let first_time = caught_up && !self.told_caught_up;
            if !events.is_empty() || first_time || quiet >= QUIET_BLOCKS {
                return Ok(self.yield_batch(events, caught_up));
            }
        }
    }

    fn yield_batch(&mut self, events: Vec<PositionedEvent>, caught_up: bool) -> StreamItem {
        let cursor = self.cursor.clone().expect("a batch follows at least one block");
        self.yielded = Some(cursor.block().number);
        self.told_caught_up |= caught_up;
        StreamItem::Batch(Batch { events, cursor, caught_up })
    }

    /// The first block not delivered yet.
    fn next_block(&self) -> u64 {
        let start = self.client.deployment().deploy_block;
        self.cursor.as_ref().map_or(start, |cursor| cursor.block().number + 1)
    }

    fn advance(&mut self, blocks: Vec<BlockRef>) {
        for block in blocks {
            match &mut self.cursor {
                Some(cursor) => cursor.advance(block),
                None => self.cursor = Some(Cursor::at(block)),
            }
        }
    }

    /// Looks whether the chain took back the block we stand on.
    async fn check_reorg(&mut self) -> Result<Option<StreamItem>, StreamError> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        match self.hash_of(cursor.block().number).await? {
            Some(hash) if hash == cursor.block().hash => return Ok(None),
            // A chain that is shorter now, or an address that lags behind: it will grow
            // past this number, and then its hash tells which of them it was.
            None => return Ok(None),
            Some(_) => {}
        }
        let mut ancestor = None;
        for block in cursor.history() {
            if self.hash_of(block.number).await? == Some(block.hash) {
                ancestor = Some(cursor.rolled_back(block));
                break;
            }
        }
        tracing::warn!(
            from = cursor.block().number,
            to = ancestor.as_ref().map(|cursor| cursor.block().number),
            "the chain was reorganised"
        );
        self.yielded = ancestor.as_ref().map(|cursor| cursor.block().number);
        self.cursor.clone_from(&ancestor);
        Ok(Some(StreamItem::Reorged { to: ancestor }))
    }

    async fn hash_of(&self, number: u64) -> Result<Option<[u8; 32]>, RpcError> {
        let head = self.client.endpoints().head(BlockTag::Number(number)).await?;
        Ok(head.map(|head| head.hash.0))
    }

    /// Fetches blocks one by one, each linked to the one before, their logs by hash.
    /// `None` when they do not link: a reorganisation is going on.
    async fn fetch_blocks(&self, from: u64, target: u64) -> Result<Fetched, StreamError> {
        let endpoints = self.client.endpoints();
        let mut parent = self.cursor.as_ref().map(|cursor| B256::from(cursor.block().hash));
        let (mut events, mut blocks) = (Vec::new(), Vec::new());
        for number in from..=target.min(from + NEAR_BATCH - 1) {
            let head = endpoints.head(BlockTag::Number(number)).await?;
            let linked = head.filter(|h| parent.is_none_or(|parent| h.parent_hash == parent));
            let Some(head) = linked else { break };
            let query = LogQuery::Block { hash: head.hash, addresses: &self.sources };
            let logs = endpoints.logs(&query).await?;
            if logs.iter().any(|log| log.block_hash != head.hash) {
                break;
            }
            decode_into(logs, &mut events)?;
            parent = Some(head.hash);
            blocks.push(block_ref(&head));
            if events.len() >= LOGS_WANTED {
                break;
            }
        }
        Ok((!blocks.is_empty()).then_some((events, blocks)))
    }

    /// Fetches the logs of many old blocks at once, as many as the chain is willing to
    /// give. `None` when a reorganisation touched them meanwhile.
    async fn fetch_range(&mut self, from: u64, end: u64) -> Result<Fetched, StreamError> {
        let to = end.min(from + self.range - 1);
        let Some(before) = self.hash_of(to).await? else { return Ok(None) };
        let query = LogQuery::Range { from, to, addresses: &self.sources };
        let logs = match self.client.endpoints().logs(&query).await {
            Ok(logs) => logs,
            // Too many blocks or logs for this address, or an answer too long for us.
            Err(error) => {
                let refused = error.refusal().is_some() && self.range > RANGE_MIN;
                tracing::debug!(%error, from, to, "asking for fewer blocks from now on");
                self.range = (self.range / 2).max(RANGE_MIN);
                return if refused { Ok(None) } else { Err(error.into()) };
            }
        };
        let inside = |log: &Log| (from..=to).contains(&log.block_number.to()) && !log.removed;
        if !logs.iter().all(inside) || self.hash_of(to).await? != Some(before) {
            return Ok(None);
        }
        self.range = match logs.len() {
            many if many > LOGS_WANTED => (self.range / 2).max(RANGE_MIN),
            few if few < LOGS_WANTED / 4 => (self.range * 2).min(RANGE_MAX),
            _ => self.range,
        };
        let mut events = Vec::new();
        decode_into(logs, &mut events)?;
        Ok(Some((events, vec![BlockRef { number: to, hash: before }])))
    }
}

/// Events of some blocks, and those of the blocks that enter the cursor.
type Fetched = Option<(Vec<PositionedEvent>, Vec<BlockRef>)>;

/// The newest block that counts; `None` when there is none yet.
async fn newest(
    client: &ChainClient,
    confirmations: Confirmations,
) -> Result<Option<Head>, RpcError> {
    let endpoints = client.endpoints();
    match confirmations {
        Confirmations::Finalized => endpoints.head(BlockTag::Finalized).await,
        Confirmations::Latest | Confirmations::Depth(0) => endpoints.latest().await.map(Some),
        Confirmations::Depth(depth) => {
            match endpoints.latest().await?.number().checked_sub(depth) {
                Some(number) => endpoints.head(BlockTag::Number(number)).await,
                None => Ok(None),
            }
        }
    }
}

fn block_ref(head: &Head) -> BlockRef {
    BlockRef { number: head.number(), hash: head.hash.0 }
}

/// Decodes logs in chain order, whatever order they came in.
fn decode_into(mut logs: Vec<Log>, events: &mut Vec<PositionedEvent>) -> Result<(), EventError> {
    logs.sort_by_key(|log| (log.block_number, log.log_index));
    for log in logs {
        if let Some(event) = ChainEvent::decode(&log)? {
            let position = EventPosition {
                block_number: log.block_number.to(),
                log_index: log.log_index.to(),
                block_hash: log.block_hash.0,
            };
            events.push(PositionedEvent { position, event });
        }
    }
    Ok(())
}
