// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SSTORE2 } from "solady/utils/SSTORE2.sol";
import { Wired } from "./Wired.sol";
import { WiredUpgradeable } from "./WiredUpgradeable.sol";
import { ICommittees } from "./interfaces/ICommittees.sol";
import { IEpochManager } from "./interfaces/IEpochManager.sol";
import { IEpochListener } from "./interfaces/IEpochListener.sol";
import { IForceSynced } from "./interfaces/IForceSynced.sol";
import { IStaking } from "./interfaces/IStaking.sol";
import { IWalrusSystem } from "./interfaces/IWalrusSystem.sol";
import { Dhondt } from "./libraries/Dhondt.sol";
import { Roster } from "./libraries/Roster.sol";
import { RedStuffMath } from "./libraries/RedStuffMath.sol";
import { WeightedVotes } from "./libraries/WeightedVotes.sol";
import { EpochClock, EpochState, Stage } from "./types/Epoch.sol";
import { Parameters, Wiring } from "./types/Wiring.sol";

/// @title Epoch machine
contract EpochManager is IEpochManager, WiredUpgradeable {
    /// @custom:storage-location erc7201:walrus.EpochManager
    /// @dev The first six fields share a slot. `reported` has a bit per seat.
    struct Layout {
        uint32 epoch;
        EpochState state;
        uint64 startedAt;
        uint64 doneAt;
        uint16 syncedWeight;
        uint64 nextCapacity;
        mapping(uint32 epoch => uint256 seats) reported;
    }

    /// @dev keccak256(abi.encode(uint256(keccak256("walrus.EpochManager")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant LAYOUT_SLOT = 0x14a994e461fd67d6349efa28644df0d882e5b26473e9d9d0b570da2797292800;

    constructor(Wiring memory w, Parameters memory p) Wired(w, p) { }

    /// @notice Puts the machine into epoch 0, state `Done`; called by the transaction that creates the proxy.
    function initialize() external initializer {
        _layout().state = EpochState.Done;
    }

    /// @inheritdoc IEpochManager
    function selectCommittee(uint16[] calldata seats) external {
        Layout storage l = _layout();
        _requireState(l, EpochState.Done);
        _requireTime(_selectableAt(l));
        l.state = EpochState.ParamsSelected;
        uint32 next = l.epoch + 1;

        (uint32[] memory ids, uint64[] memory stakes, uint256 nodes) = _candidates(l);
        if (nodes < MIN_NODES) {
            if (l.epoch == 0) revert TooFewNodes(nodes, MIN_NODES);
            (uint32[] memory present, uint16[] memory weights) = ICommittees(COMMITTEES).members(l.epoch);
            l.nextCapacity = _votedCapacity(present, weights);
            ICommittees(COMMITTEES).keep(next);
        } else {
            Dhondt.verify(stakes, seats, N_SHARDS);
            l.nextCapacity = _votedCapacity(ids, seats);
            ICommittees(COMMITTEES).select(next, ids, seats);
        }
        IEpochListener(CHALLENGES).onCommitteeSelected(l.epoch);
    }

    /// @inheritdoc IEpochManager
    function startEpoch() external {
        Layout storage l = _layout();
        _requireState(l, EpochState.ParamsSelected);
        _requireTime(_startableAt(l));
        uint64 votedCapacity = l.nextCapacity;
        uint32 next = l.epoch + 1;
        l.epoch = next;
        l.state = EpochState.Sync;
        l.startedAt = uint64(block.timestamp);
        l.doneAt = 0;
        l.syncedWeight = 0;
        l.nextCapacity = 0;
        bool carry = IEpochListener(CHALLENGES).onEpochEnd(next - 1);
        (, uint256 rewards, uint256 burned) = IWalrusSystem(SYSTEM).advanceEpoch(votedCapacity, carry);
        emit EpochStarted(next, rewards, burned);
    }

    /// @inheritdoc IEpochManager
    function syncDone(uint32 nodeId, uint32 epoch_) external {
        Layout storage l = _layout();
        if (epoch_ != l.epoch) revert WrongEpoch(epoch_, l.epoch);
        if (IStaking(STAKING).operatorOf(nodeId) != msg.sender) revert NotOperator(nodeId, msg.sender);
        (bool member, uint8 seat, uint16 weight) = ICommittees(COMMITTEES).standing(epoch_, nodeId);
        if (!member) revert NotMember(nodeId);
        uint256 reported = l.reported[epoch_];
        if (reported & (1 << seat) != 0) revert AlreadyReported(nodeId);
        l.reported[epoch_] = reported | (1 << seat);
        emit SyncDone(epoch_, nodeId);
        if (l.state != EpochState.Sync) return;

        l.syncedWeight += weight;
        if (RedStuffMath.isQuorum(l.syncedWeight, N_SHARDS)) _finishSync(l);
    }

    /// @inheritdoc IForceSynced
    function forceSynced() external {
        if (msg.sender != TIMELOCK && msg.sender != UPGRADE_GATE) revert MayNotForce(msg.sender);
        Layout storage l = _layout();
        _requireState(l, EpochState.Sync);
        _requireTime(l.startedAt + 2 * uint64(EPOCH_DURATION) + 1);
        _finishSync(l);
    }

    /// @inheritdoc IEpochManager
    function epoch() external view returns (uint32) {
        return _layout().epoch;
    }

    /// @inheritdoc IEpochManager
    function clock() external view returns (EpochClock memory) {
        Layout storage l = _layout();
        bool syncing = l.state == EpochState.Sync;
        return EpochClock({
            epoch: l.epoch,
            state: l.state,
            startedAt: l.startedAt,
            doneAt: l.doneAt,
            syncedWeight: l.syncedWeight,
            selectableAt: syncing ? 0 : _selectableAt(l),
            startableAt: syncing ? 0 : _startableAt(l)
        });
    }

    /// @inheritdoc IEpochManager
    function activeSetFrozen() public view returns (bool) {
        Layout storage l = _layout();
        if (l.state != EpochState.Done || block.timestamp < _selectableAt(l)) return false;
        return l.epoch > 0 || IStaking(STAKING).activeSetSize() >= MIN_NODES;
    }

    /// @inheritdoc IEpochManager
    function stage() external view returns (Stage memory) {
        Layout storage l = _layout();
        return Stage(l.epoch, l.state == EpochState.ParamsSelected, activeSetFrozen());
    }

    /// @inheritdoc IEpochManager
    function nextActivationEpoch() external view returns (uint32) {
        Layout storage l = _layout();
        return l.epoch + (l.state == EpochState.ParamsSelected ? 2 : 1);
    }

    /// @inheritdoc IEpochManager
    function hasReported(uint32 nodeId) external view returns (bool) {
        Layout storage l = _layout();
        if (l.epoch == 0) return false;
        (bool member, uint8 seat) = ICommittees(COMMITTEES).seatOf(l.epoch, nodeId);
        return member && l.reported[l.epoch] & (1 << seat) != 0;
    }

    /// @inheritdoc IEpochManager
    function votedPrices() external view returns (uint64 storagePrice, uint64 writePrice) {
        (address table,) = ICommittees(COMMITTEES).tables(_layout().epoch);
        bytes memory roster = SSTORE2.read(table);
        bytes memory votes = IStaking(STAKING).priceVotesOf(roster);
        uint256[] memory list = new uint256[](Roster.seats(roster));
        storagePrice = WeightedVotes.lowQuorum(_weighted(list, roster, votes, 192), N_SHARDS);
        writePrice = WeightedVotes.lowQuorum(_weighted(list, roster, votes, 128), N_SHARDS);
    }

    /// @inheritdoc IEpochManager
    function nextCapacity() external view returns (uint64) {
        return _layout().nextCapacity;
    }

    /// @dev Capacity by the votes of the given members, each scaled from its share to the whole network.
    function _votedCapacity(uint32[] memory ids, uint16[] memory weights) private view returns (uint64) {
        uint256[] memory votes = IStaking(STAKING).capacityVotesOf(ids);
        for (uint256 i = 0; i < votes.length; ++i) {
            uint16 weight = weights[i];
            votes[i] = uint256(WeightedVotes.scaled(uint64(votes[i]), weight, N_SHARDS)) << 16 | weight;
        }
        return WeightedVotes.highQuorum(votes, N_SHARDS);
    }

    /// @dev Fills `list` with one of the votes of each member, `vote << 16 | weight`. `votes` has 16 bytes a member, and the
    /// vote lies `shift` bits from the end of the word that begins there.
    function _weighted(uint256[] memory list, bytes memory roster, bytes memory votes, uint256 shift)
        private
        pure
        returns (uint256[] memory)
    {
        uint256 count = list.length;
        for (uint256 seat = 0; seat < count; ++seat) {
            uint256 weight = Roster.weightAt(roster, seat);
            assembly ("memory-safe") {
                let vote := and(shr(shift, mload(add(add(votes, 0x20), shl(4, seat)))), 0xffffffffffffffff)
                mstore(add(add(list, 0x20), shl(5, seat)), or(shl(16, vote), weight))
            }
        }
        return list;
    }

    /// @dev The input of the selection. Waits a quarter epoch for pools that are not settled, then goes on without them.
    function _candidates(Layout storage l)
        private
        view
        returns (uint32[] memory ids, uint64[] memory stakes, uint256 nodes)
    {
        if (!IStaking(STAKING).isSettled()) {
            uint64 waitUntil = l.doneAt + uint64(EPOCH_DURATION) * 3 / 4;
            if (block.timestamp < waitUntil) revert NotSettled(waitUntil);
        }
        return IStaking(STAKING).candidates();
    }

    function _finishSync(Layout storage l) private {
        l.state = EpochState.Done;
        l.doneAt = uint64(block.timestamp);
        emit EpochSynced(l.epoch);
    }

    function _selectableAt(Layout storage l) private view returns (uint64) {
        return l.epoch == 0 ? FIRST_START : l.doneAt + EPOCH_DURATION / 2;
    }

    function _startableAt(Layout storage l) private view returns (uint64) {
        return l.epoch == 0 ? FIRST_START : l.doneAt + EPOCH_DURATION;
    }

    function _requireState(Layout storage l, EpochState needed) private view {
        if (l.state != needed) revert WrongState(uint8(l.state), uint8(needed));
    }

    function _requireTime(uint64 earliest) private view {
        if (block.timestamp < earliest) revert TooEarly(uint64(block.timestamp), earliest);
    }

    function _layout() private pure returns (Layout storage l) {
        assembly ("memory-safe") {
            l.slot := LAYOUT_SLOT
        }
    }
}
