//! What went wrong with one node, and what to do about it.

use std::time::Duration;

use walrus_core::Epoch;

use crate::error::ErrorReason;

/// Proof that a node does not do what the protocol says: its answer arrived whole and
/// is wrong in a way that no delay, restart or lag explains.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misbehaviour {
    /// The answer went on beyond the longest that can be right.
    #[error("sent more than the {limit} bytes that a right answer can have")]
    BodyTooLong {
        /// Longest right answer.
        limit: usize,
    },
    /// The answer is not in the form of the protocol.
    #[error("sent an answer that cannot be read: {0}")]
    Undecodable(String),
    /// Metadata that does not belong to the blob id.
    #[error("sent metadata that does not match the blob id: {0}")]
    WrongMetadata(String),
    /// A sliver that does not belong to the metadata.
    #[error("sent a sliver that does not match the metadata: {0}")]
    WrongSliver(String),
    /// A symbol that does not belong to the metadata, or that nobody asked for.
    #[error("sent a recovery symbol that does not match the metadata or the request: {0}")]
    WrongSymbol(String),
    /// A confirmation of something else, or not signed by this node.
    #[error("sent a confirmation that does not confirm: {0}")]
    WrongConfirmation(String),
    /// A status that the route does not have.
    #[error("answered with the unexpected HTTP status {0}")]
    UnexpectedStatus(u16),
}

/// Why a call to a node failed. [`Self::decision`] says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// No connection, or it broke.
    #[error("not reachable: {0}")]
    Unreachable(String),
    /// No complete answer in time.
    #[error("no answer within {after:?}")]
    Timeout {
        /// The time given.
        after: Duration,
    },
    /// The node asks to come back later.
    #[error("busy ({message})")]
    Busy {
        /// The reason, if it gave one that is known.
        reason: Option<ErrorReason>,
        /// Its words.
        message: String,
        /// When to come back, if it said so.
        retry_after: Option<Duration>,
    },
    /// The node does not have it.
    #[error("not found ({message})")]
    NotFound {
        /// Its words.
        message: String,
    },
    /// The node has not seen the blob's registration: it lags behind the chain, or the
    /// blob is not registered.
    #[error("does not know the blob's registration")]
    NotRegistered,
    /// The operator does not serve this blob.
    #[error("does not serve this blob")]
    Forbidden,
    /// The node signs nothing yet: slivers are missing there.
    #[error("has not all slivers of the blob")]
    MissingSlivers,
    /// The node does not hold the shard: it or the caller knows another committee.
    #[error("does not hold this shard")]
    ShardNotAssigned,
    /// The blob was marked invalid.
    #[error("the blob is marked invalid")]
    InvalidBlob,
    /// A confirmation for another epoch: it or the caller is behind.
    #[error("is in epoch {got}, expected {expected}")]
    WrongEpoch {
        /// The caller's epoch.
        expected: Epoch,
        /// The node's.
        got: Epoch,
    },
    /// The node refused the request for another reason.
    #[error("refused with HTTP status {status}: {message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The reason, if it gave one that is known.
        reason: Option<ErrorReason>,
        /// Its words, cut to a bearable length.
        message: String,
    },
    /// The node failed.
    #[error("failed with HTTP status {status}: {message}")]
    Failed {
        /// The HTTP status.
        status: u16,
        /// Its words, cut to a bearable length.
        message: String,
    },
    /// The node broke the protocol.
    #[error(transparent)]
    Misbehaved(#[from] Misbehaviour),
}

/// What a caller does after a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Ask the same node again, after this time if it named one, else with back-off.
    Retry {
        /// What the node asked for.
        after: Option<Duration>,
    },
    /// This node will not help with this request soon: ask another.
    TryAnother,
    /// Ask another, and remember that this one lied.
    Blame,
    /// The caller's own view of committee and epoch may be old: refresh it, then retry.
    Refresh,
}

impl NodeError {
    /// What to do next.
    pub fn decision(&self) -> Decision {
        match self {
            Self::Unreachable(_)
            | Self::Timeout { .. }
            | Self::Failed { .. }
            | Self::NotRegistered
            | Self::MissingSlivers => Decision::Retry { after: None },
            // Primary slivers are withheld for as long as the challenge lasts, which is
            // far longer than a request: others, or secondary slivers, serve at once.
            Self::Busy {
                reason: Some(ErrorReason::ChallengeSealed | ErrorReason::ChallengeCare),
                ..
            } => Decision::TryAnother,
            Self::Busy { retry_after, .. } => Decision::Retry { after: *retry_after },
            // A node that is behind catches up by itself.
            Self::WrongEpoch { expected, got } if got < expected => Decision::Retry { after: None },
            Self::ShardNotAssigned | Self::WrongEpoch { .. } => Decision::Refresh,
            Self::NotFound { .. } | Self::Forbidden | Self::InvalidBlob | Self::Refused { .. } => {
                Decision::TryAnother
            }
            Self::Misbehaved(_) => Decision::Blame,
        }
    }

    /// Whether the same question to the same node may be answered later.
    pub fn may_pass(&self) -> bool {
        matches!(self.decision(), Decision::Retry { .. })
    }

    /// Whether the node broke the protocol.
    pub fn is_misbehaviour(&self) -> bool {
        matches!(self, Self::Misbehaved(_))
    }
}
