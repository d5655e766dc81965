//! The accounts that the publisher pays from: each for one store at a time, because the
//! transactions of an account come one after the other.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use walrus_chain::ChainWriter;
use walrus_core::EvmAddress;

/// Contents of which it is remembered who stored them.
const CONTENTS: usize = 4096;

/// SHA-256 of what is stored.
type Content = [u8; 32];

/// All accounts.
pub(crate) struct Wallets {
    all: Vec<ChainWriter>,
    state: Mutex<State>,
    given_back: Notify,
}

struct State {
    /// The one that rested longest first: its last transaction is the most settled.
    idle: VecDeque<ChainWriter>,
    /// Who stored what, and in which order.
    known: BTreeMap<Content, EvmAddress>,
    order: VecDeque<Content>,
}

/// An account in use; given back when dropped.
pub(crate) struct Wallet<'a> {
    wallets: &'a Wallets,
    writer: Option<ChainWriter>,
}

impl Wallets {
    pub(crate) fn new(all: Vec<ChainWriter>) -> Self {
        let state = State {
            idle: all.iter().cloned().collect(),
            known: BTreeMap::new(),
            order: VecDeque::new(),
        };
        Self { all, state: Mutex::new(state), given_back: Notify::new() }
    }

    pub(crate) fn all(&self) -> &[ChainWriter] {
        &self.all
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for an account that nobody uses; for contents that were stored lately, or are
    /// being stored, for the account that does: another one would pay for them again. How
    /// many wait is bounded where requests are let in.
    pub(crate) async fn take(&self, content: &Content) -> Wallet<'_> {
        loop {
            let given_back = self.given_back.notified();
            tokio::pin!(given_back);
            // Before looking, so that nothing that is given back meanwhile is missed.
            given_back.as_mut().enable();
            let writer = self.state().take(content);
            if writer.is_some() {
                return Wallet { wallets: self, writer };
            }
            given_back.await;
        }
    }
}

impl State {
    fn take(&mut self, content: &Content) -> Option<ChainWriter> {
        let place = match self.known.get(content) {
            Some(address) => self.idle.iter().position(|writer| writer.address() == *address)?,
            None => 0,
        };
        let writer = self.idle.remove(place)?;
        if self.known.insert(*content, writer.address()).is_none() {
            self.order.push_back(*content);
        }
        if self.order.len() > CONTENTS
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        Some(writer)
    }
}

impl Wallet<'_> {
    pub(crate) fn writer(&self) -> &ChainWriter {
        self.writer.as_ref().expect("it is taken away only when dropped")
    }
}

impl Drop for Wallet<'_> {
    fn drop(&mut self) {
        self.wallets.state().idle.extend(self.writer.take());
        self.wallets.given_back.notify_waiters();
    }
}
