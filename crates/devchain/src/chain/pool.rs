//! Transactions that wait for a block, or for an earlier nonce.

use std::collections::BTreeMap;

use alloy::{
    consensus::Transaction,
    primitives::{Address, B256},
};

use super::{block::SignedTransaction, state::State};

/// Most waiting transactions, all senders together.
const TRANSACTIONS_MAX: usize = 4096;

/// Most waiting transactions of one sender.
const PER_SENDER_MAX: usize = 512;

/// A replacement must offer this much more than what it replaces.
const PRICE_BUMP_PERCENT: u128 = 10;

/// A waiting transaction.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) transaction: SignedTransaction,
    pub(super) sender: Address,
    arrival: u64,
}

/// All waiting transactions, by sender and nonce.
#[derive(Debug, Default)]
pub(super) struct Pool {
    by_sender: BTreeMap<Address, BTreeMap<u64, Waiting>>,
    by_hash: BTreeMap<B256, (Address, u64)>,
    arrivals: u64,
}

impl Pool {
    /// The waiting transaction with this hash.
    pub(super) fn get(&self, hash: B256) -> Option<&Waiting> {
        let (sender, nonce) = self.by_hash.get(&hash)?;
        self.by_sender.get(sender)?.get(nonce)
    }

    /// Takes a transaction in.
    ///
    /// # Errors
    /// The reason: known, underpriced as a replacement, or no room.
    pub(super) fn insert(
        &mut self,
        transaction: SignedTransaction,
        sender: Address,
    ) -> Result<(), String> {
        let (hash, nonce) = (*transaction.tx_hash(), transaction.nonce());
        if self.by_hash.contains_key(&hash) {
            return Err("already known".to_owned());
        }
        let queue = self.by_sender.entry(sender).or_default();
        if let Some(replaced) = queue.get(&nonce) {
            let enough = |new: u128, old: u128| {
                new >= old.saturating_add(old.saturating_mul(PRICE_BUMP_PERCENT) / 100)
            };
            let (new, old) = (&transaction, &replaced.transaction);
            let tip = |t: &SignedTransaction| t.priority_fee_or_price();
            if !enough(new.max_fee_per_gas(), old.max_fee_per_gas()) || !enough(tip(new), tip(old))
            {
                return Err("replacement transaction underpriced".to_owned());
            }
            self.by_hash.remove(old.tx_hash());
        } else if queue.len() >= PER_SENDER_MAX || self.by_hash.len() >= TRANSACTIONS_MAX {
            return Err(format!(
                "txpool is full: {} transactions wait, {} of this sender",
                self.by_hash.len(),
                queue.len()
            ));
        }
        self.arrivals += 1;
        queue.insert(nonce, Waiting { transaction, sender, arrival: self.arrivals });
        self.by_hash.insert(hash, (sender, nonce));
        Ok(())
    }

    /// Removes a transaction, if it waits.
    pub(super) fn remove(&mut self, hash: B256) {
        let Some((sender, nonce)) = self.by_hash.remove(&hash) else { return };
        if let Some(queue) = self.by_sender.get_mut(&sender) {
            queue.remove(&nonce);
            if queue.is_empty() {
                self.by_sender.remove(&sender);
            }
        }
    }

    /// Removes all.
    pub(super) fn clear(&mut self) {
        self.by_sender.clear();
        self.by_hash.clear();
    }

    /// The earliest arrival that could be executed next in a block with this
    /// base fee and so much gas left.
    pub(super) fn next(&self, state: &State, base_fee: u64, gas_left: u64) -> Option<&Waiting> {
        let ready = self.by_sender.iter().filter_map(|(sender, queue)| {
            let waiting = queue.get(&state.account(*sender).nonce)?;
            let transaction = &waiting.transaction;
            let fits = transaction.gas_limit() <= gas_left;
            (fits && transaction.max_fee_per_gas() >= u128::from(base_fee)).then_some(waiting)
        });
        ready.min_by_key(|waiting| waiting.arrival)
    }

    /// The nonce after the unbroken run of waiting ones that starts at `nonce`.
    pub(super) fn nonce_after(&self, sender: Address, nonce: u64) -> u64 {
        let Some(queue) = self.by_sender.get(&sender) else { return nonce };
        (nonce..).find(|nonce| !queue.contains_key(nonce)).unwrap_or(nonce)
    }

    /// Forgets what can never be executed because its nonce is used.
    pub(super) fn prune(&mut self, state: &State) {
        for (sender, queue) in &mut self.by_sender {
            let next = state.account(*sender).nonce;
            for waiting in queue.range(..next).map(|(_, waiting)| waiting) {
                self.by_hash.remove(waiting.transaction.tx_hash());
            }
            *queue = queue.split_off(&next);
        }
        self.by_sender.retain(|_, queue| !queue.is_empty());
    }
}
