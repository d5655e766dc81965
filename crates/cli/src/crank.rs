//! The errand of a local network: every step that is due and open to anyone, so that
//! epochs pass, prices follow votes and rewards arrive.

use std::time::Duration;

use walrus_chain::ChainWriter;

/// Pause between two looks at the network.
const INTERVAL: Duration = Duration::from_secs(1);

/// Takes each step as soon as it is due. Never ends.
pub async fn run(writer: ChainWriter) {
    loop {
        match writer.crank().await {
            Ok(Some(step)) => tracing::info!(%step, "crank"),
            Ok(None) => tokio::time::sleep(INTERVAL).await,
            Err(error) => {
                tracing::warn!(%error, "a step of the network failed; trying again");
                tokio::time::sleep(INTERVAL).await;
            }
        }
    }
}
