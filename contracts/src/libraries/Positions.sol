// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Position, Rate } from "../types/Node.sol";
import { Rates } from "./Rates.sol";
import { StakingState } from "./StakingState.sol";

/// @title What a stake position is worth
library Positions {
    using Rates for Rate;
    using Rates for Rate[];

    /// @notice Shares of a position that is or was active. Fixed by the rate at its activation.
    function sharesOf(StakingState.Layout storage l, Position memory q) internal view returns (uint256) {
        return q.shares != 0 ? q.shares : l.rates[q.nodeId].rateAt(q.activationEpoch).toShares(q.principal);
    }

    /// @notice FROST that a position got when its withdraw epoch began.
    function worthAtWithdrawal(StakingState.Layout storage l, Position memory q) internal view returns (uint256) {
        return l.rates[q.nodeId].rateAt(q.withdrawEpoch).toAmount(sharesOf(l, q));
    }
}
