//! Rewards, strikes, positions and commission (docs/protocol/onchain.md section 2.8).

use walrus_core::{Epoch, EvmAddress, NodeId};

use crate::abi::{Plain, staking};

/// What happened to stake. Amounts in FROST.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StakingEvent {
    /// The rewards of an ended epoch arrived, to be settled pool by pool.
    RewardsReceived {
        /// The ended epoch.
        epoch: Epoch,
        /// All of them.
        amount: u64,
    },
    /// The challenge of an ended epoch was concluded.
    ChallengeResultRecorded {
        /// The ended epoch.
        epoch: Epoch,
        /// Whether it decides about money.
        enforced: bool,
        /// Whether it failed as a whole.
        is_void: bool,
        /// Bit per seat, big endian: passed.
        passed: [u8; 32],
        /// Bit per seat, big endian: did not pass, but is spared the strike.
        rescued: [u8; 32],
    },
    /// A pool got its reward, or was slashed.
    PoolSettled {
        /// The node.
        node_id: NodeId,
        /// The ended epoch.
        epoch: Epoch,
        /// Its reward.
        reward: u64,
        /// The operator's part of it.
        commission: u64,
        /// What was taken.
        slashed: u64,
    },
    /// The reward of a member that did not pass its challenge was burned.
    RewardForfeited {
        /// The node.
        node_id: NodeId,
        /// The ended epoch.
        epoch: Epoch,
        /// What it would have been.
        amount: u64,
    },
    /// Stake and commission were burned.
    NodeSlashed {
        /// The node.
        node_id: NodeId,
        /// The epoch in which it failed.
        epoch: Epoch,
        /// How much.
        amount: u64,
        /// Why.
        reason: SlashReason,
    },
    /// A node is left out of committees for a while.
    NodeJailed {
        /// The node.
        node_id: NodeId,
        /// First epoch whose committee it may enter again.
        until: Epoch,
    },
    /// A pool lost so much that it accepts no stake any more.
    PoolRetired {
        /// The node.
        node_id: NodeId,
    },
    /// A position will leave its pool.
    WithdrawRequested {
        /// The position.
        position_id: u64,
        /// Epoch at whose start it leaves.
        withdraw_epoch: Epoch,
    },
    /// A position was paid out.
    Withdrawn {
        /// The position.
        position_id: u64,
        /// What was paid.
        amount: u64,
    },
    /// Part of a position went to a new one.
    PositionSplit {
        /// The position.
        position_id: u64,
        /// The new one.
        new_position_id: u64,
        /// Principal of the new one.
        amount: u64,
    },
    /// A position was merged into another one.
    PositionsJoined {
        /// The one that stays.
        into: u64,
        /// The one that is gone.
        from: u64,
    },
    /// A commission will take effect.
    CommissionChanged {
        /// The node.
        node_id: NodeId,
        /// In basis points.
        commission_bp: u16,
        /// First epoch whose rewards it is taken from.
        from: Epoch,
    },
    /// Commission was paid out.
    CommissionCollected {
        /// The node.
        node_id: NodeId,
        /// Who got it.
        to: EvmAddress,
        /// How much.
        amount: u64,
    },
    /// An account took over a role of a node.
    RoleAccepted {
        /// The node.
        node_id: NodeId,
        /// 0 operator, 1 commission receiver, 2 governance.
        role: u8,
        /// The account.
        account: EvmAddress,
    },
}

/// Why a pool was slashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlashReason {
    /// The second epoch in a row without a passed challenge.
    Penalty,
    /// The third, or a later one.
    Strike,
}

decoders! { StakingEvent:
    staking::Staking::RewardsReceived => |e| StakingEvent::RewardsReceived {
        epoch: Epoch(e.epoch),
        amount: e.amount.plain(),
    };
    staking::Staking::ChallengeResultRecorded => |e| StakingEvent::ChallengeResultRecorded {
        epoch: Epoch(e.epoch),
        enforced: e.enforced,
        is_void: e.isVoid,
        passed: e.passed.plain(),
        rescued: e.rescued.plain(),
    };
    staking::Staking::PoolSettled => |e| StakingEvent::PoolSettled {
        node_id: NodeId(e.nodeId),
        epoch: Epoch(e.epoch),
        reward: e.reward.plain(),
        commission: e.commission.plain(),
        slashed: e.slashed.plain(),
    };
    staking::Staking::RewardForfeited => |e| StakingEvent::RewardForfeited {
        node_id: NodeId(e.nodeId),
        epoch: Epoch(e.epoch),
        amount: e.amount.plain(),
    };
    staking::Staking::NodeSlashed => |e| StakingEvent::NodeSlashed {
        node_id: NodeId(e.nodeId),
        epoch: Epoch(e.epoch),
        amount: e.amount.plain(),
        reason: match e.reason {
            0 => SlashReason::Penalty,
            1 => SlashReason::Strike,
            _ => return None,
        },
    };
    staking::Staking::NodeJailed => |e| StakingEvent::NodeJailed {
        node_id: NodeId(e.nodeId),
        until: Epoch(e.untilEpoch),
    };
    staking::Staking::PoolRetired => |e| StakingEvent::PoolRetired { node_id: NodeId(e.nodeId) };
    staking::Staking::WithdrawRequested => |e| StakingEvent::WithdrawRequested {
        position_id: e.positionId.plain(),
        withdraw_epoch: Epoch(e.withdrawEpoch),
    };
    staking::Staking::Withdrawn => |e| StakingEvent::Withdrawn {
        position_id: e.positionId.plain(),
        amount: e.amount.plain(),
    };
    staking::Staking::PositionSplit => |e| StakingEvent::PositionSplit {
        position_id: e.positionId.plain(),
        new_position_id: e.newPositionId.plain(),
        amount: e.amount.plain(),
    };
    staking::Staking::PositionsJoined => |e| StakingEvent::PositionsJoined {
        into: e.into.plain(),
        from: e.from.plain(),
    };
    staking::Staking::CommissionChanged => |e| StakingEvent::CommissionChanged {
        node_id: NodeId(e.nodeId),
        commission_bp: e.commissionBp,
        from: Epoch(e.fromEpoch),
    };
    staking::Staking::CommissionCollected => |e| StakingEvent::CommissionCollected {
        node_id: NodeId(e.nodeId),
        to: e.to.plain(),
        amount: e.amount.plain(),
    };
    staking::Staking::RoleAccepted => |e| StakingEvent::RoleAccepted {
        node_id: NodeId(e.nodeId),
        role: e.role,
        account: e.account.plain(),
    };
}
