//! What a storage challenge asks of each node, drawn from a seed
//! (docs/protocol/onchain.md section 2.9).
//!
//! The contract and every node compute the same from the same seed and the same log of
//! certified blobs; `contracts/test/vectors/challenge-samples.json`, which the Solidity
//! tests write from what the contract accepts, holds both together.
//!
//! ```
//! use walrus_core::challenge::*;
//! use walrus_core::{ChallengeSeed, Epoch, EvmAddress, NodeId, ShardIndex, TokenId};
//!
//! // The log from its first candidate on: two blobs of 63 and 1 units.
//! let entries = vec![
//!     LogEntry { token: TokenId(1), cumulative_units: 63 },
//!     LogEntry { token: TokenId(2), cumulative_units: 64 },
//! ];
//! let log = CandidateLog::new(0, 0, entries)?;
//! let k = SampleRules::default().sample_count(log.len());
//! assert_eq!(k, 16);
//!
//! let seed = ChallengeSeed::derive(&[7; 32], Epoch(1), 31_337, EvmAddress([0xc4; 20]));
//! let sample = log.draw(&seed, 0, |_, _| EntryStatus::Live);
//! assert!(matches!(sample.outcome, SampleOutcome::Blob(TokenId(1 | 2))));
//! let shards = [ShardIndex(3), ShardIndex(8)];
//! assert!(shards.contains(&own_shard(&seed, NodeId(5), 0, &shards).expect("it has shards")));
//! # Ok::<(), LogError>(())
//! ```

mod draws;
mod log;
mod rules;

pub use draws::{chain_symbol, common_symbol, own_shard, peer_shard};
pub use log::{
    CandidateLog, DrawnSample, EntryStatus, LogEntry, LogError, MAX_ATTEMPTS, SampleOutcome,
};
pub use rules::{SampleRules, spot_checks, tolerated_missing};
