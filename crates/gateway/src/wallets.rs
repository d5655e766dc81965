//! The accounts that the publisher pays from: each for one store at a time, because the
//! transactions of an account come one after the other.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};
use walrus_chain::ChainWriter;

use crate::error::Error;

/// All accounts.
pub(crate) struct Wallets {
    all: Vec<ChainWriter>,
    idle: Mutex<VecDeque<ChainWriter>>,
    turns: Semaphore,
}

/// An account in use; given back when dropped.
pub(crate) struct Wallet<'a> {
    wallets: &'a Wallets,
    writer: Option<ChainWriter>,
    _turn: SemaphorePermit<'a>,
}

impl Wallets {
    pub(crate) fn new(all: Vec<ChainWriter>) -> Self {
        let turns = Semaphore::new(all.len());
        Self { idle: Mutex::new(all.iter().cloned().collect()), all, turns }
    }

    pub(crate) fn all(&self) -> &[ChainWriter] {
        &self.all
    }

    /// Waits for an account that nobody uses. How many wait is bounded where requests are
    /// let in.
    pub(crate) async fn take(&self) -> Result<Wallet<'_>, Error> {
        let turn = self.turns.acquire().await.map_err(Error::internal)?;
        // The one that rested longest: its last transaction is the most settled.
        let writer = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let writer = Some(writer.ok_or_else(|| Error::internal("a turn without a wallet"))?);
        Ok(Wallet { wallets: self, writer, _turn: turn })
    }
}

impl Wallet<'_> {
    pub(crate) fn writer(&self) -> &ChainWriter {
        self.writer.as_ref().expect("it is taken away only when dropped")
    }
}

impl Drop for Wallet<'_> {
    fn drop(&mut self) {
        let mut idle = self.wallets.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.extend(self.writer.take());
    }
}
