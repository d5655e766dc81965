//! JSON answers of a node (docs/protocol/http-api.md sections 1 and 3). Confirmations
//! are [`walrus_core::SignedConfirmation`], attestations [`walrus_core::SignedMessage`].

use serde::{Deserialize, Serialize};
use walrus_core::{Epoch, ProtocolPublicKey};

/// The answer to storing metadata: stored now.
pub const METADATA_STORED: &str = "metadata successfully stored";
/// The answer to storing metadata that was already there.
pub const METADATA_ALREADY_STORED: &str = "metadata already stored";
/// The answer to storing a sliver: stored now.
pub const SLIVER_STORED: &str = "sliver stored successfully";
/// The answer to storing a sliver that was already there.
pub const SLIVER_ALREADY_STORED: &str = "sliver already stored";

/// Every JSON answer of a node that is no error: `{"success": {"code", "data"}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope<T> {
    /// The only field.
    pub success: Success<T>,
}

/// What [`Envelope`] holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Success<T> {
    /// The HTTP status.
    pub code: u16,
    /// The answer itself.
    pub data: T,
}

impl<T> Envelope<T> {
    /// Wraps an answer sent with status `code`.
    pub fn new(code: u16, data: T) -> Self {
        Self { success: Success { code, data } }
    }
}

/// Whether metadata or a sliver is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoredStatus {
    /// Not here.
    Nonexistent,
    /// In memory, waiting for the blob's registration.
    Buffered,
    /// On disk.
    Stored,
}

/// What a node did with metadata or a sliver sent to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutOutcome {
    /// Stored now (201).
    Stored,
    /// Buffered until the blob is registered (202).
    Buffered,
    /// It was there before (200).
    AlreadyThere,
}

impl PutOutcome {
    /// The HTTP status that says so.
    pub fn http(self) -> http::StatusCode {
        match self {
            Self::Stored => http::StatusCode::CREATED,
            Self::Buffered => http::StatusCode::ACCEPTED,
            Self::AlreadyThere => http::StatusCode::OK,
        }
    }

    /// What a status says; `None` for one that is no success of a put.
    pub fn from_http(status: http::StatusCode) -> Option<Self> {
        match status {
            http::StatusCode::CREATED => Some(Self::Stored),
            http::StatusCode::ACCEPTED => Some(Self::Buffered),
            http::StatusCode::OK => Some(Self::AlreadyThere),
            _ => None,
        }
    }
}

/// Names the chain event that a status rests on, in the two fields that existing
/// clients know: the transaction hash, `0x` and 64 hex digits, and the log's index in
/// its block, decimal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventId {
    /// The transaction.
    pub tx_digest: String,
    /// The log within the block.
    pub event_seq: String,
}

impl EventId {
    /// Writes the two parts as text.
    pub fn new(tx_hash: &[u8; 32], log_index: u64) -> Self {
        let hex: String = tx_hash.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { tx_digest: format!("0x{hex}"), event_seq: log_index.to_string() }
    }
}

/// How many deletable objects a blob id has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DeletableCounts {
    /// Registered, certified or not.
    pub count_deletable_total: u32,
    /// Certified.
    pub count_deletable_certified: u32,
}

/// What a node knows of a blob id from the chain
/// (docs/protocol/http-api.md section 3.7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BlobStatus {
    /// Never registered, or no longer.
    Nonexistent,
    /// Proved to be encoded inconsistently.
    Invalid {
        /// The event that said so.
        event: EventId,
    },
    /// At least one object that cannot be deleted.
    #[serde(rename_all = "camelCase")]
    Permanent {
        /// First epoch in which it is no longer stored.
        end_epoch: Epoch,
        /// Whether its availability was certified.
        is_certified: bool,
        /// The event behind this status.
        status_event: EventId,
        /// Deletable objects besides.
        deletable_counts: DeletableCounts,
        /// The epoch of the first certification, if certified.
        initial_certified_epoch: Option<Epoch>,
    },
    /// Only objects that can be deleted at any time.
    #[serde(rename_all = "camelCase")]
    Deletable {
        /// The epoch of the first certification, if any is certified.
        initial_certified_epoch: Option<Epoch>,
        /// How many objects there are.
        deletable_counts: DeletableCounts,
    },
}

impl BlobStatus {
    /// The epoch in which the blob was first certified, if it is certified.
    pub fn initial_certified_epoch(&self) -> Option<Epoch> {
        match self {
            Self::Nonexistent | Self::Invalid { .. } => None,
            Self::Permanent { initial_certified_epoch, .. }
            | Self::Deletable { initial_certified_epoch, .. } => *initial_certified_epoch,
        }
    }

    /// Whether readers may expect to find the blob.
    pub fn is_certified(&self) -> bool {
        match self {
            Self::Nonexistent | Self::Invalid { .. } => false,
            Self::Permanent { is_certified, deletable_counts, .. } => {
                *is_certified || deletable_counts.count_deletable_certified > 0
            }
            Self::Deletable { deletable_counts, .. } => {
                deletable_counts.count_deletable_certified > 0
            }
        }
    }

    /// What statuses are compared by to find the latest: nonexistent, deletable,
    /// permanent, invalid; then as the protocol page says, an earlier certification
    /// being later news.
    fn rank(&self) -> impl Ord {
        type Early = Option<std::cmp::Reverse<Epoch>>;
        let early = |epoch: &Option<Epoch>| -> Early { epoch.map(std::cmp::Reverse) };
        let counts = |c: &DeletableCounts| (c.count_deletable_certified, c.count_deletable_total);
        match self {
            Self::Nonexistent => (0, false, Epoch(0), (0, 0), None),
            Self::Deletable { initial_certified_epoch, deletable_counts } => {
                (1, false, Epoch(0), counts(deletable_counts), early(initial_certified_epoch))
            }
            Self::Permanent {
                end_epoch,
                is_certified,
                deletable_counts,
                initial_certified_epoch,
                ..
            } => (
                2,
                *is_certified,
                *end_epoch,
                counts(deletable_counts),
                early(initial_certified_epoch),
            ),
            Self::Invalid { .. } => (3, false, Epoch(0), (0, 0), None),
        }
    }

    /// Compares by how late in a blob's life a status is; equal for statuses that
    /// differ only in the events they cite.
    pub fn cmp_lateness(&self, other: &Self) -> std::cmp::Ordering {
        self.rank().cmp(&other.rank())
    }
}

/// A span of time as `{"secs", "nanos"}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DurationJson {
    /// Whole seconds.
    pub secs: u64,
    /// The rest, below 1,000,000,000.
    pub nanos: u32,
}

impl From<std::time::Duration> for DurationJson {
    fn from(duration: std::time::Duration) -> Self {
        Self { secs: duration.as_secs(), nanos: duration.subsec_nanos() }
    }
}

/// A node about itself (docs/protocol/http-api.md section 3.12).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceHealth {
    /// Since the process started.
    pub uptime: DurationJson,
    /// The epoch the node believes to be in.
    pub epoch: Epoch,
    /// Its protocol key.
    pub public_key: ProtocolPublicKey,
    /// `Active`, `Standby` and so on (docs/protocol/node-and-client.md A.2).
    pub node_status: String,
    /// How far it has followed the chain.
    pub event_progress: EventProgress,
    /// Its shards, counted.
    pub shard_summary: ShardSummary,
    /// Its shards, listed; only when asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard_detail: Option<ShardDetail>,
    /// The latest block seen, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest_checkpoint_sequence_number: Option<u64>,
}

/// Progress along the event stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventProgress {
    /// Events whose effects are all done and recorded.
    pub persisted: u64,
    /// Events begun and not done.
    pub pending: u64,
    /// The latest finished one.
    pub highest_finished_event_index: Option<u64>,
}

/// Shards by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShardSummary {
    /// Shards of the current committee's assignment.
    pub owned: u32,
    /// The owned ones by state.
    pub owned_shard_status: OwnedShardStatus,
    /// Shards kept only to hand them over.
    pub read_only: u32,
}

/// Owned shards by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnedShardStatus {
    /// Not known.
    pub unknown: u32,
    /// Complete.
    pub ready: u32,
    /// Being received from the node that had them.
    pub in_transfer: u32,
    /// Being rebuilt from others.
    pub in_recovery: u32,
}

/// The shards of a node, one by one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShardDetail {
    /// Assigned to it.
    pub owned: Vec<ShardHealth>,
    /// Others it still has data of.
    pub other: Vec<ShardHealth>,
}

/// One shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardHealth {
    /// Its index.
    pub shard: u16,
    /// Its state.
    pub status: ShardStatusWord,
}

/// The state of a shard as a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ShardStatusWord {
    /// Not known.
    Unknown,
    /// Complete.
    Ready,
    /// Being received.
    InTransfer,
    /// Being rebuilt.
    InRecovery,
    /// Kept only to hand it over.
    ReadOnly,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn permanent(certified: Option<u32>, end: u32) -> BlobStatus {
        BlobStatus::Permanent {
            end_epoch: Epoch(end),
            is_certified: certified.is_some(),
            status_event: EventId::new(&[0xab; 32], 4),
            deletable_counts: DeletableCounts::default(),
            initial_certified_epoch: certified.map(Epoch),
        }
    }

    #[test]
    fn json_forms_are_those_of_the_protocol_page() {
        // Existing clients compare these words and field names.
        let value = |status: &BlobStatus| serde_json::to_value(status).unwrap();
        assert_eq!(value(&BlobStatus::Nonexistent), json!("nonexistent"));
        assert_eq!(
            value(&permanent(Some(2), 9)),
            json!({"permanent": {
                "endEpoch": 9, "isCertified": true,
                "statusEvent": {"txDigest": format!("0x{}", "ab".repeat(32)), "eventSeq": "4"},
                "deletableCounts": {"count_deletable_total": 0, "count_deletable_certified": 0},
                "initialCertifiedEpoch": 2}})
        );
        let deletable = BlobStatus::Deletable {
            initial_certified_epoch: None,
            deletable_counts: DeletableCounts { count_deletable_total: 1, ..Default::default() },
        };
        assert_eq!(
            value(&deletable),
            json!({"deletable": {"initialCertifiedEpoch": null, "deletableCounts":
                {"count_deletable_total": 1, "count_deletable_certified": 0}}})
        );
        assert_eq!(
            serde_json::to_value(Envelope::new(200, StoredStatus::Buffered)).unwrap(),
            json!({"success": {"code": 200, "data": "buffered"}})
        );
        assert_eq!(serde_json::to_value(ShardStatusWord::InTransfer).unwrap(), "inTransfer");
    }

    #[test]
    fn later_statuses_compare_greater() {
        // A client that trusted an older status would miss a certified or invalid blob.
        let deletable = |certified| BlobStatus::Deletable {
            initial_certified_epoch: None,
            deletable_counts: DeletableCounts {
                count_deletable_total: 2,
                count_deletable_certified: certified,
            },
        };
        let invalid = BlobStatus::Invalid { event: EventId::new(&[0; 32], 0) };
        let rising = [
            BlobStatus::Nonexistent,
            deletable(0),
            deletable(1),
            permanent(None, 9),
            permanent(Some(3), 5),
            permanent(Some(2), 5),
            permanent(Some(3), 9),
            invalid,
        ];
        for pair in rising.windows(2) {
            assert!(pair[0].cmp_lateness(&pair[1]).is_lt(), "{pair:?}");
        }
    }

    #[test]
    fn put_outcomes_are_told_by_their_status() {
        for outcome in [PutOutcome::Stored, PutOutcome::Buffered, PutOutcome::AlreadyThere] {
            assert_eq!(PutOutcome::from_http(outcome.http()), Some(outcome));
        }
        assert_eq!(PutOutcome::from_http(http::StatusCode::NO_CONTENT), None);
    }
}
