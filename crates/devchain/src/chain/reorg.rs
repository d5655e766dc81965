//! Taking blocks back: reorganisations and snapshots.

use std::collections::BTreeMap;

use alloy::primitives::B256;

use super::{
    Chain,
    block::Block,
    ledger::{Step, UNDO_MAX},
    state::Change,
};
use crate::ChainError;

/// Most snapshots kept; the oldest goes first.
const SNAPSHOTS_MAX: usize = 64;

/// Blocks to return to.
#[derive(Debug, Default)]
pub(super) struct Snapshots {
    by_id: BTreeMap<u64, Snapshot>,
    taken: u64,
}

#[derive(Debug)]
struct Snapshot {
    number: u64,
    hash: B256,
    time_offset: u64,
}

impl Chain {
    /// Replaces the last `depth` blocks by as many with other hashes. With
    /// `keep_transactions` the dropped ones wait again, and so are mined in the
    /// first replacement; otherwise they are forgotten.
    ///
    /// # Errors
    /// [`ChainError::TooDeep`] if block 1 or the stored changes do not reach so far.
    pub fn reorg(
        &mut self,
        now: u64,
        depth: u64,
        keep_transactions: bool,
    ) -> Result<(), ChainError> {
        let dropped = self.drop_blocks(depth)?;
        if keep_transactions {
            for mined in dropped.into_iter().flat_map(|block| block.transactions) {
                if let Err(reason) = self.pool.insert(mined.transaction, mined.sender) {
                    tracing::warn!(reason, "a dropped transaction cannot wait again");
                }
            }
        }
        (0..depth).try_for_each(|_| self.mine(now).map(|_| ()))
    }

    /// Remembers the head; answers the snapshot's id.
    pub(super) fn snapshot(&mut self) -> u64 {
        let snapshots = &mut self.snapshots;
        snapshots.taken += 1;
        let (number, hash) = (self.head.number, self.head.hash());
        let snapshot = Snapshot { number, hash, time_offset: self.meta.time_offset };
        snapshots.by_id.insert(snapshots.taken, snapshot);
        if snapshots.by_id.len() > SNAPSHOTS_MAX {
            snapshots.by_id.pop_first();
        }
        snapshots.taken
    }

    /// Returns to a snapshot, which is used up with all later ones; whether it is
    /// known and still part of the chain. Waiting transactions are forgotten.
    pub(super) fn revert(&mut self, id: u64) -> Result<bool, ChainError> {
        let later = self.snapshots.by_id.split_off(&id);
        let Some((_, snapshot)) = later.into_iter().next().filter(|(found, _)| *found == id) else {
            return Ok(false);
        };
        let header = self.ledger.header(snapshot.number)?;
        if header.is_none_or(|header| header.hash() != snapshot.hash) {
            return Ok(false);
        }
        self.pool.clear();
        self.next_timestamp = None;
        self.meta.time_offset = snapshot.time_offset;
        self.drop_blocks(self.head.number - snapshot.number)?;
        Ok(true)
    }

    /// Takes the last `depth` blocks off; answers them in order.
    fn drop_blocks(&mut self, depth: u64) -> Result<Vec<Block>, ChainError> {
        self.check_running()?;
        let available = self.head.number.min(UNDO_MAX);
        if depth > available {
            return Err(ChainError::TooDeep { depth, available });
        }
        let target = self.head.number - depth;
        let (mut dropped, mut undone) = (Vec::new(), Change::default());
        for number in (target + 1..=self.head.number).rev() {
            let change = self.ledger.change(number)?;
            undone.merge_earlier(change.ok_or(ChainError::Corrupt("a change is missing"))?);
            let block = self.ledger.block(number)?;
            dropped.insert(0, block.ok_or(ChainError::Corrupt("a block is missing"))?);
        }
        let head = self.ledger.header(target)?.ok_or(ChainError::Corrupt("a header is missing"))?;

        self.state.undo(&undone);
        self.meta.head = target;
        self.meta.branch += 1;
        let step = Step {
            meta: &self.meta,
            state: &self.state,
            touched: &undone,
            dropped: &dropped,
            mined: None,
        };
        if let Err(error) = self.ledger.commit(&step) {
            self.stopped = true;
            return Err(error);
        }
        self.head = head;
        self.load_hashes()?;
        self.filters.blocks_dropped(&dropped, target);
        Ok(dropped)
    }
}
