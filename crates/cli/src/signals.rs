//! Ending a long-running command.

use futures::future::{Either, select};
use tokio::signal::unix::{SignalKind, signal};

/// Resolves when the user (Ctrl-C) or the system (SIGTERM) asks the process to end.
pub async fn wait_for_stop() {
    let interrupt = std::pin::pin!(tokio::signal::ctrl_c());
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            let terminate = std::pin::pin!(terminate.recv());
            match select(interrupt, terminate).await {
                Either::Left(_) | Either::Right(_) => {}
            }
        }
        // Without a handler the default one ends the process, which is what was asked for.
        Err(_) => {
            let _ = interrupt.await;
        }
    }
}
