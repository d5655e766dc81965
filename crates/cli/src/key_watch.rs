//! A node's errand during a rotation of its key: handing the running node the key that
//! `walrus node rotate-key` put on disk, before the committee that knows it begins.

use std::{path::PathBuf, time::Duration};

use walrus_node::ProtocolKeys;

use crate::node_file::NodeKeys;

/// Pause between two looks; much shorter than the part of an epoch that follows a selection.
const INTERVAL: Duration = Duration::from_secs(2);

/// Adds the protocol keys in the node's directory as they appear. Never ends.
pub async fn run(dir: PathBuf, keys: ProtocolKeys) {
    loop {
        match NodeKeys::read(&dir) {
            Ok(found) => found.protocol.into_iter().for_each(|key| keys.add(key)),
            Err(error) => tracing::warn!(error = %error.cause, "reading the keys failed"),
        }
        tokio::time::sleep(INTERVAL).await;
    }
}
