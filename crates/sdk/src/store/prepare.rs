//! What a store needs that does not depend on the blob id, found out while it is encoded.

use std::time::Duration;

use tokio::time::Instant;
use walrus_chain::Cost;
use walrus_env::{AbortOnDrop, Env};

use super::{Store, StoreError};
use crate::cache::Snapshot;
use crate::network::CommitteeView;

/// What the storing account can pay, and what for.
#[derive(Clone, Debug)]
pub(super) struct Account {
    snapshot: Snapshot,
    /// FROST that it holds.
    held: u64,
    at: Instant,
}

/// Opens a connection to every node, so that the upload need not wait for handshakes.
/// Stopped when the guard is dropped; a node that does not answer is of no concern yet.
pub(super) fn connect(env: &Env, view: &CommitteeView) -> AbortOnDrop {
    let clients: Vec<_> = view.nodes().iter().filter_map(|node| node.client.clone().ok()).collect();
    let greet = async move {
        let greetings = clients.iter().map(|client| client.health(false));
        futures::future::join_all(greetings).await;
    };
    env.spawn("connect to nodes", greet).abort_on_drop()
}

impl Store<'_> {
    /// Prices and the account, if the chain answers; if not, it is asked again when the
    /// answer is needed.
    pub(super) async fn account(&self) -> Option<Account> {
        match self.ask_account().await {
            Ok(account) => Some(account),
            Err(error) => {
                tracing::info!(%error, "the account could not be looked up ahead of time");
                None
            }
        }
    }

    async fn ask_account(&self) -> Result<Account, StoreError> {
        let at = Instant::now();
        let chain = self.client.chain();
        let owner = self.writer.address();
        let snapshot = async { Ok::<_, StoreError>(self.client.cache().refresh().await?) };
        let held = async { Ok::<_, StoreError>(chain.wal_balance(owner).await?) };
        let (snapshot, held) = futures::future::try_join(snapshot, held).await?;
        Ok(Account { snapshot, held, at })
    }

    /// What the store costs at present prices, if it may cost that and can be paid. What was
    /// found out ahead of time counts unless encoding took so long that it may be wrong by
    /// now.
    pub(super) async fn affordable(
        &self,
        encoded_bytes: u64,
        ahead: Option<Account>,
    ) -> Result<Cost, StoreError> {
        let max_age: Duration = self.client.config().max_network_age;
        let account = match ahead.filter(|account| account.at.elapsed() < max_age) {
            Some(account) => account,
            None => self.ask_account().await?,
        };
        let prices = account.snapshot.network.prices;
        if !prices.are_set() {
            return Err(StoreError::NoPrices);
        }
        let cost = prices.cost(encoded_bytes, self.options.epochs);
        if let Some(max) = self.options.max_cost
            && cost.total() > max
        {
            return Err(StoreError::TooExpensive { cost: cost.total(), max });
        }
        let held = account.held;
        if held < cost.total() {
            let account = self.writer.address();
            return Err(StoreError::NotEnoughWal { needed: cost.total(), held, account });
        }
        Ok(cost)
    }
}
