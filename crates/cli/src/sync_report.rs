//! The operator's errand at each epoch: reporting that the node is in sync.
//!
//! With an unchanged committee a node has nothing to move, so it reports as soon as
//! the epoch begins.

use std::time::Duration;

use walrus_chain::{ChainWriter, ContractError, EpochPhase};
use walrus_core::{Epoch, NodeId};

/// Pause between two looks at the epoch.
const INTERVAL: Duration = Duration::from_secs(2);

/// Reports `node` in sync once in each epoch in which it is a member. Never ends.
pub async fn run(writer: ChainWriter, node: NodeId) {
    let mut reported = Epoch(0);
    loop {
        match report(&writer, node, reported).await {
            Ok(Some(epoch)) => reported = epoch,
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "reporting in sync failed; trying again"),
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Reports for the current epoch unless it is done; the epoch reported for.
async fn report(
    writer: &ChainWriter,
    node: NodeId,
    reported: Epoch,
) -> Result<Option<Epoch>, walrus_chain::WriteError> {
    let action = "look at the epoch";
    let read = |source| walrus_chain::WriteError::Read { action, source };
    let snapshot = writer.client().snapshot().await.map_err(read)?;
    let state = snapshot.view.epoch;
    let member = snapshot.committee.is_some_and(|c| c.seat_of(node).is_some());
    if !member || state.epoch == reported || state.phase != EpochPhase::Sync {
        return Ok(None);
    }
    match writer.sync_done(node, state.epoch).await {
        Ok(_) => Ok(Some(state.epoch)),
        Err(error) => match error.contract_error() {
            // A report of an earlier life of this process.
            Some(ContractError::AlreadyReported { .. }) => Ok(Some(state.epoch)),
            _ => Err(error),
        },
    }
}
