//! What this machine remembers of the blobs it stored: their names, and what they cost.
//!
//! Neither goes to the chain. One file for each object, `catalog/<chain>-<contract>/<object>.json`
//! in the state directory, readable by its owner only. Losing it loses no data.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use walrus_chain::Deployment;

use crate::{failure::Failure, node_file::write_file};

/// Longest record that is read.
const RECORD_BYTES_MAX: u64 = 64 * 1024;

/// A blob that was stored from here.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Record {
    /// The object on the chain.
    pub object: u64,
    /// Its blob id.
    pub blob_id: String,
    /// The file it was made of, as it was named.
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

    /// Adds to what an object cost.
    pub fn add_cost(&self, object: u64, frost: u64) -> Result<(), Failure> {
        let Some(mut record) = self.get(object) else { return Ok(()) };
        record.cost_frost = record.cost_frost.saturating_add(frost);
        self.put(&record)
    }
}
