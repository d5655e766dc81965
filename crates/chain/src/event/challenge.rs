//! Storage challenges (docs/protocol/onchain.md section 2.9).

use walrus_core::{Epoch, NodeId, TokenId};

use crate::abi::{Plain, challenges, system};

/// What happened to the challenge of an epoch, or to the log it draws from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChallengeEvent {
    /// Members may acknowledge.
    Opened {
        /// The epoch.
        epoch: Epoch,
        /// First log entry that can be drawn.
        log_start: u64,
        /// End of those that can be drawn.
        log_end: u64,
        /// Samples exchanged between peers.
        samples: u16,
    },
    /// A member promised to keep the rules.
    Acked {
        /// The epoch.
        epoch: Epoch,
        /// The member.
        node_id: NodeId,
    },
    /// A quorum promised: the seed comes out of this block.
    Armed {
        /// The epoch.
        epoch: Epoch,
        /// The block.
        seed_block: u64,
    },
    /// The seed is known.
    Seed {
        /// The epoch.
        epoch: Epoch,
        /// The seed.
        seed: [u8; 32],
        /// Unix time from which answers no longer count.
        close_time: u64,
    },
    /// A quorum certificate says that the member answered.
    Certified {
        /// The epoch.
        epoch: Epoch,
        /// The member.
        node_id: NodeId,
    },
    /// Samples of a member were proved on chain.
    Proved {
        /// The epoch.
        epoch: Epoch,
        /// The member.
        node_id: NodeId,
        /// All that are proved so far, as bits, big endian.
        samples: [u8; 32],
    },
    /// A member passed.
    Passed {
        /// The epoch.
        epoch: Epoch,
        /// The member.
        node_id: NodeId,
    },
    /// A member proved all that spares it the strike.
    Rescued {
        /// The epoch.
        epoch: Epoch,
        /// The member.
        node_id: NodeId,
    },
    /// The epoch ended and too few passed: no consequences.
    Void {
        /// The epoch.
        epoch: Epoch,
    },
    /// The epoch ended.
    Closed {
        /// The epoch.
        epoch: Epoch,
        /// Bit per seat, big endian: passed.
        passed: [u8; 32],
        /// Bit per seat, big endian: did not pass, but is spared the strike.
        rescued: [u8; 32],
    },
    /// The log of certified blobs starts later.
    LogTrimmed {
        /// Its first entry.
        log_start: u64,
    },
    /// A blob that lives was moved from the start of the log to its end.
    LogEntryMoved {
        /// The blob object.
        token_id: TokenId,
        /// Old entry.
        from: u32,
        /// New entry.
        to: u32,
    },
}

decoders! { ChallengeEvent:
    challenges::Challenges::ChallengeOpened => |e| ChallengeEvent::Opened {
        epoch: Epoch(e.epoch),
        log_start: e.logStart,
        log_end: e.logLength,
        samples: e.k,
    };
    challenges::Challenges::ChallengeAcked => |e| ChallengeEvent::Acked {
        epoch: Epoch(e.epoch),
        node_id: NodeId(e.nodeId),
    };
    challenges::Challenges::ChallengeArmed => |e| ChallengeEvent::Armed {
        epoch: Epoch(e.epoch),
        seed_block: e.seedBlock,
    };
    challenges::Challenges::ChallengeSeed => |e| ChallengeEvent::Seed {
        epoch: Epoch(e.epoch),
        seed: e.seed.plain(),
        close_time: e.closeTime,
    };
    challenges::Challenges::ChallengeCertified => |e| ChallengeEvent::Certified {
        epoch: Epoch(e.epoch),
        node_id: NodeId(e.nodeId),
    };
    challenges::Challenges::ChallengeProved => |e| ChallengeEvent::Proved {
        epoch: Epoch(e.epoch),
        node_id: NodeId(e.nodeId),
        samples: e.samples.plain(),
    };
    challenges::Challenges::ChallengePassed => |e| ChallengeEvent::Passed {
        epoch: Epoch(e.epoch),
        node_id: NodeId(e.nodeId),
    };
    challenges::Challenges::ChallengeRescued => |e| ChallengeEvent::Rescued {
        epoch: Epoch(e.epoch),
        node_id: NodeId(e.nodeId),
    };
    challenges::Challenges::ChallengeVoid => |e| ChallengeEvent::Void { epoch: Epoch(e.epoch) };
    challenges::Challenges::ChallengeClosed => |e| ChallengeEvent::Closed {
        epoch: Epoch(e.epoch),
        passed: e.passed.plain(),
        rescued: e.rescued.plain(),
    };
    challenges::Challenges::LogTrimmed => |e| ChallengeEvent::LogTrimmed { log_start: e.logStart };
    system::WalrusSystem::LogEntryMoved => |e| ChallengeEvent::LogEntryMoved {
        token_id: e.tokenId.plain(),
        from: e.from,
        to: e.to,
    };
}
