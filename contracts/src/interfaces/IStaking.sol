// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ChallengeResult, Settlement } from "../types/Epoch.sol";
import { NodeInfo, NodeParams, PoolInfo, Position, Rate, Role, SlashReason } from "../types/Node.sol";
import { IWired } from "./IWired.sol";

/// @title Storage nodes and stake
/// @notice Registers storage nodes, takes stake for them and keeps the active set from which committees are selected.
/// Stake positions are ERC-721 tokens of this contract. Amounts are FROST.
///
/// Rewards and penalties of an epoch are settled pool by pool in the epoch after it, by anyone (`settle`), and whoever
/// touches a pool settles it first. Selecting the next committee needs all of them settled.
///
/// The contract is also an `IERC5805`: the principal of a position counts as votes of its owner's delegate, from `stake`
/// until `withdraw`, on the timestamp clock.
interface IStaking is IWired {
    /// @notice A node was registered. Its description is in the state.
    event NodeRegistered(uint32 indexed nodeId, address operator);
    /// @notice Address, TLS key, name, votes or key of a node changed: read the state.
    event NodeUpdated(uint32 indexed nodeId);
    /// @notice Stake was added to a node.
    event Staked(uint32 indexed nodeId, uint256 indexed positionId, uint256 amount, uint32 activationEpoch);
    /// @notice The rewards of an ended epoch arrived, to be settled node by node.
    event RewardsReceived(uint32 indexed epoch, uint256 amount);
    /// @notice The challenge of an ended epoch was concluded. The settlement follows it.
    event ChallengeResultRecorded(uint32 indexed epoch, bool enforced, bool isVoid, uint256 passed, uint256 rescued);
    /// @notice The pool of a member of the committee of `epoch` got its reward, of which `commission` went to the
    /// operator, or was slashed.
    event PoolSettled(uint32 indexed nodeId, uint32 indexed epoch, uint256 reward, uint256 commission, uint256 slashed);
    /// @notice The reward of a member that did not pass the challenge of `epoch` was burned.
    event RewardForfeited(uint32 indexed nodeId, uint32 indexed epoch, uint256 amount);
    /// @notice Stake and commission of a node were burned for what it failed to do in `epoch`.
    /// @param reason A `SlashReason`
    event NodeSlashed(uint32 indexed nodeId, uint32 indexed epoch, uint256 amount, SlashReason reason);
    /// @notice A node is left out of the committees before `untilEpoch`.
    event NodeJailed(uint32 indexed nodeId, uint32 untilEpoch);
    /// @notice Slashing took so much from a pool that it accepts no stake any more.
    event PoolRetired(uint32 indexed nodeId);
    /// @notice A position leaves its pool at the start of `withdrawEpoch`.
    event WithdrawRequested(uint256 indexed positionId, uint32 withdrawEpoch);
    /// @notice A position was paid out and is gone.
    event Withdrawn(uint256 indexed positionId, uint256 amount);
    /// @notice `amount` of the principal of a position went to a new one.
    event PositionSplit(uint256 indexed positionId, uint256 indexed newPositionId, uint256 amount);
    /// @notice A position was merged into another one and is gone.
    event PositionsJoined(uint256 indexed into, uint256 indexed from);
    /// @notice A commission takes effect with the rewards of `fromEpoch`.
    event CommissionChanged(uint32 indexed nodeId, uint16 commissionBp, uint32 fromEpoch);
    /// @notice Commission was paid out.
    event CommissionCollected(uint32 indexed nodeId, address indexed to, uint256 amount);
    /// @notice A role of a node was offered to an account.
    event RoleProposed(uint32 indexed nodeId, Role role, address next);
    /// @notice An account took over a role of a node.
    event RoleAccepted(uint32 indexed nodeId, Role role, address account);

    /// @notice No node has this id.
    error UnknownNode(uint32 nodeId);
    /// @notice No stake position has this id.
    error UnknownPosition(uint256 positionId);
    /// @notice The caller is not the node's operator.
    error NotOperator(uint32 nodeId, address caller);
    /// @notice Another node uses this key.
    error KeyInUse(uint32 nodeId);
    /// @notice The length of a text or key field is out of bounds.
    error BadFieldLength(bytes32 field, uint256 length, uint256 highest);
    /// @notice The first byte of a compressed P-256 key is 2 or 3.
    error BadNetworkKey(uint8 firstByte);
    /// @notice Commission is at most 10,000 basis points.
    error CommissionTooHigh(uint16 commissionBp, uint16 highest);
    /// @notice Price votes are at most 2^48 FROST.
    error VoteTooHigh(uint64 vote, uint64 highest);
    /// @notice A position holds at least 1 WAL.
    error StakeBelowMinimum(uint256 amount, uint256 minimum);
    /// @notice Between voting end and selection the active set does not change.
    error ActiveSetFrozen();
    /// @notice The active set is full and the node's stake is not above the smallest in it.
    error ActiveSetFull(uint32 smallestNodeId, uint64 smallestStake);
    /// @notice The entry at this index is not the smallest of the active set.
    error NotSmallest(uint256 index);
    /// @notice The node is in the active set already.
    error AlreadyInActiveSet(uint32 nodeId);
    /// @notice A node with less than the smallest stake cannot be in the active set.
    error NoStake(uint32 nodeId);
    /// @notice The caller neither owns the position nor is approved for it.
    error NotPositionOwner(uint256 positionId, address caller);
    /// @notice The withdrawal of the position has been requested before.
    error AlreadyLeaving(uint256 positionId, uint32 withdrawEpoch);
    /// @notice The position can be withdrawn at once: nothing is to be requested.
    error WithdrawAtOnce(uint256 positionId);
    /// @notice The withdrawal must be requested first.
    error WithdrawNotRequested(uint256 positionId);
    /// @notice The position leaves its pool only at `withdrawEpoch`.
    error WithdrawTooEarly(uint256 positionId, uint32 withdrawEpoch, uint32 epoch);
    /// @notice Positions can be joined when node, activation and withdraw epoch and owner are the same.
    error PositionsDiffer(uint256 into, uint256 from);
    /// @notice The guardian has paused new stakes.
    error StakingPaused();
    /// @notice The pool was slashed so far that it accepts no stake.
    error PoolIsRetired(uint32 nodeId);
    /// @notice The node is jailed; its operator may bring it back for the committee of `untilEpoch`.
    error NodeIsJailed(uint32 nodeId, uint32 untilEpoch);
    /// @notice The caller does not hold this role of the node.
    error NotInRole(uint32 nodeId, Role role, address caller);
    /// @notice The role was not offered to the caller.
    error RoleNotProposed(uint32 nodeId, Role role, address caller);
    /// @notice Votes of a node change once per interval, so that nobody can move a price just before a purchase at will.
    error VotedTooRecently(uint32 nodeId, uint64 allowedAt);
    /// @notice Neither payments nor withdrawals go to the zero address.
    error ZeroAddress();
    /// @notice A part of the code was built with another wiring or other parameters.
    error HalfMiswired(address half);
    /// @notice The result of this epoch was recorded before, or it is not the epoch that ended last.
    error ResultNotExpected(uint32 epoch);

    /// @notice Registers a node; the caller becomes its operator, commission receiver and governance account.
    /// @dev Reverts with a field error above, `KeyInUse`, or as `ICommittees.verifyPossession`.
    /// @return nodeId Counts from 1
    function registerNode(NodeParams calldata p) external returns (uint32 nodeId);

    /// @notice Stakes WAL out of the caller's allowance and mints the position to `to`.
    /// @dev The node enters the active set when there is room and it is not jailed. Stake of epoch E counts from E + 1,
    /// or from E + 2 once the committee of E + 1 is selected. Reverts with `UnknownNode`, `StakeBelowMinimum`,
    /// `ActiveSetFrozen`, `PoolIsRetired`, `StakingPaused`.
    function stake(uint32 nodeId, uint256 amount, address to) external returns (uint256 positionId);

    /// @notice Asks for a position to leave its pool. Only its owner or an approved account.
    /// @dev It leaves at the next epoch at which its node may go without it: E + 1, or E + 2 when the node is in the
    /// committee already selected for E + 1. It shares rewards and slashes until then. Reverts with `AlreadyLeaving`,
    /// `ActiveSetFrozen`, and with `WithdrawAtOnce` when `withdraw` can pay it now: its node is in neither committee, or
    /// it is not active yet and the node is not in the committee it would become active with.
    function requestWithdraw(uint256 positionId) external;

    /// @notice Pays a position out to `to` and burns it. Only its owner or an approved account.
    /// @dev Pays what the shares are worth at the withdraw epoch, or now when no request is needed; that can be less
    /// than the principal after slashing. Reverts with `WithdrawNotRequested`, `WithdrawTooEarly`, and, only when no
    /// request was needed, `ActiveSetFrozen`.
    function withdraw(uint256 positionId, address to) external returns (uint256 amount);

    /// @notice Moves `amount` of the principal to a new position of the same owner. Both keep at least 1 WAL.
    function splitPosition(uint256 positionId, uint256 amount) external returns (uint256 newPositionId);

    /// @notice Merges position `from` into `into`. Both must have the same owner, node, activation and withdraw epoch.
    function joinPositions(uint256 into, uint256 from) external;

    /// @notice Brings pools up to the current epoch: rewards, strikes and slashes of the epoch that ended, stake that
    /// joins and leaves. Open to anyone, and without effect on pools already settled and unknown nodes.
    function settle(uint32[] calldata nodeIds) external;

    /// @notice Takes note of how the challenge of the epoch that ends went: the only way to a strike or a slash. Only
    /// `Challenges`, called back by `IEpochListener.onEpochEnd`, once per epoch and before `receiveRewards`. Without it
    /// the epoch counts as not enforced.
    function recordChallengeResult(uint32 epoch, ChallengeResult calldata result) external;

    /// @notice Changes the commission from the rewards of the epoch after the next one on. Only the operator.
    function setNextCommission(uint32 nodeId, uint16 commissionBp) external;

    /// @notice Pays the commission of a node out to `to`. Only its commission receiver.
    function collectCommission(uint32 nodeId, address to) external returns (uint256 amount);

    /// @notice Offers a role of a node to an account; the zero address withdraws the offer. Only the present holder.
    function proposeRole(uint32 nodeId, Role role, address next) external;

    /// @notice Takes over a role that was offered to the caller.
    function acceptRole(uint32 nodeId, Role role) external;

    /// @notice Changes the standing votes of a node. Only its operator, once per interval: the shorter of the
    /// parameter `voteInterval` and a fourteenth of the epoch duration.
    function setVotes(uint32 nodeId, uint64 storagePrice, uint64 writePrice, uint64 capacity) external;

    /// @notice Changes the key for the next committee selection. Only the operator.
    /// @param key 96 bytes as in `NodeParams`
    /// @param pop Proof of possession for the present epoch
    function setNextKey(uint32 nodeId, bytes calldata key, bytes calldata pop) external;

    /// @notice Changes how a node is reached and described. Only its operator.
    function setNodeInfo(
        uint32 nodeId,
        string calldata name,
        string calldata networkAddress,
        bytes calldata networkKey,
        string calldata metadataURI
    ) external;

    /// @notice Puts a staked node into the active set. Open to anyone; after a jail only to its operator.
    /// @param evictIndexHint When the set is full: index of its smallest entry, which must be smaller than the node's
    /// stake. Ignored otherwise
    function joinActiveSet(uint32 nodeId, uint256 evictIndexHint) external;

    /// @notice Takes note of the rewards of an ended epoch, which were sent before, and opens its settlement with what
    /// `Challenges` says about it. Only `WalrusSystem`, at every epoch change and also for the amount 0.
    /// @dev What rounding left of the settlement before goes back to `WalrusSystem` (`receiveLeftover`). The shares of
    /// pools that nobody settled in time are burned, so that nobody gains from leaving a pool unsettled.
    function receiveRewards(uint32 epoch, uint256 amount) external;

    /// @notice All about one node. Reverts with `UnknownNode`.
    function node(uint32 nodeId) external view returns (NodeInfo memory);

    /// @notice Number of nodes ever registered, which is also the highest node id.
    function nodeCount() external view returns (uint32);

    /// @notice The node that uses a key; 0 when none does.
    function nodeOfKey(bytes calldata key) external view returns (uint32 nodeId);

    /// @notice Operator of a node; the zero address when there is no such node.
    function operatorOf(uint32 nodeId) external view returns (address);

    /// @notice The nodes a selection considers, in the order in which ties are resolved, with their stake.
    function activeSet() external view returns (uint32[] memory nodeIds, uint64[] memory stakes);

    /// @notice What a selection made now would apportion: the active set, in which pools that are not settled count with
    /// stake 0. The same as `activeSet` once all are settled.
    /// @return nodeIds The nodes in the order in which ties are resolved
    /// @return stakes Their stake
    /// @return nodes How many of them have stake
    function candidates() external view returns (uint32[] memory nodeIds, uint64[] memory stakes, uint256 nodes);

    /// @notice Whether every member of the committee of the last epoch is settled.
    function isSettled() external view returns (bool);

    /// @notice The settlement that is under way, or complete, in the current epoch.
    function settlement() external view returns (Settlement memory);

    /// @notice The stake of a node as of its last settlement. Reverts with `UnknownNode`.
    function pool(uint32 nodeId) external view returns (PoolInfo memory);

    /// @notice The exchange rate at which stake joined or left a pool at the start of an epoch, or the last time before.
    function rateAt(uint32 nodeId, uint32 epoch) external view returns (Rate memory);

    /// @notice What a position is worth as of the last settlement of its pool, and from which epoch on it can be
    /// withdrawn; 0 when no withdrawal has been requested. Reverts with `UnknownPosition`.
    function valueOf(uint256 positionId) external view returns (uint256 amount, uint32 withdrawEpoch);

    /// @notice Number of positions ever made, which is also the highest position id.
    function positionCount() external view returns (uint64);

    /// @notice Account that approves upgrades for a node; the zero address when there is no such node.
    function governanceOf(uint32 nodeId) external view returns (address);

    /// @notice Raised whenever a registered node changes its key.
    function keysVersion() external view returns (uint64);

    /// @notice Number of nodes in the active set.
    function activeSetSize() external view returns (uint256);

    /// @notice Keys of the given nodes, 96 bytes each; zeros for node 0.
    function keysOf(uint32[] calldata nodeIds) external view returns (bytes memory keys);

    /// @notice Price votes of the members of a committee.
    /// @param roster The members as `Roster` packs them
    /// @return votes 16 bytes per seat, big endian: storage price (8), write price (8); zeros for empty seats
    function priceVotesOf(bytes calldata roster) external view returns (bytes memory votes);

    /// @notice Capacity votes of the given nodes in bytes; 0 for node 0.
    function capacityVotesOf(uint32[] calldata nodeIds) external view returns (uint256[] memory votes);

    /// @notice One stake position. Reverts with `UnknownPosition`.
    function position(uint256 positionId) external view returns (Position memory);

    /// @notice Rewards received for an ended epoch.
    function rewardsOf(uint32 epoch) external view returns (uint256);
}
