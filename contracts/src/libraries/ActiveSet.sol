// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IStaking } from "../interfaces/IStaking.sol";
import { StakingState } from "./StakingState.sol";

/// @title The nodes a selection considers
/// @notice Two packed lists, ids and stakes; each node knows its place. The order resolves ties.
library ActiveSet {
    /// @notice Appends a node that is not in the set.
    function append(StakingState.Layout storage l, uint32 nodeId, uint64 stake) internal {
        l.activeIds.push(nodeId);
        l.activeStakes.push(stake);
        l.nodes[nodeId].activePlace = uint16(l.activeIds.length);
    }

    /// @notice Takes out the node at `place` (counted from 1); the last one takes its place.
    function remove(StakingState.Layout storage l, uint32 nodeId, uint16 place) internal {
        uint256 last = l.activeIds.length;
        if (place != last) {
            uint32 moved = l.activeIds[last - 1];
            l.activeIds[place - 1] = moved;
            l.activeStakes[place - 1] = l.activeStakes[last - 1];
            l.nodes[moved].activePlace = place;
        }
        l.activeIds.pop();
        l.activeStakes.pop();
        l.nodes[nodeId].activePlace = 0;
        emit IStaking.NodeUpdated(nodeId);
    }

    /// @notice Puts a node in the place of the smallest entry, which the caller has found at `index`.
    function replaceSmallest(StakingState.Layout storage l, uint32 nodeId, uint64 stake, uint256 index) internal {
        uint64[] memory stakes = l.activeStakes;
        if (index >= stakes.length) revert IStaking.NotSmallest(index);
        for (uint256 i = 0; i < stakes.length; ++i) {
            if (stakes[i] < stakes[index]) revert IStaking.NotSmallest(index);
        }
        uint32 evicted = l.activeIds[index];
        if (stake <= stakes[index]) revert IStaking.ActiveSetFull(evicted, stakes[index]);
        l.nodes[evicted].activePlace = 0;
        l.activeIds[index] = nodeId;
        l.activeStakes[index] = stake;
        l.nodes[nodeId].activePlace = uint16(index + 1);
        emit IStaking.NodeUpdated(evicted);
    }
}
