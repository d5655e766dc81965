//! What this machine remembers of the blobs it stored: their names, and what they cost.
//!
//! Neither goes to the chain. One file for each object, `catalog/<chain>-<contract>/<object>.json`
//! in the state directory, readable by its owner only. Losing it loses no data.

use std::{
    path::{Path, PathBuf},
    sync::Mutex,
};

use serde::{Deserialize, Serialize};
use walrus_chain::Deployment;
use walrus_env::Env;
use walrus_sdk::{Progress, ProgressSink, Stored};

use crate::{commands::store::object, failure::Failure, node_file::write_file};

/// Longest record that is read.
const RECORD_BYTES_MAX: u64 = 64 * 1024;

/// A blob that was stored from here.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Record {
    /// The object on the chain.
    pub object: u64,
    /// Its blob id.
    pub blob_id: String,
    /// The file or files it was made of, as they were named.
    pub name: String,
    /// When, in Unix seconds.
    pub stored_at: u64,
    /// What was paid for it in FROST, extensions included.
    pub cost_frost: u64,
    /// Whether it was encrypted.
    #[serde(default)]
    pub encrypted: bool,
    /// The file with its own key, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
}

impl Record {
    /// What is known of something before it is stored.
    pub fn begun(env: &Env, name: String) -> Self {
        Self {
            object: 0,
            blob_id: String::new(),
            name,
            stored_at: env.clock.unix().as_secs(),
            cost_frost: 0,
            encrypted: false,
            key_file: None,
        }
    }
}

/// The records of one network.
#[derive(Clone, Debug)]
pub struct Catalog {
    directory: PathBuf,
}

impl Catalog {
    /// The catalog of a network in a state directory.
    pub fn new(state: &Path, deployment: &Deployment) -> Self {
        let network = format!("{}-{}", deployment.chain_id, deployment.contracts.system);
        Self { directory: state.join("catalog").join(network) }
    }

    fn path(&self, object: u64) -> PathBuf {
        self.directory.join(format!("{object}.json"))
    }

    /// What is remembered of an object; nothing if that cannot be read.
    pub fn get(&self, object: u64) -> Option<Record> {
        let path = self.path(object);
        let length = std::fs::metadata(&path).ok()?.len();
        let text = (length <= RECORD_BYTES_MAX).then(|| std::fs::read(&path).ok())??;
        serde_json::from_slice(&text).ok()
    }

    /// Remembers an object.
    pub fn put(&self, record: &Record) -> Result<(), Failure> {
        std::fs::create_dir_all(&self.directory).map_err(anyhow::Error::from)?;
        let text = serde_json::to_vec_pretty(record).map_err(anyhow::Error::from)?;
        write_file(&self.path(record.object), &text, true)
    }

    /// Remembers a stored blob, if its object belongs to this account, as `record` names it.
    pub fn remember(&self, stored: &Stored, record: Record) -> Result<(), Failure> {
        let Some(token) = object(stored) else { return Ok(()) };
        let before = self.get(token.0);
        self.put(&Record {
            object: token.0,
            blob_id: stored.blob_id.to_string(),
            // A store that found everything done paid nothing itself.
            cost_frost: stored.cost.total().max(before.map_or(0, |record| record.cost_frost)),
            ..record
        })
    }

    /// Remembers the name when it is paid for, as `progress` says: what is interrupted afterwards
    /// can then be told by it.
    pub fn watch(&self, begun: Record, progress: &ProgressSink) -> ProgressSink {
        let (catalog, progress) = (self.clone(), progress.clone());
        let blob_id = Mutex::new(String::new());
        ProgressSink::new(move |step| {
            match &step {
                Progress::Encoded { blob_id: id, .. } => {
                    if let Ok(mut blob_id) = blob_id.lock() {
                        *blob_id = id.to_string();
                    }
                }
                Progress::Registered { token, .. } if catalog.get(token.0).is_none() => {
                    let blob_id = blob_id.lock().map(|id| id.clone()).unwrap_or_default();
                    let record = Record { object: token.0, blob_id, ..begun.clone() };
                    if let Err(failure) = catalog.put(&record) {
                        tracing::warn!(cause = %failure.cause, "a name is not remembered");
                    }
                }
                _ => {}
            }
            progress.report(step);
        })
    }

    /// Adds to what an object cost.
    pub fn add_cost(&self, object: u64, frost: u64) -> Result<(), Failure> {
        let Some(mut record) = self.get(object) else { return Ok(()) };
        record.cost_frost = record.cost_frost.saturating_add(frost);
        self.put(&record)
    }
}
