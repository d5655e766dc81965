// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ChallengeResult, Settlement } from "../types/Epoch.sol";
import { Position, Rate } from "../types/Node.sol";

/// @title Storage of `Staking`
/// @notice Shared by `Staking` and `StakingNodes`, whose code runs on the same storage.
library StakingState {
    /// @dev One node. `activePlace` is its position in the active set plus 1; 0 when it is not in it.
    struct Node {
        // Slot 0
        address operator;
        uint32 registeredEpoch;
        uint40 votedAt;
        uint16 activePlace;
        // Slots 1 to 5
        uint256[3] key;
        address commissionReceiver;
        address governance;
        // Slots 6 to 9
        bytes networkKey;
        string name;
        string networkAddress;
        string metadataURI;
        // Slots 10 to 12, by `Role`
        address[3] proposed;
    }

    /// @dev The stake of one node as of the start of `epoch`; `PoolInfo` explains the amounts. What joins and leaves is
    /// kept by the parity of its epoch: once settled only the two coming epochs have any. A next commission is stored
    /// plus 1. `servedEpoch` is the last epoch as a member that was settled, `joinedEpoch` the first of that run.
    struct Pool {
        // Slot 0
        uint128 balance;
        uint128 shares;
        // Slot 1
        uint64 joiningEven;
        uint64 joiningOdd;
        uint64 passing;
        uint64 commission;
        // Slot 2
        uint128 leavingEven;
        uint128 leavingOdd;
        // Slot 3
        uint64 owed;
        uint32 epoch;
        uint32 servedEpoch;
        uint32 joinedEpoch;
        uint32 jailedUntil;
        uint16 commissionBp;
        uint16 nextBpEven;
        uint16 nextBpOdd;
        uint8 misses;
        bool retired;
    }

    /// @custom:storage-location erc7201:walrus.Staking
    /// @dev `priceVotes` holds two nodes per slot (`storage price << 64 | write price`), `capacityVotes` four, so that
    /// the votes of a committee are read cheaply. `result` is that of `resultEpoch`.
    struct Layout {
        uint32 nodeCount;
        uint64 positionCount;
        uint64 keysVersion;
        uint32 resultEpoch;
        uint32[] activeIds;
        uint64[] activeStakes;
        Settlement settlement;
        ChallengeResult result;
        mapping(uint32 nodeId => Node) nodes;
        mapping(uint32 nodeId => Pool) pools;
        mapping(uint32 nodeId => Rate[]) rates;
        mapping(uint256 pair => uint256) priceVotes;
        mapping(uint256 four => uint256) capacityVotes;
        mapping(bytes32 keyHash => uint32 nodeId) nodeOfKey;
        mapping(uint256 positionId => Position) positions;
        mapping(uint32 epoch => uint256 amount) rewards;
    }

    /// @dev keccak256(abi.encode(uint256(keccak256("walrus.Staking")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant LAYOUT_SLOT = 0xd3b26ecc95063be71e642d34fbd52fdf7016d6fa116079a0073c8221b108a000;

    /// @notice The storage.
    function get() internal pure returns (Layout storage l) {
        assembly ("memory-safe") {
            l.slot := LAYOUT_SLOT
        }
    }

    /// @notice Price votes of a node as `storage price << 64 | write price`.
    function priceVotesOf(Layout storage l, uint32 nodeId) internal view returns (uint256) {
        return uint128(l.priceVotes[nodeId >> 1] >> (128 * (nodeId & 1)));
    }

    /// @notice Capacity vote of a node in bytes.
    function capacityVoteOf(Layout storage l, uint32 nodeId) internal view returns (uint64) {
        return uint64(l.capacityVotes[nodeId >> 2] >> (64 * (nodeId & 3)));
    }

    /// @notice Writes the votes of a node.
    function setVotes(Layout storage l, uint32 nodeId, uint64 storagePrice, uint64 writePrice, uint64 capacity)
        internal
    {
        uint256 shift = 128 * (nodeId & 1);
        uint256 word = l.priceVotes[nodeId >> 1] & ~(uint256(type(uint128).max) << shift);
        l.priceVotes[nodeId >> 1] = word | (uint256(storagePrice) << 64 | writePrice) << shift;
        shift = 64 * (nodeId & 3);
        word = l.capacityVotes[nodeId >> 2] & ~(uint256(type(uint64).max) << shift);
        l.capacityVotes[nodeId >> 2] = word | uint256(capacity) << shift;
    }
}
